# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# Debian's kernel with its own checks for mistakes in modules switched on, made from the source
# package with few drivers: tests/linux-kmod/debug.config says which checks.
#
#   debug_kernel_build   the guest "debug": a kernel, its modules, and a folder to build modules in
#
# Debian has none such in a package.  It takes some twenty minutes, and is kept until the source or
# the configuration changes.

debug_kernel_source=linux-source-6.1
debug_kernel_config=$root/tests/linux-kmod/debug.config

debug_kernel_unpack() {
	local dir=$guests_dir/$debug_kernel_source
	[ ! -e "$dir/unpacked" ] || return 0
	guest_unpack "$debug_kernel_source" >&2
	tar -C "$dir" -xf "$dir/usr/src/$debug_kernel_source.tar.xz"
	rm -r "$dir/usr"
	touch "$dir/unpacked"
}

# Whatever the configuration asks for and does not get is a check that would not run.
debug_kernel_configure() {
	local source=$1 build=$2 line lost=0
	make -s -C "$source" O="$build" tinyconfig
	"$source/scripts/kconfig/merge_config.sh" -m -O "$build" "$build/.config" \
		"$debug_kernel_config" >/dev/null
	make -s -C "$source" O="$build" olddefconfig
	while read -r line; do
		case $line in
		CONFIG_*)
			grep -qx "$line" "$build/.config" || {
				echo "the kernel does not take $line"
				lost=1
			}
			;;
		esac
	done <"$debug_kernel_config"
	return "$lost"
}

debug_kernel_build() {
	local dir=$guests_dir/debug source=$guests_dir/$debug_kernel_source/$debug_kernel_source
	local build=$dir/build made
	made=$(sha256sum <"$debug_kernel_config")
	[ "$(cat "$dir/done" 2>/dev/null)" != "$made" ] || return 0
	debug_kernel_unpack
	rm -rf "$dir"
	mkdir -p "$build" "$dir/boot"
	debug_kernel_configure "$source" "$build"
	make -s -j"$(nproc)" -C "$source" O="$build" bzImage modules
	make -s -C "$source" O="$build" INSTALL_MOD_PATH="$dir" DEPMOD=true modules_install
	cp "$build/arch/x86/boot/bzImage" "$dir/boot/vmlinuz-debug"
	echo "$made" >"$dir/done"
}
