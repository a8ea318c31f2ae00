/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_VCPU_H
#define SVM_CORE_VCPU_VCPU_H
/*
 * The vCPU object.
 *
 * Guest state has one home each: the VMCB (RAX, RSP, RIP, RFLAGS, segments, control registers,
 * the MSRs of VMSAVE), the switch block (the other general registers, XCR0, debug registers),
 * the FPU area, and the members below.  Nothing is kept twice.
 *
 * Only `s.requests`, `in_guest` and `state` are touched by other threads.
 */
#include <libsvm/vcpu.h>

#include "core/msr_policy.h"
#include "core/vcpu/code_word.h"
#include "core/vcpu/exit_counts.h"
#include "core/vcpu/recorder.h"
#include "core/vcpu/stuck.h"
#include "core/vcpu/walk_memo.h"
#include "core/vm.h"
#include "emulate/emulate.h"
#include "hal/ring0.h"

/* Sticky bits of svm_switch.requests: one word tells an entry that nothing is to be done. */
#define SVM_REQUEST_RETURN    0x01u /* svm_vcpu_kick(): come back to the embedder. */
#define SVM_REQUEST_EVENTS    0x02u /* Look at events and the interrupt port again. */
#define SVM_REQUEST_NMI       0x04u /* An NMI arrived. */
#define SVM_REQUEST_AUDIT     0x08u /* State was set from outside: audit, keep a copy. */
#define SVM_REQUEST_ARRIVE    0x10u /* Tell svm_presence that the vCPU is here. */
#define SVM_REQUEST_TIMES     0x20u /* svm_vcpu_time_exits() was called. */
#define SVM_REQUEST_FLUSH     0x40u /* vm->flush_epoch has moved on: look at it before you enter. */

/* What a pending completion may be; 0: none is owed. */
enum svm_owed {
	SVM_OWED_NOTHING,
	SVM_OWED_SKIP,  /* Skip, fault or retry. */
	SVM_OWED_VALUE, /* The same, or a value. */
	SVM_OWED_CPUID, /* The same, or four registers. */
	SVM_OWED_EMULATION, /* A device access inside an instruction: a value, or fault. */
	SVM_OWED_EVENT, /* Retry or fault: there is no instruction to step over. */
};

struct svm_vcpu_events {
	bool exception_pending;
	uint8_t exception_vector;
	uint32_t exception_error;
	bool is_unseen; /* The pending #DB is shown to the embedder before the guest gets it. */
	bool shutdown; /* An exception while delivering #DF: the next run says so. */
	uint8_t shutdown_second;
	bool nmi_pending, nmi_masked;
	uint64_t iret_rip; /* Of the IRET that ends the NMI's handler, if iret_seen. */
	uint64_t shadow_rip; /* Of what is still in a shadow, if shadowed. */
	bool single_step;  /* TF is the library's, to get past an instruction. */
	uint64_t guest_tf; /* RFLAGS_TF if the guest had it set itself. */
	bool window_wanted; /* The embedder wants to know when the guest can take an interrupt. */
	int held_interrupt;  /* Accepted, but an exception came first; -1: none. */
	uint64_t reinject;   /* SVM_EVENT_*: EXITINTINFO to put into EVENTINJ, or 0. */
	uint64_t injecting;  /* What EVENTINJ held at the last entry. */
};

/* What an embedder's debugger has in the processor, and the guest's own meanwhile: debugger.c. */
struct svm_vcpu_debugger {
	bool is_on; /* Steps or has breakpoints: each #DB is its. */
	struct svm_debugger wanted;
	struct svm_debug_regs guest; /* While it is on. */
};

/* Bytes of the save area up to the last one that means something. */
#define SVM_SAVE_KEPT 0x2e8u
_Static_assert(SVM_SAVE_KEPT == offsetof(struct svm_vmcb_save, reserved_6e8), "the last named one");

/*
 * A plain move between a register and a device that was found to be one, and how: device_move.c.
 * Only what follows from bytes and registers that are compared each time.
 */
struct svm_device_move {
	/* Of the exit: */
	uint64_t rip;
	svm_gpa_t gpa; /* of the fault, */
	uint64_t cs; /* selector, attributes, limit; the base is 0. */
	/* The instruction: */
	uint64_t word[2]; /* and what stands behind it */
	uint64_t offset; /* svm_plain_offset() */
	uint64_t walk; /* code_walk.serial: of the walk that led to it. */
	const struct svm_mmio_range *range; /* Whose all bytes are; NULL: the embedder's. */
	uint32_t serial; /* svm_mmio_policy.serial */
	int32_t imm; /* No MOV to memory has a longer one. */
	uint32_t cr0;
	uint16_t efer;
	uint16_t walk_mode; /* svm_walk_memo_mode() */
	uint8_t cpl; /* SVM_DEVICE_MOVE_NONE: nothing is kept here. */
	uint8_t info; /* Low byte of EXITINFO1 */
	uint8_t length;
	struct svm_plain_form form;
};
_Static_assert(sizeof(struct svm_device_move) == 96, "a vCPU has several of them");
#define SVM_DEVICE_MOVE_NONE 0xffu
/* With two more a vCPU, its XSAVE area of AVX and 64 records would need a fifth page. */
#define SVM_DEVICE_MOVES 6u

/* What a run does at its end with a vCPU that it, or somebody before it, has loaded. */
enum svm_after_run {
	SVM_AFTER_RUN_PUT,
	SVM_AFTER_RUN_LEAVE_FPU, /* It stays, but for what the host has lent: load.c. */
	SVM_AFTER_RUN_NOTHING,
};

struct svm_vcpu {
	struct svm_switch s;
	struct svm_vmcb *vmcb;
	struct svm_vm *vm;
	uint32_t in_guest; /* Atomic: CPU number + 1 between "about to enter" and "exited". */
	uint32_t state;    /* Atomic: enum svm_vcpu_state. */
	uint32_t id;
	uint64_t serial; /* Unlike any other vCPU ever made on this host; not 0. */

	/* Translations and the CPU: asid.c, flush.c. */
	struct svm_cpu *cpu;      /* Loaded here, or NULL. */
	uint64_t last_cpu;        /* svm_cpu.serial; on another CPU the VMCB counts as new. */
	uint8_t after_run;        /* enum svm_after_run, by the two that follow. */
	bool loaded_by_user;      /* svm_vcpu_load() was called. */
	bool stays;               /* svm_vcpu_stay_loaded() */
	bool fpu_here;            /* The guest's FPU is in the CPU and not in the area. */
	uint32_t in_guest_here;   /* What in_guest is to be on this CPU. */
	uint64_t asid_generation;
	uint64_t flush_epoch;     /* Atomic: vm->flush_epoch that this vCPU has honoured. */

	/* Beside requests: this word tells that an entry and its exit are like nearly all. */
	union {
		uint64_t unusual;
		struct {
			bool flush;        /* The guest's change wants its translations gone. */
			bool exit_at_once; /* The entry shall deliver EVENTINJ and exit. */
			bool iret_seen;    /* The IRET at events.iret_rip was let through. */
			bool timed;        /* Exits are timed. */
			bool shadowed;     /* The instruction at events.shadow_rip comes first. */
			bool asid_is_old;  /* It is of an older generation than the CPU's. */
		};
	};

	struct svm_vcpu_events events;
	int interrupt_vector; /* Atomic: from svm_vcpu_inject_interrupt(); -1 when free. */
	struct svm_irq_port irq; /* pending == NULL: none. */
	uint64_t armed_ns;       /* The port's deadline that the host's timer was last armed for. */
	uint8_t tpr;             /* V_TPR that the port knows. */
	bool unhalted;           /* Atomic: svm_vcpu_unhalt() is to end a HLT. */
	svm_wake_fn wake;        /* NULL: nobody sleeps. */
	void *wake_arg;
	svm_idle_fn idle;        /* NULL: a run does not wait. */
	void *idle_arg;
	svm_exit_fn exit_handler; /* NULL: an exit that is to be completed ends the run. */
	void *exit_handler_arg;
	struct svm_presence presence; /* arrive == NULL: nobody wants to know. */

	enum svm_owed owed;
	uint8_t owed_register; /* VALUE: general register, by number, that gets it. */
	uint8_t owed_size;     /* VALUE: bytes of it that count; 0: EDX:EAX of RDMSR. */
	uint64_t next_rip;     /* Where a skip goes; 0: the length is not known. */

	bool guest_debugs;     /* Guest debug registers are loaded around the switch. */
	struct svm_vcpu_debugger debugger;
	uint64_t seen_settings;   /* vm->settings that VMCB and switch block follow. */
	uint64_t extra_intercepts[3]; /* Debugger's, by svm_vcpu_set_intercept(): bit n of 192. */
	enum svm_cpuid_monitor monitor;
	uint64_t msr_shadow[SVM_MSR_INDEX_COUNT];

	struct svm_stuck stuck;
	struct svm_vcpu_stats stats; /* But `entries`, which the recorder knows. */
	struct svm_exit_counts counts;
	struct svm_recorder recorder;

	struct svm_walk_memo code_walk, data_walk; /* The emulator's last. */
	struct svm_code_page code_page;
	struct svm_insn_cache insn_cache;
	svm_gpa_t hole_page; /* The last where a device's access found no slot: there is none ... */
	uint64_t hole_generation; /* ... while svm_memory.generation is this.  0: no slot at all. */
	struct svm_mmio_range own_mmio; /* Before the VM's; without fn: none. */
	struct svm_device_move moves[SVM_DEVICE_MOVES];
	struct svm_plain_form move; /* Waits for the embedder's answer: */
	uint8_t move_length;        /* not 0. */
	uint8_t last_move; /* The place that was taken last. */
	uint8_t emul_fetched; /* Bytes of emul.bytes that the coming emulation need not fetch. */
	bool declined; /* A callback has just left declined_gpa to the embedder. */
	svm_gpa_t declined_gpa;
	struct svm_emul emul;
	bool emulating;       /* The next run starts with svm_emulation_continue(). */
	bool emul_released;   /* The embedder wants the instruction executed after all. */
	bool emul_cr0_wanted; /* LMSW or CLTS would write emul_cr0: the embedder's to decide. */
	uint64_t emul_cr0;
	svm_gpa_t absent_gpa; /* Of SVM_EMUL_ABSENT, and what the access needs: SVM_PROT_*. */
	uint32_t absent_access;

	/* The save area as it was when last audited, for ENTRY_FAILED; or scratch. */
	uint64_t copy[SVM_SAVE_KEPT / sizeof(uint64_t)];
	bool copy_valid;
	void *fpu; /* XSAVE area, 64-byte aligned. */
	svm_hpa_t hpa;
	size_t pages; /* Of the whole object: this struct, FPU area, recorder, VMCB. */
};

/* Register n of 0 … 15 in the processor's numbering (RAX RCX RDX RBX RSP RBP RSI RDI R8 …). */
uint64_t svm_vcpu_read_gpr(const struct svm_vcpu *vcpu, unsigned n);
void svm_vcpu_write_gpr(struct svm_vcpu *vcpu, unsigned n, uint64_t value);

/* Move between states; false and nothing happens if the table has no such move. */
bool svm_vcpu_move(struct svm_vcpu *vcpu, enum svm_vcpu_state to);

/* Wake a running vCPU out of its guest; any context. */
void svm_vcpu_request(struct svm_vcpu *vcpu, uint32_t request);
/* Call the embedder's wake callback, if there is one; any context. */
void svm_vcpu_wake(struct svm_vcpu *vcpu);

/* The guest uses its breakpoints, or no longer (vcpu/registers.c). */
void svm_vcpu_use_debug(struct svm_vcpu *vcpu, bool on);

/* Put the architecture's reset state into VMCB and registers (vcpu/reset.c). */
void svm_vcpu_reset_state(struct svm_vcpu *vcpu);
/* Control area of a fresh VMCB, intercepts included (vcpu/intercepts.c). */
void svm_vcpu_init_control(struct svm_vcpu *vcpu);
/* Recompute intercepts from the VM's wishes, the debugger's and the vCPU's state. */
void svm_vcpu_update_intercepts(struct svm_vcpu *vcpu);

/* Recompute which registers the world switch must swap (vcpu/load.c). */
void svm_vcpu_update_switch(struct svm_vcpu *vcpu);

/* ASID and TLB_CONTROL for the coming entry (vcpu/asid.c). */
void svm_vcpu_prepare_asid(struct svm_vcpu *vcpu);
/* The guest was not entered: a flush of this CPU that it was to execute is left to the next one. */
void svm_vcpu_keep_flush(struct svm_vcpu *vcpu);
/* A new generation of ASIDs on this CPU, which begins with a flush of everything. */
void svm_cpu_drop_asids(struct svm_cpu *cpu);

/* What a run begins and ends with: the vCPU is on this CPU, with its FPU (vcpu/load.c). */
int svm_vcpu_bind(struct svm_vcpu *vcpu);
void svm_vcpu_unbind(struct svm_vcpu *vcpu, bool has_work);
/* Loaded on the CPU that executes the call, which does not go offline meanwhile. */
static inline bool svm_vcpu_is_here(const struct svm_vcpu *vcpu)
{
	const struct svm_hal *const hal = &vcpu->vm->host->hal;

	return vcpu->cpu && vcpu->cpu->id == hal->cpu_id(hal->ctx);
}
/* Loaded on a CPU other than the one that executes the call: its FPU is out of reach. */
bool svm_vcpu_is_elsewhere(const struct svm_vcpu *vcpu);

/* FPU of guest and host, before and after runs (vcpu/fpu.c). */
void svm_fpu_enter_guest(struct svm_vcpu *vcpu);
void svm_fpu_leave_guest(struct svm_vcpu *vcpu);
void svm_fpu_reset(struct svm_vcpu *vcpu);
/* Vector register n, 16 or 32 bytes; MMX register n.  See struct svm_emul_ops. */
void svm_fpu_read_vector(struct svm_vcpu *vcpu, unsigned n, void *data, unsigned size);
void svm_fpu_write_vector(struct svm_vcpu *vcpu, unsigned n, const void *data, unsigned size,
                          bool clear_upper);
void svm_fpu_read_mmx(struct svm_vcpu *vcpu, unsigned n, uint64_t *value);
void svm_fpu_write_mmx(struct svm_vcpu *vcpu, unsigned n, uint64_t value);
bool svm_xcr0_is_legal(const struct svm_features *features, uint64_t xcr0);

#endif
