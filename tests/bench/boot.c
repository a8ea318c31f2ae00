/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the host spends while a guest boots.  This is the port's own image, linked with --wrap so
 * that five of its functions are called by way of those below: nothing in the library or the port
 * counts, and nothing there costs more for it.
 *
 * Under QEMU's -icount shift=0 a TSC difference is a number of instructions.  What counts for an
 * exit is the time from the return of the world switch to the next call of it.  Not in it are the
 * world switch's own instructions, which world_switch.c counts, and the sleep of a halted guest's
 * CPU, in which the emulator's clock jumps.
 *
 * Until the first call counts as making the VM: clearing its memory, loading the kernel.
 *
 * QEMU with -icount may deliver an interrupt twice unless the guest is left right behind it
 * (`careful=1`, docs/differences.md).  No processor needs these exits: they are counted apart, as
 * aside.  What asks for them before the entry stays in the figures.
 *
 * Prints `boot exit NAME DETAIL COUNT INSTRUCTIONS` for each kind and place of exit, and
 * `cost NAME N`.
 */
#include <libsvm/diagnose.h>

#include "../../ports/baremetal/cpu.h"
#include "../../ports/baremetal/guest.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/timer.h"
#include "core/vcpu/vcpu.h"

#define PLACES 512u /* a power of 2 */

/* DETAIL: the port with bit 0 of EXITINFO1 above it, the MSR, the leaf, the page. */
struct place {
	uint64_t code, detail, count, instructions;
};

static struct place places[PLACES], aside, *current;
static uint64_t left, armed, lost, made, total, exits;

uint64_t __real_svm_world_switch(struct svm_switch *s);
bool __real_guest_make(struct guest *guest);
void __real_guest_unmake(struct guest *guest);
void __real_timer_arm_sleep(uint64_t deadline_ns);
void __real_timer_interrupt(struct cpu *self);
uint64_t __wrap_svm_world_switch(struct svm_switch *s);
bool __wrap_guest_make(struct guest *guest);
void __wrap_guest_unmake(struct guest *guest);
void __wrap_timer_arm_sleep(uint64_t deadline_ns);
void __wrap_timer_interrupt(struct cpu *self);

static uint64_t detail_of(const struct svm_vmcb *vmcb, const struct svm_switch *s)
{
	const uint64_t info = vmcb->control.exit_info_1;

	switch (vmcb->control.exit_code) {
	case SVM_EXIT_IOIO:
		return (info >> 16 & 0xffff) | (info & 1) << 16;
	case SVM_EXIT_MSR:
		return (uint32_t)s->rcx;
	case SVM_EXIT_CPUID:
		return (uint32_t)vmcb->save.rax;
	case SVM_EXIT_NPF:
		return vmcb->control.exit_info_2 & ~UINT64_C(0xfff);
	default:
		return 0;
	}
}

static struct place *place_of(uint64_t code, uint64_t detail)
{
	unsigned int at = (unsigned int)(code * 31 + detail + (detail >> 12)) % PLACES;

	for (unsigned int i = 0; i < PLACES; i++, at = (at + 1) % PLACES) {
		if (!places[at].count)
			places[at] = (struct place){ .code = code, .detail = detail };
		if (places[at].code == code && places[at].detail == detail)
			return &places[at];
	}
	lost++;
	return &places[at];
}

static void end_of_exit(uint64_t now)
{
	if (!current) {
		made = now - left;
		return;
	}
	current->instructions += now - left;
	if (current != &aside)
		total += now - left;
}

static bool injects_interrupt(const struct svm_vmcb *vmcb)
{
	const uint64_t event = vmcb->control.event_inj;

	return (event & SVM_EVENT_VALID) &&
	       svm_bits_get(event, SVM_EVENT_TYPE) == SVM_EVENT_TYPE_INTR;
}

uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	const struct svm_vcpu *vcpu = (void *)((char *)s - offsetof(struct svm_vcpu, s));
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const bool careful = vcpu->vm->config.exit_after_interrupt == SVM_EXIT_AFTER_ALWAYS &&
	                     injects_interrupt(vmcb);

	end_of_exit(svm_ring0_rdtsc());
	armed = 0;
	if (!__real_svm_world_switch(s))
		return 0;
	if (careful && vmcb->control.exit_code == SVM_EXIT_INTR)
		current = &aside;
	else
		current = place_of(vmcb->control.exit_code, detail_of(vmcb, s));
	current->count++;
	exits += current != &aside;
	left = svm_ring0_rdtsc();
	return 1;
}

void __wrap_timer_arm_sleep(uint64_t deadline_ns)
{
	__real_timer_arm_sleep(deadline_ns);
	if (current && current->code == SVM_EXIT_HLT)
		armed = svm_ring0_rdtsc();
}

/* If the guest fell asleep, and no entry was made since, it sleeps from interrupt to interrupt. */
void __wrap_timer_interrupt(struct cpu *self)
{
	if (armed)
		left += svm_ring0_rdtsc() - armed;
	__real_timer_interrupt(self);
	if (armed)
		armed = svm_ring0_rdtsc();
}

static void print_places(void)
{
	for (unsigned int i = 0; i < PLACES; i++) {
		const struct place *p = &places[i];
		char name[24];

		if (p->count)
			kprintf("boot exit %s %lx %lu %lu\n", svm_exit_name(p->code, name),
			        p->detail, p->count, p->instructions);
	}
}

bool __wrap_guest_make(struct guest *guest)
{
	left = svm_ring0_rdtsc();
	return __real_guest_make(guest);
}

void __wrap_guest_unmake(struct guest *guest)
{
	__real_guest_unmake(guest);
	print_places();
	kprintf("cost boot-make %lu\n", made);
	kprintf("cost boot-handlers %lu\n", total);
	kprintf("cost boot-exits %lu\n", exits);
	kprintf("cost boot-aside %lu\n", aside.count);
	if (lost)
		kprintf("boot: %lu exits under a wrong name\n", lost);
}
