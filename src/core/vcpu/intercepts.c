/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which instructions and events leave the guest.  APM vol. 2, 15.7 to 15.14.
 *
 * The floor comes from the table in exit_codes.h and is ORed in last, so that no policy, no
 * debugger and no bug above it can clear a bit of it.
 */
#include "core/features.h"
#include "core/vcpu/exits.h"

#define WORDS 6u

enum intercept_use {
	NEVER,
	OFF,
	ON,
	FLOOR,
};

static const struct {
	uint16_t code;
	uint8_t use;
} singles[] = {
#define SINGLE(name, code, use, text) { (code), (use) },
	SVM_EXIT_CODES(SINGLE)
#undef SINGLE
};

static const struct {
	uint16_t first, count;
	uint8_t use;
} ranges[] = {
#define RANGE(name, first, count, use, text) { (first), (count), (use) },
	SVM_EXIT_RANGES(RANGE)
#undef RANGE
};

/* Exceptions that are part of the floor: a guest can make the first two repeat for ever. */
static const uint8_t floor_exceptions[] = { SVM_VECTOR_DB, SVM_VECTOR_AC, SVM_VECTOR_MC };

static void set(uint32_t *words, unsigned n)
{
	words[n / 32] |= UINT32_C(1) << (n % 32);
}

/* Word 5 holds bits of instructions that older processors lack and must then be 0 (SBZ). */
static bool processor_has(const struct svm_features *f, unsigned code)
{
	switch (code) {
	case SVM_EXIT_INVLPGB:
	case SVM_EXIT_INVLPGB_ILLEGAL:
	case SVM_EXIT_TLBSYNC:
		return f->invlpgb;
	case SVM_EXIT_MCOMMIT:
		return f->mcommit;
	case SVM_EXIT_BUS_LOCK:
		return f->svm & SVM_FEATURE_BUS_LOCK;
	case SVM_EXIT_IDLE_HLT:
		return f->svm & SVM_FEATURE_IDLE_HLT;
	default:
		return true;
	}
}

static void add_use(const struct svm_vcpu *vcpu, uint32_t *words, enum intercept_use use)
{
	for (size_t i = 0; i < SVM_ARRAY_SIZE(singles); i++)
		if (singles[i].use == use && singles[i].code < WORDS * 32 &&
		    processor_has(&vcpu->vm->host->features, singles[i].code))
			set(words, singles[i].code);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(ranges); i++)
		for (unsigned n = 0; n < ranges[i].count && ranges[i].use == use; n++)
			set(words, ranges[i].first + n);
}

static void add_floor(const struct svm_vcpu *vcpu, uint32_t *words)
{
	add_use(vcpu, words, FLOOR);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(floor_exceptions); i++)
		set(words, SVM_EXIT_EXCEPTION + floor_exceptions[i]);
	/* CR4 decides what the library may switch; its reserved bits follow the CPUID table. */
	set(words, SVM_EXIT_CR_WRITE + 4);
}

static void add_wishes(const struct svm_vcpu *vcpu, uint32_t *words)
{
	const uint64_t want = vcpu->vm->want;

	if (want & SVM_WANT_PAUSE)
		set(words, SVM_EXIT_PAUSE);
	if (want & SVM_WANT_CR) {
		set(words, SVM_EXIT_CR_READ + 0);
		set(words, SVM_EXIT_CR_READ + 4);
		set(words, SVM_EXIT_CR_WRITE + 0);
		set(words, SVM_EXIT_CR_WRITE + 3);
	}
	if (want & SVM_WANT_DEBUG)
		set(words, SVM_EXIT_EXCEPTION + SVM_VECTOR_BP);
	if (want & SVM_WANT_UD)
		set(words, SVM_EXIT_EXCEPTION + SVM_VECTOR_UD);
	for (unsigned i = 0; i < WORDS; i++)
		words[i] |= (uint32_t)(vcpu->extra_intercepts[i / 2] >> (i % 2 * 32));
}

/* Windows open and close while the guest runs; see events.c. */
static void keep_windows(const struct svm_vcpu *vcpu, uint32_t *words)
{
	static const uint16_t windows[] = { SVM_EXIT_VINTR, SVM_EXIT_IRET, SVM_EXIT_CR_WRITE + 8 };

	for (size_t i = 0; i < SVM_ARRAY_SIZE(windows); i++)
		if (svm_vmcb_get_intercept(vcpu->vmcb, windows[i]))
			set(words, windows[i]);
}

void svm_vcpu_update_intercepts(struct svm_vcpu *vcpu)
{
	uint32_t words[WORDS] = { 0 };

	add_use(vcpu, words, ON);
	/* An SMI that an open port raised could be given to nobody: STGI is undefined (15.22.3). */
	if (vcpu->vm->config.smi_passthrough || vcpu->vm->io.owns_map)
		words[SVM_EXIT_SMI / 32] &= ~(UINT32_C(1) << (SVM_EXIT_SMI % 32));
	if (vcpu->guest_debugs && !vcpu->debugger.is_on)
		words[SVM_EXIT_DR_READ / 32] = 0; /* Both families are that word. */
	add_wishes(vcpu, words);
	keep_windows(vcpu, words);
	add_floor(vcpu, words);
	for (unsigned i = 0; i < WORDS; i++)
		svm_vmcb_set_intercept_word(vcpu->vmcb, i, words[i]);
}

static bool is_floor(const struct svm_vcpu *vcpu, unsigned code)
{
	uint32_t words[WORDS] = { 0 };

	add_floor(vcpu, words);
	return (words[code / 32] >> (code % 32)) & 1u;
}

bool svm_vcpu_debugger_wants(const struct svm_vcpu *vcpu, unsigned code)
{
	return vcpu->extra_intercepts[code / 64] & SVM_BIT(code % 64);
}

bool svm_vcpu_wants_control(const struct svm_vcpu *vcpu, unsigned n, bool is_write)
{
	if ((vcpu->vm->want & SVM_WANT_CR) && n != 8)
		return true;
	return svm_vcpu_debugger_wants(vcpu, (is_write ? SVM_EXIT_CR_WRITE : SVM_EXIT_CR_READ) + n);
}

/* In the tables, and of this processor: VMRUN may refuse a bit that no feature stands for. */
static bool exists(const struct svm_vcpu *vcpu, unsigned code)
{
	/* Vectors 2 and 9 raise no such exception: their bits are undefined (15.12.3, 15.12.10). */
	if (code == SVM_EXIT_EXCEPTION + 2 || code == SVM_EXIT_EXCEPTION + 9)
		return false;
	for (size_t i = 0; i < SVM_ARRAY_SIZE(singles); i++)
		if (singles[i].code == code)
			return singles[i].use != NEVER &&
			       processor_has(&vcpu->vm->host->features, code);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code < (unsigned)ranges[i].first + ranges[i].count)
			return ranges[i].use != NEVER;
	return false;
}

/* Opened and closed by events.c, which takes the exits as its own. */
static bool is_window(unsigned code)
{
	return code == SVM_EXIT_VINTR || code == SVM_EXIT_IRET;
}

int svm_vcpu_set_intercept(struct svm_vcpu *vcpu, unsigned exit_code, bool on)
{
	if (exit_code >= WORDS * 32 || is_floor(vcpu, exit_code) || is_window(exit_code) ||
	    !exists(vcpu, exit_code))
		return SVM_ERR_INVAL;
	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING)
		return SVM_ERR_STATE;
	if (on) {
		vcpu->extra_intercepts[exit_code / 64] |= SVM_BIT(exit_code % 64);
	} else {
		vcpu->extra_intercepts[exit_code / 64] &= ~SVM_BIT(exit_code % 64);
		/* Else CR8 would count as an open window.  events.c opens it again if it is one. */
		svm_vmcb_set_intercept(vcpu->vmcb, exit_code, false);
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	}
	svm_vcpu_update_intercepts(vcpu);
	return 0;
}

void svm_vcpu_init_control(struct svm_vcpu *vcpu)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	const struct svm_vm *vm = vcpu->vm;

	svm_vmcb_mark_all_dirty(vmcb);
	svm_vmcb_set_iopm_base(vmcb, vm->io.iopm_hpa);
	svm_vmcb_set_msrpm_base(vmcb, vm->msr.msrpm_hpa);
	svm_vmcb_set_int_control(vmcb, SVM_INT_V_MASKING);
	svm_vmcb_set_np_control(vmcb, SVM_NP_ENABLE);
	svm_vmcb_set_ncr3(vmcb, vm->memory.root_hpa);
	svm_vmcb_set_asid(vmcb, 1);
}
