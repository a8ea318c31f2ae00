/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The dirty log of a slot, for user space that sends or saves the guest's memory.
 *
 * Asking takes the pages out of the log and protects them again.  User space that clears the log
 * itself (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) is only shown it: what was taken out is put back, and
 * what it then names is taken out for good.  A write in between is in the log all the time.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "guest.h"
#include "hal.h"

/* Larger requests are answered, but in parts. */
#define DIRTY_CHUNK 4096u

static svm_gpa_t address(const struct guest_slot *slot, u64 page)
{
	return slot->gpa + (page << PAGE_SHIFT);
}

/* Back into the log: pages of a chunk that begins at @first. */
static int put_back(struct guest *guest, const struct guest_slot *slot, u64 first, u64 count,
                    const unsigned long *chunk)
{
	unsigned long from, to;
	int error = 0;

	for_each_set_bitrange(from, to, chunk, count) {
		error = svm_vm_dirty_mark(guest->vm, address(slot, first + from), to - from);
		if (error)
			break;
	}
	return hal_errno(error);
}

static int copy_log(struct guest *guest, const struct guest_slot *slot, unsigned long *chunk,
                    u8 __user *bitmap)
{
	const u64 pages = slot->size >> PAGE_SHIFT;
	u64 page;

	for (page = 0; page < pages; page += 8 * DIRTY_CHUNK) {
		const u64 count = min(pages - page, (u64)8 * DIRTY_CHUNK);
		const size_t size = DIV_ROUND_UP(count, 64) * 8; /* The user's words are of 64. */
		bool failed;
		int error;

		memset(chunk, 0, DIRTY_CHUNK);
		error = svm_vm_dirty_fetch(guest->vm, address(slot, page), count, (u8 *)chunk);
		if (error)
			return hal_errno(error);
		failed = copy_to_user(bitmap + page / 8, chunk, size);
		/* What was not told is not lost: the next call tells it. */
		if (failed || guest->clears_dirty_log)
			error = put_back(guest, slot, page, count, chunk);
		if (failed || error)
			return error ? error : -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* A slot that logs, for the holder of the VM's lock. */
static const struct guest_slot *slot_of(struct guest *guest, u32 number)
{
	const struct guest_slot *slot;

	if (number >= GUEST_SLOTS)
		return ERR_PTR(-EINVAL);
	slot = &guest->memory.slots[array_index_nospec(number, GUEST_SLOTS)];
	if (!slot->size || !(slot->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return ERR_PTR(-ENOENT);
	return slot;
}

int guest_dirty_get(struct guest *guest, void __user *user)
{
	const struct guest_slot *slot;
	struct kvm_dirty_log log;
	unsigned long *chunk;
	int error;

	if (copy_from_user(&log, user, sizeof(log)))
		return -EFAULT;
	chunk = kzalloc(DIRTY_CHUNK, GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	mutex_lock(&guest->lock);
	slot = slot_of(guest, log.slot);
	error = IS_ERR(slot) ? PTR_ERR(slot) : copy_log(guest, slot, chunk, log.dirty_bitmap);
	mutex_unlock(&guest->lock);
	kfree(chunk);
	return error;
}

/* --- clearing --------------------------------------------------------------------------------- */

/* Whole words, but at the end of the slot. */
static bool is_part(const struct guest_slot *slot, const struct kvm_clear_dirty_log *log)
{
	const u64 pages = slot->size >> PAGE_SHIFT;

	if (log->first_page % 64 || log->first_page > pages ||
	    log->num_pages > pages - log->first_page)
		return false;
	return log->num_pages % 64 == 0 || log->num_pages == pages - log->first_page;
}

static int clear_chunk(struct guest *guest, const struct guest_slot *slot, u64 first, u64 count,
                       unsigned long *named, unsigned long *logged)
{
	const int error = svm_vm_dirty_fetch(guest->vm, address(slot, first), count, (u8 *)logged);

	if (error)
		return hal_errno(error);
	bitmap_andnot(logged, logged, named, (unsigned int)count);
	return put_back(guest, slot, first, count, logged);
}

static int clear_log(struct guest *guest, const struct guest_slot *slot,
                     const struct kvm_clear_dirty_log *log, unsigned long *chunks)
{
	unsigned long *const logged = chunks + DIRTY_CHUNK / sizeof(long);
	const u8 __user *const bitmap = log->dirty_bitmap;
	u64 page;

	for (page = 0; page < log->num_pages; page += 8 * DIRTY_CHUNK) {
		const u64 count = min(log->num_pages - page, (u64)8 * DIRTY_CHUNK);
		int error;

		memset(chunks, 0, 2 * DIRTY_CHUNK);
		if (copy_from_user(chunks, bitmap + page / 8, DIV_ROUND_UP(count, 8)))
			return -EFAULT;
		error = clear_chunk(guest, slot, log->first_page + page, count, chunks, logged);
		if (error)
			return error;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int guest_dirty_clear(struct guest *guest, void __user *user)
{
	const struct guest_slot *slot;
	struct kvm_clear_dirty_log log;
	unsigned long *chunks;
	int error;

	if (copy_from_user(&log, user, sizeof(log)))
		return -EFAULT;
	chunks = kmalloc(2 * DIRTY_CHUNK, GFP_KERNEL_ACCOUNT);
	if (!chunks)
		return -ENOMEM;
	mutex_lock(&guest->lock);
	slot = slot_of(guest, log.slot);
	if (IS_ERR(slot))
		error = PTR_ERR(slot);
	else
		error = is_part(slot, &log) ? clear_log(guest, slot, &log, chunks) : -EINVAL;
	mutex_unlock(&guest->lock);
	kfree(chunks);
	return error;
}
