/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_PC_H
#define LIBSVM_PLATFORM_PC_H
/**
 * @file
 * @brief A PC around a VM: interrupt controllers, timers, clock, serial ports, ACPI, wired up.
 *
 * Who wants another machine takes the devices alone and wires them as this file's source does.
 *
 * The embedder's loop stays its own:
 *
 * @code
 * svm_pc_attach(pc, vcpu);
 * for (;;) {
 *         svm_pc_serve(pc, vcpu);
 *         if (svm_vcpu_state(vcpu) == SVM_VCPU_WAIT_SIPI) sleep until the wake callback; continue
 *         if (svm_vcpu_run(vcpu, &exit)) break;
 *         if (svm_pc_event(pc, &status) != SVM_PC_NOTHING) break;
 *         if (exit.kind == SVM_EXIT_KIND_HLT) sleep until svm_vcpu_deadline() or the wake callback
 *         ... other kinds ...
 * }
 * @endcode
 */
#include <libsvm/platform/device.h>
#include <libsvm/vcpu.h>

/** @addtogroup svm_platform
 *  @{ */

/** A PC; opaque. */
struct svm_pc;

/* What a PC has; OR of these in svm_pc_config.devices. */
#define SVM_PC_APIC     SVM_BIT(0) /**< Local APICs and I/O APIC; without, only the 8259 pair. */
#define SVM_PC_X2APIC   SVM_BIT(1) /**< With APIC: the guest may switch to x2APIC. */
#define SVM_PC_ACPI     SVM_BIT(2) /**< Power management registers; svm_pc_write_tables(). */
#define SVM_PC_PARAVIRT SVM_BIT(3) /**< KVM-compatible leaves and clock. */
#define SVM_PC_FW_CFG   SVM_BIT(4)
/**
 * With APIC: its timer can count by the TSC.  AMD's processors have no such timer, and a Linux that
 * is told not to use the APIC's (nolapic_timer) then sets up no other either.
 */
#define SVM_PC_TSC_DEADLINE SVM_BIT(5)
/** What a Linux guest is happiest with. */
#define SVM_PC_DEFAULT (SVM_PC_APIC | SVM_PC_X2APIC | SVM_PC_ACPI | SVM_PC_PARAVIRT)

/** Serial ports: 3F8h on IRQ 4, 2F8h on IRQ 3. */
#define SVM_PC_UARTS 2u

/** What the guest may do to the whole machine. */
enum svm_pc_event {
	SVM_PC_NOTHING,
	SVM_PC_RESET,     /**< By i8042, port 92h, CF9h or ACPI. */
	SVM_PC_POWER_OFF, /**< ACPI S5. */
	SVM_PC_EXIT,      /**< A byte written to port F4h. */
};

/** How to make a PC. */
struct svm_pc_config {
	uint64_t devices; /**< SVM_PC_*. */
	uint32_t cpus;    /**< 1 … svm_vm_config.vcpu_max; vCPU n has APIC ID n. */
	uint64_t memory;  /**< Bytes of RAM, laid out as svm_boot_pc_map() says. */
	uint64_t wall_clock; /**< Seconds since 1970 at the time of the call. */
	/**
	 * A serial port sends a byte.  A, under the PC's lock: must not call the PC.  NULL: bytes
	 * vanish.
	 */
	void (*put)(void *arg, unsigned uart, uint8_t byte);
	void *arg;
};

/**
 * @brief Make the devices and register them with the VM.
 *
 * All or nothing: on error the VM is what it was, its CPUID table too.
 *
 * @param vm      Without vCPUs that run; its CPUID table is changed to say what the PC has.
 * @param config  Copied.
 * @param[out] pc  The PC.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  @p config is not of its shape.
 * @retval SVM_ERR_NOMEM  No frames.
 * @retval SVM_ERR_RANGE  With PARAVIRT: the VM's CPUID table has no room for its leaves.
 * @retval SVM_ERR_EXIST  A port or range has a callback already.
 * @retval SVM_ERR_STATE  The VM has run.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_pc_create(struct svm_vm *vm, const struct svm_pc_config *config,
                                 struct svm_pc **pc);

/**
 * @brief Undo svm_pc_create().
 * @param pc  None of the VM's vCPUs will run again.  NULL: nothing.
 * @retval 0              Gone.
 * @retval SVM_ERR_BUSY   A vCPU is running; nothing was freed.
 * @retval SVM_ERR_NOENT  A callback of the PC was taken away by somebody else; nothing was freed.
 */
SVM_MUST_CHECK int svm_pc_destroy(struct svm_pc *pc);

/**
 * @brief Make the PC's APIC the interrupt port of a vCPU.  Once for each vCPU.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Its ID is not below svm_pc_config.cpus.
 */
SVM_MUST_CHECK int svm_pc_attach(struct svm_pc *pc, struct svm_vcpu *vcpu);

/**
 * @brief Write the ACPI tables below 1 MiB, in the range that svm_boot_pc_map() reserves.
 * @param pc         With SVM_PC_ACPI.
 * @param[out] rsdp  For svm_boot_config.rsdp.
 * @retval 0                  Done.
 * @retval SVM_ERR_NOSUPPORT  Without ACPI.
 * @retval SVM_ERR_FAULT      No memory there.
 */
SVM_MUST_CHECK int svm_pc_write_tables(struct svm_pc *pc, svm_gpa_t *rsdp);

/** @brief Bytes that svm_pc_save() writes. */
size_t svm_pc_state_size(const struct svm_pc *pc);

/**
 * @brief Write the state of all devices, local APICs among them.
 *
 * What it has no part in: guest memory and the vCPUs' own state, TSC and pending events among it.
 * None of the three may go on between the times at which they are saved.
 *
 * @param pc     None of the VM's vCPUs is running.
 * @param state  Where to; any alignment.  Begins with a magic number and a version of its layout,
 *               and is good for the machines that this version of the library runs on.
 * @param size   Bytes there.
 * @retval 0              Written; the PC is as it was.
 * @retval SVM_ERR_RANGE  @p size is below svm_pc_state_size(); nothing was written.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_pc_save(struct svm_pc *pc, void *state, size_t size);

/**
 * @brief Become what was saved.
 *
 * After guest memory and vCPUs have their state: CR8 follows the APIC, the VM's clock goes on where
 * it was, and the pages of the paravirtual clock are written anew for this host's TSC.
 *
 * @param pc     Made as the saved one was: the same devices, CPUs and memory.  None of the VM's
 *               vCPUs is running.
 * @param state  What svm_pc_save() wrote; may come from a stranger.  Is copied before it is looked
 *               at.
 * @param size   svm_pc_state_size().
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  No such PC can be in that state; nothing changed.
 * @retval SVM_ERR_ABI    The state of another version; nothing changed.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 * @retval SVM_ERR_NOMEM  No frames; nothing changed.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_pc_restore(struct svm_pc *pc, const void *state, size_t size);

/**
 * @brief Carry out what other vCPUs sent: INIT, start-up.  The vCPU's thread, before each run.
 *
 * An INIT of vCPU 0 is ::SVM_PC_RESET: there is no firmware that could receive it.
 *
 * @retval 0              Done; the vCPU may be in another state now.
 * @retval SVM_ERR_INVAL  The vCPU is not attached.
 * @retval SVM_ERR_STATE  It is DEAD.
 */
SVM_MUST_CHECK int svm_pc_serve(struct svm_pc *pc, struct svm_vcpu *vcpu);

/**
 * @brief Whether svm_pc_serve() has something to do; beside svm_vcpu_has_event() the second look
 * before a halted or waiting vCPU sleeps.  The vCPU's thread.
 */
bool svm_pc_has_request(const struct svm_pc *pc, const struct svm_vcpu *vcpu);

/**
 * @brief What the guest has done to the machine, once; a run ends with REQUEST for it.
 * @param pc            The PC.
 * @param[out] status   EXIT: the byte.
 */
enum svm_pc_event svm_pc_event(struct svm_pc *pc, uint8_t *status);

/**
 * @brief Send a vCPU an interrupt, as a device's message would; can be an ::svm_doorbell_fn.
 * @param arg     The PC, with SVM_PC_APIC.
 * @param vcpu    Which; one that is not there gets nothing.
 * @param vector  16 … 255.
 * @par Context
 * Any thread, A.
 */
void svm_pc_interrupt(void *arg, uint32_t vcpu, uint8_t vector);

/**
 * @brief A byte for a serial port.  Any thread, A; not from an interrupt handler.
 * @return False: no room now.
 */
bool svm_pc_receive(struct svm_pc *pc, unsigned uart, uint8_t byte);

/** @} */

#endif
