# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What the guest of QEMU does, itself a Linux of l1.sh: it uses each of its virtio devices, and tells
# what it read and wrote.  run.sh knows what it should be.

report() {
	echo "guest: $1"
}

sum() {
	md5sum | cut -d' ' -f1
}

# The disk's first half is read; its second is written, forgotten by the cache, and read again.
disk() {
	local half=$(($(cat /sys/block/vda/size) / 16))
	report "read $(dd if=/dev/vda bs=4096 count=$half 2>/dev/null | sum)"
	yes "$(date)" | head -c $((half * 4096)) >/tmp/file
	dd if=/tmp/file of=/dev/vda bs=4096 seek=$half conv=fsync 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	report "wrote $(sum </tmp/file)"
	report "again $(dd if=/dev/vda bs=4096 skip=$half count=$half 2>/dev/null | sum)"
}

network() {
	ip address add 10.0.2.15/24 dev eth0
	ip link set eth0 up
	tftp -g -l /tmp/fetched -r file 10.0.2.2
	report "fetched $(sum </tmp/fetched)"
}

entropy() {
	report "random $(cat /sys/class/misc/hw_random/rng_current)"
	report "bytes $(head -c 256 /dev/hwrng | wc -c)"
}

report "processors $(grep -c ^processor /proc/cpuinfo)"
disk
network
entropy
