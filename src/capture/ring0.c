/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the library reads of the processor: registers, and the guest's state after each exit.
 *
 * A VMCB and the switch block are recorded as the words that differ from what was there on the
 * other side of the world switch, and so on both sides: in front of it what the library made,
 * behind it what the guest did.
 */
#include "capture/capture.h"

#define FXSAVE_SIZE 512u

struct svm_cpuid_regs __real_svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf);
struct svm_cpuid_regs __wrap_svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t __real_svm_ring0_rdmsr(uint32_t msr);
uint64_t __wrap_svm_ring0_rdmsr(uint32_t msr);
void __real_svm_ring0_wrmsr(uint32_t msr, uint64_t value);
void __wrap_svm_ring0_wrmsr(uint32_t msr, uint64_t value);
uint64_t __real_svm_ring0_read_cr(enum svm_control_register cr);
uint64_t __wrap_svm_ring0_read_cr(enum svm_control_register cr);
uint64_t __real_svm_ring0_read_dr(unsigned n);
uint64_t __wrap_svm_ring0_read_dr(unsigned n);
uint64_t __real_svm_ring0_rdtsc(void);
uint64_t __wrap_svm_ring0_rdtsc(void);
uint64_t __real_svm_ring0_xgetbv0(void);
uint64_t __wrap_svm_ring0_xgetbv0(void);
void __real_svm_ring0_xsave(void *area, uint64_t mask);
void __wrap_svm_ring0_xsave(void *area, uint64_t mask);
void __real_svm_ring0_fxsave(void *area);
void __wrap_svm_ring0_fxsave(void *area);
uint64_t __real_svm_ring0_irq_save(void);
uint64_t __wrap_svm_ring0_irq_save(void);
uint64_t __real_svm_world_switch(struct svm_switch *s);
uint64_t __wrap_svm_world_switch(struct svm_switch *s);

/*
 * A processor that is a model executes its guest on the thread that enters it, with these functions
 * and with GIF = 0, when the HAL may not be asked whose CPU this is.  A real one calls nobody.
 */
#if __STDC_HOSTED__
static _Thread_local bool in_guest;

static void set_in_guest(bool now)
{
	in_guest = now;
}

static bool is_in_guest(void)
{
	return in_guest;
}
#else
static void set_in_guest(bool now)
{
	(void)now;
}

static bool is_in_guest(void)
{
	return false;
}
#endif

static bool is_recorded(void)
{
	return !is_in_guest() && svm_capture_inside();
}

/* One number that was asked for by another. */
static void note(enum svm_capture_event event, uint64_t which, uint64_t value)
{
	if (!is_recorded())
		return;
	svm_capture_asyncs();
	svm_capture_event(event);
	svm_capture_number(which);
	svm_capture_number(value);
}

static void note_value(enum svm_capture_event event, uint64_t value)
{
	if (!is_recorded())
		return;
	svm_capture_asyncs();
	svm_capture_event(event);
	svm_capture_number(value);
}

struct svm_cpuid_regs __wrap_svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf)
{
	const struct svm_cpuid_regs r = __real_svm_ring0_cpuid(leaf, subleaf);

	note(SVM_CAPTURE_CPUID, leaf, subleaf);
	if (!is_recorded())
		return r;
	svm_capture_number(r.eax);
	svm_capture_number(r.ebx);
	svm_capture_number(r.ecx);
	svm_capture_number(r.edx);
	return r;
}

uint64_t __wrap_svm_ring0_rdmsr(uint32_t msr)
{
	const uint64_t value = __real_svm_ring0_rdmsr(msr);

	note(SVM_CAPTURE_RDMSR, msr, value);
	return value;
}

void __wrap_svm_ring0_wrmsr(uint32_t msr, uint64_t value)
{
	note(SVM_CAPTURE_WRMSR, msr, value);
	__real_svm_ring0_wrmsr(msr, value);
}

uint64_t __wrap_svm_ring0_read_cr(enum svm_control_register cr)
{
	const uint64_t value = __real_svm_ring0_read_cr(cr);

	note(SVM_CAPTURE_READ_CR, cr, value);
	return value;
}

uint64_t __wrap_svm_ring0_read_dr(unsigned n)
{
	const uint64_t value = __real_svm_ring0_read_dr(n);

	note(SVM_CAPTURE_READ_DR, n, value);
	return value;
}

uint64_t __wrap_svm_ring0_rdtsc(void)
{
	const uint64_t value = __real_svm_ring0_rdtsc();

	note_value(SVM_CAPTURE_RDTSC, value);
	return value;
}

uint64_t __wrap_svm_ring0_xgetbv0(void)
{
	const uint64_t value = __real_svm_ring0_xgetbv0();

	note_value(SVM_CAPTURE_XGETBV, value);
	return value;
}

/* The host's registers are nobody's business, and the library does not look at them. */
static void note_fpu(const void *area, size_t size)
{
	const unsigned words = (unsigned)(size / sizeof(uint64_t));

	uint64_t *image;

	if (!is_recorded() || !svm_capture_is_guest_state(area))
		return;
	image = svm_capture_stream()->xsave;
	if (words > SVM_CAPTURE_XSAVE_WORDS) {
		svm_capture_lose();
		return;
	}
	note_value(SVM_CAPTURE_XSAVE, words);
	memset(image, 0, words * sizeof(*image));
	svm_capture_differences(area, image, words);
}

void __wrap_svm_ring0_xsave(void *area, uint64_t mask)
{
	__real_svm_ring0_xsave(area, mask);
	note_fpu(area, __real_svm_ring0_cpuid(0xd, 0).ebx);
}

void __wrap_svm_ring0_fxsave(void *area)
{
	__real_svm_ring0_fxsave(area);
	note_fpu(area, FXSAVE_SIZE);
}

uint64_t __wrap_svm_ring0_irq_save(void)
{
	const uint64_t flags = __real_svm_ring0_irq_save();

	if (is_recorded())
		svm_capture_entering();
	note_value(SVM_CAPTURE_IRQ_SAVE, flags);
	return flags;
}

/* Without the requests, which others set at any time: they are calls of their own. */
static void note_switch(struct svm_capture_stream *stream, const void *vmcb,
                        const struct svm_switch *s)
{
	union {
		struct svm_switch s;
		uint64_t words[SVM_CAPTURE_SWITCH_WORDS];
	} block = { .s = *s };

	block.s.requests = 0;
	svm_capture_differences(vmcb, stream->vmcb, SVM_CAPTURE_VMCB_WORDS);
	svm_capture_differences(block.words, stream->block, SVM_CAPTURE_SWITCH_WORDS);
}

static void note_entry(struct svm_capture_stream *stream, const struct svm_switch *s,
                       const void *vmcb)
{
	svm_capture_writes();
	if (stream->hpa != s->vmcb) {
		memset(stream->vmcb, 0, sizeof(stream->vmcb));
		memset(stream->block, 0, sizeof(stream->block));
	}
	stream->hpa = s->vmcb;
	svm_capture_event(SVM_CAPTURE_ENTRY);
	svm_capture_number(s->vmcb);
	note_switch(stream, vmcb, s);
}

static uint64_t switch_alone(struct svm_switch *s)
{
	uint64_t has_run;

	set_in_guest(true);
	has_run = __real_svm_world_switch(s);
	set_in_guest(false);
	return has_run;
}

/*
 * What keeps the guest from running is known before its entry is written down, or follows it; so no
 * call that came meanwhile is written between the look and the entry.
 */
uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	const void *const vmcb = is_recorded() ? svm_capture_frame(s->vmcb) : NULL;
	struct svm_capture_stream *stream;
	uint64_t has_run;

	if (!vmcb)
		return switch_alone(s);
	svm_capture_entering();
	if (svm_atomic_load(&s->requests)) {
		svm_capture_entering();
		return 0;
	}
	stream = svm_capture_stream();
	note_entry(stream, s, vmcb);
	svm_capture_release(stream);
	has_run = switch_alone(s);
	svm_capture_hold(stream);
	if (!is_recorded())
		return has_run;
	svm_capture_asyncs();
	svm_capture_event(has_run ? SVM_CAPTURE_EXIT : SVM_CAPTURE_ENTERING);
	if (has_run)
		note_switch(stream, vmcb, s);
	return has_run;
}
