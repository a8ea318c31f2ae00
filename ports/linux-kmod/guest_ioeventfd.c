/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes by the guest that become writes to an eventfd, and the guest goes on.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "guest.h"

/* Of one VM. */
#define IOEVENTFDS_MAX 1000u

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
	if (!error && guest->ioeventfd_count >= IOEVENTFDS_MAX)
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
