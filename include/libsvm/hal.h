/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_HAL_H
#define LIBSVM_HAL_H
/**
 * @file
 * @brief What a host must provide: five functions, and some that it may.
 *
 * A port is one `static const struct svm_hal` whose functions translate and do not decide.  Each
 * entry says from which context the library calls it:
 *
 * - **T**, thread: create, destroy, map, unmap.  Interrupts on; the entry may sleep.
 * - **A**, atomic: inside svm_vcpu_run() and whatever must not sleep.  The caller is pinned to
 *   its CPU; the entry returns promptly.  Interrupts may be on or off.
 * - **I**, interrupt: as A, and also from an interrupt handler of the host.
 *
 * No entry is ever called with GIF = 0, nor while the library holds a lock of its own except
 * `mutex_lock`'s.  The table is read once, in svm_host_create(): a missing mandatory entry is
 * ::SVM_ERR_HAL_MISSING and is named; a missing optional one is replaced by a default.
 */
#include <libsvm/error.h>
#include <libsvm/types.h>

/** @addtogroup svm_port
 *  @{ */

/** Number of this layout; a table built against another one is refused (::SVM_ERR_ABI). */
#define SVM_HAL_ABI 1u

/** Severity of a log line. */
enum svm_log_level {
	SVM_LOG_ERROR, /**< A call failed or a VM died. */
	SVM_LOG_WARN,  /**< Legal but probably not what was meant. */
	SVM_LOG_INFO,  /**< Once per CPU or VM. */
	SVM_LOG_DEBUG, /**< For whoever debugs the port. */
};

/** Which features svm_features may show although the processor lacks none of them. */
struct svm_feature_mask {
	uint32_t svm_edx; /**< ANDed with CPUID Fn8000_000A EDX; all ones hides nothing. */
	uint32_t svm_ecx; /**< ANDed with CPUID Fn8000_000A ECX. */
	bool no_huge_1g;  /**< Act as if CPUID Fn8000_0001 EDX bit 26 were 0. */
};

struct svm_vm;

/** The host, as the library sees it. */
struct svm_hal {
	uint32_t size; /**< sizeof(struct svm_hal). */
	uint32_t abi;  /**< ::SVM_HAL_ABI. */
	void *ctx;     /**< First argument of every entry; the library does not look inside. */

	uint32_t cpu_max; /**< cpu_id() is below this; at most ::SVM_CPU_MAX. */
	uint64_t tsc_hz;  /**< Ticks of the TSC in a second; not 0. */

	/* --- mandatory ---------------------------------------------------------------- */

	/**
	 * @brief Allocate zeroed, physically contiguous, 4 KiB aligned frames, write-back cached.
	 *
	 * Called from: host, VM and vCPU creation, table growth.  Context: T.  Sleeps: may.
	 * Fails: returns NULL and leaves *hpa alone.  The library owns the frames until
	 * frames_free() with the same three values.
	 */
	void *(*frames_alloc)(void *ctx, size_t count, svm_hpa_t *hpa);

	/** @brief Undo frames_alloc(). T; may sleep; cannot fail; hva is never NULL. */
	void (*frames_free)(void *ctx, void *hva, svm_hpa_t hpa, size_t count);

	/**
	 * @brief Where the host sees a physical byte.
	 *
	 * A.  @p hpa lies in a frame of frames_alloc() or in guest memory that the embedder gave
	 * to a slot.  The pointer is good for the rest of its 4 KiB frame.  Cannot fail for
	 * these; for an address the host does not map it returns NULL.
	 */
	void *(*phys_to_virt)(void *ctx, svm_hpa_t hpa);

	/** @brief Number of the CPU that executes the call: 0 … cpu_max-1. A; cannot fail. */
	uint32_t (*cpu_id)(void *ctx);

	/**
	 * @brief Make a CPU take an interrupt soon, so that it leaves its guest.
	 *
	 * I.  May be spurious, may be this CPU, must not be lost.  Cannot fail.
	 */
	void (*cpu_kick)(void *ctx, uint32_t cpu);

	/* --- optional; the comment ends with the meaning of NULL ----------------------- */

	/** @brief Forbid migration to another CPU. A. NULL: the caller is pinned. */
	void (*preempt_off)(void *ctx);
	/** @brief Undo preempt_off(). A. NULL: nothing. */
	void (*preempt_on)(void *ctx);

	/** @brief Disable interrupts, return what irq_restore() needs. A. NULL: PUSHF, CLI. */
	uint64_t (*irq_save)(void *ctx);
	/** @brief Undo irq_save(). A. NULL: POPF. */
	void (*irq_restore)(void *ctx, uint64_t flags);

	/**
	 * @brief Make the FPU the library's: save what the host has in it.
	 *
	 * A, once per svm_vcpu_run().  Until fpu_end() the host neither uses the FPU on
	 * this CPU nor switches it away.  NULL for both: the library saves and restores the
	 * host's state by XSAVE in a frame of its own.
	 */
	void (*fpu_begin)(void *ctx);
	/** @brief Undo fpu_begin(). A. */
	void (*fpu_end)(void *ctx);

	/** @brief Take the lock whose word is given; zero means free. T. NULL: a spin lock. */
	void (*mutex_lock)(void *ctx, uintptr_t *lock);
	/** @brief Release it. T. NULL: the spin lock's. */
	void (*mutex_unlock)(void *ctx, uintptr_t *lock);

	/**
	 * @brief Should svm_vcpu_run() give the CPU back (signal, reschedule, shutdown)?
	 *
	 * A, after each host interrupt that ended a run, and from time to time in a run whose exits
	 * the library all finishes.  NULL: yes, always.
	 */
	bool (*should_exit)(void *ctx);

	/** @brief One line of text without newline. I; must not sleep. NULL: silent. */
	void (*log)(void *ctx, enum svm_log_level level, const char *line);

	/**
	 * @brief The library found itself inconsistent; the VM involved is DEAD already.
	 *
	 * A.  @p what is a sentence with file and line.  Returns.  NULL: log() at
	 * ::SVM_LOG_ERROR.
	 */
	void (*bug)(void *ctx, const char *what);

	/**
	 * @brief A physical machine check ended a guest's run; the banks hold it still.
	 *
	 * A.  Does what the host does in its own \#MC handler.  Returns true if the guest may go
	 * on.  NULL: bug(), and the VM is DEAD.
	 */
	bool (*machine_check)(void *ctx);

	/** @brief Nanoseconds, never backwards. A. NULL: TSC divided by tsc_hz. */
	uint64_t (*clock_ns)(void *ctx);

	/**
	 * @brief Interrupt this CPU at @p deadline_ns of clock_ns(), or never for UINT64_MAX.
	 *
	 * A.  The newest call counts.  It may come while no guest runs: a host whose handler
	 * then calls svm_vcpu_notify() for the vCPU that armed it keeps it exact, otherwise it is
	 * seen after at most 128 exits.  NULL: no timer wakes a vCPU; the embedder must poll.
	 */
	void (*timer_arm)(void *ctx, uint64_t deadline_ns);

	/**
	 * @brief Read a model-specific register that may not exist.
	 *
	 * A.  Returns false instead of faulting.  NULL: only architectural MSRs are touched.
	 */
	bool (*rdmsr_safe)(void *ctx, uint32_t msr, uint64_t *value);
	/** @brief Write a model-specific register that may not exist. A; as rdmsr_safe(). */
	bool (*wrmsr_safe)(void *ctx, uint32_t msr, uint64_t value);

	/**
	 * @brief May the guests of a VM reach these frames?
	 *
	 * A.  Asked before a slot or a resolve callback can make them guest memory: the host's own
	 * frames, those of frames_alloc() and those of another guest must never be.  NULL: yes, the
	 * embedder makes no mistakes.
	 */
	bool (*may_map)(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count);

	/** @brief Optional features to act upon. NULL: all that CPUID offers. */
	const struct svm_feature_mask *features;
};

/** Most CPUs that a host may have. */
#define SVM_CPU_MAX 1024u

/** Verdict of one clause of the conformance kit. */
struct svm_hal_check_result {
	const char *clause; /**< Short stable name, such as "frames_alloc.aligned". */
	const char *text;   /**< What the clause demands, a sentence. */
	bool passed;        /**< It held. */
	bool skipped;       /**< It could not be tried, e.g. the optional entry is absent. */
	uint64_t observed;  /**< The value that decided: an address, a count, a CPU. */
};

/**
 * @brief Conformance kit: prove each clause of this header on the running host.
 *
 * Run it before the first VM of a new port.  It allocates and frees some frames, kicks the CPU
 * it runs on, and reads the clock; it needs no SVM.
 *
 * @param hal     The port's table, complete or not.
 * @param report  Called for each clause in order; may be NULL.
 * @param arg     Passed to @p report.
 * @return Number of clauses that failed; 0 means that the port conforms.
 * @par Context
 * T, pinned to one CPU, interrupts on.
 */
unsigned svm_hal_check(const struct svm_hal *hal,
                       void (*report)(void *arg, const struct svm_hal_check_result *result),
                       void *arg);

/** Bytes of state that the checking wrapper needs. */
#define SVM_HAL_CHECKED_SIZE (16u * 1024u)

/**
 * @brief Wrap a table so that each later call is checked against its contract.
 *
 * For debug builds of a port: the wrapper catches double and unknown frees, frames that overlap
 * or are not zeroed, unbalanced preempt, irq, fpu and mutex calls, T entries called in A context,
 * and, in svm_hal_checked_leaks(), what was never freed.  A breach calls @p hal's bug().
 *
 * @param[out] checked  The wrapped table; give this one to svm_host_create().
 * @param hal           The port's own table; must outlive the wrapper.
 * @param state         ::SVM_HAL_CHECKED_SIZE bytes, 8-byte aligned, zeroed.
 * @retval 0                      @p checked is ready.
 * @retval SVM_ERR_HAL_MISSING    @p hal lacks a mandatory entry.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_hal_checked_init(struct svm_hal *checked, const struct svm_hal *hal,
                                        void *state);

/**
 * @brief Frames that were allocated through a checking wrapper and not freed yet.
 *
 * @param checked  A table from svm_hal_checked_init().
 * @return Frames, in 4 KiB units.
 * @par Context
 * T.
 */
uint64_t svm_hal_checked_leaks(const struct svm_hal *checked);

/**
 * @brief Breaches of the contract that a checking wrapper has seen so far.
 *
 * @param checked  A table from svm_hal_checked_init().
 * @return Count.
 * @par Context
 * Any.
 */
uint64_t svm_hal_checked_breaches(const struct svm_hal *checked);

/** @} */

#endif
