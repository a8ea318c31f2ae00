/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The processor of a replay: it says what the recorded one said, and its guest does nothing but
 * what it did.
 *
 * Each entry is compared with the recorded one, word by word: this is where a library that behaves
 * differently is found out.
 */
#include "player.h"

#include <string.h>

#define SAID_AT_MOST      8u
#define PAUSES_MAX        1000000u
#define PHYSICAL_BITS_MAX 52u

static struct {
	svm_hpa_t hpa;
	uint64_t vmcb[SVM_CAPTURE_VMCB_WORDS];
	uint64_t block[SVM_CAPTURE_SWITCH_WORDS];
} image;

/* --- what the library reads ------------------------------------------------------------------- */

/* The library takes the processor at its word; a capture is nobody's. */
static void check_cpuid(uint32_t leaf, struct svm_cpuid_regs r)
{
	if (leaf == 0x80000008 && (r.eax & 0xff) > PHYSICAL_BITS_MAX)
		player_refuse("no processor has %u address bits", r.eax & 0xff);
}

struct svm_cpuid_regs svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct svm_cpuid_regs r;

	player_expect_for(SVM_CAPTURE_CPUID, "the leaf of CPUID", leaf);
	player_same("the subleaf of CPUID", subleaf, reader_number());
	r.eax = (uint32_t)reader_number();
	r.ebx = (uint32_t)reader_number();
	r.ecx = (uint32_t)reader_number();
	r.edx = (uint32_t)player_read(reader_number());
	check_cpuid(leaf, r);
	return r;
}

uint64_t svm_ring0_rdmsr(uint32_t msr)
{
	player_expect_for(SVM_CAPTURE_RDMSR, "the MSR that is read", msr);
	return player_read(reader_number());
}

void svm_ring0_wrmsr(uint32_t msr, uint64_t value)
{
	player_expect_for(SVM_CAPTURE_WRMSR, "the MSR that is written", msr);
	player_same("the value of the MSR", value, reader_number());
	player_take_async();
}

uint64_t svm_ring0_read_cr(enum svm_control_register cr)
{
	player_expect_for(SVM_CAPTURE_READ_CR, "the control register that is read", cr);
	return player_read(reader_number());
}

uint64_t svm_ring0_read_dr(unsigned n)
{
	player_expect_for(SVM_CAPTURE_READ_DR, "the debug register that is read", n);
	return player_read(reader_number());
}

uint64_t svm_ring0_rdtsc(void)
{
	player_expect(SVM_CAPTURE_RDTSC);
	return player_read(reader_number());
}

uint64_t svm_ring0_xgetbv0(void)
{
	player_expect(SVM_CAPTURE_XGETBV);
	return player_read(reader_number());
}

/* What the library has of the host's FPU it does not look at, and nobody recorded it. */
void svm_ring0_xsave(void *area, uint64_t mask)
{
	const size_t left = player_vcpu_left(area);
	unsigned words;

	(void)mask;
	if (!left)
		return;
	player_expect(SVM_CAPTURE_XSAVE);
	words = (unsigned)reader_below(left / sizeof(uint64_t) + 1, "the size of an XSAVE area");
	memset(area, 0, words * sizeof(uint64_t));
	reader_differences(area, words, NULL);
	player_take_async();
}

void svm_ring0_fxsave(void *area)
{
	svm_ring0_xsave(area, 3);
}

/* --- what it writes, and nobody sees ---------------------------------------------------------- */

void svm_ring0_write_cr2(uint64_t value)
{
	(void)value;
}

void svm_ring0_write_dr(unsigned n, uint64_t value)
{
	(void)n;
	(void)value;
}

void svm_ring0_xsetbv0(uint64_t value)
{
	(void)value;
}

void svm_ring0_xrstor(const void *area, uint64_t mask)
{
	(void)area;
	(void)mask;
}

void svm_ring0_fxrstor(const void *area)
{
	(void)area;
}

void svm_ring0_vmsave(svm_hpa_t vmcb)
{
	(void)vmcb;
}

void svm_ring0_stgi(void)
{
}

void svm_ring0_clgi(void)
{
}

uint64_t svm_ring0_irq_save(void)
{
	player_take_entering();
	player_expect(SVM_CAPTURE_IRQ_SAVE);
	return player_read(reader_number());
}

void svm_ring0_irq_restore(uint64_t flags)
{
	(void)flags;
}

/* There is one thread: what it waits for does not come. */
void svm_ring0_pause(void)
{
	static unsigned pauses;

	if (++pauses < PAUSES_MAX)
		return;
	player_diverge();
	player_say("the library waits, and nobody is there");
	player_diverged();
}

/* --- the guest -------------------------------------------------------------------------------- */

static const char *const block_name[SVM_CAPTURE_SWITCH_WORDS] = {
	"hpa of the VMCB", "hpa of the host's VMCB", "flags",
	"RAX as lent",     "RCX",                    "RDX",
	"RBX",             "RSP as lent",            "RBP",
	"RSI",             "RDI",                    "R8",
	"R9",              "R10",                    "R11",
	"R12",             "R13",                    "R14",
	"R15",             "XCR0",                   "host's XCR0",
	"XSS",             "host's XSS",             "SPEC_CTRL",
	"host's SPEC_CTRL", "TSC_AUX",               "host's TSC_AUX",
	"DR0",             "DR1",                    "DR2",
	"DR3",             "host's DR0",             "host's DR1",
	"host's DR2",      "host's DR3",             "host's DR6",
	"host's DR7",
};

static const char *word_name(bool is_vmcb, unsigned word, char buffer[SVM_VMCB_FIELD_NAME_SIZE])
{
	return is_vmcb ? svm_vmcb_field_name((uint16_t)(8 * word), buffer) : block_name[word];
}

/* Words that differ, the first of them in words; their number. */
static unsigned compare(bool is_vmcb, const uint64_t *now, const uint64_t *then, unsigned words,
                        unsigned said)
{
	char buffer[SVM_VMCB_FIELD_NAME_SIZE];

	for (unsigned i = 0; i < words; i++) {
		if (now[i] == then[i])
			continue;
		if (said == 0)
			player_diverge();
		if (said++ < SAID_AT_MOST)
			player_say("VMRUN is given %s%s = 0x%llx, and was given 0x%llx",
			           is_vmcb ? "VMCB " : "", word_name(is_vmcb, i, buffer),
			           (unsigned long long)now[i], (unsigned long long)then[i]);
	}
	return said;
}

static void check_entry(const struct svm_switch *s, const uint64_t *vmcb)
{
	unsigned said;

	player_check_writes();
	player_expect_for(SVM_CAPTURE_ENTRY, "the VMCB's address", s->vmcb);
	if (image.hpa != s->vmcb)
		memset(&image, 0, sizeof(image));
	image.hpa = s->vmcb;
	reader_differences(image.vmcb, SVM_CAPTURE_VMCB_WORDS, NULL);
	reader_differences(image.block, SVM_CAPTURE_SWITCH_WORDS, NULL);
	said = compare(true, vmcb, image.vmcb, SVM_CAPTURE_VMCB_WORDS, 0);
	said = compare(false, (const uint64_t *)s, image.block, SVM_CAPTURE_SWITCH_WORDS, said);
	if (said > SAID_AT_MOST)
		player_say("and %u more", said - SAID_AT_MOST);
	if (said)
		player_diverged();
}

/* What a processor writes into the control area: 15.6, 15.20, 15.21, appendix B. */
static bool exit_writes_vmcb(unsigned word)
{
	const unsigned offset = 8 * word;

	return offset >= 0x400 || (offset >= 0x60 && offset <= 0x88) || offset == 0xa8 ||
	       (offset >= 0xc8 && offset < 0xe0) || (offset >= 0x108 && offset < 0x120);
}

static bool exit_writes_block(unsigned word)
{
	const unsigned offset = 8 * word;

	return offset == SVM_SWITCH_FLAGS ||
	       (offset >= SVM_SWITCH_RCX && offset <= SVM_SWITCH_GUEST_XCR0) ||
	       (offset >= SVM_SWITCH_GUEST_DR && offset < SVM_SWITCH_HOST_DR);
}

uint64_t svm_world_switch(struct svm_switch *s)
{
	size_t left;
	struct svm_vmcb *vmcb = (struct svm_vmcb *)(void *)player_frame(s->vmcb, &left);
	uint32_t requests;

	if (!vmcb || left < sizeof(*vmcb) || s->vmcb % PLAYER_PAGE)
		player_refuse("a VMCB at 0x%llx", (unsigned long long)s->vmcb);
	player_take_entering();
	if (s->requests)
		return 0;
	check_entry(s, (const uint64_t *)vmcb);
	if (player_comes_at_entry()) {
		player_take_late();
		return 0;
	}
	player_expect(SVM_CAPTURE_EXIT);
	reader_differences(image.vmcb, SVM_CAPTURE_VMCB_WORDS, exit_writes_vmcb);
	reader_differences(image.block, SVM_CAPTURE_SWITCH_WORDS, exit_writes_block);
	memcpy(vmcb, image.vmcb, sizeof(image.vmcb));
	requests = s->requests; /* Of the calls that came meanwhile. */
	memcpy(s, image.block, sizeof(image.block));
	s->requests = requests;
	player_at_exit(vmcb->control.exit_code, vmcb->save.rip);
	player_take_async();
	return 1;
}
