/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the processor offers.  APM vol. 3 appendix E; vol. 2, 3.1 for the reserved bits.
 *
 * Read once and kept: the rest of the library asks struct svm_features and never CPUID, so that
 * a feature mask, a test and a real processor look alike to it.
 */
#include <libsvm/host.h>
#include <libsvm/msrs.h>

#include "core/core.h"
#include "core/features.h"
#include "hal/ring0.h"

/*
 * x87, SSE, AVX, the two of MPX, the three of AVX-512, PKRU, the two of AMX: states whose rules in
 * XSETBV are known here (svm_xcr0_is_legal()).  A guest's XCR0 is loaded with GIF = 0, where a
 * #GP would be the host's end, so a state that is not known is not offered.
 */
#define XCR0_KNOWN (SVM_BITS(7, 0) | SVM_BIT(9) | SVM_BITS(18, 17))

static bool bit(uint32_t word, unsigned n)
{
	return (word >> n) & 1u;
}

static void put_string(char *to, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (char)(word >> (8 * i));
}

/* MAXPHYADDR; 36 where CPUID does not say.  Beyond 52 no page table entry could follow. */
static uint8_t address_bits(uint32_t told)
{
	if (!told)
		return 36;
	return (uint8_t)(told < 32 ? 32 : told > 52 ? 52 : told);
}

static void read_identity(struct svm_features *f)
{
	const struct svm_cpuid_regs vendor = svm_ring0_cpuid(0, 0);
	const struct svm_cpuid_regs id = svm_ring0_cpuid(1, 0);
	const uint32_t family = (id.eax >> 8) & 0xf;

	put_string(f->vendor, vendor.ebx);
	put_string(f->vendor + 4, vendor.edx);
	put_string(f->vendor + 8, vendor.ecx);
	f->family = family + (family == 0xf ? (id.eax >> 20) & 0xff : 0);
	f->model = ((id.eax >> 4) & 0xf) | (family == 0xf ? ((id.eax >> 16) & 0xf) << 4 : 0);
	f->stepping = id.eax & 0xf;
}

/*
 * XSAVE counts only if the host has switched it on, and then only for the states that the host's
 * XCR0 holds: the guest's registers are saved under it.
 */
static void read_xsave(struct svm_features *f, uint32_t leaf1_ecx, uint32_t max_leaf)
{
	if (!bit(leaf1_ecx, 26) || max_leaf < 0xd ||
	    !(svm_ring0_read_cr(SVM_CR4) & CR4_OSXSAVE))
		return;

	const struct svm_cpuid_regs size = svm_ring0_cpuid(0xd, 0);
	const struct svm_cpuid_regs extra = svm_ring0_cpuid(0xd, 1);

	f->xsave = true;
	f->xcr0 = svm_ring0_xgetbv0() & (((uint64_t)size.edx << 32) | size.eax) & XCR0_KNOWN;
	f->xsave_size = size.ebx;
	f->xsaveopt = bit(extra.eax, 0);
	f->xsaves = bit(extra.eax, 3);
}

static uint64_t cr4_reserved(const struct svm_features *f, uint32_t leaf1_ecx, uint32_t leaf1_edx,
                             struct svm_cpuid_regs leaf7)
{
	uint64_t allowed = SVM_BIT(0) | SVM_BIT(1) | SVM_BIT(2) | SVM_BIT(3) | SVM_BIT(4) |
	                   SVM_BIT(5) | SVM_BIT(6) | SVM_BIT(7) | SVM_BIT(8);
	/* CR4 bit, and whether CPUID has it. */
	const struct {
		unsigned cr4;
		bool there;
	} optional[] = {
		{ 9, bit(leaf1_edx, 24) },     /* OSFXSR */
		{ 10, bit(leaf1_edx, 25) },    /* OSXMMEXCPT */
		{ 11, f->umip },               /* UMIP */
		{ 12, f->la57 },               /* LA57 */
		{ 16, bit(leaf7.ebx, 0) },     /* FSGSBASE */
		{ 17, bit(leaf1_ecx, 17) },    /* PCIDE */
		{ 18, f->xsave },              /* OSXSAVE */
		{ 20, f->smep },               /* SMEP */
		{ 21, f->smap },               /* SMAP */
		{ 22, f->pku },                /* PKE */
		{ 23, bit(leaf7.ecx, 7) },     /* CET */
	};

	for (size_t i = 0; i < SVM_ARRAY_SIZE(optional); i++)
		if (optional[i].there)
			allowed |= SVM_BIT(optional[i].cr4);
	return ~allowed;
}

static uint64_t efer_reserved(const struct svm_features *f, struct svm_cpuid_regs ext1,
                              struct svm_cpuid_regs ext8, struct svm_cpuid_regs ext21)
{
	uint64_t allowed = SVM_BIT(0);
	const struct {
		unsigned efer;
		bool there;
	} optional[] = {
		{ 8, f->long_mode },            /* LME */
		{ 10, f->long_mode },           /* LMA */
		{ 11, f->nx },                  /* NXE */
		{ 12, f->has_svm },             /* SVME */
		{ 13, f->long_mode && !bit(ext8.ebx, 20) }, /* LMSLE */
		{ 14, bit(ext1.edx, 25) },      /* FFXSR */
		{ 15, bit(ext1.ecx, 17) },      /* TCE */
		{ 17, bit(ext8.ebx, 8) },       /* MCOMMIT */
		{ 18, bit(ext8.ebx, 13) },      /* INTWB */
		{ 20, bit(ext21.eax, 7) },      /* UAIE */
		{ 21, bit(ext21.eax, 8) },      /* AIBRSE */
	};

	for (size_t i = 0; i < SVM_ARRAY_SIZE(optional); i++)
		if (optional[i].there)
			allowed |= SVM_BIT(optional[i].efer);
	return ~allowed;
}

/*
 * Bits of SPEC_CTRL.  AMD counts them one by one in Fn8000_0008 EBX; the bits of leaf 7 are those
 * by which other vendors' software, and some hypervisors, say the same.
 */
static uint64_t spec_ctrl_bits(struct svm_cpuid_regs ext8, struct svm_cpuid_regs leaf7)
{
	uint64_t bits = 0;

	if (bit(ext8.ebx, 14) || bit(leaf7.edx, 26))
		bits |= SPEC_CTRL_IBRS;
	if (bit(ext8.ebx, 15) || bit(leaf7.edx, 27))
		bits |= SPEC_CTRL_STIBP;
	if (bit(ext8.ebx, 24) || bit(leaf7.edx, 31))
		bits |= SPEC_CTRL_SSBD;
	if (bit(ext8.ebx, 28))
		bits |= SPEC_CTRL_PSFD;
	return bits;
}

/* QEMU's TCG may deliver an interrupt of EVENTINJ again.  It says its name where hypervisors do. */
static bool is_tcg(struct svm_cpuid_regs leaf1)
{
	struct svm_cpuid_regs leaf;
	char name[13] = "";

	if (!bit(leaf1.ecx, 31))
		return false;
	leaf = svm_ring0_cpuid(0x40000000, 0);
	put_string(name, leaf.ebx);
	put_string(name + 4, leaf.ecx);
	put_string(name + 8, leaf.edx);
	return memcmp(name, "TCGTCGTCGTCG", sizeof(name)) == 0;
}

/* Nested paging follows the host's own paging at VMRUN: its NXE and its levels (15.25.3). */
static void read_host_paging(struct svm_features *f)
{
	f->host_nx = f->nx && (svm_ring0_rdmsr(SVM_MSR_EFER) & EFER_NXE);
	f->host_la57 = svm_ring0_read_cr(SVM_CR4) & CR4_LA57;
}

static void read_features(struct svm_features *f)
{
	const struct svm_cpuid_regs none = { 0, 0, 0, 0 };
	const uint32_t max_leaf = svm_ring0_cpuid(0, 0).eax;
	const uint32_t max_ext = svm_ring0_cpuid(0x80000000, 0).eax;
	const struct svm_cpuid_regs leaf1 = svm_ring0_cpuid(1, 0);
	const struct svm_cpuid_regs leaf7 = max_leaf >= 7 ? svm_ring0_cpuid(7, 0) : none;
	const struct svm_cpuid_regs ext1 =
		max_ext >= 0x80000001 ? svm_ring0_cpuid(0x80000001, 0) : none;
	const struct svm_cpuid_regs ext8 =
		max_ext >= 0x80000008 ? svm_ring0_cpuid(0x80000008, 0) : none;
	const struct svm_cpuid_regs exta =
		max_ext >= 0x8000000a ? svm_ring0_cpuid(0x8000000a, 0) : none;
	const struct svm_cpuid_regs ext21 =
		max_ext >= 0x80000021 ? svm_ring0_cpuid(0x80000021, 0) : none;

	read_identity(f);
	f->has_svm = bit(ext1.ecx, 2) && exta.ebx >= 2; /* ASID 0 is the host's: 15.16. */
	f->nx = bit(ext1.edx, 20);
	f->page_1g = bit(ext1.edx, 26);
	f->rdtscp = bit(ext1.edx, 27);
	f->long_mode = bit(ext1.edx, 29);
	f->smep = bit(leaf7.ebx, 7);
	f->smap = bit(leaf7.ebx, 20);
	f->umip = bit(leaf7.ecx, 2);
	f->pku = bit(leaf7.ecx, 3);
	f->la57 = bit(leaf7.ecx, 16);
	f->physical_bits = address_bits(ext8.eax & 0xff);
	f->linear_bits = f->la57 ? 57 : 48;
	f->invlpgb = bit(ext8.ebx, 3);
	f->mcommit = bit(ext8.ebx, 8);
	f->ibpb = bit(ext8.ebx, 12);
	f->spec_ctrl_bits = spec_ctrl_bits(ext8, leaf7);
	f->spec_ctrl = f->spec_ctrl_bits != 0;
	f->is_tcg = is_tcg(leaf1);
	if (f->has_svm) {
		f->svm_revision = (uint8_t)(exta.eax & 0xff);
		f->asid_count = exta.ebx;
		f->svm = exta.edx;
		f->svm_ecx = exta.ecx;
	}
	if (f->has_svm) /* EFER exists. */
		read_host_paging(f);
	read_xsave(f, leaf1.ecx, max_leaf);
	f->cr0_reserved = SVM_BITS(63, 32);
	f->cr4_reserved = cr4_reserved(f, leaf1.ecx, leaf1.edx, leaf7);
	f->efer_reserved = efer_reserved(f, ext1, ext8, ext21);
}

static void hide(struct svm_features *f, const struct svm_feature_mask *mask)
{
	f->svm &= mask->svm_edx;
	f->svm_ecx &= mask->svm_ecx;
	if (mask->no_huge_1g)
		f->page_1g = false;
}

/* Why SVM cannot be used although the processor has it.  APM vol. 2, 15.4, 15.30.1. */
static int check_vm_cr(const struct svm_features *f, uint64_t vm_cr)
{
	if (!(vm_cr & VM_CR_SVMDIS))
		return 0;
	if (!(vm_cr & VM_CR_LOCK))
		return SVM_ERR_SVM_DISABLED;
	return f->svm & SVM_FEATURE_LOCK ? SVM_ERR_SVM_LOCKED_KEY : SVM_ERR_SVM_LOCKED;
}

int svm_features_probe(const struct svm_hal *hal, struct svm_features *features)
{
	uint64_t vm_cr = 0;
	int error;

	memset(features, 0, sizeof(*features)); /* With its padding: it is compared whole. */
	read_features(features);
	if (!features->has_svm)
		return SVM_ERR_NO_SVM;

	/*
	 * VM_CR is part of SVM, yet an emulator may lack it; a host that can read MSRs safely
	 * does, and a register that is not there disables nothing.
	 */
	if (hal && hal->rdmsr_safe) {
		if (!hal->rdmsr_safe(hal->ctx, SVM_MSR_VM_CR, &vm_cr))
			vm_cr = 0;
	} else {
		vm_cr = svm_ring0_rdmsr(SVM_MSR_VM_CR);
	}
	error = check_vm_cr(features, vm_cr);
	if (error)
		return error;
	if (svm_ring0_rdmsr(SVM_MSR_EFER) & EFER_SVME)
		error = SVM_ERR_SVM_IN_USE;

	if (hal && hal->features)
		hide(features, hal->features);
	if (!error && !(features->svm & SVM_FEATURE_NPT))
		error = SVM_ERR_NO_NPT;
	return error;
}
