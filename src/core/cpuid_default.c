/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a guest is told by default.
 *
 * Three kinds of leaves: feature bits go through the list of cpuid_bits.h; descriptions that bind
 * nobody to anything (name, caches, TLBs) are the processor's own; the rest is made here.  A leaf
 * that is none of these is absent and reads as zeros, which is what an AMD processor answers for
 * a leaf that it lacks.
 */
#include "core/core.h"
#include "core/cpuid_bits.h"
#include "core/cpuid_default.h"

#define CR4_FSGSBASE SVM_BIT(16)
#define CR4_PCIDE    SVM_BIT(17)
#define CR4_LA57     SVM_BIT(12)
#define EFER_FFXSR   SVM_BIT(14)
#define EFER_AIBRSE  SVM_BIT(21)
#define XCR0_AVX     SVM_BIT(2)
#define XCR0_AVX512  SVM_BITS(7, 5)
#define XCR0_PKRU    SVM_BIT(9)

#define LEAF_BASIC_MAX    0x0000000du
#define LEAF_EXTENDED_MAX 0x80000021u
#define LEAF_EXTENDED     0x80000000u

#define HYPERVISOR UINT32_C(0x80000000) /* Fn0000_0001 ECX. */
#define CLFLUSH    UINT32_C(0x0000ff00) /* Fn0000_0001 EBX: line size in units of 8 bytes. */

struct allowed_bit {
	uint32_t leaf, subleaf;
	struct svm_cpuid_regs mask;
	enum svm_cpuid_need need;
};

static const struct allowed_bit allowed_bits[] = {
#define ALLOWED_BIT(leaf, subleaf, reg, bit, name, need)                                           \
	{ (leaf), (subleaf), { .reg = UINT32_C(1) << (bit) }, SVM_CPUID_NEED_##need },
	SVM_CPUID_ALLOWED(ALLOWED_BIT)
#undef ALLOWED_BIT
};

/* Where rows go; count runs on past room. */
struct cpuid_writer {
	svm_cpuid_query_fn query;
	const struct svm_features *features;
	struct svm_cpuid_entry *entries;
	size_t room, count;
};

static bool need_is_met(const struct svm_features *f, enum svm_cpuid_need need)
{
	switch (need) {
	case SVM_CPUID_NEED_NOTHING:
		return true;
	case SVM_CPUID_NEED_XSAVE:
		return f->xsave;
	case SVM_CPUID_NEED_XSAVEOPT:
		return f->xsave && f->xsaveopt;
	case SVM_CPUID_NEED_XSAVES:
		return f->xsave && f->xsaves;
	case SVM_CPUID_NEED_AVX:
		return f->xsave && (f->xcr0 & XCR0_AVX);
	case SVM_CPUID_NEED_AVX512:
		return f->xsave && (f->xcr0 & XCR0_AVX) && (f->xcr0 & XCR0_AVX512) == XCR0_AVX512;
	case SVM_CPUID_NEED_PKU:
		return f->pku && f->xsave && (f->xcr0 & XCR0_PKRU);
	case SVM_CPUID_NEED_PCID:
		return !(f->cr4_reserved & CR4_PCIDE);
	case SVM_CPUID_NEED_FSGSBASE:
		return !(f->cr4_reserved & CR4_FSGSBASE);
	case SVM_CPUID_NEED_SMEP:
		return f->smep;
	case SVM_CPUID_NEED_SMAP:
		return f->smap;
	case SVM_CPUID_NEED_UMIP:
		return f->umip;
	case SVM_CPUID_NEED_LA57:
		return f->la57 && !(f->cr4_reserved & CR4_LA57);
	case SVM_CPUID_NEED_RDTSCP:
		return f->rdtscp;
	case SVM_CPUID_NEED_NX:
		return f->nx;
	case SVM_CPUID_NEED_LONG_MODE:
		return f->long_mode;
	case SVM_CPUID_NEED_PAGE_1G:
		return f->long_mode && f->page_1g;
	case SVM_CPUID_NEED_FFXSR:
		return !(f->efer_reserved & EFER_FFXSR);
	case SVM_CPUID_NEED_AIBRS:
		return !(f->efer_reserved & EFER_AIBRSE);
	case SVM_CPUID_NEED_IBPB:
		return f->ibpb;
	case SVM_CPUID_NEED_SPEC_CTRL:
		return f->spec_ctrl;
	}
	return false;
}

static struct svm_cpuid_regs allowed_mask(const struct svm_features *features, uint32_t leaf,
                                          uint32_t subleaf)
{
	struct svm_cpuid_regs mask = { 0, 0, 0, 0 };

	for (size_t i = 0; i < SVM_ARRAY_SIZE(allowed_bits); i++) {
		const struct allowed_bit *bit = &allowed_bits[i];

		if (bit->leaf != leaf || bit->subleaf != subleaf ||
		    !need_is_met(features, bit->need))
			continue;
		mask.eax |= bit->mask.eax;
		mask.ebx |= bit->mask.ebx;
		mask.ecx |= bit->mask.ecx;
		mask.edx |= bit->mask.edx;
	}
	return mask;
}

/* The processor's answer, of which only the allowed feature bits remain. */
static struct svm_cpuid_regs allowed(const struct cpuid_writer *w, uint32_t leaf, uint32_t subleaf)
{
	struct svm_cpuid_regs regs = w->query(leaf, subleaf);
	const struct svm_cpuid_regs mask = allowed_mask(w->features, leaf, subleaf);

	regs.eax &= mask.eax;
	regs.ebx &= mask.ebx;
	regs.ecx &= mask.ecx;
	regs.edx &= mask.edx;
	return regs;
}

static void put_row(struct cpuid_writer *w, uint32_t leaf, uint32_t subleaf, bool subleaf_matters,
                    struct svm_cpuid_regs regs)
{
	if (w->count < w->room)
		w->entries[w->count] = (struct svm_cpuid_entry){
			.leaf = leaf,
			.subleaf = subleaf,
			.subleaf_matters = subleaf_matters,
			.eax = regs.eax,
			.ebx = regs.ebx,
			.ecx = regs.ecx,
			.edx = regs.edx,
		};
	w->count++;
}

static void put_leaf(struct cpuid_writer *w, uint32_t leaf, struct svm_cpuid_regs regs)
{
	put_row(w, leaf, 0, false, regs);
}

/* The signature and the cache line are the processor's; OSXSAVE and the APIC ID are dynamic. */
static struct svm_cpuid_regs leaf_features(const struct cpuid_writer *w)
{
	const struct svm_cpuid_regs host = w->query(1, 0);
	struct svm_cpuid_regs regs = allowed(w, 1, 0);

	regs.eax = host.eax;
	regs.ebx = host.ebx & CLFLUSH;
	regs.ecx |= HYPERVISOR;
	return regs;
}

static void put_structured_features(struct cpuid_writer *w)
{
	const bool has_second = w->query(7, 0).eax >= 1;
	struct svm_cpuid_regs regs = allowed(w, 7, 0);

	regs.eax = has_second;
	put_row(w, 7, 0, true, regs);
	if (has_second)
		put_row(w, 7, 1, true, allowed(w, 7, 1));
}

/* Extended topology: one thread in each core.  Shifts and counts are the topology's to set. */
static void put_topology(struct cpuid_writer *w)
{
	put_row(w, 0xb, 0, true, (struct svm_cpuid_regs){ 0, 1, 0x100, 0 });
	put_row(w, 0xb, 1, true, (struct svm_cpuid_regs){ 0, 1, 0x201, 0 });
}

/*
 * XSAVE states: those that XCR0 may hold, with the processor's own sizes and offsets, for the
 * guest executes XSAVE itself.  No supervisor state: nobody switches one.
 */
static void put_xsave(struct cpuid_writer *w)
{
	const uint64_t xcr0 = w->features->xcr0;
	struct svm_cpuid_regs regs = { (uint32_t)xcr0, 576, w->features->xsave_size,
		                       (uint32_t)(xcr0 >> 32) };

	put_row(w, 0xd, 0, true, regs);
	regs = allowed(w, 0xd, 1);
	regs.ebx = 0; /* Dynamic. */
	put_row(w, 0xd, 1, true, regs);
	for (uint32_t i = 2; i < 63; i++) {
		if (!(xcr0 & SVM_BIT(i)))
			continue;
		regs = w->query(0xd, i);
		regs.ecx &= 2; /* Aligned in the compacted form; not a supervisor state. */
		regs.edx = 0;
		put_row(w, 0xd, i, true, regs);
	}
}

static void put_basic(struct cpuid_writer *w)
{
	const struct svm_cpuid_regs vendor = w->query(0, 0);
	const uint32_t max =
		w->features->xsave ? LEAF_BASIC_MAX : (uint32_t)svm_min(vendor.eax, 0xb);

	put_leaf(w, 0, (struct svm_cpuid_regs){ max, vendor.ebx, vendor.ecx, vendor.edx });
	put_leaf(w, 1, leaf_features(w));
	if (max >= 6)
		put_leaf(w, 6, allowed(w, 6, 0));
	if (max >= 7)
		put_structured_features(w);
	if (max >= 0xb)
		put_topology(w);
	if (w->features->xsave)
		put_xsave(w);
}

static struct svm_cpuid_regs leaf_sizes(const struct cpuid_writer *w)
{
	struct svm_cpuid_regs regs = allowed(w, 0x80000008, 0);

	regs.eax = w->features->physical_bits | (uint32_t)w->features->linear_bits << 8;
	return regs;
}

/* Cache topology: at most four levels in use, then one row of type 0 ends the list. */
static void put_caches(struct cpuid_writer *w)
{
	for (uint32_t i = 0; i < 8; i++) {
		const struct svm_cpuid_regs regs = w->query(0x8000001d, i);

		put_row(w, 0x8000001d, i, true, regs);
		if (!(regs.eax & 0x1f))
			break;
	}
}

static void put_extended(struct cpuid_writer *w)
{
	const struct svm_cpuid_regs vendor = w->query(LEAF_EXTENDED, 0);
	const uint32_t max = (uint32_t)svm_min(vendor.eax, LEAF_EXTENDED_MAX);
	const struct svm_cpuid_regs host = w->query(0x80000001, 0);
	struct svm_cpuid_regs regs;

	if (max < 0x80000001)
		return;
	put_leaf(w, LEAF_EXTENDED,
	         (struct svm_cpuid_regs){ max, vendor.ebx, vendor.ecx, vendor.edx });
	regs = allowed(w, 0x80000001, 0);
	regs.eax = host.eax;
	regs.ebx = host.ebx;
	put_leaf(w, 0x80000001, regs);
	/* Name, first and second level caches and TLBs. */
	for (uint32_t leaf = 0x80000002; leaf <= 0x80000006 && leaf <= max; leaf++)
		put_leaf(w, leaf, w->query(leaf, 0));
	if (max >= 0x80000007)
		put_leaf(w, 0x80000007, allowed(w, 0x80000007, 0));
	if (max >= 0x80000008)
		put_leaf(w, 0x80000008, leaf_sizes(w));
	if (max >= 0x8000000a) /* SVM is hidden: say so rather than leave the leaf out. */
		put_leaf(w, 0x8000000a, (struct svm_cpuid_regs){ 0, 0, 0, 0 });
	if (max >= 0x80000019) /* TLBs for 1 GiB pages. */
		put_leaf(w, 0x80000019, w->query(0x80000019, 0));
	if (max >= 0x8000001a)
		put_leaf(w, 0x8000001a, allowed(w, 0x8000001a, 0));
	if (max >= 0x8000001d)
		put_caches(w);
	if (max >= 0x8000001e) /* The IDs are dynamic; one node. */
		put_leaf(w, 0x8000001e, (struct svm_cpuid_regs){ 0, 0, 0, 0 });
	if (max >= 0x8000001f) /* No SME, no SEV. */
		put_leaf(w, 0x8000001f, (struct svm_cpuid_regs){ 0, 0, 0, 0 });
	if (max >= 0x80000021)
		put_leaf(w, 0x80000021, allowed(w, 0x80000021, 0));
}

size_t svm_cpuid_make(svm_cpuid_query_fn query, const struct svm_features *features,
                      struct svm_cpuid_entry *entries, size_t room)
{
	struct cpuid_writer w = {
		.query = query,
		.features = features,
		.entries = entries,
		.room = room,
	};

	put_basic(&w);
	put_extended(&w);
	return w.count;
}

/* Fields that count processors. */
#define F1_LOGICAL   UINT32_C(0x00ff0000) /* EBX. */
#define F1_HTT       SVM_BIT(28)          /* EDX. */
#define E1_CMPLEGACY SVM_BIT(1)           /* Fn8000_0001 ECX: HTT means cores, not threads. */
#define E8_NC        UINT32_C(0x000000ff) /* ECX: cores less one. */
#define E8_ID_SIZE   UINT32_C(0x0000f000)
#define CACHE_LEVEL  UINT32_C(0x000000e0) /* Fn8000_001D EAX. */
#define CACHE_SHARED UINT32_C(0x03ffc000) /* Cores that share it, less one. */

/* Bits that hold the numbers 0 to count - 1. */
static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while (bits < 31 && (UINT32_C(1) << bits) < count)
		bits++;
	return bits;
}

static void set_field(uint32_t *value, uint32_t mask, uint32_t field)
{
	*value = (*value & ~mask) | (uint32_t)svm_bits_put(field, mask);
}

void svm_cpuid_set_topology(struct svm_cpuid_entry *entries, size_t count, uint32_t cpus)
{
	const bool many = cpus > 1;

	for (size_t i = 0; i < count; i++) {
		struct svm_cpuid_entry *e = &entries[i];

		switch (e->leaf) {
		case 0x00000001:
			set_field(&e->ebx, F1_LOGICAL, (uint32_t)svm_min(cpus, 255));
			set_field(&e->edx, F1_HTT, many);
			break;
		case 0x0000000b:
			/* Level 0 numbers threads in a core, level 1 cores in the package. */
			e->eax = e->subleaf == 1 ? bits_for(cpus) : 0;
			e->ebx = e->subleaf == 1 ? cpus : 1;
			break;
		case 0x80000001:
			set_field(&e->ecx, E1_CMPLEGACY, many);
			break;
		case 0x80000008:
			set_field(&e->ecx, E8_NC, (uint32_t)svm_min(cpus - 1, 255));
			set_field(&e->ecx, E8_ID_SIZE, bits_for(cpus));
			break;
		case 0x8000001d:
			set_field(&e->eax, CACHE_SHARED,
			          svm_bits_get(e->eax, CACHE_LEVEL) >= 3 ? cpus - 1 : 0);
			break;
		default:
			break;
		}
	}
}
