/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes by the guest that become writes to an eventfd, and the guest goes on.
 *
 * A device's queue is kicked by each request, so the write is taken inside the library's run: its
 * address gets a callback.  There are few of those, and one for each address; whoever has none is
 * found when the write comes out as an exit, which is slower and no different.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/string.h>
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
	bool has_callback; /* Of the library's, which serves all of that address. */
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

/* --- callbacks -------------------------------------------------------------------------------- */

static enum svm_device_result port_written(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_io_access *access)
{
	const struct guest_write write = {
		.is_port = true,
		.address = access->port,
		.size = access->size,
		.value = access->value,
	};

	if (access->is_in || !guest_ioeventfd_write(arg, &write))
		return SVM_DEVICE_EXIT;
	return SVM_DEVICE_DONE;
}

static enum svm_device_result memory_written(void *arg, struct svm_vcpu *vcpu,
                                             struct svm_mmio_access *access)
{
	struct guest_write write = { .address = access->gpa, .size = access->size };

	if (!access->is_write || write.size > sizeof(write.value))
		return SVM_DEVICE_EXIT;
	memcpy(&write.value, access->data, write.size);
	return guest_ioeventfd_write(arg, &write) ? SVM_DEVICE_DONE : SVM_DEVICE_EXIT;
}

/* Controllers and the 8254, which may be made later, need theirs: these addresses, and so many. */
#define SPARED     8u
#define PORTS_FROM 0x500u
#define PORTS_END  0x10000u
#define APICS_FROM 0xfec00000u
#define APICS_TO   0xfeffffffu

/* Of one for any size: what notifiers of virtio write, which are 4 bytes apart at least. */
static u32 span_of(const struct guest_ioeventfd *e)
{
	return e->size ? e->size : 4;
}

static bool may_have_callback(const struct guest *guest, const struct guest_ioeventfd *e)
{
	const u32 most = (e->is_port ? SVM_IO_RANGE_MAX : SVM_MMIO_RANGE_MAX) - SPARED;

	if (guest->ioeventfd_callbacks[e->is_port] >= most)
		return false;
	if (e->is_port)
		return e->address >= PORTS_FROM && e->address + span_of(e) <= PORTS_END;
	return e->address + span_of(e) - 1 < APICS_FROM || e->address > APICS_TO;
}

static int set_callback(struct guest *guest, const struct guest_ioeventfd *e, bool on)
{
	if (e->is_port)
		return svm_vm_io_handler(guest->vm, (u16)e->address, span_of(e),
		                         on ? port_written : NULL, guest);
	return svm_vm_mmio_handler(guest->vm, e->address, span_of(e), on ? memory_written : NULL,
	                           guest);
}

/* Without one it works too. */
static int give_callback(struct guest *guest, void *arg)
{
	struct guest_ioeventfd *const e = arg;
	const int error = set_callback(guest, e, true);

	e->has_callback = !error;
	guest->ioeventfd_callbacks[e->is_port] += !error;
	return error == SVM_ERR_BUSY ? error : 0;
}

static int take_callback(struct guest *guest, void *arg)
{
	struct guest_ioeventfd *const e = arg;
	const int error = set_callback(guest, e, false);

	e->has_callback = error;
	guest->ioeventfd_callbacks[e->is_port] -= !error;
	return error;
}

static int begin_callback(struct guest *guest, struct guest_ioeventfd *e)
{
	return may_have_callback(guest, e) ? guest_while_stopped(guest, give_callback, e) : 0;
}

/* Under guest->lock, so the list stays.  Another of the same address needs one of its own now. */
static int end_callback(struct guest *guest, struct guest_ioeventfd *gone)
{
	struct guest_ioeventfd *e;
	int error;

	if (!gone->has_callback)
		return 0;
	error = guest_while_stopped(guest, take_callback, gone);
	list_for_each_entry(e, &guest->ioeventfds, link)
		if (!error && !e->has_callback && e->is_port == gone->is_port &&
		    e->address == gone->address)
			error = begin_callback(guest, e);
	return error;
}

/* --- calls ------------------------------------------------------------------------------------ */

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
		return error ? error : begin_callback(guest, wanted);
	}
	found = take(guest, wanted);
	free_ioeventfd(wanted);
	if (!found)
		return -ENOENT;
	error = end_callback(guest, found);
	free_ioeventfd(found);
	return error;
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
	mutex_lock(&guest->lock);
	error = change(guest, wanted, in.flags & KVM_IOEVENTFD_FLAG_DEASSIGN);
	mutex_unlock(&guest->lock);
	return error;
}

void guest_ioeventfd_stop(struct guest *guest)
{
	struct guest_ioeventfd *e, *next;

	list_for_each_entry_safe(e, next, &guest->ioeventfds, link)
		free_ioeventfd(e);
}
