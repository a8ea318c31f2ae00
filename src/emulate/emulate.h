/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_EMULATE_H
#define SVM_EMULATE_EMULATE_H
/*
 * Execute one guest instruction in software.
 *
 * Usable alone: whoever calls fills in registers and a table of functions, and reads registers
 * and a verdict back.  Nothing here knows of virtual machines, allocates, recurses, or keeps state
 * outside struct svm_emul.  Guest RAM is reached by copy and by compare-exchange only, never by
 * pointer, so that no other vCPU can change a value between its check and its use.
 *
 * Three rules hold everywhere (APM vol. 3, and reliability's lessons):
 *
 * - All checks come before the first side effect; registers are written last.  So a fault leaves
 *   them as they were.  A REP prefix commits iteration by iteration, each of them whole.
 * - What cannot be finished at once (a device that answers later) comes back as EXIT.  The answer
 *   is kept in a log, the instruction starts again from its bytes, and accesses that were done are
 *   taken from the log instead of being repeated.
 * - An instruction that is not in the tables is UNKNOWN: never skipped, never guessed at.
 */
#include "emulate/insn_cache.h"

/* What a function of the table, or the emulation as a whole, came to. */
enum svm_emul_result {
	SVM_EMUL_OK,      /* Done.  svm_emulate(): registers are those after the instruction. */
	SVM_EMUL_FAULT,   /* svm_emul.fault says which exception; registers as before. */
	SVM_EMUL_EXIT,    /* svm_emul.pending has to be answered by svm_emul_answer(). */
	SVM_EMUL_RETRY,   /* Memory has changed meanwhile: let the guest run again. */
	SVM_EMUL_ABSENT,  /* Memory is not there now: bring it, then call again. The log stays. */
	SVM_EMUL_UNKNOWN, /* Not an instruction of the tables; svm_emul.insn if it was decoded. */
	SVM_EMUL_NOT_RAM, /* Of ram_*() only: no memory there, ask the device. */
};

/* A segment register with its hidden part; the same layout as the VMCB's. */
struct svm_emul_segment {
	uint16_t selector;
	uint16_t attributes; /* 12 bits: G D/B L AVL P DPL S type. */
	uint32_t limit;      /* Bytes, granularity applied. */
	uint64_t base;
};

/* Segment registers in the processor's numbering, as svm_emul.segment holds them. */
enum svm_emul_segment_number {
	SVM_EMUL_ES,
	SVM_EMUL_CS,
	SVM_EMUL_SS,
	SVM_EMUL_DS,
	SVM_EMUL_FS,
	SVM_EMUL_GS,
	SVM_EMUL_SEGMENTS,
	/* Tables, for load_segment() and table accesses. */
	SVM_EMUL_GDTR = SVM_EMUL_SEGMENTS,
	SVM_EMUL_LDTR,
	SVM_EMUL_IDTR,
	SVM_EMUL_TR,
};

/* General registers in the processor's numbering. */
enum svm_emul_gpr {
	SVM_EMUL_RAX,
	SVM_EMUL_RCX,
	SVM_EMUL_RDX,
	SVM_EMUL_RBX,
	SVM_EMUL_RSP,
	SVM_EMUL_RBP,
	SVM_EMUL_RSI,
	SVM_EMUL_RDI,
};

struct svm_emul_fault {
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t address; /* #PF: the linear address. */
};

/*
 * How memory is touched; beside these, translate() knows the CPL: svm_emul.cpl as it is at the
 * call, which differs from the guest's while a frame is pushed for another privilege.
 */
#define SVM_EMUL_READ   1u
#define SVM_EMUL_WRITE  2u
#define SVM_EMUL_FETCH  4u
#define SVM_EMUL_SYSTEM 8u /* Descriptor tables and TSS: as supervisor, whatever the CPL. */

/* Registers that only the owner of the guest can read or write. */
enum svm_emul_register {
	SVM_EMUL_CR,
	SVM_EMUL_DR,
	SVM_EMUL_MSR,
	SVM_EMUL_XCR,
	SVM_EMUL_PMC,
};

struct svm_emul_ops {
	/*
	 * Linear to guest-physical, for one byte and the rest of its 4 KiB page.  OK, FAULT (fault
	 * is filled), RETRY.  Sets accessed and dirty bits.
	 */
	enum svm_emul_result (*translate)(void *arg, uint64_t linear, uint32_t access,
	                                  uint64_t *gpa, struct svm_emul_fault *fault);
	/* Within one 4 KiB page.  OK, NOT_RAM, ABSENT.  A write to read-only memory is NOT_RAM. */
	enum svm_emul_result (*ram_read)(void *arg, uint64_t gpa, void *data, unsigned size);
	enum svm_emul_result (*ram_write)(void *arg, uint64_t gpa, const void *data, unsigned size);
	/*
	 * Atomically, size 1, 2, 4, 8 or 16, within one page: store desired if *expected is there,
	 * else put into expected what is.  *stored says which.  OK, NOT_RAM, ABSENT.
	 */
	enum svm_emul_result (*ram_exchange)(void *arg, uint64_t gpa, void *expected,
	                                     const void *desired, unsigned size, bool *stored);
	/*
	 * Keep others that emulate out, between true and false: a locked instruction over two
	 * pages is read, compared and written.  Calls of ram_read() and ram_write() only come in
	 * between.  NULL: nobody else is there.
	 */
	void (*serialise)(void *arg, bool on);
	/* A device register, within one page, at most 32 bytes.  OK or EXIT. */
	enum svm_emul_result (*mmio)(void *arg, uint64_t gpa, void *data, unsigned size,
	                             bool is_write);
	/* A port, size 1, 2 or 4.  OK or EXIT. */
	enum svm_emul_result (*port)(void *arg, uint16_t port, uint32_t *value, unsigned size,
	                             bool is_in);
	/*
	 * OK, FAULT or UNKNOWN (the embedder's), with the processor's own checks of number and
	 * value; not of privilege.
	 */
	enum svm_emul_result (*read_register)(void *arg, enum svm_emul_register kind,
	                                      uint32_t number, uint64_t *value,
	                                      struct svm_emul_fault *fault);
	enum svm_emul_result (*write_register)(void *arg, enum svm_emul_register kind,
	                                       uint32_t number, uint64_t value,
	                                       struct svm_emul_fault *fault);
	/* Take a checked segment register, or table register, over. */
	void (*load_segment)(void *arg, unsigned number, const struct svm_emul_segment *segment);
	void (*store_segment)(void *arg, unsigned number, struct svm_emul_segment *segment);
	/* Vector register n, 16 or 32 bytes.  A write of 16 with clear_upper zeroes the rest. */
	void (*read_vector)(void *arg, unsigned n, void *data, unsigned size);
	void (*write_vector)(void *arg, unsigned n, const void *data, unsigned size,
	                     bool clear_upper);
	/* MMX register n; a write leaves TOP 0 and all tags valid. */
	void (*read_mmx)(void *arg, unsigned n, uint64_t *value);
	void (*write_mmx)(void *arg, unsigned n, uint64_t value);
	/* The TLB entry of one linear address is stale (INVLPG). */
	void (*invalidate)(void *arg, uint64_t linear);
};

/* What an EXIT waits for. */
enum svm_emul_pending_kind {
	SVM_EMUL_PENDING_NOTHING,
	SVM_EMUL_PENDING_MMIO,
	SVM_EMUL_PENDING_PORT,
};

#define SVM_EMUL_DATA_MAX 32u /* One vector register. */

struct svm_emul_access {
	uint8_t kind; /* enum svm_emul_pending_kind */
	bool is_write;
	uint8_t size;
	uint64_t address; /* gpa or port */
	uint8_t data[SVM_EMUL_DATA_MAX];
};

/* Device accesses of one instruction: MOVS between devices, split at a page, both halves. */
#define SVM_EMUL_LOG_MAX 8u

/* What the caller knows of the exit, which bounds what may be executed. */
enum svm_emul_class {
	SVM_EMUL_ANY,    /* No bound: an interpreter. */
	SVM_EMUL_MEMORY, /* A nested fault: an instruction with a memory operand or on the stack. */
	SVM_EMUL_IO,     /* IN, OUT, INS, OUTS. */
	SVM_EMUL_STATUS_WORD, /* LMSW, SMSW, CLTS: the exits of CR0 that are no MOV. */
};

struct svm_emul {
	const struct svm_emul_ops *ops;
	void *arg;

	/* The guest, in and out. */
	uint64_t *gpr; /* 16 of the owner's, enum svm_emul_gpr; written when all has succeeded. */
	uint64_t rip, rflags;

	uint8_t cpl; /* As translate() and load_segment() have to see it. */

	/* The guest, in. */
	const struct svm_emul_segment *segment; /* ES CS SS DS FS GS. */
	uint64_t cr0, cr4, efer, xcr0;
	uint8_t linear_bits; /* 48 or 57: what is canonical. */
	bool in_vm86;
	enum svm_insn_mode mode;
	enum svm_emul_class class;
	/* MEMORY: the page of the nested fault, and what it was for (SVM_EMUL_READ or WRITE). */
	uint64_t wanted_gpa;
	uint32_t wanted_access;
	uint32_t rep_max; /* Iterations of one call; 0: 1,024. */

	/* Out. */
	struct svm_emul_fault fault;
	struct svm_emul_access pending;
	bool sets_shadow;  /* MOV SS, POP SS, STI: the next instruction is shielded. */
	bool rep_goes_on;  /* OK, but RIP is still on the instruction. */
	bool keeps_rf; /* IRET: rflags holds RF as it was popped. */
	/* Registers, RIP and RFLAGS are the new task's, and a FAULT is its fault. */
	bool task_switched;

	/* The instruction. */
	uint8_t bytes[SVM_INSN_MAX_LENGTH + 1]; /* The last one makes two words of them. */
	uint8_t count; /* Bytes the caller has fetched, 0: svm_emulate() fetches. */
	struct svm_insn insn;
	struct svm_insn_cache *cache; /* NULL: every instruction is decoded. */

	bool touched; /* MEMORY: an operand lies in the page of the fault. */

	/* Device accesses that are done; see the second rule above. */
	uint8_t log_count, log_used;
	uint64_t log_rip;
	uint8_t log_bytes[SVM_INSN_MAX_LENGTH + 1];
	struct svm_emul_access log[SVM_EMUL_LOG_MAX];
};

/*
 * Execute the instruction at CS:RIP.
 *
 * e        all of "the guest" and "how" above; the log is the emulator's own between two calls.
 *
 * Context: any in which the functions may be called.  Bounded: at most rep_max iterations, two
 * pages an access.  Stack: at most 2 KiB.
 */
enum svm_emul_result svm_emulate(struct svm_emul *e);

/*
 * Answer an EXIT: data for a read, ignored for a write.  Then call svm_emulate() again with the
 * registers of the guest unchanged.  e->pending is NOTHING afterwards.
 */
void svm_emul_answer(struct svm_emul *e, const void *data);

/* Forget a half-done instruction: the guest was reset, or its registers were set. */
void svm_emul_forget(struct svm_emul *e);

/* Why a task switch. */
enum svm_emul_task_reason {
	SVM_EMUL_TASK_JMP,
	SVM_EMUL_TASK_CALL,
	SVM_EMUL_TASK_IRET,
	SVM_EMUL_TASK_EVENT, /* An interrupt or exception, INT n too. */
};

struct svm_emul_task {
	uint64_t rip;      /* What the old task goes on with. */
	uint32_t error;    /* With has_error: for the new task's stack. */
	uint16_t selector; /* Of the new TSS; gates are resolved, privileges checked. */
	uint8_t reason;    /* enum svm_emul_task_reason */
	bool has_error;
	bool is_external; /* No INT n: error codes have EXT set. */
};

/*
 * Switch tasks.  OK, or FAULT with task_switched: registers, RIP and RFLAGS are the new task's, and
 * the fault is to be delivered there.  Anything else leaves the guest as it was.
 *
 * e        as for svm_emulate(); e->insn is not looked at.
 *
 * Context and stack as svm_emulate().
 */
enum svm_emul_result svm_emul_task_switch(struct svm_emul *e, const struct svm_emul_task *task);

/* RIP behind the decoded instruction, wrapped as the code segment says. */
uint64_t svm_emul_rip_after(const struct svm_emul *e);

#endif
