/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Eventfds in the place of exits and of calls.
 *
 * An irqfd is an interrupt that somebody else's write to an eventfd raises: another thread, or
 * another part of the kernel.  We wait in the eventfd's queue and are called there with interrupts
 * off; whoever drives a line may be, so nothing is put off.  That is not so for the end of an
 * eventfd: it is told in the same way, but to leave a queue means to wait for its lock, so a kernel
 * thread does it.
 *
 * An ioeventfd is a write by the guest that becomes a write to an eventfd, and the guest goes on.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "guest_irq.h"

/* Of each kind for one VM. */
#define EVENTFDS_MAX 1000u

/* --- irqfd ------------------------------------------------------------------------------------ */

/* On irq->irqfds, or on its way out. */
struct guest_irqfd {
	struct list_head link;
	struct guest_irq *irq;
	struct eventfd_ctx *eventfd;
	u32 gsi;
	wait_queue_entry_t wait;
	poll_table table;
	struct work_struct end;
};

/* Ends are few, and whoever waits for them waits for all. */
static struct workqueue_struct *ends;

static void end_irqfd(struct work_struct *work)
{
	struct guest_irqfd *const irqfd = container_of(work, struct guest_irqfd, end);
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* Under the list's lock; afterwards nobody finds it. */
static void take_off(struct guest_irqfd *irqfd)
{
	list_del_init(&irqfd->link);
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

/* An edge: nobody will ever take the level back. */
static void raise(struct guest_irqfd *irqfd)
{
	struct guest_irq *const irq = irqfd->irq;
	const unsigned long flags = guest_irq_enter(irq);

	(void)guest_irq_set_gsi(irq, irqfd->gsi, GUEST_SOURCE_EVENTFD, true);
	(void)guest_irq_set_gsi(irq, irqfd->gsi, GUEST_SOURCE_EVENTFD, false);
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
	else if (irq->irqfd_count >= EVENTFDS_MAX)
		error = -ENOSPC;
	else
		list_add(&irqfd->link, &irq->irqfds);
	irq->irqfd_count += !error;
	spin_unlock_irq(&irq->irqfd_lock);
	return error;
}

/* What was written before is an interrupt too. */
static int assign(struct guest_irq *irq, struct file *file, u32 gsi)
{
	struct guest_irqfd *const irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	int error;

	if (!irqfd)
		return -ENOMEM;
	irqfd->irq = irq;
	irqfd->gsi = gsi;
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd)) {
		error = PTR_ERR(irqfd->eventfd);
		kfree(irqfd);
		return error;
	}
	INIT_WORK(&irqfd->end, end_irqfd);
	init_waitqueue_func_entry(&irqfd->wait, woken);
	init_poll_funcptr(&irqfd->table, enqueue);
	error = put_on(irq, irqfd);
	if (error) {
		eventfd_ctx_put(irqfd->eventfd);
		kfree(irqfd);
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
		error = assign(irq, compat_fd_file(file), wanted->gsi);
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

long guest_irqfd(struct guest_irq *irq, void __user *user)
{
	struct kvm_irqfd wanted;
	long result;

	if (copy_from_user(&wanted, user, sizeof(wanted)))
		return -EFAULT;
	if ((wanted.flags & ~KVM_IRQFD_FLAG_DEASSIGN) || wanted.gsi >= GUEST_GSIS)
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

/* --- ioeventfd -------------------------------------------------------------------------------- */

struct guest_ioeventfd {
	struct list_head link;
	struct eventfd_ctx *eventfd;
	u64 address, match;
	u32 size; /* 0: any. */
	bool is_port, has_match;
};

#define IOEVENTFD_FLAGS                                                                            \
	(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN)

static bool answers(const struct guest_ioeventfd *e, const struct guest_write *write)
{
	if (e->is_port != write->is_port || e->address != write->address)
		return false;
	if (e->size && e->size != write->size)
		return false;
	return !e->has_match || e->match == write->value;
}

bool guest_ioeventfd_write(struct guest *guest, const struct guest_write *write)
{
	const struct guest_ioeventfd *e;
	bool found = false;

	if (list_empty_careful(&guest->ioeventfds))
		return false;
	spin_lock(&guest->ioeventfd_lock);
	list_for_each_entry(e, &guest->ioeventfds, link) {
		if (!answers(e, write))
			continue;
		compat_eventfd_signal(e->eventfd);
		found = true;
		break;
	}
	spin_unlock(&guest->ioeventfd_lock);
	return found;
}

static bool is_legal(const struct kvm_ioeventfd *in)
{
	if (in->flags & ~IOEVENTFD_FLAGS)
		return false;
	if (in->len != 0 && in->len != 1 && in->len != 2 && in->len != 4 && in->len != 8)
		return false;
	if (in->addr + in->len < in->addr)
		return false;
	return in->len || !(in->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
}

static bool is_same(const struct guest_ioeventfd *a, const struct guest_ioeventfd *b)
{
	return a->is_port == b->is_port && a->address == b->address && a->size == b->size &&
	       a->has_match == b->has_match && a->match == b->match;
}

/* Two that one write would satisfy. */
static bool collide(const struct guest_ioeventfd *a, const struct guest_ioeventfd *b)
{
	return a->is_port == b->is_port && a->address == b->address &&
	       (!a->size || !b->size ||
	        (a->size == b->size &&
	         (!a->has_match || !b->has_match || a->match == b->match)));
}

static int add(struct guest *guest, struct guest_ioeventfd *wanted)
{
	const struct guest_ioeventfd *e;
	int error = 0;

	spin_lock(&guest->ioeventfd_lock);
	list_for_each_entry(e, &guest->ioeventfds, link)
		if (collide(e, wanted))
			error = -EEXIST;
	if (!error && guest->ioeventfd_count >= EVENTFDS_MAX)
		error = -ENOSPC;
	if (!error)
		list_add_tail(&wanted->link, &guest->ioeventfds);
	guest->ioeventfd_count += !error;
	spin_unlock(&guest->ioeventfd_lock);
	return error;
}

static struct guest_ioeventfd *take(struct guest *guest, const struct guest_ioeventfd *wanted)
{
	struct guest_ioeventfd *e, *next, *found = NULL;

	spin_lock(&guest->ioeventfd_lock);
	list_for_each_entry_safe(e, next, &guest->ioeventfds, link) {
		if (found || e->eventfd != wanted->eventfd || !is_same(e, wanted))
			continue;
		list_del(&e->link);
		guest->ioeventfd_count--;
		found = e;
	}
	spin_unlock(&guest->ioeventfd_lock);
	return found;
}

static void free_ioeventfd(struct guest_ioeventfd *e)
{
	eventfd_ctx_put(e->eventfd);
	kfree(e);
}

static long change(struct guest *guest, struct guest_ioeventfd *wanted, bool is_taken_away)
{
	struct guest_ioeventfd *found;
	long error;

	if (!is_taken_away) {
		error = add(guest, wanted);
		if (error)
			free_ioeventfd(wanted);
		return error;
	}
	found = take(guest, wanted);
	if (found)
		free_ioeventfd(found);
	free_ioeventfd(wanted);
	return found ? 0 : -ENOENT;
}

long guest_ioeventfd(struct guest *guest, void __user *user)
{
	struct guest_ioeventfd *wanted;
	struct kvm_ioeventfd in;
	long error;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (!is_legal(&in))
		return -EINVAL;
	wanted = kzalloc(sizeof(*wanted), GFP_KERNEL_ACCOUNT);
	if (!wanted)
		return -ENOMEM;
	*wanted = (struct guest_ioeventfd){
		.eventfd = eventfd_ctx_fdget(in.fd),
		.address = in.addr,
		.size = in.len,
		.is_port = in.flags & KVM_IOEVENTFD_FLAG_PIO,
		.has_match = in.flags & KVM_IOEVENTFD_FLAG_DATAMATCH,
	};
	if (wanted->has_match)
		wanted->match = in.datamatch;
	if (IS_ERR(wanted->eventfd)) {
		error = PTR_ERR(wanted->eventfd);
		kfree(wanted);
		return error;
	}
	return change(guest, wanted, in.flags & KVM_IOEVENTFD_FLAG_DEASSIGN);
}

void guest_ioeventfd_stop(struct guest *guest)
{
	struct guest_ioeventfd *e, *next;

	list_for_each_entry_safe(e, next, &guest->ioeventfds, link)
		free_ioeventfd(e);
}

/* --- the module's life ------------------------------------------------------------------------ */

int guest_eventfd_start(void)
{
	ends = alloc_workqueue("libsvm-irqfd", 0, 0);
	return ends ? 0 : -ENOMEM;
}

void guest_eventfd_stop(void)
{
	destroy_workqueue(ends);
}
