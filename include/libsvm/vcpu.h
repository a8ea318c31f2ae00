/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_VCPU_H
#define LIBSVM_VCPU_H
/**
 * @file
 * @brief A virtual processor: state, events, and the run loop.
 *
 * The embedder owns the loop:
 *
 *     while (svm_vcpu_run(vcpu, &exit) == 0) {
 *             switch (exit.kind) { ... svm_vcpu_complete_*(vcpu, ...) ... }
 *     }
 *
 * One thread at a time drives a vCPU; only the calls marked *any thread* may run beside it.  Unless
 * a call says otherwise its context is A, and it is for the thread that drives the vCPU, between
 * two runs; what another vCPU of the VM does meanwhile is free.
 */
#include <libsvm/exit.h>
#include <libsvm/vm.h>
#include <libsvm/vmcb.h>

/** @addtogroup svm_vcpu
 *  @{ */

/** A virtual processor; opaque. */
struct svm_vcpu;

/**
 * States of a vCPU and the moves between them: S(name, text), T(from, to, why).
 * The code, its refusals and the picture in the documentation come from this table.
 */
#define SVM_VCPU_STATES(S, T)                                                                      \
	S(CREATED, "made, registers at reset, never run")                                          \
	S(RUNNABLE, "stopped between two runs")                                                    \
	S(RUNNING, "inside svm_vcpu_run()")                                                        \
	S(HALTED, "executed HLT; an event wakes it")                                               \
	S(WAIT_SIPI, "after INIT; a start-up IPI wakes it")                                        \
	S(SHUTDOWN, "triple fault; a reset or INIT wakes it")                                      \
	S(DEAD, "an entry failed or the library found an inconsistency")                           \
	T(CREATED, RUNNING, "run")                                                                 \
	T(CREATED, WAIT_SIPI, "an application processor waits")                                    \
	T(CREATED, DEAD, "inconsistency")                                                          \
	T(RUNNABLE, RUNNING, "run")                                                                \
	T(RUNNABLE, CREATED, "reset")                                                              \
	T(RUNNABLE, WAIT_SIPI, "INIT")                                                             \
	T(RUNNABLE, DEAD, "inconsistency")                                                         \
	T(RUNNING, CREATED, "the first run was refused")                                           \
	T(RUNNING, RUNNABLE, "exit")                                                               \
	T(RUNNING, HALTED, "HLT")                                                                  \
	T(RUNNING, WAIT_SIPI, "INIT")                                                              \
	T(RUNNING, SHUTDOWN, "triple fault")                                                       \
	T(RUNNING, DEAD, "entry failed or inconsistency")                                          \
	T(HALTED, RUNNING, "run with an event pending")                                            \
	T(HALTED, RUNNABLE, "the embedder wakes it")                                               \
	T(HALTED, CREATED, "reset")                                                                \
	T(HALTED, WAIT_SIPI, "INIT")                                                               \
	T(HALTED, DEAD, "inconsistency")                                                           \
	T(WAIT_SIPI, RUNNABLE, "start-up IPI")                                                     \
	T(WAIT_SIPI, CREATED, "reset")                                                             \
	T(WAIT_SIPI, DEAD, "inconsistency")                                                        \
	T(SHUTDOWN, CREATED, "reset")                                                              \
	T(SHUTDOWN, WAIT_SIPI, "INIT")                                                             \
	T(SHUTDOWN, DEAD, "inconsistency")

/** States of a vCPU. */
enum svm_vcpu_state {
#define SVM_VCPU_STATE_ENUM(name, text) SVM_VCPU_##name,
#define SVM_VCPU_STATE_SKIP(from, to, why)
	SVM_VCPU_STATES(SVM_VCPU_STATE_ENUM, SVM_VCPU_STATE_SKIP)
#undef SVM_VCPU_STATE_ENUM
#undef SVM_VCPU_STATE_SKIP
	SVM_VCPU_STATE_COUNT,
};

/** @brief Name of a state, such as "RUNNABLE". Any context. */
const char *svm_vcpu_state_name(enum svm_vcpu_state state);

/** @brief Whether the table of states allows the move. Any context. */
bool svm_vcpu_state_allowed(enum svm_vcpu_state from, enum svm_vcpu_state to);

/** General registers, RIP and RFLAGS. */
struct svm_regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
};

/** Segments, descriptor tables, control registers. */
struct svm_system_regs {
	struct svm_vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint64_t cr0, cr2, cr3, cr4, cr8;
	uint64_t efer; /**< As the guest sees it: without SVME. */
	uint8_t cpl;
};

/** Debug registers as the guest sees them. */
struct svm_debug_regs {
	uint64_t dr[4], dr6, dr7;
};

/** Events that wait or are half delivered. */
struct svm_events {
	bool exception_pending, exception_has_error;
	uint8_t exception_vector;
	uint32_t exception_error;
	bool nmi_pending, nmi_masked; /**< Masked: an NMI handler runs. */
	bool interrupt_shadow;        /**< After STI or MOV SS. */
	uint64_t reinject; /**< SVM_EVENT_*: a delivery that an exit interrupted; 0: none. */
};

/**
 * @brief Create a vCPU with the architecture's reset state.
 *
 * @param vm         Its VM.
 * @param id         0 … vcpu_max-1: the APIC ID that CPUID reports.
 * @param[out] vcpu  The vCPU, on success; CREATED.
 * @retval 0              Created.
 * @retval SVM_ERR_INVAL  @p id is out of range.
 * @retval SVM_ERR_EXIST  The VM has a vCPU of that id.
 * @retval SVM_ERR_NOMEM  The HAL had no frame; nothing is left behind.
 * @retval SVM_ERR_DEAD   The VM is dead.
 * @par Context
 * T.
 * @par Source
 * APM vol. 2, 14.1.3 (reset state).
 */
SVM_MUST_CHECK int svm_vcpu_create(struct svm_vm *vm, uint32_t id, struct svm_vcpu **vcpu);

/**
 * @brief Destroy a vCPU.
 * @param vcpu  Not loaded on any CPU.
 * @retval 0             Gone.
 * @retval SVM_ERR_BUSY  It is running or loaded.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_vcpu_destroy(struct svm_vcpu *vcpu);

/**
 * @brief Back to the reset state: CREATED, no events, registers at reset, FPU initial.  A kick
 *        that waits stays; a vCPU that is loaded here is put.
 * @retval 0              Done.
 * @retval SVM_ERR_STATE  It is RUNNING or DEAD, or loaded on another CPU.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_vcpu_reset(struct svm_vcpu *vcpu);

/** @brief The VM of a vCPU. Any context. */
struct svm_vm *svm_vcpu_vm(const struct svm_vcpu *vcpu);
/** @brief The id of a vCPU. Any context. */
uint32_t svm_vcpu_id(const struct svm_vcpu *vcpu);
/** @brief The present state; any thread, a snapshot. */
enum svm_vcpu_state svm_vcpu_state(const struct svm_vcpu *vcpu);

/**
 * @brief Run the guest until something happens that the library does not finish.
 *
 * @param vcpu       CREATED, RUNNABLE, or HALTED with an event pending (else HLT again at once).
 * @param[out] exit  Why it came back.
 * @retval 0                     See @p exit.
 * @retval SVM_ERR_STATE         WAIT_SIPI or SHUTDOWN, or it is running on another CPU, or its VM
 *                               is PAUSED or STOPPED.
 * @retval SVM_ERR_BUSY          It is loaded on another CPU, or another vCPU is loaded here.
 * @retval SVM_ERR_DEAD          The vCPU or its VM is dead.
 * @retval SVM_ERR_INCOMPLETE    The last exit awaits its completion.
 * @retval SVM_ERR_CPU_OFFLINE   This CPU is not online.
 * @par Context
 * T, pinned to a CPU or with preempt_off() in the HAL; interrupts on.
 */
SVM_MUST_CHECK int svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit);

/**
 * @brief Bind a vCPU to the CPU that executes the call, until svm_vcpu_put().
 *
 * svm_vcpu_run() does it by itself, and puts at its end what was not loaded before.  A loaded vCPU
 * keeps the guest's FPU and debug registers on the CPU; but where the HAL has fpu_begin(), the FPU
 * is the host's between runs, and the thread may be preempted there: see svm_vcpu_stay_loaded().
 *
 * @retval 0                    Loaded.
 * @retval SVM_ERR_CPU_OFFLINE  This CPU is not online.
 * @retval SVM_ERR_BUSY         It is loaded on another CPU, or another vCPU is loaded here.
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_vcpu_load(struct svm_vcpu *vcpu);

/**
 * @brief Undo svm_vcpu_load() on the same CPU; nothing if it is not loaded there.
 * @par Context
 * A; where the HAL has fpu_begin() and nobody has set svm_vcpu_set_presence(), with interrupts off
 * and under any lock of the host's too, such as its scheduler's.
 */
void svm_vcpu_put(struct svm_vcpu *vcpu);

/**
 * @brief Have svm_vcpu_run() leave the vCPU loaded where it ran.
 *
 * For a host that tells when a thread loses its CPU (preemption notifiers): between the calls a run
 * finds the vCPU loaded, the notification puts it, and the run after that loads it wherever it is.
 * Nothing has to be done, and nothing can fail, when the thread gets a CPU again.
 *
 * @param vcpu   Not running.
 * @param stays  False: from the next run on it is put again; before, say svm_vcpu_put().
 * @par Context
 * A, by the thread that drives the vCPU.
 */
void svm_vcpu_stay_loaded(struct svm_vcpu *vcpu, bool stays);

/** @name Completing an exit */
/** @{ */
/**
 * @brief Give the value that the instruction asked for and step over it.
 *
 * IO in, RDMSR, CR and DR reads, HYPERCALL (new RAX).
 *
 * @retval 0              Done.
 * @retval SVM_ERR_STATE  No exit awaits completion, or this kind takes no value.
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_vcpu_complete_value(struct svm_vcpu *vcpu, uint64_t value);
/**
 * @brief Give the bytes that an MMIO read asked for, of any size.
 * @retval 0              Done.
 * @retval SVM_ERR_STATE  No MMIO read awaits completion.
 * @retval SVM_ERR_INVAL  @p size is not the exit's.
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_vcpu_complete_data(struct svm_vcpu *vcpu, const void *data, size_t size);
/**
 * @brief The hypercall of an exit of kind HYPERCALL, as a callback would see it; result is 0.
 * @par Context
 * The vCPU's thread, between that exit and its completion.
 */
void svm_vcpu_get_hypercall(const struct svm_vcpu *vcpu, struct svm_hypercall *call);
/** @brief Give CPUID's four registers and step over it. As svm_vcpu_complete_value(). */
SVM_MUST_CHECK int svm_vcpu_complete_cpuid(struct svm_vcpu *vcpu, uint32_t eax, uint32_t ebx,
                                           uint32_t ecx, uint32_t edx);
/**
 * @brief Step over the instruction without further effect.
 * @retval 0                  Done.
 * @retval SVM_ERR_STATE      No exit awaits completion.
 * @retval SVM_ERR_NOSUPPORT  The length of the instruction is not known: use a fault or retry.
 */
SVM_MUST_CHECK int svm_vcpu_complete_skip(struct svm_vcpu *vcpu);
/** @brief Execute the instruction again. A. ::SVM_ERR_STATE if no exit awaits completion. */
SVM_MUST_CHECK int svm_vcpu_complete_retry(struct svm_vcpu *vcpu);
/**
 * @brief Let the library execute the instruction, as if it had not been intercepted.
 *
 * For exits that you asked for with svm_vcpu_set_intercept(), ::SVM_WANT_CR or ::SVM_WANT_UD and
 * have only looked at: INT n, LGDT, PUSHF, MOV CR and their like.  It is executed by the next run,
 * with every check of the processor; if its bytes have changed meanwhile, the guest just runs
 * again.  Of an instruction that the emulator does not know an exit of kind EMULATION follows.
 *
 * @retval 0                  Done by the next run.
 * @retval SVM_ERR_STATE      No exit awaits completion.
 * @retval SVM_ERR_NOSUPPORT  The exit is no instruction's, or one that you have to answer.
 */
SVM_MUST_CHECK int svm_vcpu_complete_emulate(struct svm_vcpu *vcpu);
/**
 * @brief Raise an exception in place of the instruction.
 * @param vcpu    Its last exit awaits completion.
 * @param vector  0 … 31 but not 2.
 * @param error   Pushed if the vector has an error code.
 * @retval 0              Pending; merged with what is pending by the rules of \#DF.
 * @retval SVM_ERR_INVAL  No exception has this vector.
 * @retval SVM_ERR_STATE  No exit awaits completion.
 */
SVM_MUST_CHECK int svm_vcpu_complete_fault(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error);
/** @} */

/** @name Events */
/** @{ */
/**
 * @brief Raise an exception before the next instruction; merged as svm_vcpu_complete_fault().
 * @param vcpu     Not running.
 * @param vector   0 … 31 but not 2; in 64-bit code neither 4 nor 5.
 * @param error    Pushed if the vector has an error code.
 * @param address  \#PF: CR2 to be; otherwise ignored.
 * @retval 0              Pending.
 * @retval SVM_ERR_INVAL  No exception has this vector.
 * @par Context
 * A, by the thread that drives the vCPU.
 */
SVM_MUST_CHECK int svm_vcpu_inject_exception(struct svm_vcpu *vcpu, uint8_t vector,
                                             uint32_t error, uint64_t address);

/** @brief Pend an NMI; at most one waits, as in hardware. Any thread, I. Kicks the vCPU. */
void svm_vcpu_inject_nmi(struct svm_vcpu *vcpu);

/**
 * @brief Pend one external interrupt, for embedders without an interrupt port.
 *
 * @param vcpu    Any, running or not.
 * @param vector  16 … 255.
 * @retval 0              Pending; delivered when IF and shadow allow; kicks the vCPU.
 * @retval SVM_ERR_INVAL  Vector below 16.
 * @retval SVM_ERR_BUSY   One waits already; SVM_WANT_WINDOWS tells when it is gone.
 * @retval SVM_ERR_STATE  An interrupt port is set.
 * @par Context
 * Any thread, I.
 */
SVM_MUST_CHECK int svm_vcpu_inject_interrupt(struct svm_vcpu *vcpu, uint8_t vector);

/**
 * @brief Return INTR_WINDOW when the guest can take an interrupt, once; for a controller that
 *        learns of its interrupts outside of the run.
 *
 * @param vcpu  Not running.
 * @param want  False takes the wish back.
 * @par Context
 * A, by the thread that drives the vCPU.
 */
void svm_vcpu_want_window(struct svm_vcpu *vcpu, bool want);

/**
 * @brief Whether an interrupt that is raised now would be the next thing that happens to the guest:
 *        RFLAGS.IF is set, no shadow, no exception and no other interrupt on its way.
 * @par Context
 * A, by the thread that drives the vCPU, between two runs.
 */
bool svm_vcpu_can_interrupt(const struct svm_vcpu *vcpu);

/** Where interrupts come from; the core knows no controller.  Every entry in context A. */
struct svm_irq_port {
	/** Highest vector that may be taken at task priority @p tpr (CR8), or -1. */
	int (*pending)(void *arg, struct svm_vcpu *vcpu, uint8_t tpr);
	/**
	 * The vCPU takes an interrupt now, @p vector by what @c pending said: move it to
	 * in-service.  Returns the vector to deliver, which may be another: an 8259 names its own
	 * only when it is acknowledged.
	 */
	uint8_t (*accept)(void *arg, struct svm_vcpu *vcpu, uint8_t vector);
	/** The guest changed CR8. */
	void (*tpr_changed)(void *arg, struct svm_vcpu *vcpu, uint8_t tpr);
	/**
	 * When @c pending may answer otherwise because of the time alone: clock_ns() of the HAL,
	 * UINT64_MAX for never.  Before an entry the library arms the HAL's timer with it, and
	 * after each physical interrupt it asks again.  NULL: never.
	 */
	uint64_t (*deadline)(void *arg, struct svm_vcpu *vcpu);
	void *arg;
};

/**
 * @brief Ask this port for interrupts before each entry.
 * @param vcpu  Not running.
 * @param port  Must outlive the vCPU; every function set.  NULL: none.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  A function is NULL.
 * @par Context
 * T, vCPU not running.
 */
SVM_MUST_CHECK int svm_vcpu_set_irq_port(struct svm_vcpu *vcpu, const struct svm_irq_port *port);

/** @brief Make the vCPU ask its interrupt port again; wakes HALTED. Any thread, I. */
void svm_vcpu_notify(struct svm_vcpu *vcpu);

/** @brief Something has arrived for a vCPU that is not in its guest.  Any thread, I. */
typedef void (*svm_wake_fn)(void *arg, struct svm_vcpu *vcpu);

/**
 * @brief Be told of events, interrupts and kicks while the vCPU is not in its guest.
 *
 * For embedders whose thread sleeps while the vCPU is HALTED: whatever svm_vcpu_has_event() would
 * say then is announced by a call.  It may be spurious, and come from the vCPU's own thread.  Who
 * sends something at the moment of HLT may still take the vCPU for one that is inside, and call
 * nobody.  So the thread first writes that it sleeps, with a full fence behind it, and then looks
 * at svm_vcpu_has_event() once more.
 *
 * @param vcpu  Not running.
 * @param fn    The callback; NULL: none.
 * @param arg   Its first argument.
 */
void svm_vcpu_set_wake(struct svm_vcpu *vcpu, svm_wake_fn fn, void *arg);

/**
 * Wait for the next interrupt of this CPU, whosever it is.  Interrupts are off on entry and on
 * return; between they are let in, with no gap before the wait (x86: STI and HLT).  Nothing of the
 * library is called.  Context A, the vCPU's thread.
 *
 * @return False: the host has something better to do, and did not wait.
 */
typedef bool (*svm_idle_fn)(void *arg, struct svm_vcpu *vcpu);

/**
 * @brief Let a run wait at HLT, instead of returning, while the host has nothing else to do.
 *
 * Called once at a HLT for which nothing is pending, with the HAL's timer armed for the interrupt
 * port's deadline; the vCPU stays RUNNING, and whatever is sent to it kicks its CPU.  If there is
 * an event afterwards and should_exit() of the HAL has nothing against it, the guest goes on.  In
 * any other case the run returns with HLT, as it does without this.
 *
 * @param vcpu  Not running.
 * @param fn    The callback; NULL: each HLT without an event returns.
 * @param arg   Its first argument.
 */
void svm_vcpu_set_idle(struct svm_vcpu *vcpu, svm_idle_fn fn, void *arg);

/**
 * Answer an exit with whatever svm_vcpu_complete_*() it wants.  Context A, the vCPU's thread; what
 * holds for a device's callback holds here.  The exit lasts for the call, and
 * ::SVM_EXIT_COMPLETE is among its flags.
 *
 * @return 0, as the completion says it.  Anything else: svm_vcpu_run() is to return with the exit.
 */
typedef int (*svm_exit_fn)(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit);

/**
 * @brief Let a run call the embedder with exits that it has to complete, instead of returning.
 *
 * For embedders that answer such an exit at once: the run goes on as after a device's callback, and
 * saves what coming back and going in again takes.  Exits that want no completion return as ever:
 * HLT, NPT_FAULT, REQUEST and others.  So do one that is still not completed when the callback says
 * 0, and the second access of an instruction that makes several.
 *
 * @param vcpu  Not running.
 * @param fn    The callback; NULL: each exit returns.
 * @param arg   Its first argument.
 */
void svm_vcpu_set_exit_handler(struct svm_vcpu *vcpu, svm_exit_fn fn, void *arg);

/**
 * @brief End the HLT that the vCPU is in, or else its next one, whatever RFLAGS.IF says.
 *
 * What KVM_HC_KICK_CPU asks for.  Any thread, I.
 */
void svm_vcpu_unhalt(struct svm_vcpu *vcpu);

/** What was found when a vCPU came to a CPU. */
enum svm_arrival {
	SVM_ARRIVAL_DONE,
	SVM_ARRIVAL_FLUSH, /**< Done; the guest wants what the vCPU has translated forgotten. */
	SVM_ARRIVAL_AGAIN, /**< Guest memory is not there now: NPT_FAULT, then ask again. */
};

/**
 * Who is told when a vCPU can execute instructions and when it cannot, for guests that want to
 * know it of each other.  Context A, the vCPU's thread.
 */
struct svm_presence {
	/**
	 * Before the first entry after the vCPU has come to a CPU.
	 * @param arg       Below.
	 * @param vcpu      The vCPU.
	 * @param[out] gpa  For ::SVM_ARRIVAL_AGAIN: what is not there, to be written to.
	 */
	enum svm_arrival (*arrive)(void *arg, struct svm_vcpu *vcpu, svm_gpa_t *gpa);
	/**
	 * It leaves its CPU between two instructions; until @c arrive it uses no translation.  Not
	 * called while an exit waits for its completion, nor without an @c arrive before it.
	 * @param arg       Below.
	 * @param vcpu      The vCPU.
	 * @param has_work  It could go on; false: it is halted, or waits for something else.
	 */
	void (*leave)(void *arg, struct svm_vcpu *vcpu, bool has_work);
	void *arg;
};

/**
 * @brief Be told when a vCPU comes and leaves, beginning with the next entry.
 *
 * svm_vcpu_run() comes and leaves each time, unless the vCPU is loaded: see svm_vcpu_load().
 *
 * @param vcpu      Not in its guest; by its own thread.
 * @param presence  Both functions set; copied.  NULL: tell nobody.
 * @par Context
 * A.
 */
void svm_vcpu_set_presence(struct svm_vcpu *vcpu, const struct svm_presence *presence);

/** @brief Make svm_vcpu_run() return REQUEST soon; sticky until it did. Any thread, I. */
void svm_vcpu_kick(struct svm_vcpu *vcpu);

/** @brief INIT as the APIC delivers it: reset, then WAIT_SIPI. Not RUNNING. ::SVM_ERR_STATE. */
SVM_MUST_CHECK int svm_vcpu_init_ipi(struct svm_vcpu *vcpu);
/** @brief Start-up IPI: RUNNABLE at page @p vector. ::SVM_ERR_STATE unless WAIT_SIPI. */
SVM_MUST_CHECK int svm_vcpu_startup_ipi(struct svm_vcpu *vcpu, uint8_t vector);

/**
 * @brief When a HALTED vCPU has to be looked at again, svm_vcpu_has_event(), if nobody notifies it.
 * @return clock_ns() of the HAL; UINT64_MAX: never.
 * @par Context
 * A.
 */
uint64_t svm_vcpu_deadline(struct svm_vcpu *vcpu);

/** @brief Whether an event would wake a HALTED vCPU. A. */
bool svm_vcpu_has_event(struct svm_vcpu *vcpu);
/** @} */

/** @name State by groups
 * The getters are for the thread that drives the vCPU, between runs.  The setters check as the
 * processor would (::SVM_ERR_INVAL) and make the next entry audit the VMCB; ::SVM_ERR_STATE
 * while RUNNING. */
/** @{ */
/** @brief The general registers, RIP and RFLAGS as the guest has them. */
void svm_vcpu_get_regs(const struct svm_vcpu *vcpu, struct svm_regs *regs);
/** @brief Set them; RFLAGS bits that software cannot hold are dropped. ::SVM_ERR_STATE. */
SVM_MUST_CHECK int svm_vcpu_set_regs(struct svm_vcpu *vcpu, const struct svm_regs *regs);
/** @brief Segments, tables, control registers, EFER without SVME, CPL. */
void svm_vcpu_get_system(const struct svm_vcpu *vcpu, struct svm_system_regs *regs);
/**
 * @brief Set them.  EFER.LMA follows from LME and CR0.PG.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  VMRUN would refuse the combination, or a bit is reserved (15.5.1).
 * @retval SVM_ERR_STATE  It is RUNNING.
 */
SVM_MUST_CHECK int svm_vcpu_set_system(struct svm_vcpu *vcpu, const struct svm_system_regs *regs);
/**
 * @brief CR8 alone, for an APIC whose task priority the guest wrote by way of its registers.
 *
 * Unlike the setters of groups it may be called from a device's callback in the middle of a run.
 * The interrupt port is told of it like of a change that the guest made itself.
 *
 * @param vcpu  By the thread that drives it.
 * @param cr8   0 … 15; more is cut off.
 * @par Context
 * A.
 */
void svm_vcpu_set_cr8(struct svm_vcpu *vcpu, uint8_t cr8);
/** @brief CR8 alone, as of svm_vcpu_get_system(). */
uint8_t svm_vcpu_get_cr8(const struct svm_vcpu *vcpu);
/** @brief RFLAGS alone, as of svm_vcpu_get_regs(). */
uint64_t svm_vcpu_get_rflags(const struct svm_vcpu *vcpu);
/** @brief MSR APIC_BASE as the library keeps it: what the guest reads where no callback has it. */
uint64_t svm_vcpu_get_apic_base(const struct svm_vcpu *vcpu);
/** @brief DR0 to DR3, DR6 and DR7 as the guest has them. */
void svm_vcpu_get_debug(const struct svm_vcpu *vcpu, struct svm_debug_regs *regs);
/** @brief Set them. ::SVM_ERR_INVAL: an upper half of DR6 or DR7 is set. ::SVM_ERR_STATE. */
SVM_MUST_CHECK int svm_vcpu_set_debug(struct svm_vcpu *vcpu, const struct svm_debug_regs *regs);
/** @brief Events that wait, or whose delivery an exit has interrupted. */
void svm_vcpu_get_events(const struct svm_vcpu *vcpu, struct svm_events *events);
/** @brief Set them. ::SVM_ERR_INVAL: no processor delivers such an event. ::SVM_ERR_STATE. */
SVM_MUST_CHECK int svm_vcpu_set_events(struct svm_vcpu *vcpu, const struct svm_events *events);
/** @brief Read an MSR as the guest would. ::SVM_ERR_NOENT where the guest would get \#GP. */
SVM_MUST_CHECK int svm_vcpu_get_msr(struct svm_vcpu *vcpu, uint32_t msr, uint64_t *value);
/** @brief Write an MSR as the guest would. ::SVM_ERR_INVAL where the guest would get \#GP. */
SVM_MUST_CHECK int svm_vcpu_set_msr(struct svm_vcpu *vcpu, uint32_t msr, uint64_t value);

/**
 * @brief Copy the FPU, SSE, AVX … state in XSAVE's standard format (CPUID 0Dh).
 * @param vcpu  Not running.
 * @param area  64-byte aligned is not needed.
 * @param size  Bytes of @p area: svm_features.xsave_size (512 + 64 at least; 512 without XSAVE).
 * @retval 0              Done.
 * @retval SVM_ERR_RANGE  @p size is too small.
 * @retval SVM_ERR_STATE  It is loaded on another CPU.
 */
SVM_MUST_CHECK int svm_vcpu_get_xsave(struct svm_vcpu *vcpu, void *area, size_t size);
/** @brief Set it; ::SVM_ERR_INVAL for reserved bits in the header or MXCSR. */
SVM_MUST_CHECK int svm_vcpu_set_xsave(struct svm_vcpu *vcpu, const void *area, size_t size);
/** @brief The guest's XCR0. */
uint64_t svm_vcpu_get_xcr0(const struct svm_vcpu *vcpu);
/** @brief Set XCR0 with XSETBV's own checks. ::SVM_ERR_INVAL. */
SVM_MUST_CHECK int svm_vcpu_set_xcr0(struct svm_vcpu *vcpu, uint64_t xcr0);

/**
 * @brief Show MONITOR in CPUID or not, whatever the table says, from now on.
 *
 * For embedders with a register by which software switches the instructions, such as HWCR's bit 9
 * or Intel's MISC_ENABLE.  What the instructions do is decided at their exits of kind MWAIT.
 */
void svm_vcpu_show_monitor(struct svm_vcpu *vcpu, bool on);

/** @brief Guest TSC = host TSC + offset. Any value. */
void svm_vcpu_set_tsc_offset(struct svm_vcpu *vcpu, uint64_t offset);
/** @brief The present offset. */
uint64_t svm_vcpu_get_tsc_offset(const struct svm_vcpu *vcpu);

/**
 * @brief PAUSE filter: exit after @p count PAUSEs closer together than @p threshold cycles.
 * @retval 0                  Set; takes effect with SVM_WANT_PAUSE.
 * @retval SVM_ERR_NOSUPPORT  The processor lacks the filter, or the threshold if it is not 0.
 */
SVM_MUST_CHECK int svm_vcpu_set_pause_filter(struct svm_vcpu *vcpu, uint16_t count,
                                             uint16_t threshold);

/**
 * @brief Set or clear an intercept above the floor, for debuggers.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Part of the floor, the library's own (VINTR, IRET), or not of this
 *                        processor.
 * @retval SVM_ERR_STATE  It is RUNNING.
 */
SVM_MUST_CHECK int svm_vcpu_set_intercept(struct svm_vcpu *vcpu, unsigned exit_code, bool on);

/** What a debugger outside the guest wants of the processor; all false: there is none. */
struct svm_debugger {
	bool single_step; /**< An exit of kind DEBUG behind each instruction. */
	bool breakpoints; /**< dr and dr7 are in force instead of the guest's. */
	bool hold_events; /**< Interrupts and NMIs wait. */
	uint64_t dr[4], dr7; /**< As the processor's registers; DR7.GD guards the guest's moves. */
};

/**
 * @brief Debug the guest without its registers.
 *
 * While a debugger steps or has breakpoints each \#DB is an exit of kind DEBUG, whose address is
 * what DR6 says of that one.  The guest's debug registers and TF stay what svm_vcpu_get_debug() and
 * svm_vcpu_get_regs() show: the guest reads and writes those, its breakpoints are in force only
 * without the debugger's, and a \#DB leaves its DR6 alone.  A guest that stores RFLAGS while it is
 * stepped stores the TF of the step as well.  For INT3 there is svm_vcpu_set_intercept() with
 * exception 3.  Reset and INIT leave the debugger.
 *
 * @param vcpu      Not running.
 * @param debugger  Copied; NULL: none.
 * @retval 0              In force from the next run on.
 * @retval SVM_ERR_INVAL  Upper half of dr7.
 * @retval SVM_ERR_STATE  It is RUNNING.
 * @par Source
 * APM vol. 2, 13.1.
 */
SVM_MUST_CHECK int svm_vcpu_set_debugger(struct svm_vcpu *vcpu,
                                         const struct svm_debugger *debugger);

/** @brief The VMCB as it stands, for audit and dumps; valid while the vCPU lives. */
const struct svm_vmcb *svm_vcpu_vmcb(const struct svm_vcpu *vcpu);

/**
 * @brief Report LOOP when one exit repeats at one RIP, and none of them moved RIP or delivered an
 *        event: its handler does nothing.  How: see svm_vm_config.on_stuck.
 * @param vcpu   Not running.
 * @param count  Repetitions; 0 switches the detector off (default).
 */
void svm_vcpu_set_loop_limit(struct svm_vcpu *vcpu, uint64_t count);

/** What other CPUs can tell of a vCPU that does not come back. */
struct svm_silence {
	uint64_t ms;        /**< Since the last exit, the host's interrupts included. */
	uint64_t exits;     /**< Exits ever; 0: the other members mean nothing. */
	uint64_t rip;       /**< Of the last exit. */
	uint32_t exit_code; /**< The same. */
	bool in_guest;      /**< It is in its guest, or about to be. */
};

/**
 * @brief When a vCPU left its guest last; for a watchdog on another CPU.
 *
 * A guest that is in for longer than the host's timer ticks is one that interrupts do not end.
 * svm_explain_silence() has the causes.  Any thread, I.
 */
void svm_vcpu_get_silence(const struct svm_vcpu *vcpu, struct svm_silence *silence);
/** @} */

/**
 * @brief Give this vCPU a range of device memory of its own, such as its local APIC's registers.
 *
 * It answers before the VM's ranges, svm_vm_mmio_handler(), and like them only where no slot is:
 * memory is the same for all vCPUs.  There is one such range; a call replaces it.
 *
 * @param vcpu  By the thread that drives it, also from a device's callback.
 * @param gpa   First byte.
 * @param size  Bytes, not 0; gpa + size does not wrap.
 * @param fn    The callback; NULL: no range, and the numbers do not matter.
 * @param arg   Its first argument.
 * @par Context
 * A.
 */
void svm_vcpu_mmio_handler(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint64_t size, svm_mmio_fn fn,
                           void *arg);

/** @name Guest-virtual memory */
/** @{ */
/** Result of a guest page walk. */
struct svm_translation {
	svm_gpa_t gpa;       /**< Valid on success. */
	uint64_t page_size;  /**< Bytes of the guest's page: 4096, 2 MiB, 4 MiB, 1 GiB. */
	uint32_t error_code; /**< On ::SVM_ERR_FAULT: \#PF error code. */
	/** On ::SVM_ERR_FAULT: 14; 13 for a non-canonical address (12 by way of the stack segment,
	 * which only the instruction knows); 0 if a table lies outside the guest's memory. */
	uint8_t vector;
	uint8_t level;       /**< On ::SVM_ERR_FAULT: table level that failed; 1 is the last. */
	svm_gpa_t entry_gpa; /**< Where that entry lies, or the leaf's on success. */
	uint64_t entry;      /**< Its value. */
};

/* Access of svm_vcpu_translate(), beside SVM_PROT_*. */
#define SVM_ACCESS_USER  16u /**< With CPL 3 rights; otherwise the vCPU's own CPL counts. */
#define SVM_ACCESS_SYSTEM 32u /**< With supervisor rights whatever the CPL. */

/**
 * @brief Translate a linear address with the guest's own page tables; sets no A or D bit.
 * @param vcpu    Not running.
 * @param gva     Linear address.
 * @param access  OR of SVM_PROT_* and SVM_ACCESS_*.
 * @param result  Written on success and on ::SVM_ERR_FAULT.
 * @retval 0              @p result is filled.
 * @retval SVM_ERR_FAULT  The guest would fault; @p result says where and why.
 * @retval SVM_ERR_AGAIN  A page-table page is not there now.
 * @retval SVM_ERR_INVAL  An unknown bit of @p access, or USER with SYSTEM.
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_vcpu_translate(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access,
                                      struct svm_translation *result);
/** @brief Read by linear address, as the guest's supervisor. As svm_vm_read(). */
SVM_MUST_CHECK int svm_vcpu_read(struct svm_vcpu *vcpu, svm_gva_t gva, void *data, size_t size,
                                 size_t *done);
/** @brief Write by linear address, as the guest's supervisor; sets A and D bits of the guest's
 *         tables like a processor. As svm_vm_write(). */
SVM_MUST_CHECK int svm_vcpu_write(struct svm_vcpu *vcpu, svm_gva_t gva, const void *data,
                                  size_t size, size_t *done);
/** @} */

/** Counters of a vCPU: X(name, text).  A name stays what it is. */
#define SVM_VCPU_STATS(X)                                                                          \
	X(entries, "VMRUNs")                                                                       \
	X(host_exits, "returns of svm_vcpu_run()")                                                 \
	X(interrupts, "exits for host interrupts and NMIs")                                        \
	X(npt_fills, "nested faults filled from a slot")                                           \
	X(injected, "events injected")                                                             \
	X(reinjected, "deliveries that were interrupted and done again")                           \
	X(asid_changes, "times a new ASID was taken")                                              \
	X(flushes, "entries with a TLB flush")                                                     \
	X(loads, "times it was loaded on a CPU")

/** The counters since creation; ::SVM_VCPU_STATS says what each is. */
struct svm_vcpu_stats {
#define SVM_VCPU_STATS_MEMBER(name, text) uint64_t name;
	SVM_VCPU_STATS(SVM_VCPU_STATS_MEMBER)
#undef SVM_VCPU_STATS_MEMBER
};

/** @brief Counters; any thread, a snapshot. */
void svm_vcpu_get_stats(const struct svm_vcpu *vcpu, struct svm_vcpu_stats *stats);

/** What exits of one code have come to. */
struct svm_exit_count {
	uint64_t code;   /**< SVM_EXIT_*; UINT64_MAX: all that have no row of their own. */
	uint64_t count;  /**< Since creation. */
	uint64_t timed;  /**< Of them, while svm_vcpu_time_exits() was on. */
	uint64_t cycles; /**< Of the TSC, that the timed ones took. */
};

/** Most rows of svm_vcpu_get_exit_counts(). */
#define SVM_EXIT_COUNT_MAX 185u

/**
 * @brief Exits by code, those that the library finishes included; any thread, a snapshot.
 * @param vcpu       Any.
 * @param[out] rows  Room for @p room rows; those that came, in the order of their codes.
 * @param room       Rows; ::SVM_EXIT_COUNT_MAX are always enough.
 * @return Rows that there are, also if @p room is less.
 */
size_t svm_vcpu_get_exit_counts(const struct svm_vcpu *vcpu, struct svm_exit_count *rows,
                                size_t room);

/**
 * @brief Take the time of each exit, from the exit until the next entry or the end of the run.
 *
 * Off after creation.  It begins and ends before the next entry; what was taken stays.
 *
 * @param vcpu  Any, running or not.
 * @param on    Whether to.
 * @retval 0              Done.
 * @retval SVM_ERR_NOMEM  The HAL had no frames for the table, which is made with the first call.
 * @par Context
 * T, any thread.
 */
SVM_MUST_CHECK int svm_vcpu_time_exits(struct svm_vcpu *vcpu, bool on);

/** Buckets of a histogram: n counts exits of 2^n to 2^(n+1)-1 cycles, the last all that are longer;
 * the first those of 0 cycles too. */
#define SVM_EXIT_BUCKETS 32u

/**
 * @brief How long the timed exits of one code took; any thread, a snapshot.
 * @param vcpu          Any.
 * @param code          svm_exit_count.code.
 * @param[out] buckets  Exits by the logarithm of their cycles; all 0 if none was timed.
 */
void svm_vcpu_get_exit_histogram(const struct svm_vcpu *vcpu, uint64_t code,
                                 uint32_t buckets[SVM_EXIT_BUCKETS]);

/** @} */

#endif
