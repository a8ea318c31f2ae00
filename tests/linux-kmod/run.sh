# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What the Linux of l1.sh does with the module: it loads it, and takes it through the clauses below.
# Prints "ok NAME" or "FAIL NAME" for each, what failed in full, and the counts at the end.

# How often: kills, hotplugs, cycles.
patience=1 # what limits of time are multiplied with
only=      # sleep, machines, leaving, arriving, vmm: that alone; else all other clauses
. /run/counts

debugfs=/sys/kernel/debug/libsvm
tracefs=/sys/kernel/tracing
spinning= # guests that a clause has started
passed=0
failed=0

# Why runs came to a bad end, as the module says in the kernel's log.
explanations() {
	dmesg | grep 'libsvm: process'
}

# check NAME COMMAND...
check() {
	local name=$1 status=0 before
	before=$(explanations | wc -l)
	shift
	"$@" >/tmp/output 2>&1 || status=$?
	if [ $status -eq 0 ]; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "FAIL $name"
		explanations | tail -n +$((before + 1)) >>/tmp/output
		sed 's/^/  | /' /tmp/output
		failed=$((failed + 1))
		kill -9 $spinning 2>/dev/null # What the next ones count is theirs.
	fi
}

load() {
	insmod /modules/libsvm.ko node=kvm "$@"
}

references() {
	[ "$(cat /sys/module/libsvm/refcnt)" -eq "$1" ]
}

# until_true SECONDS COMMAND...
until_true() {
	local left=$(($1 * 10 * patience))
	shift
	until "$@" 2>/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		usleep 100000
	done
}

proofs() {
	load selftest=1 && dmesg | grep -q 'libsvm: HAL: all passed' &&
		dmesg | grep -q 'libsvm: selftest: all passed'
}

excludes_kvm() {
	insmod /modules/irqbypass.ko && insmod /modules/kvm.ko || return 1
	! insmod /modules/kvm-amd.ko || return 1
	rmmod libsvm && insmod /modules/kvm-amd.ko || return 1
	! insmod /modules/libsvm.ko || return 1
	rmmod kvm_amd kvm irqbypass && load
}

vmm() {
	/bin/vmm /dev/kvm "$@"
}

# The kernel's own tests; one that is skipped says that something is not there.
kernel_tests() {
	local name limit arguments
	while read -r name limit arguments; do
		# shellcheck disable=SC2086
		check "the kernel's $name" timeout -k 5 $((limit * patience)) "/selftests/$name" $arguments
	done </run/selftests
}

# spin N: that many guests that never exit, each in its process.
spin() {
	spinning=
	local n=0
	while [ $n -lt "$1" ]; do
		/bin/vmm /dev/kvm --spin >/tmp/spin.$n &
		spinning="$spinning $!"
		n=$((n + 1))
	done
	until_true 10 references $((3 * $1)) # device, VM, vCPU
}

end_spin() {
	kill -9 $spinning
	until_true 10 references 0
}

# traced EVENT...: each was seen, and a line of an exit says what of.
traced() {
	local event
	for event; do
		grep -q "libsvm_$event:" "$tracefs/trace" || {
			echo "no $event"
			return 1
		}
	done
	grep -q 'libsvm_exit: .* IOIO rip=' "$tracefs/trace"
}

traces() {
	grep -q tracefs /proc/mounts || mount -t tracefs tracefs $tracefs || return 1
	echo 1 >$tracefs/events/libsvm/enable
	vmm ports interrupts && echo 0 >$tracefs/events/libsvm/enable || return 1
	traced ioctl entry exit inject return page_fault || return 1
	echo >$tracefs/trace
	vmm ports && ! grep libsvm_ $tracefs/trace
}

# looks_for_old_pages FOLDER: what the guest uses is young, and old when it was looked at just now.
looks_for_old_pages() {
	local page
	echo 256K >"$1/memory.reclaim"
	for page in $(sed -n 's/.* libsvm_age: \(hva=[^ ]*\) young$/\1/p' $tracefs/trace | sort -u); do
		! grep -q "libsvm_age: $page old" $tracefs/trace || return 0
	done
	return 1
}

# A VMM in a control group that the kernel is to take memory from.
ages() {
	local group=/tmp/group status=0
	echo >$tracefs/trace
	mkdir $group && mount -t cgroup2 cgroup2 $group && mkdir $group/vmm &&
		echo +memory >$group/cgroup.subtree_control || return 1
	mkswap /dev/ram0 && swapon /dev/ram0 && echo $$ >$group/vmm/cgroup.procs && spin 1 || return 1
	echo $$ >$group/cgroup.procs
	echo 1 >$tracefs/events/libsvm/libsvm_age/enable
	until_true 10 looks_for_old_pages $group/vmm || status=1
	echo 0 >$tracefs/events/libsvm/libsvm_age/enable
	grep -c libsvm_age $tracefs/trace
	end_spin && swapoff /dev/ram0 && rmdir $group/vmm && umount $group && return $status
}

# Debian's kernel can be told to be preempted anywhere, and otherwise is where it offers itself.  One
# that cannot be told is preempted anywhere as it is.
turns_anywhere() {
	local file=/sys/kernel/debug/sched/preempt before status=0
	[ -e $file ] || return 0
	before=$(sed 's/.*(\(.*\)).*/\1/' $file)
	echo full >$file || return 1
	vmm turns wanders || status=1
	echo "$before" >$file && return $status
}

# The exits of a dump that are the guest's own, and not the host's or its memory's.
exits_in() {
	svm-trace --raw --exit IOIO,CPUID,SHUTDOWN "$1" |
		sed -n 's/.* name=\([^ ]*\) rip=\([^ ]*\) .* kind=\(.*\)/\1 \2 \3/p'
}

# The guest is that of vmm.c's end().
tells_its_end() {
	local folder
	/bin/vmm /dev/kvm --end >/tmp/end &
	spinning=$!
	until_true 10 grep -q ended /tmp/end || return 1
	folder=$(echo $debugfs/$spinning-*)
	exits_in "$folder/vcpu0/recorder" >/tmp/exits
	cat /tmp/exits "$folder/vcpu0/explain" "$folder/vcpu0/stats"
	printf '%s\n' 'IOIO 1000 IO' 'CPUID 1002 -' 'IOIO 1004 IO' 'SHUTDOWN 100B SHUTDOWN' |
		cmp - /tmp/exits || return 1
	grep -q '^svm-recorder version=1 vcpu=1 ' "$folder/vcpu1/recorder" || return 1
	[ "$(svm-trace --raw --exit NPF "$folder/vcpu1/recorder" | grep -c kind=NPT_FAULT)" -eq 1 ] ||
		return 1
	grep -q '^NPT_FAULT .*: fetch from guest-physical FFFF_FFF0h: no slot is there' \
		"$folder/vcpu1/explain" || return 1
	grep -q '^exit IOIO count 2$' "$folder/vcpu0/stats" || return 1
	grep -q 'triple fault' "$folder/vcpu0/explain" || return 1
	dmesg | grep -q "libsvm: process $spinning, vCPU 0: .*triple fault" && end_spin
}

# recorded FILE: how many exits there have been.
recorded() {
	sed -n 's/^svm-recorder .* recorded=\([0-9]*\) .*/\1/p' "$1"
}

recorded_more() {
	[ "$(recorded "$1")" -gt "$2" ]
}

# Descriptor 3 is open while the VM goes.
is_read_beside_the_guest() {
	local file
	spin 1 || return 1
	file=$(echo $debugfs/${spinning# }-*/vcpu0/recorder)
	until_true 10 recorded_more "$file" "$(recorded "$file")" || return 1
	svm-trace --summary "$file" || return 1
	[ "$(stat -c %a "$file")" = 400 ] || return 1
	exec 3<"$file"
	kill -9 $spinning
	until_true 10 references 1 && ! [ -e "$file" ] && ! cat <&3 && exec 3<&- && references 0
}

stays_while_used() {
	spin 1 && ! rmmod libsvm && end_spin
}

free_memory() {
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# Slabs and per-CPU lists breathe; a VM that stays is a megabyte, and there are many.
memory_is_back() {
	[ "$(free_memory)" -gt $(($1 - 8192)) ]
}

# kill_at_any_moment TIMES COMMAND...: each a little later than the last, but not regularly.
kill_at_any_moment() {
	local times=$1 n=0
	shift
	while [ $n -lt "$times" ]; do
		"$@" >/dev/null 2>&1 </dev/null &
		usleep $((n * 13 % 7 * 4000 + n * 37 % 100 * 200))
		kill -9 $! || return 1
		n=$((n + 1))
	done
	until_true 20 references 0
}

# Whoever looks at all files all the time.
looks() {
	while true; do
		cat $debugfs/*/vcpu*/*
	done >/dev/null 2>&1
}

# Every twentieth VMM is QEMU.
dies_at_any_moment() {
	local before looker
	looks &
	looker=$!
	kill_at_any_moment 2 /bin/vmm /dev/kvm --spin
	before=$(free_memory)
	kill_at_any_moment $((kills - kills / 20)) /bin/vmm /dev/kvm --spin || return 1
	# shellcheck disable=SC2046
	kill_at_any_moment $((kills / 20)) qemu-system-x86_64 $(cat /run/qemu) \
		-machine pc,kernel-irqchip=on -kernel /run/vmlinuz -initrd /run/initrd || return 1
	! pidof vmm qemu-system-x86_64 || return 1
	kill $looker
	until_true 10 memory_is_back "$before"
}

processors_come_and_go() {
	local n=0
	spin 2 || return 1
	while [ $n -lt "$hotplugs" ]; do
		echo 0 >/sys/devices/system/cpu/cpu1/online || return 1
		echo 1 >/sys/devices/system/cpu/cpu1/online || return 1
		n=$((n + 1))
	done
	kill -0 $spinning && end_spin
}

# To RAM and back: each other processor goes, and the last one with interrupts off.
sleeps_and_wakes() {
	local alarm=/sys/class/rtc/rtc0/wakealarm times=/sys/power/suspend_stats/success before
	before=$(cat $times)
	spin 2 || return 1
	echo deep >/sys/power/mem_sleep && echo 0 >$alarm && echo +5 >$alarm &&
		echo mem >/sys/power/state || return 1
	[ "$(cat $times)" -gt "$before" ] && kill -0 $spinning && end_spin &&
		vmm ports interrupts
}

# The next kernel finds processors as they are after a reset, or the module does not load there.
leaves_for_another_kernel() {
	spin 2 && vmm --kexec /run/vmlinuz /run/initrd "$(cat /proc/cmdline)"
}

comes_and_goes() {
	local n=0
	while [ $n -lt "$cycles" ]; do
		vmm ports >/dev/null && rmmod libsvm && load || return 1
		n=$((n + 1))
	done
}

nonsense() {
	chmod 666 /dev/kvm
	vmm --random 1 10000 && vmm --random 2 10000 && until_true 10 references 0
}

sum() {
	md5sum | cut -d' ' -f1
}

guest_says() {
	grep -q "guest: $*" /tmp/boot
}

# A disk of two halves: random, and to be written.
make_disk() {
	mkdir -p /tmp/tftp
	head -c 60000 /dev/urandom >/tmp/tftp/file
	head -c 2097152 /dev/urandom >/tmp/first
	cat /tmp/first >/tmp/disk
	head -c 2097152 /dev/zero >>/tmp/disk
}

# boots PROCESSORS BUS QEMU_ARGUMENT...
boots() {
	local cpus=$1 bus=$2 written
	shift 2
	make_disk
	# shellcheck disable=SC2046
	timeout $((250 * patience)) qemu-system-x86_64 $(cat /run/qemu) -smp "$cpus" "$@" \
		-kernel /run/vmlinuz -initrd /run/initrd -append 'console=ttyS0 quiet panic=-1 mitigations=off' \
		-drive file=/tmp/disk,id=disk,if=none,format=raw -device "virtio-blk-$bus,drive=disk" \
		-netdev user,id=net,tftp=/tmp/tftp -device "virtio-net-$bus,netdev=net" \
		-device "virtio-rng-$bus" </dev/null 2>&1 | tr -d '\r' >/tmp/boot
	cat /tmp/boot
	written=$(tail -c 2097152 /tmp/disk | sum)
	guest_says "processors $cpus" && guest_says "read $(sum </tmp/first)" &&
		guest_says "wrote $written" && guest_says "again $written" &&
		guest_says "fetched $(sum </tmp/tftp/file)" &&
		guest_says 'random virtio_rng' && guest_says 'bytes 256' &&
		grep -q 'l1: status 0' /tmp/boot && grep -q 'Power down' /tmp/boot
}

clauses() {
	check 'KVM and the module keep each other out' excludes_kvm
	vmm
	kernel_tests
	check 'tracepoints tell of a guest, and only while they are on' traces
	check 'vCPUs take turns where the kernel is preempted anywhere' turns_anywhere
	check 'pages that only the guest uses are not old for the kernel' ages
	check 'the recorder of a guest tells its exits, and the log why it ended' tells_its_end
	check 'the recorder is read while its guest runs, and not after it' is_read_beside_the_guest
	check 'it cannot be unloaded while a guest runs' stays_while_used
	check "a VMM killed at any moment leaves nothing, $kills times" dies_at_any_moment
	check "processors come and go under two guests, $hotplugs times" processors_come_and_go
	check "$cycles times loaded, used and unloaded" comes_and_goes
	check '20,000 calls that make no sense' nonsense
}

machines() {
	local name cpus bus arguments
	while read -r name cpus bus arguments; do
		# shellcheck disable=SC2086
		check "QEMU boots Debian, which uses its devices: $name" boots "$cpus" "$bus" $arguments
	done </run/machines
}

check 'the HAL conforms, and each rung of the ladder holds' proofs
case $only in
sleep) check 'it sleeps to RAM and wakes under two guests' sleeps_and_wakes ;;
machines) machines ;;
vmm) vmm ;;
leaving) check 'another kernel starts under two guests' leaves_for_another_kernel ;;
arriving)
	check 'behind a kernel that had guests, guests run' vmm ports interrupts
	check 'the machine goes off under two guests' spin 2
	;;
*) clauses ;;
esac
[ "$only" = arriving ] || check 'it unloads' rmmod libsvm
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
