# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# The Linux module: built for a kernel out of a Debian package, and run in that kernel.

module_kernel=cloud-amd64

# QEMU inside, as simple as it can be had: devices of its own, and no interrupt controller of ours.
module_qemu='-machine pc,accel=kvm,kernel-irqchip=off -cpu host -m 256 -nodefaults -vga none
	-display none -serial stdio -no-reboot -L /usr/share/seabios -L /usr/share/qemu'

# The headers have the version of the kernel that was unpacked, which may not be the newest.
module_build() {
	local version
	guest_unpack "$module_kernel" >&2
	version=$(basename "$guests_dir/$module_kernel"/lib/modules/*)
	need_packages "linux-headers-$version"
	CC=gcc configure build-module -Dtests=disabled -Dbaremetal=disabled -Ddocs=disabled \
		"-Dlinux_kdir=/lib/modules/$version/build"
	build build-module ports/linux-kmod/libsvm.ko
	gcc -O2 -Wall -Wextra -Werror -static -pthread -o build-module/vmm tests/linux-kmod/*.c
}

module_image() {
	local name modules
	modules=$guests_dir/$module_kernel/lib/modules
	l1_new module
	l1_modules module "$module_kernel"
	strip -g -o build-module/libsvm.ko build-module/ports/linux-kmod/libsvm.ko
	l1_file module build-module/libsvm.ko modules/libsvm.ko
	for name in irqbypass kvm kvm-amd; do
		l1_file module "$(find "$modules" -name "$name.ko")" "modules/$name.ko"
	done
	l1_file module build-module/vmm bin/vmm
	l1_programs module /usr/bin/qemu-system-x86_64 /usr/share/seabios/bios-256k.bin \
		/usr/share/qemu/linuxboot_dma.bin /usr/share/qemu/kvmvapic.bin
	l1_file module "$(guest_kernel "$module_kernel")" run/vmlinuz
	l1_file module "$(guest_linux)" run/initrd
	l1_file module <(echo "$module_qemu") run/qemu
	l1_image module tests/linux-kmod/run.sh
}

module_run() {
	l1_run 300 module "$module_kernel" -smp 2
}
