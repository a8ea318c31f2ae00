# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# For scripts/demo linux: the console becomes that of a guest of Debian's QEMU on the module.
# /run/words is more for that guest's command line.

insmod /modules/libsvm.ko node=kvm || exit 1
echo "libsvm: loaded, /dev/kvm is its; now $(qemu-system-x86_64 --version | head -n 1)"
read -r _ cpus _ machine </run/machines
# shellcheck disable=SC2046,SC2086
qemu-system-x86_64 $(cat /run/qemu) -smp "$cpus" $machine -kernel /run/vmlinuz -initrd /run/initrd \
	-append "console=ttyS0 quiet panic=-1 mitigations=off $(cat /run/words)"
