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

# guest_unpack NAME [PACKAGE...]: the files of these packages, of NAME by default, in build-guests/NAME.
# Package lists that are too old, or were never fetched, are fetched once.
guest_unpack() {
	local name=$1 dir=$guests_dir/$1
	[ ! -e "$dir/done" ] || return 0
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	if ! guest_download "$dir" "${@:-$name}"; then
		apt-get -q update
		guest_download "$dir" "${@:-$name}"
	fi
	guest_unpack_all "$dir"
}

# More arguments for apt.
guest_apt=()

# guest_download DIR PACKAGE...
guest_download() {
	local dir=$1 name package packages=()
	shift
	for name in "$@"; do
		package=$(guest_package "$name")
		[ -n "$package" ] || return 1
		packages+=("$package")
	done
	(cd "$dir" && apt-get -q "${guest_apt[@]}" download "${packages[@]}")
}

guest_unpack_all() {
	local dir=$1 deb
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die "cannot unpack $deb"
	done
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
	guest_linux
	guest_stress
	guest_unpack memtest86+
}

# guest_initramfs SCRIPT NAME: busybox and a script as /init; its path.
guest_initramfs() {
	guest_tree "$1" "$2"
	guest_pack "$2" gzip -9n
}

# The initramfs of the tests: also clock.c.
guest_linux() {
	guest_tree "$root/tests/linux/init" linux
	guest_clock linux
	guest_pack linux gzip -9n
}

guest_clock() {
	gcc -O2 -Wall -Wextra -Werror -static -s -o "$guests_dir/$1.tree/bin/clock" \
		"$root/tests/linux/clock.c"
}

# What Debian's stress-ng is linked with.
stress_libraries='libapparmor1 libbsd0 libc6 libcrypt1 libdrm2 libegl1 libexpat1 libffi8 libgbm1
	libgles2 libglvnd0 libipsec-mb1 libjpeg62-turbo libjudydebian1 libkmod2 liblzma5 libmd0
	libsctp1 libssl3 libwayland-server0 libxxhash0 libzstd1 zlib1g'

# The same with stress-ng and its libraries.  Not compressed: the guest would pay for that.
guest_stress() {
	local files=$guests_dir/stress-ng tree=$guests_dir/stress.tree paths library
	# shellcheck disable=SC2086
	guest_unpack stress-ng stress-ng $stress_libraries >&2
	guest_tree "$root/tests/linux/init" stress
	guest_clock stress
	cp "$files/usr/bin/stress-ng" "$tree/bin/"
	paths=$files/lib/x86_64-linux-gnu:$files/usr/lib/x86_64-linux-gnu
	mkdir "$tree/lib" "$tree/lib64"
	cp "$files/lib64/ld-linux-x86-64.so.2" "$tree/lib64/"
	"$files/lib64/ld-linux-x86-64.so.2" --library-path "$paths" --list "$tree/bin/stress-ng" |
		sed -n 's/ (0x.*//; s/.* => //p' >"$guests_dir/stress.libraries"
	while read -r library; do
		case $library in
		"$files"/*) cp -L "$library" "$tree/lib/" ;;
		*) die "a library of stress-ng: $library" 'add its package to stress_libraries' ;;
		esac
	done <"$guests_dir/stress.libraries"
	guest_pack stress cat
}

# guest_backports: what apt has to be told for packages of bookworm-backports, in guest_apt; fails
# where it cannot reach that.
#
# Apt gets lists and sources of its own, so that this machine's stay what they are.  The mirror is
# the one that they name for Debian 12.
guest_backports() {
	local lists=$guests_dir/backports mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Codename: bookworm' | head -1)
	[ -n "$mirror" ] || return 1
	mkdir -p "$lists/lists/partial" "$lists/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"$mirror bookworm-backports main" >"$lists/sources.list"
	guest_apt=(-o "Dir::Etc::SourceList=$lists/sources.list"
		-o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$lists/lists"
		-o "Dir::Cache::Archives=$lists/archives" -o Acquire::http::Timeout=20
		-o Acquire::Retries=1 -t bookworm-backports)
	apt-get -q "${guest_apt[@]}" -o APT::Update::Error-Mode=any update
}

# guest_qemu10: the QEMU of backports, unpacked; fails as guest_backports.  Its libraries come with the
# QEMU that is installed.
guest_qemu10() {
	local guest_apt=()
	[ ! -e "$guests_dir/qemu10/done" ] || return 0
	rm -rf "$guests_dir/qemu10"
	mkdir -p "$guests_dir/qemu10"
	guest_backports &&
		guest_download "$guests_dir/qemu10" qemu-system-x86 qemu-system-data seabios ||
		return 1
	guest_unpack_all "$guests_dir/qemu10"
}

# guest_newer: the kernel of backports as guest_kernel's "newer", with the folder that modules are
# built in; fails as guest_backports.  That folder names paths of an installed system.
guest_newer() {
	local guest_apt=() dir=$guests_dir/newer version common
	[ ! -e "$dir/ready" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	guest_backports || return 1
	version=$(apt-cache "${guest_apt[@]}" depends linux-image-cloud-amd64 |
		sed -n 's/.*Depends: linux-image-\([0-9].*\)/\1/p' | head -1)
	common=${version%-cloud-amd64}
	guest_download "$dir" "linux-image-$version" "linux-headers-$version" \
		"linux-headers-$common-common" "linux-kbuild-$common" || return 1
	guest_unpack_all "$dir"
	find "$dir/lib/modules" -name '*.ko.xz' -exec xz -d {} +
	sed -i "s|/usr/src/|$dir&|" "$dir/usr/src/linux-headers-$version/Makefile"
	ln -sfn "../../../usr/src/linux-headers-$version" "$dir/lib/modules/$version/build"
	touch "$dir/ready"
}

guest_qemu10_version() {
	"$guests_dir/qemu10/usr/bin/qemu-system-x86_64" --version |
		sed -n 's/^QEMU emulator version \([0-9.]*\).*/QEMU \1/p'
}

# guest_tree SCRIPT NAME: what is in every initramfs, in build-guests/NAME.tree.
guest_tree() {
	local tree=$guests_dir/$2.tree
	guest_unpack busybox-static >&2
	rm -rf "$tree"
	mkdir -p "$tree"/bin "$tree"/proc "$tree"/sys "$tree"/dev "$tree"/tmp
	cp "$guests_dir"/busybox-static/bin/busybox "$tree"/bin/
	cp "$1" "$tree"/init
	chmod 755 "$tree"/init
}

# guest_pack NAME COMPRESSOR...: build-guests/NAME.cpio out of its tree, .cpio.gz from gzip; its path.
guest_pack() {
	local tree=$guests_dir/$1.tree image=$guests_dir/$1.cpio
	shift
	[ "$1" != gzip ] || image+=.gz
	# Names and times of this machine are nobody's business, and the same bytes come out.
	find "$tree" -exec touch -h -d @0 {} +
	(cd "$tree" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet | "$@") >"$image"
	echo "$image"
}
