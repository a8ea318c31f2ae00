# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# Guests out of Debian packages, which are downloaded and unpacked, not installed.

# Beside build, which configure() empties when its options change.
guests_dir=$root/build-guests

# A kernel's metapackage names the newest kernel.
guest_package() {
	case $1 in
	amd64 | cloud-amd64)
		apt-cache depends "linux-image-$1" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' |
			head -1
		;;
	*) echo "$1" ;;
	esac
}

# guest_unpack PACKAGE: its files in build-guests/PACKAGE.  Package lists that are too old, or were
# never fetched, are fetched once.
guest_unpack() {
	local name=$1 package dir=$guests_dir/$1
	[ ! -e "$dir/done" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	package=$(guest_package "$name")
	if [ -z "$package" ] || ! (cd "$dir" && apt-get -q download "$package"); then
		apt-get -q update
		package=$(guest_package "$name")
		(cd "$dir" && apt-get -q download "$package")
	fi
	dpkg-deb -x "$dir"/*.deb "$dir"
	rm "$dir"/*.deb
	touch "$dir/done"
}

# guest_kernel NAME: path of the kernel of amd64 or cloud-amd64.
guest_kernel() {
	guest_unpack "$1" >&2
	echo "$guests_dir/$1"/boot/vmlinuz-*
}

# guest_all: whatever tests/linux boots.
guest_all() {
	guest_kernel cloud-amd64
	guest_kernel amd64
	guest_initramfs "$root/tests/linux/init" linux
	guest_unpack memtest86+
}

# guest_initramfs SCRIPT NAME: busybox and a script as /init; its path.
guest_initramfs() {
	local script=$1 tree=$guests_dir/$2.tree image=$guests_dir/$2.cpio.gz
	guest_unpack busybox-static >&2
	rm -rf "$tree"
	mkdir -p "$tree"/bin "$tree"/proc "$tree"/sys "$tree"/dev "$tree"/tmp
	cp "$guests_dir"/busybox-static/bin/busybox "$tree"/bin/
	cp "$script" "$tree"/init
	chmod 755 "$tree"/init
	# Names and times of this machine are nobody's business, and the same bytes come out.
	find "$tree" -exec touch -h -d @0 {} +
	(cd "$tree" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet | gzip -9n) \
		>"$image"
	echo "$image"
}
