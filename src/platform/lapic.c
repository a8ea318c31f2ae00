/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Local APIC: reset, modes, and the way of an interrupt from its request to its end.
 *
 * Other threads only ever set bits: in IRR and TMR, among the requests, among the errors.  All
 * decisions (what is next, what it interrupts) are the owner's, from its own ISR and TPR.  So no
 * lock is needed, and an EOI cannot find itself inside another one: what it leads to, a message
 * from an I/O APIC for example, ends at a bit in IRR.
 *
 * TMR is set before IRR, and read after the bit has left IRR.
 *
 * Most words of IRR and ISR are empty, so a word of hints says which are worth a look.  Of IRR it
 * is set behind the bit.  The owner takes a hint back and then looks once more whether the word has
 * got a bit meanwhile, so that the worst is a hint for nothing.
 */
#include "lapic.h"

#define APIC_SVR_RESET   0xffu
#define APIC_DFR_RESET   0xffffffffu
#define APIC_DFR_MODEL   0xf0000000u
#define APIC_DFR_CLUSTER 0x00000000u
#define APIC_DFR_FLAT    0xf0000000u

/* --- bits in the three big registers ------------------------------------------------------ */

static uint32_t vector_bit(uint8_t vector)
{
	return UINT32_C(1) << (vector & 31);
}

/* Of a word that is not 0; by an exclusive or compilers see that it is one instruction. */
static inline int highest_bit(uint32_t word)
{
	return 31 ^ __builtin_clz(word);
}

/* The highest vector whose bit is set, or -1.  hints: of the words that may have one. */
static inline int highest_vector(const uint32_t words[8], uint32_t hints)
{
	while (hints) {
		const int i = highest_bit(hints);
		const uint32_t word = svm_atomic_load(&words[i & 7]);

		if (word)
			return 32 * i + highest_bit(word);
		hints &= ~(UINT32_C(1) << i);
	}
	return -1;
}

static inline int highest_request(const struct svm_lapic *lapic)
{
	return highest_vector(lapic->irr, svm_atomic_load(&lapic->irr_words));
}

static inline int highest_in_service(const struct svm_lapic *lapic)
{
	return highest_vector(lapic->isr, lapic->isr_words);
}

/* PPR is the higher of task and in-service priority, the latter without its low half.  16.6.4. */
void svm_lapic_update_ppr(struct svm_lapic *lapic)
{
	const int in_service = highest_in_service(lapic);
	uint32_t ppr = lapic->tpr;

	if (in_service >= 0 && (uint32_t)in_service >> 4 > ppr >> 4)
		ppr = (uint32_t)in_service & 0xf0;
	svm_atomic_store_relaxed(&lapic->ppr, ppr);
}

/* --- life and modes ----------------------------------------------------------------------- */

static void reset_lapic_registers(struct svm_lapic *lapic)
{
	const bool is_x2apic = svm_lapic_has_base(lapic, APIC_BASE_X2APIC);

	/* First: of a vector that comes now the hint stays. */
	svm_atomic_store(&lapic->irr_words, 0);
	lapic->isr_words = 0;
	for (unsigned i = 0; i < 8; i++) {
		svm_atomic_store(&lapic->irr[i], 0);
		svm_atomic_store(&lapic->tmr[i], 0);
		lapic->isr[i] = 0;
	}
	for (unsigned i = 0; i < SVM_LAPIC_LVT_COUNT; i++)
		svm_atomic_store_relaxed(&lapic->lvt[i], APIC_LVT_MASKED);
	svm_atomic_store_relaxed(&lapic->svr, APIC_SVR_RESET);
	svm_atomic_store_relaxed(&lapic->dfr, APIC_DFR_RESET);
	svm_atomic_store_relaxed(&lapic->ldr,
	                         is_x2apic ? svm_lapic_x2apic_ldr(lapic->config.id) : 0);
	svm_atomic_store(&lapic->lint_busy, 0);
	svm_atomic_store(&lapic->errors, 0);
	lapic->tpr = 0;
	lapic->esr = 0;
	lapic->icr_low = 0;
	lapic->icr_high = 0;
	lapic->initial_count = 0;
	lapic->divide = 0;
	svm_lapic_timer_stop(lapic);
	svm_lapic_update_ppr(lapic);
}

void svm_lapic_reset_by_init(struct svm_lapic *lapic)
{
	reset_lapic_registers(lapic);
}

void svm_lapic_put_base(struct svm_lapic *lapic, uint64_t base)
{
	const uint32_t id = lapic->config.id;

	svm_atomic_store_relaxed(&lapic->base, base);
	lapic->id = base & APIC_BASE_X2APIC ? id : id << 24;
}

void svm_lapic_reset(struct svm_lapic *lapic)
{
	const uint64_t bsp = lapic->config.is_bsp ? APIC_BASE_BSP : 0;

	svm_lapic_put_base(lapic, SVM_LAPIC_DEFAULT_BASE | APIC_BASE_ENABLE | bsp);
	svm_atomic_store(&lapic->requests, 0);
	reset_lapic_registers(lapic);
}

int svm_lapic_init(struct svm_lapic *lapic, const struct svm_lapic_config *config)
{
	if (config->id >= SVM_APIC_MAX || config->physical_bits < 36 || config->physical_bits > 52)
		return SVM_ERR_INVAL;
	if (!config->host.wake || !config->host.send || !config->host.eoi)
		return SVM_ERR_INVAL;
	*lapic = (struct svm_lapic){ .config = *config };
	svm_lapic_reset(lapic);
	return 0;
}

uint64_t svm_lapic_get_base(const struct svm_lapic *lapic)
{
	return svm_atomic_load_relaxed(&lapic->base);
}

uint64_t svm_lapic_mmio_base(const struct svm_lapic *lapic)
{
	const uint64_t base = svm_lapic_get_base(lapic);

	if (!(base & APIC_BASE_ENABLE) || (base & APIC_BASE_X2APIC))
		return SVM_NEVER;
	return base & SVM_PAGE_MASK;
}

/*
 * The ways between the modes.  APM 16.9: x2APIC is entered from xAPIC only and left for "off" only,
 * and EXTD without AE is no mode at all.
 */
static bool mode_may_change(uint64_t from, uint64_t to)
{
	const uint64_t mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC;

	from &= mode;
	to &= mode;
	if (to == APIC_BASE_X2APIC)
		return false;
	if (from == mode)
		return to != APIC_BASE_ENABLE;
	return from == APIC_BASE_ENABLE || to != mode;
}

bool svm_lapic_base_is_legal(const struct svm_lapic *lapic, uint64_t value)
{
	uint64_t allowed = SVM_BITS(lapic->config.physical_bits - 1, 12);

	allowed |= APIC_BASE_BSP | APIC_BASE_ENABLE;
	if (lapic->config.has_x2apic)
		allowed |= APIC_BASE_X2APIC;
	return !(value & ~allowed);
}

bool svm_lapic_set_base(struct svm_lapic *lapic, uint64_t value)
{
	const uint64_t old = svm_lapic_get_base(lapic);
	const uint64_t changed = old ^ value;

	if (!svm_lapic_base_is_legal(lapic, value) || !mode_may_change(old, value))
		return false;
	value = (value & ~APIC_BASE_BSP) | (old & APIC_BASE_BSP);
	svm_lapic_put_base(lapic, value);
	if (!(value & APIC_BASE_ENABLE)) {
		reset_lapic_registers(lapic);
	} else if (changed & APIC_BASE_X2APIC) {
		svm_atomic_store_relaxed(&lapic->ldr, svm_lapic_x2apic_ldr(lapic->config.id));
		lapic->icr_high = 0;
	}
	return true;
}

bool svm_lapic_is_enabled(const struct svm_lapic *lapic)
{
	return svm_lapic_has_base(lapic, APIC_BASE_ENABLE) &&
	       (svm_atomic_load_relaxed(&lapic->svr) & APIC_SVR_ENABLE);
}

/* --- what arrives ------------------------------------------------------------------------- */

/* True: it was not requested yet. */
static bool note_vector(struct svm_lapic *lapic, uint8_t vector, bool is_level)
{
	const uint32_t bit = vector_bit(vector);
	bool is_new;

	if (is_level)
		svm_atomic_or(&lapic->tmr[vector / 32], bit);
	else
		svm_atomic_and(&lapic->tmr[vector / 32], ~bit);
	is_new = !(svm_atomic_or(&lapic->irr[vector / 32], bit) & bit);

	svm_atomic_or(&lapic->irr_words, UINT32_C(1) << vector / 32);
	return is_new;
}

static void request_vector(struct svm_lapic *lapic, uint8_t vector, bool is_level)
{
	if (note_vector(lapic, vector, is_level))
		lapic->config.host.wake(lapic->config.host.arg);
}

/* A STARTUP from before an INIT is void: INIT starts the wait for a new one. */
static void add_lapic_request(struct svm_lapic *lapic, enum svm_lapic_request request)
{
	if (request == SVM_LAPIC_REQUEST_INIT)
		svm_atomic_and(&lapic->requests, ~(uint32_t)SVM_LAPIC_REQUEST_STARTUP);
	if (!(svm_atomic_or(&lapic->requests, (uint32_t)request) & (uint32_t)request))
		lapic->config.host.wake(lapic->config.host.arg);
}

/* False: the entry is to be delivered as a vector, and has none that is legal. */
static bool deliver_locally(struct svm_lapic *lapic, uint32_t entry, bool is_level)
{
	switch (svm_bits_get(entry, APIC_LVT_MODE)) {
	case SVM_APIC_FIXED:
		if ((entry & APIC_LVT_VECTOR) < 16)
			return false;
		request_vector(lapic, (uint8_t)(entry & APIC_LVT_VECTOR), is_level);
		break;
	case SVM_APIC_SMI:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_SMI);
		break;
	case SVM_APIC_NMI:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_NMI);
		break;
	case SVM_APIC_INIT:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_INIT);
		break;
	case SVM_APIC_EXTINT:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_EXTINT);
		break;
	default:
		break;
	}
	return true;
}

/*
 * The first error since the last write of ESR raises the error interrupt; that one's own illegal
 * vector is recorded and raises nothing more.  16.4.5.
 */
void svm_lapic_record_error(struct svm_lapic *lapic, uint32_t error)
{
	const uint32_t entry = svm_lapic_lvt(lapic, SVM_LAPIC_LVT_ERROR);

	if (svm_atomic_or(&lapic->errors, error) || (entry & APIC_LVT_MASKED))
		return;
	if (!deliver_locally(lapic, entry, false))
		svm_atomic_or(&lapic->errors, APIC_ESR_RECEIVED_VECTOR);
}

void svm_lapic_trigger(struct svm_lapic *lapic, enum svm_lapic_lvt entry, bool is_level)
{
	const uint32_t value = svm_lapic_lvt(lapic, entry);

	if (!(value & APIC_LVT_MASKED) && !deliver_locally(lapic, value, is_level))
		svm_lapic_record_error(lapic, APIC_ESR_RECEIVED_VECTOR);
}

void svm_lapic_trigger_quietly(struct svm_lapic *lapic, enum svm_lapic_lvt entry)
{
	const uint32_t value = svm_lapic_lvt(lapic, entry);

	if ((value & (APIC_LVT_MODE | APIC_LVT_MASKED)) || (value & APIC_LVT_VECTOR) < 16)
		svm_lapic_trigger(lapic, entry, false);
	else
		(void)note_vector(lapic, (uint8_t)(value & APIC_LVT_VECTOR), false);
}

bool svm_lapic_post(struct svm_lapic *lapic, uint8_t vector, bool is_level)
{
	if (!svm_lapic_is_enabled(lapic))
		return false;
	if (vector < 16)
		svm_lapic_record_error(lapic, APIC_ESR_RECEIVED_VECTOR);
	else
		request_vector(lapic, vector, is_level);
	return true;
}

/* An APIC that software disabled still hears all but vectors.  16.3.2. */
bool svm_lapic_receive(struct svm_lapic *lapic, const struct svm_apic_message *message)
{
	if (!svm_lapic_has_base(lapic, APIC_BASE_ENABLE))
		return false;
	switch (message->mode) {
	case SVM_APIC_FIXED:
	case SVM_APIC_LOWEST:
		return svm_lapic_post(lapic, message->vector, message->is_level);
	case SVM_APIC_SMI:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_SMI);
		return true;
	case SVM_APIC_NMI:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_NMI);
		return true;
	case SVM_APIC_INIT:
		if (message->is_assert)
			add_lapic_request(lapic, SVM_LAPIC_REQUEST_INIT);
		return true;
	case SVM_APIC_STARTUP:
		svm_atomic_store(&lapic->startup_vector, message->vector);
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_STARTUP);
		return true;
	case SVM_APIC_EXTINT:
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_EXTINT);
		return true;
	default:
		return false;
	}
}

uint32_t svm_lapic_take_requests(struct svm_lapic *lapic, uint8_t *startup_vector)
{
	uint32_t requests = svm_atomic_load(&lapic->requests);

	if (requests)
		requests = svm_atomic_exchange(&lapic->requests, 0);
	if (requests & SVM_LAPIC_REQUEST_STARTUP)
		*startup_vector = (uint8_t)svm_atomic_load(&lapic->startup_vector);
	return requests;
}

/* --- pins --------------------------------------------------------------------------------- */

static enum svm_lapic_lvt lint_entry(unsigned pin)
{
	return pin ? SVM_LAPIC_LVT_LINT1 : SVM_LAPIC_LVT_LINT0;
}

/* Only vectors come by level; NMI, SMI and INIT are edges whatever the entry says. */
static bool entry_is_level(uint32_t entry)
{
	return (entry & APIC_LVT_LEVEL) && !(entry & APIC_LVT_MODE);
}

/* ExtINT is not an event but a state: svm_lapic_wants_extint(). */
static bool entry_is_extint(uint32_t entry)
{
	return svm_bits_get(entry, APIC_LVT_MODE) == SVM_APIC_EXTINT;
}

void svm_lapic_recheck_lint(struct svm_lapic *lapic, unsigned pin)
{
	const uint32_t bit = UINT32_C(1) << pin;
	const uint32_t entry = svm_lapic_lvt(lapic, lint_entry(pin));

	if ((entry & APIC_LVT_MASKED) || !entry_is_level(entry))
		return;
	if (!(svm_atomic_load(&lapic->lines) & bit))
		return;
	if (!(svm_atomic_or(&lapic->lint_busy, bit) & bit))
		svm_lapic_trigger(lapic, lint_entry(pin), true);
}

/* A processor whose APIC is off has the pins for itself: INTR and NMI.  16.3.1. */
static void raise_bare_pin(struct svm_lapic *lapic, unsigned pin)
{
	if (pin == 0)
		lapic->config.host.wake(lapic->config.host.arg);
	else
		add_lapic_request(lapic, SVM_LAPIC_REQUEST_NMI);
}

void svm_lapic_set_lint(void *arg, unsigned pin, bool level)
{
	struct svm_lapic *lapic = arg;
	const uint32_t bit = UINT32_C(1) << (pin & 1);
	uint32_t entry;

	if (pin >= LAPIC_PINS)
		return;
	if (!level) {
		svm_atomic_and(&lapic->lines, ~bit);
		return;
	}
	if (svm_atomic_or(&lapic->lines, bit) & bit)
		return;
	if (!svm_lapic_has_base(lapic, APIC_BASE_ENABLE)) {
		raise_bare_pin(lapic, pin);
		return;
	}
	entry = svm_lapic_lvt(lapic, lint_entry(pin));
	if (entry_is_level(entry))
		svm_lapic_recheck_lint(lapic, pin);
	else if (entry_is_extint(entry))
		lapic->config.host.wake(lapic->config.host.arg);
	else
		svm_lapic_trigger(lapic, lint_entry(pin), false);
}

bool svm_lapic_wants_extint(const struct svm_lapic *lapic)
{
	const uint32_t entry = svm_lapic_lvt(lapic, SVM_LAPIC_LVT_LINT0);

	if (!(svm_atomic_load(&lapic->lines) & 1))
		return false;
	if (!svm_lapic_has_base(lapic, APIC_BASE_ENABLE))
		return true;
	return !(entry & APIC_LVT_MASKED) && entry_is_extint(entry);
}

/* --- the owner's side --------------------------------------------------------------------- */

uint8_t svm_lapic_ppr(const struct svm_lapic *lapic)
{
	return (uint8_t)svm_atomic_load_relaxed(&lapic->ppr);
}

uint8_t svm_lapic_get_tpr(const struct svm_lapic *lapic)
{
	return (uint8_t)(lapic->tpr >> 4);
}

void svm_lapic_set_tpr(struct svm_lapic *lapic, uint8_t cr8)
{
	lapic->tpr = (uint32_t)(cr8 & 15) << 4;
	svm_lapic_update_ppr(lapic);
}

int svm_lapic_pending(const struct svm_lapic *lapic, uint8_t cr8)
{
	const int vector = highest_request(lapic);

	if (vector < 0 || vector >> 4 <= cr8)
		return -1;
	/* One that was posted while the guest switched the APIC off. */
	if (!svm_lapic_has_base(lapic, APIC_BASE_ENABLE))
		return -1;
	return vector >> 4 > highest_in_service(lapic) >> 4 ? vector : -1;
}

static void forget_word(struct svm_lapic *lapic, unsigned i)
{
	const uint32_t hint = UINT32_C(1) << i;

	if (svm_atomic_load(&lapic->irr[i]))
		return;
	svm_atomic_and(&lapic->irr_words, ~hint);
	if (svm_atomic_load(&lapic->irr[i]))
		svm_atomic_or(&lapic->irr_words, hint);
}

void svm_lapic_accept(struct svm_lapic *lapic, uint8_t vector)
{
	const uint32_t bit = vector_bit(vector);

	if (!(svm_atomic_and(&lapic->irr[vector / 32], ~bit) & bit))
		return;
	forget_word(lapic, vector / 32);
	lapic->isr[vector / 32] |= bit;
	lapic->isr_words |= UINT32_C(1) << vector / 32;
	/* One more in service can only raise PPR: no search. */
	if (vector >> 4 > svm_lapic_ppr(lapic) >> 4)
		svm_atomic_store_relaxed(&lapic->ppr, vector & 0xf0u);
}

/* The pin that this vector came from may be high still. */
static void end_lint(struct svm_lapic *lapic, uint8_t vector)
{
	const uint32_t busy = svm_atomic_load(&lapic->lint_busy);

	for (unsigned pin = 0; pin < LAPIC_PINS; pin++) {
		const uint32_t bit = UINT32_C(1) << pin;

		if (!(busy & bit))
			continue;
		if ((svm_lapic_lvt(lapic, lint_entry(pin)) & APIC_LVT_VECTOR) != vector)
			continue;
		svm_atomic_and(&lapic->lint_busy, ~bit);
		svm_lapic_recheck_lint(lapic, pin);
	}
}

void svm_lapic_eoi(struct svm_lapic *lapic)
{
	const int in_service = highest_in_service(lapic);
	const uint8_t vector = (uint8_t)in_service;

	if (in_service < 0)
		return;
	lapic->isr[vector / 32] &= ~vector_bit(vector);
	if (!lapic->isr[vector / 32])
		lapic->isr_words &= ~(UINT32_C(1) << vector / 32);
	svm_lapic_update_ppr(lapic);
	if (!(svm_atomic_load(&lapic->tmr[vector / 32]) & vector_bit(vector)))
		return;
	end_lint(lapic, vector);
	lapic->config.host.eoi(lapic->config.host.arg, vector);
}

bool svm_lapic_may_end_late(const struct svm_lapic *lapic)
{
	const int in_service = highest_in_service(lapic);
	const uint8_t vector = (uint8_t)in_service;

	return in_service >= 0 && highest_request(lapic) < 0 &&
	       !(svm_atomic_load(&lapic->tmr[vector / 32]) & vector_bit(vector));
}

/* --- destinations ------------------------------------------------------------------------- */

/* 16.6.1.  In x2APIC mode: the same cluster and a common bit, 16.14. */
static bool matches_x2apic(uint32_t ldr, uint32_t destination)
{
	return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff);
}

bool svm_lapic_matches_logical(const struct svm_lapic *lapic, uint32_t destination, bool is_wide)
{
	const uint32_t ldr = svm_atomic_load_relaxed(&lapic->ldr);
	const uint32_t model = svm_atomic_load_relaxed(&lapic->dfr) & APIC_DFR_MODEL;
	const uint32_t own = ldr >> 24;

	if (destination == (is_wide ? UINT32_MAX : 0xff))
		return true;
	if (svm_lapic_has_base(lapic, APIC_BASE_X2APIC))
		return matches_x2apic(ldr, destination);
	if (destination > 0xff)
		return false;
	if (model == APIC_DFR_FLAT)
		return (own & destination) != 0;
	return model == APIC_DFR_CLUSTER && own >> 4 == destination >> 4 &&
	       (own & destination & 15);
}
