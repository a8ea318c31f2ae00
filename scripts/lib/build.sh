# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# Build directories.

# configure DIR OPTION...: a build directory with exactly these options, new or kept from last time.
configure() {
	local dir=$root/$1
	shift
	if [ -f "$dir/build.ninja" ]; then
		meson setup --reconfigure "$@" "$dir" "$root" && return 0
		echo "$dir cannot be reconfigured; starting it afresh"
		meson setup --wipe "$@" "$dir" "$root"
	else
		meson setup "$@" "$dir" "$root"
	fi
}

# build DIR TARGET...
build() {
	local dir=$root/$1
	shift
	ninja -C "$dir" -j "$(nproc)" "$@"
}
