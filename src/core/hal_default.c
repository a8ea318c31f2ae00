/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What an optional HAL entry means when a port leaves it out.
 *
 * svm_hal_complete() fills the host's own copy of the table, so that no caller ever asks whether
 * an entry is there.  A default gets the port's context and ignores it.
 */
#include "core/hal_default.h"
#include "core/host.h"
#include "hal/ring0.h"

static void no_preempt(void *ctx)
{
	(void)ctx;
}

static uint64_t default_irq_save(void *ctx)
{
	(void)ctx;
	return svm_ring0_irq_save();
}

static void default_irq_restore(void *ctx, uint64_t flags)
{
	(void)ctx;
	svm_ring0_irq_restore(flags);
}

static void default_mutex_lock(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		svm_ring0_pause();
}

static void default_mutex_unlock(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static bool default_should_exit(void *ctx)
{
	(void)ctx;
	return true;
}

static void default_log(void *ctx, enum svm_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

static bool default_rdmsr_safe(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	*value = svm_ring0_rdmsr(msr);
	return true;
}

static bool default_wrmsr_safe(void *ctx, uint32_t msr, uint64_t value)
{
	(void)ctx;
	svm_ring0_wrmsr(msr, value);
	return true;
}

static void default_timer_arm(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	(void)deadline_ns;
}

static bool default_may_map(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	(void)ctx;
	(void)vm;
	(void)hpa;
	(void)count;
	return true;
}

static const struct svm_feature_mask show_all = { ~UINT32_C(0), ~UINT32_C(0), false };

const char *svm_hal_missing_entry(const struct svm_hal *hal)
{
	if (!hal->frames_alloc)
		return "frames_alloc";
	if (!hal->frames_free)
		return "frames_free";
	if (!hal->phys_to_virt)
		return "phys_to_virt";
	if (!hal->cpu_id)
		return "cpu_id";
	if (!hal->cpu_kick)
		return "cpu_kick";
	return NULL;
}

void svm_hal_complete(struct svm_hal *hal)
{
	if (!hal->preempt_off || !hal->preempt_on)
		hal->preempt_off = hal->preempt_on = no_preempt;
	if (!hal->irq_save || !hal->irq_restore) {
		hal->irq_save = default_irq_save;
		hal->irq_restore = default_irq_restore;
	}
	if (!hal->mutex_lock || !hal->mutex_unlock) {
		hal->mutex_lock = default_mutex_lock;
		hal->mutex_unlock = default_mutex_unlock;
	}
	if (!hal->should_exit)
		hal->should_exit = default_should_exit;
	if (!hal->log)
		hal->log = default_log;
	if (!hal->rdmsr_safe)
		hal->rdmsr_safe = default_rdmsr_safe;
	if (!hal->wrmsr_safe)
		hal->wrmsr_safe = default_wrmsr_safe;
	if (!hal->timer_arm)
		hal->timer_arm = default_timer_arm;
	if (!hal->may_map)
		hal->may_map = default_may_map;
	if (!hal->features)
		hal->features = &show_all;
}
