# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# Build directories.

# configure DIR OPTION...: a build directory with exactly $CC and these options.
#
# What was asked for last time is kept in the directory.  Where it is the same nothing is done: ninja
# notices changed build files.  Where it differs, or somebody made the directory by hand, it is
# started afresh, since Meson keeps a compiler and forgets no option.
configure() {
	local dir=$root/$1 asked="CC=${CC:-cc} ${*:2}" logs
	shift
	if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/configured" 2>/dev/null)" = "$asked" ]; then
		return 0
	fi
	if [ -d "$dir/meson-private" ]; then
		# The log of the running step lies there.
		logs=$(mktemp -d "$root/build-logs.XXXXXX")
		[ ! -d "$dir/logs" ] || mv "$dir/logs" "$logs/"
		rm -rf "$dir"
		mkdir -p "$dir"
		[ ! -d "$logs/logs" ] || mv "$logs/logs" "$dir/"
		rmdir "$logs"
	fi
	meson setup "$@" "$dir" "$root"
	echo "$asked" >"$dir/configured"
}

# The directory that scripts/demo, the boot tests and most developers use.
configure_main() {
	CC=gcc configure build -Dcode_model=kernel
}

# build DIR TARGET...
build() {
	local dir=$root/$1
	shift
	ninja -C "$dir" -j "$(nproc)" "$@"
}

# run_cppcheck, run_clang_tidy: the library's sources; a finding is an error.
run_cppcheck() {
	(
		cd "$root"
		cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
			--std=c11 -Iinclude -Isrc --suppressions-list=tests/checks/cppcheck.txt src
	)
}

# Each file once, as the archive compiles it; other targets compile the same files again.
run_clang_tidy() {
	CC=clang configure build-clang -Dcode_model=kernel
	mkdir -p "$root/build-clang/tidy"
	python3 - "$root/build-clang" <<-'END'
		import json, sys
		with open(sys.argv[1] + "/compile_commands.json") as file:
		    units = [u for u in json.load(file) if u["output"].startswith("src/libsvm-vmm.a.p/")]
		with open(sys.argv[1] + "/tidy/compile_commands.json", "w") as file:
		    json.dump(units, file)
	END
	find "$root/src" -name '*.c' -print0 |
		xargs -0 -P "$(nproc)" -n 8 clang-tidy --quiet -p "$root/build-clang/tidy"
}

build_fuzzer() {
	CC=clang configure build-fuzz -Dfuzzing=enabled -Db_sanitize=address,undefined \
		-Db_lundef=false -Dbaremetal=disabled -Doptimization=1
	build build-fuzz "tests/fuzz/$1"
}

# run_fuzzers NAME ARGUMENT...: one on every processor, each with a seed of its own.  They start from
# what is committed; what they learn stays in build-fuzz/corpus, what they find in found.
run_fuzzers() {
	local name=$1 dir=$root/build-fuzz seeds=() seed pids=() pid status=0 job
	shift
	[ ! -d "$root/tests/fuzz/seeds/${name#fuzz_}" ] ||
		seeds=("$root/tests/fuzz/seeds/${name#fuzz_}")
	mkdir -p "$dir/corpus/$name" "$dir/found" "$dir/runs"
	rm -f "$dir/runs/$name".*
	seed=$(date +%s)
	for ((job = 0; job < $(nproc); job++)); do
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$dir/tests/fuzz/$name" \
			-seed=$((seed % 1000000000 + job)) -max_len=512 -timeout=10 -verbosity=0 \
			-print_final_stats=1 "$@" \
			-artifact_prefix="$dir/found/$name-" "$dir/corpus/$name" \
			"${seeds[@]}" >"$dir/runs/$name.$job" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=$?
	done
	tail -n 40 "$dir/runs/$name".*
	return "$status"
}

# fuzzer_runs NAME: how many inputs the last run_fuzzers tried.
fuzzer_runs() {
	sed -n 's/^stat::number_of_executed_units: *//p' "$root/build-fuzz/runs/$1".* |
		awk '{ sum += $1 } END { print sum + 0 }'
}
