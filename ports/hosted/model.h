/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HOSTED_MODEL_H
#define HOSTED_MODEL_H
/*
 * Inside of the model: the machine and its processors, and what each file offers the others.
 *
 * One thread drives one CPU, so a CPU's members need no lock; what other threads touch is atomic
 * (pending events, frames) or behind the machine's mutex (allocator, revocations, breach text).
 */
#include <pthread.h>

#include <libsvm/exit_codes.h>
#include <libsvm/msrs.h>

#include "hal/ring0.h"
#include "hosted.h"

#define CR0_PE SVM_BIT(0)
#define CR0_MP SVM_BIT(1)
#define CR0_TS SVM_BIT(3)
#define CR0_WP SVM_BIT(16)
#define CR0_NW SVM_BIT(29)
#define CR0_CD SVM_BIT(30)
#define CR0_PG SVM_BIT(31)

#define CR4_PAE     SVM_BIT(5)
#define CR4_PGE     SVM_BIT(7)
#define CR4_LA57    SVM_BIT(12)
#define CR4_SMEP    SVM_BIT(20)
#define CR4_SMAP    SVM_BIT(21)
#define CR4_OSXSAVE SVM_BIT(18)
#define CR4_CET     SVM_BIT(23)

#define DR6_BS SVM_BIT(14) /* Single step. */

#define EFER_SCE  SVM_BIT(0)
#define EFER_LME  SVM_BIT(8)
#define EFER_LMA  SVM_BIT(10)
#define EFER_NXE  SVM_BIT(11)
#define EFER_SVME SVM_BIT(12)

#define RFLAGS_CF SVM_BIT(0)
#define RFLAGS_1  SVM_BIT(1)
#define RFLAGS_ZF SVM_BIT(6)
#define RFLAGS_SF SVM_BIT(7)
#define RFLAGS_TF SVM_BIT(8)
#define RFLAGS_IF SVM_BIT(9)
#define RFLAGS_NT SVM_BIT(14)
#define RFLAGS_RF SVM_BIT(16)
#define RFLAGS_VM SVM_BIT(17)

#define VM_CR_R_INIT SVM_BIT(1)
#define VM_CR_LOCK   SVM_BIT(3)
#define VM_CR_SVMDIS SVM_BIT(4)

/* What stands in fields that the manual leaves undefined. */
#define POISON UINT64_C(0xdead5eeddead5eed)

#define HOSTED_FPU_SIZE 832u /* XSAVE standard format: legacy, header, AVX. */
#define XCR0_ALL        UINT64_C(7)

/* --- frames -------------------------------------------------------------------------- */

enum frame_owner { FRAME_FREE, FRAME_LIBRARY, FRAME_GUEST };

struct frame {
	uint8_t owner;       /* enum frame_owner; atomic */
	uint32_t generation; /* Counts owners; atomic */
	uint32_t vmcb_cpu;   /* CPU + 1 that ran it last as a VMCB; atomic */
	int vmcb_busy;       /* A CPU runs it now; atomic */
};

/* --- translations -------------------------------------------------------------------- */

/* A kept translation of a nested leaf, or (level > 1, is_table) a kept table pointer. */
struct tlb_entry {
	svm_gpa_t gpa; /* First byte of what the entry covers. */
	svm_hpa_t hpa; /* Of the leaf, or of the next table. */
	svm_hpa_t root;
	uint64_t owner;   /* VMCB's hpa, 0 for a touch. */
	uint64_t stamp;   /* Flush sequence when it was made; 0: empty. */
	uint64_t revoked; /* The machine's revocation number when its walk began. */
	uint32_t asid;
	uint32_t frame_generation;
	uint32_t owner_generation;
	uint8_t level; /* 1, 2, 3; a table pointer: of the entry that points, 2 … 5. */
	uint8_t prot;
	bool dirty, is_table;
};

/* A kept guest-linear page. */
struct linear_entry {
	svm_gva_t gva;
	svm_gpa_t gpa;
	uint64_t owner;
	uint64_t stamp;
	uint64_t cr0, cr3, cr4, efer; /* What the guest's walk depended on. */
	uint32_t asid;
	uint32_t owner_generation;
	uint8_t prot;
	bool user, dirty, global;
};

struct tlb {
	struct tlb_entry *entries; /* Open addressing, power of two. */
	size_t size, used;
	size_t large; /* Kept leaves above 4 KiB. */
	struct linear_entry *linear;
	size_t linear_size, linear_used;
	uint64_t sequence;      /* Newest flush. */
	uint64_t all_flushed;   /* Sequence of the last flush of everything. */
	uint64_t *asid_flushed; /* The same by ASID; 64 Ki of them. */
};

#define TLB_ASIDS 65536u

/* Who asks for a translation. */
struct translation_key {
	uint32_t asid;
	svm_hpa_t root;
	uint64_t owner;
	uint32_t owner_generation;
};

/* A walk of the nested tables. */
struct walk {
	bool present;   /* A leaf that allows the access. */
	uint64_t fault; /* SVM_NPF_PRESENT, SVM_NPF_RESERVED of the refusal. */
	svm_hpa_t hpa;  /* First byte of the leaf. */
	uint8_t level;  /* Of the leaf. */
	uint8_t prot;   /* All rights of the leaf. */
	bool dirty;
	uint8_t top;         /* Level of the root table. */
	uint64_t entries[6]; /* By level, as read. */
	uint64_t *places[6]; /* Where they were read. */
};

/* --- VMCBs that the processor keeps ---------------------------------------------------- */

struct kept_vmcb {
	svm_hpa_t hpa; /* 0: empty. */
	uint32_t generation;
	struct svm_vmcb copy;
	struct kept_vmcb *next;
};

/* --- processors ------------------------------------------------------------------------ */

/* What VMLOAD and VMSAVE move. */
struct vmload_state {
	struct svm_vmcb_segment fs, gs, tr, ldtr;
	uint64_t kernel_gs_base, star, lstar, cstar, sfmask;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
};

/* An event on its way through the guest's IDT, in EVENTINJ's format; 0: none. */
struct guest {
	struct svm_vmcb *v; /* The processor's copy: kept_vmcb.copy. */
	struct translation_key key;
	svm_hpa_t vmcb_hpa;
	uint64_t gpr[16]; /* RAX and RSP live here while the guest runs. */
	uint64_t delivering;
	bool exiting;
	bool diverted; /* An event took RIP elsewhere during this step. */
	bool host_if;  /* RFLAGS.IF at VMRUN. */
	bool halted;
	bool nmi_masked;
	uint64_t trap;         /* What a #DB behind this instruction adds to DR6; 0: none. */
	bool shadow_next; /* STI or MOV SS just executed. */
	uint32_t pause_left;
	uint64_t pause_stamp;
	uint64_t steps, steps_total;
	uint64_t exit_code, info_1, info_2, next_rip;
	uint64_t reported; /* EXITINTINFO. */
	uint8_t insn_bytes[15], insn_count;
	bool has_insn;
};

struct cpu {
	struct hosted_machine *m;
	uint32_t id;
	struct hosted_features f;
	int owned; /* A thread executes here; atomic */
	bool started;

	uint64_t cr0, cr2, cr3, cr4, dr[8], efer, xcr0, xss;
	uint64_t vm_cr, hsave, tsc_aux, tsc_ratio, spec_ctrl, pat, debugctl, apic_base;
	struct vmload_state vm, home; /* home: what the host's own handlers rely on. */
	bool gif, intr_flag;
	uint32_t pending;  /* HOSTED_*; atomic */
	uint64_t taken[4]; /* atomic */
	bool in_handler;
	uint8_t fpu[HOSTED_FPU_SIZE] __attribute__((aligned(64)));

	struct tlb tlb;
	struct kept_vmcb *kept[64]; /* By frame number. */
	struct guest guest;
	const char *invalid_rule;
	struct hosted_counts counts;
};

struct revocation {
	svm_hpa_t root;
	svm_gpa_t first, last;
	uint64_t number;
};

#define REVOCATIONS 4096u

struct hosted_machine {
	struct hosted_config config;
	struct svm_hal hal;
	struct cpu *cpus;

	uint8_t *memory;
	size_t frame_count;
	struct frame *frames;
	pthread_mutex_t lock;
	size_t lowest_free;
	size_t library_frames;
	uint64_t allocations, fail_at, fail_from;
	uint64_t generation;

	struct revocation revocations[REVOCATIONS]; /* A ring by number. */
	uint64_t revoked;                           /* Newest number; atomic */

	void (*handler)(void *arg, uint32_t cpu, uint32_t event);
	void *handler_arg;
	uint32_t ports[65536]; /* atomic */

	bool tolerated[HOSTED_BREACH_COUNT];
	uint64_t breaches[HOSTED_BREACH_COUNT]; /* atomic */
	char breach_text[512];
};

#define atomic_get(p)    __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define atomic_set(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

/* breach.c */
void breach(struct hosted_machine *m, enum hosted_breach kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* machine.c */
struct cpu *this_cpu(void);

/* frames.c */
void frames_init(struct hosted_machine *m);
void frames_fini(struct hosted_machine *m);
/* NULL and no breach if there is no memory. */
struct frame *frame_at(struct hosted_machine *m, svm_hpa_t hpa);
/* NULL, and a breach that names who, if the page is not the library's. */
void *library_page(struct hosted_machine *m, svm_hpa_t hpa, const char *who);
void *library_alloc(void *ctx, size_t count, svm_hpa_t *hpa);
void library_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count);

/* hal.c */
void hal_init(struct hosted_machine *m);

/* cpuid.c */
struct svm_cpuid_regs model_cpuid(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf);
uint64_t efer_allowed(const struct hosted_features *f);
uint64_t cr4_allowed(const struct hosted_features *f);

/* msr.c: false is #GP. */
bool model_rdmsr(struct cpu *cpu, uint32_t msr, uint64_t *value);
bool model_wrmsr(struct cpu *cpu, uint32_t msr, uint64_t value);
uint64_t model_tsc(const struct cpu *cpu);
bool xcr0_valid(const struct hosted_features *f, uint64_t value);

/* events.c: what the host itself takes. */
void host_take_events(struct cpu *cpu);

/* tlb.c */
void tlb_init(struct tlb *tlb);
void tlb_fini(struct tlb *tlb);
void tlb_flush_all(struct cpu *cpu);
void tlb_flush_asid(struct cpu *cpu, uint32_t asid);
/* Translate: true, and *hpa and *prot; false, and *fault. */
bool tlb_translate(struct cpu *cpu, const struct translation_key *key, svm_gpa_t gpa,
                   uint32_t access, struct hosted_touch *touch);
bool revoked_since(struct hosted_machine *m, svm_hpa_t root, svm_gpa_t gpa, uint64_t number);

/* linear.c */
struct linear_entry *linear_find(struct cpu *cpu, const struct translation_key *key, svm_gva_t gva);
void linear_insert(struct cpu *cpu, const struct linear_entry *entry);
void linear_flush(struct cpu *cpu, uint32_t asid, bool globals_too);
void linear_flush_page(struct cpu *cpu, uint32_t asid, svm_gva_t gva);

/* walk.c: a walk of the nested tables that changes nothing ... */
void walk_nested(struct cpu *cpu, svm_hpa_t root, svm_gpa_t gpa, uint32_t access,
                 struct walk *walk);
/* ... and setting A and D along it; false: an entry changed meanwhile, walk again. */
bool walk_mark(const struct walk *walk, bool is_write);

/* clean.c: the processor's copy of a VMCB, merged by clean bits. */
struct kept_vmcb *vmcb_load(struct cpu *cpu, svm_hpa_t hpa, struct svm_vmcb *memory);
void kept_fini(struct cpu *cpu);

/* vmrun_checks.c: NULL, or the rule that is broken. */
const char *vmrun_check(struct cpu *cpu, const struct svm_vmcb *v);

/* vmrun.c */
void vmload(struct cpu *cpu, svm_hpa_t hpa);
void vmsave(struct cpu *cpu, svm_hpa_t hpa);
void vmrun(struct cpu *cpu, svm_hpa_t hpa);

/* exit.c */
void guest_exit(struct cpu *cpu, uint64_t code, uint64_t info_1, uint64_t info_2);
bool intercepted(const struct cpu *cpu, unsigned int code);
void vmexit_store(struct cpu *cpu, struct svm_vmcb *memory);
void vmexit_invalid(struct cpu *cpu, struct svm_vmcb *memory);

/* guest.c */
void guest_run(struct cpu *cpu);

/* deliver.c: events through the guest's IDT.  After each, guest.exiting may be set. */
void guest_deliver(struct cpu *cpu, uint64_t event, uint64_t return_rip);
void guest_fault(struct cpu *cpu, unsigned int vector, uint32_t error, uint64_t address);

/* breakpoint.c: the bits of DR6 of what an instruction, or an access of one, hits. */
uint64_t breakpoint_at(const struct cpu *cpu, svm_gva_t gva);
uint64_t breakpoint_on(const struct cpu *cpu, svm_gva_t gva, size_t size, bool is_write);

/* access.c: memory as the guest sees it.  False: a fault or an exit is on its way. */
enum guest_segment { GUEST_ES, GUEST_CS, GUEST_SS, GUEST_DS, GUEST_FS, GUEST_GS };
struct guest_access {
	uint32_t prot; /* SVM_PROT_* */
	bool system;   /* Descriptor tables, TSS: supervisor whatever the CPL. */
};
bool guest_linear(struct cpu *cpu, svm_gva_t gva, void *data, size_t size,
                  struct guest_access access);
bool guest_physical(struct cpu *cpu, svm_gpa_t gpa, struct guest_access access, bool is_walk,
                    svm_hpa_t *hpa);
bool guest_segmented(struct cpu *cpu, enum guest_segment segment, uint64_t offset, void *data,
                     size_t size, uint32_t prot);
size_t guest_fetch(struct cpu *cpu, uint8_t *bytes, size_t size);

/* translate.c */
bool guest_translate(struct cpu *cpu, svm_gva_t gva, struct guest_access access, svm_gpa_t *gpa);

bool guest_is_long(const struct cpu *cpu);
/* 16, 32 or 64: width of the code segment. */
int guest_code_bits(const struct cpu *cpu);

/* insn.c */
struct guest_insn {
	uint8_t bytes[15];
	uint8_t length, count; /* Of the instruction; of the bytes fetched. */
	uint8_t rex, modrm;
	uint16_t opcode; /* 0Fxxh for the second map. */
	bool opsize, addrsize, rep, repne, lock;
	uint8_t operand;      /* Bytes: 1, 2, 4, 8. */
	uint8_t address_size; /* Bytes: 2, 4, 8. */
	unsigned reg, rm;     /* With REX. */
	enum guest_segment segment;
	bool memory; /* rm is memory at `address`, an offset in the segment. */
	uint64_t address;
	uint64_t imm;
};
/* False: #UD is due if bytes were fetched; else a fault or an exit is on its way. */
bool guest_decode(struct cpu *cpu, struct guest_insn *insn);

/*
 * exec*.c: one instruction; RIP is advanced unless it faulted or exited.  The order of fault and
 * intercept is the manual's (15.9 to 15.14): it decides whether the monitor owes the fault.
 */
void guest_execute(struct cpu *cpu, const struct guest_insn *insn);
void guest_execute_system(struct cpu *cpu, const struct guest_insn *insn);
void guest_port_io(struct cpu *cpu, const struct guest_insn *insn);
void guest_soft_interrupt(struct cpu *cpu, const struct guest_insn *insn);
void guest_pause(struct cpu *cpu, const struct guest_insn *insn);
void guest_read_cr(struct cpu *cpu, const struct guest_insn *insn);
void guest_write_cr(struct cpu *cpu, const struct guest_insn *insn);
void guest_move_dr(struct cpu *cpu, const struct guest_insn *insn, bool is_write);
/* SMSW (4), LMSW (6), CLTS (0) with a register. */
void guest_machine_status(struct cpu *cpu, const struct guest_insn *insn, unsigned int op);
void guest_set_register(struct cpu *cpu, unsigned int n, uint64_t value, unsigned int size);
uint64_t guest_truncate(uint64_t value, unsigned int size);
void guest_advance(struct cpu *cpu, const struct guest_insn *insn);
/* Take the intercept, with the next RIP; true: it exited. */
bool guest_intercept(struct cpu *cpu, const struct guest_insn *insn, unsigned int code,
                     uint64_t info_1, uint64_t info_2);

#endif
