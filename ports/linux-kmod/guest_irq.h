/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_GUEST_IRQ_H
#define LIBSVM_LINUX_GUEST_IRQ_H
/*
 * Interrupt controllers in the kernel: the library's 8259 pair, I/O APIC, local APICs and 8254,
 * wired as KVM's interface describes it.  Or local APICs alone ("split"): then the others are user
 * space's, which hears of the ends of level-triggered interrupts and injects the 8259's.
 *
 * They are made before the VM has a vCPU and live as long as it does.  One lock is for all but the
 * local APICs, with interrupts off, since timers and eventfds of the host come in interrupts.  A
 * local APIC is its vCPU's own; what others send it is posted without a lock (lapic.h).  Nobody who
 * holds the lock waits.
 */
#include <linux/bitmap.h>
#include <linux/hrtimer.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include <libsvm/platform/apic_bus.h>
#include <libsvm/platform/ioapic.h>
#include <libsvm/platform/lapic.h>
#include <libsvm/platform/pic.h>
#include <libsvm/platform/pit.h>

#include "guest.h"

#define GUEST_GSIS GUEST_ROUTES

/* Inputs of the controllers: the 8259 pair's, then the I/O APIC's. */
#define GUEST_PIC_PINS 16u
#define GUEST_PINS     (GUEST_PIC_PINS + SVM_IOAPIC_PINS)

/* Who drives an input; it is high while one of them does. */
enum guest_irq_source {
	GUEST_SOURCE_USER,
	GUEST_SOURCE_PIT,
	GUEST_SOURCE_EVENTFD,
	GUEST_SOURCE_RESAMPLE,
};

struct guest_irq;

/* A local APIC; it is there before its vCPU is. */
struct guest_apic {
	struct svm_lapic lapic;
	struct guest_irq *irq;
	struct guest_vcpu *vcpu; /* NULL: none yet.  Read by any thread. */
	bool extint;           /* The vector that pending() gave is the 8259's. */
	bool extint_requested; /* A message asked for one acknowledge. */
	DECLARE_BITMAP(ended, 256); /* Vectors that user space has to be told of. */
	struct svm_lapic_time last; /* That the APIC has seen: clocks of two CPUs may differ. */
};

struct guest_routes;

struct guest_irq {
	struct guest *guest;
	bool is_split;
	u64 start_ns; /* The kernel's clock when the VM's was 0. */
	struct guest_apic apic[GUEST_VCPUS];
	struct svm_apic_bus bus; /* All of them, from the beginning. */

	spinlock_t lock; /* For what follows. */
	struct task_struct *holder; /* Of the lock; NULL: nobody. */
	u32 delivered; /* Interrupts that were news to their APIC, since the holder set it to 0. */
	struct svm_pic pic;
	struct svm_ioapic ioapic;
	u8 sources[GUEST_PINS]; /* BIT(enum guest_irq_source). */
	bool owes_resample; /* Irqfds have to be told of ends when the lock is given back. */
	struct guest_routes *routes;

	bool has_pit;
	bool pit_is_silent; /* An HPET of user space has taken over from counter 0. */
	struct svm_pit pit;
	struct hrtimer pit_timer;

	spinlock_t irqfd_lock; /* For these; inside that of an eventfd, outside of lock. */
	struct list_head irqfds, resamplers; /* The latter read by RCU. */
	u32 irqfd_count;
};

/* --- guest_irq.c ----------------------------------------------------------------------------- */

int guest_irq_create(struct guest *guest, bool is_split); /* Takes guest.lock. */
/* No timer fires any more; then, when neither vCPUs nor VM exist, the rest. */
void guest_irq_stop(struct guest *guest);
void guest_irq_destroy(struct guest *guest);

/* The VM's controllers or NULL; what it was once it stays. */
static inline struct guest_irq *guest_irq_of(const struct guest *guest)
{
	return smp_load_acquire(&guest->irq);
}

/* Whether the 8259 pair is in the kernel: nobody else injects its interrupts. */
static inline bool guest_has_pic(const struct guest *guest)
{
	const struct guest_irq *const irq = guest_irq_of(guest);

	return irq && !irq->is_split;
}

/* As guest_has_pic(), for a vCPU that is attached. */
static inline bool guest_vcpu_has_pic(const struct guest_vcpu *vcpu)
{
	return vcpu->apic && !vcpu->apic->irq->is_split;
}

/* Whether guest_mp_settle() has work: the vCPU does not run, or may have to stop. */
static inline bool guest_mp_is_due(const struct guest_vcpu *vcpu)
{
	const struct guest_apic *const apic = vcpu->apic;

	return apic && (svm_vcpu_state(vcpu->vcpu) != SVM_VCPU_RUNNABLE || vcpu->waits_for_init ||
	                vcpu->is_halted || READ_ONCE(apic->lapic.requests) || apic->irq->is_split);
}

/* A vCPU that no thread can reach yet gets its APIC.  Nothing without controllers. */
void guest_irq_attach(struct guest_vcpu *vcpu);

unsigned long guest_irq_enter(struct guest_irq *irq);
void guest_irq_leave(struct guest_irq *irq, unsigned long flags);

/* Whether user space has enabled one of KVM_X2APIC_API_*. */
static inline bool guest_has_x2apic_api(const struct guest_irq *irq, u64 flag)
{
	return READ_ONCE(irq->guest->x2apic_api) & flag;
}

/* Nanoseconds of the VM's clock. */
u64 guest_irq_now(const struct guest_irq *irq);
struct svm_lapic_time guest_irq_apic_time(struct guest_apic *apic);

/* What the guest finds at the APIC's registers and in CR8 follows from the APIC. */
void guest_irq_follow_apic(struct guest_apic *apic);
/* User space has set CR8.  Nothing without controllers. */
void guest_irq_follow_cr8(struct guest_vcpu *vcpu);
/* User space sets the APIC base: any mode may follow any other. */
int guest_irq_set_base(struct guest_apic *apic, u64 base);

/* --- guest_timer.c --------------------------------------------------------------------------- */
void guest_timer_init(struct guest_vcpu *vcpu);
void guest_timer_stop(struct guest_vcpu *vcpu);
/* The APIC may have counted, or been written: its time is now, and the kernel's timer follows. */
void guest_timer_follow(struct guest_apic *apic);

/* --- guest_irq_routes.c ---------------------------------------------------------------------- */
int guest_routes_default(struct guest_irq *irq);
long guest_routes_set(struct guest_irq *irq, void __user *user); /* A struct kvm_irq_routing. */

/* What a device writes, as KVM's structures have it. */
struct guest_msi {
	u32 address_low, address_high, data;
};

bool guest_msi_is_legal(const struct guest_irq *irq, const struct guest_msi *msi);
/* As guest_irq_set_gsi(), but takes the lock. */
int guest_irq_send_msi(struct guest_irq *irq, const struct guest_msi *msi);

/*
 * Under the lock.  As KVM_IRQ_LINE_STATUS: how many processors got it; 0: they had it already;
 * negative: it is masked or leads nowhere.
 */
int guest_irq_set_gsi(struct guest_irq *irq, u32 gsi, enum guest_irq_source source, bool level);

/* Under the lock: the guest has ended an interrupt of an input. */
void guest_irq_pin_ended(struct guest_irq *irq, u32 pin);

/* --- guest_irq_state.c ----------------------------------------------------------------------- */
int guest_irqchip_get(struct guest_irq *irq, struct kvm_irqchip *chip);
int guest_irqchip_set(struct guest_irq *irq, const struct kvm_irqchip *chip);
/* As KVM makes one: power-up, but the boot processor's LINT0 passes the 8259's interrupts. */
int guest_lapic_reset(struct guest_apic *apic);
void guest_lapic_get(struct guest_apic *apic, struct kvm_lapic_state *out);
int guest_lapic_set(struct guest_apic *apic, const struct kvm_lapic_state *in);

/* --- guest_pit.c ----------------------------------------------------------------------------- */
long guest_pit_ioctl(struct guest_irq *irq, unsigned int number, void __user *user);
void guest_pit_stop(struct guest_irq *irq);

/* --- guest_irqfd.c --------------------------------------------------------------------------- */
long guest_irqfd(struct guest_irq *irq, void __user *user); /* A struct kvm_irqfd. */
void guest_irqfd_stop(struct guest_irq *irq);
/* Under the lock: of a GSI that may have levels.  And after it, if irq->owes_resample was set. */
void guest_irqfd_ended(struct guest_irq *irq, u32 gsi);
void guest_irqfd_resample(struct guest_irq *irq);

#endif
