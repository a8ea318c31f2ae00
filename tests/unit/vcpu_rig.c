/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "vcpu_rig.h"

#define PTE_TABLE UINT64_C(0x7) /* Present, writable, user. */

void rig_machine(struct rig *r, const struct hosted_config *config)
{
	memset(r, 0, sizeof(*r));
	r->m = hosted_create(config);
	r->hal = *hosted_hal(r->m);
	hosted_become(r->m, 0);
}

static void put64(struct rig *r, svm_gpa_t gpa, uint64_t value)
{
	memcpy(r->memory + gpa, &value, sizeof(value));
}

uint64_t rig_read64(struct rig *r, svm_gpa_t gpa)
{
	uint64_t value;

	memcpy(&value, r->memory + gpa, sizeof(value));
	return value;
}

static void fill_tables(struct rig *r)
{
	put64(r, RIG_GDT + 8, r->mode == RIG_64 ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
	put64(r, RIG_GDT + 16, 0x00cf93000000ffff);
	put64(r, RIG_TSS + 4, RIG_STACK); /* RSP0 */
	for (unsigned i = 0; i < 3; i++)
		put64(r, RIG_PT + i * 4096u, (RIG_PT + (i + 1) * 4096u) | PTE_TABLE);
	for (unsigned i = 0; i < 512; i++)
		put64(r, RIG_PT + 3 * 4096u + i * 8u, i * 4096u | PTE_TABLE);
}

static struct svm_system_regs system_of(enum rig_mode mode)
{
	const bool is_real = mode == RIG_REAL, is_long = mode == RIG_64;
	const struct svm_vmcb_segment data =
		is_real ? (struct svm_vmcb_segment){ 0, 0x93, 0xffff, 0 }
			: (struct svm_vmcb_segment){ 16, 0xc93, 0xffffffff, 0 };
	struct svm_system_regs s = {
		.ss = data,
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.cs = { 8, 0xc9b, 0xffffffff, 0 },
		.tr = { 24, 0x8b, 0x67, RIG_TSS },
		.gdtr = { 0, 0, 0x1f, RIG_GDT },
		.idtr = { 0, 0, 0xfff, RIG_IDT },
		.cr0 = 0x11,
	};

	if (is_real) {
		s.cs = (struct svm_vmcb_segment){ 0, 0x9b, 0xffff, 0 };
		s.cr0 = 0x10;
	}
	if (is_long) {
		s.cs.attributes = 0xa9b;
		s.cr0 = 0x80010011;
		s.cr4 = 0x20;
		s.cr3 = RIG_PT;
		s.efer = 0xd00;
	}
	return s;
}

void rig_prepare(struct rig *r, struct svm_vcpu *vcpu)
{
	const struct svm_system_regs system = system_of(r->mode);
	const struct svm_regs regs = { .rip = RIG_CODE, .rsp = RIG_STACK, .rflags = 2 };

	ck_assert_int_eq(svm_vcpu_reset(vcpu), 0);
	ck_assert_int_eq(svm_vcpu_set_system(vcpu, &system), 0);
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
}

void rig_rewind(struct rig *r)
{
	rig_prepare(r, r->vcpu);
	hosted_script_init(&r->code, r->mode == RIG_REAL ? 16 : r->mode == RIG_32 ? 32 : 64);
}

void rig_start(struct rig *r, enum rig_mode mode)
{
	const struct svm_vm_config config = { .vcpu_max = 4, .table_reserve = 32 };

	r->mode = mode;
	ck_assert_int_eq(svm_host_create(&r->hal, &r->host), 0);
	ck_assert_int_eq(svm_cpu_online(r->host), 0);
	ck_assert_int_eq(svm_vm_create(r->host, &config, &r->vm), 0);
	r->memory = hosted_guest_alloc(r->m, RIG_PAGES, 4096, &r->memory_hpa);
	ck_assert_int_eq(svm_vm_map(r->vm, 0, r->memory_hpa, RIG_PAGES * 4096, SVM_PROT_ALL), 0);
	ck_assert_int_eq(svm_vcpu_create(r->vm, 0, &r->vcpu), 0);
	fill_tables(r);
	rig_rewind(r);
}

void rig_init(struct rig *r, const struct hosted_config *config, enum rig_mode mode)
{
	rig_machine(r, config);
	rig_start(r, mode);
}

void rig_fini(struct rig *r)
{
	if (r->vcpu)
		ck_assert_int_eq(svm_vcpu_destroy(r->vcpu), 0);
	if (r->vm)
		ck_assert_int_eq(svm_vm_destroy(r->vm), 0);
	if (r->host) {
		ck_assert_int_eq(svm_cpu_offline(r->host), 0);
		ck_assert_int_eq(svm_host_destroy(r->host), 0);
	}
	if (r->memory)
		hosted_guest_free(r->m, r->memory_hpa, RIG_PAGES);
	hosted_leave();
	ck_assert_uint_eq(hosted_frames_used(r->m), 0);
	hosted_destroy(r->m);
}

enum svm_exit_kind rig_run(struct rig *r)
{
	memcpy(r->memory + RIG_CODE, r->code.bytes, r->code.size);
	memset(&r->exit, 0xa5, sizeof(r->exit));
	ck_assert_int_eq(svm_vcpu_run(r->vcpu, &r->exit), 0);
	return r->exit.kind;
}

enum svm_exit_kind rig_run_on(struct rig *r)
{
	for (unsigned i = 0; i < 1000; i++)
		if (rig_run(r) != SVM_EXIT_KIND_HOST_INTERRUPT)
			return r->exit.kind;
	ck_abort_msg("the guest never ended");
	return SVM_EXIT_KIND_NONE;
}

void rig_handler(struct rig *r, unsigned vector, const struct hosted_script *script)
{
	const svm_gpa_t gpa = RIG_HANDLER + 64u * vector;

	ck_assert_uint_le(script->size, 64);
	memcpy(r->memory + gpa, script->bytes, script->size);
	if (r->mode == RIG_REAL) {
		const uint16_t entry[2] = { (uint16_t)(gpa & 15), (uint16_t)(gpa >> 4) };

		memcpy(r->memory + RIG_IDT + vector * 4, entry, 4);
	} else {
		const unsigned size = r->mode == RIG_64 ? 16 : 8;

		put64(r, RIG_IDT + vector * size,
		      (gpa & 0xffff) | UINT64_C(8) << 16 | UINT64_C(0x8e) << 40 |
		              (gpa >> 16) << 48);
	}
}

void rig_handlers(struct rig *r)
{
	for (unsigned vector = 0; vector < 64; vector++) {
		struct hosted_script s;

		hosted_script_init(&s, r->code.bits);
		hosted_script_mov(&s, HOSTED_RAX, vector);
		hosted_script_vmmcall(&s);
		rig_handler(r, vector, &s);
	}
}

void rig_init_help(struct rig *r, int help, enum rig_mode mode)
{
	static const uint32_t helps[RIG_HELPS] = { HOSTED_SVM_EDX, HOSTED_SVM_EDX & ~8u, 1u };
	struct hosted_config config;

	hosted_config_init(&config);
	config.features.svm_edx = helps[help];
	rig_init(r, &config, mode);
	rig_handlers(r);
}

int rig_outcome(struct rig *r)
{
	hosted_script_vmmcall(&r->code);
	ck_assert_int_eq(rig_run_on(r), SVM_EXIT_KIND_HYPERCALL);
	if (r->exit.rip == RIG_CODE + r->code.size - 3)
		return -1;
	return (int)((r->exit.rip - RIG_HANDLER) / 64);
}

struct svm_regs rig_regs(struct rig *r)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(r->vcpu, &regs);
	return regs;
}

int rig_main(const char *name, void (*add)(TCase *tc))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	add(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
