/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest's code and page tables change under the emulator.
 *
 * usage: test_library_rewrite [ROUNDS [SEED]]
 *
 * vCPU 0 executes what stands in a slot of its code, again and again, mostly on a device.  At the
 * same time vCPU 1 stores other instructions there, and a thread of the embedder writes them byte
 * by byte, so that what is executed and what is decoded may be any mixture.  Both also change the
 * entries that map the code and the two pages that the instruction touches.  Every other exit has
 * another instruction in the slot before the library looks, however the threads are scheduled.
 *
 * Held, whatever comes of it: devices are touched where they are and at most 32 bytes at a time;
 * RIP stays in the slot or in the handler, each at its CPL; exits are of the kinds that such a
 * guest can cause; read-only memory and its neighbours keep their bytes; no vCPU and no VM dies.
 */
#include <pthread.h>
#include <sched.h>

#include "rewrite_guest.h"
#include "suite.h"
#include "watch.h"

#define get(p)    __atomic_load_n((p), __ATOMIC_RELAXED)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

#define PORT  0x5070u
#define GUARD 0xa5 /* Each byte of the read-only page, and of those beside it. */

static const struct {
	uint8_t cpl;
	bool is_bare; /* The machine helps with nothing. */
} variants[] = { { 0, false }, { 3, false }, { 0, true }, { 3, true } };

static unsigned rounds = 100000; /* Exits of vCPU 0, over all variants. */
static uint64_t first_seed = 1;

struct rewrite {
	struct rig r;
	struct svm_vcpu *writer;
	struct svm_system_regs system;
	uint8_t *aside; /* Guard, ROM, guard. */
	uint8_t cpl;
	bool stop, is_bare;
	uint64_t seed, device_accesses, lost; /* Of vCPU 0's thread alone. */
	uint64_t bytes_seed;
};

/* --- the two that rewrite -------------------------------------------------------------------- */

/* True: an entry too. */
static bool rewrite(struct rewrite *t, uint64_t *seed)
{
	const uint64_t page = random_below(seed, 2) ? GUEST_CODE : CODE_2;
	uint8_t *slot = t->r.memory + page + SLOT - GUEST_CODE;
	const bool from_end = random_below(seed, 2);
	uint8_t bytes[SLOT_SIZE];
	uint64_t gva, leaf;

	random_instruction(seed, bytes);
	for (unsigned i = 0; i < SLOT_SIZE; i++) {
		const unsigned n = from_end ? SLOT_SIZE - 1 - i : i;

		put(&slot[n], bytes[n]);
	}
	if (random_below(seed, 4))
		return false;
	leaf = random_leaf(seed, t->cpl, &gva);
	put((uint64_t *)(void *)(t->r.memory + LEAF(GUEST_PT, gva)), leaf);
	return true;
}

static void write_behind_exit(void *arg)
{
	struct rewrite *t = arg;

	if (random_below(&t->seed, 2))
		rewrite(t, &t->seed);
}

static void *write_bytes(void *arg)
{
	struct rewrite *t = arg;
	uint64_t seed = t->bytes_seed;

	while (!get(&t->stop))
		if (rewrite(t, &seed))
			sched_yield();
	return NULL;
}

static void *run_writer(void *arg)
{
	struct rewrite *t = arg;
	struct svm_exit exit;

	hosted_become(t->r.m, 1);
	ck_assert_int_eq(svm_cpu_online(t->r.host), 0);
	while (!get(&t->stop)) {
		ck_assert_int_eq(svm_vcpu_run(t->writer, &exit), 0);
		if (exit.kind == SVM_EXIT_KIND_NEED_MEMORY)
			ck_assert_int_eq(svm_vm_reserve(t->r.vm, 0), 0);
		else
			ck_assert(exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT ||
			          exit.kind == SVM_EXIT_KIND_REQUEST);
	}
	ck_assert_int_eq(svm_cpu_offline(t->r.host), 0);
	hosted_leave();
	return NULL;
}

/* --- the guest ------------------------------------------------------------------------------- */

static void set_registers(struct rewrite *t)
{
	const bool down = random_below(&t->seed, 4) == 0;
	const struct svm_regs regs = {
		.rax = 0x1122334455667788,
		.rbx = WINDOW + 16 * random_below(&t->seed, 8),
		.rcx = 1 + random_below(&t->seed, 5),
		.rdx = PORT,
		.rsp = GUEST_STACK - 64,
		.rbp = WINDOW + PAGE - 12, /* Its operands are over two pages. */
		.rsi = WINDOW + PAGE - 6,
		.rdi = random_below(&t->seed, 2) ? WINDOW + 0x100 : WINDOW + PAGE - 6,
		.r8 = WINDOW + PAGE - 3,
		.rip = SLOT,
		.rflags = 2 | (t->cpl ? 0x3000 : 0) | (down ? 0x400 : 0),
	};

	ck_assert_int_eq(svm_vcpu_set_regs(t->r.vcpu, &regs), 0);
}

/* From the slot again; CPL and the segments too, if the handler has run. */
static void restart(struct rewrite *t)
{
	if (svm_vcpu_state(t->r.vcpu) == SVM_VCPU_HALTED)
		ck_assert_int_eq(svm_vcpu_reset(t->r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_set_events(t->r.vcpu, &(struct svm_events){ 0 }), 0);
	ck_assert_int_eq(svm_vcpu_set_system(t->r.vcpu, &t->system), 0);
	set_registers(t);
}

static void make_system(struct rewrite *t, bool has_xsave)
{
	struct svm_system_regs *s = &t->system;

	svm_vcpu_get_system(t->r.vcpu, s);
	s->cr0 |= 0x10000;          /* WP */
	s->cr4 |= 0x200 | 3u << 20; /* OSFXSR, SMEP, SMAP */
	s->cr4 |= has_xsave ? 0x40000 : 0;
	s->cpl = t->cpl;
	if (!t->cpl)
		return;
	s->cs.selector |= 3;
	s->cs.attributes |= 0x60;
	s->ss.selector |= 3;
	s->ss.attributes |= 0x60;
}

/* --- devices --------------------------------------------------------------------------------- */

static enum svm_device_result random_result(struct rewrite *t)
{
	const uint64_t n = random_below(&t->seed, 8);

	return n == 0 ? SVM_DEVICE_RETURN : n < 3 ? SVM_DEVICE_EXIT : SVM_DEVICE_DONE;
}

static enum svm_device_result device(void *arg, struct svm_vcpu *vcpu,
                                     struct svm_mmio_access *access)
{
	struct rewrite *t = arg;

	ck_assert_ptr_eq(vcpu, t->r.vcpu);
	ck_assert_uint_ge(access->size, 1);
	ck_assert_uint_le(access->size, SVM_MMIO_DATA_MAX);
	ck_assert_uint_ge(access->gpa, DEVICE);
	ck_assert_uint_le(access->gpa + access->size, DEVICE + PAGE);
	t->device_accesses++;
	if (!access->is_write)
		memset(access->data, (int)random_below(&t->seed, 256), access->size);
	return random_result(t);
}

static enum svm_device_result port(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *access)
{
	struct rewrite *t = arg;

	ck_assert_ptr_eq(vcpu, t->r.vcpu);
	ck_assert_uint_eq(access->port, PORT);
	ck_assert(access->size == 1 || access->size == 2 || access->size == 4);
	t->device_accesses++;
	return random_result(t);
}

/* --- exits ----------------------------------------------------------------------------------- */

static void answer_mmio(struct rewrite *t)
{
	const struct svm_exit *exit = &t->r.exit;
	const uint64_t page = exit->mmio.gpa & ~(uint64_t)(PAGE - 1);
	uint8_t data[SVM_MMIO_DATA_MAX] = { 0 };

	ck_assert(page == DEVICE || page == HOLE || (page == ROM && exit->mmio.is_write));
	ck_assert_uint_ge(exit->mmio.size, 1);
	ck_assert_uint_le(exit->mmio.size, SVM_MMIO_DATA_MAX);
	ck_assert_uint_le(exit->mmio.gpa % PAGE + exit->mmio.size, PAGE);
	t->lost += is_for_emulator_only(exit->insn);
	if (random_below(&t->seed, 16) == 0)
		ck_assert_int_eq(svm_vcpu_complete_fault(t->r.vcpu, 13, 0), 0);
	else if (exit->mmio.is_write)
		ck_assert_int_eq(svm_vcpu_complete_skip(t->r.vcpu), 0);
	else
		ck_assert_int_eq(svm_vcpu_complete_data(t->r.vcpu, data, exit->mmio.size), 0);
}

static void answer_io(struct rewrite *t)
{
	const struct svm_exit *exit = &t->r.exit;

	ck_assert_uint_eq(exit->io.port, PORT);
	ck_assert(exit->io.size == 1 || exit->io.size == 2 || exit->io.size == 4);
	if (exit->io.is_in)
		ck_assert_int_eq(svm_vcpu_complete_value(t->r.vcpu, t->seed), 0);
	else
		ck_assert_int_eq(svm_vcpu_complete_skip(t->r.vcpu), 0);
}

static void check_place(struct rewrite *t)
{
	const uint64_t rip = rig_regs(&t->r).rip;
	struct svm_system_regs s;

	svm_vcpu_get_system(t->r.vcpu, &s);
	ck_assert_msg((rip >= SLOT && rip <= SLOT + SLOT_SIZE && s.cpl == t->cpl) ||
	                      (rip == HANDLER && s.cpl == 0),
	              "%s at rip 0x%llx, CPL %u", svm_exit_kind_name(t->r.exit.kind),
	              (unsigned long long)rip, s.cpl);
}

static void answer(struct rewrite *t)
{
	const struct svm_exit *exit = &t->r.exit;

	check_place(t);
	switch (exit->kind) {
	case SVM_EXIT_KIND_MMIO:
		answer_mmio(t);
		return;
	case SVM_EXIT_KIND_IO:
		answer_io(t);
		return;
	case SVM_EXIT_KIND_HOST_INTERRUPT:
	case SVM_EXIT_KIND_REQUEST:
		return;
	case SVM_EXIT_KIND_NEED_MEMORY:
		ck_assert_int_eq(svm_vm_reserve(t->r.vm, 0), 0);
		return;
	case SVM_EXIT_KIND_HYPERCALL:
	case SVM_EXIT_KIND_EMULATION:
		ck_assert_int_eq(svm_vcpu_complete_retry(t->r.vcpu), 0);
		break;
	case SVM_EXIT_KIND_HLT:
		ck_assert_uint_eq(t->cpl, 0);
		break;
	default:
		ck_assert_int_eq(exit->kind, SVM_EXIT_KIND_NPT_FAULT);
		break;
	}
	restart(t);
}

/* --- a test ---------------------------------------------------------------------------------- */

static void start(struct rewrite *t, int row)
{
	struct hosted_config config = rig_lacking(variants[row].is_bare ? rig_lack_count - 1 : 0);
	struct svm_slot rom = { .gpa = ROM, .size = PAGE, .prot = SVM_PROT_READ };
	struct svm_system_regs s;
	struct rig *r = &t->r;

	*t = (struct rewrite){ .cpl = variants[row].cpl, .is_bare = variants[row].is_bare };
	t->seed = first_seed << 8 | (unsigned)row;
	config.cpus = 2;
	config.stale_mode = HOSTED_STALE_REVOKED;
	rig_init(r, &config, GUEST_64);
	t->aside = hosted_guest_alloc(r->m, 3, PAGE, &rom.hpa);
	memset(t->aside, GUARD, 3 * PAGE);
	rom.hpa += PAGE;
	ck_assert_int_eq(svm_vm_slot_add(r->vm, &rom), 0);
	ck_assert_int_eq(svm_vm_mmio_handler(r->vm, DEVICE, PAGE, device, t), 0);
	ck_assert_int_eq(svm_vm_io_handler(r->vm, PORT, 4, port, t), 0);
	ck_assert_int_eq(svm_vm_set_exits(r->vm, SVM_WANT_MMIO), 0);
	write_guest(r->memory, t->cpl, t->seed);
	t->bytes_seed = t->seed + 1;
	make_system(t, config.features.xsave);
	restart(t);
	if (config.features.xsave)
		ck_assert_int_eq(svm_vcpu_set_xcr0(r->vcpu, 7), 0);
	ck_assert_int_eq(rig_vcpu(r, r->vm, 1, &t->writer), 0);
	rig_start(r, t->writer, WRITER);
	svm_vcpu_get_system(t->writer, &s);
	s.cr3 = WRITER_PT;
	ck_assert_int_eq(svm_vcpu_set_system(t->writer, &s), 0);
}

static void check_end(struct rewrite *t)
{
	for (unsigned i = 0; i < 3 * PAGE; i++)
		ck_assert_uint_eq(t->aside[i], GUARD);
	ck_assert_uint_gt(t->device_accesses, 0);
	/* A processor that saves the bytes that it executed leaves nothing to meet. */
	if (t->is_bare)
		ck_assert_uint_gt(t->lost, 0);
	ck_assert_int_eq(svm_vcpu_destroy(t->writer), 0);
	ck_assert_uint_eq(hosted_breaches_all(t->r.m), 0);
}

static void run(struct rewrite *t, unsigned count)
{
	watch_hook = (struct watch_hook){ write_behind_exit, t };
	for (unsigned i = 0; i < count; i++) {
		ck_assert_int_eq(svm_vcpu_run(t->r.vcpu, &t->r.exit), 0);
		answer(t);
	}
	watch_hook = (struct watch_hook){ 0 };
}

START_TEST(code_and_tables_change_under_the_emulator)
{
	static struct rewrite t;
	pthread_t threads[2];

	start(&t, _i);
	ck_assert_int_eq(pthread_create(&threads[0], NULL, run_writer, &t), 0);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, write_bytes, &t), 0);
	run(&t, rounds / ROWS(variants));
	put(&t.stop, true);
	svm_vcpu_kick(t.writer);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	check_end(&t);
	rig_fini(&t.r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, code_and_tables_change_under_the_emulator, 0, ROWS(variants));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = (unsigned)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 0);
	return suite_run("library rewrite", add);
}
