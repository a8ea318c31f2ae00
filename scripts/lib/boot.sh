# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# The bare-metal image in emulators.

image=$root/build/ports/baremetal/libsvm-baremetal.elf

# What the image writes to QEMU's exit device, as QEMU turns it into a status: (0x10 << 1) | 1.
qemu_success=33

# tcg,thread=single: one thread for all processors, which no fault of QEMU's own between threads meets.
qemu_accel=tcg

# qemu SECONDS IMAGE CPUS COMMAND_LINE ARGUMENT...: run until the image powers off; its status is
# QEMU's, or 124 when the time is over.
#
# TCG is QEMU's own interpreter of SVM, so this needs neither an AMD processor nor KVM.  EPYC is the
# model nearest to what TCG can do; it warns about features that it leaves out, which is no news.
qemu() {
	local limit=$1 image=$2 cpus=$3 append=$4
	shift 4
	timeout --foreground --kill-after=5 "$limit" \
		qemu-system-x86_64 -machine q35 -accel "$qemu_accel" -cpu EPYC,+svm,+npt -smp "$cpus" -m 512 \
		-display none -monitor none -serial stdio -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-kernel "$image" -append "$append" "$@" \
		</dev/null 2> >(grep -v "TCG doesn't support" >&2)
}

# boot_check SECONDS CPUS COMMAND_LINE ARGUMENT...: succeed if the image says that all went well.
boot_check() {
	local limit=$1 status=0
	shift
	[ -f "$image" ] || {
		echo "no image $image"
		return 1
	}
	qemu "$limit" "$image" "$@" || status=$?
	case $status in
	"$qemu_success") return 0 ;;
	124 | 137) echo "no power-off within $limit s" ;;
	*) echo "status $status; $qemu_success is success" ;;
	esac
	return 1
}
