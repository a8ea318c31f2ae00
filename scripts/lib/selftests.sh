# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# KVM's own tests, out of the kernel's source package.  Only what they consist of is kept of it, with
# checkpatch, and none of it is in this tree.  Their Makefile wants the whole source; they need no
# more than this.
#
#   selftests_build             the programs, in build-guests/selftests/bin
#   selftests_into NAME [fast]  into the image of l1_new, with the list that selftests.sh reads

# Limit in seconds, whether it is for every run of scripts/test, name, arguments.  Sizes are such
# that an emulated processor is done with them.
selftests_all=(
	'30 fast x86_64/cpuid_test'
	'30 fast x86_64/userspace_io_test'
	'30 fast x86_64/cr4_cpuid_sync_test'
	'30 fast x86_64/set_sregs_test'
	'30 fast x86_64/sync_regs_test'
	'30 fast x86_64/tsc_msrs_test'
	'30 fast x86_64/platform_info_test'
	'30 fast x86_64/get_msr_index_features'
	'30 fast x86_64/fix_hypercall_test'
	'30 fast x86_64/monitor_mwait_test'
	'30 fast x86_64/set_boot_cpu_id'
	'30 fast x86_64/max_vcpuid_cap_test'
	'60 slow x86_64/xapic_ipi_test'
	'60 fast x86_64/userspace_msr_exit_test'
	'30 fast x86_64/state_test'
	'60 fast x86_64/kvm_clock_test'
	'300 slow demand_paging_test -b 64M'
	'600 slow set_memory_region_test'
	'60 fast kvm_create_max_vcpus'
	'60 fast kvm_binary_stats_test'
	'300 slow dirty_log_perf_test -b 64M'
	'300 slow dirty_log_test -i 3 -I 10'
	'60 fast kvm_page_table_test -b 64M'
	'60 fast memslot_modification_stress_test -i 5 -b 32M'
)

selftests_dir=$guests_dir/selftests

# Unpacking takes half a minute, so what is left is marked like a guest's.
selftests_unpack() {
	local dir=$selftests_dir archive parts
	[ ! -e "$dir/done" ] || [ ! -e "$dir/source/scripts/checkpatch.pl" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir/source"
	(cd "$dir" && apt-get -q download linux-source-6.1) || {
		apt-get -q update
		(cd "$dir" && apt-get -q download linux-source-6.1)
	}
	dpkg-deb -x "$dir"/linux-source-6.1_*.deb "$dir"
	archive=$dir/usr/src/linux-source-6.1.tar.xz
	parts=(scripts/checkpatch.pl scripts/const_structs.checkpatch scripts/spelling.txt
		tools/arch/x86/include tools/include tools/lib/rbtree.c
		tools/testing/selftests/kselftest.h tools/testing/selftests/kvm
		tools/testing/selftests/rseq)
	tar -C "$dir/source" -xf "$archive" --strip-components=1 "${parts[@]/#/linux-source-6.1/}"
	rm -r "$dir/usr" "$dir"/*.deb
	touch "$dir/done"
}

# selftests_compile OUTPUT SOURCE ARGUMENT...: in the tests' own folder, with their Makefile's flags.
# One of them has a macro by the name that later kernels give it.
selftests_compile() {
	local output=$1 source=$2
	shift 2
	gcc -w -O2 -std=gnu99 -U_FORTIFY_SOURCE -fno-stack-protector -fno-PIE -pthread \
		-I../../../include -I../../../arch/x86/include -Iinclude -Iinclude/x86_64 \
		-DTEST_ASSERT_EQ=ASSERT_EQ -I"$(dirname "$source")" -I../rseq -I.. "$@" -o "$output" "$source"
}

selftests_build() {
	local objects=$selftests_dir/objects file object line name
	selftests_unpack
	[ ! "$selftests_dir/built" -nt "${BASH_SOURCE[0]}" ] || return 0
	mkdir -p "$objects" "$selftests_dir/bin"
	cd "$selftests_dir/source/tools/testing/selftests/kvm"
	for file in lib/*.c lib/x86_64/*.[cS]; do
		object=$objects/${file//\//_}.o
		# Otherwise the compiler makes memcmp() of what is to be memcmp().
		case $file in
		*/string_override.c) selftests_compile "$object" "$file" -c -ffreestanding ;;
		*) selftests_compile "$object" "$file" -c ;;
		esac
	done
	for line in "${selftests_all[@]}"; do
		read -r _ _ name _ <<<"$line"
		selftests_compile "$selftests_dir/bin/${name##*/}" "$name.c" -no-pie "$objects"/*.o
	done
	touch "$selftests_dir/built"
}

# One of them cancels threads, for which the C library loads a library by name.
selftests_into() {
	local image=$1 speed=${2:-} line limit kind name arguments list
	list=$(for line in "${selftests_all[@]}"; do
		read -r limit kind name arguments <<<"$line"
		[ "$speed" = fast ] && [ "$kind" = slow ] ||
			echo "${name##*/} $limit $arguments"
	done)
	l1_file "$image" <(echo "$list") run/selftests
	while read -r name _; do
		l1_libraries "$image" "$selftests_dir/bin/$name"
		l1_file "$image" "$selftests_dir/bin/$name" "selftests/$name"
	done <<<"$list"
	l1_programs "$image" /lib/x86_64-linux-gnu/libgcc_s.so.1
}
