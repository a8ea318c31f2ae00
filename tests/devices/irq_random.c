/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: irq_random EVENTS SEED
 *
 * Random events on a PC's interrupt controllers (4 local APICs, an I/O APIC, the 8259 pair, wired
 * as in a PC) and on the plain model of them (irq_model.h).  After each event every vector, every
 * request and every output must be the same in both, and one register more that is read as a guest
 * reads it.
 */
#include "irq_model.h"

#include <libsvm/platform/apic_bus.h>
#include <libsvm/platform/ioapic.h>
#include <libsvm/platform/lapic.h>
#include <libsvm/platform/pic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) ((condition) ? (void)0 : fail(__LINE__, #condition))

static const unsigned ids[APICS] = { 0, 1, 5, 0x23 };
static const uint16_t pic_ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };

static struct svm_lapic lapics[APICS];
static struct svm_apic_bus bus;
static struct svm_ioapic ioapic;
static struct svm_pic pic;
static uint64_t event, state;
static unsigned long vectors_taken, errors_found, spurious, timers, ends;
static char what[128];

_Noreturn static void fail(int line, const char *condition)
{
	printf("event %lu (%s): line %d: not %s\n", (unsigned long)event, what, line, condition);
	exit(EXIT_FAILURE);
}

/* --- chance ------------------------------------------------------------------------------- */

static uint64_t draw64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned draw(unsigned below)
{
	return (unsigned)((draw64() >> 32) * below >> 32);
}

static bool one_in(unsigned n)
{
	return draw(n) == 0;
}

/* Few vectors, so that they meet; now and then any, and an illegal one. */
static unsigned draw_vector(void)
{
	static const unsigned few[] = {
		0x10, 0x1f, 0x31, 0x32, 0x41, 0x5f, 0x60, 0x8f, 0xef, 0xff
	};

	if (one_in(40))
		return draw(16);
	return one_in(8) ? draw(256) : few[draw(sizeof(few) / sizeof(few[0]))];
}

static unsigned draw_mode(void)
{
	return one_in(3) ? draw(8) : draw(2);
}

/* --- the real machine --------------------------------------------------------------------- */

static void wake(void *arg)
{
	(void)arg;
}

static void end_of_interrupt(void *arg, uint8_t vector)
{
	(void)arg;
	ends++;
	svm_ioapic_eoi(&ioapic, vector);
}

static void pic_output(void *arg, unsigned line, bool level)
{
	(void)arg;
	(void)line;
	svm_lapic_set_lint(&lapics[0], 0, level);
	svm_ioapic_set_line(&ioapic, 0, level);
}

static struct svm_lapic_config config_of(unsigned i)
{
	return (struct svm_lapic_config){
		.id = ids[i],
		.is_bsp = i == 0,
		.has_x2apic = true,
		.has_tsc_deadline = true,
		.physical_bits = 40,
		.host = { wake, svm_apic_bus_send, end_of_interrupt, &bus },
	};
}

static void make_machine(void)
{
	const struct svm_wire output = { .set = pic_output };

	svm_apic_bus_init(&bus);
	for (unsigned i = 0; i < APICS; i++) {
		const struct svm_lapic_config config = config_of(i);

		CHECK(svm_lapic_init(&lapics[i], &config) == 0);
		CHECK(svm_apic_bus_add(&bus, &lapics[i]) == 0);
	}
	CHECK(svm_ioapic_init(&ioapic, svm_apic_bus_send, &bus) == 0);
	svm_pic_init(&pic, &output);
	model_make(ids);
}

static struct svm_lapic_time now(void)
{
	return (struct svm_lapic_time){ model.ns, model.tsc };
}

/* --- comparing ---------------------------------------------------------------------------- */

/* Eight bools become the bits of a byte: the product brings byte i to bit 56 + i. */
static uint8_t pack8(const bool marks[8])
{
	uint64_t bytes;

	memcpy(&bytes, marks, sizeof(bytes));
	return (uint8_t)(bytes * UINT64_C(0x0102040810204080) >> 56);
}

static bool same_vectors(const uint32_t words[8], const bool marks[256])
{
	for (unsigned i = 0; i < 32; i++)
		if (pack8(&marks[8 * i]) != (uint8_t)(words[i / 4] >> i % 4 * 8))
			return false;
	return true;
}

static uint32_t model_requests(const struct model_apic *apic)
{
	return (apic->nmi ? SVM_LAPIC_REQUEST_NMI : 0u) | (apic->smi ? SVM_LAPIC_REQUEST_SMI : 0u) |
	       (apic->init ? SVM_LAPIC_REQUEST_INIT : 0u) |
	       (apic->startup ? SVM_LAPIC_REQUEST_STARTUP : 0u) |
	       (apic->extint ? SVM_LAPIC_REQUEST_EXTINT : 0u);
}

static void compare_apic(unsigned i)
{
	const struct svm_lapic *lapic = &lapics[i];
	const struct model_apic *apic = &model.apic[i];

	CHECK(same_vectors(lapic->irr, apic->irr));
	CHECK(same_vectors(lapic->isr, apic->isr));
	CHECK(same_vectors(lapic->tmr, apic->tmr));
	CHECK(svm_lapic_ppr(lapic) == model_ppr(apic));
	CHECK(svm_lapic_get_tpr(lapic) == apic->tpr / 16);
	CHECK(svm_lapic_pending(lapic, svm_lapic_get_tpr(lapic)) ==
	      model_pending(apic, apic->tpr / 16));
	CHECK(lapic->requests == model_requests(apic));
	CHECK(lapic->errors == apic->errors);
	CHECK(svm_lapic_wants_extint(lapic) == model_wants_extint(apic));
}

static void compare_register(unsigned i)
{
	const unsigned reg = one_in(20) ? draw(0x100) : draw(0x40);
	uint64_t mine = 0, other = 0;
	bool is_there;

	snprintf(what, sizeof(what), "reading register %#x of APIC %u", reg, i);
	is_there = svm_lapic_read_msr(&lapics[i], 0x800 + reg, &mine, now());
	CHECK(is_there == model_rdmsr(&model.apic[i], 0x800 + reg, &other));
	CHECK(mine == other);
	mine = svm_lapic_read(&lapics[i], 16 * reg, 4, now());
	CHECK(mine == model_mmio_read(&model.apic[i], 16 * reg));
	CHECK(svm_lapic_get_tsc_deadline(&lapics[i], now()) == model.apic[i].deadline);
}

static void compare_ioapic(void)
{
	const unsigned reg = draw(0x48);

	svm_ioapic_write(&ioapic, 0x00, 4, reg);
	CHECK(svm_ioapic_read(&ioapic, 0x10, 4) == model_ioapic_read(reg));
	svm_ioapic_write(&ioapic, 0x00, 4, model.ioapic_select);
}

static void compare_pic(void)
{
	for (unsigned which = 0; which < 2; which++) {
		const struct svm_pic_chip *chip = &pic.chip[which];
		const struct model_chip *other = &model.chip[which];

		CHECK(chip->isr == pack8(other->served));
		CHECK(chip->imr == pack8(other->masked));
		CHECK(chip->latch == pack8(other->edge));
		CHECK(chip->lowest == other->order[7]);
	}
	CHECK(svm_pic_pending(&pic) == model.pic_output);
}

/* --- events ------------------------------------------------------------------------------- */

/* The deadline that the host was told must not be later than what happens. */
static void pass_time(uint64_t ns, uint64_t tsc)
{
	bool fired[APICS];

	model_time(ns, tsc, fired);
	for (unsigned i = 0; i < APICS; i++) {
		const struct model_entry *entry = &model.apic[i].lvt[0];
		const uint64_t slack = entry->timer_mode == 1 ? SVM_LAPIC_PERIOD_MIN_NS : 0;

		if (fired[i] && !entry->masked) {
			CHECK(svm_lapic_deadline(&lapics[i]) <= model.ns + slack ||
			      svm_lapic_tsc_deadline(&lapics[i]) <= model.tsc);
			timers++;
		}
		svm_lapic_advance(&lapics[i], now());
	}
}

static void time_event(void)
{
	static const unsigned spans[] = { 1, 7, 100, 5000, 200000 };

	pass_time(draw(spans[draw(5)]), draw(spans[draw(4)]));
}

static void line_event(void)
{
	const unsigned irq = draw(24);
	const bool level = !one_in(2);

	snprintf(what, sizeof(what), "line %u is %d", irq, level);
	if (irq < 16) {
		svm_pic_set_line(&pic, irq, level);
		model_pic_line(irq, level);
	}
	if (irq != 0 && irq != 2) {
		svm_ioapic_set_line(&ioapic, irq, level);
		model_ioapic_line(irq, level);
	} else if (irq == 0) {
		svm_ioapic_set_line(&ioapic, 2, level);
		model_ioapic_line(2, level);
	}
}

static void lint_event(void)
{
	const unsigned i = draw(APICS), pin = i ? draw(2) : 1;
	const bool level = !one_in(2);

	snprintf(what, sizeof(what), "LINT%u of APIC %u is %d", pin, i, level);
	svm_lapic_set_lint(&lapics[i], pin, level);
	model_lint(&model.apic[i], pin, level);
}

static uint32_t draw_destination(bool is_wide)
{
	static const uint32_t few[] = { 0, 1, 2, 3, 4, 5, 0x0f, 0x11, 0x12, 0x1f, 0x23, 0xff };
	static const uint32_t wide[] = { 0x00020008, 0x0002ffff, 0x0000ffff, 0x21, 0xffffffff };

	if (is_wide && one_in(2))
		return wide[draw(5)];
	return one_in(10) ? draw(256) : few[draw(12)];
}

static uint32_t draw_redirection(void)
{
	uint32_t value =
		draw_vector() | draw_mode() << 8 | draw(2) << 11 | (one_in(2) ? 0x8000 : 0);

	value |= one_in(4) ? 0x2000 : 0;
	value |= one_in(4) ? 0x10000 : 0;
	return one_in(20) ? (uint32_t)draw64() : value;
}

static void ioapic_event(void)
{
	const unsigned reg = one_in(10) ? draw(256) : 0x10 + draw(48);
	const uint32_t value = reg % 2 ? draw_destination(false) << 24 : draw_redirection();
	const uint8_t vector = (uint8_t)draw_vector();

	if (one_in(4)) {
		snprintf(what, sizeof(what), "EOI register %#x", vector);
		svm_ioapic_write(&ioapic, 0x40, 4, vector);
		model_ioapic_eoi(vector);
		return;
	}
	snprintf(what, sizeof(what), "I/O APIC %#x = %#x", reg, value);
	svm_ioapic_write(&ioapic, 0x00, 4, reg);
	svm_ioapic_write(&ioapic, 0x10, 4, value);
	model.ioapic_select = reg;
	model_ioapic_write(reg, value);
}

/* A command to an even port; ICW1 seldom, since all is lost with it. */
static uint8_t draw_command(void)
{
	if (one_in(60))
		return (uint8_t)(0x10 | draw(16));
	if (one_in(2))
		return (uint8_t)(0x08 | draw(8) | draw(4) << 5);
	return one_in(2) ? 0x20 : (uint8_t)(draw(8) << 5 | draw(8));
}

static void pic_out(unsigned port, unsigned value)
{
	snprintf(what, sizeof(what), "port %#x = %#x", port, value);
	svm_pic_write(&pic, (uint16_t)port, 1, value);
	model_pic_out(port, value);
}

/* An unfinished initialisation ends soon; masks are mostly thin. */
static void pic_event(void)
{
	const unsigned port = pic_ports[draw(6)];

	if (one_in(4)) {
		snprintf(what, sizeof(what), "port %#x read", port);
		CHECK(svm_pic_read(&pic, (uint16_t)port, 1) == model_pic_in(port));
		return;
	}
	for (unsigned which = 0; which < 2; which++)
		if (model.chip[which].step && one_in(2))
			pic_out(which ? 0xa1 : 0x21, draw(256) & (one_in(4) ? 0xff : 0xfd));
	if (port > 0x400)
		pic_out(port, one_in(2) ? draw(256) : 0);
	else if (port % 2)
		pic_out(port, draw(256) & draw(256) & draw(256));
	else
		pic_out(port, draw_command());
}

static uint32_t draw_icr(void)
{
	uint32_t value = draw_vector() | draw_mode() << 8 | draw(2) << 11 | 0x4000;

	value |= one_in(3) ? draw(4) << 18 : 0;
	value ^= one_in(10) ? 0x8000 : 0;
	value ^= one_in(10) ? 0x4000 : 0;
	value ^= one_in(20) ? 1u << draw(32) : 0;
	return one_in(20) ? (uint32_t)draw64() : value;
}

/* A value that makes sense for the register at an offset, more often than not. */
static uint32_t draw_value(unsigned offset)
{
	if (one_in(20))
		return (uint32_t)draw64();
	switch (offset) {
	case 0x80:
		return one_in(2) ? 0 : draw(256);
	case 0xd0:
		return draw_destination(false) << 24;
	case 0xe0:
		return one_in(3) ? 0x0fffffff : 0xffffffff;
	case 0xf0:
		return one_in(20) ? draw(0x400) : 0x1ff;
	case 0x300:
		return draw_icr();
	case 0x310:
		return draw_destination(false) << 24;
	case 0x320:
		return draw_vector() | draw(4) << 17 | (one_in(4) ? 0x10000 : 0);
	case 0x330:
	case 0x340:
	case 0x350:
	case 0x360:
	case 0x370:
		return draw_vector() | draw_mode() << 8 | draw(4) << 14 | (one_in(4) ? 0x10000 : 0);
	case 0x380:
		return one_in(2) ? 1 + draw(20000) : draw(3);
	case 0x3e0:
		return draw(16);
	case 0x3f0:
		return draw_vector();
	default:
		return 0;
	}
}

static void write_msr(unsigned i, unsigned reg, uint32_t low)
{
	uint64_t value = low;

	if (reg == 0x30) {
		value |= (uint64_t)draw_destination(true) << 32;
		value &= one_in(10) ? UINT64_MAX : ~UINT64_C(0xfff32000);
	} else if (one_in(30)) {
		value |= draw64() << 32;
	} else if (!one_in(10)) {
		/* Without the bits that fault in any entry. */
		value &= reg >= 0x32 && reg <= 0x37 ? 0x717ff : 0xffffffff;
	}
	snprintf(what, sizeof(what), "MSR %#x of APIC %u = %#lx", 0x800 + reg, i,
	         (unsigned long)value);
	CHECK(svm_lapic_write_msr(&lapics[i], 0x800 + reg, value, now()) ==
	      model_wrmsr(&model.apic[i], 0x800 + reg, value));
}

static void register_event(void)
{
	static const unsigned often[] = { 0x08, 0x0d, 0x0f, 0x0f, 0x28, 0x30, 0x30,
		                          0x30, 0x31, 0x32, 0x32, 0x35, 0x36, 0x37,
		                          0x38, 0x38, 0x3e, 0x3f, 0x0e };
	const unsigned i = draw(APICS);
	const unsigned reg = one_in(20) ? draw(256) : often[draw(19)];
	const uint32_t value = draw_value(16 * reg);

	if (model.apic[i].mode == MODEL_X2APIC || one_in(50)) {
		write_msr(i, reg, value);
		return;
	}
	snprintf(what, sizeof(what), "register %#x of APIC %u = %#x", 16 * reg, i, value);
	svm_lapic_write(&lapics[i], 16 * reg, 4, value, now());
	model_mmio_write(&model.apic[i], 16 * reg, value);
}

static void mode_event(void)
{
	static const uint64_t bases[] = { 0xfee00000, 0xfee00800, 0xfee00800, 0xfee00c00,
		                          0xfee00400, 0x12345800, 0xfee00801 };
	const unsigned i = draw(APICS);
	const uint64_t base = bases[draw(7)];

	snprintf(what, sizeof(what), "base of APIC %u = %#lx", i, (unsigned long)base);
	CHECK(svm_lapic_set_base(&lapics[i], base) == model_write_base(&model.apic[i], base));
	CHECK(svm_lapic_mmio_base(&lapics[i]) ==
	      (model.apic[i].mode == MODEL_XAPIC ? model.apic[i].page << 12 : SVM_NEVER));
}

static void interrupt_event(void)
{
	const unsigned i = draw(APICS), cr8 = model.apic[i].tpr / 16;
	const int vector = model_pending(&model.apic[i], cr8);

	snprintf(what, sizeof(what), "APIC %u takes %d", i, vector);
	if (vector < 0)
		return;
	svm_lapic_accept(&lapics[i], (uint8_t)vector);
	model_accept(&model.apic[i], (unsigned)vector);
	vectors_taken++;
}

static void eoi_event(void)
{
	const unsigned i = draw(APICS);

	snprintf(what, sizeof(what), "EOI of APIC %u", i);
	svm_lapic_eoi(&lapics[i]);
	model_eoi(&model.apic[i]);
}

static void cr8_event(void)
{
	const unsigned i = draw(APICS), cr8 = one_in(2) ? 0 : draw(16);

	snprintf(what, sizeof(what), "CR8 of APIC %u = %u", i, cr8);
	svm_lapic_set_tpr(&lapics[i], (uint8_t)cr8);
	model_write_cr8(&model.apic[i], cr8);
}

static void acknowledge_event(void)
{
	if (!one_in(20) && !model_wants_extint(&model.apic[0]))
		return;
	snprintf(what, sizeof(what), "interrupt acknowledge");
	spurious += !svm_pic_pending(&pic);
	CHECK(svm_pic_acknowledge(&pic) == model_pic_acknowledge());
}

/* As the owner of an APIC does it, with INIT at once. */
static void request_event(void)
{
	const unsigned i = draw(APICS);
	struct model_apic *apic = &model.apic[i];
	uint8_t page = 0;
	uint32_t requests;

	snprintf(what, sizeof(what), "requests of APIC %u", i);
	requests = svm_lapic_take_requests(&lapics[i], &page);
	CHECK(requests == model_requests(apic));
	if (requests & SVM_LAPIC_REQUEST_STARTUP)
		CHECK(page == apic->startup_vector);
	if (requests & SVM_LAPIC_REQUEST_INIT) {
		svm_lapic_reset_by_init(&lapics[i]);
		model_init(apic);
	}
	apic->nmi = apic->smi = apic->init = apic->startup = apic->extint = false;
}

static void post_event(void)
{
	const unsigned i = draw(APICS), vector = draw_vector();
	const bool level = one_in(3);

	snprintf(what, sizeof(what), "post %#x to APIC %u", vector, i);
	CHECK(svm_lapic_post(&lapics[i], (uint8_t)vector, level) ==
	      model_post(&model.apic[i], vector, level));
}

static void deadline_event(void)
{
	const unsigned i = draw(APICS);
	const uint64_t tsc = one_in(10) ? 0 : model.tsc + draw(3000) - draw(100);

	snprintf(what, sizeof(what), "deadline of APIC %u = %lu", i, (unsigned long)tsc);
	svm_lapic_set_tsc_deadline(&lapics[i], tsc, now());
	model_write_deadline(&model.apic[i], tsc);
}

/* Nothing that a guest can tell is lost on the way to a stranger and back. */
static void move_event(void)
{
	struct svm_lapic_state saved, again;
	struct svm_ioapic_state saved_ioapic;
	struct svm_pic_state saved_pic;
	const unsigned i = draw(APICS);
	const struct svm_lapic_config config = config_of(i);

	snprintf(what, sizeof(what), "move");
	svm_lapic_save(&lapics[i], &saved, now());
	CHECK(svm_lapic_init(&lapics[i], &config) == 0);
	CHECK(svm_lapic_restore(&lapics[i], &saved, now()) == 0);
	svm_lapic_save(&lapics[i], &again, now());
	CHECK(memcmp(&saved, &again, sizeof(saved)) == 0);
	svm_ioapic_save(&ioapic, &saved_ioapic);
	CHECK(svm_ioapic_init(&ioapic, svm_apic_bus_send, &bus) == 0);
	CHECK(svm_ioapic_restore(&ioapic, &saved_ioapic) == 0);
	svm_pic_save(&pic, &saved_pic);
	CHECK(svm_pic_restore(&pic, &saved_pic) == 0);
}

static void one_event(void)
{
	static void (*const kinds[])(void) = {
		time_event,      time_event,     line_event,        line_event,
		line_event,      lint_event,     ioapic_event,      ioapic_event,
		pic_event,       pic_event,      register_event,    register_event,
		register_event,  register_event, interrupt_event,   interrupt_event,
		interrupt_event, eoi_event,      eoi_event,         eoi_event,
		cr8_event,       request_event,  acknowledge_event, acknowledge_event,
		post_event,      deadline_event,
	};

	if (one_in(1500))
		mode_event();
	else if (one_in(1000))
		move_event();
	else
		kinds[draw(sizeof(kinds) / sizeof(kinds[0]))]();
}

int main(int argc, char **argv)
{
	const uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;

	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 0) * 2 + UINT64_C(0x9e3779b97f4a7c15);
	make_machine();
	for (event = 0; event < events; event++) {
		one_event();
		pass_time(0, 0);
		for (unsigned i = 0; i < APICS; i++)
			compare_apic(i);
		compare_pic();
		compare_ioapic();
		compare_register(draw(APICS));
		for (unsigned i = 0; i < APICS; i++)
			errors_found += lapics[i].errors != 0;
	}
	printf("%lu events alike: %lu vectors taken, %lu ends of levels, %lu timers, %lu "
	       "spurious\n",
	       (unsigned long)events, vectors_taken, ends, timers, spurious);
	CHECK(events < 100000 || (vectors_taken && ends && timers && spurious && errors_found));
	return EXIT_SUCCESS;
}
