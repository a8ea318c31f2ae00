/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Levels that an eventfd raises and the guest's end of interrupt takes back, as a device that is
 * passed through has them.
 */
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm_irq.h"

#define GSI   20u
#define LEVEL 0x8000u
#define BUSY  0x4000u
#define MASK  0x10000u

struct device {
	int trigger, resample;
};

static struct device make_device(void)
{
	return (struct device){ eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK) };
}

static void close_device(const struct device *d)
{
	close(d->trigger);
	close(d->resample);
}

static int irqfd(const struct machine *m, const struct device *d, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd e = {
		.fd = (uint32_t)d->trigger,
		.gsi = gsi,
		.flags = flags,
		.resamplefd = (uint32_t)d->resample,
	};

	return ioctl(m->vm, KVM_IRQFD, &e);
}

static void connect(const struct machine *m, const struct device *d, uint32_t gsi)
{
	EXPECT(irqfd(m, d, gsi, KVM_IRQFD_FLAG_RESAMPLE) == 0, gsi);
}

static void disconnect(const struct machine *m, const struct device *d, uint32_t gsi)
{
	EXPECT(irqfd(m, d, gsi, KVM_IRQFD_FLAG_DEASSIGN) == 0, gsi);
}

/* The guest waits at port 84h, where it comes back to after each interrupt. */
static void open_waiting(struct machine *m)
{
	open_with_irqchip(m);
	emit_x2apic();
	EMIT(OUT(0x80, 0), STI, HLT, CLI, OUT(0x84, 0), BACK(7));
	begin(m);
	run_to_port(m, 0x80);
	set_ioapic_entry(m, GSI, LEVEL | PIN_VECTOR);
}

/* One interrupt: in its handler its end is not told yet. */
static void serve(struct machine *m, const struct device *d)
{
	const uint8_t before = m->memory[DATA];

	run_to_port(m, 0x81);
	EXPECT(ioapic_entry(m, GSI) & BUSY, 0);
	EXPECT(eventfd_take(d->resample) == 0, before);
	run_to_port(m, 0x84);
	EXPECT(m->memory[DATA] == (uint8_t)(before + 1), m->memory[DATA]);
	EXPECT(eventfd_take(d->resample) == 1, before);
	EXPECT(!(ioapic_entry(m, GSI) & BUSY), 0);
}

/* With nothing else there a message is what comes next. */
static void expect_quiet(struct machine *m)
{
	const uint8_t before = m->memory[DATA];

	EXPECT(signal_msi(m, 0, MSI_VECTOR) == 1, 0);
	run_to_port(m, 0x82);
	run_to_port(m, 0x84);
	EXPECT(m->memory[DATA] == before, m->memory[DATA]);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void refused_resampling(void)
{
	struct device d = make_device(), bad = d;
	struct machine m;

	open_with_irqchip(&m);
	EXPECT(ioctl(m.vm, KVM_CHECK_EXTENSION, KVM_CAP_IRQFD_RESAMPLE) == 1, 0);
	bad.resample = -1;
	REFUSED(irqfd(&m, &bad, GSI, KVM_IRQFD_FLAG_RESAMPLE), EBADF);
	bad.resample = m.vm;
	REFUSED(irqfd(&m, &bad, GSI, KVM_IRQFD_FLAG_RESAMPLE), EINVAL);
	REFUSED(irqfd(&m, &d, GSI, KVM_IRQFD_FLAG_RESAMPLE | 0x40), EINVAL);
	connect(&m, &d, GSI);
	REFUSED(irqfd(&m, &d, GSI, KVM_IRQFD_FLAG_RESAMPLE), EBUSY);
	machine_close(&m); /* While it is in use. */
	/* User space has the I/O APIC, and is told by exits. */
	machine_open_vm(&m);
	EXPECT(split(&m, 24) == 0, 0);
	machine_open_vcpu(&m);
	REFUSED(irqfd(&m, &d, GSI, KVM_IRQFD_FLAG_RESAMPLE), EINVAL);
	EXPECT(irqfd(&m, &d, GSI, 0) == 0, 0);
	machine_close(&m);
	close_device(&d);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void resampled_level(void)
{
	struct device d = make_device();
	struct machine m;

	open_waiting(&m);
	connect(&m, &d, GSI);
	for (unsigned n = 0; n < 3; n++) {
		eventfd_put(d.trigger);
		serve(&m, &d);
		expect_quiet(&m);
		EXPECT(eventfd_take(d.resample) == 0, n);
	}
	/* Raised where it is masked: it waits, and is not told before. */
	set_ioapic_entry(&m, GSI, MASK | LEVEL | PIN_VECTOR);
	eventfd_put(d.trigger);
	eventfd_put(d.trigger);
	expect_quiet(&m);
	EXPECT(eventfd_take(d.resample) == 0, 0);
	set_ioapic_entry(&m, GSI, LEVEL | PIN_VECTOR);
	serve(&m, &d);
	expect_quiet(&m);
	machine_close(&m);
	close_device(&d);
}

/* User space's own level on the same wire stays, and its interrupt ends for all of them. */
static void shared_level(void)
{
	struct device a = make_device(), b = make_device(), other = make_device();
	struct machine m;

	open_waiting(&m);
	connect(&m, &a, GSI);
	connect(&m, &b, GSI);
	connect(&m, &other, GSI + 1);
	eventfd_put(a.trigger);
	serve(&m, &a);
	EXPECT(eventfd_take(b.resample) == 1, 0);
	eventfd_put(b.trigger);
	eventfd_put(a.trigger);
	serve(&m, &a);
	EXPECT(eventfd_take(b.resample) == 1, 0);
	expect_quiet(&m);
	eventfd_put(b.trigger);
	EXPECT(line(&m, GSI, 1) >= 0, 0);
	run_to_port(&m, 0x81);
	run_to_port(&m, 0x81); /* At the handler's end. */
	EXPECT(eventfd_take(a.resample) == 1 && eventfd_take(b.resample) == 1, 0);
	EXPECT(line(&m, GSI, 0) >= 0, 0);
	run_to_port(&m, 0x84);
	EXPECT(eventfd_take(a.resample) == 1 && eventfd_take(b.resample) == 1, 0);
	expect_quiet(&m);
	EXPECT(eventfd_take(other.resample) == 0, 0);
	machine_close(&m);
	close_device(&a);
	close_device(&b);
	close_device(&other);
}

/* The wire falls with the last that could take it back. */
static void deassigned_level(void)
{
	struct device a = make_device(), b = make_device();
	struct machine m;

	open_waiting(&m);
	connect(&m, &a, GSI);
	connect(&m, &b, GSI);
	set_ioapic_entry(&m, GSI, MASK | LEVEL | PIN_VECTOR);
	eventfd_put(a.trigger);
	disconnect(&m, &a, GSI);
	set_ioapic_entry(&m, GSI, LEVEL | PIN_VECTOR);
	serve(&m, &b);
	EXPECT(eventfd_take(a.resample) == 0, 0);
	set_ioapic_entry(&m, GSI, MASK | LEVEL | PIN_VECTOR);
	eventfd_put(b.trigger);
	disconnect(&m, &b, GSI);
	set_ioapic_entry(&m, GSI, LEVEL | PIN_VECTOR);
	expect_quiet(&m);
	eventfd_put(b.trigger);
	expect_quiet(&m);
	EXPECT(eventfd_take(b.trigger) == 1, 0);
	machine_close(&m);
	close_device(&a);
	close_device(&b);
}

/* An input that is high may lose its route, and still has an end. */
static void rerouted_level(void)
{
	const struct routing routing = { { 1, 0 }, { pin_route(GSI, KVM_IRQCHIP_IOAPIC, 3) } };
	struct device d = make_device();
	struct machine m;

	open_waiting(&m);
	connect(&m, &d, GSI);
	eventfd_put(d.trigger);
	EXPECT(set_routing(&m, &routing) == 0, 0);
	run_to_port(&m, 0x81);
	run_to_port(&m, 0x84);
	expect_quiet(&m);
	EXPECT(eventfd_take(d.resample) == 0, 0);
	set_ioapic_entry(&m, 3, LEVEL | PIN_VECTOR);
	eventfd_put(d.trigger);
	run_to_port(&m, 0x81);
	run_to_port(&m, 0x84);
	EXPECT(eventfd_take(d.resample) == 1, 0);
	expect_quiet(&m);
	machine_close(&m);
	close_device(&d);
}

/* The 8259's input 5, a level by its ELCR; and 3, an edge. */
static void resampled_8259(void)
{
	struct device level = make_device(), edge = make_device();
	struct machine m;

	open_with_irqchip(&m);
	emit_pic(0xd7);
	EMIT(0xba, 0xd0, 0x04, 0xb0, 0x20, 0xee); /* mov dx, 4d0h; mov al, 20h; out dx, al */
	EMIT(OUT(0x80, 0), STI, HLT, CLI, OUT(0x84, 0), BACK(7));
	emit_at = m.memory + HANDLER;
	set_vector(&m, 0x23, HANDLER);
	set_vector(&m, 0x25, HANDLER);
	EMIT(COUNT, OUT(0x81, 0), OUT(0x20, 0x20), IRET);
	connect(&m, &level, 5);
	connect(&m, &edge, 3);
	begin(&m);
	run_to_port(&m, 0x80);
	for (uint8_t n = 0; n < 4; n++) {
		const struct device *const d = n & 1 ? &edge : &level;
		const struct device *const other = n & 1 ? &level : &edge;

		eventfd_put(d->trigger);
		run_to_port(&m, 0x81);
		EXPECT(eventfd_take(d->resample) == 0, n);
		run_to_port(&m, 0x84);
		EXPECT(eventfd_take(d->resample) == 1 && eventfd_take(other->resample) == 0, n);
		EXPECT(m.memory[DATA] == n + 1, m.memory[DATA]);
	}
	machine_close(&m);
	close_device(&level);
	close_device(&edge);
}

/* --- ends that raise -------------------------------------------------------------------------- */

/* An eventfd may stand on both sides: each end is the next interrupt, and nobody hangs. */
static void endless_level(void)
{
	const int fd = eventfd(0, EFD_NONBLOCK);
	const struct device d = { fd, fd };
	struct machine m;

	open_waiting(&m);
	connect(&m, &d, GSI);
	eventfd_put(fd);
	for (unsigned n = 0; n < 20; n++)
		run_to_port(&m, 0x81);
	EXPECT(m.memory[DATA] == 20, m.memory[DATA]);
	disconnect(&m, &d, GSI);
	run_to_port(&m, 0x84);
	expect_quiet(&m);
	machine_close(&m);
	close(fd);
}

/* --- races ------------------------------------------------------------------------------------ */

struct owner {
	const struct machine *m;
	struct device d;
	bool has_left; /* Atomic. */
};

/*
 * A device that asks again as soon as it is looked at, and comes and goes meanwhile.  When it has
 * gone, nobody tells it of ends.
 */
static void *own_device(void *arg)
{
	struct owner *const o = arg;

	for (unsigned n = 0; n < 20; n++) {
		connect(o->m, &o->d, GSI);
		eventfd_put(o->d.trigger);
		for (unsigned i = 0; i < 20; i++) {
			if (eventfd_take(o->d.resample))
				eventfd_put(o->d.trigger);
			usleep(100);
		}
		disconnect(o->m, &o->d, GSI);
		(void)eventfd_take(o->d.resample);
		usleep(1000);
		EXPECT(eventfd_take(o->d.resample) == 0, n);
		(void)eventfd_take(o->d.trigger);
	}
	__atomic_store_n(&o->has_left, true, __ATOMIC_RELEASE);
	return NULL;
}

/* To the next port, with something to come back from in any case: a message, before it sleeps. */
static void go_on(struct machine *m)
{
	if (m->run->io.port == 0x84)
		EXPECT(signal_msi(m, 0, MSI_VECTOR) == 1, 0);
	run_to(m, KVM_EXIT_IO);
}

static void racing_ends(void)
{
	struct owner owners[2];
	pthread_t threads[2];
	struct machine m;

	open_waiting(&m);
	expect_quiet(&m);
	for (unsigned i = 0; i < 2; i++) {
		owners[i] = (struct owner){ .m = &m, .d = make_device() };
		pthread_create(&threads[i], NULL, own_device, &owners[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		while (!__atomic_load_n(&owners[i].has_left, __ATOMIC_ACQUIRE))
			go_on(&m);
		pthread_join(threads[i], NULL);
	}
	EXPECT(m.memory[DATA] != 0 || m.memory[DATA + 1] != 0, 0); /* Some hundred. */
	/* What was on its way arrives, and then no level is left behind. */
	for (unsigned n = 0; n < 10; n++)
		go_on(&m);
	while (m.run->io.port != 0x84 && !failed)
		run_to(&m, KVM_EXIT_IO);
	expect_quiet(&m);
	machine_close(&m);
	for (unsigned i = 0; i < 2; i++)
		close_device(&owners[i].d);
}

const struct test resample_tests[] = {
	{ "refused-resampling", refused_resampling },
	{ "resampled-level", resampled_level },
	{ "shared-level", shared_level },
	{ "deassigned-level", deassigned_level },
	{ "rerouted-level", rerouted_level },
	{ "resampled-8259", resampled_8259 },
	{ "endless-level", endless_level },
	{ "racing-ends", racing_ends },
	{ NULL, NULL },
};
