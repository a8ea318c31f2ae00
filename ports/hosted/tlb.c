/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Nested translations, tagged with an ASID and kept until the manual says that they go: by
 * TLB_CONTROL and by nothing else (APM vol. 2, 15.16).  Neither VMRUN nor #VMEXIT flushes.
 *
 * Two kinds are kept, as processors do: leaves with their whole size, so that one touch of a
 * 2 MiB page translates all of it, and pointers to lower tables.  A processor that misses walks
 * again before it faults, and walks again to set D, so those uses are never stale.
 *
 * Nothing is ever evicted for want of room before there are very many entries: a real processor
 * may keep any of them for any time.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define FIRST_SIZE 1024u
#define LAST_SIZE  (1u << 20)

void tlb_init(struct tlb *tlb)
{
	*tlb = (struct tlb){ .size = FIRST_SIZE, .linear_size = 1024, .sequence = 1 };
	tlb->entries = calloc(tlb->size, sizeof(*tlb->entries));
	tlb->linear = calloc(tlb->linear_size, sizeof(*tlb->linear));
	tlb->asid_flushed = calloc(TLB_ASIDS, sizeof(*tlb->asid_flushed));
	if (!tlb->entries || !tlb->linear || !tlb->asid_flushed)
		abort();
}

void tlb_fini(struct tlb *tlb)
{
	free(tlb->entries);
	free(tlb->linear);
	free(tlb->asid_flushed);
}

void tlb_flush_all(struct cpu *cpu)
{
	cpu->tlb.all_flushed = ++cpu->tlb.sequence;
	cpu->counts.flushes++;
}

void tlb_flush_asid(struct cpu *cpu, uint32_t asid)
{
	cpu->tlb.asid_flushed[asid % TLB_ASIDS] = ++cpu->tlb.sequence;
	cpu->counts.flushes++;
}

static bool is_kept(const struct tlb *tlb, const struct tlb_entry *e)
{
	return e->stamp && e->stamp >= tlb->all_flushed &&
	       e->stamp >= tlb->asid_flushed[e->asid % TLB_ASIDS];
}

static uint64_t covered(unsigned level)
{
	return UINT64_C(1) << (12 + 9 * (level - 1));
}

static size_t slot_of(const struct tlb *tlb, uint32_t asid, svm_gpa_t gpa, unsigned level,
                      bool is_table)
{
	uint64_t h = (gpa >> 12) + ((uint64_t)asid << 44) + ((uint64_t)level << 40) + is_table;

	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (h ^ h >> 29) >> 20 & (tlb->size - 1);
}

static struct tlb_entry *find(const struct tlb *tlb, uint32_t asid, svm_gpa_t gpa, unsigned level,
                              bool is_table)
{
	gpa &= ~(covered(level) - 1);
	for (size_t i = slot_of(tlb, asid, gpa, level, is_table);; i = (i + 1) & (tlb->size - 1)) {
		struct tlb_entry *e = &tlb->entries[i];

		if (!e->stamp)
			return NULL;
		if (e->gpa == gpa && e->asid == asid && e->level == level &&
		    e->is_table == is_table && is_kept(tlb, e))
			return e;
	}
}

/* The slot of the key, or one that can be used for it. */
static struct tlb_entry *place(struct tlb *tlb, const struct tlb_entry *key)
{
	struct tlb_entry *flushed = NULL;
	size_t i = slot_of(tlb, key->asid, key->gpa, key->level, key->is_table);

	for (;; i = (i + 1) & (tlb->size - 1)) {
		struct tlb_entry *e = &tlb->entries[i];

		if (!e->stamp)
			break;
		if (e->gpa == key->gpa && e->asid == key->asid && e->level == key->level &&
		    e->is_table == key->is_table)
			return e;
		if (!flushed && !is_kept(tlb, e))
			flushed = e;
	}
	if (flushed)
		return flushed;
	tlb->used++;
	return &tlb->entries[i];
}

static void rehash(struct tlb *tlb)
{
	struct tlb_entry *old = tlb->entries;
	const size_t old_size = tlb->size;
	size_t kept = 0;

	for (size_t i = 0; i < old_size; i++)
		kept += is_kept(tlb, &old[i]);
	while (tlb->size < 4 * kept && tlb->size < LAST_SIZE)
		tlb->size *= 2;
	tlb->entries = calloc(tlb->size, sizeof(*tlb->entries));
	if (!tlb->entries)
		abort();
	tlb->used = 0;
	tlb->large = 0;
	for (size_t i = 0; i < old_size && 2 * kept < tlb->size; i++) {
		if (!is_kept(tlb, &old[i]))
			continue;
		*place(tlb, &old[i]) = old[i];
		tlb->large += !old[i].is_table && old[i].level > 1;
	}
	free(old);
}

static void insert(struct tlb *tlb, struct tlb_entry entry)
{
	if (2 * tlb->used >= tlb->size)
		rehash(tlb);
	entry.stamp = tlb->sequence;
	*place(tlb, &entry) = entry;
	tlb->large += !entry.is_table && entry.level > 1;
}

bool revoked_since(struct hosted_machine *m, svm_hpa_t root, svm_gpa_t gpa, uint64_t number)
{
	bool found = false;

	if (atomic_get(&m->revoked) == number)
		return false;
	pthread_mutex_lock(&m->lock);
	for (uint64_t n = m->revoked; n > number && m->revoked - n < REVOCATIONS && !found; n--) {
		const struct revocation *r = &m->revocations[n % REVOCATIONS];

		found = gpa >= r->first && gpa <= r->last && (!r->root || r->root == root);
	}
	pthread_mutex_unlock(&m->lock);
	return found;
}

void hosted_revoke(struct hosted_machine *m, svm_hpa_t root, svm_gpa_t gpa, uint64_t size)
{
	if (!size)
		return;
	pthread_mutex_lock(&m->lock);
	const uint64_t number = m->revoked + 1;

	m->revocations[number % REVOCATIONS] =
		(struct revocation){ root, gpa, gpa + size - 1, number };
	atomic_set(&m->revoked, number);
	pthread_mutex_unlock(&m->lock);
}

static uint32_t generation_of(struct hosted_machine *m, svm_hpa_t hpa)
{
	struct frame *frame = frame_at(m, hpa);

	return frame ? atomic_get(&frame->generation) : 0;
}

/* Whether the library owes it to nobody any more that this entry is still used. */
static bool is_owed(struct cpu *cpu, const struct tlb_entry *e, svm_gpa_t gpa, svm_hpa_t hpa)
{
	if (cpu->m->config.stale_mode == HOSTED_STALE_AT_ONCE)
		return true;
	/* Of a large leaf only the first frame's generation is kept. */
	if (hpa >> 12 == e->hpa >> 12 && generation_of(cpu->m, e->hpa) != e->frame_generation)
		return true;
	return revoked_since(cpu->m, e->root, gpa & SVM_PAGE_MASK, e->revoked);
}

static void check_owner(struct cpu *cpu, const struct tlb_entry *e,
                        const struct translation_key *key, svm_gpa_t gpa)
{
	const bool same_vcpu =
		!e->owner || !key->owner ||
		(e->owner == key->owner && e->owner_generation == key->owner_generation);

	if (e->root != key->root || !same_vcpu)
		breach(cpu->m, HOSTED_BREACH_ASID_REUSED,
		       "CPU %u ASID %u gpa 0x%llx: made for VMCB 0x%llx nCR3 0x%llx, used by VMCB "
		       "0x%llx nCR3 0x%llx",
		       cpu->id, e->asid, (unsigned long long)gpa, (unsigned long long)e->owner,
		       (unsigned long long)e->root, (unsigned long long)key->owner,
		       (unsigned long long)key->root);
}

/* A kept leaf is about to be used: would a walk say the same? */
static void check_leaf(struct cpu *cpu, const struct tlb_entry *e, svm_gpa_t gpa, uint32_t access,
                       svm_hpa_t hpa)
{
	struct walk now;

	if (!is_owed(cpu, e, gpa, hpa))
		return;
	walk_nested(cpu, e->root, gpa, access, &now);
	const svm_hpa_t now_hpa = now.present ? now.hpa + (gpa & (covered(now.level) - 1)) : 0;

	if (!now.present || now_hpa != hpa)
		breach(cpu->m, HOSTED_BREACH_STALE_TRANSLATION,
		       "CPU %u ASID %u gpa 0x%llx access %u: kept 0x%llx, the tables say %s 0x%llx "
		       "(rights %u)",
		       cpu->id, e->asid, (unsigned long long)gpa, access, (unsigned long long)hpa,
		       now.present ? "mapped" : "refused", (unsigned long long)now_hpa, now.prot);
	else if ((access & SVM_PROT_WRITE) && !now.dirty)
		breach(cpu->m, HOSTED_BREACH_STALE_DIRTY, "CPU %u ASID %u gpa 0x%llx", cpu->id,
		       e->asid, (unsigned long long)gpa);
}

/* A processor may start a walk at any table pointer that it kept. */
static void check_tables(struct cpu *cpu, const struct translation_key *key, svm_gpa_t gpa,
                         const struct walk *walk)
{
	for (unsigned level = walk->top; level > 1; level--) {
		const struct tlb_entry *e = find(&cpu->tlb, key->asid, gpa, level, true);
		const uint64_t entry = walk->entries[level];

		if (!e)
			continue;
		check_owner(cpu, e, key, gpa);
		if (level > walk->level && (entry & SVM_BITS(51, 12)) == e->hpa)
			continue;
		if (is_owed(cpu, e, gpa, e->hpa))
			breach(cpu->m, HOSTED_BREACH_STALE_TABLE,
			       "CPU %u ASID %u gpa 0x%llx level %u: kept 0x%llx, entry is 0x%llx",
			       cpu->id, e->asid, (unsigned long long)gpa, level,
			       (unsigned long long)e->hpa, (unsigned long long)entry);
	}
}

static struct tlb_entry new_entry(struct cpu *cpu, const struct translation_key *key,
                                  uint64_t revoked, svm_hpa_t hpa)
{
	return (struct tlb_entry){
		.hpa = hpa,
		.root = key->root,
		.owner = key->owner,
		.owner_generation = key->owner_generation,
		.revoked = revoked,
		.asid = key->asid,
		.frame_generation = generation_of(cpu->m, hpa),
	};
}

static void keep(struct cpu *cpu, const struct translation_key *key, svm_gpa_t gpa,
                 const struct walk *walk, uint64_t revoked, bool is_write)
{
	struct tlb_entry e = new_entry(cpu, key, revoked, walk->hpa);

	e.gpa = gpa & ~(covered(walk->level) - 1);
	e.level = walk->level;
	e.prot = walk->prot;
	e.dirty = walk->dirty || is_write;
	insert(&cpu->tlb, e);
	for (unsigned level = walk->top; level > walk->level; level--) {
		const struct tlb_entry *old = find(&cpu->tlb, key->asid, gpa, level, true);

		e = new_entry(cpu, key, revoked, walk->entries[level] & SVM_BITS(51, 12));
		if (old && old->hpa == e.hpa)
			continue;
		e.gpa = gpa & ~(covered(level) - 1);
		e.level = (uint8_t)level;
		e.is_table = true;
		insert(&cpu->tlb, e);
	}
}

static struct tlb_entry *find_leaf(struct cpu *cpu, uint32_t asid, svm_gpa_t gpa)
{
	struct tlb_entry *e = find(&cpu->tlb, asid, gpa, 1, false);

	for (unsigned level = 2; !e && cpu->tlb.large && level <= 3; level++)
		e = find(&cpu->tlb, asid, gpa, level, false);
	return e;
}

bool tlb_translate(struct cpu *cpu, const struct translation_key *key, svm_gpa_t gpa,
                   uint32_t access, struct hosted_touch *touch)
{
	const bool is_write = access & SVM_PROT_WRITE;
	const struct tlb_entry *e = find_leaf(cpu, key->asid, gpa);
	struct walk walk;
	uint64_t revoked;

	if (e && (e->prot & access) == access && (!is_write || e->dirty)) {
		*touch = (struct hosted_touch){
			.mapped = true,
			.hit = true,
			.hpa = e->hpa + (gpa & (covered(e->level) - 1)),
		};
		cpu->counts.hits++;
		check_owner(cpu, e, key, gpa);
		check_leaf(cpu, e, gpa, access, touch->hpa);
		return true;
	}
	cpu->counts.walks++;
	do {
		revoked = atomic_get(&cpu->m->revoked);
		walk_nested(cpu, key->root, gpa, access, &walk);
		check_tables(cpu, key, gpa, &walk);
		if (!walk.present) {
			*touch = (struct hosted_touch){ .fault = walk.fault };
			return false;
		}
		/*
		 * What was walked must be of the time of that number: if memory was taken away and
		 * other memory given in between, the new translation is not yet owed to anybody.
		 */
	} while (!walk_mark(&walk, is_write) || atomic_get(&cpu->m->revoked) != revoked);
	keep(cpu, key, gpa, &walk, revoked, is_write);
	*touch = (struct hosted_touch){
		.mapped = true,
		.hpa = walk.hpa + (gpa & (covered(walk.level) - 1)),
	};
	return true;
}

struct hosted_touch hosted_cpu_touch(struct hosted_machine *m, uint32_t cpu, uint32_t asid,
                                     svm_hpa_t root, svm_gpa_t gpa, uint32_t access)
{
	const struct translation_key key = { .asid = asid, .root = root };
	struct hosted_touch touch;

	access |= SVM_PROT_READ;
	if (!tlb_translate(&m->cpus[cpu], &key, gpa, access, &touch)) {
		touch.fault |= SVM_NPF_USER | SVM_NPF_FINAL;
		if (access & SVM_PROT_WRITE)
			touch.fault |= SVM_NPF_WRITE;
		if (access & SVM_PROT_EXECUTE)
			touch.fault |= SVM_NPF_FETCH;
	}
	return touch;
}

void hosted_cpu_flush(struct hosted_machine *m, uint32_t cpu, uint32_t asid)
{
	tlb_flush_asid(&m->cpus[cpu], asid);
}

void hosted_cpu_flush_all(struct hosted_machine *m, uint32_t cpu)
{
	tlb_flush_all(&m->cpus[cpu]);
}
