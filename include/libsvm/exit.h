/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_EXIT_H
#define LIBSVM_EXIT_H
/**
 * @file
 * @brief Typed exits: why svm_vcpu_run() came back, and what the embedder owes.
 */
#include <libsvm/types.h>

/** @addtogroup svm_vcpu
 *  @{ */

/**
 * Kinds of exits: X(name, must be completed, text).
 *
 * An exit that must be completed wants one svm_vcpu_complete_*() call before the next run;
 * running on without is ::SVM_ERR_INCOMPLETE, not a guess.
 */
#define SVM_EXIT_KINDS(X)                                                                          \
	X(IO, true, "IN or OUT")                                                                   \
	X(MMIO, true, "device memory, decoded")                                                    \
	X(RDMSR, true, "RDMSR")                                                                    \
	X(WRMSR, true, "WRMSR")                                                                    \
	X(CPUID, true, "CPUID of a leaf that the table lacks")                                     \
	X(HLT, false, "HLT; the vCPU is HALTED")                                                   \
	X(PAUSE, false, "a PAUSE loop")                                                            \
	X(MWAIT, true, "MONITOR or MWAIT")                                                         \
	X(HYPERCALL, true, "VMMCALL")                                                              \
	X(EXCEPTION, true, "an exception that the embedder asked for")                             \
	X(DEBUG, true, "#DB or #BP that the embedder asked for")                                   \
	X(INTR_WINDOW, false, "the guest can take an interrupt")                                   \
	X(NMI_WINDOW, false, "the guest can take an NMI")                                          \
	X(SHUTDOWN, false, "triple fault; the vCPU is SHUTDOWN")                                   \
	X(INIT, false, "a physical INIT is pending on this CPU")                                   \
	X(CR, true, "a control register that the embedder asked for")                              \
	X(DR, true, "a debug register that the embedder asked for")                                \
	X(TASK_SWITCH, true, "a task switch that the library leaves to the embedder")              \
	X(RAW, true, "an exit that the library does not finish; see raw")                          \
	X(NPT_FAULT, false, "guest memory that is absent, or not there now, or not so writable")   \
	X(EMULATION, true, "an instruction that only an emulator can finish")                      \
	X(NEED_MEMORY, false, "the reserve of table frames is empty; svm_vm_reserve() and go on")  \
	X(REQUEST, false, "svm_vcpu_kick() or a callback asked for the return")                    \
	X(HOST_INTERRUPT, false, "the host wants the CPU")                                         \
	X(ENTRY_FAILED, false, "VMRUN refused the VMCB; the vCPU is DEAD; see findings")           \
	X(LOOP, false, "the same exit at the same RIP over and over; see svm_vcpu_set_loop_limit") \
	X(SILENT, false, "no exit but the host's interrupts for long; see svm_vm_config.silence_ms")

/** Kinds of exits. */
enum svm_exit_kind {
	SVM_EXIT_KIND_NONE,
#define SVM_EXIT_KIND_ENUM(name, completes, text) SVM_EXIT_KIND_##name,
	SVM_EXIT_KINDS(SVM_EXIT_KIND_ENUM)
#undef SVM_EXIT_KIND_ENUM
	SVM_EXIT_KIND_COUNT,
};

/** Bits of svm_exit.flags. */
#define SVM_EXIT_CONSISTENT SVM_BIT(0) /**< State is between two instructions: snapshots allowed. */
#define SVM_EXIT_COMPLETE   SVM_BIT(1) /**< A svm_vcpu_complete_*() is owed. */

/** Why a touch of guest memory came back. */
enum svm_npt_fault_reason {
	SVM_NPT_FAULT_ABSENT, /**< No slot covers the address. */
	SVM_NPT_FAULT_RIGHTS, /**< The slot does not allow this access. */
	SVM_NPT_FAULT_AGAIN,  /**< The resolve callback said AGAIN, or an invalidation is on. */
	SVM_NPT_FAULT_TABLE,  /**< As ABSENT, while the guest's own page tables were walked. */
};

/** Most findings of an audit that an exit carries. */
#define SVM_EXIT_FINDINGS 8

/** Opcode maps of svm_exit_decoded.map.  APM vol. 3, 1.2.3 and appendix A. */
enum svm_opcode_map {
	SVM_OPCODE_PRIMARY,
	SVM_OPCODE_0F,
	SVM_OPCODE_0F38,
	SVM_OPCODE_0F3A,
	SVM_OPCODE_0F0F, /**< 3DNow!: the opcode is the last byte. */
	SVM_OPCODE_XOP8,
	SVM_OPCODE_XOP9,
	SVM_OPCODE_XOPA,
};

/** Bits of svm_exit_decoded.prefixes. */
#define SVM_PREFIX_LOCK     SVM_BIT(0)
#define SVM_PREFIX_REP      SVM_BIT(1) /**< F3. */
#define SVM_PREFIX_REPNE    SVM_BIT(2) /**< F2. */
#define SVM_PREFIX_OPSIZE   SVM_BIT(3) /**< 66, or what VEX.pp stands for. */
#define SVM_PREFIX_ADDRSIZE SVM_BIT(4) /**< 67. */
#define SVM_PREFIX_REX      SVM_BIT(5)

/** What the bytes of an instruction say; its operands are the embedder's to find. */
struct svm_exit_decoded {
	bool valid;            /**< False: more bytes are needed, or no known instruction. */
	uint8_t map;           /**< enum svm_opcode_map. */
	uint8_t opcode;        /**< Within its map. */
	uint8_t has_modrm;
	uint8_t modrm;
	uint8_t prefixes;      /**< SVM_PREFIX_*. */
	uint8_t rex;           /**< W R X B, of REX, VEX or XOP, in bits 3 to 0. */
	uint8_t operand_width; /**< Bits: 8, 16, 32, 64. */
	uint8_t address_width; /**< Bits: 16, 32, 64. */
};

/**
 * Why svm_vcpu_run() returned.  Of the union the member of this @c kind is written, of @c insn as
 * many bytes as @c insn_count says, of @c decoded all if it is valid; the rest is left as it was.
 */
struct svm_exit {
	enum svm_exit_kind kind;
	uint32_t flags; /**< SVM_EXIT_*. */
	uint64_t rip;   /**< Of the instruction concerned. */
	uint8_t insn_len; /**< Bytes of that instruction; 0: not known. */
	uint8_t insn_count; /**< Valid bytes of @c insn; 0: not fetched. */
	uint8_t insn[15];
	struct svm_exit_decoded decoded; /**< EMULATION, and EXCEPTION of \#UD. */
	/** As the processor reported it. */
	struct {
		uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info;
	} raw;
	union {
		/** IO.  IN: complete with the value.  OUT: complete with skip. */
		struct {
			uint16_t port;
			uint8_t size;   /**< 1, 2, 4. */
			bool is_in;
			uint32_t value; /**< OUT. */
		} io;
		/**
		 * MMIO.  Reads: complete with the value or, above 8 bytes, with the data.  Writes:
		 * with skip.  A fault is possible for both.
		 */
		struct {
			svm_gpa_t gpa;
			uint8_t size; /**< 1 … 32 bytes, within one page. */
			bool is_write;
			uint8_t data[32]; /**< Writes. */
		} mmio;
		/** RDMSR: complete with the value, or a fault.  WRMSR: with skip, or a fault. */
		struct {
			uint32_t msr;
			uint64_t value; /**< WRMSR. */
		} msr;
		/** CPUID.  Complete with svm_vcpu_complete_cpuid(). */
		struct {
			uint32_t leaf, subleaf;
		} cpuid;
		/** MWAIT: complete with skip or a fault. */
		struct {
			bool is_monitor;
		} mwait;
		/** HYPERCALL: see svm_vcpu_get_hypercall(); complete with the new RAX. */
		struct {
			uint64_t number; /**< RAX. */
			uint8_t cpl;     /**< VMMCALL itself checks no privilege. */
		} hypercall;
		/**
		 * EXCEPTION, DEBUG: complete with retry (swallow) or the fault.  Where the library
		 * has executed an instruction under TF, @c raw is of the exit that brought it here.
		 */
		struct {
			uint8_t vector;
			bool has_error;
			uint32_t error;
			uint64_t address; /**< \#PF: CR2 to be. \#DB: DR6. */
		} exception;
		/** CR, DR: complete with the value (reads), skip (writes) or a fault. */
		struct {
			uint8_t number;
			bool is_write;
			uint64_t value; /**< Writes: what the guest wants to store. */
		} reg;
		/**
		 * TASK_SWITCH: to a 16-bit TSS, or where svm_vcpu_set_intercept() asked for it; the
		 * library makes all others.  Complete with a fault.
		 */
		struct {
			uint16_t selector;
			bool is_iret, is_jump, has_error;
			uint32_t error;
		} task;
		/** NPT_FAULT. */
		struct {
			svm_gpa_t gpa;
			uint32_t access; /**< SVM_PROT_* that the touch needed. */
			enum svm_npt_fault_reason reason;
		} npt;
		/** SHUTDOWN: what led there, where it is known. */
		struct {
			bool merged; /**< By the library, while merging two exceptions. */
			uint8_t first, second; /**< merged: the vectors. */
		} shutdown;
		/** ENTRY_FAILED: rule numbers of enum svm_rule. */
		struct {
			uint8_t count; /**< Findings stored below. */
			uint16_t rules[SVM_EXIT_FINDINGS];
		} entry;
		/** LOOP. */
		struct {
			uint64_t count;
		} loop;
		/** SILENT; @c insn holds the bytes at RIP. */
		struct {
			uint64_t ms;    /**< In the guest, since its last exit of its own. */
			uint32_t looks; /**< Host interrupts that came meanwhile, */
			uint32_t same;  /**< and how many found it at the RIP of the first. */
		} silent;
	};
};

/** @} */

#endif
