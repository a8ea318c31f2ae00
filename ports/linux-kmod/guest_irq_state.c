/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM's structures of controllers from and to the library's.
 *
 * They hold what a guest can tell, in other words than the library's: KVM's 8259 remembers the last
 * level of an input where ours keeps level and edge; KVM's I/O APIC knows of pending requests where
 * ours knows lines; a local APIC is a page of registers.  Bits that a register cannot have are
 * dropped, as a write by the guest would drop them.  What contradicts itself is refused.
 */
#include <linux/string.h>

#include "guest_irq.h"
#include "hal.h"

/* --- the 8259 pair ---------------------------------------------------------------------------- */

#define PIC_CASCADE_BIT BIT(2)

static const u8 elcr_masks[2] = { 0xf8, 0xde };

static void pic_to_kvm(const struct svm_pic_chip *c, u8 elcr_mask, struct kvm_pic_state *out)
{
	*out = (struct kvm_pic_state){
		.last_irr = c->lines,
		.irr = (c->latch & ~c->elcr) | (c->lines & c->elcr),
		.imr = c->imr,
		.isr = c->isr,
		.priority_add = (c->lowest + 1) & 7,
		.irq_base = c->base,
		.read_reg_select = c->reads_isr,
		.poll = c->polls,
		.special_mask = c->special_mask,
		.init_state = c->awaits ? c->awaits - 1 : 0,
		.auto_eoi = c->auto_eoi,
		.rotate_on_auto_eoi = c->auto_rotate,
		.special_fully_nested_mode = c->fully_nested,
		.init4 = c->has_icw4,
		.elcr = c->elcr,
		.elcr_mask = elcr_mask,
	};
}

/* The slave's place is no input of the master: what it has there follows from the slave. */
static void pic_from_kvm(const struct kvm_pic_state *in, u8 elcr_mask, u8 absent,
                         struct svm_pic_chip *out)
{
	const u8 elcr = in->elcr & elcr_mask;

	*out = (struct svm_pic_chip){
		.lines = ((in->last_irr & ~elcr) | (in->irr & elcr)) & ~absent,
		.latch = in->irr & ~elcr & ~absent,
		.isr = in->isr,
		.imr = in->imr,
		.elcr = elcr,
		.base = in->irq_base & 0xf8,
		.lowest = (in->priority_add + 7) & 7,
		.awaits = in->init_state ? in->init_state + 1 : 0,
		.has_icw4 = !!in->init4,
		.is_single = out->is_single,
		.auto_eoi = !!in->auto_eoi,
		.auto_rotate = !!in->rotate_on_auto_eoi,
		.fully_nested = !!in->special_fully_nested_mode,
		.special_mask = !!in->special_mask,
		.reads_isr = !!in->read_reg_select,
		.polls = !!in->poll,
	};
}

static int set_pic(struct guest_irq *irq, unsigned int which, const struct kvm_pic_state *in)
{
	struct svm_pic_state state;

	svm_pic_save(&irq->pic, &state);
	pic_from_kvm(in, elcr_masks[which], which ? 0 : PIC_CASCADE_BIT, &state.chip[which]);
	return hal_errno(svm_pic_restore(&irq->pic, &state));
}

/* --- the I/O APIC ----------------------------------------------------------------------------- */

#define ENTRY_LEVEL      BIT_ULL(15)
#define ENTRY_REMOTE_IRR BIT_ULL(14)
#define ENTRY_WRITABLE   (GENMASK_ULL(63, 56) | BIT_ULL(16) | ENTRY_LEVEL | GENMASK_ULL(11, 0) |   \
                          BIT_ULL(13))

/* Only vectors come by level; modes 0 and 1. */
static bool is_level(u64 entry)
{
	return (entry & ENTRY_LEVEL) && (entry >> 8 & 7) <= SVM_APIC_LOWEST;
}

/* An edge that was seen is no request any more. */
static void ioapic_to_kvm(const struct svm_ioapic *ioapic, struct kvm_ioapic_state *out)
{
	unsigned int pin;

	memset(out, 0, sizeof(*out));
	out->base_address = SVM_IOAPIC_DEFAULT_BASE;
	out->ioregsel = ioapic->select;
	out->id = ioapic->id;
	for (pin = 0; pin < SVM_IOAPIC_PINS; pin++) {
		out->redirtbl[pin].bits = ioapic->entry[pin];
		if (is_level(ioapic->entry[pin]))
			out->irr |= ioapic->lines & BIT(pin);
	}
}

/* Requests that were pending are made again. */
static int set_ioapic(struct guest_irq *irq, const struct kvm_ioapic_state *in)
{
	struct svm_ioapic_state state = {
		.id = in->id & 15,
		.select = in->ioregsel & 0xff,
	};
	unsigned int pin;
	int error;

	for (pin = 0; pin < SVM_IOAPIC_PINS; pin++) {
		const u64 entry = in->redirtbl[pin].bits;

		state.entry[pin] = entry & ENTRY_WRITABLE;
		if (is_level(entry))
			state.entry[pin] |= entry & ENTRY_REMOTE_IRR;
	}
	error = svm_ioapic_restore(&irq->ioapic, &state);
	if (error)
		return hal_errno(error);
	for (pin = 0; pin < SVM_IOAPIC_PINS; pin++)
		svm_ioapic_set_line(&irq->ioapic, pin, in->irr >> pin & 1);
	return 0;
}

/* --- both by number --------------------------------------------------------------------------- */

int guest_irqchip_get(struct guest_irq *irq, struct kvm_irqchip *chip)
{
	const u32 id = chip->chip_id;
	unsigned long flags;

	memset(&chip->chip, 0, sizeof(chip->chip));
	if (id > KVM_IRQCHIP_IOAPIC)
		return -EINVAL;
	flags = guest_irq_enter(irq);
	if (id == KVM_IRQCHIP_IOAPIC)
		ioapic_to_kvm(&irq->ioapic, &chip->chip.ioapic);
	else
		pic_to_kvm(&irq->pic.chip[id & 1], elcr_masks[id & 1], &chip->chip.pic);
	guest_irq_leave(irq, flags);
	return 0;
}

int guest_irqchip_set(struct guest_irq *irq, const struct kvm_irqchip *chip)
{
	const u32 id = chip->chip_id;
	unsigned long flags;
	int error;

	if (id > KVM_IRQCHIP_IOAPIC)
		return -EINVAL;
	flags = guest_irq_enter(irq);
	if (id == KVM_IRQCHIP_IOAPIC)
		error = set_ioapic(irq, &chip->chip.ioapic);
	else
		error = set_pic(irq, id & 1, &chip->chip.pic);
	guest_irq_leave(irq, flags);
	return error;
}

/* --- local APICs ------------------------------------------------------------------------------ */

#define BASE_X2APIC   BIT_ULL(10)
#define APIC_VERSION  0x00050010u /* As the library's: 6 entries. */
#define SVR_ENABLE    0x100u
#define LVT_MASKED    BIT(16)
#define LVT_MODE      0x700u
#define LVT_EXTINT    0x700u
#define LVT_BUSY      BIT(14)
#define LVT_LEVEL     BIT(15)

enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC };

enum {
	R_ID = 0x20, R_VERSION = 0x30, R_TPR = 0x80, R_PPR = 0xa0, R_LDR = 0xd0, R_DFR = 0xe0,
	R_SVR = 0xf0, R_ISR = 0x100, R_TMR = 0x180, R_IRR = 0x200, R_ESR = 0x280, R_ICR = 0x300,
	R_ICR_HIGH = 0x310, R_INITIAL = 0x380, R_CURRENT = 0x390, R_DIVIDE = 0x3e0,
};

static const struct {
	u16 offset;
	u32 bits;
} lvt_registers[SVM_LAPIC_LVT_COUNT] = {
	[SVM_LAPIC_LVT_TIMER] = { 0x320, 0x000700ff },
	[SVM_LAPIC_LVT_THERMAL] = { 0x330, 0x000107ff },
	[SVM_LAPIC_LVT_PERF] = { 0x340, 0x000107ff },
	[SVM_LAPIC_LVT_LINT0] = { 0x350, 0x0001a7ff },
	[SVM_LAPIC_LVT_LINT1] = { 0x360, 0x0001a7ff },
	[SVM_LAPIC_LVT_ERROR] = { 0x370, 0x000107ff },
};

static u32 get(const struct kvm_lapic_state *page, unsigned int offset)
{
	u32 value;

	memcpy(&value, page->regs + offset, sizeof(value));
	return value;
}

static void put(struct kvm_lapic_state *page, unsigned int offset, u32 value)
{
	memcpy(page->regs + offset, &value, sizeof(value));
}

/* Nanoseconds of one count.  Bits 3, 1 and 0 of the register: by 2, 4 ... 128, and 111b by 1. */
static u64 count_ns(u32 divide)
{
	const unsigned int code = (divide & 3) | (divide & 8) >> 1;

	return (u64)SVM_LAPIC_NS_PER_COUNT << ((code + 1) & 7);
}

/* Where xAPIC mode has it in either mode, unless user space knows of 32 bits. */
static u32 id_of(const struct guest_apic *apic)
{
	const u32 id = apic->lapic.config.id;

	if ((svm_lapic_get_base(&apic->lapic) & BASE_X2APIC) &&
	    guest_has_x2apic_api(apic->irq, KVM_X2APIC_API_USE_32BIT_IDS))
		return id;
	return id << 24;
}

static void lapic_to_kvm(const struct svm_lapic_state *s, struct kvm_lapic_state *out)
{
	unsigned int i;

	put(out, R_VERSION, APIC_VERSION);
	put(out, R_TPR, s->tpr);
	put(out, R_LDR, s->ldr);
	put(out, R_DFR, s->dfr);
	put(out, R_SVR, s->svr);
	for (i = 0; i < 8; i++) {
		put(out, R_ISR + 16 * i, s->isr[i]);
		put(out, R_TMR + 16 * i, s->tmr[i]);
		put(out, R_IRR + 16 * i, s->irr[i]);
	}
	put(out, R_ESR, s->esr);
	put(out, R_ICR, s->icr_low);
	put(out, R_ICR_HIGH, s->icr_high);
	for (i = 0; i < SVM_LAPIC_LVT_COUNT; i++)
		put(out, lvt_registers[i].offset, s->lvt[i]);
	if (s->lint_busy & BIT(0))
		put(out, 0x350, s->lvt[SVM_LAPIC_LVT_LINT0] | LVT_BUSY);
	if (s->lint_busy & BIT(1))
		put(out, 0x360, s->lvt[SVM_LAPIC_LVT_LINT1] | LVT_BUSY);
	put(out, R_INITIAL, s->initial_count);
	put(out, R_CURRENT, (u32)DIV_ROUND_UP_ULL(s->remaining_ns, count_ns(s->divide)));
	put(out, R_DIVIDE, s->divide);
}

/* Under no lock: the APIC is its vCPU's, which does not run yet. */
int guest_lapic_reset(struct guest_apic *apic)
{
	const struct svm_lapic_time now = guest_irq_apic_time(apic);
	struct svm_lapic_state state;

	svm_lapic_reset(&apic->lapic);
	if (!apic->lapic.config.is_bsp)
		return 0;
	svm_lapic_save(&apic->lapic, &state, now);
	state.lvt[SVM_LAPIC_LVT_LINT0] = LVT_EXTINT;
	return hal_errno(svm_lapic_restore(&apic->lapic, &state, now));
}

void guest_lapic_get(struct guest_apic *apic, struct kvm_lapic_state *out)
{
	struct svm_lapic_state state;

	svm_lapic_save(&apic->lapic, &state, guest_irq_apic_time(apic));
	memset(out, 0, sizeof(*out));
	lapic_to_kvm(&state, out);
	put(out, R_ID, id_of(apic));
	put(out, R_PPR, svm_lapic_ppr(&apic->lapic));
}

static u32 legal_lvt(const struct kvm_lapic_state *in, unsigned int entry)
{
	const u32 value = get(in, lvt_registers[entry].offset) & lvt_registers[entry].bits;

	/* A disabled APIC masks them all, but what passes the 8259's interrupts through. */
	if ((get(in, R_SVR) & SVR_ENABLE) ||
	    (entry == SVM_LAPIC_LVT_LINT0 && (value & LVT_MODE) == LVT_EXTINT))
		return value;
	return value | LVT_MASKED;
}

static u32 busy_pin(const struct kvm_lapic_state *in, unsigned int entry, u32 pin)
{
	const u32 both = LVT_BUSY | LVT_LEVEL;

	return (get(in, lvt_registers[entry].offset) & both) == both ? BIT(pin) : 0;
}

/* A count that stands at 0 has ended, or in periodic mode begins. */
static void timer_from_kvm(const struct kvm_lapic_state *in, struct svm_lapic_state *s)
{
	const u32 mode = s->lvt[SVM_LAPIC_LVT_TIMER] >> 17 & 3;
	u32 left = get(in, R_CURRENT);

	s->initial_count = get(in, R_INITIAL);
	s->divide = get(in, R_DIVIDE) & 0xb;
	s->is_counting = 0;
	s->remaining_ns = 0;
	if (mode != TIMER_TSC)
		s->tsc_deadline = 0;
	if (mode >= TIMER_TSC)
		return;
	if (!left && mode == TIMER_PERIODIC)
		left = s->initial_count;
	left = min(left, s->initial_count);
	s->is_counting = left != 0;
	s->remaining_ns = left * count_ns(s->divide);
}

static void lapic_from_kvm(const struct kvm_lapic_state *in, struct svm_lapic_state *s)
{
	const bool is_x2apic = s->base & BASE_X2APIC;
	unsigned int i;

	s->tpr = get(in, R_TPR) & 0xff;
	if (!is_x2apic)
		s->ldr = get(in, R_LDR) & 0xff000000;
	s->dfr = get(in, R_DFR) | 0x0fffffff;
	s->svr = get(in, R_SVR) & 0x3ff;
	s->esr = get(in, R_ESR) & 0xe0;
	s->errors = 0;
	s->icr_low = get(in, R_ICR) & 0x000ccfff;
	s->icr_high = get(in, R_ICR_HIGH) & (is_x2apic ? U32_MAX : 0xff000000);
	for (i = 0; i < 8; i++) {
		const u32 allowed = i ? U32_MAX : 0xffff0000;

		s->isr[i] = get(in, R_ISR + 16 * i) & allowed;
		s->tmr[i] = get(in, R_TMR + 16 * i) & allowed;
		s->irr[i] = get(in, R_IRR + 16 * i) & allowed;
	}
	for (i = 0; i < SVM_LAPIC_LVT_COUNT; i++)
		s->lvt[i] = legal_lvt(in, i);
	s->lint_busy = busy_pin(in, SVM_LAPIC_LVT_LINT0, 0) | busy_pin(in, SVM_LAPIC_LVT_LINT1, 1);
	timer_from_kvm(in, s);
}

/*
 * The ID is the vCPU's for good; mode and requests beside vectors are not in the page.  Under the
 * lock, so that the level of LINT0 stays what it is.
 */
int guest_lapic_set(struct guest_apic *apic, const struct kvm_lapic_state *in)
{
	const struct svm_lapic_time now = guest_irq_apic_time(apic);
	struct svm_lapic_state state;
	unsigned long flags;
	int error;

	if (get(in, R_ID) != id_of(apic))
		return -EINVAL;
	flags = guest_irq_enter(apic->irq);
	svm_lapic_save(&apic->lapic, &state, now);
	lapic_from_kvm(in, &state);
	error = svm_lapic_restore(&apic->lapic, &state, now);
	guest_irq_leave(apic->irq, flags);
	if (!error)
		guest_irq_follow_apic(apic);
	return hal_errno(error);
}
