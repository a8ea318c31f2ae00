/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Interrupt controllers in the kernel; see vmm_irq.h for the guests. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm_irq.h"

#define AP_PAGE 5u /* Where the second vCPU starts. */

static uint32_t mp_state(const struct machine *m)
{
	struct kvm_mp_state state = { .mp_state = 99 };

	EXPECT(ioctl(m->vcpu, KVM_GET_MP_STATE, &state) == 0, 0);
	return state.mp_state;
}

static int set_mp_state(const struct machine *m, uint32_t state)
{
	struct kvm_mp_state wanted = { .mp_state = state };

	return ioctl(m->vcpu, KVM_SET_MP_STATE, &wanted);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void without_irqchip(void)
{
	struct kvm_irq_routing none = { .nr = 0 };
	struct kvm_irq_level level = { .irq = 1 };
	struct kvm_irqchip chip = { .chip_id = 0 };
	struct kvm_pit_state2 pit = { 0 };
	struct kvm_lapic_state lapic;
	struct kvm_msi msi = { 0 };
	struct machine m;

	machine_open(&m);
	REFUSED(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0), EINVAL); /* There is a vCPU. */
	REFUSED(ioctl(m.vm, KVM_IRQ_LINE, &level), ENXIO);
	REFUSED(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level), ENXIO);
	REFUSED(ioctl(m.vm, KVM_GET_IRQCHIP, &chip), ENXIO);
	REFUSED(ioctl(m.vm, KVM_SET_IRQCHIP, &chip), ENXIO);
	REFUSED(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
	REFUSED(ioctl(m.vm, KVM_SET_GSI_ROUTING, &none), EINVAL);
	REFUSED(ioctl(m.vm, KVM_GET_PIT2, &pit), ENXIO);
	REFUSED(ioctl(m.vcpu, KVM_GET_LAPIC, &lapic), EINVAL);
	REFUSED(ioctl(m.vcpu, KVM_SET_LAPIC, &lapic), EINVAL);
	REFUSED(set_mp_state(&m, KVM_MP_STATE_HALTED), EINVAL);
	EXPECT(mp_state(&m) == KVM_MP_STATE_RUNNABLE, mp_state(&m));
	machine_close(&m);
}

static void refused_routes(void)
{
	const struct routing bad[] = {
		{ { 1, 1 }, { msi_route(30, MSI_VECTOR) } },             /* flags */
		{ { 1, 0 }, { msi_route(1000000, MSI_VECTOR) } },        /* GSI */
		{ { 1, 0 }, { pin_route(3, KVM_IRQCHIP_IOAPIC, 24) } },  /* pin */
		{ { 1, 0 }, { pin_route(3, KVM_IRQCHIP_PIC_SLAVE, 8) } },
		{ { 1, 0 }, { pin_route(3, 3, 0) } },                    /* controller */
		{ { 1, 0 }, { { .gsi = 3, .type = 99 } } },
		{ { 2, 0 }, { msi_route(3, MSI_VECTOR), msi_route(3, MSI_VECTOR) } },
		{ { 2, 0 }, { msi_route(3, MSI_VECTOR), pin_route(3, 0, 1) } },
		{ { 2, 0 }, { pin_route(3, 0, 1), pin_route(3, 0, 2) } },
		{ { 1000000, 0 }, { msi_route(3, MSI_VECTOR) } },
	};
	struct machine m;

	open_with_irqchip(&m);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(set_routing(&m, &bad[i]) == -1 && errno == EINVAL, i);
	machine_close(&m);
}

static void with_irqchip(void)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_interrupt interrupt = { .irq = 32 };
	struct kvm_irqchip chip = { .chip_id = 3 };
	struct kvm_msi msi = { .flags = 8 };
	struct kvm_pit_state2 pit;
	struct machine m;

	open_with_irqchip(&m);
	REFUSED(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0), EEXIST);
	REFUSED(ioctl(m.vm, KVM_GET_IRQCHIP, &chip), EINVAL);
	REFUSED(ioctl(m.vm, KVM_SET_IRQCHIP, &chip), EINVAL);
	REFUSED(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
	REFUSED(ioctl(m.vcpu, KVM_INTERRUPT, &interrupt), ENXIO);
	REFUSED(set_mp_state(&m, 77), EINVAL);
	REFUSED(ioctl(m.vm, KVM_GET_PIT2, &pit), ENXIO);
	EXPECT(ioctl(m.vm, KVM_CREATE_PIT2, &config) == 0, 0);
	REFUSED(ioctl(m.vm, KVM_CREATE_PIT2, &config), EEXIST);
	EXPECT(line(&m, 900, 1) < 0, 0); /* Leads nowhere. */
	machine_close(&m);
}

/* --- interrupts ------------------------------------------------------------------------------- */

static void pic_lines(void)
{
	struct machine m;

	open_with_irqchip(&m);
	emit_pic(0xf7);
	EMIT(OUT(0x80, 0), STI, HLT, CLI, OUT(0x84, 0), BACK(7));
	emit_at = m.memory + HANDLER;
	set_vector(&m, 0x23, HANDLER);
	EMIT(COUNT, OUT(0x20, 0x20), IRET);
	begin(&m);
	run_to_port(&m, 0x80);
	for (uint8_t n = 1; n < 4; n++) {
		EXPECT(line(&m, 3, 1) == 1, n);
		EXPECT(line(&m, 4, 1) < 0, n); /* Masked. */
		run_to_port(&m, 0x84);
		EXPECT(m.memory[DATA] == n, m.memory[DATA]);
		EXPECT(line(&m, 3, 0) > 0, n);
		(void)line(&m, 4, 0);
	}
	machine_close(&m);
}

/* A level comes again after its end until it is taken back; its polarity does not matter. */
static void ioapic_level(void)
{
	const uint64_t level = 0x8000, low = 0x2000, busy = 0x4000;
	struct machine m;

	open_with_irqchip(&m);
	emit_x2apic();
	EMIT(OUT(0x80, 0), STI, HLT, BACK(1));
	begin(&m);
	run_to_port(&m, 0x80);
	set_ioapic_entry(&m, 20, level | low | PIN_VECTOR);
	EXPECT(line(&m, 20, 1) == 1, 0);
	EXPECT(ioapic_entry(&m, 20) & busy, 0);
	run_to_port(&m, 0x81);
	run_to_port(&m, 0x81);
	EXPECT(m.memory[DATA] == 2, m.memory[DATA]);
	EXPECT(line(&m, 20, 0) == 1, 0);
	EXPECT(signal_msi(&m, 0, MSI_VECTOR) == 1, 0);
	run_to_port(&m, 0x82);
	EXPECT(!(ioapic_entry(&m, 20) & busy), 0);
	machine_close(&m);
}

static void messages(void)
{
	const struct routing routing = { { 1, 0 }, { msi_route(40, MSI_VECTOR) } };
	struct machine m;

	open_with_irqchip(&m);
	emit_x2apic();
	EMIT(OUT(0x80, 0), STI, HLT, BACK(1));
	begin(&m);
	run_to_port(&m, 0x80);
	EXPECT(signal_msi(&m, 0, MSI_VECTOR) == 1, 0);
	EXPECT(signal_msi(&m, 9, MSI_VECTOR) <= 0, 0); /* Nobody is there. */
	run_to_port(&m, 0x82);
	EXPECT(set_routing(&m, &routing) == 0, 0);
	EXPECT(line(&m, 40, 1) == 1, 0);
	run_to_port(&m, 0x82);
	EXPECT(line(&m, 40, 0) < 0, 0); /* A message has no level. */
	EXPECT(line(&m, 20, 1) < 0, 0); /* The default routes are gone. */
	machine_close(&m);
}

static void task_priority(void)
{
	struct kvm_sregs sregs;
	struct machine m;

	open_with_irqchip(&m);
	emit_x2apic();
	emit_wrmsr(0x808, 0x50);
	EMIT(OUT(0x80, 0), STI, OUT(0x84, 0));
	emit_wrmsr(0x808, 0x30);
	EMIT(OUT(0x85, 0));
	begin(&m);
	run_to_port(&m, 0x80);
	EXPECT(m.run->cr8 == 5, m.run->cr8);
	EXPECT(signal_msi(&m, 0, MSI_VECTOR) == 1, 0);
	run_to_port(&m, 0x84);
	run_to_port(&m, 0x82);
	run_to_port(&m, 0x85);
	EXPECT(ioctl(m.vcpu, KVM_GET_SREGS, &sregs) == 0 && sregs.cr8 == 3, sregs.cr8);
	machine_close(&m);
}

/* --- timers ----------------------------------------------------------------------------------- */

static void apic_timers(void)
{
	struct machine m;

	open_with_irqchip(&m);
	emit_x2apic();
	emit_wrmsr(0x83e, 0xb); /* By 1. */
	emit_wrmsr(0x832, MSI_VECTOR);
	emit_wrmsr(0x838, 3000000);
	EMIT(OUT(0x80, 0), STI, HLT, CLI, OUT(0x84, 0));
	emit_wrmsr(0x832, 0x40000 | MSI_VECTOR);
	/* rdtsc; add eax, 3000000; adc edx, 0; mov ecx, 6e0h; wrmsr */
	EMIT(0x0f, 0x31, 0x66, 0x05, 0xc0, 0xc6, 0x2d, 0x00, 0x66, 0x83, 0xd2, 0x00);
	EMIT(0x66, 0xb9, 0xe0, 0x06, 0x00, 0x00, 0x0f, 0x30);
	EMIT(STI, HLT, OUT(0x85, 0));
	begin(&m);
	run_to_port(&m, 0x80);
	run_to_port(&m, 0x82);
	run_to_port(&m, 0x84);
	run_to_port(&m, 0x82);
	run_to_port(&m, 0x85);
	machine_close(&m);
}

/* A thousand a second by way of the 8259, until 20 have come. */
static void pit_ticks(void)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_reinject_control reinject = { .pit_reinject = 0 };
	struct kvm_pit_state2 pit, again;
	struct machine m;

	open_with_irqchip(&m);
	REFUSED(ioctl(m.vm, KVM_REINJECT_CONTROL, &reinject), ENXIO);
	EXPECT(ioctl(m.vm, KVM_CREATE_PIT2, &config) == 0, 0);
	emit_pic(0xfe);
	EMIT(OUT(0x43, 0x34), OUT(0x40, 0xa9), OUT(0x40, 0x04), STI);
	EMIT(HLT, 0x80, 0x3e, 0x00, 0x20, 20, 0x72, 0xf8); /* hlt; cmp [2000h], 20; jb */
	EMIT(CLI, OUT(0x61, 0x03), OUT(0x80, 0));
	emit_at = m.memory + HANDLER;
	set_vector(&m, 0x20, HANDLER);
	EMIT(COUNT, OUT(0x20, 0x20), IRET);
	begin(&m);
	run_to_port(&m, 0x80);
	EXPECT(m.memory[DATA] >= 20, m.memory[DATA]);
	EXPECT(ioctl(m.vm, KVM_GET_PIT2, &pit) == 0, 0);
	EXPECT(pit.channels[0].count == 1193 && pit.channels[0].mode == 2, pit.channels[0].count);
	EXPECT(pit.channels[0].rw_mode == 3 && pit.channels[0].gate == 1, pit.channels[0].rw_mode);
	EXPECT(pit.channels[2].gate == 1, pit.channels[2].gate);
	EXPECT(pit.flags == KVM_PIT_FLAGS_SPEAKER_DATA_ON, pit.flags);
	EXPECT(ioctl(m.vm, KVM_SET_PIT2, &pit) == 0, 0);
	EXPECT(ioctl(m.vm, KVM_GET_PIT2, &again) == 0, 0);
	EXPECT(again.channels[0].count == 1193 && again.channels[0].mode == 2, 0);
	EXPECT(again.flags == pit.flags, again.flags);
	EXPECT(ioctl(m.vm, KVM_REINJECT_CONTROL, &reinject) == 0, 0);
	machine_close(&m);
}

/* --- several vCPUs ---------------------------------------------------------------------------- */

static volatile bool ap_returned;

/* One KVM_RUN, whatever ends it. */
static void *run_ap(void *arg)
{
	struct machine *const m = arg;

	while (run_once(m) == -1 && errno == EAGAIN)
		;
	ap_returned = true;
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

static void open_ap(const struct machine *m, struct machine *ap, unsigned long id)
{
	const size_t size = (size_t)ioctl(m->device, KVM_GET_VCPU_MMAP_SIZE, 0);

	*ap = *m;
	ap->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, id);
	EXPECT(ap->vcpu >= 0, ap->vcpu);
	ap->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ap->vcpu, 0);
	set_cpuid(ap);
}

static void close_ap(const struct machine *ap)
{
	munmap(ap->run, (size_t)ioctl(ap->device, KVM_GET_VCPU_MMAP_SIZE, 0));
	close(ap->vcpu);
}

/* The signal may come before the thread is in the kernel: until it is out. */
static void interrupt_ap(pthread_t thread)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	while (!ap_returned) {
		usleep(10000);
		pthread_kill(thread, SIGUSR1);
	}
	pthread_join(thread, NULL);
}

static void start_up_of(unsigned long id)
{
	const uint64_t to_ap = (uint64_t)id << 32;
	struct machine m, ap;
	pthread_t thread;

	open_with_irqchip(&m);
	open_ap(&m, &ap, id);
	EXPECT(mp_state(&m) == KVM_MP_STATE_RUNNABLE, mp_state(&m));
	EXPECT(mp_state(&ap) == KVM_MP_STATE_UNINITIALIZED, mp_state(&ap));
	emit_x2apic();
	emit_wrmsr(0x830, to_ap | 0x4600 | 9); /* Before INIT: dropped. */
	emit_wrmsr(0x830, to_ap | 0x4500);
	EMIT(OUT(0x80, 0));
	emit_wrmsr(0x830, to_ap | 0x4600 | AP_PAGE);
	EMIT(OUT(0x84, 0));
	emit_at = m.memory + (AP_PAGE << 12);
	EMIT(0x31, 0xc0, 0x8e, 0xd8, COUNT, OUT(0x85, 0), CLI, HLT, OUT(0x86, 0)); /* ds = 0 */
	begin(&m);
	run_to_port(&m, 0x80);
	EXPECT(mp_state(&ap) == KVM_MP_STATE_INIT_RECEIVED, mp_state(&ap));
	ap_returned = false;
	pthread_create(&thread, NULL, run_ap, &ap);
	usleep(50000);
	EXPECT(!ap_returned, 0);
	run_to_port(&m, 0x84);
	pthread_join(thread, NULL);
	EXPECT(ap.run->exit_reason == KVM_EXIT_IO && ap.run->io.port == 0x85, ap.run->io.port);
	EXPECT(mp_state(&ap) == KVM_MP_STATE_RUNNABLE, mp_state(&ap));
	EXPECT(m.memory[DATA] == 1, m.memory[DATA]);
	/* Halted with interrupts off it sleeps in the kernel until a signal, or an NMI. */
	ap_returned = false;
	pthread_create(&thread, NULL, run_ap, &ap);
	usleep(50000);
	EXPECT(!ap_returned, 0);
	interrupt_ap(thread);
	EXPECT(ap.run->exit_reason == KVM_EXIT_INTR, ap.run->exit_reason);
	EXPECT(mp_state(&ap) == KVM_MP_STATE_HALTED, mp_state(&ap));
	EXPECT(ioctl(ap.vcpu, KVM_NMI, 0) == 0, 0);
	run_to_port(&ap, 0x83);
	run_to_port(&ap, 0x86);
	close_ap(&ap);
	machine_close(&m);
}

static void start_up(void)
{
	start_up_of(1);
}

/* The vCPU of the highest number is like any other, and there is none behind it. */
static void start_up_last(void)
{
	struct machine m;
	long most;

	machine_open(&m);
	most = ioctl(m.vm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	EXPECT(most >= 64, most);
	REFUSED(ioctl(m.vm, KVM_CREATE_VCPU, most), EINVAL);
	machine_close(&m);
	start_up_of((unsigned long)most - 1);
}

/* Whatever the guest has done, a VMM that resets its machine gets every state. */
static void forced_states(void)
{
	struct kvm_sregs sregs;
	struct machine m;

	open_with_irqchip(&m);
	emit_x2apic();
	EMIT(OUT(0x80, 0), OUT(0x84, 0));
	begin(&m);
	run_to_port(&m, 0x80);
	EXPECT(ioctl(m.vcpu, KVM_GET_SREGS, &sregs) == 0, 0);
	EXPECT(sregs.apic_base == 0xfee00d00, sregs.apic_base);
	sregs.apic_base = 0xfee00900; /* The guest could not. */
	EXPECT(ioctl(m.vcpu, KVM_SET_SREGS, &sregs) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_SREGS, &sregs) == 0, 0);
	EXPECT(sregs.apic_base == 0xfee00900, sregs.apic_base);
	sregs.apic_base = 0xfee00500;
	REFUSED(ioctl(m.vcpu, KVM_SET_SREGS, &sregs), EINVAL);
	EXPECT(set_mp_state(&m, KVM_MP_STATE_HALTED) == 0, 0);
	EXPECT(mp_state(&m) == KVM_MP_STATE_HALTED, mp_state(&m));
	EXPECT(set_mp_state(&m, KVM_MP_STATE_RUNNABLE) == 0, 0);
	run_to_port(&m, 0x84);
	machine_close(&m);
}

/* --- local APICs alone ------------------------------------------------------------------------ */

static void refused_split(void)
{
	const struct routing pin = { { 1, 0 }, { pin_route(3, KVM_IRQCHIP_IOAPIC, 3) } };
	struct kvm_irqchip chip = { .chip_id = 0 };
	struct machine m;

	machine_open(&m);
	REFUSED(split(&m, 24), EEXIST);
	machine_close(&m);
	machine_open_vm(&m);
	REFUSED(split(&m, 1000000), EINVAL);
	EXPECT(split(&m, 24) == 0, 0);
	REFUSED(split(&m, 24), EEXIST);
	REFUSED(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0), EEXIST);
	REFUSED(ioctl(m.vm, KVM_GET_IRQCHIP, &chip), ENXIO);
	REFUSED(set_routing(&m, &pin), EINVAL);
	machine_open_vcpu(&m);
	machine_close(&m);
}

/* The 8259 is user space's: its ports, its interrupts, the moment for them in a halted guest. */
static void split_8259(void)
{
	struct kvm_interrupt vector = { .irq = MSI_VECTOR };
	struct machine m;

	open_split(&m);
	emit_x2apic(); /* For the handler's EOI. */
	EMIT(0xe4, 0x20, STI, HLT, OUT(0x84, 0)); /* in al, 20h */
	begin(&m);
	run_to_port(&m, 0x20);
	m.run->request_interrupt_window = 1;
	run_to(&m, KVM_EXIT_IRQ_WINDOW_OPEN);
	EXPECT(m.run->ready_for_interrupt_injection == 1, 0);
	m.run->request_interrupt_window = 0;
	EXPECT(ioctl(m.vcpu, KVM_INTERRUPT, &vector) == 0, 0);
	REFUSED(ioctl(m.vcpu, KVM_INTERRUPT, &vector), EEXIST);
	run_to_port(&m, 0x82);
	run_to_port(&m, 0x84);
	machine_close(&m);
}

/* The I/O APIC is user space's too: its levels are messages, whose end it is told. */
static void split_levels(void)
{
	struct routing routing = { { 1, 0 }, { msi_route(5, 0xc000 | PIN_VECTOR) } };
	struct machine m;

	open_split(&m);
	emit_x2apic();
	EMIT(OUT(0x80, 0), STI, HLT, BACK(1));
	begin(&m);
	run_to_port(&m, 0x80);
	EXPECT(set_routing(&m, &routing) == 0, 0);
	for (unsigned n = 0; n < 3; n++) {
		EXPECT(line(&m, 5, 1) == 1, n);
		run_to_port(&m, 0x81);
		run_to(&m, KVM_EXIT_IOAPIC_EOI);
		EXPECT(m.run->eoi.vector == PIN_VECTOR, m.run->eoi.vector);
	}
	machine_close(&m);
}

/* --- state ------------------------------------------------------------------------------------ */

static void lapic_state(void)
{
	struct kvm_lapic_state page, again;
	struct kvm_sregs sregs;
	struct machine m;
	uint32_t lint0;

	open_with_irqchip(&m);
	EXPECT(ioctl(m.vcpu, KVM_GET_LAPIC, &page) == 0, 0);
	memcpy(&lint0, page.regs + 0x350, 4);
	EXPECT(lint0 == 0x700, lint0); /* The 8259's interrupts pass, as firmware has it. */
	page.regs[0x80] = 0x35;
	page.regs[0xf0] = 0xff, page.regs[0xf1] = 1;
	page.regs[0x370] = 0x44, page.regs[0x372] = 0;
	page.regs[0x220] = 2; /* IRR: vector 41h, which comes when the guest can. */
	EXPECT(ioctl(m.vcpu, KVM_SET_LAPIC, &page) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_LAPIC, &again) == 0, 0);
	EXPECT(memcmp(page.regs + 0x80, again.regs + 0x80, 4) == 0, again.regs[0x80]);
	EXPECT(memcmp(page.regs + 0xf0, again.regs + 0xf0, 4) == 0, again.regs[0xf0]);
	EXPECT(memcmp(page.regs + 0x200, again.regs + 0x200, 0x180) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_SREGS, &sregs) == 0 && sregs.cr8 == 3, sregs.cr8);
	EMIT(STI, 0x90, OUT(0x84, 0));
	begin(&m);
	run_to_port(&m, 0x82);
	machine_close(&m);
}

static void irqchip_state(void)
{
	struct kvm_irqchip chip, again;
	struct machine m;

	open_with_irqchip(&m);
	for (uint32_t id = 0; id < 2; id++) {
		chip.chip_id = again.chip_id = id;
		EXPECT(ioctl(m.vm, KVM_GET_IRQCHIP, &chip) == 0, id);
		chip.chip.pic.imr = 0x5a;
		chip.chip.pic.irq_base = 0x30;
		chip.chip.pic.elcr = 0x08;
		chip.chip.pic.isr = 0x02;
		EXPECT(ioctl(m.vm, KVM_SET_IRQCHIP, &chip) == 0, id);
		EXPECT(ioctl(m.vm, KVM_GET_IRQCHIP, &again) == 0, id);
		EXPECT(memcmp(&chip.chip.pic, &again.chip.pic, sizeof(chip.chip.pic)) == 0, id);
	}
	set_ioapic_entry(&m, 5, 0x0300000000000000 | 0x18950);
	EXPECT(ioapic_entry(&m, 5) == (0x0300000000000000 | 0x18950), ioapic_entry(&m, 5));
	machine_close(&m);
}

const struct test irq_tests[] = {
	{ "without-irqchip", without_irqchip },
	{ "with-irqchip", with_irqchip },
	{ "refused-routes", refused_routes },
	{ "pic-lines", pic_lines },
	{ "ioapic-level", ioapic_level },
	{ "messages", messages },
	{ "task-priority", task_priority },
	{ "apic-timers", apic_timers },
	{ "pit-ticks", pit_ticks },
	{ "start-up", start_up },
	{ "start-up-last", start_up_last },
	{ "forced-states", forced_states },
	{ "refused-split", refused_split },
	{ "split-8259", split_8259 },
	{ "split-levels", split_levels },
	{ "lapic-state", lapic_state },
	{ "irqchip-state", irqchip_state },
	{ NULL, NULL },
};
