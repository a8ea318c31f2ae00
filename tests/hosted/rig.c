/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rig.h"

static void no_1g(struct hosted_features *f)
{
	f->page_1g = false;
}

static void no_nx(struct hosted_features *f)
{
	f->nx = false;
}

static void no_xsave(struct hosted_features *f)
{
	f->xsave = f->xsaves = false;
}

static void no_xsaves(struct hosted_features *f)
{
	f->xsaves = false;
}

static void no_rdtscp(struct hosted_features *f)
{
	f->rdtscp = false;
}

static void no_spec_ctrl(struct hosted_features *f)
{
	f->spec_ctrl = false;
}

static void two_asids(struct hosted_features *f)
{
	f->asid_count = 2;
}

static void small_memory(struct hosted_features *f)
{
	f->physical_bits = 36;
}

static void barest(struct hosted_features *f)
{
	f->svm_edx = SVM_FEATURE_NPT;
	f->family = 0x10;
	no_1g(f);
	no_xsave(f);
	no_rdtscp(f);
	no_spec_ctrl(f);
	two_asids(f);
}

const struct rig_lack rig_lacks[] = {
	{ "nothing", 0, NULL },
	{ "NRIP save", SVM_FEATURE_NRIPS, NULL },
	{ "clean bits", SVM_FEATURE_CLEAN, NULL },
	{ "flush by ASID", SVM_FEATURE_FLUSH_BY_ASID, NULL },
	{ "decode assists", SVM_FEATURE_DECODE_ASSISTS, NULL },
	{ "PAUSE filter", SVM_FEATURE_PAUSE_FILTER | SVM_FEATURE_PAUSE_THRESHOLD, NULL },
	{ "PAUSE threshold", SVM_FEATURE_PAUSE_THRESHOLD, NULL },
	{ "TSC ratio", SVM_FEATURE_TSC_RATE, NULL },
	{ "virtual NMI", SVM_FEATURE_V_NMI, NULL },
	{ "SVM lock", SVM_FEATURE_LOCK, NULL },
	{ "1 GiB pages", 0, no_1g },
	{ "no-execute", 0, no_nx },
	{ "XSAVE", 0, no_xsave },
	{ "XSAVES", 0, no_xsaves },
	{ "RDTSCP", 0, no_rdtscp },
	{ "SPEC_CTRL", 0, no_spec_ctrl },
	{ "all ASIDs but one", 0, two_asids },
	{ "address bits", 0, small_memory },
	{ "everything but nested paging", 0, barest },
};
const int rig_lack_count = (int)(sizeof(rig_lacks) / sizeof(rig_lacks[0]));

struct hosted_config rig_lacking(int row)
{
	struct hosted_config config;

	hosted_config_init(&config);
	config.features.svm_edx &= ~rig_lacks[row].svm_edx;
	if (rig_lacks[row].more)
		rig_lacks[row].more(&config.features);
	return config;
}

int rig_vm(struct rig *r, struct svm_vm **vm, const struct svm_vm_config *config)
{
	const int error = svm_vm_create(r->host, config, vm);

	if (error)
		return error;
	const struct svm_slot slot = {
		.size = GUEST_PAGES * 4096,
		.prot = SVM_PROT_ALL,
		.kind = SVM_SLOT_RANGE,
		.hpa = r->memory_hpa,
	};
	const int slot_error = svm_vm_slot_add(*vm, &slot);

	if (slot_error) {
		ck_assert_int_eq(svm_vm_destroy(*vm), 0);
		*vm = NULL;
	}
	return slot_error;
}

int rig_vcpu(struct rig *r, struct svm_vm *vm, uint32_t id, struct svm_vcpu **vcpu)
{
	const int error = svm_vcpu_create(vm, id, vcpu);

	if (!error)
		rig_start(r, *vcpu, GUEST_CODE);
	return error;
}

static void set_mode(struct svm_system_regs *s, enum guest_mode mode, bool nx)
{
	s->efer = 0;
	s->cr0 = mode == GUEST_REAL ? 0x10 : 0x11;
	s->cr4 = 0;
	if (mode != GUEST_64)
		return;
	s->efer = nx ? 0xd00 : 0x500;
	s->cr0 = 0x80010011;
	s->cr4 = 0x20;
	s->cr3 = GUEST_PT;
}

void rig_start(struct rig *r, struct svm_vcpu *vcpu, uint64_t rip)
{
	const struct svm_regs regs = { .rip = rip, .rsp = GUEST_STACK, .rflags = 2 };
	struct svm_system_regs s;

	svm_vcpu_get_system(vcpu, &s);
	s.cs = guest_code(r->mode);
	s.ss = s.ds = s.es = s.fs = s.gs = guest_data(r->mode);
	s.tr = (struct svm_vmcb_segment){ 24, 0x8b, 0x67, GUEST_TSS };
	s.idtr = (struct svm_vmcb_segment){ 0, 0, 0xfff, GUEST_IDT };
	s.gdtr = (struct svm_vmcb_segment){ 0, 0, 0x1f, GUEST_GDT };
	set_mode(&s, r->mode, svm_host_features(r->host)->nx);
	ck_assert_int_eq(svm_vcpu_set_system(vcpu, &s), 0);
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
}

void rig_init(struct rig *r, const struct hosted_config *config, enum guest_mode mode)
{
	memset(r, 0, sizeof(*r));
	r->mode = mode;
	hosted_script_init(&r->code, guest_bits(mode));
	r->m = hosted_create(config);
	hosted_become(r->m, 0);
	r->memory = hosted_guest_alloc(r->m, GUEST_PAGES, 4096, &r->memory_hpa);
	guest_tables(r->memory, guest_bits(mode));
	ck_assert_int_eq(svm_host_create(hosted_hal(r->m), &r->host), 0);
	ck_assert_int_eq(svm_cpu_online(r->host), 0);
	ck_assert_int_eq(rig_vm(r, &r->vm, &(struct svm_vm_config){ .vcpu_max = 4 }), 0);
	ck_assert_int_eq(rig_vcpu(r, r->vm, 0, &r->vcpu), 0);
}

void rig_fini(struct rig *r)
{
	if (r->vcpu)
		ck_assert_int_eq(svm_vcpu_destroy(r->vcpu), 0);
	if (r->vm)
		ck_assert_int_eq(svm_vm_destroy(r->vm), 0);
	ck_assert_int_eq(svm_cpu_offline(r->host), 0);
	ck_assert_int_eq(svm_host_destroy(r->host), 0);
	hosted_guest_free(r->m, r->memory_hpa, GUEST_PAGES);
	hosted_destroy(r->m);
}

void rig_load(struct rig *r)
{
	memcpy(r->memory + GUEST_CODE, r->code.bytes, r->code.size);
}

enum svm_exit_kind rig_run(struct rig *r)
{
	do {
		const int error = svm_vcpu_run(r->vcpu, &r->exit);

		ck_assert_msg(error == 0, "run: %s", svm_error_name(error));
	} while (r->exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	return r->exit.kind;
}

struct svm_regs rig_regs(struct rig *r)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(r->vcpu, &regs);
	return regs;
}
