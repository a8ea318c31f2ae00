# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# The benchmarks: on bare metal, emulated accesses in a process, and a guest's boot.

# One tick of the TSC per instruction; without sleep=off an idle processor would wait in real time.
bench_count=(-icount 'shift=0,sleep=off')

# Of the Linux that is booted, and of the one that KVM is in.
bench_guest_kernel=cloud-amd64

bench_build() {
	[ -f "$root/build/build.ninja" ] || configure_main
	build build ports/baremetal/libsvm-baremetal.elf tests/bench/bench.elf \
		tests/bench/outside.so tests/bench/kvm tests/boot/exit_costs.elf \
		tests/boot/pc_costs.elf
}

# bench_boot LOG IMAGE COMMAND_LINE ARGUMENT...
bench_boot() {
	local log=$log_dir/$1 status=0
	qemu 120 "$2" 1 "$3" "${bench_count[@]}" "${@:4}" >"$log" || status=$?
	cat "$log"
	[ "$status" -eq "$qemu_success" ]
}

# bench_outside NAME: QEMU's arguments to count with outside.c, into a log of that name.
bench_outside() {
	echo "-plugin $root/build/tests/bench/outside.so,log=$log_dir/$1"
}

# KVM's side of a table belongs to the same run, or to none.
bench_run() {
	local folder=$guests_dir/bench-pc.files
	rm -f "$log_dir"/bench-kvm-exits.{txt,count}
	mkdir -p "$folder"
	cp "$root/build/tests/boot/pc_costs.elf" "$folder/costs"
	cat >"$folder/guests.conf" <<-END
		guest costs
		  kernel  = costs
		  memory  = 16M
	END
	# shellcheck disable=SC2046
	bench_boot bench-switch.txt "$root/build/tests/bench/bench.elf" '' &&
		bench_boot bench-exits.txt "$image" 'run=guests careful=0' \
			-initrd "$root/build/tests/boot/exit_costs.elf guest name=costs mem=48M lazy=1" &&
		bench_boot bench-large.txt "$image" 'run=guests careful=0' \
			-initrd "$root/build/tests/boot/exit_costs.elf guest name=costs mem=48M lazy=large" &&
		(cd "$folder" && bench_boot bench-pc.txt "$image" 'run=guests careful=0' \
			-initrd 'guests.conf config,costs' $(bench_outside bench-pc.count))
}

# The same guests, and VMs made and destroyed, in a Linux of its own: bench_exits_image NAME MODULE.
bench_exits_image() {
	local name
	l1_new "exits-$1"
	l1_modules "exits-$1" "$bench_guest_kernel" "$2"
	l1_file "exits-$1" "$root/build/tests/bench/kvm" bin/kvm
	for name in exit_costs pc_costs; do
		l1_file "exits-$1" "$root/build/tests/boot/$name.elf" "run/$name.elf"
	done
	l1_image "exits-$1" "$root/tests/bench/kvm-exits.sh"
}

# bench_exits_run NAME: its log and its counts are bench-NAME-exits.*.
bench_exits_run() {
	local log=$log_dir/bench-$1-exits
	rm -f "$log".{txt,count}
	# shellcheck disable=SC2046
	l1_run 120 "exits-$1" "$bench_guest_kernel" "${bench_count[@]}" \
		$(bench_outside "bench-$1-exits.count") >"$log.txt" || {
		cat "$log.txt"
		rm "$log.txt"
		return 1
	}
}

bench_exits_kvm_build() {
	bench_exits_image kvm kvm-amd
}

bench_exits_kvm_run() {
	bench_exits_run kvm
}

# The module where KVM was, and nothing else is another.
bench_module_build() {
	bench_build
	module_compile
	bench_exits_image module "$root/build-module/libsvm.ko"
}

bench_module_run() {
	bench_exits_run module
}

bench_table() {
	"$root/tests/bench/table" "$@" "$log_dir"
}

bench_emulate_build() {
	[ -f "$root/build/build.ninja" ] || configure_main
	build build tests/bench/bench_emulate
}

# Two numbers of accesses: what they differ by is accesses and nothing else.
bench_emulate_few=101
bench_emulate_many=301

# ACCESS-STATE, as the program and rows.json name them.
bench_emulate_cases=({store,load}-{warm,assist,cold,first} change-{warm,assist})

bench_emulate_run() {
	local name count
	for name in "${bench_emulate_cases[@]}"; do
		for count in "$bench_emulate_few" "$bench_emulate_many"; do
			timeout 120 valgrind --tool=callgrind --toggle-collect=svm_exit_dispatch \
				--callgrind-out-file="$log_dir/$name.$count.out" \
				"$root/build/tests/bench/bench_emulate" "${name%-*}" "${name#*-}" "$count"
		done
	done
}

bench_emulate_table() {
	local name profiles=()
	for name in "${bench_emulate_cases[@]}"; do
		profiles+=("$log_dir/$name".{"$bench_emulate_few","$bench_emulate_many"}.out)
	done
	"$root/tests/bench/emulate_table" "$@" $((bench_emulate_many - bench_emulate_few)) \
		"${profiles[@]}"
}

# bench_calls_build operations|scale
bench_calls_build() {
	[ -f "$root/build/build.ninja" ] || configure_main
	build build "tests/bench/bench_$1"
}

bench_path_build() {
	[ -f "$root/build/build.ninja" ] || configure_main
	build build tests/bench/bench_path tests/bench/bench_path_unrecorded
}

# bench_calls_run operations|scale short|full
bench_calls_run() {
	local folder=$log_dir/$1
	rm -rf "$folder"
	mkdir -p "$folder"
	timeout 900 valgrind --tool=callgrind --collect-atstart=no \
		--callgrind-out-file="$folder/$1.out" \
		"$root/build/tests/bench/bench_$1" "$2" >"$folder/$1.txt"
}

# bench_calls_table operations|scale ARGUMENT...
bench_calls_table() {
	"$root/tests/bench/operations_table" "${@:2}" "$1" "$log_dir/$1"
}

# The way from an exit to the next entry, instruction by instruction.
bench_path_check() {
	local folder=$log_dir/path count=100 programs=$root/build/tests/bench what
	rm -rf "$folder"
	mkdir -p "$folder"
	for what in cpuid port return halt; do
		bench_path_profile "$programs/bench_path" $what $count "$folder/$what.out"
		bench_path_profile "$programs/bench_path_unrecorded" $what $count \
			"$folder/unrecorded-$what.out"
	done
	"$root/tests/bench/path_check" "$root/build/src/libsvm-vmm.a" "$programs/bench_path" \
		"$programs/bench_path_unrecorded" $count "$folder"
}

# bench_path_profile PROGRAM WAY COUNT FILE
bench_path_profile() {
	timeout 120 valgrind --tool=callgrind --collect-atstart=no --dump-instr=yes \
		--callgrind-out-file="$4" "$1" "$2" "$3"
}

bench_guest_build() {
	[ -f "$root/build/build.ninja" ] || configure_main
	build build tests/bench/bench.elf tests/bench/bench_boot.elf tests/bench/first_process \
		tests/bench/outside.so tests/bench/mark
	guest_kernel "$bench_guest_kernel"
	guest_initramfs "$root/build/tests/bench/first_process" bench
}

# QEMU takes the guest's files from a folder under short names.  careful: it may deliver an interrupt
# twice, and the guest would wait for a lock of its own.
bench_guest_run() {
	local folder=$guests_dir/bench.files
	mkdir -p "$folder"
	rm -f "$log_dir"/bench-{kvm,plain}.{txt,count}
	cp "$(guest_kernel "$bench_guest_kernel")" "$folder/vmlinuz"
	cp "$guests_dir/bench.cpio.gz" "$folder/initrd"
	cat >"$folder/guests.conf" <<-END
		guest linux
		  kernel  = vmlinuz
		  initrd  = initrd
		  memory  = 256M
		  cmdline = "console=ttyS0 quiet"
	END
	# shellcheck disable=SC2046
	bench_boot bench-switch.txt "$root/build/tests/bench/bench.elf" '' &&
		(cd "$folder" && bench_boot bench-boot.txt "$root/build/tests/bench/bench_boot.elf" \
			'run=guests careful=1' -initrd 'guests.conf config,vmlinuz,initrd' \
			$(bench_outside bench-boot.count)) &&
		grep -q '^guest linux: ended: exit: status 0' "$log_dir/bench-boot.txt"
}

# The machine that KVM runs, and that runs without virtualisation too.  KVM's has no clock of its own
# unless asked, and Linux waits a second for one.
bench_microvm='-machine microvm,rtc=on -m 256 -nodefaults -display none -serial stdio -no-reboot
	-device isa-debug-exit'

bench_kvm_build() {
	local firmware=/usr/share/qemu
	l1_new bench
	l1_modules bench "$bench_guest_kernel" kvm-amd
	l1_programs bench /usr/bin/qemu-system-x86_64 \
		$firmware/bios-microvm.bin $firmware/kvmvapic.bin $firmware/linuxboot_dma.bin
	l1_file bench "$root/build/tests/bench/mark" bin/mark
	l1_file bench "$(guest_kernel "$bench_guest_kernel")" run/vmlinuz
	l1_file bench "$guests_dir/bench.cpio.gz" run/initrd
	l1_file bench <(echo "$bench_microvm") run/microvm
	l1_image bench "$root/tests/bench/kvm-boot.sh"
}

# Without virtualisation: the same machine, kernel and initramfs, executed by TCG itself.
bench_plain_run() {
	local status=0
	# shellcheck disable=SC2046,SC2086
	timeout --foreground --kill-after=5 120 \
		qemu-system-x86_64 -accel tcg -cpu EPYC,+svm,+npt "${bench_count[@]}" $bench_microvm \
		-kernel "$(guest_kernel "$bench_guest_kernel")" -initrd "$guests_dir/bench.cpio.gz" \
		-append 'console=ttyS0 quiet' $(bench_outside bench-plain.count) </dev/null || status=$?
	[ "$status" -eq 1 ]
}

bench_kvm_run() {
	# shellcheck disable=SC2046
	l1_run 300 bench "$bench_guest_kernel" "${bench_count[@]}" \
		$(bench_outside bench-kvm.count) >"$log_dir/bench-kvm.txt" || {
		cat "$log_dir/bench-kvm.txt"
		return 1
	}
	bench_plain_run
}

# bench_guest_table ARGUMENT...: with KVM's side if its logs are there.
bench_guest_table() {
	"$root/tests/bench/boot_table" "$@" "$log_dir"
}
