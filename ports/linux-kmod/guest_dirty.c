/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The dirty log of a slot, for user space that sends or saves the guest's memory.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "guest.h"
#include "hal.h"

/* Larger requests are answered, but in parts. */
#define DIRTY_CHUNK 4096u

static int copy_log(struct guest *guest, const struct guest_slot *slot, u8 *chunk,
                    u8 __user *bitmap)
{
	const u64 pages = slot->size >> PAGE_SHIFT;
	u64 page;

	for (page = 0; page < pages; page += 8 * DIRTY_CHUNK) {
		const u64 count = min(pages - page, (u64)8 * DIRTY_CHUNK);
		const size_t size = DIV_ROUND_UP(count, 64) * 8; /* The user's words are of 64. */
		int error;

		memset(chunk, 0, DIRTY_CHUNK);
		error = svm_vm_dirty_fetch(guest->vm, slot->gpa + (page << PAGE_SHIFT), count,
		                           chunk);
		if (error)
			return hal_errno(error);
		if (copy_to_user(bitmap + page / 8, chunk, size)) {
			/* They are not lost: the next call tells them. */
			if (svm_vm_dirty_mark(guest->vm, slot->gpa + (page << PAGE_SHIFT), count))
				return -EIO;
			return -EFAULT;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int guest_memory_dirty(struct guest *guest, const struct kvm_dirty_log *log)
{
	struct guest_slot *slot;
	u8 *chunk;
	int error = -ENOENT;

	if (log->slot >= GUEST_SLOTS)
		return -EINVAL;
	chunk = kzalloc(DIRTY_CHUNK, GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	slot = &guest->memory.slots[array_index_nospec(log->slot, GUEST_SLOTS)];
	mutex_lock(&guest->lock);
	if (slot->size && (slot->flags & KVM_MEM_LOG_DIRTY_PAGES))
		error = copy_log(guest, slot, chunk, log->dirty_bitmap);
	mutex_unlock(&guest->lock);
	kfree(chunk);
	return error;
}
