/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The explanation of a vCPU's exit: what the VMCB tells, and what only the vCPU and its memory do.
 * In a file of its own, so that a tool that explains dumps links no vCPU.
 */
#include "core/diagnose/explain_vcpu.h"

#include <libsvm/exit_codes.h>

#include "core/features.h"
#include "core/memory/npt.h"
#include "core/vcpu/exits.h"
#include "hal/ring0.h"

/* More than the code of the world switch has. */
#define WORLD_SWITCH_SIZE 1024u

/* Findings that are printed; the others are counted. */
#define FINDINGS_MAX 8
#define FINDING_SIZE 320u

/* The next of several; `before` is what stands before it, and then `between`. */
static void add_next(struct svm_text *text, const char **before, const char *between,
                     const char *what)
{
	svm_text_add(text, *before);
	svm_text_add(text, what);
	*before = between;
}

/* --- what only the vCPU knows ----------------------------------------------------------------- */

/* Of the save area as it was set from outside the last time. */
#define SET_LAST(vcpu, field, value)                                                               \
	memcpy((value), (const uint8_t *)(vcpu)->copy + offsetof(struct svm_vmcb_save, field),     \
	       sizeof(*(value)))

/* Bytes of an IDT that has a gate for #DF.  APM vol. 2, 8.2, 8.9. */
static unsigned idt_for_df(uint64_t cr0, uint64_t efer)
{
	const unsigned gate = !(cr0 & CR0_PE) ? 4 : efer & EFER_LMA ? 16 : 8;

	return (SVM_VECTOR_DF + 1) * gate;
}

/*
 * After SHUTDOWN the save area means nothing (APM vol. 2, 15.14.3).  What the guest began with
 * does, if that was what ended it.
 */
static void add_set_state(struct svm_text *text, const struct svm_vcpu *vcpu, const char **before)
{
	struct svm_vmcb_segment cs, idtr;
	uint64_t rip, cr0, efer;

	SET_LAST(vcpu, _cs, &cs);
	SET_LAST(vcpu, _idtr, &idtr);
	SET_LAST(vcpu, rip, &rip);
	SET_LAST(vcpu, _cr0, &cr0);
	SET_LAST(vcpu, _efer, &efer);
	if (!((efer & EFER_LMA) && (cs.attributes & SVM_SEG_L)) && rip > cs.limit) {
		add_next(text, before, "; ", "it was started at RIP ");
		svm_text_add_hex(text, rip);
		svm_text_add(text, ", beyond the limit of CS, ");
		svm_text_add_hex(text, cs.limit);
	}
	if (idtr.limit + 1u < idt_for_df(cr0, efer)) {
		add_next(text, before, "; ", "it was started with an IDT of limit ");
		svm_text_add_hex(text, idtr.limit);
		svm_text_add(text, ": unless it has loaded another, its first exception ended it");
	}
}

/* The exit before, which often was answered with the first of the exceptions. */
static void add_way_there(struct svm_text *text, const struct svm_vcpu *vcpu, const char **before)
{
	const uint64_t count = svm_recorder_count(&vcpu->recorder);
	struct svm_record record;
	char buffer[24];
	const char *name;

	if (count < 2 || svm_recorder_read(vcpu, count - 2, &record, 1) == 0)
		return;
	name = svm_exit_name(record.exit_code, buffer);
	add_next(text, before, "; ", "the exit before was ");
	svm_text_add(text, name ? name : "of an unknown code");
	svm_text_add(text, " at ");
	svm_text_add_hex(text, record.rip);
	if (record.has_event) {
		svm_text_add(text, ", answered with ");
		svm_explain_event(text, record.event);
	}
}

/* How it came to a triple fault. */
static void add_way(struct svm_text *text, const struct svm_vcpu *vcpu, const char **before)
{
	if (vcpu->copy_valid)
		add_set_state(text, vcpu, before);
	add_way_there(text, vcpu, before);
}

static void add_waiting(struct svm_text *text, const struct svm_vcpu *vcpu)
{
	const int vector = svm_atomic_load(&vcpu->interrupt_vector);

	if (vector < 0)
		return;
	svm_text_add(text, "; interrupt ");
	svm_text_add_hex(text, (uint64_t)vector);
	svm_text_add(text, " waits until the guest can take it");
}

/*
 * An emulator with a fault may find an intercept of the guest's when #VMEXIT has loaded the host
 * already, and then saves the host as the guest.  Behind VMRUN RAX is the VMCB's address, which no
 * guest knows.
 */
static bool is_of_host(const struct svm_vcpu *vcpu)
{
	const struct svm_vmcb_save *const save = &vcpu->vmcb->save;

	return save->rax == vcpu->s.vmcb &&
	       save->rip - (uintptr_t)svm_world_switch < WORLD_SWITCH_SIZE;
}

static const char host_words[] =
	"RIP and RAX are the host's behind VMRUN: the processor took this exit when the guest had "
	"left already, as QEMU does at times with a thread for each processor (-accel "
	"tcg,thread=single has one)";

size_t svm_explain(const struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                   size_t size)
{
	const char *before = "; ";
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_explain_line(&text, vcpu->vmcb, exit);
	if (is_of_host(vcpu)) {
		svm_text_add(&text, "; ");
		svm_text_add(&text, host_words);
	}
	switch (exit->kind) {
	case SVM_EXIT_KIND_SHUTDOWN:
		add_way(&text, vcpu, &before);
		break;
	case SVM_EXIT_KIND_HLT:
	case SVM_EXIT_KIND_SILENT:
	case SVM_EXIT_KIND_REQUEST:
	case SVM_EXIT_KIND_HOST_INTERRUPT:
		add_waiting(&text, vcpu);
		break;
	default:
		break;
	}
	return text.length;
}

/* --- what waits ------------------------------------------------------------------------------ */

static void add_pending(struct svm_text *text, const struct svm_vcpu *vcpu)
{
	const char *before = "";
	struct svm_events events;

	svm_vcpu_get_events(vcpu, &events);
	svm_explain_label(text, "waits");
	if (events.reinject) {
		add_next(text, &before, ", ", "to be delivered again: ");
		svm_explain_event(text, events.reinject);
	}
	if (events.exception_pending) {
		add_next(text, &before, ", ", "");
		svm_explain_exception(text, events.exception_vector);
		if (events.exception_has_error) {
			svm_text_add(text, " with error code ");
			svm_text_add_hex(text, events.exception_error);
		}
	}
	if (events.nmi_pending)
		add_next(text, &before, ", ",
		         events.nmi_masked ? "an NMI behind another" : "an NMI");
	else if (events.nmi_masked)
		add_next(text, &before, ", ", "nothing, in an NMI's handler");
	if (svm_atomic_load(&vcpu->interrupt_vector) >= 0) {
		add_next(text, &before, ", ", "interrupt ");
		svm_text_add_hex(text, (uint64_t)svm_atomic_load(&vcpu->interrupt_vector));
	}
	svm_text_add(text, *before ? "\n" : "nothing\n");
}

static void add_way_line(struct svm_text *text, const struct svm_vcpu *vcpu)
{
	const char *before = "";

	svm_explain_label(text, "way there");
	add_way(text, vcpu, &before);
	svm_text_add(text, *before ? "\n" : "not known\n");
}

static void add_state(struct svm_text *text, const struct svm_vcpu *vcpu,
                      const struct svm_exit *exit)
{
	svm_explain_label(text, "vcpu");
	svm_text_add_decimal(text, vcpu->id);
	svm_text_add(text, ", ");
	svm_text_add(text, svm_vcpu_state_name(svm_vcpu_state(vcpu)));
	if (exit->flags & SVM_EXIT_COMPLETE)
		svm_text_add(text, vcpu->owed ? ", owed a completion" : ", completed");
	svm_text_add_char(text, '\n');
}

/* Those that a VMCB does not hold, by the processor's numbers. */
static void add_general(struct svm_text *text, const struct svm_vcpu *vcpu)
{
	static const struct {
		const char *name;
		unsigned number;
	} rows[] = {
		{ "rbx", 3 },  { "rcx", 1 },  { "rdx", 2 },  { "rsi", 6 },  { "rdi", 7 },
		{ "rbp", 5 },  { "r8", 8 },   { "r9", 9 },   { "r10", 10 }, { "r11", 11 },
		{ "r12", 12 }, { "r13", 13 }, { "r14", 14 }, { "r15", 15 },
	};

	for (size_t i = 0; i < SVM_ARRAY_SIZE(rows); i++) {
		svm_explain_label(text, rows[i].name);
		svm_text_add_hex(text, svm_vcpu_read_gpr(vcpu, rows[i].number));
		svm_text_add_char(text, '\n');
	}
}

/* --- instruction ------------------------------------------------------------------------------ */

static uint64_t linear_rip(const struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	if (svm_vcpu_code_bits(vcpu) == 64)
		return exit->rip;
	return (uint32_t)(svm_vmcb_get_cs(vcpu->vmcb).base + exit->rip);
}

/* The bytes at RIP as they are now; those of the exit are in its line. */
static void add_bytes_at_rip(struct svm_text *text, struct svm_vcpu *vcpu, uint64_t linear)
{
	uint8_t bytes[15];
	size_t got = 0;
	const int error = svm_vcpu_read(vcpu, linear, bytes, sizeof(bytes), &got);

	svm_explain_label(text, "bytes");
	if (error && got == 0)
		svm_text_add(text, "cannot be read");
	for (size_t i = 0; i < got; i++) {
		svm_text_add(text, i == 0 ? "" : " ");
		svm_text_add_digits(text, bytes[i], 2);
	}
	svm_text_add_char(text, '\n');
}

/* --- the address that matters ----------------------------------------------------------------- */

static uint32_t access_of_fault(uint32_t error_code)
{
	const uint32_t who = (error_code & 4) ? SVM_ACCESS_USER : SVM_ACCESS_SYSTEM;

	if (error_code & 0x10)
		return SVM_PROT_EXECUTE | who;
	return ((error_code & 2) ? SVM_PROT_WRITE : SVM_PROT_READ) | who;
}

static void add_walks(struct svm_text *text, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	svm_gva_t gva = linear_rip(vcpu, exit);
	uint32_t access = SVM_PROT_EXECUTE;
	bool has_gpa;
	svm_gpa_t gpa;

	if (exit->kind == SVM_EXIT_KIND_EXCEPTION && exit->exception.vector == SVM_VECTOR_PF) {
		gva = exit->exception.address;
		access = access_of_fault(exit->exception.error);
	}
	has_gpa = svm_explain_guest_walk(text, vcpu, gva, access, &gpa);
	if (exit->kind == SVM_EXIT_KIND_NPT_FAULT)
		gpa = exit->npt.gpa;
	else if (exit->kind == SVM_EXIT_KIND_MMIO)
		gpa = exit->mmio.gpa;
	else if (exit->raw.exit_code == SVM_EXIT_NPF)
		gpa = exit->raw.exit_info_2;
	else if (!has_gpa)
		return;
	svm_explain_nested_walk(text, vcpu->vm, gpa);
}

/* --- the audit -------------------------------------------------------------------------------- */

static void look_up_nested(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping)
{
	uint64_t entries[SVM_NPT_LEVEL_MAX];
	const unsigned count = svm_npt_path(arg, gpa, entries);
	uint64_t rights = UINT64_MAX;

	*mapping = (struct svm_audit_mapping){ .memory = true };
	if (count == 0 || !(entries[count - 1] & SVM_NPT_PRESENT))
		return;
	for (unsigned i = 0; i < count; i++)
		rights &= entries[i];
	mapping->mapped = true;
	mapping->rights = rights;
	mapping->leaf = entries[count - 1];
}

/*
 * As it stands after the exit.  Whether there is memory where nothing is mapped yet is left open:
 * a resolve callback would have to be asked, which may have effects.
 */
static void add_audit(struct svm_text *text, const struct svm_vcpu *vcpu)
{
	const struct svm_audit_context context = {
		.features = &vcpu->vm->host->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.vmcb_hpa = vcpu->s.vmcb,
		.at_rest = true,
		.nested = look_up_nested,
		.nested_arg = vcpu->vm,
	};
	struct svm_finding findings[FINDINGS_MAX];
	const size_t count = svm_audit(vcpu->vmcb, &context, findings, FINDINGS_MAX);
	char line[FINDING_SIZE];

	svm_explain_label(text, "audit");
	svm_text_add_decimal(text, count);
	svm_text_add(text, count == 1 ? " finding\n" : " findings\n");
	for (size_t i = 0; i < count && i < FINDINGS_MAX; i++) {
		svm_finding_text(&findings[i], line, sizeof(line));
		svm_text_add(text, "  ");
		svm_text_add(text, line);
		svm_text_add_char(text, '\n');
	}
}

size_t svm_explain_full(struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                        size_t size)
{
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_explain_page(&text, vcpu->vmcb, exit);
	add_general(&text, vcpu);
	add_state(&text, vcpu, exit);
	add_pending(&text, vcpu);
	if (exit->kind == SVM_EXIT_KIND_SHUTDOWN)
		add_way_line(&text, vcpu);
	if (is_of_host(vcpu)) {
		svm_explain_label(&text, "not guest's");
		svm_text_add(&text, host_words);
		svm_text_add(&text, "\n");
	}
	add_bytes_at_rip(&text, vcpu, linear_rip(vcpu, exit));
	add_walks(&text, vcpu, exit);
	add_audit(&text, vcpu);
	return text.length;
}
