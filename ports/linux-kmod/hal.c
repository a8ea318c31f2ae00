/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The HAL of this port.
 *
 * Frames are taken without direct reclaim.  The library allocates under a lock of its VM, reclaim
 * unmaps pages of processes, and that ends in svm_vm_invalidate_begin(), which wants the same lock.
 * So a shortage comes back as SVM_ERR_NOMEM, and the port reclaims where it holds nothing.
 *
 * The FPU is the kernel's own kernel_fpu_begin().  It does not promise PKRU to be its own again:
 * Linux switches that register with the task and never restores it on the way to user space.
 *
 * Left out, with the library's default:
 *
 *	irq_save	it takes no lock with interrupts off: nothing for lockdep to know
 *	machine_check	the kernel exports no entry to its handler: the VM is DEAD
 *	timer_arm	a vCPU's timer tells it by itself, wherever it is (guest_timer.c)
 */
#include "hal.h"

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wait_bit.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include <asm/pkru.h>
#include <asm/tsc.h>

#include "compat.h"

#define FRAMES_GFP ((GFP_KERNEL_ACCOUNT & ~__GFP_DIRECT_RECLAIM) | __GFP_ZERO | __GFP_NOWARN)

static void *hal_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *const hva = alloc_pages_exact(count * PAGE_SIZE, FRAMES_GFP);

	if (hva)
		*hpa = virt_to_phys(hva);
	return hva;
}

static void hal_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	free_pages_exact(hva, count * PAGE_SIZE);
}

static void *hal_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	return pfn_valid(PHYS_PFN(hpa)) ? __va(hpa) : NULL;
}

static uint32_t hal_cpu_id(void *ctx)
{
	return raw_smp_processor_id();
}

DEFINE_PER_CPU(u32, hal_kick_count);

/* Two at once may count as one, which is news all the same. */
static void hal_cpu_kick(void *ctx, uint32_t cpu)
{
	u32 *const count = per_cpu_ptr(&hal_kick_count, cpu);

	WRITE_ONCE(*count, READ_ONCE(*count) + 1);
	/*
	 * A CPU that is in an interrupt takes one just now.  One that went offline is in no guest,
	 * and an IPI to it would be a warning.
	 */
	if (in_hardirq() && cpu == raw_smp_processor_id())
		return;
	if (cpu_online(cpu))
		smp_send_reschedule(cpu);
}

static void hal_preempt_off(void *ctx)
{
	preempt_disable();
}

/*
 * A run leaves in LDTR what was there when it began.  The process may have another table by then:
 * the kernel has told this CPU by an interrupt, between two entries into the guest, and has freed
 * the old one.  So what Linux wants to be there is loaded again before anybody else can use it.
 */
#ifdef CONFIG_MODIFY_LDT_SYSCALL

#define LDT_SLOT_SIZE (LDT_ENTRIES * LDT_ENTRY_SIZE)

/* The kernel's own function is not exported.  With PTI a table is mapped where user mode has it. */
static noinline void reload_ldt(const struct mm_struct *mm)
{
	const struct ldt_struct *ldt;
	unsigned long flags;

	local_irq_save(flags); /* Until they are on again nobody frees what is found here. */
	ldt = READ_ONCE(mm->context.ldt);
	if (!static_cpu_has(X86_FEATURE_PTI))
		native_set_ldt(ldt->entries, ldt->nr_entries);
	else if (ldt->slot == 0 || ldt->slot == 1)
		native_set_ldt((void *)(LDT_BASE_ADDR + ldt->slot * LDT_SLOT_SIZE),
		               ldt->nr_entries);
	else
		native_set_ldt(NULL, 0);
	local_irq_restore(flags);
}

static void follow_ldt(void)
{
	const struct mm_struct *const mm = current->mm;

	if (mm && unlikely(READ_ONCE(mm->context.ldt)))
		reload_ldt(mm);
}

#else

static void follow_ldt(void)
{
}

#endif

static void hal_preempt_on(void *ctx)
{
	follow_ldt();
	preempt_enable();
}

static DEFINE_PER_CPU(u32, host_pkru);

static void hal_fpu_begin(void *ctx)
{
	kernel_fpu_begin_mask(0); /* The guest's state comes whole: nothing to set up before. */
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		__this_cpu_write(host_pkru, rdpkru());
}

static void hal_fpu_end(void *ctx)
{
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		wrpkru(__this_cpu_read(host_pkru));
	kernel_fpu_end();
}

/*
 * Bit 0 of the word; the other bits stay 0, so that a free lock is the zero that hal.h wants.  The
 * first try is for suspend, where interrupts are off and nobody else runs.
 */
static void hal_mutex_lock(void *ctx, uintptr_t *lock)
{
	if (!test_and_set_bit_lock(0, lock))
		return;
	wait_on_bit_lock(lock, 0, TASK_UNINTERRUPTIBLE);
}

static void hal_mutex_unlock(void *ctx, uintptr_t *lock)
{
	clear_and_wake_up_bit(0, lock);
}

static bool hal_should_exit(void *ctx)
{
	return hal_task_has_work();
}

static void hal_log(void *ctx, enum svm_log_level level, const char *line)
{
	if (level == SVM_LOG_ERROR)
		pr_err_ratelimited("%s\n", line);
	else if (level == SVM_LOG_WARN)
		pr_warn_ratelimited("%s\n", line);
	else if (level == SVM_LOG_INFO)
		pr_info_ratelimited("%s\n", line);
	else
		pr_debug("%s\n", line);
}

/* Not WARN(): a guest must not decide what panic_on_warn does. */
static void hal_bug(void *ctx, const char *what)
{
	pr_err_ratelimited("libsvm found itself inconsistent: %s\n", what);
}

static uint64_t hal_clock_ns(void *ctx)
{
	return ktime_get_ns();
}

static bool hal_rdmsr_safe(void *ctx, uint32_t msr, uint64_t *value)
{
	unsigned long long read;

	if (rdmsrl_safe(msr, &read))
		return false;
	*value = read;
	return true;
}

static bool hal_wrmsr_safe(void *ctx, uint32_t msr, uint64_t value)
{
	return !wrmsrl_safe(msr, value);
}

static struct svm_hal table = {
	.size = sizeof(struct svm_hal),
	.abi = SVM_HAL_ABI,
	.frames_alloc = hal_frames_alloc,
	.frames_free = hal_frames_free,
	.phys_to_virt = hal_phys_to_virt,
	.cpu_id = hal_cpu_id,
	.cpu_kick = hal_cpu_kick,
	.preempt_off = hal_preempt_off,
	.preempt_on = hal_preempt_on,
	.fpu_begin = hal_fpu_begin,
	.fpu_end = hal_fpu_end,
	.mutex_lock = hal_mutex_lock,
	.mutex_unlock = hal_mutex_unlock,
	.should_exit = hal_should_exit,
	.log = hal_log,
	.bug = hal_bug,
	.clock_ns = hal_clock_ns,
	.rdmsr_safe = hal_rdmsr_safe,
	.wrmsr_safe = hal_wrmsr_safe,
};

const struct svm_hal *hal_table(void)
{
	if (!table.cpu_max) {
		table.cpu_max = nr_cpu_ids;
		table.tsc_hz = tsc_khz * UINT64_C(1000);
	}
	return &table;
}

int hal_errno(int error)
{
	switch (error) {
	case 0:
		return 0;
	case SVM_ERR_NOMEM:
		return -ENOMEM;
	case SVM_ERR_EXIST:
		return -EEXIST;
	case SVM_ERR_NOENT:
		return -ENOENT;
	case SVM_ERR_BUSY:
	case SVM_ERR_SVM_IN_USE:
		return -EBUSY;
	case SVM_ERR_FAULT:
		return -EFAULT;
	case SVM_ERR_AGAIN:
		return -EAGAIN;
	case SVM_ERR_NO_SVM:
	case SVM_ERR_NO_NPT:
	case SVM_ERR_SVM_DISABLED:
	case SVM_ERR_SVM_LOCKED:
	case SVM_ERR_SVM_LOCKED_KEY:
	case SVM_ERR_CPU_MISMATCH:
	case SVM_ERR_CPU_OFFLINE:
	case SVM_ERR_NOSUPPORT:
		return -EOPNOTSUPP;
	case SVM_ERR_DEAD:
		return -EIO;
	default:
		return -EINVAL;
	}
}

bool hal_reclaim(size_t frames)
{
	void *const memory = alloc_pages_exact(frames * PAGE_SIZE, GFP_KERNEL_ACCOUNT);

	if (!memory)
		return false;
	free_pages_exact(memory, frames * PAGE_SIZE);
	return !fatal_signal_pending(current);
}
