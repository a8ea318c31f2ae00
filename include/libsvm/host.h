/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_HOST_H
#define LIBSVM_HOST_H
/**
 * @file
 * @brief The host and its processors: where every program starts.
 *
 * svm_host_create() once, then svm_cpu_online() *on* each CPU that shall run guests.  The
 * library never runs a function on another CPU by itself, so the same two calls serve boot,
 * hot-plug, suspend and kexec.
 */
#include <libsvm/error.h>
#include <libsvm/hal.h>
#include <libsvm/types.h>

/** @addtogroup svm_port
 *  @{ */

/** The host; opaque. */
struct svm_host;

/* Feature bits of CPUID Fn8000_000A EDX.  APM vol. 3, appendix E. */
#define SVM_FEATURE_NPT             SVM_BIT(0)
#define SVM_FEATURE_LBRV            SVM_BIT(1)
#define SVM_FEATURE_LOCK            SVM_BIT(2)
#define SVM_FEATURE_NRIPS           SVM_BIT(3)
#define SVM_FEATURE_TSC_RATE        SVM_BIT(4)
#define SVM_FEATURE_CLEAN           SVM_BIT(5)
#define SVM_FEATURE_FLUSH_BY_ASID   SVM_BIT(6)
#define SVM_FEATURE_DECODE_ASSISTS  SVM_BIT(7)
#define SVM_FEATURE_PAUSE_FILTER    SVM_BIT(10)
#define SVM_FEATURE_PAUSE_THRESHOLD SVM_BIT(12)
#define SVM_FEATURE_AVIC            SVM_BIT(13)
#define SVM_FEATURE_V_VMLOAD        SVM_BIT(15)
#define SVM_FEATURE_V_GIF           SVM_BIT(16)
#define SVM_FEATURE_GMET            SVM_BIT(17)
#define SVM_FEATURE_X2AVIC          SVM_BIT(18)
#define SVM_FEATURE_SSS             SVM_BIT(19)
#define SVM_FEATURE_V_SPEC_CTRL     SVM_BIT(20)
#define SVM_FEATURE_V_NMI           SVM_BIT(25)
#define SVM_FEATURE_ADDR_CHECK      SVM_BIT(28)
#define SVM_FEATURE_BUS_LOCK        SVM_BIT(29)
#define SVM_FEATURE_IDLE_HLT        SVM_BIT(30)

/** What a processor offers, read once; what svm_hal.features hides is not in it. */
struct svm_features {
	bool has_svm;             /**< CPUID Fn8000_0001 ECX bit 2. */
	uint8_t svm_revision;     /**< CPUID Fn8000_000A EAX 7:0. */
	uint32_t asid_count;      /**< CPUID Fn8000_000A EBX; usable are 1 … count-1. */
	uint64_t svm;             /**< SVM_FEATURE_*. */
	uint32_t svm_ecx;         /**< CPUID Fn8000_000A ECX. */
	uint8_t physical_bits;    /**< MAXPHYADDR. */
	uint8_t linear_bits;      /**< 48 or 57. */
	bool page_1g;             /**< 1 GiB leaves. */
	bool nx;                  /**< No-execute pages: what a guest may switch on. */
	bool long_mode;           /**< Long mode. */
	bool la57;                /**< 5-level paging: what a guest may switch on. */
	bool host_nx;             /**< The host runs with EFER.NXE: nested entries may have NX. */
	bool host_la57;           /**< The host runs with CR4.LA57: nested tables have 5 levels. */
	bool xsave;               /**< XSAVE and OSXSAVE. */
	bool xsaves;              /**< XSAVES and IA32_XSS. */
	bool xsaveopt;            /**< XSAVEOPT. */
	bool rdtscp;              /**< RDTSCP and TSC_AUX. */
	bool pku;                 /**< Protection keys. */
	bool smep, smap, umip;    /**< Supervisor-mode protections. */
	bool spec_ctrl, ibpb;     /**< Speculation MSRs. */
	bool is_tcg;              /**< QEMU's TCG, whose VMRUN differs: docs/differences.md. */
	bool invlpgb, mcommit;    /**< Instructions that need an intercept of their own. */
	uint64_t spec_ctrl_bits;  /**< Bits of SPEC_CTRL that exist; others fault. */
	uint64_t xcr0;            /**< States that XCR0 may hold. */
	uint32_t xsave_size;      /**< Bytes of an XSAVE area for all of xcr0. */
	uint32_t family, model, stepping; /**< Display family and model. */
	char vendor[13];          /**< CPUID Fn0000_0000, NUL-terminated. */
	uint64_t cr0_reserved;    /**< Bits of CR0 that must be 0. */
	uint64_t cr4_reserved;    /**< Bits of CR4 that must be 0 on this processor. */
	uint64_t efer_reserved;   /**< Bits of EFER that must be 0 on this processor. */
};

/**
 * @brief Name of a feature bit of svm_features.svm, such as "NRIPS".
 * @param bit  0 … 31.
 * @return A constant string, or NULL for a bit that the library does not know.
 * @par Context
 * Any.
 */
const char *svm_feature_name(unsigned bit);

/**
 * @brief Check a HAL and build the host object from its frames.
 *
 * @param hal        The port's table; copied, and completed with defaults in the copy.
 * @param[out] host  The host, on success.
 * @retval 0                     Ready for svm_cpu_online().
 * @retval SVM_ERR_INVAL         @p hal or @p host is NULL, cpu_max is 0 or beyond SVM_CPU_MAX,
 *                               tsc_hz is 0.
 * @retval SVM_ERR_ABI           size or abi is not this header's.
 * @retval SVM_ERR_HAL_MISSING   A mandatory entry is NULL; svm_hal.log is told which.
 * @retval SVM_ERR_HAL_CONTRACT  frames_alloc() gave an unaligned frame, one that phys_to_virt()
 *                               does not lead back to, or one above MAXPHYADDR.
 * @retval SVM_ERR_NOMEM         The HAL had no frame.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_host_create(const struct svm_hal *hal, struct svm_host **host);

/**
 * @brief Name of the mandatory entry that a table lacks.
 * @param hal  A port's table.
 * @return Such as "frames_alloc"; NULL if none is missing.
 * @par Context
 * Any.
 */
const char *svm_hal_missing_entry(const struct svm_hal *hal);

/**
 * @brief Promise that the host leaves its own registers alone while a vCPU is loaded.
 *
 * An exit gives the host back what it had: all that VMSAVE saves (FS, GS, TR, LDTR, KernelGSBase,
 * the MSRs of SYSCALL and SYSENTER), XCR0, IA32_XSS, SPEC_CTRL, TSC_AUX, DR0 to DR7.  A host may
 * change any of them between two runs, as one does that runs user programs there; so each run
 * begins by reading them, and whether interrupts are on.  With this promise they are read in
 * svm_vcpu_load() alone, and hold until svm_vcpu_put().
 *
 * @param host   No vCPU is loaded.
 * @param fixed  Default: false.
 * @par Context
 * T.
 */
void svm_host_set_fixed_registers(struct svm_host *host, bool fixed);

/**
 * @brief Tell that the host sees its memory in one piece.
 *
 * Many kernels have such a map.  The library then computes what it would ask phys_to_virt() for
 * several times in an exit.  Beyond @p size it goes on asking.
 *
 * @param host  Nothing of it is in use on another CPU.
 * @param base  Where the host sees address 0, be it mapped or not.
 * @param size  Bytes.  For each frame below that is the library's or was given to a slot, @p base +
 *              hpa is what phys_to_virt() says.
 * @retval 0                     Done.
 * @retval SVM_ERR_HAL_CONTRACT  The host object itself is elsewhere; nothing changed.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_host_set_direct_map(struct svm_host *host, void *base, uint64_t size);

/**
 * @brief Free the host object.
 *
 * @param host  A host without VMs and with every CPU offline.
 * @retval 0             Gone.
 * @retval SVM_ERR_BUSY  A VM exists or a CPU is online; nothing was freed.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_host_destroy(struct svm_host *host);

/**
 * @brief Enable SVM on the CPU that executes the call.
 *
 * Reads CPUID, VM_CR and EFER and names the reason when SVM cannot be used.  The first CPU's
 * features become the host's; a later CPU must have the same.
 *
 * @param host  The host.
 * @retval 0                       The CPU can run guests.
 * @retval SVM_ERR_NO_SVM          No SVM in this processor.
 * @retval SVM_ERR_NO_NPT          No nested paging.
 * @retval SVM_ERR_SVM_DISABLED    VM_CR.SVMDIS is set, VM_CR.LOCK clear.
 * @retval SVM_ERR_SVM_LOCKED      SVMDIS and LOCK are set, and no SVM key exists.
 * @retval SVM_ERR_SVM_LOCKED_KEY  SVMDIS and LOCK are set; CPUID says a key can unlock.
 * @retval SVM_ERR_SVM_IN_USE      EFER.SVME is set already.
 * @retval SVM_ERR_CPU_MISMATCH    Features differ from the first CPU's.
 * @retval SVM_ERR_NOMEM           No frame for the host save area.
 * @retval SVM_ERR_STATE           This CPU is online already.
 * @par Context
 * T, pinned to the CPU.  May run on several CPUs at once.
 * @par Source
 * APM vol. 2, 15.4, 15.30.
 */
SVM_MUST_CHECK int svm_cpu_online(struct svm_host *host);

/**
 * @brief Undo svm_cpu_online() on the CPU that executes the call: EFER and VM_HSAVE_PA are
 *        what they were, and GIF is 1.
 *
 * @param host  The host.
 * @retval 0              SVM is off.
 * @retval SVM_ERR_BUSY   A vCPU is loaded on this CPU.
 * @retval SVM_ERR_STATE  This CPU is not online.
 * @par Context
 * T, pinned to the CPU.
 */
SVM_MUST_CHECK int svm_cpu_offline(struct svm_host *host);

/**
 * @brief What this processor offers, without enabling anything.
 * @param hal            Gives the feature mask and safe MSR access; may be NULL.
 * @param[out] features  Filled whole.
 * @return 0 if guests could run here, else what svm_cpu_online() would say.
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_features_probe(const struct svm_hal *hal, struct svm_features *features);

/**
 * @brief The features that guests of this host run with.
 * @param host  The host.
 * @return Constant while the host lives; all zero before the first svm_cpu_online().
 * @par Context
 * Any.
 */
const struct svm_features *svm_host_features(const struct svm_host *host);

/** @} */

#endif
