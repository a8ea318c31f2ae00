/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guest memory: pages of the process, found on the first touch and never held.
 *
 * A touch asks for the page without sleeping; where that fails the run comes back, the thread
 * faults it in and runs again.  The reference to the page is given back at once: an MMU notifier
 * says before the kernel takes a page away, and svm_vm_invalidate_begin() returns when no CPU can
 * reach it any more (guest_notifier.c).  So nothing is pinned, and swap, KSM, migration and
 * madvise() work as for any memory.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/page-flags.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "guest.h"
#include "hal.h"
#include "trace.h"

/* --- the page behind an address --------------------------------------------------------------- */

/*
 * Linux would take the page for clean that the guest writes to behind its page tables.  That it is
 * in use the look without sleep has noted already; a second note would move the page to another of
 * reclaim's lists, for a third of what a fault costs.
 */
static svm_hpa_t use_page(struct page *page, bool writable)
{
	const svm_hpa_t hpa = page_to_phys(page);

	if (writable && !PageReserved(page))
		SetPageDirty(page);
	put_page(page);
	return hpa;
}

/*
 * How much is mapped around a page of the process by one entry of its tables, 4 KiB at least.  With
 * interrupts off nobody frees a table that is looked at.  That nothing changes behind it is the
 * business of the notifier, which waits for the callback that asks this.
 */
static u64 size_around(struct mm_struct *mm, unsigned long hva)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	if (pgd_none(pgd))
		return PAGE_SIZE;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return PAGE_SIZE;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return PAGE_SIZE;
	if (pud_leaf(pud))
		return PUD_SIZE;
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	return pmd_present(pmd) && pmd_leaf(pmd) ? PMD_SIZE : PAGE_SIZE;
}

/* What a large leaf may hold: the part that lies in the same way in the guest and the process. */
static void widen(const struct guest_slot *slot, unsigned long hva, struct svm_resolved_page *page)
{
	unsigned long flags;

	if ((slot->gpa ^ slot->hva) & (PMD_SIZE - 1))
		return;
	local_irq_save(flags);
	page->size = size_around(current->mm, hva);
	local_irq_restore(flags);
	if ((slot->gpa ^ slot->hva) & (page->size - 1))
		page->size = PMD_SIZE;
	page->hpa &= ~(page->size - 1);
}

static bool get_page_now(const struct guest_slot *slot, unsigned long hva, bool write,
                         struct svm_resolved_page *page)
{
	struct page *found;

	if (get_user_pages_fast_only(hva, 1, write ? FOLL_WRITE : 0, &found) != 1)
		return false;
	page->hpa = use_page(found, write);
	page->size = PAGE_SIZE;
	page->prot = write ? SVM_PROT_ALL : SVM_PROT_READ | SVM_PROT_EXECUTE;
	if (PageCompound(found))
		widen(slot, hva, page);
	return true;
}

static struct guest_page *place_of(struct guest_memory *memory, svm_gpa_t gpa)
{
	return &memory->pages[(gpa >> PAGE_SHIFT) % GUEST_PAGES];
}

/* What was found while sleeping is for reading only, such as the page of zeros. */
static bool get_page_found(struct guest_memory *memory, svm_gpa_t gpa,
                           struct svm_resolved_page *page)
{
	const struct guest_page *const found = place_of(memory, gpa);
	bool good;

	spin_lock(&memory->lock);
	good = found->sequence == memory->sequence && found->gpa == (gpa & PAGE_MASK);
	page->hpa = found->hpa;
	spin_unlock(&memory->lock);
	page->size = PAGE_SIZE;
	page->prot = SVM_PROT_READ | SVM_PROT_EXECUTE;
	return good;
}

/* A read takes a page that can be written where there is one: the write will come. */
static enum svm_resolve_result resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                       struct svm_resolved_page *page)
{
	const struct guest_slot *const slot = arg;
	const unsigned long hva = slot->hva + ((gpa & PAGE_MASK) - slot->gpa);
	const bool writable = !(slot->flags & KVM_MEM_READONLY);

	if (writable && get_page_now(slot, hva, true, page))
		return SVM_RESOLVE_MAPPED;
	if (!(access & SVM_PROT_WRITE) &&
	    (get_page_now(slot, hva, false, page) || get_page_found(slot->memory, gpa, page)))
		return SVM_RESOLVE_MAPPED;
	return SVM_RESOLVE_AGAIN;
}

static const struct guest_slot *slot_at(const struct guest_memory *memory, svm_gpa_t gpa)
{
	unsigned int i;

	for (i = 0; i < GUEST_SLOTS; i++) {
		const struct guest_slot *slot = &memory->slots[i];

		if (gpa >= slot->gpa && gpa - slot->gpa < slot->size)
			return slot;
	}
	return NULL;
}

static void keep(struct guest_memory *memory, svm_gpa_t gpa, svm_hpa_t hpa, u64 sequence)
{
	spin_lock(&memory->lock);
	*place_of(memory, gpa) = (struct guest_page){ gpa & PAGE_MASK, hpa, sequence };
	spin_unlock(&memory->lock);
}

static int fault_in(struct guest_memory *memory, svm_gpa_t gpa, unsigned long hva, bool write,
                    u64 sequence)
{
	const unsigned int flags = FOLL_HWPOISON | (write ? FOLL_WRITE : 0);
	struct page *page;
	const long got = get_user_pages_unlocked(hva, 1, &page, flags);

	/* As if the VMM had touched it: the signal ends the run, and the guest touches it again. */
	if (got == -EHWPOISON) {
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)hva, PAGE_SHIFT, current);
		return 0;
	}
	if (got != 1)
		return got < 0 && got != -EFAULT ? (int)got : -EFAULT;
	if (!write)
		keep(memory, gpa, page_to_phys(page), sequence);
	put_page(page);
	return 0;
}

int guest_memory_fault(struct guest *guest, svm_gpa_t gpa, u32 access)
{
	const struct guest_slot *slot;
	unsigned long hva = 0;
	bool write = false;
	u64 sequence;
	int error = 0;

	spin_lock(&guest->memory.lock);
	sequence = guest->memory.invalidations ? 0 : guest->memory.sequence;
	slot = slot_at(&guest->memory, gpa);
	if (slot) {
		hva = slot->hva + ((gpa & PAGE_MASK) - slot->gpa);
		write = (access & SVM_PROT_WRITE) && !(slot->flags & KVM_MEM_READONLY);
	}
	spin_unlock(&guest->memory.lock);
	/* Gone by now: the guest runs into the hole at its next try. */
	if (slot)
		error = fault_in(&guest->memory, gpa, hva, write, sequence);
	trace_libsvm_page_fault(gpa, access, hva, error);
	return error;
}

/* --- slots ------------------------------------------------------------------------------------ */

static void store(struct guest_memory *memory, struct guest_slot *slot,
                  const struct guest_slot *value)
{
	spin_lock(&memory->lock);
	while (memory->invalidations) {
		spin_unlock(&memory->lock);
		wait_event(memory->quiet, !READ_ONCE(memory->invalidations));
		spin_lock(&memory->lock);
	}
	memory->sequence++; /* Other pages may be behind the same addresses. */
	*slot = *value;
	spin_unlock(&memory->lock);
}

static int set_dirty_log(struct guest *guest, const struct guest_slot *slot)
{
	const bool on = slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
	int error = svm_vm_dirty_log(guest->vm, slot->gpa, on ? SVM_DIRTY_PROTECT : SVM_DIRTY_OFF);

	if (!error && on && guest->begins_dirty)
		error = svm_vm_dirty_mark(guest->vm, slot->gpa, slot->size >> PAGE_SHIFT);
	return error;
}

static int add(struct guest *guest, struct guest_slot *slot, const struct guest_slot *value)
{
	const bool readonly = value->flags & KVM_MEM_READONLY;
	const struct svm_slot added = {
		.gpa = value->gpa,
		.size = value->size,
		.prot = readonly ? SVM_PROT_READ | SVM_PROT_EXECUTE : SVM_PROT_ALL,
		.kind = SVM_SLOT_RESOLVE,
		.resolve = resolve,
		.resolve_arg = slot,
	};
	const struct guest_slot none = { 0 };
	unsigned int tries = 0;
	int error;

	store(&guest->memory, slot, value);
	do {
		error = svm_vm_slot_add(guest->vm, &added);
	} while (error == SVM_ERR_NOMEM && tries++ < 3 && hal_reclaim(1));
	if (!error && (value->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
		error = set_dirty_log(guest, value);
		if (error && svm_vm_slot_remove(guest->vm, value->gpa))
			return -EIO;
	}
	if (error)
		store(&guest->memory, slot, &none);
	return hal_errno(error);
}

static int remove_slot(struct guest *guest, struct guest_slot *slot)
{
	const struct guest_slot none = { 0 };
	unsigned int tries = 0;
	int error;

	do {
		error = svm_vm_slot_remove(guest->vm, slot->gpa);
	} while (error == SVM_ERR_NOMEM && tries++ < 3 && hal_reclaim(1));
	if (!error)
		store(&guest->memory, slot, &none);
	return hal_errno(error);
}

/* Moving is removing and adding; the guest may find a hole between the two. */
static int move(struct guest *guest, struct guest_slot *slot, const struct guest_slot *value)
{
	const struct guest_slot old = *slot;
	int error = remove_slot(guest, slot);

	if (error)
		return error;
	error = add(guest, slot, value);
	if (error && add(guest, slot, &old))
		return -EIO;
	return error;
}

static int change(struct guest *guest, struct guest_slot *slot, const struct guest_slot *value)
{
	if (value->size != slot->size || value->hva != slot->hva ||
	    ((value->flags ^ slot->flags) & KVM_MEM_READONLY))
		return -EINVAL;
	if (value->gpa != slot->gpa)
		return move(guest, slot, value);
	if (value->flags == slot->flags)
		return 0;
	store(&guest->memory, slot, value);
	return hal_errno(set_dirty_log(guest, value));
}

static bool is_legal(const struct kvm_userspace_memory_region *r)
{
	u64 end;

	if (r->slot >= GUEST_SLOTS || (r->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)))
		return false;
	if ((r->memory_size | r->guest_phys_addr | r->userspace_addr) & ~PAGE_MASK)
		return false;
	if (check_add_overflow(r->guest_phys_addr, r->memory_size, &end))
		return false;
	return access_ok((void __user *)(unsigned long)r->userspace_addr, r->memory_size);
}

static bool overlaps_another(const struct guest_memory *memory, const struct guest_slot *self,
                             const struct guest_slot *value)
{
	unsigned int i;

	for (i = 0; i < GUEST_SLOTS; i++) {
		const struct guest_slot *const slot = &memory->slots[i];

		if (slot != self && slot->size && value->gpa < slot->gpa + slot->size &&
		    slot->gpa < value->gpa + value->size)
			return true;
	}
	return false;
}

int guest_memory_set(struct guest *guest, const struct kvm_userspace_memory_region *region)
{
	const struct guest_slot value = {
		.gpa = region->guest_phys_addr,
		.size = region->memory_size,
		.memory = &guest->memory,
		.hva = region->userspace_addr,
		.flags = region->flags,
	};
	struct guest_slot *slot;
	int error;

	if (!is_legal(region))
		return -EINVAL;
	slot = &guest->memory.slots[array_index_nospec(region->slot, GUEST_SLOTS)];
	mutex_lock(&guest->lock);
	if (!value.size)
		error = slot->size ? remove_slot(guest, slot) : -EINVAL;
	else if (overlaps_another(&guest->memory, slot, &value))
		error = -EEXIST;
	else if (slot->size)
		error = change(guest, slot, &value);
	else
		error = add(guest, slot, &value);
	mutex_unlock(&guest->lock);
	return error;
}

/* KVM's least.  A limit of tables has a meaning only for shadow paging: it is kept, no more. */
#define MMU_PAGES_LEAST 64u

int guest_memory_limit(struct guest *guest, unsigned long pages)
{
	if (pages < MMU_PAGES_LEAST || pages > U32_MAX)
		return -EINVAL;
	WRITE_ONCE(guest->mmu_pages, (u32)pages);
	return 0;
}
