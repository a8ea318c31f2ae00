# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# The Linux module: built for a kernel out of a Debian package, and run in that kernel.

# That the module is in, and that its guests are.
module_kernel=cloud-amd64
module_guest_kernel=cloud-amd64

# Arguments of QEMU's for another processor than l1_run's.
module_cpu=()

# QEMU inside: where its package is unpacked, if it is not the one installed, and how it is called, as
# simple as it can be had.
module_qemu_root=
module_qemu='-accel kvm -cpu host -m 256 -nodefaults -vga none -display none -serial stdio
	-no-reboot -L /usr/share/seabios -L /usr/share/qemu -global virtio-net-pci.romfile='

module_counts='kills=10 hotplugs=5 cycles=10'
module_counts_long='kills=200 hotplugs=50 cycles=50'

# Machines: name, processors, bus of the virtio devices, how QEMU is asked for it.  Without a clock
# chip Linux looks for one for seconds of its own time, which are minutes in here.  A second I/O APIC
# in QEMU beside the kernel's first never hears of the end of a level: on KVM the disk hangs as well.
# eim=on has QEMU remap interrupts with APIC IDs of 32 bits, which it refuses without their capability.
module_machines=(
	'pc-2 2 pci -machine pc,kernel-irqchip=on'
	'pc-1 1 pci -machine pc,kernel-irqchip=on'
	'pc-off 1 pci -machine pc,kernel-irqchip=off'
	'q35-2 2 pci -machine q35,kernel-irqchip=on'
	'q35-20 20 pci -machine q35,kernel-irqchip=on'
	'q35-split-2 2 pci -machine q35,kernel-irqchip=split'
	'q35-eim-2 2 pci -machine q35,kernel-irqchip=split -device intel-iommu,intremap=on,eim=on'
	'microvm-2 2 device -machine microvm,rtc=on,ioapic2=off,kernel-irqchip=on'
	'microvm-split-2 2 device -machine microvm,rtc=on'
)

# The kernel's build folder: that of one made here, or the headers of the version that was unpacked,
# which may not be the newest.
module_kdir() {
	local modules version
	guest_unpack "$module_kernel" >&2
	modules=$(echo "$guests_dir/$module_kernel"/lib/modules/*)
	version=$(basename "$modules")
	if [ -e "$modules/build/Makefile" ]; then
		echo "$modules/build"
	else
		need_packages "linux-headers-$version" >&2
		echo "/lib/modules/$version/build"
	fi
}

module_compile() {
	local kdir
	kdir=$(module_kdir)
	CC=gcc configure build-module -Dtests=disabled -Dbaremetal=disabled -Ddocs=disabled \
		"-Dlinux_kdir=$kdir"
	build build-module ports/linux-kmod/libsvm.ko ports/hosted/tools/svm-trace
	strip -g -o "$root/build-module/libsvm.ko" "$root/build-module/ports/linux-kmod/libsvm.ko"
}

module_build() {
	module_compile
	gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$root"/build-module/vmm \
		"$root"/tests/linux-kmod/*.c
	(selftests_build)
}

# module_files IMAGE: ours, and KVM's.
module_files() {
	local name
	l1_file "$1" "$root/build-module/libsvm.ko" modules/libsvm.ko
	for name in irqbypass kvm kvm-amd; do
		l1_file "$1" "$(find "$guests_dir/$module_kernel/lib/modules" -name "$name.ko")" \
			"modules/$name.ko"
	done
}

# Its own guest: a Linux with drivers for virtio that runs guest.sh.
module_guest() {
	l1_new module-guest
	l1_modules module-guest "$module_guest_kernel" virtio_pci virtio_mmio virtio_blk virtio_net virtio-rng
	l1_image module-guest "$root"/tests/linux-kmod/guest.sh
}

module_qemu_into() {
	local file
	for file in bin/qemu-system-x86_64 share/seabios/bios-256k.bin share/seabios/bios-microvm.bin \
		share/qemu/linuxboot_dma.bin share/qemu/kvmvapic.bin; do
		l1_file "$1" "$module_qemu_root/usr/$file" "usr/$file"
	done
	l1_libraries "$1" "$module_qemu_root/usr/bin/qemu-system-x86_64"
}

# module_into IMAGE MACHINE...: QEMU, a kernel for its guest, and lines of module_machines.
module_into() {
	local image=$1
	shift
	l1_new "$image"
	l1_modules "$image" "$module_kernel"
	module_files "$image"
	module_qemu_into "$image"
	l1_file "$image" "$(guest_kernel "$module_guest_kernel")" run/vmlinuz
	l1_file "$image" <(echo "$module_qemu") run/qemu
	l1_file "$image" <(printf '%s\n' "$@") run/machines
}

# module_image COUNTS [MACHINE...]: how often what run.sh repeats, and lines of module_machines.
module_image() {
	local counts=$1
	shift
	module_guest
	module_into module "$@"
	l1_modules module "$module_kernel" brd # to swap to
	l1_file module "$root"/build-module/vmm bin/vmm
	l1_file module "$root"/build-module/ports/hosted/tools/svm-trace bin/svm-trace
	l1_libraries module "$root"/build-module/ports/hosted/tools/svm-trace
	l1_file module "$guests_dir/l1-module-guest.cpio" run/initrd
	l1_file module <(echo "$counts") run/counts
	selftests_into module fast
	l1_image module "$root"/tests/linux-kmod/run.sh
}

# module_demo_image WORDS: a Linux whose console is that of a guest of QEMU on the module.
module_demo_image() {
	module_into demo "${module_machines[0]}"
	l1_file demo "$(guest_linux)" run/initrd
	l1_file demo <(echo "$1") run/words
	l1_image demo "$root"/tests/linux-kmod/demo.sh
}

# A shell needs the terminal as it is: Ctrl-C is the guest's.
module_demo() {
	qemu-system-x86_64 -machine q35 -accel tcg,thread=single -cpu EPYC,+svm,+npt -smp 2 \
		-m 1024 -display none -monitor none \
		-chardev stdio,id=terminal,signal=off -serial chardev:terminal \
		-no-reboot -kernel "$(guest_kernel "$module_kernel")" -append "$l1_command_line" \
		-initrd "$guests_dir/l1-demo.cpio" 2> >(grep -v "TCG doesn't support" >&2)
}

# What checkpatch asks for that is otherwise here: C comments for the licence in all files, spaces
# behind the tabs of a continued line, one source for kernels of several versions, and (switch.h)
# assembly in a macro, and in trace.h lists that macros of the kernel's take.  It takes two
# assignments in one line for a slip, and barriers that say in a comment above the function what
# they pair with for silent ones.
module_checkpatch_ignores=SPDX_LICENSE_TAG,CODE_INDENT,LEADING_SPACE,LINUX_VERSION_CODE
module_checkpatch_ignores+=,CONSTANT_COMPARISON,MULTISTATEMENT_MACRO_USE_DO_WHILE
module_checkpatch_ignores+=,SUSPECT_COMMA_SEMICOLON,MEMORY_BARRIER,COMPLEX_MACRO

module_checkpatch() {
	perl "$selftests_dir/source/scripts/checkpatch.pl" --no-tree --quiet --terse --show-types \
		--max-line-length=100 --ignore "$module_checkpatch_ignores" \
		--file "$root"/ports/linux-kmod/*.[ch] | { grep -v '^total: 0 errors, 0 warnings' || true; }
}

# Of all but the decoder's source, which does not know sparse, and constants of the library that are
# negated in the width of an int.
module_sparse() {
	local version findings
	version=$(basename "$guests_dir/$module_kernel"/lib/modules/*)
	env -u MAKEFLAGS make -C "/lib/modules/$version/build" C=2 modules \
		M="$root/build-module/ports/linux-kmod/module" >"$root"/build-module/sparse.log 2>&1
	findings=$(grep -E '\.[ch]:[0-9]+:[0-9]+: (warning|error)' "$root"/build-module/sparse.log |
		grep -v -e '/module/zydis/' -e 'cast truncates bits from constant value' || true)
	printf '%s' "$findings"
	[ -z "$findings" ]
}

# module_selftests_on SIDE SECONDS: the kernel's own tests, on "module" or on "kvm_amd".
module_selftests_on() {
	l1_new selftests
	l1_modules selftests "$module_kernel"
	module_files selftests
	selftests_into selftests
	l1_file selftests <(echo "$1") run/side
	l1_image selftests "$root"/tests/linux-kmod/selftests.sh
	l1_run "$2" selftests "$module_kernel" -smp 2 -m 2048 | tee "$root/build-module/$1.txt"
}

# module_verdict SIDE NAME: such as "pass 3 s".
module_verdict() {
	sed -n "s/^$1: $2 \(.*\)/\1 s/p" "$root/build-module/$1.txt"
}

# Both, side by side.  KVM itself fails some in this emulated machine, and in some its Linux hangs;
# that is shown and is no failure.
module_selftests() {
	local name other passed=0 failed=0
	module_selftests_on module 1500 || failed=1
	module_selftests_on kvm_amd 900 || true
	printf '%-26s %-12s %s\n' '' module kvm_amd
	for name in $(sed -n 's/^module: \([a-z][a-z0-9_]*\) .*/\1/p' "$root/build-module/module.txt"); do
		other=$(module_verdict kvm_amd "$name")
		printf '%-26s %-12s %s\n' "$name" "$(module_verdict module "$name")" \
			"${other:-no verdict: its Linux hung}"
	done
	passed=$(grep -c '^module: .* pass ' "$root/build-module/module.txt")
	echo "$passed passed, $((${#selftests_all[@]} - passed + failed)) failed"
	[ "$failed" -eq 0 ] && [ "$passed" -eq "${#selftests_all[@]}" ]
}

# Sleep of the whole machine, which is not QEMU's q35: that one does not go off once it has slept.
module_sleep() {
	module_image "$module_counts only=sleep" "${module_machines[0]}"
	l1_run 120 module "$module_kernel" -smp 2 "${module_cpu[@]}" -machine pc
}

# From a Linux with guests by kexec to another, which goes off with guests.  Only the second says that
# all is well, and how many clauses were.
module_kexec() {
	local when image
	for when in arriving leaving; do
		image=kexec-$when
		l1_new "$image"
		l1_modules "$image" "$module_kernel"
		module_files "$image"
		l1_file "$image" "$root/build-module/vmm" bin/vmm
		l1_file "$image" <(echo "only=$when") run/counts
		[ "$when" = arriving ] || {
			l1_file "$image" "$(guest_kernel "$module_kernel")" run/vmlinuz
			l1_file "$image" "$guests_dir/l1-kexec-arriving.cpio" run/initrd
		}
		l1_image "$image" "$root"/tests/linux-kmod/run.sh
	done
	module_run 120 kexec-leaving
}

# module_run SECONDS [IMAGE]: the QEMU out here breaks guests on the first of two processors when each
# has a thread (docs/differences.md, IGNNE).
module_run() {
	local qemu_accel=tcg,thread=single
	l1_run "$1" "${2:-module}" "$module_kernel" -smp 2 "${module_cpu[@]}"
}

# module_boots SECONDS COUNTS MACHINE...: QEMU in there boots Debian.
module_boots() {
	local seconds=$1 counts=$2
	shift 2
	module_image "$counts only=machines" "$@"
	module_run "$seconds"
}
