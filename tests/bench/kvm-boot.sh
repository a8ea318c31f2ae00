# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash
#
# Inside the L1 of scripts/bench: boot the guest on KVM with QEMU's microvm, twice.  The first boot
# is marked for outside.c; the second is for the kinds of exits, since counting them costs.
# /run/microvm has the machine's arguments, which are the ones of the boot without virtualisation.
trace=/sys/kernel/tracing/events/kvm

# isa-debug-exit makes 1 of the guest's 0.
boot() {
	local status=0
	# shellcheck disable=SC2046
	"$@" /usr/bin/qemu-system-x86_64 -accel kvm -cpu host -L /usr/share/qemu \
		$(cat /run/microvm) -kernel /run/vmlinuz -initrd /run/initrd \
		-append 'console=ttyS0 quiet' </dev/null || status=$?
	[ "$status" -eq 1 ] || {
		echo "QEMU ended with status $status"
		exit 1
	}
}

boot mark
echo 'hist:keys=exit_reason' >$trace/kvm_exit/trigger
boot env
sed -n 's/^{ exit_reason: *\([0-9]*\) } hitcount: *\([0-9]*\)$/kvm exit \1 \2/p' $trace/kvm_exit/hist
