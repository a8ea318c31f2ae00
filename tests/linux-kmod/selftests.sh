# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# KVM's own tests in the Linux of l1.sh, on the module or on Debian's KVM: /run/side says on which.
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

# all SIDE: a line for each test, what failed in full.  Status 1 if one did.
all() {
	local name limit arguments result status=0
	while read -r name limit arguments; do
		# shellcheck disable=SC2086
		result=$(one "$name" "$limit" $arguments)
		case $result in
		pass*) ;;
		*)
			status=1
			sed "s/^/  $1: $name: /" "/tmp/$name" | tail -20
			;;
		esac
		echo "$1: $name $result"
	done </run/selftests
	return "$status"
}

if [ "$(cat /run/side)" = module ]; then
	insmod /modules/libsvm.ko node=kvm || exit 1
	all module || exit 1
	rmmod libsvm
else
	insmod /modules/irqbypass.ko && insmod /modules/kvm.ko && insmod /modules/kvm-amd.ko || exit 1
	all kvm_amd
fi
