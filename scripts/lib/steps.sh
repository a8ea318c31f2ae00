# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# What scripts/test runs.  To add a step: write a function step_NAME and a line in all_steps, in
# the order in which they shall run.  A step runs in a process of its own under `set -e`, with
# its output in build/logs/NAME.log; it fails by ending with a status other than 0.
#
#   tally PASSED FAILED   adds to the totals of the last line; without it a step counts for one
#   tally_lines           the same for a log on its input
#   remark TEXT           shows a line below the step's own

all_steps=(
	'setup      packages, the source of Zydis, and guests'
	'gcc        build and test: GCC, code model kernel'
	'clang      build and test: Clang'
	'large      build and test: code model large'
	'pic        build and test: code model pic'
	'twice      the steps of docs/porting.md, and the same archive from another place'
	'sanitizers unit tests and races under ASan and UBSan'
	'coverage   unit tests, lines of src/core covered'
	'model      every interleaving of kicks, flushes and pauses, with spin'
	'static     the analyzer of GCC, and cppcheck, over the library'
	'eva        proofs with Frama-C: 0 alarms in tests/eva'
	'fuzz       each fuzz target for a short while'
	'boot       bare-metal image in QEMU, 1 and 4 CPUs'
	'linux      Debian guests: Linux in QEMU 7.2 and 10 and Bochs, stress-ng, Memtest86+'
	'smp        guests with several processors, and several guests, in QEMU'
	'module     the Linux module in Debian, with a VMM of its own and QEMU as its users'
	'bench      instructions per exit, access and boot of a guest, held to their limits'
)

# At least this share of src/core's lines is run by the unit tests.
coverage_wanted=90

# meson_test DIR ARGUMENT...: run tests, with what they need built first; count them, and name those
# that failed.
meson_test() {
	local dir=$root/$1 status=0 counts
	shift
	meson test -C "$dir" --print-errorlogs "$@" || status=$?
	counts=$("$root/scripts/lib/count-tests" "$dir/meson-logs/testlog.json")
	# shellcheck disable=SC2086
	tally $counts
	# Last, so that the screen shows it: which checks failed, and what a crashed program said.
	[ "$status" -eq 0 ] ||
		grep -E ':[FE]:|ERROR: |runtime error|Assertion' "$dir/meson-logs/testlog.txt" | head -20
	return "$status"
}

# tally_lines: pass a log through, and count the tests of each line "N passed, N failed" in it.
tally_lines() {
	local log
	log=$(mktemp)
	tee "$log"
	sed 's/\r$//; s/\x1b\[[0-9;]*m//g' "$log" |
		sed -n 's/^\(.*: \)\{0,1\}\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*/\2 \3/p' |
		while read -r one bad; do tally "$one" "$bad"; done
	rm -f "$log"
}

# The kernels are there before the first test that reads one.
step_setup() {
	"$root/scripts/setup"
	guest_all
}

step_gcc() {
	configure_main
	build build all meson-test-prereq
	meson_test build --no-suite eva --no-suite model
}

# Whole domains, proofs, models and slow emulators are for one compiler; what links the library asks
# both by itself.
step_clang() {
	CC=clang configure build-clang -Dcode_model=kernel
	build build-clang all meson-test-prereq
	meson_test build-clang --no-suite bochs --no-suite consumer --no-suite enumeration \
		--no-suite eva --no-suite lessons --no-suite model
}

# The other code models differ in the freestanding archive alone, and in who links it.
step_large() {
	CC=gcc configure build-large -Dcode_model=large -Dbaremetal=disabled -Dtools=disabled \
		-Ddocs=disabled
	meson_test build-large --suite freestanding --suite checks --suite consumer
}

step_pic() {
	CC=gcc configure build-pic -Dcode_model=pic -Dbaremetal=disabled -Dtools=disabled \
		-Ddocs=disabled
	meson_test build-pic --suite freestanding --suite checks --suite consumer
}

# Whoever doubts an archive can make it again.  The first is made as docs/porting.md says, and all the
# other steps of that page are done with it, up to a Linux guest.
step_twice() {
	local scratch place hashes
	scratch=$(mktemp -d "$root/build-twice.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$scratch'" EXIT
	for place in one somewhere/else; do
		mkdir -p "$scratch/$place"
		tar cf - -C "$root" --exclude='./build*' --exclude=./.git . |
			tar xf - -C "$scratch/$place"
	done
	# The kernel of a guest need not come over the network twice.
	[ ! -d "$guests_dir" ] || ln -s "$guests_dir" "$scratch/one/"
	CC=gcc "$root/tests/consumer/porting.py" "$scratch/one" | tee "$SVM_TEST_SCRATCH/porting"
	# What a port says of itself is no test of ours.
	tail -1 "$SVM_TEST_SCRATCH/porting" | tally_lines
	(
		cd "$scratch/somewhere/else"
		CC=gcc meson setup --wrap-mode=nodownload -Dtests=disabled -Ddocs=disabled \
			-Dtools=disabled -Dbaremetal=disabled build
		ninja -C build -j "$(nproc)" src/libsvm-vmm.a
	)
	hashes=$(sha256sum "$scratch"/one/build-library/src/libsvm-vmm.a \
		"$scratch"/somewhere/else/build/src/libsvm-vmm.a)
	echo "$hashes"
	[ "$(echo "$hashes" | cut -d' ' -f1 | sort -u | wc -l)" -eq 1 ]
	tally 1 0
}

# Clang's sanitizers see more than GCC's, and its leak checker knows threads.
step_sanitizers() {
	CC=clang configure build-sanitizers -Db_sanitize=address,undefined -Db_lundef=false \
		-Dbaremetal=disabled
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		ASAN_OPTIONS=detect_stack_use_after_return=1 \
		meson_test build-sanitizers --suite unit
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		meson_test build-sanitizers 'library rewrite'
}

# Random events of devices run no line of src/core.
step_coverage() {
	CC=gcc configure build-coverage -Db_coverage=true -Doptimization=0 -Dbaremetal=disabled
	find "$root/build-coverage" -name '*.gcda' -delete
	meson_test build-coverage --suite unit --no-suite devices
	gcovr --root "$root" --object-directory "$root/build-coverage" --filter 'src/core/' \
		--exclude-unreachable-branches --print-summary \
		--fail-under-line "$coverage_wanted" \
		"$root/build-coverage" >"$root/build-coverage/coverage.txt" || status=$?
	cat "$root/build-coverage/coverage.txt"
	remark "src/core: $(sed -n 's/^lines: //p' "$root/build-coverage/coverage.txt") of lines"
	return "${status:-0}"
}

step_model() {
	configure_main
	meson_test build --suite model
}

# Anything that they find is an error.  scripts/soak static is slower and asks clang-tidy too.
step_static() {
	CC=gcc configure build-static -Dc_args=-fanalyzer -Dtests=disabled -Dbaremetal=disabled \
		-Ddocs=disabled
	build build-static src/libsvm-vmm.a
	run_cppcheck
}

step_eva() {
	configure_main
	meson_test build --suite eva
}

# The emulator gets a number of runs, the others long enough to notice a target that is broken;
# scripts/soak fuzz is for finding more.
fuzz_emulate_runs=3000000

step_fuzz() {
	local target name
	for target in "$root"/tests/fuzz/fuzz_*.c; do
		name=$(basename "$target" .c)
		build_fuzzer "$name"
		case $name in
		fuzz_emulate) run_fuzzers "$name" "-runs=$((fuzz_emulate_runs / $(nproc)))" ;;
		fuzz_lint | fuzz_trace) run_fuzzers "$name" -max_total_time=3 ;;
		*) run_fuzzers "$name" -max_total_time=10 ;;
		esac
		remark "$name: $(fuzzer_runs "$name") runs, 0 findings"
		tally 1 0
	done
}

step_boot() {
	build build ports/baremetal/libsvm-baremetal.elf
	boot_check 60 1 '' | tally_lines
	tally 1 0
	boot_check 60 4 '' | tee "$SVM_TEST_SCRATCH/boot" | tally_lines
	tally 1 0
	# What the README shows of it.
	"$root/tests/checks/blocks.py" --excerpt "$root/README.md" 'scripts/demo --selftest' \
		<"$SVM_TEST_SCRATCH/boot"
	tally 1 0
}

# scripts/soak boot has all kernels, sizes and options, and the same for longer.
step_linux() {
	local tests=$root/tests/linux start=$SECONDS
	configure_main
	build build ports/baremetal/libsvm-baremetal.elf
	guest_all
	"$tests/verdict-test" | tally_lines
	"$tests/linux-test" --times 2 --jobs "$(nproc)" | tally_lines
	remark "Linux: 2 boots of each case in $((SECONDS - start)) s, and what they said was right"
	start=$SECONDS
	"$tests/linux-test" cloud-amd64/512M/stress=5 cloud-amd64/256M/drift=5 \
		cloud-amd64/256M/drift=5/no-kvmclock | tally_lines
	remark "stress-ng and the guest's clocks: 5 s each, in $((SECONDS - start)) s"
	start=$SECONDS
	"$root/examples/linux-syscalls/run" --check | tally_lines
	remark "Linux on a kernel of 400 lines, its system calls watched: $((SECONDS - start)) s"
	start=$SECONDS
	"$tests/memtest-test" --self-test | tally_lines
	"$tests/memtest-test" | tally_lines
	remark "Memtest86+: its first two tests in $((SECONDS - start)) s, 0 errors"
	start=$SECONDS
	"$tests/bochs-test" | tally_lines
	remark "Bochs: first prints in $((SECONDS - start)) s"
	start=$SECONDS
	if guest_qemu10; then
		"$tests/linux-test" --emulator qemu10 cloud-amd64/256M | tally_lines
		remark "$(guest_qemu10_version): a boot in $((SECONDS - start)) s"
	else
		remark 'QEMU 10: skipped, bookworm-backports cannot be reached'
	fi
}

# scripts/soak smp has every number of processors on both sides, and 20 boots in a row of each.
step_smp() {
	local tests=$root/tests/linux start=$SECONDS
	configure_main
	build build ports/baremetal/libsvm-baremetal.elf tests/boot/chatter.elf
	guest_all
	"$tests/linux-test" cloud-amd64/256M/cpus=2/hosts=1 amd64/256M/cpus=4/hosts=4 \
		cloud-amd64/512M/cpus=4/hosts=2/stress=5/hotplug=10 | tally_lines
	remark "Linux on 2 and 4 processors, on 1, 2 and 4 of the host's, in $((SECONDS - start)) s"
	start=$SECONDS
	"$tests/together-test" | tally_lines
	remark "2 Linux guests and 16 small ones at once, in $((SECONDS - start)) s"
}

step_module() {
	local start=$SECONDS
	module_build
	module_image "$module_counts"
	remark "module: built in $((SECONDS - start)) s"
	start=$SECONDS
	module_run 300 | tally_lines
	module_boots 120 "$module_counts" "${module_machines[0]}" | tally_lines
	module_kexec | tally_lines
	remark "module: its tests, a boot of Debian by QEMU on it, and a kexec, in $((SECONDS - start)) s"
}

step_bench() {
	configure_main
	bench_build
	bench_run
	bench_table --check | tally_lines
	bench_emulate_build
	bench_emulate_run
	bench_emulate_table --check | tally_lines
	for calls in operations scale; do
		bench_calls_build $calls
		bench_calls_run $calls short
		bench_calls_table $calls --short --check | tally_lines
	done
	bench_path_build
	bench_path_check | tally_lines
	bench_guest_build
	bench_guest_run
	bench_guest_table --check | tally_lines
}
