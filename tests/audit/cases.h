/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_AUDIT_CASES_H
#define TESTS_AUDIT_CASES_H
/*
 * Good VMCBs, one per mode of a guest, and ways to break them, one rule at a time.
 *
 * The table is used by three judges: the auditor (tests/unit/test_audit.c), the strict processor
 * in a process, and real VMRUNs of an emulator (the bare-metal port with run=audit-lab).  So it
 * needs no libc, and each case is safe to run: what is not refused ends at the guest's first
 * instruction, VMMCALL, or is stopped by an interrupt.
 */
#include <libsvm/exit_codes.h>
#include <libsvm/host.h>
#include <libsvm/vmcb.h>

/* Where things are. */
struct audit_place {
	svm_hpa_t iopm, msrpm; /* All ones; 12 KiB, 8 KiB. */
	svm_hpa_t ncr3;        /* Maps AUDIT_PAGES from code on, writable. */
	uint64_t code;         /* Guest-physical, 64 KiB aligned, below 1 MiB: serves every mode. */
	uint64_t cr3_long, cr3_pae, cr3_legacy;
};

/* Pages of a guest: code, stack, and tables that map it at its own address in every mode. */
enum audit_page {
	AUDIT_PAGE_CODE,
	AUDIT_PAGE_STACK,
	AUDIT_PAGE_PML4,
	AUDIT_PAGE_PDPT,
	AUDIT_PAGE_PD, /* 2 MiB pages; of both formats with 64-bit entries. */
	AUDIT_PAGE_PAE,
	AUDIT_PAGE_LEGACY, /* 4 MiB pages. */
	AUDIT_PAGES,
};

enum audit_mode {
	AUDIT_LONG64,
	AUDIT_COMPAT32, /* 32-bit code under a 64-bit system. */
	AUDIT_PAE32,
	AUDIT_LEGACY32,
	AUDIT_PROTECTED32, /* No paging. */
	AUDIT_V8086,
	AUDIT_REAL,
	AUDIT_RESET, /* As the processor leaves reset, caches off. */
	AUDIT_MODE_COUNT,
};

static const char *const audit_mode_names[AUDIT_MODE_COUNT] = {
	"64-bit",         "compatibility", "32-bit PAE", "32-bit legacy paging",
	"32-bit unpaged", "virtual-8086",  "real",       "reset",
};

/* One change: *(size bytes at offset) = (old & ~clear) | set. */
enum audit_unit {
	AUDIT_PLAIN,
	AUDIT_LIMIT,      /* set counts from 2^MAXPHYADDR, and may be negative. */
	AUDIT_ASID_COUNT, /* set counts from the number of ASIDs. */
};

struct audit_edit {
	uint16_t offset;
	uint8_t size; /* 1, 2, 4, 8; 0 ends the list. */
	uint8_t unit; /* enum audit_unit */
	uint64_t clear, set;
};

#define AUDIT_EDITS 4

struct audit_case {
	const char *name;
	/* What the auditor finds on a processor with every feature, in order; "" for nothing. */
	const char *rules;
	uint8_t mode; /* enum audit_mode */
	struct audit_edit edit[AUDIT_EDITS];
};

#define AUDIT_ALL (~UINT64_C(0))

/* Segment attributes. */
#define AUDIT_CODE64 0x29b /* L, present, code, readable, accessed. */
#define AUDIT_CODE32 0xc9b /* G, D. */
#define AUDIT_CODE16 0x09b
#define AUDIT_DATA32 0xc93
#define AUDIT_DATA16 0x093
#define AUDIT_V86    0x0f3 /* DPL 3. */
#define AUDIT_TSS    0x08b
#define AUDIT_LDT    0x082

static inline struct svm_vmcb_segment audit_segment(uint16_t selector, uint16_t attributes,
                                                    uint32_t limit, uint64_t base)
{
	return (struct svm_vmcb_segment){ selector, attributes, limit, base };
}

static inline void audit_control_area(struct svm_vmcb *vmcb, const struct audit_place *place)
{
#define AUDIT_NEVER 0
#define AUDIT_OFF   0
#define AUDIT_ON    1
#define AUDIT_FLOOR 1
#define AUDIT_SET(name, code, use, text)                          \
	if (AUDIT_##use && (code) < 192)                          \
		svm_vmcb_set_intercept(vmcb, (code) % 192, true);
	SVM_EXIT_CODES(AUDIT_SET)
#undef AUDIT_SET
	svm_vmcb_set_intercept(vmcb, SVM_EXIT_IRET, true);
	svm_vmcb_set_intercept(vmcb, SVM_EXIT_DR_WRITE + 7, true);
	svm_vmcb_set_intercept(vmcb, SVM_EXIT_EXCEPTION + SVM_VECTOR_DB, true);
	svm_vmcb_set_intercept(vmcb, SVM_EXIT_EXCEPTION + SVM_VECTOR_AC, true);
	svm_vmcb_set_intercept(vmcb, SVM_EXIT_EXCEPTION + SVM_VECTOR_MC, true);
	svm_vmcb_set_iopm_base(vmcb, place->iopm);
	svm_vmcb_set_msrpm_base(vmcb, place->msrpm);
	svm_vmcb_set_asid(vmcb, 1);
	svm_vmcb_set_int_control(vmcb, SVM_INT_V_MASKING);
	svm_vmcb_set_np_control(vmcb, SVM_NP_ENABLE);
	svm_vmcb_set_ncr3(vmcb, place->ncr3);
}

static inline void audit_flat_segments(struct svm_vmcb *vmcb, uint16_t code, uint16_t data)
{
	const struct svm_vmcb_segment flat = audit_segment(0x10, data, 0xffffffff, 0);

	svm_vmcb_set_cs(vmcb, audit_segment(0x08, code, 0xffffffff, 0));
	svm_vmcb_set_ss(vmcb, flat);
	svm_vmcb_set_ds(vmcb, flat);
	svm_vmcb_set_es(vmcb, flat);
	svm_vmcb_set_fs(vmcb, flat);
	svm_vmcb_set_gs(vmcb, flat);
	svm_vmcb_set_tr(vmcb, audit_segment(0x18, AUDIT_TSS, 0x67, 0));
	svm_vmcb_set_ldtr(vmcb, audit_segment(0, 0, 0, 0));
}

/* Real mode and virtual-8086 mode: base = selector * 16, 64 KiB. */
static inline void audit_real_segments(struct svm_vmcb *vmcb, uint16_t selector, uint16_t code,
                                       uint16_t data)
{
	const struct svm_vmcb_segment low = audit_segment(0, data, 0xffff, 0);

	svm_vmcb_set_cs(vmcb, audit_segment(selector, code, 0xffff, (uint64_t)selector * 16));
	svm_vmcb_set_ss(vmcb, low);
	svm_vmcb_set_ds(vmcb, low);
	svm_vmcb_set_es(vmcb, low);
	svm_vmcb_set_fs(vmcb, low);
	svm_vmcb_set_gs(vmcb, low);
	svm_vmcb_set_tr(vmcb, audit_segment(0, AUDIT_TSS, 0xffff, 0));
	svm_vmcb_set_ldtr(vmcb, audit_segment(0, AUDIT_LDT, 0xffff, 0));
}

/* Fill a zeroed VMCB so that the guest executes place->code in this mode. */
static inline void audit_baseline(struct svm_vmcb *vmcb, enum audit_mode mode,
                                  const struct audit_place *place)
{
	const uint64_t svme = UINT64_C(0x1000);

	audit_control_area(vmcb, place);
	svm_vmcb_set_gdtr(vmcb, audit_segment(0, 0, 0xffff, 0));
	svm_vmcb_set_idtr(vmcb, audit_segment(0, 0, mode == AUDIT_RESET ? 0xffff : 0, 0));
	svm_vmcb_set_dr6(vmcb, 0xffff0ff0);
	svm_vmcb_set_dr7(vmcb, 0x400);
	svm_vmcb_set_g_pat(vmcb, UINT64_C(0x0007040600070406));
	vmcb->save.rflags = 0x202;
	vmcb->save.rip = place->code;
	vmcb->save.rsp = place->code + 0x800;
	switch (mode) {
	case AUDIT_LONG64:
	case AUDIT_COMPAT32:
		audit_flat_segments(vmcb, mode == AUDIT_LONG64 ? AUDIT_CODE64 : AUDIT_CODE32,
		                    AUDIT_DATA32);
		svm_vmcb_set_cr0(vmcb, 0x80010031);
		svm_vmcb_set_cr4(vmcb, 0x20);
		svm_vmcb_set_cr3(vmcb, place->cr3_long);
		svm_vmcb_set_efer(vmcb, svme | 0xd00); /* NXE, LMA, LME. */
		break;
	case AUDIT_PAE32:
	case AUDIT_LEGACY32:
	case AUDIT_PROTECTED32:
		audit_flat_segments(vmcb, AUDIT_CODE32, AUDIT_DATA32);
		svm_vmcb_set_efer(vmcb, svme);
		svm_vmcb_set_cr0(vmcb, mode == AUDIT_PROTECTED32 ? 0x11 : 0x80010011);
		if (mode == AUDIT_PAE32) {
			svm_vmcb_set_cr4(vmcb, 0x20);
			svm_vmcb_set_cr3(vmcb, place->cr3_pae);
		} else if (mode == AUDIT_LEGACY32) {
			svm_vmcb_set_cr4(vmcb, 0x10);
			svm_vmcb_set_cr3(vmcb, place->cr3_legacy);
		}
		break;
	case AUDIT_V8086:
		audit_real_segments(vmcb, (uint16_t)(place->code / 16), AUDIT_V86, AUDIT_V86);
		svm_vmcb_set_efer(vmcb, svme);
		svm_vmcb_set_cr0(vmcb, 0x80010011);
		svm_vmcb_set_cr4(vmcb, 0x10);
		svm_vmcb_set_cr3(vmcb, place->cr3_legacy);
		svm_vmcb_set_cpl(vmcb, 3);
		vmcb->save.rflags = 0x20202; /* VM */
		vmcb->save.rip = 0;
		vmcb->save.rsp = 0x800;
		break;
	case AUDIT_REAL:
	case AUDIT_RESET:
	case AUDIT_MODE_COUNT:
		audit_real_segments(vmcb, (uint16_t)(place->code / 16), AUDIT_CODE16, AUDIT_DATA16);
		svm_vmcb_set_efer(vmcb, svme);
		svm_vmcb_set_cr0(vmcb, mode == AUDIT_RESET ? 0x60000010 : 0x10);
		vmcb->save.rflags = mode == AUDIT_RESET ? 0x2 : 0x202;
		vmcb->save.rip = 0;
		vmcb->save.rsp = 0x800;
		break;
	}
}

static inline void audit_put(uint8_t *to, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

/* Fill AUDIT_PAGES zeroed pages of a guest and say where they are. */
static inline void audit_guest(uint8_t *pages, uint64_t code, struct audit_place *place)
{
	const uint64_t table = 7, large = 0x87; /* Present, writable, user; page size. */
	uint64_t at[AUDIT_PAGES];

	for (unsigned i = 0; i < AUDIT_PAGES; i++)
		at[i] = code + i * 0x1000u;
	audit_put(pages, 0xd9010f, 3); /* VMMCALL, the same in every mode, */
	audit_put(pages + 3, 0xfbeb, 2); /* and JMP back. */
	audit_put(pages + AUDIT_PAGE_PML4 * 0x1000, at[AUDIT_PAGE_PDPT] | table, 8);
	audit_put(pages + AUDIT_PAGE_PDPT * 0x1000, at[AUDIT_PAGE_PD] | table, 8);
	audit_put(pages + AUDIT_PAGE_PD * 0x1000, large, 8);
	audit_put(pages + AUDIT_PAGE_PAE * 0x1000, at[AUDIT_PAGE_PD] | 1, 8); /* No other bit. */
	audit_put(pages + AUDIT_PAGE_LEGACY * 0x1000, large, 4);
	place->code = code;
	place->cr3_long = at[AUDIT_PAGE_PML4];
	place->cr3_pae = at[AUDIT_PAGE_PAE];
	place->cr3_legacy = at[AUDIT_PAGE_LEGACY];
}

static inline uint64_t audit_read(const struct svm_vmcb *vmcb, uint16_t offset, uint8_t size)
{
	const uint8_t *bytes = (const uint8_t *)vmcb + offset;
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static inline void audit_write(struct svm_vmcb *vmcb, uint16_t offset, uint8_t size, uint64_t value)
{
	audit_put((uint8_t *)vmcb + offset, value, size);
}

/* Break a baseline as the case says. */
static inline void audit_break(struct svm_vmcb *vmcb, const struct audit_case *c,
                               const struct svm_features *features)
{
	for (unsigned i = 0; i < AUDIT_EDITS && c->edit[i].size != 0; i++) {
		const struct audit_edit *edit = &c->edit[i];
		uint64_t set = edit->set;

		if (edit->unit == AUDIT_LIMIT)
			set += SVM_BIT(features->physical_bits);
		else if (edit->unit == AUDIT_ASID_COUNT)
			set += features->asid_count;
		audit_write(vmcb, edit->offset, edit->size,
		            (audit_read(vmcb, edit->offset, edit->size) & ~edit->clear) | set);
	}
	vmcb->control.clean &= ~SVM_CLEAN_ALL;
}

#define SET(offset, size, value)  { offset, size, AUDIT_PLAIN, AUDIT_ALL, value }
#define OR(offset, size, value)   { offset, size, AUDIT_PLAIN, 0, value }
#define CLEAR(offset, size, bits) { offset, size, AUDIT_PLAIN, bits, 0 }
#define AT_LIMIT(offset, delta)   { offset, 8, AUDIT_LIMIT, AUDIT_ALL, (uint64_t)(delta) }
#define OR_LIMIT(offset)          { offset, 8, AUDIT_LIMIT, 0, 0 }
#define EVENT(type, vector, more) \
	SET(0x0a8, 8, UINT64_C(0x80000000) | (uint64_t)(type) << 8 | (vector) | (more))
#define EV UINT64_C(0x800)

/* clang-format off */
static const struct audit_case audit_cases[] = {
	/* Control area. */
	{ "vmrun-intercept-clear", "C01", AUDIT_LONG64, { CLEAR(0x010, 4, 1) } },
	{ "asid-0", "C02", AUDIT_LONG64, { SET(0x058, 4, 0) } },
	{ "asid-count", "C03", AUDIT_LONG64, { { 0x058, 4, AUDIT_ASID_COUNT, AUDIT_ALL, 0 } } },
	{ "asid-last",
	  "",
	  AUDIT_LONG64,
	  { { 0x058, 4, AUDIT_ASID_COUNT, AUDIT_ALL, (uint64_t)-1 } } },
	{ "msrpm-at-limit", "C04", AUDIT_LONG64, { AT_LIMIT(0x048, 0) } },
	{ "msrpm-last-page-beyond", "C04", AUDIT_LONG64, { AT_LIMIT(0x048, -0x1000) } },
	{ "msrpm-exact-fit", "", AUDIT_LONG64, { AT_LIMIT(0x048, -0x2000) } },
	{ "msrpm-wraps", "C04", AUDIT_LONG64, { SET(0x048, 8, UINT64_C(0xfffffffffffff000)) } },
	{ "iopm-at-limit", "C05", AUDIT_LONG64, { AT_LIMIT(0x040, 0) } },
	{ "iopm-last-page-beyond", "C05", AUDIT_LONG64, { AT_LIMIT(0x040, -0x2000) } },
	{ "iopm-exact-fit", "", AUDIT_LONG64, { AT_LIMIT(0x040, -0x3000) } },
	{ "iopm-unaligned", "C06", AUDIT_LONG64, { OR(0x040, 8, 0x800) } },
	{ "msrpm-unaligned", "C06", AUDIT_LONG64, { OR(0x048, 8, 1) } },
	{ "event-type-1", "C07", AUDIT_LONG64, { EVENT(1, 0x20, 0) } },
	{ "event-type-5", "C07", AUDIT_LONG64, { EVENT(5, 0x20, 0) } },
	{ "event-type-6", "C07", AUDIT_LONG64, { EVENT(6, 0x20, 0) } },
	{ "event-type-7", "C07", AUDIT_LONG64, { EVENT(7, 0x20, 0) } },
	{ "event-type-7-not-valid", "", AUDIT_LONG64, { SET(0x0a8, 8, 0x720) } },
	{ "exception-2", "C08", AUDIT_LONG64, { EVENT(3, 2, 0) } },
	{ "exception-32", "C08", AUDIT_LONG64, { EVENT(3, 32, 0) } },
	{ "exception-255", "C08", AUDIT_LONG64, { EVENT(3, 255, 0) } },
	{ "exception-31", "", AUDIT_LONG64, { EVENT(3, 31, 0) } },
	{ "overflow-in-64-bit", "C09", AUDIT_LONG64, { EVENT(3, 4, 0), SET(0x0c8, 8, 0x1000) } },
	{ "bound-in-64-bit", "C09", AUDIT_LONG64, { EVENT(3, 5, 0) } },
	{ "bound-in-compatibility", "", AUDIT_COMPAT32, { EVENT(3, 5, 0) } },
	{ "bound-in-32-bit", "", AUDIT_LEGACY32, { EVENT(3, 5, 0) } },
	{ "event-reserved-12", "C10", AUDIT_LONG64, { EVENT(0, 0x20, 0x1000) } },
	{ "event-reserved-30", "C10", AUDIT_LONG64, { EVENT(0, 0x20, 0x40000000) } },
	{ "event-reserved-all", "C10", AUDIT_LONG64, { EVENT(0, 0x20, 0x7ffff000) } },
	{ "gp-without-error-code", "C11", AUDIT_LONG64, { EVENT(3, 13, 0) } },
	{ "ud-with-error-code", "C11", AUDIT_LONG64, { EVENT(3, 6, EV) } },
	{ "gp-with-error-code", "", AUDIT_LONG64, { EVENT(3, 13, EV) } },
	{ "gp-in-real-mode", "", AUDIT_REAL, { EVENT(3, 13, 0) } },
	{ "nmi-vector-0", "C12", AUDIT_LONG64, { EVENT(2, 0, 0) } },
	{ "nmi", "", AUDIT_LONG64, { EVENT(2, 2, 0) } },
	{ "ncr3-beyond", "C15", AUDIT_LONG64, { OR_LIMIT(0x0b0) } },
	{ "ncr3-bit-63", "C15", AUDIT_LONG64, { OR(0x0b0, 8, UINT64_C(0x8000000000000000)) } },
	{ "ncr3-bits-63-40",
	  "C15",
	  AUDIT_LONG64,
	  { OR(0x0b0, 8, UINT64_C(0xffffff0000000000)) } },
	{ "pat-type-2", "C16", AUDIT_LONG64, { SET(0x668, 8, UINT64_C(0x0007040600070402)) } },
	{ "pat-type-3", "C16", AUDIT_LONG64, { SET(0x668, 8, UINT64_C(0x0307040600070406)) } },
	{ "pat-type-8", "C16", AUDIT_LONG64, { SET(0x668, 8, UINT64_C(0x0007080600070406)) } },
	{ "pat-all-ones", "C16", AUDIT_LONG64, { SET(0x668, 8, AUDIT_ALL) } },
	{ "pat-types-all", "", AUDIT_LONG64, { SET(0x668, 8, UINT64_C(0x0001040506070001)) } },
	{ "sev-without-np", "C17", AUDIT_LONG64, { SET(0x090, 8, 2) } },
	{ "sev-es-without-sev", "C17", AUDIT_LONG64, { SET(0x090, 8, 5), OR(0x0b8, 8, 1) } },
	{ "vnmi-without-nmi-intercept", "C18 W03", AUDIT_LONG64,
	  { OR(0x060, 8, 0x4000000), CLEAR(0x00c, 4, 2) } },
	{ "x2avic-without-avic", "C19", AUDIT_LONG64, { OR(0x060, 8, 0x40000000) } },
	{ "avic", "", AUDIT_LONG64, { OR(0x060, 8, 0x80000000) } },
	{ "avic-without-np", "C19", AUDIT_LONG64, { OR(0x060, 8, 0x80000000), SET(0x090, 8, 0) } },
	{ "tlb-control-2", "C20", AUDIT_LONG64, { SET(0x05c, 1, 2) } },
	{ "tlb-control-8", "C20", AUDIT_LONG64, { SET(0x05c, 1, 8) } },
	{ "tlb-control-255", "C20", AUDIT_LONG64, { SET(0x05c, 1, 255) } },
	{ "tlb-control-1", "", AUDIT_LONG64, { SET(0x05c, 1, 1) } },
	{ "virt-reserved-4", "C21", AUDIT_LONG64, { OR(0x0b8, 8, 0x10) } },
	{ "virt-all-ones", "C21", AUDIT_LONG64, { SET(0x0b8, 8, AUDIT_ALL) } },
	{ "intercept-exception-2", "C22", AUDIT_LONG64, { OR(0x008, 4, 0x004) } },
	{ "intercept-exception-9", "C22", AUDIT_LONG64, { OR(0x008, 4, 0x200) } },
	{ "intercept-reserved-word-5", "C22", AUDIT_LONG64, { OR(0x014, 4, 0x80) } },
	{ "intercept-reserved-word-5-all", "C22", AUDIT_LONG64, { OR(0x014, 4, 0xffffff80) } },
	{ "int-control-reserved-10", "C22", AUDIT_LONG64, { OR(0x060, 8, 0x400) } },
	{ "int-control-reserved-40",
	  "C22",
	  AUDIT_LONG64,
	  { OR(0x060, 8, UINT64_C(0x10000000000)) } },
	/* With V_GIF and its like, which are reserved where the processor has none of them. */
	{ "int-control-reserved-all",
	  "C22",
	  AUDIT_LONG64,
	  { OR(0x060, 8, UINT64_C(0xffffff003ae0fe00)) } },
	{ "int-state-reserved-2", "C22", AUDIT_LONG64, { OR(0x068, 8, 4) } },
	{ "int-state-reserved-all", "C22", AUDIT_LONG64, { OR(0x068, 8, ~UINT64_C(1)) } },
	{ "np-reserved-8", "C22", AUDIT_LONG64, { OR(0x090, 8, 0x100) } },
	{ "np-reserved-all", "C22", AUDIT_LONG64, { OR(0x090, 8, ~UINT64_C(0xbf)) } },
	{ "clean-reserved-32", "C22", AUDIT_LONG64, { OR(0x0c0, 8, UINT64_C(0x100000000)) } },
	{ "sss-without-np", "C23", AUDIT_LONG64, { SET(0x090, 8, 0x10) } },
	/* Save area. */
	{ "svme-clear", "S01", AUDIT_LONG64, { CLEAR(0x4d0, 8, 0x1000) } },
	{ "efer-bit-1", "S02", AUDIT_LONG64, { OR(0x4d0, 8, 2) } },
	{ "efer-bit-63", "S02", AUDIT_LONG64, { OR(0x4d0, 8, UINT64_C(0x8000000000000000)) } },
	{ "efer-lmsle", "", AUDIT_LONG64, { OR(0x4d0, 8, 0x2000) } },
	{ "efer-ffxsr", "", AUDIT_LONG64, { OR(0x4d0, 8, 0x4000) } },
	{ "efer-tce", "", AUDIT_LONG64, { OR(0x4d0, 8, 0x8000) } },
	{ "nw-without-cd", "S04", AUDIT_LONG64, { OR(0x558, 8, 0x20000000) } },
	{ "nw-with-cd", "W34", AUDIT_LONG64, { OR(0x558, 8, 0x60000000) } },
	{ "cr0-bit-32", "S05", AUDIT_LONG64, { OR(0x558, 8, UINT64_C(0x100000000)) } },
	{ "cr0-bit-63", "S05", AUDIT_LONG64, { OR(0x558, 8, UINT64_C(0x8000000000000000)) } },
	{ "cr3-beyond", "S06", AUDIT_LONG64, { OR_LIMIT(0x550) } },
	{ "cr3-bit-63", "S06", AUDIT_LONG64, { OR(0x550, 8, UINT64_C(0x8000000000000000)) } },
	{ "cr3-bits-63-40",
	  "S06",
	  AUDIT_LONG64,
	  { OR(0x550, 8, UINT64_C(0xffffff0000000000)) } },
	{ "cr3-low-bits", "", AUDIT_LONG64, { OR(0x550, 8, 0xfe7) } },
	{ "cr3-above-4g-unpaged", "", AUDIT_PROTECTED32, { SET(0x550, 8, UINT64_C(0x100000000)) } },
	{ "cr4-bit-32", "S07", AUDIT_LONG64, { OR(0x548, 8, UINT64_C(0x100000000)) } },
	{ "cr4-bit-63", "S07", AUDIT_LONG64, { OR(0x548, 8, UINT64_C(0x8000000000000000)) } },
	{ "cr4-vmxe", "S07", AUDIT_LONG64, { OR(0x548, 8, 0x2000) } },
	{ "cr4-pcide", "", AUDIT_LONG64, { OR(0x548, 8, 0x20000) } },
	{ "cr4-bit-31", "S07", AUDIT_LONG64, { OR(0x548, 8, 0x80000000) } },
	{ "long-mode-without-pae", "S08", AUDIT_LONG64, { CLEAR(0x548, 8, 0x20) } },
	{ "long-mode-without-pe", "S09 W41", AUDIT_LONG64, { CLEAR(0x558, 8, 1) } },
	{ "cs-l-and-d", "S10", AUDIT_LONG64, { OR(0x412, 2, 0x400) } },
	{ "cs-l-and-d-unpaged", "", AUDIT_PROTECTED32, { OR(0x412, 2, 0x200) } },
	{ "dr6-bit-32", "S11", AUDIT_LONG64, { OR(0x568, 8, UINT64_C(0x100000000)) } },
	{ "dr6-bit-63", "S11", AUDIT_LONG64, { OR(0x568, 8, UINT64_C(0x8000000000000000)) } },
	{ "dr7-bit-32", "S12", AUDIT_LONG64, { OR(0x560, 8, UINT64_C(0x100000000)) } },
	{ "dr7-bit-63", "S12", AUDIT_LONG64, { OR(0x560, 8, UINT64_C(0x8000000000000000)) } },
	{ "cet-without-wp",
	  "S13",
	  AUDIT_LONG64,
	  { OR(0x548, 8, 0x800000), CLEAR(0x558, 8, 0x10000) } },
	{ "s-cet-bit-2", "S13", AUDIT_LONG64, { OR(0x5e0, 8, 4) } },
	{ "s-cet-bit-63", "S13", AUDIT_LONG64, { OR(0x5e0, 8, UINT64_C(0x8000000000000000)) } },
	/* Legal, however odd: 15.5.1 does not list it. */
	{ "lma-without-lme", "W43", AUDIT_LONG64, { CLEAR(0x4d0, 8, 0x100) } },
	{ "lme-without-pae-unpaged", "", AUDIT_PROTECTED32, { OR(0x4d0, 8, 0x100) } },
	{ "vm-in-long-mode", "", AUDIT_LONG64, { OR(0x570, 8, 0x20000) } },
	{ "ss-unusable", "", AUDIT_LONG64, { SET(0x420, 8, 0), SET(0x428, 8, 0) } },
	{ "ss-unusable-cpl-1", "", AUDIT_LONG64, { SET(0x420, 8, 0), SET(0x4cb, 1, 1) } },
	{ "ds-unusable", "", AUDIT_LONG64, { SET(0x430, 8, 0), SET(0x438, 8, 0) } },
	{ "cs-not-present", "W35", AUDIT_LONG64, { CLEAR(0x412, 2, 0x80) } },
	{ "rflags-bit-1-clear", "W36", AUDIT_LONG64, { CLEAR(0x570, 8, 2) } },
	{ "rflags-reserved", "W36", AUDIT_LONG64, { OR(0x570, 8, UINT64_C(0x80008028)) } },
	{ "rip-not-canonical", "W37", AUDIT_LONG64, { SET(0x578, 8, UINT64_C(0x800000000000)) } },
	{ "rip-at-limit", "", AUDIT_REAL, { SET(0x578, 8, 0xffff) } },
	{ "rip-beyond-limit", "W37", AUDIT_REAL, { SET(0x578, 8, 0x10000) } },
	{ "rip-beyond-limit-v8086", "W37", AUDIT_V8086, { SET(0x578, 8, 0x10000) } },
	{ "rip-above-4g", "W37", AUDIT_PROTECTED32, { SET(0x578, 8, UINT64_C(0x100000000)) } },
	{ "lme-and-pg-without-lma", "W43", AUDIT_LONG64, { CLEAR(0x4d0, 8, 0x400) } },
	{ "vmx-attributes", "W42", AUDIT_LONG64, { OR(0x412, 2, 0xa000) } },
	{ "eptp-as-root", "W44", AUDIT_LONG64, { OR(0x0b0, 8, 0x1e) } },
	{ "dr6-zero", "W45", AUDIT_LONG64, { SET(0x568, 8, 0) } },
	{ "dr6-with-everything", "", AUDIT_LONG64, { SET(0x568, 8, 0xffffe7ff) } },
	{ "paged-real-mode", "W41", AUDIT_LEGACY32, { CLEAR(0x558, 8, 1) } },
	{ "interrupt-while-masked",
	  "W22",
	  AUDIT_LONG64,
	  { EVENT(0, 0x20, 0), CLEAR(0x570, 8, 0x200) } },
};
/* clang-format on */

#define AUDIT_CASE_COUNT (sizeof(audit_cases) / sizeof(audit_cases[0]))

/*
 * Near-valid VMCBs: up to three fields of a good one changed at random.  Only fields and bits are
 * touched that leave the host safe if VMRUN accepts them: nested paging stays on, its tables where
 * they are, the guest keeps its intercepts, the host's interrupts stay the host's, and TF stays
 * clear (Bochs would trap in the host).
 */
static const struct audit_field {
	uint16_t offset;
	uint8_t size;
	uint64_t mask;
} audit_fields[] = {
	{ 0x008, 4, AUDIT_ALL }, { 0x010, 4, 1 },         { 0x014, 4, AUDIT_ALL },
	{ 0x040, 8, AUDIT_ALL }, { 0x048, 8, AUDIT_ALL }, { 0x058, 4, AUDIT_ALL },
	{ 0x05c, 1, AUDIT_ALL }, { 0x060, 8, ~SVM_BIT(24) }, { 0x068, 8, AUDIT_ALL },
	{ 0x090, 8, ~UINT64_C(1) }, { 0x0a8, 8, AUDIT_ALL }, { 0x0b0, 8, SVM_BITS(63, 40) },
	{ 0x0b8, 8, AUDIT_ALL }, { 0x412, 2, 0xfff },     { 0x422, 2, 0xfff },
	{ 0x402, 2, 0xffff },    { 0x432, 2, 0xffff },    { 0x492, 2, 0xfff },
	{ 0x414, 4, AUDIT_ALL }, { 0x418, 8, AUDIT_ALL }, { 0x578, 8, AUDIT_ALL },
	{ 0x4cb, 1, 3 },         { 0x4d0, 8, AUDIT_ALL }, { 0x548, 8, AUDIT_ALL },
	{ 0x550, 8, AUDIT_ALL }, { 0x558, 8, AUDIT_ALL }, { 0x560, 8, AUDIT_ALL },
	{ 0x568, 8, AUDIT_ALL }, { 0x570, 8, ~SVM_BIT(8) }, { 0x5e0, 8, AUDIT_ALL },
	{ 0x668, 8, AUDIT_ALL },
};

static inline uint64_t audit_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One field: a bit flipped, a small number, a number near MAXPHYADDR, or noise. */
static inline void audit_scramble(struct svm_vmcb *vmcb, uint64_t *state,
                                  const struct svm_features *features)
{
	const uint64_t count = sizeof(audit_fields) / sizeof(audit_fields[0]);
	const struct audit_field *field = &audit_fields[audit_random(state) % count];
	const uint64_t old = audit_read(vmcb, field->offset, field->size);
	const uint64_t noise = audit_random(state);
	uint64_t value = old;

	switch (audit_random(state) % 8) {
	case 0:
		value = noise;
		break;
	case 1:
		value = noise % 40;
		break;
	case 2:
		value = SVM_BIT(features->physical_bits) - (noise % 6) * 0x1000;
		break;
	case 3: /* An event, more often than noise would be one. */
		value = SVM_EVENT_VALID | (noise & (SVM_EVENT_TYPE | SVM_EVENT_ERROR_VALID)) |
		        (noise >> 32) % 40;
		break;
	default:
		value = old ^ SVM_BIT(noise % (8 * field->size));
		break;
	}
	audit_write(vmcb, field->offset, field->size, (old & ~field->mask) | (value & field->mask));
}

/* A guest's baseline with one, two or three fields changed; the seed says which. */
static inline void audit_near_valid(struct svm_vmcb *vmcb, uint64_t *state,
                                    const struct audit_place *place,
                                    const struct svm_features *features)
{
	const uint64_t changes = 1 + audit_random(state) % 3;

	audit_baseline(vmcb, (enum audit_mode)(audit_random(state) % AUDIT_MODE_COUNT), place);
	for (uint64_t i = 0; i < changes; i++)
		audit_scramble(vmcb, state, features);
	vmcb->control.clean = 0;
}

#undef SET
#undef OR
#undef CLEAR
#undef AT_LIMIT
#undef OR_LIMIT
#undef EVENT
#undef EV

#endif
