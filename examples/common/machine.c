/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The life of a small VM on the hosted port, as calls.
 *
 * A call that fails ends the program: an example has nobody to pass an error to.  In a kernel you
 * would undo what was done and return the error.
 */
#include "machine.h"

void must(int error, const char *call)
{
	if (!error)
		return;
	printf("%s: %s\n", call, svm_strerror(error));
	exit(EXIT_FAILURE);
}

void machine_create_vm(struct machine *m, const struct hosted_config *hosted,
                       const struct svm_vm_config *config)
{
	m->hosted = hosted_create(hosted);
	hosted_become(m->hosted, 0);
	MUST(svm_host_create(hosted_hal(m->hosted), &m->host));
	MUST(svm_cpu_online(m->host));
	MUST(svm_vm_create(m->host, config, &m->vm));
	m->memory = hosted_guest_alloc(m->hosted, MACHINE_MEMORY / SVM_PAGE_SIZE, SVM_PAGE_SIZE,
	                               &m->memory_hpa);
	MUST(svm_vm_map(m->vm, 0, m->memory_hpa, MACHINE_MEMORY, SVM_PROT_ALL));
	MUST(svm_vcpu_create(m->vm, 0, &m->vcpu));
}

void machine_create_on(struct machine *m, const struct hosted_config *hosted, uint32_t vcpus)
{
	const struct svm_vm_config config = { .vcpu_max = vcpus };

	machine_create_vm(m, hosted, &config);
}

void machine_create(struct machine *m, uint32_t cpus)
{
	struct hosted_config hosted;

	hosted_config_init(&hosted);
	hosted.cpus = cpus;
	machine_create_on(m, &hosted, cpus);
}

void machine_destroy(struct machine *m)
{
	MUST(svm_vcpu_destroy(m->vcpu));
	MUST(svm_vm_destroy(m->vm));
	MUST(svm_cpu_offline(m->host));
	MUST(svm_host_destroy(m->host));
	hosted_guest_free(m->hosted, m->memory_hpa, MACHINE_MEMORY / SVM_PAGE_SIZE);
	hosted_leave();
	hosted_destroy(m->hosted); /* Aborts if the library kept a frame. */
}

void machine_load(struct machine *m, const uint8_t *code, const uint8_t *end)
{
	memcpy(m->memory + MACHINE_START, code, (size_t)(end - code));
}

/* Segments and control registers first, then the place to begin at. */
static void start(struct svm_vcpu *vcpu, struct svm_vmcb_segment code, struct svm_vmcb_segment data,
                  uint64_t cr0)
{
	const struct svm_regs regs = { .rip = MACHINE_START, .rsp = MACHINE_START, .rflags = 2 };
	struct svm_system_regs system;

	svm_vcpu_get_system(vcpu, &system);
	system.cs = code;
	system.ss = system.ds = system.es = data;
	system.cr0 = cr0;
	MUST(svm_vcpu_set_system(vcpu, &system));
	MUST(svm_vcpu_set_regs(vcpu, &regs));
}

void machine_start_16(struct svm_vcpu *vcpu)
{
	/* Selector, attributes, limit, base: what a processor has after a far jump to 0:x. */
	const struct svm_vmcb_segment code = { 0, SVM_SEG_P | SVM_SEG_S | 0xb, 0xffff, 0 };
	const struct svm_vmcb_segment data = { 0, SVM_SEG_P | SVM_SEG_S | 0x3, 0xffff, 0 };

	start(vcpu, code, data, 0x10); /* ET, which is always 1. */
}

void machine_start_32(struct svm_vcpu *vcpu)
{
	/* Flat: base 0, limit 4 GiB.  No GDT is needed as long as no segment register is loaded. */
	const uint16_t flat = SVM_SEG_G | SVM_SEG_DB | SVM_SEG_P | SVM_SEG_S;
	const struct svm_vmcb_segment code = { 8, flat | 0xb, 0xffffffff, 0 };
	const struct svm_vmcb_segment data = { 16, flat | 0x3, 0xffffffff, 0 };

	start(vcpu, code, data, 0x11); /* ET and PE. */
}

enum svm_exit_kind machine_run(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	do
		MUST(svm_vcpu_run(vcpu, exit));
	while (exit->kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	return exit->kind;
}
