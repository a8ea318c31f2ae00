/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A port to copy: the five mandatory entries, log, and the questions that a kernel has to answer
 * before each is right.  hal.h of the library is the contract; svm_hal_check() finds most wrong
 * answers, and those that it cannot find are marked [unseen].
 *
 * Contexts: T may sleep.  A and I come from inside svm_vcpu_run(), perhaps with interrupts off, and
 * may not; I also from your interrupt handlers.
 */
#include "hal.h"

#include "host.h"

/*
 * T.  Does your allocator
 *	- give `count` frames that are contiguous in physical memory?  The library asks for one to
 *	  some ten at a time.  One that maps scattered frames in a row is the wrong one.
 *	- tell the physical address?  A virtual one ends in a VMCB, and VMRUN refuses it.
 *	- clear?  Most do not, so it is done here; drop the line if yours does.
 *	- give memory that is cached write-back, and not device memory? [unseen]
 *	- stay below what the processor can address, where it may also give memory of devices?
 * NULL is a good answer: the call that needed the frames fails, and nothing is half done.
 */
static void *hal_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	uint64_t physical;
	void *const frames = host_frames_take(count, &physical);

	(void)ctx;
	if (!frames)
		return NULL;
	*hpa = physical;
	return __builtin_memset(frames, 0, count * 4096);
}

/*
 * T.  You get the three values that you gave.  Does your allocator take all frames at once, or want
 * a logarithm or a call for each?  May it sleep?  It may here.
 */
static void hal_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	(void)ctx;
	host_frames_give(hva, hpa, count);
}

/*
 * A.  Is all memory mapped somewhere at all times?  Then this is an addition.  If your kernel maps
 * frames on demand: those of frames_alloc(), and all that you put into a slot of a guest, have to
 * be mapped while they are the library's; this must neither sleep nor take a lock. [unseen]
 * What about an address that is no memory?  NULL.
 */
static void *hal_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	return host_address_of(hpa);
}

/*
 * A.  Are your CPUs numbered from 0 without gaps?  APIC IDs are not: keep a table.  Can the thread
 * that calls svm_vcpu_run() move to another CPU meanwhile?  Then give preempt_off and preempt_on
 * too, or pin it. [unseen]
 */
static uint32_t hal_cpu_id(void *ctx)
{
	(void)ctx;
	return host_cpu();
}

/*
 * I.  Is there a vector whose handler does nothing but the EOI?  A reschedule IPI will do.
 *	- It must be maskable.  An NMI can be taken between the library's last look at what is
 *	  wanted and CLGI, and is lost; an interrupt stays pending and ends the run. [unseen]
 *	- Can it be sent to the sending CPU, and from an interrupt handler, without a lock that the
 *	  interrupted code may hold? [unseen]
 *	- Is the handler there on every CPU before svm_cpu_online()?
 */
static void hal_cpu_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	host_interrupt(cpu);
}

/* I.  Optional, and worth it: a refused table, a dead VM and a bug say so here alone. */
static void hal_log(void *ctx, enum svm_log_level level, const char *line)
{
	(void)ctx;
	if (level > SVM_LOG_INFO)
		return;
	host_print("libsvm: ");
	host_print(line);
	host_print("\n");
}

static struct svm_hal table = {
	.size = sizeof(struct svm_hal),
	.abi = SVM_HAL_ABI,
	.frames_alloc = hal_frames_alloc,
	.frames_free = hal_frames_free,
	.phys_to_virt = hal_phys_to_virt,
	.cpu_id = hal_cpu_id,
	.cpu_kick = hal_cpu_kick,
	.log = hal_log,
};

/*
 * What you leave out is answered for you: docs/porting.md, "Optional".  Ask yourself four things.
 *	- Does kernel code use the FPU in interrupt handlers?  Then fpu_begin and fpu_end.
 *	- Is interrupt state more than RFLAGS.IF to your kernel?  Then irq_save and irq_restore.
 *	- Is a spin lock held over an allocation wrong?  Then mutex_lock and mutex_unlock.
 *	- Shall a tick that changes nothing stay inside the run?  Then should_exit.
 */
const struct svm_hal *hal_table(void)
{
	table.cpu_max = host_cpu_count();
	table.tsc_hz = host_tsc_hz();
	return &table;
}
