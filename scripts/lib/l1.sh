# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# A Debian Linux in QEMU in which hypervisors for Linux run ("L1"; their guests are L2).  Its kernel
# and modules come from a package that is unpacked, not installed, its programs with their libraries
# from the packages installed here.  All of it is one initramfs, not packed: unpacking takes an
# emulated processor longer than reading.
#
#   l1_new NAME                    an empty system, build-guests/l1-NAME.tree
#   l1_modules NAME KERNEL MODULE...
#                                  modules of guest_kernel's KERNEL, loaded in this order at start,
#                                  each after those that it depends on; a path is a module of ours
#   l1_programs NAME PATH...       installed files, under the same paths, with their libraries
#   l1_libraries NAME PROGRAM      the libraries of a program that goes elsewhere
#   l1_file NAME SOURCE TARGET     any file
#   l1_image NAME SCRIPT           the initramfs; SCRIPT (busybox sh) is what it runs
#   l1_run SECONDS NAME KERNEL QEMU_ARGUMENT...
#                                  boot, run, power off; fails if SCRIPT or the kernel did

l1_tree() {
	echo "$guests_dir/l1-$1.tree"
}

l1_new() {
	local tree
	tree=$(l1_tree "$1")
	guest_unpack busybox-static >&2
	rm -rf "$tree"
	mkdir -p "$tree"/{bin,dev,modules,proc,run,sys,tmp}
	cp "$guests_dir"/busybox-static/bin/busybox "$tree"/bin/
	cp "$root"/scripts/lib/l1-init "$tree"/init
	chmod 755 "$tree"/init
}

# l1_file NAME SOURCE TARGET
l1_file() {
	local tree
	tree=$(l1_tree "$1")
	mkdir -p "$tree/$(dirname "$3")"
	cp -L "$2" "$tree/$3"
}

# Debian's module packages have no modules.dep (depmod writes it where they are installed), but each
# module names its own dependencies.  l1_dependencies FILE
l1_dependencies() {
	objcopy -O binary -j .modinfo "$1" /dev/stdout | tr '\0' '\n' |
		sed -n 's/^depends=//p' | tr ',' '\n'
}

# A module's file may have - where its name has _.
l1_find_module() {
	local kernel=$1 pattern=${2//[-_]/[-_]} found
	found=$(find "$guests_dir/$kernel/lib/modules" -name "$pattern.ko" | head -1)
	[ -n "$found" ] || {
		echo "no module $2 in $kernel" >&2
		return 1
	}
	echo "$found"
}

# l1_add_module NAME KERNEL MODULE: it and what it needs, if not there yet.
l1_add_module() {
	local file=$3 name tree dependency
	tree=$(l1_tree "$1")
	[ -f "$file" ] || file=$(l1_find_module "$2" "$3") || return 1
	name=$(basename "$file")
	! grep -qx "$name" "$tree/modules/order" || return 0
	for dependency in $(l1_dependencies "$file"); do
		l1_add_module "$1" "$2" "$dependency" || return 1
	done
	cp "$file" "$tree/modules/"
	echo "$name" >>"$tree/modules/order"
}

l1_modules() {
	local name=$1 kernel=$2 module
	shift 2
	guest_unpack "$kernel" >&2
	touch "$(l1_tree "$name")/modules/order"
	for module in "$@"; do
		l1_add_module "$name" "$kernel" "$module" || return 1
	done
}

# l1_libraries NAME PROGRAM
l1_libraries() {
	local library
	for library in $(ldd "$2" 2>/dev/null | grep -o '/[^ ]*'); do
		l1_file "$1" "$library" "$library"
	done
}

l1_programs() {
	local name=$1 path
	shift
	for path in "$@"; do
		l1_file "$name" "$path" "$path"
		! [ -x "$path" ] || l1_libraries "$name" "$path"
	done
}

l1_image() {
	local tree image=$guests_dir/l1-$1.cpio
	tree=$(l1_tree "$1")
	cp "$2" "$tree/run/script"
	# Names and times of this machine are nobody's business, and the same bytes come out.
	find "$tree" -exec touch -h -d @0 {} +
	(cd "$tree" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$image"
}

# mitigations=off: what is counted is the hypervisor and not the work-arounds for one processor.
# tsc=reliable: the emulated TSC is, and Linux has nothing better to compare it with.
l1_command_line='console=ttyS0 loglevel=1 panic=-1 mitigations=off tsc=reliable clocksource=tsc'

# What the script prints and what the kernel complained about goes to standard output.
l1_run() {
	local limit=$1 name=$2 kernel=$3 log status=0
	shift 3
	log=$(mktemp)
	qemu "$limit" "$(guest_kernel "$kernel")" 1 "$l1_command_line" -m 1024 \
		-initrd "$guests_dir/l1-$name.cpio" "$@" | sed 's/\r$//' | tee "$log" || status=$?
	[ "$status" -ne 124 ] || echo "l1: no end within $limit s"
	grep -q '^l1: status 0$' "$log" || status=1
	! grep -q '^l1: kernel: ' "$log" || status=1
	rm -f "$log"
	return "$status"
}
