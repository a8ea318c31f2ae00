/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A small monitor on KVM's ioctls, for figures beside the library's: the same guests, and the same
 * VM made and destroyed.  It does no more than they need, so that what is counted is KVM.
 *
 *	kvm guest FILE   run a multiboot ELF file of tests/boot/guests on a PC of KVM's devices;
 *	                 what it prints comes out
 *	kvm inject       print what an interrupt from user space costs
 *	kvm signal       print what writes cost that an eventfd takes, as a virtio device's kicks
 *	kvm life         make and destroy a VM LIVES times, between marks for outside.c
 *	kvm memory       print what a VM and a further vCPU take of the system's memory, in KiB
 *
 * The guest's memory is there before it runs: faults of the host's own are not what is compared. Up
 * to LARGE_FROM it has pages of 4 KiB, above it large ones, as exit_costs.S wants them.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "interrupted.h"
#include "mark.h"

#define MIB            0x100000u
#define GUEST_BYTES    (48 * MIB)
#define SMALL_BYTES    (1 * MIB)
#define LARGE_FROM     (6 * MIB)
#define LARGE_SIZE     (2 * MIB)
#define ROUNDS         1000u
#define SMALL_CODE     0x1000
#define COM1           0x3f8
#define COM1_STATUS    0x3fd
#define COM1_READY     0x60
#define EXIT_PORT      0xf4
#define SIGNAL_CODE    0x2000
#define SIGNAL_PORT    0x1000
#define SIGNAL_GPA     0x10000000u
#define BOOT_MAGIC     0x2badb002 /* EAX of a multiboot guest */
#define CR0_PE_ET      0x11
#define RFLAGS_FIXED   2
#define MEMORY_ROUNDS  2
#define SETTLE_SECONDS 2u
#define CPUID_ENTRIES  100
#define LIVES          9
#define AT_ONCE        64
#define VCPUS_AT_ONCE  15 /* Besides the first. */

struct machine {
	int vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
};

static int kvm;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "kvm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int call(int fd, unsigned long request, const char *name, void *arg)
{
	const int result = ioctl(fd, request, arg);

	if (result < 0)
		die(name);
	return result;
}

#define CALL(fd, request, arg) call(fd, request, #request, (void *)(uintptr_t)(arg))

static uint8_t *memory_alloc(size_t size)
{
	const size_t small = size < LARGE_FROM ? size : LARGE_FROM;
	uint8_t *memory = mmap(NULL, size + LARGE_SIZE, PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("memory");
	memory += -(uintptr_t)memory % LARGE_SIZE;
	if (madvise(memory, small, MADV_NOHUGEPAGE) != 0 ||
	    (size > small && madvise(memory + small, size - small, MADV_HUGEPAGE) != 0))
		die("size of pages");
	for (size_t at = 0; at < size; at += 0x1000)
		((volatile uint8_t *)memory)[at] = 0;
	return memory;
}

static void set_flat_state(int vcpu, uint64_t rip)
{
	const struct kvm_segment code = { .limit = UINT32_MAX,
		                          .selector = 8,
		                          .type = 11,
		                          .present = 1,
		                          .db = 1,
		                          .s = 1,
		                          .g = 1 };
	const struct kvm_segment data = { .limit = UINT32_MAX,
		                          .selector = 16,
		                          .type = 3,
		                          .present = 1,
		                          .db = 1,
		                          .s = 1,
		                          .g = 1 };
	struct kvm_regs regs = { .rip = rip, .rflags = RFLAGS_FIXED, .rax = BOOT_MAGIC };
	struct kvm_sregs sregs;

	CALL(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = CR0_PE_ET;
	CALL(vcpu, KVM_SET_SREGS, &sregs);
	CALL(vcpu, KVM_SET_REGS, &regs);
}

static void vcpu_create(struct machine *m, unsigned int id, uint64_t rip)
{
	m->vcpu = CALL(m->vm, KVM_CREATE_VCPU, id);
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->run == MAP_FAILED)
		die("kvm_run");
	set_flat_state(m->vcpu, rip);
}

static void machine_create(struct machine *m, uint8_t *memory, size_t size, uint64_t rip,
                           bool is_pc)
{
	const struct kvm_userspace_memory_region region = { .memory_size = size,
		                                            .userspace_addr = (uintptr_t)memory };

	m->vm = CALL(kvm, KVM_CREATE_VM, 0);
	CALL(m->vm, KVM_SET_USER_MEMORY_REGION, &region);
	if (is_pc)
		CALL(m->vm, KVM_CREATE_IRQCHIP, 0);
	vcpu_create(m, 0, rip);
}

static void machine_destroy(struct machine *m)
{
	munmap(m->run, m->run_size);
	close(m->vcpu);
	close(m->vm);
}

/* --- guests ------------------------------------------------------------------------------- */

static void set_cpuid(int vcpu)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));

	if (!cpuid)
		die("cpuid");
	cpuid->nent = CPUID_ENTRIES;
	CALL(kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	CALL(vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
}

/* The file's segments at their physical addresses; its entry. */
static uint32_t load_elf(const char *path, uint8_t *memory)
{
	Elf32_Ehdr header;
	Elf32_Phdr segment;
	FILE *file = fopen(path, "rb");

	if (!file || fread(&header, sizeof(header), 1, file) != 1 ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		die(path);
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		if (fseek(file, (long)(header.e_phoff + i * sizeof(segment)), SEEK_SET) != 0 ||
		    fread(&segment, sizeof(segment), 1, file) != 1)
			die(path);
		if (segment.p_type != PT_LOAD || segment.p_filesz == 0)
			continue;
		if (segment.p_paddr > GUEST_BYTES ||
		    segment.p_filesz > GUEST_BYTES - segment.p_paddr ||
		    fseek(file, (long)segment.p_offset, SEEK_SET) != 0 ||
		    fread(memory + segment.p_paddr, segment.p_filesz, 1, file) != 1)
			die(path);
	}
	fclose(file);
	return header.e_entry;
}

/* False: the guest has ended, and *status says how. */
static bool serve_io(struct kvm_run *run, int *status)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, run->io.port == COM1_STATUS ? COM1_READY : 0xff, run->io.size);
		return true;
	}
	if (run->io.port == COM1)
		putchar(*data);
	*status = *data;
	return run->io.port != EXIT_PORT;
}

static int run_guest(const char *path, struct machine *m)
{
	uint8_t *memory = memory_alloc(GUEST_BYTES);
	int status = 0;

	machine_create(m, memory, GUEST_BYTES, load_elf(path, memory), true);
	set_cpuid(m->vcpu);
	for (;;) {
		CALL(m->vcpu, KVM_RUN, 0);
		switch (m->run->exit_reason) {
		case KVM_EXIT_IO:
			if (!serve_io(m->run, &status))
				return status;
			break;
		case KVM_EXIT_MMIO:
			memset(m->run->mmio.data, 0xff, sizeof(m->run->mmio.data));
			break;
		default:
			fprintf(stderr, "kvm: exit reason %u\n", m->run->exit_reason);
			return 1;
		}
	}
}

/* --- VMs of few instructions -------------------------------------------------------------- */

/* OUT to a port that is nobody's: an exit that only a monitor in user space ends. */
static uint8_t *small_memory(void)
{
	static const uint8_t code[] = { 0xe6, INTERRUPTED_PORT };
	uint8_t *memory = memory_alloc(SMALL_BYTES);

	memcpy(memory + SMALL_CODE, code, sizeof(code));
	return memory;
}

static void run_to_port(const struct machine *m)
{
	CALL(m->vcpu, KVM_RUN, 0);
	if (m->run->exit_reason != KVM_EXIT_IO || m->run->io.port != INTERRUPTED_PORT) {
		fprintf(stderr, "kvm: exit reason %u\n", m->run->exit_reason);
		exit(1);
	}
}

static void small_machine(struct machine *m, uint8_t *memory)
{
	machine_create(m, memory, SMALL_BYTES, SMALL_CODE, false);
	run_to_port(m);
}

static int inject(struct machine *m)
{
	const struct kvm_interrupt interrupt = { .irq = INTERRUPTED_VECTOR };
	uint8_t *memory = memory_alloc(SMALL_BYTES);
	uint64_t start;

	memcpy(memory + INTERRUPTED_GPA, interrupted, (size_t)(interrupted_end - interrupted));
	machine_create(m, memory, SMALL_BYTES, INTERRUPTED_GPA, false);
	run_to_port(m);
	start = __builtin_ia32_rdtsc();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		CALL(m->vcpu, KVM_INTERRUPT, &interrupt);
		run_to_port(m);
	}
	printf("cost inject %lu\n", (unsigned long)(__builtin_ia32_rdtsc() - start) / ROUNDS);
	return 0;
}

/* A round is a write and the LOOP; then user space again. */
static void signal_by(const struct machine *m, const char *name)
{
	struct kvm_regs regs;
	uint64_t start;

	CALL(m->vcpu, KVM_GET_REGS, &regs);
	regs.rip = SIGNAL_CODE;
	regs.rcx = ROUNDS;
	regs.rdx = SIGNAL_PORT;
	CALL(m->vcpu, KVM_SET_REGS, &regs);
	start = __builtin_ia32_rdtsc();
	run_to_port(m);
	printf("cost %s %lu\n", name, (unsigned long)(__builtin_ia32_rdtsc() - start) / ROUNDS);
}

static int signal_writes(struct machine *m)
{
	static const uint8_t by_port[] = { 0xee, 0xe2, 0xfd, 0xe6, INTERRUPTED_PORT };
	static const uint8_t by_memory[] = { 0xa3, 0, 0, 0, SIGNAL_GPA >> 24, 0xe2, 0xf9,
		                             0xe6, INTERRUPTED_PORT };
	const int port = eventfd(0, 0), gpa = eventfd(0, 0);
	struct kvm_ioeventfd on_port = { .addr = SIGNAL_PORT,
		                         .len = 1,
		                         .fd = port,
		                         .flags = KVM_IOEVENTFD_FLAG_PIO };
	struct kvm_ioeventfd on_gpa = { .addr = SIGNAL_GPA, .fd = gpa };
	uint8_t *memory = small_memory();
	uint64_t count = 0;

	small_machine(m, memory);
	CALL(m->vm, KVM_IOEVENTFD, &on_port);
	CALL(m->vm, KVM_IOEVENTFD, &on_gpa);
	memcpy(memory + SIGNAL_CODE, by_port, sizeof(by_port));
	signal_by(m, "out-eventfd");
	memcpy(memory + SIGNAL_CODE, by_memory, sizeof(by_memory));
	signal_by(m, "mmio-eventfd");
	if (read(port, &count, sizeof(count)) < 0 || count != ROUNDS ||
	    read(gpa, &count, sizeof(count)) < 0 || count != ROUNDS)
		die("eventfds");
	return 0;
}

#define PUT_MARK(number) __asm__ volatile("nopl %c0(%%rax, %%rax)" : : "i"(MARK(number)) : "memory")

static int live(struct machine *m)
{
	uint8_t *memory = small_memory();

	for (unsigned int i = 0; i < LIVES; i++) {
		PUT_MARK(MARK_CREATE);
		small_machine(m, memory);
		PUT_MARK(MARK_CREATED);
		machine_destroy(m);
		PUT_MARK(MARK_DESTROYED);
	}
	return 0;
}

/* The sum of the numbers behind a word that begins a line. */
static long sum_of(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	char line[256], found[64];
	long sum = 0, value;

	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", found, &value) == 2 && strcmp(found, word) == 0)
			sum += value;
	fclose(file);
	return sum;
}

/* Pages that the kernel keeps at hand for its processors are not in MemFree. */
static long free_kib(void)
{
	return sum_of("/proc/meminfo", "MemFree:") + sum_of("/proc/zoneinfo", "count:") * 4;
}

/* KiB for each of AT_ONCE VMs. */
static long measure_vms(const struct machine *m, uint8_t *memory)
{
	static struct machine machines[AT_ONCE];
	const long before = free_kib();
	long taken;

	for (unsigned int i = 0; i < AT_ONCE; i++) {
		machines[i] = *m;
		small_machine(&machines[i], memory);
	}
	taken = before - free_kib();
	for (unsigned int i = 0; i < AT_ONCE; i++)
		machine_destroy(&machines[i]);
	/* The kernel frees some of it later, and keeps pages at hand for its processor. */
	sleep(SETTLE_SECONDS);
	return taken / AT_ONCE;
}

/* The first rounds bring what all share, and what the kernel will not give back. */
static int measure_memory(const struct machine *m)
{
	struct machine first = *m, other;
	uint8_t *memory = small_memory();
	long kib = 0, before;

	for (unsigned int round = 0; round < MEMORY_ROUNDS; round++)
		kib = measure_vms(m, memory);
	printf("cost vm-memory-kib %ld\n", kib);

	small_machine(&first, memory);
	before = free_kib();
	for (unsigned int id = 1; id <= VCPUS_AT_ONCE; id++) {
		other = first;
		vcpu_create(&other, id, SMALL_CODE);
		run_to_port(&other);
	}
	printf("cost vcpu-memory-kib %ld\n", (before - free_kib()) / VCPUS_AT_ONCE);
	return 0;
}

int main(int argc, char **argv)
{
	struct machine m = { 0 };

	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		die("/dev/kvm");
	m.run_size = (size_t)CALL(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (argc == 3 && strcmp(argv[1], "guest") == 0)
		return run_guest(argv[2], &m);
	if (argc == 2 && strcmp(argv[1], "inject") == 0)
		return inject(&m);
	if (argc == 2 && strcmp(argv[1], "signal") == 0)
		return signal_writes(&m);
	if (argc == 2 && strcmp(argv[1], "life") == 0)
		return live(&m);
	if (argc == 2 && strcmp(argv[1], "memory") == 0)
		return measure_memory(&m);
	fputs("usage: kvm guest FILE | inject | signal | life | memory\n", stderr);
	return 2;
}
