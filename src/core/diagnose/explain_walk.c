/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The two page walks behind an address, entry by entry: the guest's tables, then the nested ones.
 *
 * "Nested page not present" is true of a page that nobody gave the guest, of one that was not
 * touched yet, and of a page table of the guest that lies where no memory is.  The entries tell
 * them apart.
 */
#include "core/diagnose/explain_vcpu.h"

#include "core/features.h"
#include "core/memory/npt.h"
#include "core/memory/section.h"
#include "core/memory/slots.h"
#include "core/vcpu/guest_virtual.h"

static void add_level(struct svm_text *text, unsigned level)
{
	svm_text_add(text, "  level ");
	svm_text_add_decimal(text, level);
	svm_text_add(text, "   ");
}

/* --- nested ---------------------------------------------------------------------------------- */

static bool add_slot(struct svm_text *text, struct svm_vm *vm, svm_gpa_t gpa)
{
	static const char *const kinds[] = { "a range", "frames", "resolved pages" };
	const unsigned section = svm_section_enter(&vm->memory);
	const struct svm_slot_piece *const piece =
		svm_slots_find(svm_atomic_load(&vm->memory.slots), gpa);

	svm_text_add(text, "  slot      ");
	if (!piece) {
		svm_text_add(text, "none: no memory is there\n");
	} else {
		svm_text_add(text, piece->kind < SVM_ARRAY_SIZE(kinds) ? kinds[piece->kind] : "?");
		svm_text_add(text, ", ");
		svm_text_add_hex(text, piece->first);
		svm_text_add(text, " to ");
		svm_text_add_hex(text, piece->last);
		svm_text_add(text, piece->prot & SVM_PROT_READ ? ", r" : ", -");
		svm_text_add(text, piece->prot & SVM_PROT_WRITE ? "w" : "-");
		svm_text_add(text, piece->prot & SVM_PROT_EXECUTE ? "x\n" : "-\n");
	}
	svm_section_leave(&vm->memory, section);
	return piece != NULL;
}

void svm_explain_nested_walk(struct svm_text *text, struct svm_vm *vm, svm_gpa_t gpa)
{
	uint64_t entries[SVM_NPT_LEVEL_MAX];
	const unsigned count = svm_npt_path(vm, gpa, entries);
	const unsigned last = vm->memory.levels + 1 - count; /* Level of the last entry. */
	bool has_slot;

	svm_text_add(text, "nested walk of guest-physical ");
	svm_text_add_hex(text, gpa);
	svm_text_add_char(text, '\n');
	has_slot = add_slot(text, vm, gpa);
	for (unsigned i = 0; i < count; i++) {
		add_level(text, vm->memory.levels - i);
		svm_explain_page_entry(text, entries[i]);
		svm_text_add_char(text, '\n');
	}
	if (count == 0) {
		svm_text_add(text, "  beyond what the tables can hold\n");
	} else if (!(entries[count - 1] & SVM_NPT_PRESENT)) {
		svm_text_add(text, "  ends at level ");
		svm_text_add_decimal(text, last);
		svm_text_add(text, has_slot ? ": not present yet, a touch fills it\n"
		                            : ": not present\n");
	} else {
		const uint64_t offset = svm_npt_span(last) - 1;

		svm_text_add(text, "  gives     host-physical ");
		svm_text_add_hex(text, (entries[count - 1] & SVM_NPT_ADDRESS & ~offset) |
		                               (gpa & offset));
		svm_text_add_char(text, '\n');
	}
}

/* --- the guest's ----------------------------------------------------------------------------- */

static const char *reason_text(uint8_t reason)
{
	switch (reason) {
#define REASON(name, text)                                                                         \
	case SVM_WALK_REASON_##name:                                                               \
		return text;
		SVM_WALK_REASONS(REASON)
#undef REASON
	default:
		return "?";
	}
}

static void add_steps(struct svm_text *text, const struct svm_walk_path *path, unsigned last)
{
	for (unsigned i = 0; i < path->count; i++) {
		add_level(text, last + path->count - 1 - i);
		svm_text_add_hex(text, path->step[i].gpa);
		svm_text_add(text, " holds ");
		svm_explain_page_entry(text, path->step[i].entry);
		svm_text_add_char(text, '\n');
	}
}

static void add_end(struct svm_text *text, enum svm_walk_status status,
                    const struct svm_walk_result *walk)
{
	switch (status) {
	case SVM_WALK_OK:
		svm_text_add(text, "  gives     guest-physical ");
		svm_text_add_hex(text, walk->gpa);
		break;
	case SVM_WALK_PAGE_FAULT:
		svm_text_add(text, "  fails at level ");
		svm_text_add_decimal(text, walk->level);
		svm_text_add(text, ": ");
		svm_text_add(text, reason_text(walk->reason));
		svm_text_add(text, "; #PF error code ");
		svm_text_add_hex(text, walk->error_code);
		break;
	case SVM_WALK_NON_CANONICAL:
		svm_text_add(text, "  fails: the address is not canonical");
		break;
	case SVM_WALK_MEMORY:
		svm_text_add(text, "  fails at level ");
		svm_text_add_decimal(text, walk->level);
		svm_text_add(text, ": no memory where the table should be, ");
		svm_text_add_hex(text, walk->entry_gpa);
		break;
	case SVM_WALK_RETRY:
		svm_text_add(text, "  the tables are being changed");
		break;
	}
	svm_text_add_char(text, '\n');
}

/* Where a walk stopped before it read the entry, the last that it read is a level higher. */
static unsigned last_level(enum svm_walk_status status, const struct svm_walk_result *walk)
{
	return walk->level + (status == SVM_WALK_MEMORY ? 1u : 0u);
}

bool svm_explain_guest_walk(struct svm_text *text, struct svm_vcpu *vcpu, svm_gva_t gva,
                            uint32_t access, svm_gpa_t *gpa)
{
	struct svm_walk_result walk = { .level = 0 };
	struct svm_walk_path path = { .count = 0 };
	enum svm_walk_status status;

	*gpa = (uint32_t)gva;
	if (!(svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG))
		return true; /* Nothing is walked. */
	status = svm_guest_walk_path(vcpu, gva, access, &path, &walk);
	svm_text_add(text, "walk of linear ");
	svm_text_add_hex(text, gva);
	svm_text_add_char(text, '\n');
	add_steps(text, &path, last_level(status, &walk));
	add_end(text, status, &walk);
	*gpa = status == SVM_WALK_MEMORY ? walk.entry_gpa : walk.gpa;
	return status == SVM_WALK_OK || status == SVM_WALK_MEMORY;
}
