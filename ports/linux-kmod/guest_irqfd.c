/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Interrupts that somebody else's write to an eventfd raises: another thread, or another part of
 * the kernel.
 *
 * We wait in the eventfd's queue and are called there with interrupts off; whoever drives a line
 * may be, so nothing is put off.  That is not so for the end of an eventfd: it is told in the same
 * way, but to leave a queue means to wait for its lock, so a kernel thread does it.
 *
 * Most are edges.  One with a second eventfd is a level: high from the write on until the guest
 * ends an interrupt of that GSI, when it falls and the second eventfd is written, so that whoever
 * owns the device looks at it again.  Several such share a GSI as devices share a wire: all are
 * told.  The end is noticed under the controllers' lock, inside of which an eventfd's must not be
 * taken (it is outside of it when an interrupt is raised), so the telling follows when the lock is
 * given back; its list is read by RCU for the same reason.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "guest_irq.h"

/* Of one VM. */
#define IRQFDS_MAX 1000u

/* On irq->irqfds, or on its way out. */
struct guest_irqfd {
	struct list_head link;
	struct guest_irq *irq;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resample; /* NULL: an edge. */
	struct list_head resampler; /* On irq->resamplers. */
	bool owes_resample; /* The end is noticed and not told yet. */
	u32 gsi;
	wait_queue_entry_t wait;
	poll_table table;
	struct work_struct end;
};

/* Ends are few, and whoever waits for them waits for all. */
static struct workqueue_struct *ends;

static void free_irqfd(struct guest_irqfd *irqfd)
{
	if (irqfd->resample)
		eventfd_ctx_put(irqfd->resample);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* Nobody raises the level any more, and it falls unless it is another's too. */
static void end_level(struct guest_irqfd *irqfd)
{
	struct guest_irq *const irq = irqfd->irq;
	const struct guest_irqfd *other;
	bool is_shared = false;
	unsigned long flags;

	spin_lock_irq(&irq->irqfd_lock);
	list_for_each_entry(other, &irq->resamplers, resampler)
		is_shared = is_shared || other->gsi == irqfd->gsi;
	if (!is_shared) {
		flags = guest_irq_enter(irq);
		(void)guest_irq_set_gsi(irq, irqfd->gsi, GUEST_SOURCE_RESAMPLE, false);
		guest_irq_leave(irq, flags);
	}
	spin_unlock_irq(&irq->irqfd_lock);
}

static void end_irqfd(struct work_struct *work)
{
	struct guest_irqfd *const irqfd = container_of(work, struct guest_irqfd, end);
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	if (irqfd->resample) {
		end_level(irqfd);
		synchronize_rcu();
	}
	free_irqfd(irqfd);
}

/* Under the list's lock; afterwards nobody finds it. */
static void take_off(struct guest_irqfd *irqfd)
{
	list_del_init(&irqfd->link);
	if (irqfd->resample)
		list_del_rcu(&irqfd->resampler);
	irqfd->irq->irqfd_count--;
	queue_work(ends, &irqfd->end);
}

static void closed(struct guest_irqfd *irqfd)
{
	struct guest_irq *const irq = irqfd->irq;
	unsigned long flags;

	spin_lock_irqsave(&irq->irqfd_lock, flags);
	if (!list_empty(&irqfd->link))
		take_off(irqfd);
	spin_unlock_irqrestore(&irq->irqfd_lock, flags);
}

/* Of an edge nobody would ever take the level back. */
static void raise(struct guest_irqfd *irqfd)
{
	struct guest_irq *const irq = irqfd->irq;
	const unsigned long flags = guest_irq_enter(irq);

	if (irqfd->resample) {
		(void)guest_irq_set_gsi(irq, irqfd->gsi, GUEST_SOURCE_RESAMPLE, true);
	} else {
		(void)guest_irq_set_gsi(irq, irqfd->gsi, GUEST_SOURCE_EVENTFD, true);
		(void)guest_irq_set_gsi(irq, irqfd->gsi, GUEST_SOURCE_EVENTFD, false);
	}
	guest_irq_leave(irq, flags);
}

/* Under the lock of the eventfd's queue, interrupts off. */
static int woken(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct guest_irqfd *const irqfd = container_of(wait, struct guest_irqfd, wait);
	const __poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		raise(irqfd);
	}
	if (events & EPOLLHUP)
		closed(irqfd);
	return 0;
}

static void enqueue(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct guest_irqfd *const irqfd = container_of(table, struct guest_irqfd, table);

	add_wait_queue_priority(queue, &irqfd->wait);
}

static bool is_in_use(const struct guest_irq *irq, const struct eventfd_ctx *eventfd)
{
	const struct guest_irqfd *irqfd;

	list_for_each_entry(irqfd, &irq->irqfds, link)
		if (irqfd->eventfd == eventfd)
			return true;
	return false;
}

/* It is on the list before it can be called. */
static int put_on(struct guest_irq *irq, struct guest_irqfd *irqfd)
{
	int error = 0;

	spin_lock_irq(&irq->irqfd_lock);
	if (is_in_use(irq, irqfd->eventfd))
		error = -EBUSY;
	else if (irq->irqfd_count >= IRQFDS_MAX)
		error = -ENOSPC;
	else
		list_add(&irqfd->link, &irq->irqfds);
	if (!error && irqfd->resample)
		list_add_rcu(&irqfd->resampler, &irq->resamplers);
	irq->irqfd_count += !error;
	spin_unlock_irq(&irq->irqfd_lock);
	return error;
}

/* Both or neither. */
static int take_eventfds(struct guest_irqfd *irqfd, struct file *file,
                         const struct kvm_irqfd *wanted)
{
	struct eventfd_ctx *const eventfd = eventfd_ctx_fileget(file);
	struct eventfd_ctx *resample = NULL;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (wanted->flags & KVM_IRQFD_FLAG_RESAMPLE)
		resample = eventfd_ctx_fdget(wanted->resamplefd);
	if (IS_ERR(resample)) {
		eventfd_ctx_put(eventfd);
		return PTR_ERR(resample);
	}
	irqfd->eventfd = eventfd;
	irqfd->resample = resample;
	return 0;
}

/* What was written before is an interrupt too. */
static int assign(struct guest_irq *irq, struct file *file, const struct kvm_irqfd *wanted)
{
	struct guest_irqfd *const irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	int error;

	if (!irqfd)
		return -ENOMEM;
	irqfd->irq = irq;
	irqfd->gsi = wanted->gsi;
	error = take_eventfds(irqfd, file, wanted);
	if (error) {
		kfree(irqfd);
		return error;
	}
	INIT_WORK(&irqfd->end, end_irqfd);
	init_waitqueue_func_entry(&irqfd->wait, woken);
	init_poll_funcptr(&irqfd->table, enqueue);
	error = put_on(irq, irqfd);
	if (error) {
		free_irqfd(irqfd);
		return error;
	}
	if (vfs_poll(file, &irqfd->table) & EPOLLIN)
		raise(irqfd);
	return 0;
}

/* When it returns, no write raises the interrupt any more. */
static void deassign(struct guest_irq *irq, const struct eventfd_ctx *eventfd, u32 gsi)
{
	struct guest_irqfd *irqfd, *next;

	spin_lock_irq(&irq->irqfd_lock);
	list_for_each_entry_safe(irqfd, next, &irq->irqfds, link)
		if (irqfd->eventfd == eventfd && irqfd->gsi == gsi)
			take_off(irqfd);
	spin_unlock_irq(&irq->irqfd_lock);
	flush_workqueue(ends);
}

static int assign_file(struct guest_irq *irq, const struct kvm_irqfd *wanted)
{
	const struct fd file = fdget(wanted->fd);
	int error = -EBADF;

	if (compat_fd_file(file))
		error = assign(irq, compat_fd_file(file), wanted);
	fdput(file);
	return error;
}

static int deassign_file(struct guest_irq *irq, const struct kvm_irqfd *wanted)
{
	struct eventfd_ctx *const eventfd = eventfd_ctx_fdget(wanted->fd);

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	deassign(irq, eventfd, wanted->gsi);
	eventfd_ctx_put(eventfd);
	return 0;
}

#define IRQFD_FLAGS (KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE)

/* Which level has ended only controllers in the kernel know; else user space is told by exits. */
static bool is_legal(const struct guest_irq *irq, const struct kvm_irqfd *wanted)
{
	if ((wanted->flags & ~IRQFD_FLAGS) || wanted->gsi >= GUEST_GSIS)
		return false;
	return (wanted->flags & KVM_IRQFD_FLAG_DEASSIGN) || !irq->is_split ||
	       !(wanted->flags & KVM_IRQFD_FLAG_RESAMPLE);
}

long guest_irqfd(struct guest_irq *irq, void __user *user)
{
	struct kvm_irqfd wanted;
	long result;

	if (copy_from_user(&wanted, user, sizeof(wanted)))
		return -EFAULT;
	if (!is_legal(irq, &wanted))
		return -EINVAL;
	/* One at a time: what is half assigned nobody else may end.  Nor will its file. */
	mutex_lock(&irq->guest->lock);
	if (wanted.flags & KVM_IRQFD_FLAG_DEASSIGN)
		result = deassign_file(irq, &wanted);
	else
		result = assign_file(irq, &wanted);
	mutex_unlock(&irq->guest->lock);
	return result;
}

void guest_irqfd_stop(struct guest_irq *irq)
{
	struct guest_irqfd *irqfd, *next;

	spin_lock_irq(&irq->irqfd_lock);
	list_for_each_entry_safe(irqfd, next, &irq->irqfds, link)
		take_off(irqfd);
	spin_unlock_irq(&irq->irqfd_lock);
	flush_workqueue(ends);
}

/* --- ends of levels --------------------------------------------------------------------------- */

void guest_irqfd_ended(struct guest_irq *irq, u32 gsi)
{
	struct guest_irqfd *irqfd;

	rcu_read_lock();
	list_for_each_entry_rcu(irqfd, &irq->resamplers, resampler) {
		if (irqfd->gsi != gsi)
			continue;
		WRITE_ONCE(irqfd->owes_resample, true);
		irq->owes_resample = true;
	}
	rcu_read_unlock();
}

/* Another thread may tell of the end that we noticed, and we of its. */
void guest_irqfd_resample(struct guest_irq *irq)
{
	struct guest_irqfd *irqfd;

	rcu_read_lock();
	list_for_each_entry_rcu(irqfd, &irq->resamplers, resampler)
		if (xchg(&irqfd->owes_resample, false))
			compat_eventfd_signal(irqfd->resample);
	rcu_read_unlock();
}

/* --- the module's life ------------------------------------------------------------------------ */

int guest_irqfd_load(void)
{
	ends = alloc_workqueue("libsvm-irqfd", 0, 0);
	return ends ? 0 : -ENOMEM;
}

void guest_irqfd_unload(void)
{
	destroy_workqueue(ends);
}
