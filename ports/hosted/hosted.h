/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HOSTED_H
#define HOSTED_H
/**
 * @file
 * @brief A machine in a process: threads are CPUs, and the processor is strict.
 *
 * The model keeps what a processor may keep: translations by ASID until the manual says that they
 * go, and VMCB fields until their clean bit is 0.  It reports each use of a stale one by name.
 * It gives nothing that the manual does not promise: undefined fields are scribbled on.
 *
 *     struct hosted_machine *m = hosted_create(NULL);
 *     hosted_become(m, 0);                       // this thread is CPU 0 now
 *     svm_host_create(hosted_hal(m), &host);     // ... the whole library ...
 *     hosted_leave();
 *     hosted_destroy(m);                         // reports frames that were never freed
 *
 * What a host must not do is a *breach*: it is printed and the process aborts, unless the test
 * said hosted_tolerate().  Memory of guests comes from hosted_guest_alloc(): a guest that reaches
 * a frame of the library is a breach.
 */
#include <libsvm/hal.h>
#include <libsvm/vm.h>
#include <libsvm/vmcb.h>

#include "script.h"

/** A machine; opaque. */
struct hosted_machine;

/** First host-physical byte of the machine's memory; nothing lies below. 1 GiB aligned. */
#define HOSTED_MEMORY_BASE UINT64_C(0x100000000)

/** All optional features that the model has, as bits of CPUID Fn8000_000A EDX. */
#define HOSTED_SVM_EDX                                                                             \
	((uint32_t)(SVM_FEATURE_NPT | SVM_FEATURE_LOCK | SVM_FEATURE_NRIPS |                       \
	            SVM_FEATURE_TSC_RATE | SVM_FEATURE_CLEAN | SVM_FEATURE_FLUSH_BY_ASID |         \
	            SVM_FEATURE_DECODE_ASSISTS | SVM_FEATURE_PAUSE_FILTER |                        \
	            SVM_FEATURE_PAUSE_THRESHOLD | SVM_FEATURE_V_NMI))

/** What one CPU offers.  Change a CPU's copy before the library sees the CPU. */
struct hosted_features {
	bool svm;               /**< CPUID Fn8000_0001 ECX bit 2. */
	uint32_t svm_edx;       /**< CPUID Fn8000_000A EDX. */
	uint32_t asid_count;    /**< CPUID Fn8000_000A EBX; 3 forces a wrap at every third vCPU. */
	uint8_t physical_bits;  /**< MAXPHYADDR: 36 … 52. */
	bool page_1g, nx;       /**< 1 GiB leaves, no-execute. */
	bool la57;              /**< Host with CR4.LA57: nested walks have 5 levels. */
	bool xsave, xsaves;     /**< XSAVE with AVX; XSAVES and IA32_XSS. */
	bool rdtscp, spec_ctrl; /**< TSC_AUX; SPEC_CTRL and IBPB. */
	bool tcg;               /**< Says that it is QEMU's TCG; behaves no differently. */
	uint32_t family;        /**< Display family, 0Fh … ; model and stepping are 1. */
	uint64_t vm_cr;         /**< VM_CR at reset: bit 3 LOCK, bit 4 SVMDIS. */
	uint64_t efer;          /**< EFER at start; bit 12 says that someone uses SVM already. */
};

/** What VMEXIT_INVALID leaves behind.  The manual is silent, processors differ. */
enum hosted_invalid_mode {
	HOSTED_INVALID_UNTOUCHED,   /**< The save area is what it was; EXITCODE is all ones. */
	HOSTED_INVALID_OVERWRITTEN, /**< Host state in the save area; EXITCODE has 32 ones. */
};

/** When a stale translation counts as a breach. */
enum hosted_stale_mode {
	/** At its first use.  For tests with one thread. */
	HOSTED_STALE_AT_ONCE,
	/**
	 * When it is used after hosted_revoke() of its address, or after its frame was freed:
	 * until the call that revokes it has returned, a running CPU may use it.
	 */
	HOSTED_STALE_REVOKED,
};

/** How to make a machine. */
struct hosted_config {
	uint32_t cpus;                   /**< Number of CPUs; default 1. */
	uint64_t memory;                 /**< Bytes, reserved and not touched; default 64 MiB. */
	struct hosted_features features; /**< Of every CPU. */
	enum hosted_invalid_mode invalid_mode;
	enum hosted_stale_mode stale_mode;
	/** After so many guest instructions in one run an INTR arrives; default 10000. */
	uint64_t run_limit;
};

/** @brief The defaults: one CPU that offers everything the model has. */
void hosted_config_init(struct hosted_config *config);

/**
 * @brief Build a machine.
 * @param config  How; NULL means all defaults.  Copied.
 * @return The machine; a process without memory aborts.
 */
struct hosted_machine *hosted_create(const struct hosted_config *config);

/** @brief End a machine.  Frames of the library that are still allocated are a breach. */
void hosted_destroy(struct hosted_machine *m);

/** @brief The HAL of a machine.  Copy it to change an entry. */
const struct svm_hal *hosted_hal(struct hosted_machine *m);

/** @brief One CPU's features, to be changed before it goes online. */
struct hosted_features *hosted_cpu_features(struct hosted_machine *m, uint32_t cpu);

/** @brief The calling thread executes on CPU @p cpu from now on; no other thread may. */
void hosted_become(struct hosted_machine *m, uint32_t cpu);

/** @brief The calling thread leaves its CPU. */
void hosted_leave(void);

/** @name Memory */
/** @{ */
/**
 * @brief Frames for a guest's memory: zeroed, contiguous.
 * @param align     Bytes; power of two, at least 4096.
 * @param[out] hpa  Where.
 * @return Where the process sees them; aborts if there are none.
 */
void *hosted_guest_alloc(struct hosted_machine *m, size_t count, uint64_t align, svm_hpa_t *hpa);
/** @brief Undo hosted_guest_alloc(); a translation to them is stale from now on. */
void hosted_guest_free(struct hosted_machine *m, svm_hpa_t hpa, size_t count);
/** @brief Where the process sees a host-physical byte; NULL: no memory there. */
void *hosted_memory(struct hosted_machine *m, svm_hpa_t hpa);
/** @brief Frames that the library holds now. */
size_t hosted_frames_used(struct hosted_machine *m);
/** @brief Let the @p k th allocation of the library from now fail, 1 the next; 0 none. */
void hosted_fail_allocation(struct hosted_machine *m, uint64_t k);
/** @brief Let every allocation from the @p k th on fail; 0 none. */
void hosted_fail_allocations_from(struct hosted_machine *m, uint64_t k);
/** @brief Allocations of the library since the machine was made, failed ones too. */
uint64_t hosted_allocations(struct hosted_machine *m);
/** @} */

/** @name Translations, without a guest */
/** @{ */
/** What a touch found. */
struct hosted_touch {
	bool mapped;    /**< Translated with the rights asked for. */
	bool hit;       /**< By a kept translation. */
	svm_hpa_t hpa;  /**< mapped: of exactly the byte. */
	uint64_t fault; /**< Not mapped: EXITINFO1 of the nested page fault (SVM_NPF_*). */
};

/**
 * @brief Access one guest-physical byte as a guest would, with the CPU's kept translations.
 *
 * Walks the nested tables on a miss, sets A and D by compare-exchange, keeps the translation
 * under @p asid.  A hit is compared with a fresh walk as the machine's stale mode says; a breach
 * is STALE_TRANSLATION, STALE_DIRTY, STALE_TABLE or ASID_REUSED.  The CPU need not be the
 * thread's; one thread at a time per CPU.  Host paging (NXE, levels) is the CPU's own.
 *
 * @param asid    1 … asid_count-1.
 * @param root    nCR3.
 * @param access  One of SVM_PROT_READ, SVM_PROT_WRITE, SVM_PROT_EXECUTE.
 */
struct hosted_touch hosted_cpu_touch(struct hosted_machine *m, uint32_t cpu, uint32_t asid,
                                     svm_hpa_t root, svm_gpa_t gpa, uint32_t access);

/** @brief TLB_CONTROL = 3 for @p asid. */
void hosted_cpu_flush(struct hosted_machine *m, uint32_t cpu, uint32_t asid);
/** @brief TLB_CONTROL = 1. */
void hosted_cpu_flush_all(struct hosted_machine *m, uint32_t cpu);

/**
 * @brief Nobody may use a translation of this range any more that was made before now.
 * @param root  nCR3; 0 means any.
 */
void hosted_revoke(struct hosted_machine *m, svm_hpa_t root, svm_gpa_t gpa, uint64_t size);
/** @} */

/** @name Physical events */
/** @{ */
#define HOSTED_INTR 1u
#define HOSTED_NMI  2u
#define HOSTED_INIT 4u
#define HOSTED_SMI  8u

/** @brief Pend events (OR of HOSTED_*) on a CPU.  Any thread. */
void hosted_pend(struct hosted_machine *m, uint32_t cpu, uint32_t events);
/** @brief Events still pending. */
uint32_t hosted_pending(struct hosted_machine *m, uint32_t cpu);

/** @brief How often the host itself took @p event, one of HOSTED_*. */
uint64_t hosted_taken(struct hosted_machine *m, uint32_t cpu, uint32_t event);

/** @brief The host's handlers: called on the CPU, with GIF = 1. NULL: only counted. */
void hosted_set_handler(struct hosted_machine *m,
                        void (*fn)(void *arg, uint32_t cpu, uint32_t event), void *arg);
/** @} */

/** @name Ports of the machine, for guests that may touch them */
/** @{ */
/** @brief Last value that a guest or nobody wrote to a physical port. */
uint32_t hosted_port(struct hosted_machine *m, uint16_t port);
/** @} */

/** @name A look into a CPU */
/** @{ */
/** Counters of one CPU. */
struct hosted_counts {
	uint64_t vmruns, invalid, instructions;
	uint64_t hits, walks, flushes;
	uint64_t clean_used; /**< Groups taken from what the CPU had kept. */
};
/** @brief Counters since the machine was made. */
struct hosted_counts hosted_cpu_counts(struct hosted_machine *m, uint32_t cpu);

/** @brief Rule that the last VMEXIT_INVALID of a CPU named, such as "C02"; NULL: none yet. */
const char *hosted_invalid_rule(struct hosted_machine *m, uint32_t cpu);
/** @brief Registers of a CPU that tests look at. */
bool hosted_cpu_gif(struct hosted_machine *m, uint32_t cpu);
bool hosted_cpu_if(struct hosted_machine *m, uint32_t cpu);
uint64_t *hosted_cpu_dr(struct hosted_machine *m, uint32_t cpu, unsigned n);
/** @brief The vector and x87 register file in XSAVE's standard format, legacy part first. */
uint8_t *hosted_cpu_fpu(struct hosted_machine *m, uint32_t cpu);
/** @} */

/** @name Breaches */
/** @{ */
/** Kinds of breaches: X(name, sentence). */
#define HOSTED_BREACHES(X)                                                                         \
	X(HOST_FAULT, "a privileged instruction of the host raised an exception")                  \
	X(SWITCH_CONTEXT, "the world switch was called in a context that it forbids")              \
	X(FRAME, "a host-physical address does not lie in a frame of the library")                 \
	X(HVA_AS_HPA, "a virtual address was used as a physical one")                              \
	X(HAL, "an entry of the HAL was called against its contract")                              \
	X(LEAK, "frames of the library were never freed")                                          \
	X(UNDEFINED, "the manual does not define what a processor does with this VMCB")            \
	X(CLEAN_RESERVED, "a clean bit is set that this processor does not define")                \
	X(CLEAN_FOREIGN, "clean bits are set for a VMCB that this CPU does not know")              \
	X(STALE_CLEAN, "a field was changed and its clean bit was not cleared")                    \
	X(STALE_TRANSLATION, "a translation was used that the nested tables revoked")              \
	X(STALE_TABLE, "a table pointer was kept that the nested tables revoked")                  \
	X(STALE_DIRTY, "a write went through a translation whose D bit was cleared")               \
	X(STALE_GUEST, "the guest's paging was changed and its translations were not flushed")     \
	X(ASID_REUSED, "an ASID has a new owner and was not flushed")                              \
	X(ESCAPE, "a guest reached what is not its own")                                           \
	X(HOST_STATE, "host state did not survive a guest's run")                                  \
	X(MACHINE_LOST, "a guest did what ends the machine")                                       \
	X(MODEL, "the guest did what the model does not know")

/** Kinds of breaches. */
enum hosted_breach {
#define HOSTED_BREACH_ENUM(name, text) HOSTED_BREACH_##name,
	HOSTED_BREACHES(HOSTED_BREACH_ENUM)
#undef HOSTED_BREACH_ENUM
		HOSTED_BREACH_COUNT,
};

/** @brief Name of a kind, such as "STALE_CLEAN". */
const char *hosted_breach_name(enum hosted_breach kind);
/** @brief Count this kind from now on and go on, instead of aborting. */
void hosted_tolerate(struct hosted_machine *m, enum hosted_breach kind);
/** @brief Breaches of a kind so far. */
uint64_t hosted_breaches(struct hosted_machine *m, enum hosted_breach kind);
/** @brief Breaches of every kind so far. */
uint64_t hosted_breaches_all(struct hosted_machine *m);
/** @brief The newest breach in words; "" if there was none. Not while other threads run. */
const char *hosted_breach_text(struct hosted_machine *m);
/** @} */

#endif
