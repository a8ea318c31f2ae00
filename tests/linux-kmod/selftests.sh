# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# KVM's own tests in the Linux of l1.sh: on the module, then on Debian's KVM, one table.  What KVM
# does not pass in this emulated machine cannot be asked of the module, but it is shown.
#
# /run/selftests has a line for each: name, limit in seconds, arguments.

now() {
	cut -d. -f1 /proc/uptime
}

# one NAME SECONDS ARGUMENT...: "verdict seconds" of a test.
one() {
	local name=$1 limit=$2 start status=0
	shift 2
	start=$(now)
	timeout -k 5 "$limit" "/selftests/$name" "$@" >"/tmp/$name" 2>&1 </dev/null || status=$?
	case $status in
	0) echo "pass $(($(now) - start))" ;;
	4) echo "skip $(($(now) - start))" ;;
	*) echo "FAIL $(($(now) - start))" ;;
	esac
}

# all DEVICE: a line for each test into /tmp/DEVICE, what failed in full.
all() {
	local name limit arguments result
	while read -r name limit arguments; do
		# shellcheck disable=SC2086
		result=$(one "$name" "$limit" $arguments)
		echo "$name $result" >>"/tmp/$1"
		case $result in
		FAIL*) sed "s/^/  $1: $name: /" "/tmp/$name" | tail -20 ;;
		esac
		echo "$1: $name $result"
	done </run/selftests
}

table() {
	local name verdict seconds other its
	printf '%-26s %-12s %s\n' '' module kvm_amd
	while read -r name verdict seconds; do
		read -r other its <<-END
			$(sed -n "s/^$name //p" /tmp/kvm_amd)
		END
		printf '%-26s %s %3d s   %s %3d s\n' "$name" "$verdict" "$seconds" "$other" "$its"
	done </tmp/module
}

insmod /modules/libsvm.ko node=kvm && all module && rmmod libsvm || exit 1
insmod /modules/irqbypass.ko && insmod /modules/kvm.ko && insmod /modules/kvm-amd.ko || exit 1
all kvm_amd
table
passed=$(grep -c ' pass ' /tmp/module)
failed=$(grep -vc ' pass ' /tmp/module)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
