/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_GUEST_H
#define LIBSVM_LINUX_GUEST_H
/*
 * A VM and its vCPUs as files of a process.
 *
 * The VM lives as long as one of its files: its own and each vCPU's hold a reference.  Only the
 * process that made it may use it, since its memory is that process's (mm below).
 *
 * Locks, outer before inner: guest_vcpu.lock, guest.lock, tsc_lock or clock_lock, memory.lock.  An
 * MMU notifier takes none of them but the last.
 */
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <libsvm/platform/paravirt.h>
#include <libsvm/vcpu.h>

#define GUEST_VCPUS 64u
#define GUEST_SLOTS SVM_SLOT_MAX
#define GUEST_ROUTES 1024u
#define GUEST_MCE_BANKS 32u

/* Habits of KVM's that user space can switch off, and reasons to show it an access to an MSR. */
#define GUEST_QUIRKS                                                                               \
	(KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | KVM_X86_QUIRK_FIX_HYPERCALL_INSN |                   \
	 KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)
#define GUEST_DIRTY_LOG (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET)
#define GUEST_X2APIC_API                                                                           \
	(KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
#define GUEST_MSR_EXITS                                                                            \
	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER)

struct guest_memory;

/* Memory of the process that the guest has at an address; size 0: not in use. */
struct guest_slot {
	struct guest_memory *memory;
	svm_gpa_t gpa;
	u64 size;
	unsigned long hva;
	u32 flags; /* KVM_MEM_*. */
};

/* A page that only the way that sleeps has found; good while the sequence is the memory's. */
struct guest_page {
	svm_gpa_t gpa;
	svm_hpa_t hpa;
	u64 sequence; /* 0: none. */
};

#define GUEST_PAGES 16u

struct guest_memory {
	struct guest_slot slots[GUEST_SLOTS];
	struct guest_page pages[GUEST_PAGES];
	u64 sequence; /* Grows with each invalidation; from 1. */
	spinlock_t lock; /* For all here; slots change only while invalidations is 0. */
	unsigned int invalidations; /* Notifiers between start and end. */
	wait_queue_head_t quiet;
	struct mmu_notifier notifier;
};

struct dentry;
struct seq_file;
struct guest_vcpu;
struct guest_apic;
struct guest_irq;
struct guest_msr_filter;

struct guest {
	struct kref references;
	struct mm_struct *mm;
	struct dentry *folder; /* In debugfs; may be an error. */
	struct svm_vm *vm;
	struct mutex lock; /* Slots, vCPUs, CPUID as calls change them. */
	struct guest_memory memory;
	struct guest_vcpu *vcpus[GUEST_VCPUS]; /* guest_vcpu_at() without the lock. */
	struct svm_cpuid_entry *cpuid; /* What the vCPUs were given; SVM_CPUID_MAX rows of room. */
	u32 cpuid_count;
	/* TSCs that are set to about the same are meant to be the same. */
	struct mutex tsc_lock; /* For these. */
	u64 tsc_value, tsc_at, tsc_offset;
	bool tsc_set;
	struct mutex clock_lock; /* For these. */
	u64 clock_base_tsc, clock_base_ns; /* Of the host's TSC, and the clock at that moment. */
	struct svm_paravirt paravirt;
	u32 boot_id; /* Of the vCPU that starts the machine. */
	u32 vcpu_ids; /* Limit that user space has set; 0: none. */
	u64 quirks_off; /* KVM_X86_QUIRK_*. */
	u64 msr_exits; /* KVM_MSR_EXIT_REASON_*. */
	u64 x2apic_api; /* KVM_X2APIC_API_*; what was switched on once stays. */
	bool hides_platform_info;
	u32 mmu_pages; /* What user space wants them to be; nested tables are small and few. */
	bool clears_dirty_log, begins_dirty; /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2. */
	struct guest_msr_filter *msr_filter; /* NULL: none. */
	struct kvm_coalesced_mmio_ring *ring; /* Third page of each vCPU's mapping. */
	spinlock_t zones_lock; /* For our end of the ring, and these. */
	struct list_head zones;
	u32 zone_count;
	spinlock_t ioeventfd_lock; /* For the two that follow. */
	struct list_head ioeventfds;
	u32 ioeventfd_count;
	u32 ioeventfd_callbacks[2]; /* In memory, at ports; under lock. */
	struct guest_irq *irq; /* NULL: user space brings the interrupt controllers. */
};

/* What the guest's instruction waits for from user space. */
enum guest_debt { GUEST_OWES_NOTHING, GUEST_OWES_IO, GUEST_OWES_MMIO, GUEST_OWES_MSR };

/* Where a REP INS is; compared as bytes. */
struct guest_ins {
	u64 rip, left, to;
	u16 port;
	u8 size;
	u8 is_down;
	u32 reserved;
};

struct guest_vcpu {
	struct guest *guest;
	struct svm_vcpu *vcpu;
	struct guest_apic *apic; /* NULL: user space brings the interrupt controllers. */
	struct mutex lock; /* One ioctl at a time. */
#ifdef CONFIG_PREEMPT_NOTIFIERS
	struct preempt_notifier notifier; /* Of the thread that is in KVM_RUN. */
#endif
	struct kvm_run *run;
	void *io_data;  /* Second page of the mapping. */
	int interrupt;  /* Vector given by KVM_INTERRUPT or restored, or -1. */
	struct rcuwait wait; /* Here the thread of a halted or waiting vCPU sleeps. */
	u32 poll_ns, watched_ns; /* So long it watches by itself before; and has, since the HLT. */
	u32 kicks; /* hal_kicks() when the interrupt port was asked. */
	struct hrtimer timer; /* Its APIC's, armed for timer_ns of the kernel's clock. */
	u64 timer_ns;
	bool waits_for_init;    /* KVM's "uninitialised". */
	bool is_halted;         /* By user space, without a HLT. */
	bool stays;             /* Loaded between two runs of a KVM_RUN. */
	bool wants_window;      /* Return when an interrupt of user space could be taken. */
	enum guest_debt debt;
	struct svm_exit exit; /* That the debt is from. */
	struct guest_ins ins; /* The element that comes next. */
	void *ins_data;       /* Elements that user space has given: a page. */
	u32 ins_next, ins_count;
	u8 mmio_data[SVM_MMIO_DATA_MAX];
	u32 mmio_done;
	u64 tsc_offset, tsc_adjust; /* The offset is read by others. */
	u64 misc_enable, platform_info, power_ctl;
	bool monitor_by_msr; /* Who decides whether there is MONITOR: misc_enable, or CPUID. */
	struct svm_paravirt_vcpu paravirt;
	u32 clock_tries; /* To write the clock's page; 0: it is up to date. */
	u64 mcg_cap, mcg_status, mcg_ctl, mce_banks[4 * GUEST_MCE_BANKS];
	bool mce_ends_it; /* A machine check has met a processor that takes none. */
	u32 debug; /* KVM_GUESTDBG_* in force. */
	u64 debug_dr7; /* Of the breakpoints in force, where they are user space's. */
	/* The INT3 that user space was told of last, and whether the guest is to have its #BP. */
	u64 int3_rip, int3_next;
	bool owes_int3;
	spinlock_t explanation_lock; /* For the page alone. */
	char *explanation; /* Of the last bad end; NULL: none. */
	struct kvm_vcpu *task; /* KVM's, for the kernel's loop. */
	sigset_t mask; /* Signals that are blocked during a KVM_RUN, if it has_mask. */
	bool has_mask;
	void *xsave; /* Room for svm_features.xsave_size. */
	u32 xsave_size;
};

extern struct svm_host *guest_host;

/* NULL: not made yet.  Any thread; a vCPU lives as long as its VM. */
static inline struct guest_vcpu *guest_vcpu_at(const struct guest *guest, u32 id)
{
	/* Pairs with the release in publish(): what is behind the pointer is whole. */
	return smp_load_acquire(&guest->vcpus[array_index_nospec(id, GUEST_VCPUS)]);
}

/* guest.c */
int guest_create(unsigned long type);
struct guest *guest_get(struct guest *guest);
void guest_put(struct guest *guest);
/*
 * Make a change that no vCPU may run beside; SVM_ERR_BUSY from it means that one did, and it is
 * made again.  Its errors are the library's, the result is Linux's.  The caller holds the lock.
 */
int guest_while_stopped(struct guest *guest, int (*change)(struct guest *guest, void *arg),
                        void *arg);

/* guest_notifier.c; guest_memory_end() while the VM lives and no vCPU does. */
int guest_memory_start(struct guest *guest);
void guest_memory_end(struct guest *guest);

/* guest_memory.c */
int guest_memory_set(struct guest *guest, const struct kvm_userspace_memory_region *region);
/* Make what an access needs present.  May sleep. */
int guest_memory_fault(struct guest *guest, svm_gpa_t gpa, u32 access);

int guest_memory_limit(struct guest *guest, unsigned long pages);

/* guest_dirty.c */
int guest_dirty_get(struct guest *guest, void __user *user);
int guest_dirty_clear(struct guest *guest, void __user *user);

static inline bool guest_is_boot(const struct guest_vcpu *vcpu)
{
	return svm_vcpu_id(vcpu->vcpu) == vcpu->guest->boot_id;
}

/* guest_vcpu.c */
int guest_vcpu_create(struct guest *guest, unsigned long id);
void guest_vcpu_destroy(struct guest_vcpu *vcpu);

/*
 * guest_load.c: once for the module, and for a vCPU before its first run; and by the thread that is
 * in KVM_RUN, from when on the vCPU stays loaded between runs, and until when.
 */
void guest_load_start(void);
void guest_load_stop(void);
void guest_load_init(struct guest_vcpu *vcpu);
void guest_load_begin(struct guest_vcpu *vcpu);
void guest_load_stop_staying(struct guest_vcpu *vcpu);

static inline void guest_load_end(struct guest_vcpu *vcpu)
{
	if (vcpu->stays)
		guest_load_stop_staying(vcpu);
}

/* guest_run.c */
int guest_run(struct guest_vcpu *vcpu);
void guest_run_init(struct guest_vcpu *vcpu);
/* RIP is about to be set. */
void guest_run_moved(struct guest_vcpu *vcpu, u64 rip);

/* guest_io.c: at the exit, 0: user space is asked, 1: go on; and when it has answered. */
int guest_io(struct guest_vcpu *vcpu);
int guest_io_complete(struct guest_vcpu *vcpu);

/* guest_task.c; -EINTR where a signal is for user space, and the exit reason says so. */
int guest_task_init(struct guest_vcpu *vcpu);
void guest_task_fini(struct guest_vcpu *vcpu);
int guest_task_work(struct guest_vcpu *vcpu);
/* Signals that are blocked during a KVM_RUN: KVM_SET_SIGNAL_MASK.  Begin and end come in pairs. */
long guest_task_set_mask(struct guest_vcpu *vcpu, const void __user *user);
void guest_task_begin_mask(const struct guest_vcpu *vcpu);
void guest_task_end_mask(void);

/* guest_trace.c: before a run, of which it gives the number of the next exit, and behind it. */
u64 guest_trace_entry(struct guest_vcpu *vcpu);
void guest_trace_exits(struct guest_vcpu *vcpu, u64 next, int error);

/* guest_debugfs.c: a folder for the module, for a VM, and for a vCPU; none of them can fail. */
void guest_debugfs_start(void);
void guest_debugfs_stop(void);
void guest_debugfs_add(struct guest *guest);
void guest_debugfs_add_vcpu(struct guest_vcpu *vcpu);
/* Before anything of it ends: from now on nobody reads. */
void guest_debugfs_remove(struct guest *guest);

/* guest_explain.c; the first: the run ends with vcpu->exit, and nothing was done about it yet. */
void guest_explain(struct guest_vcpu *vcpu);
void guest_explain_show(struct guest_vcpu *vcpu, struct seq_file *seq);
void guest_explain_init(struct guest_vcpu *vcpu);
void guest_explain_fini(struct guest_vcpu *vcpu);

/* guest_sync.c: registers in the run page, before and after a run, if any are wanted there. */
static inline bool guest_sync_is_wanted(const struct guest_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->kvm_valid_regs) || READ_ONCE(vcpu->run->kvm_dirty_regs);
}

int guest_sync_take(struct guest_vcpu *vcpu);
void guest_sync_give(struct guest_vcpu *vcpu);

/* guest_events.c; "user" is a structure of KVM's. */
void guest_get_events(struct guest_vcpu *vcpu, struct kvm_vcpu_events *out);
int guest_set_events(struct guest_vcpu *vcpu, const struct kvm_vcpu_events *in);
long guest_events_get(struct guest_vcpu *vcpu, void __user *user);
long guest_events_set(struct guest_vcpu *vcpu, void __user *user);

/* guest_xsave.c; the size is that of the area of KVM_GET_XSAVE2. */
u32 guest_xsave_size(void);
long guest_xsave_get(struct guest_vcpu *vcpu, void __user *user);
long guest_xsave2_get(struct guest_vcpu *vcpu, void __user *user);
long guest_xsave_set(struct guest_vcpu *vcpu, void __user *user);
long guest_xcrs_get(struct guest_vcpu *vcpu, void __user *user);
long guest_xcrs_set(struct guest_vcpu *vcpu, void __user *user);

/*
 * guest_debug.c.  Exits of kind DEBUG and of INT n, as settle_debt(); and the same before a run.
 */
#define GUEST_DEBUG                                                                                \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP |                  \
	 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_INJECT_DB |                \
	 KVM_GUESTDBG_BLOCKIRQ)
void guest_debug_start(void); /* Before there are VMs. */
long guest_debug_set(struct guest_vcpu *vcpu, void __user *user);
int guest_debug_exit(struct guest_vcpu *vcpu);
int guest_debug_int(struct guest_vcpu *vcpu);
int guest_debug_settle(struct guest_vcpu *vcpu);
long guest_debugregs_get(struct guest_vcpu *vcpu, void __user *user);
long guest_debugregs_set(struct guest_vcpu *vcpu, void __user *user);

/*
 * guest_mp.c.  The first: 1, the guest may go on; 0: user space is told something; negative, an
 * error.  It sleeps while a vCPU with a local APIC in the kernel is halted or waits for its start.
 * States are KVM_MP_STATE_*.
 */
int guest_mp_settle(struct guest_vcpu *vcpu);
int guest_mp_get(struct guest_vcpu *vcpu, u32 *state);
int guest_mp_set(struct guest_vcpu *vcpu, u32 state);

/* guest_halt.c: wait until that is so; -EINTR: a signal came.  One thread at a time. */
int guest_halt_wait(struct guest_vcpu *vcpu, bool (*is_over)(struct guest_vcpu *vcpu));

/* Calls on a VM and on a vCPU that concern interrupt controllers; -ENOTTY: others. */
long guest_irq_vm_ioctl(struct guest *guest, unsigned int number, unsigned long arg);
long guest_irq_vcpu_ioctl(struct guest_vcpu *vcpu, unsigned int number, unsigned long arg);
/* KVM_CAP_SPLIT_IRQCHIP is enabled with so many pins of an I/O APIC. */
long guest_irq_split(struct guest *guest, u64 pins);
/* 0: not one of these, or not there. */
long guest_irq_capability(unsigned long cap);

/* A write of at most 8 bytes by the guest. */
struct guest_write {
	u64 address, value;
	u32 size;
	bool is_port;
};

/*
 * guest_coalesced.c; the second, where there are zones: that write waits in the ring now, and the
 * guest may go on.
 */
long guest_coalesced_zone(struct guest *guest, void __user *user, bool on);
bool guest_coalesced_write(struct guest *guest, const struct guest_write *write);
int guest_coalesced_start(struct guest *guest);
void guest_coalesced_stop(struct guest *guest);

/* guest_ioeventfd.c; the second: somebody waits for that write, and it is done. */
long guest_ioeventfd(struct guest *guest, void __user *user);
bool guest_ioeventfd_write(struct guest *guest, const struct guest_write *write);
void guest_ioeventfd_stop(struct guest *guest);

/* guest_irqfd.c: the module's life. */
int guest_irqfd_load(void);
void guest_irqfd_unload(void);

/* guest_state.c: KVM's structures from and to the library's.  Errors are Linux's. */
void guest_get_regs(struct guest_vcpu *vcpu, struct kvm_regs *out);
int guest_set_regs(struct guest_vcpu *vcpu, const struct kvm_regs *in);
void guest_get_sregs(struct guest_vcpu *vcpu, struct kvm_sregs *out);
int guest_set_sregs(struct guest_vcpu *vcpu, const struct kvm_sregs *in);
/* The vector of an interrupt on its way to the guest, or -1. */
int guest_waiting_interrupt(struct guest_vcpu *vcpu);
int guest_get_fpu(struct guest_vcpu *vcpu, struct kvm_fpu *out);
int guest_set_fpu(struct guest_vcpu *vcpu, const struct kvm_fpu *in);

/* guest_msr.c; the user's pointers are to the structures of KVM's header. */
int guest_msr_list(void __user *user);
int guest_get_msrs(struct guest_vcpu *vcpu, void __user *user);
int guest_set_msrs(struct guest_vcpu *vcpu, void __user *user);

/* guest_cpuid.c */
int guest_cpuid_supported(void __user *user);
int guest_cpuid_set(struct guest *guest, void __user *user);
int guest_cpuid_get(struct guest *guest, void __user *user);
enum guest_cpuid_word { GUEST_CPUID_EBX, GUEST_CPUID_ECX };
/* A register of subleaf 0 in what user space has set; 0 where it has set nothing. */
u32 guest_cpuid_word(struct guest *guest, u32 leaf, enum guest_cpuid_word word);

/* device.c */
long guest_capability(unsigned long cap);

#endif
