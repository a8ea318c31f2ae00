# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# What setup, test, demo and the others share: colour, progress, logs, packages.  Sourced, not run.

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
log_dir=${log_dir:-$root/build/logs}

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
	terminal=yes
else
	bold='' red='' green='' yellow='' plain=''
	terminal=
fi

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s%s: %s%s\n' "$red" "${0##*/}" "$1" "$plain" >&2
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 1
}

# usage: print the comment at the top of the calling script.
usage() {
	sed -n '4,/^[^#]/{s/^# \{0,1\}//p;}' "$0"
}

running=
# Ends only what run_logged started.
stop_running() {
	[ -z "$running" ] || kill -- "-$running" 2>/dev/null || true
}
trap 'stop_running; exit 130' INT
trap 'stop_running; exit 143' TERM

show_log_end() {
	printf '  %slog: %s%s\n' "$bold" "$1" "$plain"
	tail -n "${2:-25}" "$1" | sed 's/^/  | /'
}

# run_logged NAME LABEL COMMAND...: run with output in a log file, one line of result on the screen.
# While it runs a terminal shows the seconds; a pipe gets a line every half minute.
run_logged() {
	local name=$1 label=$2 log=$log_dir/$1.log start=$SECONDS shown=0 status=0 spent
	shift 2
	mkdir -p "$log_dir"
	set -m
	("$@") >"$log" 2>&1 </dev/null &
	running=$!
	set +m
	while kill -0 "$running" 2>/dev/null; do
		spent=$((SECONDS - start))
		if [ -n "$terminal" ]; then
			printf '\r  ..    %-44s %4d s' "$label" "$spent"
		elif [ $((spent - shown)) -ge 30 ]; then
			printf '  ..    %-44s %4d s\n' "$label" "$spent"
			shown=$spent
		fi
		sleep 0.2
	done
	wait "$running" || status=$?
	running=
	spent=$((SECONDS - start))
	[ -z "$terminal" ] || printf '\r'
	if [ "$status" -eq 0 ]; then
		printf '  %sok%s    %-44s %4d s\n' "$green" "$plain" "$label" "$spent"
	else
		printf '  %sFAIL%s  %-44s %4d s  (status %d)\n' "$red" "$plain" "$label" "$spent" \
			"$status"
		show_log_end "$log"
	fi
	return "$status"
}

missing_packages() {
	local package status
	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

install_packages() {
	export DEBIAN_FRONTEND=noninteractive
	local as_root=()
	[ "$(id -u)" -eq 0 ] || as_root=(sudo -n --preserve-env=DEBIAN_FRONTEND)
	"${as_root[@]}" apt-get -q update &&
		"${as_root[@]}" apt-get -q -y --no-install-recommends install "$@"
}

# need_packages PACKAGE...: install what is missing; quick and offline where nothing is.
need_packages() {
	local missing
	command -v dpkg-query >/dev/null ||
		die 'this is not Debian: install these by other means and call meson yourself' "$*"
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
		die "packages are missing and this is not root; run:" "apt-get install $missing"
	fi
	say "installing: $missing"
	# shellcheck disable=SC2086
	run_logged packages 'install packages with apt' install_packages $missing
}
