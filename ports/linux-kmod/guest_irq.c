/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The controllers' life, their registers, and the way of an interrupt into a vCPU.
 *
 * The APICs of all vCPUs that there may be are made at once, so that the bus between them never
 * changes and needs no lock.  One without a vCPU is disabled as after power-up and takes nothing;
 * what reaches it all the same is gone when its vCPU comes.
 */
#include "guest_irq.h"

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include <libsvm/msrs.h>

#include "hal.h"

#define X2APIC_MSRS 0x100u

/* --- lock and time ---------------------------------------------------------------------------- */

unsigned long guest_irq_enter(struct guest_irq *irq) __acquires(&irq->lock)
{
	unsigned long flags;

	spin_lock_irqsave(&irq->lock, flags);
	WRITE_ONCE(irq->holder, current);
	return flags;
}

void guest_irq_leave(struct guest_irq *irq, unsigned long flags) __releases(&irq->lock)
{
	const bool owes_resample = irq->owes_resample;

	irq->owes_resample = false;
	WRITE_ONCE(irq->holder, NULL);
	spin_unlock_irqrestore(&irq->lock, flags);
	if (unlikely(owes_resample)) /* By what the guest did, so a vCPU's thread. */
		guest_irqfd_resample(irq);
}

u64 guest_irq_now(const struct guest_irq *irq)
{
	return ktime_get_ns() - irq->start_ns;
}

struct svm_lapic_time guest_irq_apic_time(struct guest_apic *apic)
{
	const struct guest_vcpu *const vcpu = apic->vcpu;
	const u64 ns = guest_irq_now(apic->irq);

	/* The guest may set its TSC back: then it is the guest's own affair. */
	apic->last.tsc = rdtsc() + (vcpu ? svm_vcpu_get_tsc_offset(vcpu->vcpu) : 0);
	apic->last.ns = max(apic->last.ns, ns);
	return apic->last;
}

/* --- wires ------------------------------------------------------------------------------------ */

/*
 * Any thread, interrupts too.  The APIC calls it only if what arrives is new to it: that is what
 * the holder of the lock, if this is his doing, counts.
 */
static void apic_wakes(void *arg)
{
	struct guest_apic *const apic = arg;
	struct guest_vcpu *const vcpu = smp_load_acquire(&apic->vcpu);

	if (READ_ONCE(apic->irq->holder) == current)
		apic->irq->delivered++;
	if (vcpu)
		svm_vcpu_notify(vcpu->vcpu);
}

static bool apic_sends(void *arg, const struct svm_apic_message *message)
{
	struct guest_apic *const apic = arg;

	return svm_apic_bus_send(&apic->irq->bus, message);
}

/* As messages of devices, with 8 bits of destination. */
static bool ioapic_sends(void *arg, const struct svm_apic_message *message)
{
	struct guest_irq *const irq = arg;
	struct svm_apic_message copy = *message;

	copy.is_by_mode = guest_has_x2apic_api(irq, KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
	return svm_apic_bus_send(&irq->bus, &copy);
}

static void apic_ends(void *arg, uint8_t vector)
{
	struct guest_apic *const apic = arg;
	unsigned long flags;

	if (apic->irq->is_split) {
		__set_bit(vector, apic->ended);
		svm_vcpu_kick(apic->vcpu->vcpu);
		return;
	}
	flags = guest_irq_enter(apic->irq);
	svm_ioapic_eoi(&apic->irq->ioapic, vector);
	guest_irq_leave(apic->irq, flags);
}

/* The 8259's output is the boot processor's LINT0, as in a PC. */
static void pic_output(void *arg, unsigned int line, bool level)
{
	struct guest_irq *const irq = arg;

	svm_lapic_set_lint(&irq->apic[0].lapic, 0, level);
}

static void pic_ended(void *arg, unsigned int pin)
{
	guest_irq_pin_ended(arg, pin);
}

static void ioapic_ended(void *arg, unsigned int pin)
{
	guest_irq_pin_ended(arg, GUEST_PIC_PINS + pin);
}

/* --- registers -------------------------------------------------------------------------------- */

static enum svm_device_result pic_access(void *arg, struct svm_vcpu *vcpu,
                                         struct svm_io_access *io)
{
	struct guest_irq *const irq = arg;
	const unsigned long flags = guest_irq_enter(irq);

	if (io->is_in)
		io->value = svm_pic_read(&irq->pic, io->port, io->size);
	else
		svm_pic_write(&irq->pic, io->port, io->size, io->value);
	guest_irq_leave(irq, flags);
	return SVM_DEVICE_DONE;
}

static u64 value_of(const struct svm_mmio_access *access)
{
	u64 value = 0;

	memcpy(&value, access->data, min_t(size_t, access->size, sizeof(value)));
	return value;
}

static void answer(struct svm_mmio_access *access, u64 value)
{
	memset(access->data, 0xff, access->size);
	memcpy(access->data, &value, min_t(size_t, access->size, sizeof(value)));
}

static enum svm_device_result ioapic_access(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_mmio_access *access)
{
	const u32 offset = access->gpa & (SVM_IOAPIC_SIZE - 1);
	struct guest_irq *const irq = arg;
	const unsigned long flags = guest_irq_enter(irq);

	if (access->is_write)
		svm_ioapic_write(&irq->ioapic, offset, access->size, value_of(access));
	else
		answer(access, svm_ioapic_read(&irq->ioapic, offset, access->size));
	guest_irq_leave(irq, flags);
	return SVM_DEVICE_DONE;
}

static enum svm_device_result apic_access(void *arg, struct svm_vcpu *vcpu,
                                          struct svm_mmio_access *access)
{
	const u32 offset = access->gpa & (SVM_LAPIC_SIZE - 1);
	struct guest_apic *const apic = arg;
	const struct svm_lapic_time now = guest_irq_apic_time(apic);

	if (access->is_write) {
		svm_lapic_write(&apic->lapic, offset, access->size, value_of(access), now);
		svm_vcpu_set_cr8(vcpu, svm_lapic_get_tpr(&apic->lapic));
		svm_vcpu_notify(vcpu);
	} else {
		answer(access, svm_lapic_read(&apic->lapic, offset, access->size, now));
	}
	return SVM_DEVICE_DONE;
}

static bool read_msr(struct guest_apic *apic, struct svm_msr_access *access)
{
	const struct svm_lapic_time now = guest_irq_apic_time(apic);

	switch (access->msr) {
	case SVM_MSR_APIC_BASE:
		access->value = svm_lapic_get_base(&apic->lapic);
		return true;
	case SVM_MSR_TSC_DEADLINE:
		access->value = svm_lapic_get_tsc_deadline(&apic->lapic, now);
		return true;
	default:
		return svm_lapic_read_msr(&apic->lapic, access->msr, &access->value, now);
	}
}

static bool write_msr(struct guest_apic *apic, const struct svm_msr_access *access)
{
	const struct svm_lapic_time now = guest_irq_apic_time(apic);

	switch (access->msr) {
	case SVM_MSR_APIC_BASE:
		return svm_lapic_set_base(&apic->lapic, access->value);
	case SVM_MSR_TSC_DEADLINE:
		svm_lapic_set_tsc_deadline(&apic->lapic, access->value, now);
		return true;
	default:
		return svm_lapic_write_msr(&apic->lapic, access->msr, access->value, now);
	}
}

void guest_irq_follow_apic(struct guest_apic *apic)
{
	struct svm_vcpu *const vcpu = apic->vcpu->vcpu;
	const u64 base = svm_lapic_mmio_base(&apic->lapic);

	svm_vcpu_mmio_handler(vcpu, base, SVM_LAPIC_SIZE, base == SVM_NEVER ? NULL : apic_access,
	                      apic);
	svm_vcpu_set_cr8(vcpu, svm_lapic_get_tpr(&apic->lapic));
	svm_vcpu_notify(vcpu);
}

void guest_irq_follow_cr8(struct guest_vcpu *vcpu)
{
	struct guest_apic *const apic = vcpu->apic;
	struct svm_system_regs regs;

	if (!apic)
		return;
	svm_vcpu_get_system(vcpu->vcpu, &regs);
	if (svm_lapic_get_tpr(&apic->lapic) != regs.cr8)
		svm_lapic_set_tpr(&apic->lapic, (u8)regs.cr8);
}

static bool apic_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	struct guest_irq *const irq = arg;
	struct guest_apic *const apic = &irq->apic[svm_vcpu_id(vcpu)];

	if (!access->is_write)
		return read_msr(apic, access);
	if (!write_msr(apic, access))
		return false;
	guest_irq_follow_apic(apic);
	return true;
}

/* --- the port that the run loop pulls --------------------------------------------------------- */

static int pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	struct guest_apic *const apic = arg;

	apic->vcpu->kicks = hal_kicks();
	/* What is no vector changes the state of the vCPU, which is for between two runs. */
	if (READ_ONCE(apic->lapic.requests))
		svm_vcpu_kick(vcpu);
	guest_timer_follow(apic);
	if (apic->vcpu->interrupt >= 0) /* Restored: it was on its way already. */
		return apic->vcpu->interrupt;
	apic->extint = apic->extint_requested || svm_lapic_wants_extint(&apic->lapic);
	/* Of the 8259's the vector is known when it is acknowledged. */
	return apic->extint ? 0 : svm_lapic_pending(&apic->lapic, tpr);
}

static uint8_t accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	struct guest_apic *const apic = arg;
	unsigned long flags;

	if (apic->vcpu->interrupt >= 0) {
		apic->vcpu->interrupt = -1;
		return vector;
	}
	if (!apic->extint) {
		svm_lapic_accept(&apic->lapic, vector);
		return vector;
	}
	apic->extint_requested = false;
	flags = guest_irq_enter(apic->irq);
	vector = svm_pic_acknowledge(&apic->irq->pic);
	guest_irq_leave(apic->irq, flags);
	return vector;
}

static void tpr_changed(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	struct guest_apic *const apic = arg;

	/* An equal one came from the register, whose low bits CR8 does not have. */
	if (svm_lapic_get_tpr(&apic->lapic) != tpr)
		svm_lapic_set_tpr(&apic->lapic, tpr);
}

/* The vCPU's thread sleeps, or is on its way there. */
static void wake(void *arg, struct svm_vcpu *vcpu)
{
	struct guest_vcpu *const g = arg;

	rcuwait_wake_up(&g->wait);
}

/* --- life ------------------------------------------------------------------------------------- */

#define BASE_BSP    BIT_ULL(8)
#define BASE_X2APIC BIT_ULL(10)
#define LDR_XAPIC   0xff000000u

/* No guest could, but a VMM that resets its machine does: from any mode to any other. */
static int force_base(struct guest_apic *apic, u64 base)
{
	const struct svm_lapic_time now = guest_irq_apic_time(apic);
	struct svm_lapic_state state;
	unsigned long flags;
	int error;

	flags = guest_irq_enter(apic->irq); /* The level of LINT0 stays what it is. */
	svm_lapic_save(&apic->lapic, &state, now);
	state.base = base;
	if (base & BASE_X2APIC) {
		state.ldr = state.id >> 4 << 16 | 1u << (state.id & 15); /* APM vol. 2, 16.14. */
	} else {
		state.ldr &= LDR_XAPIC;
		state.icr_high &= LDR_XAPIC;
	}
	error = svm_lapic_restore(&apic->lapic, &state, now);
	guest_irq_leave(apic->irq, flags);
	return hal_errno(error);
}

int guest_irq_set_base(struct guest_apic *apic, u64 base)
{
	const bool moves_bsp = (svm_lapic_get_base(&apic->lapic) ^ base) & BASE_BSP;
	int error = 0;

	if (moves_bsp || !svm_lapic_set_base(&apic->lapic, base))
		error = force_base(apic, base);
	if (!error)
		guest_irq_follow_apic(apic);
	return error;
}

static void attach_to(struct guest_vcpu *vcpu, struct guest_apic *apic)
{
	const struct svm_irq_port port = {
		.pending = pending,
		.accept = accept,
		.tpr_changed = tpr_changed,
		.arg = apic,
	};

	vcpu->apic = apic;
	apic->lapic.config.is_bsp = guest_is_boot(vcpu);
	vcpu->waits_for_init = !guest_is_boot(vcpu);
	svm_vcpu_set_wake(vcpu->vcpu, wake, vcpu);
	if (guest_lapic_reset(apic) || svm_vcpu_set_irq_port(vcpu->vcpu, &port))
		pr_err("no interrupt port\n");
	smp_store_release(&apic->vcpu, vcpu);
	guest_irq_follow_apic(apic);
}

void guest_irq_attach(struct guest_vcpu *vcpu)
{
	struct guest_irq *const irq = guest_irq_of(vcpu->guest);

	if (irq)
		attach_to(vcpu, &irq->apic[svm_vcpu_id(vcpu->vcpu)]);
}

static int init_apics(struct guest_irq *irq)
{
	const u8 physical_bits = svm_host_features(guest_host)->physical_bits;
	int error = 0;
	u32 i;

	svm_apic_bus_init(&irq->bus);
	for (i = 0; i < GUEST_VCPUS && !error; i++) {
		struct guest_apic *const apic = &irq->apic[i];
		const struct svm_lapic_config config = {
			.id = i,
			.has_x2apic = true,
			.has_tsc_deadline = true,
			.physical_bits = physical_bits,
			.host = { apic_wakes, apic_sends, apic_ends, apic },
		};

		apic->irq = irq;
		error = svm_lapic_init(&apic->lapic, &config);
		if (!error)
			error = svm_apic_bus_add(&irq->bus, &apic->lapic);
	}
	return error;
}

static int init_devices(struct guest_irq *irq)
{
	const struct svm_end_notice pic_notice = { pic_ended, irq };
	const struct svm_end_notice ioapic_notice = { ioapic_ended, irq };
	const struct svm_wire output = { pic_output, irq, 0 };
	int error = init_apics(irq);

	if (!error)
		error = svm_ioapic_init(&irq->ioapic, ioapic_sends, irq);
	if (error)
		return error;
	/* User space says that a line asks for an interrupt, not which level it has. */
	svm_ioapic_ignore_polarity(&irq->ioapic);
	svm_ioapic_set_end_notice(&irq->ioapic, &ioapic_notice);
	svm_pic_init(&irq->pic, &output);
	svm_pic_set_end_notice(&irq->pic, &pic_notice);
	return 0;
}

/* What a failure leaves behind nobody can reach: the VM has no vCPU. */
static int bind_apics(struct guest_irq *irq)
{
	static const struct {
		u32 first, count;
	} msrs[] = {
		{ SVM_MSR_APIC_BASE, 1 }, { SVM_MSR_TSC_DEADLINE, 1 }, { 0x800, X2APIC_MSRS },
	};
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(msrs) && !error; i++)
		error = svm_vm_msr_handler(irq->guest->vm, msrs[i].first, msrs[i].count, apic_msr,
		                           irq);
	return error;
}

static int bind(struct guest_irq *irq)
{
	static const struct {
		u16 first, count;
	} ports[] = { { 0x20, 2 }, { 0xa0, 2 }, { 0x4d0, 2 } };
	struct svm_vm *const vm = irq->guest->vm;
	unsigned int i;
	int error = bind_apics(irq);

	if (error || irq->is_split)
		return error;
	error = svm_vm_mmio_handler(vm, SVM_IOAPIC_DEFAULT_BASE, SVM_IOAPIC_SIZE, ioapic_access,
	                            irq);
	for (i = 0; i < ARRAY_SIZE(ports) && !error; i++)
		error = svm_vm_io_handler(vm, ports[i].first, ports[i].count, pic_access, irq);
	return error;
}

static void unbind(struct guest_irq *irq)
{
	struct svm_vm *const vm = irq->guest->vm;
	static const u32 msrs[] = { SVM_MSR_APIC_BASE, SVM_MSR_TSC_DEADLINE };
	static const u16 ports[] = { 0x20, 0xa0, 0x4d0 };
	unsigned int i;

	/* Each may be there or not, and nothing runs: what they say does not matter. */
	(void)!svm_vm_mmio_handler(vm, SVM_IOAPIC_DEFAULT_BASE, SVM_IOAPIC_SIZE, NULL, NULL);
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		(void)!svm_vm_io_handler(vm, ports[i], 2, NULL, NULL);
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		(void)!svm_vm_msr_handler(vm, msrs[i], 1, NULL, NULL);
	(void)!svm_vm_msr_handler(vm, 0x800, X2APIC_MSRS, NULL, NULL);
}

static void free_irq_memory(struct guest_irq *irq)
{
	kfree(irq->routes);
	kvfree(irq);
}

static int make(struct guest *guest, bool is_split)
{
	struct guest_irq *const irq = kvzalloc(sizeof(*irq), GFP_KERNEL_ACCOUNT);
	int error;

	if (!irq)
		return -ENOMEM;
	irq->guest = guest;
	irq->is_split = is_split;
	irq->start_ns = ktime_get_ns();
	spin_lock_init(&irq->lock);
	spin_lock_init(&irq->irqfd_lock);
	INIT_LIST_HEAD(&irq->irqfds);
	INIT_LIST_HEAD(&irq->resamplers);
	error = hal_errno(init_devices(irq));
	if (!error)
		error = guest_routes_default(irq);
	if (!error) {
		error = hal_errno(bind(irq));
		if (error)
			unbind(irq);
	}
	if (error)
		free_irq_memory(irq);
	else
		smp_store_release(&guest->irq, irq);
	return error;
}

int guest_irq_create(struct guest *guest, bool is_split)
{
	unsigned int i;
	int error = 0;

	mutex_lock(&guest->lock);
	for (i = 0; i < GUEST_VCPUS; i++)
		if (guest->vcpus[i]) /* As KVM says it of the one and of the other. */
			error = is_split ? -EEXIST : -EINVAL;
	if (guest->irq)
		error = -EEXIST;
	if (!error)
		error = make(guest, is_split);
	mutex_unlock(&guest->lock);
	return error;
}

void guest_irq_stop(struct guest *guest)
{
	unsigned int i;

	if (!guest->irq)
		return;
	guest_irqfd_stop(guest->irq);
	guest_pit_stop(guest->irq);
	for (i = 0; i < GUEST_VCPUS; i++)
		if (guest->vcpus[i])
			guest_timer_stop(guest->vcpus[i]);
}

void guest_irq_destroy(struct guest *guest)
{
	if (guest->irq)
		free_irq_memory(guest->irq);
}
