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

# run_fuzzer NAME SECONDS: what it learns stays in build-fuzz/corpus/NAME, what it finds beside it.
run_fuzzer() {
	mkdir -p "$root/build-fuzz/corpus/$1" "$root/build-fuzz/found"
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$root/build-fuzz/tests/fuzz/$1" \
		-max_total_time="$2" -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$root/build-fuzz/found/$1-" "$root/build-fuzz/corpus/$1"
}
