/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_PC_H
#define SVM_PLATFORM_PC_H
/*
 * The PC's parts and how they hang together.
 *
 * One lock for all devices but the local APICs: their register accesses are short and rare.  A
 * local APIC is its vCPU's own; what others send it is posted atomically.  Order: the lock, then
 * an APIC's post.  Nobody who holds the lock waits for anything but the lock.
 */
#include <libsvm/platform/acpi_pm.h>
#include <libsvm/platform/apic_bus.h>
#include <libsvm/platform/debug_ports.h>
#include <libsvm/platform/fw_cfg.h>
#include <libsvm/platform/i8042.h>
#include <libsvm/platform/ioapic.h>
#include <libsvm/platform/lapic.h>
#include <libsvm/platform/paravirt.h>
#include <libsvm/platform/pc.h>
#include <libsvm/platform/pci.h>
#include <libsvm/platform/pic.h>
#include <libsvm/platform/pit.h>
#include <libsvm/platform/rtc.h>
#include <libsvm/platform/steal_time.h>
#include <libsvm/platform/uart.h>

#include "core/vm.h"

#define PC_IRQ_TIMER   0u
#define PC_IRQ_KEYBOARD 1u
#define PC_IRQ_COM2    3u
#define PC_IRQ_COM1    4u
#define PC_IRQ_CLOCK   8u
#define PC_IRQ_ACPI    9u
#define PC_ISA_IRQS    16u
#define PC_PIC_PIN     0u /* Of the I/O APIC: the 8259's output. */
#define PC_TIMER_PIN   2u /* Of the I/O APIC: IRQ 0 goes there, as in every PC. */

#define PC_VGA_BASE    UINT64_C(0xa0000)
#define PC_VGA_SIZE    UINT64_C(0x20000)

/* A vCPU's part. */
struct pc_cpu {
	struct svm_lapic lapic;
	struct svm_paravirt_vcpu paravirt;
	struct svm_steal_time steal;
	struct svm_pc *pc;
	struct svm_vcpu *vcpu; /* NULL until attached. */
	uint32_t startup;      /* INIT and STARTUP that svm_pc_serve() has to carry out. */
	uint8_t startup_vector;
	bool extint; /* The vector that pending() gave is the 8259's. */
	bool extint_requested; /* A message asked for one acknowledge. */
	struct svm_lapic_time last; /* That the APIC has seen: clocks of two CPUs may differ. */
};

/* A row of the port table, bound to its PC: the callback's argument. */
struct port_row;

struct pc_binding {
	struct svm_pc *pc;
	const struct port_row *row;
};

#define PC_PORT_ROWS 24u

struct svm_pc {
	struct svm_vm *vm;
	struct svm_pc_config config;
	/* HAL's clock when the VM's was 0; modulo 2^64, since a VM may be older than its host. */
	uint64_t start_ns;
	uint32_t lock;     /* Atomic. */
	uint32_t event;    /* Atomic: enum svm_pc_event; of EXIT the byte in bits 15:8. */
	uint64_t deadline; /* Atomic: the earliest of the devices under the lock. */
	uint64_t last_ns;  /* Under the lock: time that the devices have seen. */

	struct svm_pic pic;
	struct svm_ioapic ioapic;
	struct svm_apic_bus bus;
	struct svm_pit pit;
	struct svm_rtc rtc;
	struct svm_uart uart[SVM_PC_UARTS];
	struct svm_i8042 i8042;
	struct svm_debug_ports ports;
	struct svm_acpi_pm pm;
	struct svm_pci pci;
	struct svm_fw_cfg fw_cfg;
	struct svm_paravirt paravirt;
	struct pc_uart_sink {
		struct svm_pc *pc;
		unsigned uart;
	} sink[SVM_PC_UARTS];
	struct pc_binding binding[PC_PORT_ROWS];
	uint32_t bound_ports, bound_memory, bound_msrs; /* Rows of the tables in pc_ports.c. */
	bool bound_hypercalls;

	size_t pages;
	svm_hpa_t hpa;
	struct pc_cpu cpu[]; /* config.cpus of them. */
};

/* Of several steps that are all taken. */
static inline int pc_first_error(int error, int next)
{
	return error ? error : next;
}

/* --- pc.c ------------------------------------------------------------------------------------ */
/* Devices alone, as svm_pc_create() makes them: known to no VM.  NULL: no frames. */
struct svm_pc *svm_pc_make(struct svm_vm *vm, const struct svm_pc_config *config, int *error);
void svm_pc_unmake(struct svm_pc *pc);

/* --- pc_time.c ------------------------------------------------------------------------------- */

/* Nanoseconds of the VM's clock. */
uint64_t svm_pc_now(const struct svm_pc *pc);
struct svm_lapic_time svm_pc_lapic_time(struct pc_cpu *cpu);
/* When the local APIC's timer fires, by the VM's clock. */
uint64_t svm_pc_lapic_deadline(struct pc_cpu *cpu);

/* The lock alone. */
static inline void svm_pc_lock(struct svm_pc *pc)
{
	while (svm_atomic_exchange(&pc->lock, 1u))
		svm_ring0_pause();
}

static inline void svm_pc_unlock(struct svm_pc *pc)
{
	svm_atomic_store(&pc->lock, 0u);
}

/*
 * Take the lock, do something to a device, give the lock back.  Before that the devices are
 * brought up to now, which is the result; after it the earliest deadline is found again, and
 * whoever has to arm a timer for it is told.
 */
uint64_t svm_pc_enter(struct svm_pc *pc);
void svm_pc_leave(struct svm_pc *pc);
/* The same where nothing was done that moves a device's deadline. */
void svm_pc_leave_early(struct svm_pc *pc);

/* --- pc_irq.c -------------------------------------------------------------------------------- */
extern const struct svm_irq_port svm_pc_irq_port;
void svm_pc_set_irq(void *pc, unsigned irq, bool level);
void svm_pc_pic_output(void *pc, unsigned line, bool level);
bool svm_pc_send(void *pc, const struct svm_apic_message *message);
bool svm_pc_cpu_send(void *cpu, const struct svm_apic_message *message);
void svm_pc_cpu_eoi(void *cpu, uint8_t vector);
void svm_pc_lapic_wake(void *cpu);
/* The vCPU's thread: what others sent, as far as it is no vector. */
void svm_pc_take_requests(struct pc_cpu *cpu);
/* The vCPU's thread, before anything changes or looks into the APIC. */
void svm_pc_take_eoi(struct pc_cpu *cpu);

/* --- pc_paravirt.c --------------------------------------------------------------------------- */
/* KVM's numbers, from 1 on. */
#define PC_HYPERCALL_FIRST 1u
#define PC_HYPERCALL_COUNT 31u
enum svm_device_result svm_pc_hypercall(void *pc, struct svm_vcpu *vcpu,
                                        struct svm_hypercall *call);
/* The vCPU's thread.  False: #GP. */
bool svm_pc_steal_time_msr(struct pc_cpu *cpu, struct svm_msr_access *access);
void svm_pc_reset_steal_time(struct pc_cpu *cpu);
/* The vCPU tells of its presence as long as its guest asks for it. */
void svm_pc_follow_steal_time(struct pc_cpu *cpu);

/* --- pc_ports.c ------------------------------------------------------------------------------ */
/* The vCPU finds its APIC's registers where the base MSR says. */
void svm_pc_place_apic(struct pc_cpu *cpu);
/* The vCPU's CR8 becomes the APIC's task priority. */
void svm_pc_follow_task_priority(struct pc_cpu *cpu);
int svm_pc_bind(struct svm_pc *pc);
int svm_pc_unbind(struct svm_pc *pc);

/* --- pc_cpuid.c ------------------------------------------------------------------------------ */
int svm_pc_set_cpuid(struct svm_pc *pc);

#endif
