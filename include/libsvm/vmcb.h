/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_VMCB_H
#define LIBSVM_VMCB_H
/**
 * @file
 * @brief Virtual machine control block.  APM vol. 2, 15.5, 15.15, appendix B.
 *
 * The processor may keep parts of the VMCB between two VMRUNs and must reload a part only when
 * its clean bit is 0 (15.15).  A forgotten bit shows as a guest running on stale state, rarely
 * and only on some processors, so no caller clears one: fields whose name begins with an
 * underscore are written through svm_vmcb_set_*(), which clears the group's bit.  The identity of
 * a cached VMCB is its physical address: a copy needs svm_vmcb_mark_all_dirty().
 *
 * SVM_VMCB_FIELDS lists every named field once; the layout asserts, the accessors, the dump and
 * the lint come from it.
 */
#include <libsvm/types.h>

/** @addtogroup svm_vcpu
 *  @{ */

/* Clean bits, VMCB offset 0C0h.  A set bit allows the processor to use what it kept. */
#define SVM_CLEAN_INTERCEPTS SVM_BIT(0) /**< Intercept words, TSC offset, PAUSE filter count. */
#define SVM_CLEAN_MAPS       SVM_BIT(1) /**< IOPM_BASE_PA, MSRPM_BASE_PA. */
#define SVM_CLEAN_ASID       SVM_BIT(2) /**< ASID. */
#define SVM_CLEAN_INTR       SVM_BIT(3) /**< Offsets 060h to 067h. */
#define SVM_CLEAN_NPT        SVM_BIT(4) /**< Nested paging: enable bits, nCR3, G_PAT. */
#define SVM_CLEAN_CR         SVM_BIT(5) /**< CR0, CR3, CR4, EFER. */
#define SVM_CLEAN_DR         SVM_BIT(6) /**< DR6, DR7. */
#define SVM_CLEAN_DT         SVM_BIT(7) /**< GDTR, IDTR. */
#define SVM_CLEAN_SEG        SVM_BIT(8) /**< CS, DS, ES, SS, CPL. */
#define SVM_CLEAN_CR2        SVM_BIT(9) /**< CR2. */
#define SVM_CLEAN_LBR        SVM_BIT(10) /**< DBGCTL and the branch records. */
#define SVM_CLEAN_AVIC       SVM_BIT(11) /**< APIC_BAR and the AVIC table pointers. */
#define SVM_CLEAN_CET        SVM_BIT(12) /**< S_CET, SSP, ISST_ADDR. */
#define SVM_CLEAN_ALL        SVM_BITS(12, 0)
/** For fields whose group the manual does not name: safe only with every bit clear. */
#define SVM_CLEAN_UNKNOWN SVM_CLEAN_ALL
/** For fields that no processor caches. */
#define SVM_CLEAN_NONE UINT64_C(0)

/** A segment register with its hidden part, as the VMCB holds it. */
struct svm_vmcb_segment {
	uint16_t selector;
	uint16_t attributes; /**< SVM_SEG_*: bits 55:52 and 47:40 of the descriptor, packed. */
	uint32_t limit;      /**< In bytes, granularity applied. */
	uint64_t base;
};

/* Segment attributes as the VMCB packs them: 12 bits.  APM vol. 2, 15.5.1 (appendix B). */
#define SVM_SEG_TYPE UINT64_C(0x000f) /**< Type; bit 3 says code. */
#define SVM_SEG_S    UINT64_C(0x0010) /**< 1: code or data, 0: system. */
#define SVM_SEG_DPL  UINT64_C(0x0060)
#define SVM_SEG_P    UINT64_C(0x0080)
#define SVM_SEG_AVL  UINT64_C(0x0100)
#define SVM_SEG_L    UINT64_C(0x0200) /**< 64-bit code. */
#define SVM_SEG_DB   UINT64_C(0x0400) /**< Default size; for a stack segment B. */
#define SVM_SEG_G    UINT64_C(0x0800)
#define SVM_SEG_ALL  UINT64_C(0x0fff)

/** Control area: what the monitor decides.  Written by software except the exit fields. */
struct svm_vmcb_control {
	uint32_t _intercept[6]; /* 0x000 */
	uint8_t reserved_018[0x03c - 0x018];
	uint16_t _pause_filter_threshold; /* 0x03c */
	uint16_t _pause_filter_count;     /* 0x03e */
	uint64_t _iopm_base;              /* 0x040 */
	uint64_t _msrpm_base;             /* 0x048 */
	uint64_t _tsc_offset;             /* 0x050 */
	uint32_t _asid;                   /* 0x058 */
	uint8_t tlb_control;              /* 0x05c */
	uint8_t _erap_control;            /* 0x05d */
	uint8_t reserved_05e[2];
	uint64_t _int_control;   /* 0x060 */
	uint64_t int_state;      /* 0x068 */
	uint64_t exit_code;      /* 0x070 */
	uint64_t exit_info_1;    /* 0x078 */
	uint64_t exit_info_2;    /* 0x080 */
	uint64_t exit_int_info;  /* 0x088 */
	uint64_t _np_control;    /* 0x090 */
	uint64_t _avic_apic_bar; /* 0x098 */
	uint64_t _ghcb;          /* 0x0a0 */
	uint64_t event_inj;      /* 0x0a8 */
	uint64_t _ncr3;          /* 0x0b0 */
	uint64_t _virt_control;  /* 0x0b8 */
	uint64_t clean;          /* 0x0c0 */
	uint64_t next_rip;       /* 0x0c8 */
	uint8_t insn_count;      /* 0x0d0 */
	uint8_t insn_bytes[15];  /* 0x0d1 */
	uint64_t _avic_backing_page; /* 0x0e0 */
	uint8_t reserved_0e8[8];
	uint64_t _avic_logical_table;  /* 0x0f0 */
	uint64_t _avic_physical_table; /* 0x0f8 */
	uint8_t reserved_100[8];
	uint64_t _vmsa;       /* 0x108 */
	uint64_t vmgexit_rax; /* 0x110 */
	uint8_t vmgexit_cpl;  /* 0x118 */
	uint8_t reserved_119[7];
	uint16_t _bus_lock_count; /* 0x120 */
	uint8_t reserved_122[0x138 - 0x122];
	uint64_t _sev_features_allowed; /* 0x138 */
	uint64_t _sev_features;         /* 0x140 */
	uint8_t reserved_148[0x1c8 - 0x148];
	uint64_t _pml_base;  /* 0x1c8 */
	uint16_t _pml_index; /* 0x1d0 */
	uint8_t reserved_1d2[0x3e0 - 0x1d2];
	uint8_t software[0x20]; /* 0x3e0: left to the monitor by the processor. */
};

/** State-save area: what the guest is. */
struct svm_vmcb_save {
	struct svm_vmcb_segment _es;   /* 0x400 */
	struct svm_vmcb_segment _cs;   /* 0x410 */
	struct svm_vmcb_segment _ss;   /* 0x420 */
	struct svm_vmcb_segment _ds;   /* 0x430 */
	struct svm_vmcb_segment fs;    /* 0x440 */
	struct svm_vmcb_segment gs;    /* 0x450 */
	struct svm_vmcb_segment _gdtr; /* 0x460 */
	struct svm_vmcb_segment ldtr;  /* 0x470 */
	struct svm_vmcb_segment _idtr; /* 0x480 */
	struct svm_vmcb_segment tr;    /* 0x490 */
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t _cpl; /* 0x4cb */
	uint8_t reserved_4cc[4];
	uint64_t _efer; /* 0x4d0 */
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t _cr4;   /* 0x548 */
	uint64_t _cr3;   /* 0x550 */
	uint64_t _cr0;   /* 0x558 */
	uint64_t _dr7;   /* 0x560 */
	uint64_t _dr6;   /* 0x568 */
	uint64_t rflags; /* 0x570 */
	uint64_t rip;    /* 0x578 */
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;            /* 0x5d8 */
	uint64_t _s_cet;         /* 0x5e0 */
	uint64_t _ssp;           /* 0x5e8 */
	uint64_t _isst_addr;     /* 0x5f0 */
	uint64_t rax;            /* 0x5f8 */
	uint64_t star;           /* 0x600 */
	uint64_t lstar;          /* 0x608 */
	uint64_t cstar;          /* 0x610 */
	uint64_t sfmask;         /* 0x618 */
	uint64_t kernel_gs_base; /* 0x620 */
	uint64_t sysenter_cs;    /* 0x628 */
	uint64_t sysenter_esp;   /* 0x630 */
	uint64_t sysenter_eip;   /* 0x638 */
	uint64_t _cr2;           /* 0x640 */
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t _g_pat;            /* 0x668 */
	uint64_t _dbgctl;           /* 0x670 */
	uint64_t _br_from;          /* 0x678 */
	uint64_t _br_to;            /* 0x680 */
	uint64_t _last_excp_from;   /* 0x688 */
	uint64_t _last_excp_to;     /* 0x690 */
	uint8_t reserved_698[0x6e0 - 0x698];
	uint64_t spec_ctrl; /* 0x6e0 */
	uint8_t reserved_6e8[0x1000 - 0x6e8];
};

/** The whole block: one page. */
struct svm_vmcb {
	struct svm_vmcb_control control;
	struct svm_vmcb_save save;
};

/**
 * Every scalar field that may stay cached: X(type, area, name, offset, clean group, what).
 * In the struct its name begins with an underscore.
 */
#define SVM_VMCB_CACHED_FIELDS(X)                                                                  \
	X(uint16_t, control, pause_filter_threshold, 0x03c, SVM_CLEAN_UNKNOWN, "PAUSE threshold")  \
	X(uint16_t, control, pause_filter_count, 0x03e, SVM_CLEAN_INTERCEPTS, "PAUSE count")       \
	X(uint64_t, control, iopm_base, 0x040, SVM_CLEAN_MAPS, "I/O permission map")               \
	X(uint64_t, control, msrpm_base, 0x048, SVM_CLEAN_MAPS, "MSR permission map")              \
	X(uint64_t, control, tsc_offset, 0x050, SVM_CLEAN_INTERCEPTS, "TSC offset")                \
	X(uint32_t, control, asid, 0x058, SVM_CLEAN_ASID, "address space identifier")              \
	X(uint8_t, control, erap_control, 0x05d, SVM_CLEAN_UNKNOWN, "return predictor control")    \
	X(uint64_t, control, int_control, 0x060, SVM_CLEAN_INTR, "virtual interrupt control")      \
	X(uint64_t, control, np_control, 0x090, SVM_CLEAN_NPT, "nested paging and SEV enable")     \
	X(uint64_t, control, avic_apic_bar, 0x098, SVM_CLEAN_AVIC, "APIC base of the guest")       \
	X(uint64_t, control, ghcb, 0x0a0, SVM_CLEAN_UNKNOWN, "GHCB")                               \
	X(uint64_t, control, ncr3, 0x0b0, SVM_CLEAN_NPT, "root of the nested tables")              \
	X(uint64_t, control, virt_control, 0x0b8, SVM_CLEAN_UNKNOWN, "LBR, VMLOAD virtualisation") \
	X(uint64_t, control, avic_backing_page, 0x0e0, SVM_CLEAN_AVIC, "AVIC backing page")        \
	X(uint64_t, control, avic_logical_table, 0x0f0, SVM_CLEAN_AVIC, "AVIC logical table")      \
	X(uint64_t, control, avic_physical_table, 0x0f8, SVM_CLEAN_AVIC, "AVIC physical table")    \
	X(uint64_t, control, vmsa, 0x108, SVM_CLEAN_UNKNOWN, "encrypted save area")                \
	X(uint16_t, control, bus_lock_count, 0x120, SVM_CLEAN_UNKNOWN, "bus lock threshold")       \
	X(uint64_t, control, sev_features_allowed, 0x138, SVM_CLEAN_UNKNOWN, "allowed SEV bits")   \
	X(uint64_t, control, sev_features, 0x140, SVM_CLEAN_UNKNOWN, "SEV features")               \
	X(uint64_t, control, pml_base, 0x1c8, SVM_CLEAN_UNKNOWN, "page modification log")          \
	X(uint16_t, control, pml_index, 0x1d0, SVM_CLEAN_UNKNOWN, "page modification index")       \
	X(uint8_t, save, cpl, 0x4cb, SVM_CLEAN_SEG, "current privilege level")                     \
	X(uint64_t, save, efer, 0x4d0, SVM_CLEAN_CR, "EFER")                                       \
	X(uint64_t, save, cr4, 0x548, SVM_CLEAN_CR, "CR4")                                         \
	X(uint64_t, save, cr3, 0x550, SVM_CLEAN_CR, "CR3")                                         \
	X(uint64_t, save, cr0, 0x558, SVM_CLEAN_CR, "CR0")                                         \
	X(uint64_t, save, dr7, 0x560, SVM_CLEAN_DR, "DR7")                                         \
	X(uint64_t, save, dr6, 0x568, SVM_CLEAN_DR, "DR6")                                         \
	X(uint64_t, save, s_cet, 0x5e0, SVM_CLEAN_CET, "S_CET")                                    \
	X(uint64_t, save, ssp, 0x5e8, SVM_CLEAN_CET, "shadow stack pointer")                       \
	X(uint64_t, save, isst_addr, 0x5f0, SVM_CLEAN_CET, "interrupt shadow stack table")         \
	X(uint64_t, save, cr2, 0x640, SVM_CLEAN_CR2, "CR2")                                        \
	X(uint64_t, save, g_pat, 0x668, SVM_CLEAN_NPT, "PAT of the guest")                         \
	X(uint64_t, save, dbgctl, 0x670, SVM_CLEAN_LBR, "DebugCtl")                                \
	X(uint64_t, save, br_from, 0x678, SVM_CLEAN_LBR, "last branch from")                       \
	X(uint64_t, save, br_to, 0x680, SVM_CLEAN_LBR, "last branch to")                           \
	X(uint64_t, save, last_excp_from, 0x688, SVM_CLEAN_LBR, "last exception from")             \
	X(uint64_t, save, last_excp_to, 0x690, SVM_CLEAN_LBR, "last exception to")

/** Every scalar field that no processor keeps: X(type, area, name, offset, what). */
#define SVM_VMCB_PLAIN_FIELDS(X)                                                                   \
	X(uint8_t, control, tlb_control, 0x05c, "TLB control")                                     \
	X(uint64_t, control, int_state, 0x068, "interrupt shadow")                                 \
	X(uint64_t, control, exit_code, 0x070, "exit code")                                        \
	X(uint64_t, control, exit_info_1, 0x078, "exit information 1")                             \
	X(uint64_t, control, exit_info_2, 0x080, "exit information 2")                             \
	X(uint64_t, control, exit_int_info, 0x088, "interrupted delivery")                         \
	X(uint64_t, control, event_inj, 0x0a8, "event to inject")                                  \
	X(uint64_t, control, clean, 0x0c0, "clean bits")                                           \
	X(uint64_t, control, next_rip, 0x0c8, "next RIP")                                          \
	X(uint8_t, control, insn_count, 0x0d0, "instruction bytes fetched")                        \
	X(uint64_t, control, vmgexit_rax, 0x110, "RAX of VMGEXIT")                                 \
	X(uint8_t, control, vmgexit_cpl, 0x118, "CPL of VMGEXIT")                                  \
	X(uint64_t, save, rflags, 0x570, "RFLAGS")                                                 \
	X(uint64_t, save, rip, 0x578, "RIP")                                                       \
	X(uint64_t, save, rsp, 0x5d8, "RSP")                                                       \
	X(uint64_t, save, rax, 0x5f8, "RAX")                                                       \
	X(uint64_t, save, star, 0x600, "STAR")                                                     \
	X(uint64_t, save, lstar, 0x608, "LSTAR")                                                   \
	X(uint64_t, save, cstar, 0x610, "CSTAR")                                                   \
	X(uint64_t, save, sfmask, 0x618, "SFMASK")                                                 \
	X(uint64_t, save, kernel_gs_base, 0x620, "KernelGSBase")                                   \
	X(uint64_t, save, sysenter_cs, 0x628, "SYSENTER_CS")                                       \
	X(uint64_t, save, sysenter_esp, 0x630, "SYSENTER_ESP")                                     \
	X(uint64_t, save, sysenter_eip, 0x638, "SYSENTER_EIP")                                     \
	X(uint64_t, save, spec_ctrl, 0x6e0, "SPEC_CTRL")

/** Every segment register: X(name, field, offset, clean group). */
#define SVM_VMCB_SEGMENTS(X)                                                                       \
	X(es, _es, 0x400, SVM_CLEAN_SEG)                                                           \
	X(cs, _cs, 0x410, SVM_CLEAN_SEG)                                                           \
	X(ss, _ss, 0x420, SVM_CLEAN_SEG)                                                           \
	X(ds, _ds, 0x430, SVM_CLEAN_SEG)                                                           \
	X(fs, fs, 0x440, SVM_CLEAN_NONE)                                                           \
	X(gs, gs, 0x450, SVM_CLEAN_NONE)                                                           \
	X(gdtr, _gdtr, 0x460, SVM_CLEAN_DT)                                                        \
	X(ldtr, ldtr, 0x470, SVM_CLEAN_NONE)                                                       \
	X(idtr, _idtr, 0x480, SVM_CLEAN_DT)                                                        \
	X(tr, tr, 0x490, SVM_CLEAN_NONE)

#define SVM_ASSERT_CACHED(type, area, name, offset, group, what)                                   \
	SVM_STATIC_ASSERT(offsetof(struct svm_vmcb, area._##name) == (offset), #name);
#define SVM_ASSERT_PLAIN(type, area, name, offset, what)                                           \
	SVM_STATIC_ASSERT(offsetof(struct svm_vmcb, area.name) == (offset), #name);
#define SVM_ASSERT_SEGMENT(name, field, offset, group)                                             \
	SVM_STATIC_ASSERT(offsetof(struct svm_vmcb, save.field) == (offset), #name);
SVM_VMCB_CACHED_FIELDS(SVM_ASSERT_CACHED)
SVM_VMCB_PLAIN_FIELDS(SVM_ASSERT_PLAIN)
SVM_VMCB_SEGMENTS(SVM_ASSERT_SEGMENT)
#undef SVM_ASSERT_CACHED
#undef SVM_ASSERT_PLAIN
#undef SVM_ASSERT_SEGMENT
SVM_STATIC_ASSERT(offsetof(struct svm_vmcb, control.insn_bytes) == 0x0d1, "insn_bytes");
SVM_STATIC_ASSERT(offsetof(struct svm_vmcb, control.software) == 0x3e0, "software");
SVM_STATIC_ASSERT(sizeof(struct svm_vmcb_segment) == 16, "a segment has 16 bytes");
SVM_STATIC_ASSERT(sizeof(struct svm_vmcb) == 4096, "a VMCB is one page");

/* Getter and setter of each cached field; the setter clears the group's clean bit. */
#define SVM_VMCB_ACCESSORS(type, area, name, offset, group, what)                                  \
	static inline type svm_vmcb_get_##name(const struct svm_vmcb *vmcb)                        \
	{                                                                                          \
		return vmcb->area._##name;                                                         \
	}                                                                                          \
	static inline void svm_vmcb_set_##name(struct svm_vmcb *vmcb, type value)                  \
	{                                                                                          \
		vmcb->area._##name = value;                                                        \
		vmcb->control.clean &= ~(group);                                                   \
	}
SVM_VMCB_CACHED_FIELDS(SVM_VMCB_ACCESSORS)
#undef SVM_VMCB_ACCESSORS

#define SVM_VMCB_SEGMENT_ACCESSORS(name, field, offset, group)                                     \
	static inline struct svm_vmcb_segment svm_vmcb_get_##name(const struct svm_vmcb *vmcb)     \
	{                                                                                          \
		return vmcb->save.field;                                                           \
	}                                                                                          \
	static inline void svm_vmcb_set_##name(struct svm_vmcb *vmcb,                              \
	                                       struct svm_vmcb_segment value)                      \
	{                                                                                          \
		vmcb->save.field = value;                                                          \
		vmcb->control.clean &= ~(group);                                                   \
	}
SVM_VMCB_SEGMENTS(SVM_VMCB_SEGMENT_ACCESSORS)
#undef SVM_VMCB_SEGMENT_ACCESSORS

/** The processor must reload every part: first run, another CPU, a VMCB that moved. */
static inline void svm_vmcb_mark_all_dirty(struct svm_vmcb *vmcb)
{
	vmcb->control.clean = 0;
}

/**
 * Intercepts are numbered like the exits they cause: intercept n is bit n % 32 of word n / 32
 * and exits with code n (APM vol. 2, appendix C).  @p n is below 192.
 */
static inline bool svm_vmcb_get_intercept(const struct svm_vmcb *vmcb, unsigned n)
{
	return (vmcb->control._intercept[n / 32] >> (n % 32)) & 1u;
}

/** Switch intercept @p n on or off. */
static inline void svm_vmcb_set_intercept(struct svm_vmcb *vmcb, unsigned n, bool on)
{
	const uint32_t bit = UINT32_C(1) << (n % 32);

	if (on)
		vmcb->control._intercept[n / 32] |= bit;
	else
		vmcb->control._intercept[n / 32] &= ~bit;
	vmcb->control.clean &= ~SVM_CLEAN_INTERCEPTS;
}

/** All 32 intercepts of word @p i, 0 … 5, at once. */
static inline void svm_vmcb_set_intercept_word(struct svm_vmcb *vmcb, unsigned i, uint32_t word)
{
	vmcb->control._intercept[i] = word;
	vmcb->control.clean &= ~SVM_CLEAN_INTERCEPTS;
}

/* TLB_CONTROL, offset 05Ch.  VMRUN does not reset it.  15.16.1. */
#define SVM_TLB_NOTHING    0u
#define SVM_TLB_FLUSH_ALL  1u /**< Every ASID; on every processor. */
#define SVM_TLB_FLUSH_ASID 3u /**< This ASID; needs FlushByAsid. */
#define SVM_TLB_FLUSH_NONGLOBAL 7u /**< This ASID's non-global entries; needs FlushByAsid. */

/* Virtual interrupt control, offset 060h.  15.21. */
#define SVM_INT_V_TPR          SVM_BITS(7, 0) /**< 3:0 hold CR8. */
#define SVM_INT_V_IRQ          SVM_BIT(8)
#define SVM_INT_V_GIF          SVM_BIT(9)
#define SVM_INT_V_NMI          SVM_BIT(11)
#define SVM_INT_V_NMI_MASK     SVM_BIT(12)
#define SVM_INT_V_PRIO         SVM_BITS(19, 16)
#define SVM_INT_V_IGN_TPR      SVM_BIT(20)
#define SVM_INT_V_MASKING      SVM_BIT(24) /**< Guest IF gates virtual interrupts only. */
#define SVM_INT_V_GIF_ENABLE   SVM_BIT(25)
#define SVM_INT_V_NMI_ENABLE   SVM_BIT(26)
#define SVM_INT_X2AVIC_ENABLE  SVM_BIT(30)
#define SVM_INT_AVIC_ENABLE    SVM_BIT(31)
#define SVM_INT_V_INTR_VECTOR  SVM_BITS(39, 32)

/* Interrupt state, offset 068h. */
#define SVM_INT_STATE_SHADOW SVM_BIT(0) /**< After STI or MOV SS. */
#define SVM_INT_STATE_MASK   SVM_BIT(1) /**< Guest interrupt mask (SEV-ES). */

/* Nested paging control, offset 090h. */
#define SVM_NP_ENABLE  SVM_BIT(0)
#define SVM_SEV_ENABLE SVM_BIT(1)
#define SVM_SEV_ES_ENABLE SVM_BIT(2)
#define SVM_GMET_ENABLE SVM_BIT(3)
#define SVM_SSS_ENABLE SVM_BIT(4)

/* Offset 0B8h. */
#define SVM_VIRT_LBR    SVM_BIT(0)
#define SVM_VIRT_VMLOAD SVM_BIT(1)
#define SVM_VIRT_IBS    SVM_BIT(2)
#define SVM_VIRT_PMC    SVM_BIT(3)

/* EVENTINJ (0A8h) and EXITINTINFO (088h).  15.7.2, 15.20. */
#define SVM_EVENT_VECTOR      SVM_BITS(7, 0)
#define SVM_EVENT_TYPE        SVM_BITS(10, 8)
#define SVM_EVENT_TYPE_INTR   UINT64_C(0)
#define SVM_EVENT_TYPE_NMI    UINT64_C(2)
#define SVM_EVENT_TYPE_EXCP   UINT64_C(3)
#define SVM_EVENT_TYPE_SOFT   UINT64_C(4) /**< INT n. */
#define SVM_EVENT_ERROR_VALID SVM_BIT(11)
#define SVM_EVENT_RESERVED    SVM_BITS(30, 12)
#define SVM_EVENT_VALID       SVM_BIT(31)
#define SVM_EVENT_ERROR       SVM_BITS(63, 32)

/* EXITINFO1 of an IOIO exit.  15.10.2. */
#define SVM_IOIO_IN        SVM_BIT(0)
#define SVM_IOIO_STRING    SVM_BIT(2)
#define SVM_IOIO_REP       SVM_BIT(3)
#define SVM_IOIO_SIZE_8    SVM_BIT(4)
#define SVM_IOIO_SIZE_16   SVM_BIT(5)
#define SVM_IOIO_SIZE_32   SVM_BIT(6)
#define SVM_IOIO_SIZE      SVM_BITS(6, 4) /**< The set bit's field value is the size in bytes. */
#define SVM_IOIO_ADDR_16   SVM_BIT(7)
#define SVM_IOIO_ADDR_32   SVM_BIT(8)
#define SVM_IOIO_ADDR_64   SVM_BIT(9)
#define SVM_IOIO_SEGMENT   SVM_BITS(12, 10) /**< Strings only, with decode assists. */
#define SVM_IOIO_PORT      SVM_BITS(31, 16)

/* EXITINFO1 of a nested page fault.  15.25.6. */
#define SVM_NPF_PRESENT  SVM_BIT(0)
#define SVM_NPF_WRITE    SVM_BIT(1)
#define SVM_NPF_USER     SVM_BIT(2)
#define SVM_NPF_RESERVED SVM_BIT(3)
#define SVM_NPF_FETCH    SVM_BIT(4)
#define SVM_NPF_SHADOW_STACK SVM_BIT(6)
#define SVM_NPF_FINAL    SVM_BIT(32) /**< While translating the final guest-physical address. */
#define SVM_NPF_WALK     SVM_BIT(33) /**< While walking the guest's page tables. */

/* EXITINFO1 of CR and DR exits with decode assists.  15.8.1. */
#define SVM_CR_MOV SVM_BIT(63)
#define SVM_CR_GPR SVM_BITS(3, 0)

/** @} */

#endif
