/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MC146818: registers, update cycle and interrupts.  Data sheet, Registers; Interrupts; Update
 * cycle.
 *
 * Flags come up whether their interrupts are enabled or not, so a guest may poll them; nobody needs
 * to be woken for that, since they are computed when register C is read.  Only a flag that is
 * enabled and still down has a deadline.
 */
#include <libsvm/platform/rtc.h>

#include "core/core.h"
#include "platform/rtc_date.h"

#define RTC_A 0x0au
#define RTC_C 0x0cu
#define RTC_D 0x0du

#define RTC_A_UIP         0x80u
#define RTC_A_DIVIDER     0x70u
#define RTC_A_DIVIDER_RUN 0x20u
#define RTC_A_RATE        0x0fu
#define RTC_A_DEFAULT     0x26u /* Running, 1,024 Hz: what every PC's firmware leaves. */

#define RTC_B_SET         0x80u
#define RTC_B_PERIODIC    0x40u
#define RTC_B_ALARM       0x20u
#define RTC_B_UPDATE      0x10u
#define RTC_B_SQUARE_WAVE 0x08u
#define RTC_B_INTERRUPTS  (RTC_B_PERIODIC | RTC_B_ALARM | RTC_B_UPDATE)

#define RTC_C_ANY   0x80u /* IRQF. */
#define RTC_D_VALID 0x80u

#define RTC_INDEX_NMI_OFF 0x80u

#define RTC_UIP_NS     244000u
#define RTC_CRYSTAL_HZ 32768u

/* Memory sizes; low byte first. */
#define CMOS_BASE_KIB      0x15u
#define CMOS_EXTENDED_KIB  0x17u
#define CMOS_SUM           0x2eu /* High byte first. */
#define CMOS_EXTENDED_KIB2 0x30u
#define CMOS_ABOVE_16MIB   0x34u
#define CMOS_ABOVE_4GIB    0x5bu
#define CMOS_SUM_FIRST     0x10u
#define CMOS_SUM_LAST      0x2du

static bool rtc_is_running(const struct svm_rtc_state *s)
{
	return (s->bytes[RTC_A] & RTC_A_DIVIDER) == RTC_A_DIVIDER_RUN;
}

static bool rtc_is_updating(const struct svm_rtc_state *s)
{
	return rtc_is_running(s) && !(s->bytes[RTC_B] & RTC_B_SET);
}

static uint64_t crystal_cycles(uint64_t ns)
{
	return ns / SVM_NS_PER_S * RTC_CRYSTAL_HZ +
	       ns % SVM_NS_PER_S * RTC_CRYSTAL_HZ / SVM_NS_PER_S;
}

/* The first nanosecond of a cycle. */
static uint64_t crystal_ns(uint64_t cycle)
{
	const uint64_t rest = cycle % RTC_CRYSTAL_HZ * SVM_NS_PER_S;

	return cycle / RTC_CRYSTAL_HZ * SVM_NS_PER_S + (rest + RTC_CRYSTAL_HZ - 1) / RTC_CRYSTAL_HZ;
}

/* log2 of the periodic rate's cycles.  Rates 1 and 2 are those of 8 and 9 (table 5). */
static unsigned rate_shift(const struct svm_rtc_state *s)
{
	const unsigned rate = s->bytes[RTC_A] & RTC_A_RATE;

	return rate <= 2 ? rate + 6 : rate - 1;
}

static bool has_rate(const struct svm_rtc_state *s)
{
	return rtc_is_running(s) && (s->bytes[RTC_A] & RTC_A_RATE);
}

static void raise_rtc_flag(struct svm_rtc_state *s, uint8_t flag)
{
	s->bytes[RTC_C] |= flag;
}

static void pass_seconds(struct svm_rtc_state *s, uint64_t seconds)
{
	const uint32_t alarm = svm_rtc_date_alarm(s->bytes);

	svm_rtc_date_add(s->bytes, seconds);
	raise_rtc_flag(s, RTC_B_UPDATE);
	if (alarm && alarm <= seconds)
		raise_rtc_flag(s, RTC_B_ALARM);
}

/* Everything up to now. */
static void rtc_catch_up(struct svm_rtc_state *s, uint64_t now)
{
	const uint64_t position = now + s->phase_ns;
	const uint64_t seconds = position / SVM_NS_PER_S;
	const uint64_t cycles = crystal_cycles(position);

	if (!rtc_is_running(s) || cycles <= s->cycles)
		return;
	if (has_rate(s) && cycles >> rate_shift(s) != s->cycles >> rate_shift(s))
		raise_rtc_flag(s, RTC_B_PERIODIC);
	if (rtc_is_updating(s) && seconds != s->seconds)
		pass_seconds(s, seconds - s->seconds);
	s->cycles = cycles;
	s->seconds = seconds;
}

static uint64_t rtc_plan(const struct svm_rtc_state *s)
{
	const uint8_t wanted = s->bytes[RTC_B] & RTC_B_INTERRUPTS & (uint8_t)~s->bytes[RTC_C];
	uint64_t next = SVM_NEVER;
	uint32_t alarm;

	if ((wanted & RTC_B_PERIODIC) && has_rate(s))
		next = crystal_ns(((s->cycles >> rate_shift(s)) + 1) << rate_shift(s));
	if (rtc_is_updating(s) && (wanted & RTC_B_UPDATE))
		next = svm_min(next, (s->seconds + 1) * SVM_NS_PER_S);
	if (rtc_is_updating(s) && (wanted & RTC_B_ALARM)) {
		alarm = svm_rtc_date_alarm(s->bytes);
		if (alarm)
			next = svm_min(next, (s->seconds + alarm) * SVM_NS_PER_S);
	}
	return next == SVM_NEVER ? next : next - s->phase_ns;
}

/* What follows from a changed state. */
static void update_rtc(struct svm_rtc *rtc)
{
	const struct svm_rtc_state *s = &rtc->state;
	const bool level = s->bytes[RTC_B] & s->bytes[RTC_C] & RTC_B_INTERRUPTS;

	rtc->deadline = rtc_plan(s);
	if (level == rtc->irq_level)
		return;
	rtc->irq_level = level;
	svm_wire_set(&rtc->irq, level);
}

/* The divider comes out of its reset: the first second is full after half of one. */
static void start_divider(struct svm_rtc_state *s, uint64_t now)
{
	s->phase_ns = (3 * SVM_NS_PER_S / 2 - now % SVM_NS_PER_S) % SVM_NS_PER_S;
	s->seconds = (now + s->phase_ns) / SVM_NS_PER_S;
	s->cycles = crystal_cycles(now + s->phase_ns);
}

static void write_rtc_a(struct svm_rtc_state *s, uint8_t value, uint64_t now)
{
	const bool was_running = rtc_is_running(s);

	s->bytes[RTC_A] = value & (uint8_t)~RTC_A_UIP;
	if (!was_running && rtc_is_running(s))
		start_divider(s, now);
}

static void write_rtc_b(struct svm_rtc_state *s, uint8_t value)
{
	s->bytes[RTC_B] = value & RTC_B_SET ? value & (uint8_t)~RTC_B_UPDATE : value;
}

static void write_rtc_byte(struct svm_rtc_state *s, uint8_t value, uint64_t now)
{
	switch (s->index) {
	case RTC_A:
		write_rtc_a(s, value, now);
		break;
	case RTC_B:
		write_rtc_b(s, value);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		s->bytes[s->index % SVM_RTC_BYTES] = value;
	}
}

static uint8_t read_rtc_a(const struct svm_rtc_state *s, uint64_t now)
{
	const bool soon = (now + s->phase_ns) % SVM_NS_PER_S >= SVM_NS_PER_S - RTC_UIP_NS;

	return (uint8_t)(s->bytes[RTC_A] | (rtc_is_updating(s) && soon ? RTC_A_UIP : 0));
}

/* Reading it is what ends an interrupt. */
static uint8_t read_rtc_c(struct svm_rtc_state *s)
{
	const uint8_t flags = s->bytes[RTC_C];

	s->bytes[RTC_C] = 0;
	return flags & s->bytes[RTC_B] & RTC_B_INTERRUPTS ? flags | RTC_C_ANY : flags;
}

static uint8_t read_rtc_byte(struct svm_rtc_state *s, uint64_t now)
{
	switch (s->index) {
	case RTC_A:
		return read_rtc_a(s, now);
	case RTC_C:
		return read_rtc_c(s);
	default:
		return s->bytes[s->index % SVM_RTC_BYTES];
	}
}

uint32_t svm_rtc_read(struct svm_rtc *rtc, uint32_t offset, uint32_t size, uint64_t now)
{
	uint32_t value = 0;

	rtc_catch_up(&rtc->state, now);
	for (uint32_t i = 0; i < size && i < 4; i++) {
		const uint32_t byte = offset + i == 1 ? read_rtc_byte(&rtc->state, now) : 0xff;

		value |= byte << 8 * i;
	}
	update_rtc(rtc);
	return value;
}

void svm_rtc_write(struct svm_rtc *rtc, uint32_t offset, uint32_t size, uint32_t value,
                   uint64_t now)
{
	struct svm_rtc_state *s = &rtc->state;

	rtc_catch_up(s, now);
	for (uint32_t i = 0; i < size && i < 4; i++) {
		const uint8_t byte = (uint8_t)(value >> 8 * i);

		if (offset + i == 0) {
			s->index = byte & (uint8_t)~RTC_INDEX_NMI_OFF;
			s->nmi_off = byte & RTC_INDEX_NMI_OFF ? 1 : 0;
		} else if (offset + i == 1) {
			write_rtc_byte(s, byte, now);
		}
	}
	update_rtc(rtc);
}

uint64_t svm_rtc_deadline(const struct svm_rtc *rtc)
{
	return rtc->deadline;
}

void svm_rtc_advance(struct svm_rtc *rtc, uint64_t now)
{
	if (now < rtc->deadline)
		return;
	rtc_catch_up(&rtc->state, now);
	update_rtc(rtc);
}

static void put_size(struct svm_rtc_state *s, unsigned index, unsigned bytes, uint64_t size)
{
	const uint64_t value = svm_min(size, (UINT64_C(1) << 8 * bytes) - 1);

	for (unsigned i = 0; i < bytes; i++)
		s->bytes[index + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t size_above(uint64_t size, uint64_t base)
{
	return size > base ? size - base : 0;
}

void svm_rtc_set_memory(struct svm_rtc *rtc, uint64_t below, uint64_t above)
{
	struct svm_rtc_state *s = &rtc->state;
	uint32_t sum = 0;

	put_size(s, CMOS_BASE_KIB, 2, svm_min(below >> 10, 640));
	put_size(s, CMOS_EXTENDED_KIB, 2, size_above(below, 1u << 20) >> 10);
	put_size(s, CMOS_EXTENDED_KIB2, 2, size_above(below, 1u << 20) >> 10);
	put_size(s, CMOS_ABOVE_16MIB, 2, size_above(below, 16u << 20) >> 16);
	put_size(s, CMOS_ABOVE_4GIB, 3, above >> 16);
	for (unsigned i = CMOS_SUM_FIRST; i <= CMOS_SUM_LAST; i++)
		sum += s->bytes[i];
	s->bytes[CMOS_SUM] = (uint8_t)(sum >> 8);
	s->bytes[CMOS_SUM + 1] = (uint8_t)sum;
}

void svm_rtc_reset(struct svm_rtc *rtc, uint64_t now)
{
	struct svm_rtc_state *s = &rtc->state;

	rtc_catch_up(s, now);
	s->bytes[RTC_B] &= (uint8_t) ~(RTC_B_INTERRUPTS | RTC_B_SQUARE_WAVE);
	s->bytes[RTC_C] = 0;
	update_rtc(rtc);
}

void svm_rtc_init(struct svm_rtc *rtc, const struct svm_wire *irq, uint64_t wall)
{
	memset(rtc, 0, sizeof(*rtc));
	if (irq)
		rtc->irq = *irq;
	rtc->state.bytes[RTC_A] = RTC_A_DEFAULT;
	rtc->state.bytes[RTC_B] = RTC_B_24H;
	rtc->state.bytes[RTC_D] = RTC_D_VALID;
	svm_rtc_date_set(rtc->state.bytes, wall);
	update_rtc(rtc);
}

void svm_rtc_save(const struct svm_rtc *rtc, struct svm_rtc_state *state)
{
	*state = rtc->state;
}

/* A position to come would stop the clock, and one that is not whole be two. */
static bool rtc_state_is_valid(const struct svm_rtc_state *s, uint64_t now)
{
	if (s->index >= SVM_RTC_BYTES || s->nmi_off > 1 || s->phase_ns >= SVM_NS_PER_S)
		return false;
	if (s->cycles > crystal_cycles(now + s->phase_ns) ||
	    s->seconds != s->cycles / RTC_CRYSTAL_HZ)
		return false;
	if (s->bytes[RTC_A] & RTC_A_UIP || s->bytes[RTC_C] & ~RTC_B_INTERRUPTS ||
	    s->bytes[RTC_D] != RTC_D_VALID)
		return false;
	if ((s->bytes[RTC_B] & RTC_B_SET) && (s->bytes[RTC_B] & RTC_B_UPDATE))
		return false;
	for (unsigned i = 0; i < sizeof(s->reserved); i++)
		if (s->reserved[i])
			return false;
	return true;
}

int svm_rtc_restore(struct svm_rtc *rtc, const struct svm_rtc_state *state, uint64_t now)
{
	const struct svm_rtc_state copy = *state;

	if (!rtc_state_is_valid(&copy, now))
		return SVM_ERR_INVAL;
	rtc->state = copy;
	rtc_catch_up(&rtc->state, now);
	update_rtc(rtc);
	return 0;
}
