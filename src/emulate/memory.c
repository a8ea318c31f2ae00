/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory accesses of an emulated instruction: segment checks, translation, RAM or device.
 * APM vol. 2, 2.2, 4.7, 4.12, 5.
 *
 * An access is prepared whole before any part of it is done: both pages of one that crosses a
 * boundary are translated with all rights that the instruction will need, so that a fault on the
 * second page leaves nothing half written.
 */
#include "emulate/internal.h"

#define PAGE_BYTES   4096u
#define EFER_LMA_BIT UINT64_C(0x400)

#define ATTRIBUTE_CODE       0x8u
#define ATTRIBUTE_EXPAND     0x4u /* Data: grows down. */
#define ATTRIBUTE_READ_WRITE 0x2u /* Code: readable.  Data: writable. */
#define ATTRIBUTE_S          0x10u
#define ATTRIBUTE_P          0x80u
#define ATTRIBUTE_DB         0x400u

/* --- segments ---------------------------------------------------------------------------- */

static enum svm_emul_result segment_fault(struct svm_emul *e, unsigned segment)
{
	return svm_emul_raise_error(e, segment == SVM_EMUL_SS ? VECTOR_SS : VECTOR_GP, 0);
}

static bool type_allows(const struct svm_emul_segment *s, uint32_t access)
{
	const bool is_code = s->attributes & ATTRIBUTE_CODE;

	if (!(s->attributes & ATTRIBUTE_P) || !(s->attributes & ATTRIBUTE_S))
		return false;
	if (access & SVM_EMUL_WRITE)
		return !is_code && (s->attributes & ATTRIBUTE_READ_WRITE);
	if (access & SVM_EMUL_READ)
		return !is_code || (s->attributes & ATTRIBUTE_READ_WRITE);
	return true;
}

/* Every byte from offset on; the sum cannot wrap, since offsets have at most 32 bits here. */
static bool within_limit(const struct svm_emul_segment *s, uint64_t offset, unsigned size)
{
	const uint64_t last = offset + size - 1;

	if (!(s->attributes & ATTRIBUTE_CODE) && (s->attributes & ATTRIBUTE_EXPAND))
		return offset > s->limit &&
		       last <= (s->attributes & ATTRIBUTE_DB ? UINT32_MAX : 0xffffu);
	return last <= s->limit;
}

static bool is_canonical_address(const struct svm_emul *e, uint64_t address)
{
	const unsigned shift = 64u - e->linear_bits;

	return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

static enum svm_emul_result linear_64(struct svm_emul *e, unsigned segment, uint64_t offset,
                                      unsigned size, uint64_t *linear)
{
	if (segment == SVM_EMUL_FS || segment == SVM_EMUL_GS)
		offset += e->segment[segment].base;
	if (!is_canonical_address(e, offset) || !is_canonical_address(e, offset + size - 1))
		return segment_fault(e, segment);
	*linear = offset;
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_emul_linear(struct svm_emul *e, unsigned segment, uint64_t offset,
                                     unsigned size, uint32_t access, uint64_t *linear)
{
	const struct svm_emul_segment *s = &e->segment[segment];

	if (svm_emul_is_long(e))
		return linear_64(e, segment, offset, size, linear);
	/* Real mode checks the limit alone; its type and limit are whatever was loaded last. */
	if (e->mode != SVM_INSN_MODE_REAL && !type_allows(s, access))
		return segment_fault(e, segment);
	if (!within_limit(s, offset, size))
		return segment_fault(e, segment);
	*linear = (uint32_t)(s->base + offset);
	return SVM_EMUL_OK;
}

/* --- preparing ----------------------------------------------------------------------------- */

static bool checks_alignment(const struct svm_emul *e)
{
	return e->cpl == 3 && (e->rflags & FLAG_AC) && (e->cr0 & (UINT64_C(1) << 18));
}

static enum svm_emul_result translate(struct svm_emul *e, uint64_t linear, uint32_t access,
                                      uint64_t *gpa)
{
	const enum svm_emul_result result =
		e->ops->translate(e->arg, linear, access, gpa, &e->fault);

	if (result == SVM_EMUL_OK && (*gpa ^ e->wanted_gpa) < PAGE_BYTES &&
	    (access & e->wanted_access))
		e->touched = true;
	return result;
}

/*
 * After a nested fault something may be changed only by an instruction that touches the page of
 * the fault in the same direction.  Another one means that code or tables were rewritten since.
 */
static bool may_change(const struct svm_emul *e)
{
	return e->class != SVM_EMUL_MEMORY || e->touched;
}

/* 32 bits outside 64-bit mode, but for system tables in compatibility mode. */
static uint64_t wrap_linear_address(const struct svm_emul *e, uint64_t linear, uint32_t access)
{
	const bool is_wide = svm_emul_is_long(e) ||
	                     ((access & SVM_EMUL_SYSTEM) && (e->efer & EFER_LMA_BIT));

	return is_wide ? linear : (uint32_t)linear;
}

enum svm_emul_result svm_emul_prepare_linear(struct svm_emul *e, uint64_t linear, unsigned size,
                                             uint32_t access, struct svm_emul_span *span)
{
	const unsigned room = PAGE_BYTES - (unsigned)(linear & (PAGE_BYTES - 1));
	enum svm_emul_result result;

	span->size[0] = (uint8_t)(size < room ? size : room);
	span->size[1] = (uint8_t)(size - span->size[0]);
	result = translate(e, wrap_linear_address(e, linear, access), access, &span->gpa[0]);
	if (result != SVM_EMUL_OK || !span->size[1])
		return result;
	linear = wrap_linear_address(e, linear + span->size[0], access);
	return translate(e, linear, access, &span->gpa[1]);
}

enum svm_emul_result svm_emul_prepare(struct svm_emul *e, unsigned segment, uint64_t offset,
                                      unsigned size, uint32_t access, struct svm_emul_span *span)
{
	uint64_t linear = 0;
	const enum svm_emul_result result =
		svm_emul_linear(e, segment, offset, size, access, &linear);

	if (result != SVM_EMUL_OK)
		return result;
	/*
	 * Operands of a power of two, as if at most 16 bytes wide; others (far pointers) are
	 * checked by their parts' size.
	 */
	if (checks_alignment(e) && (linear & (size - 1) & 15) && (size & (size - 1)) == 0)
		return svm_emul_raise_error(e, VECTOR_AC, 0);
	return svm_emul_prepare_linear(e, linear, size, access, span);
}

/* --- devices: the log ------------------------------------------------------------------------ */

/* The next access of the log if it is this one.  Another one means a different instruction. */
static struct svm_emul_access *logged_access(struct svm_emul *e, enum svm_emul_pending_kind kind,
                                      uint64_t address, unsigned size, bool is_write)
{
	struct svm_emul_access *access;

	if (e->log_used >= e->log_count)
		return NULL;
	access = &e->log[e->log_used];
	if (access->kind != kind || access->address != address || access->size != size ||
	    access->is_write != is_write) {
		e->log_count = e->log_used; /* What follows was for other addresses. */
		return NULL;
	}
	e->log_used++;
	return access;
}

static void fill(struct svm_emul_access *access, enum svm_emul_pending_kind kind, uint64_t address,
                 unsigned size, bool is_write, const void *data)
{
	*access = (struct svm_emul_access){
		.kind = (uint8_t)kind,
		.is_write = is_write,
		.size = (uint8_t)size,
		.address = address,
	};
	if (data)
		memcpy(access->data, data, size);
}

/* Remember an access that a device has finished; the next EXIT must not repeat it. */
static enum svm_emul_result remember(struct svm_emul *e, enum svm_emul_pending_kind kind,
                                     uint64_t address, unsigned size, bool is_write,
                                     const void *data)
{
	if (e->log_count >= SVM_EMUL_LOG_MAX)
		return SVM_EMUL_UNKNOWN;
	fill(&e->log[e->log_count++], kind, address, size, is_write, data);
	e->log_used = e->log_count;
	return SVM_EMUL_OK;
}

static enum svm_emul_result device(struct svm_emul *e, uint64_t gpa, void *data, unsigned size,
                                   bool is_write)
{
	const struct svm_emul_access *done;
	enum svm_emul_result result;

	if (!may_change(e))
		return SVM_EMUL_RETRY;
	done = logged_access(e, SVM_EMUL_PENDING_MMIO, gpa, size, is_write);
	if (done) {
		if (!is_write)
			memcpy(data, done->data, size);
		return SVM_EMUL_OK;
	}
	/* Its answer could not be kept, and the instruction would ask for it for ever. */
	if (e->log_count >= SVM_EMUL_LOG_MAX)
		return SVM_EMUL_UNKNOWN;
	result = e->ops->mmio(e->arg, gpa, data, size, is_write);
	if (result == SVM_EMUL_OK)
		return remember(e, SVM_EMUL_PENDING_MMIO, gpa, size, is_write, data);
	fill(&e->pending, SVM_EMUL_PENDING_MMIO, gpa, size, is_write, is_write ? data : NULL);
	return result;
}

enum svm_emul_result svm_emul_port(struct svm_emul *e, uint16_t port, uint32_t *value,
                                   unsigned size, bool is_in)
{
	const struct svm_emul_access *done =
		logged_access(e, SVM_EMUL_PENDING_PORT, port, size, !is_in);
	enum svm_emul_result result;

	if (done) {
		if (is_in)
			memcpy(value, done->data, sizeof(*value)); /* Zeros behind size. */
		return SVM_EMUL_OK;
	}
	result = e->ops->port(e->arg, port, value, size, is_in);
	if (result == SVM_EMUL_OK)
		return remember(e, SVM_EMUL_PENDING_PORT, port, size, !is_in, value);
	fill(&e->pending, SVM_EMUL_PENDING_PORT, port, size, !is_in, NULL);
	memcpy(e->pending.data, value, sizeof(*value));
	return result;
}

void svm_emul_log_commit(struct svm_emul *e)
{
	e->log_count = 0;
	e->log_used = 0;
}

/* --- doing ------------------------------------------------------------------------------------ */

enum svm_emul_result svm_emul_load(struct svm_emul *e, const struct svm_emul_span *span, void *data)
{
	uint8_t *to = data;

	memset(data, 0, (size_t)span->size[0] + span->size[1]);
	for (unsigned i = 0; i < 2 && span->size[i]; i++) {
		enum svm_emul_result result =
			e->ops->ram_read(e->arg, span->gpa[i], to, span->size[i]);

		if (result == SVM_EMUL_NOT_RAM)
			result = device(e, span->gpa[i], to, span->size[i], false);
		if (result != SVM_EMUL_OK)
			return result;
		to += span->size[i];
	}
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_emul_store(struct svm_emul *e, const struct svm_emul_span *span,
                                    const void *data)
{
	uint8_t copy[SVM_EMUL_DATA_MAX];
	const uint8_t *from = data;

	if (!may_change(e))
		return SVM_EMUL_RETRY;
	for (unsigned i = 0; i < 2 && span->size[i]; i++) {
		enum svm_emul_result result =
			e->ops->ram_write(e->arg, span->gpa[i], from, span->size[i]);

		if (result == SVM_EMUL_NOT_RAM) {
			memcpy(copy, from, span->size[i]);
			result = device(e, span->gpa[i], copy, span->size[i], true);
		}
		if (result != SVM_EMUL_OK)
			return result;
		from += span->size[i];
	}
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_emul_load_u64(struct svm_emul *e, const struct svm_emul_span *span,
                                       uint64_t *value)
{
	uint64_t word = 0;
	const enum svm_emul_result result = svm_emul_load(e, span, &word);

	if (result == SVM_EMUL_OK)
		*value = word;
	return result;
}

enum svm_emul_result svm_emul_store_u64(struct svm_emul *e, const struct svm_emul_span *span,
                                        uint64_t value)
{
	return svm_emul_store(e, span, &value);
}

/* Both parts as they are in memory; NOT_RAM if one of them is a device. */
static enum svm_emul_result read_parts(struct svm_emul *e, const struct svm_emul_span *span,
                                       uint8_t *to)
{
	const enum svm_emul_result result =
		e->ops->ram_read(e->arg, span->gpa[0], to, span->size[0]);

	if (result != SVM_EMUL_OK)
		return result;
	return e->ops->ram_read(e->arg, span->gpa[1], to + span->size[0], span->size[1]);
}

static enum svm_emul_result replace_parts(struct svm_emul *e, const struct svm_emul_span *span,
                                          const void *old, const void *new, bool *stored)
{
	uint8_t found[16];
	enum svm_emul_result result = read_parts(e, span, found);

	if (result != SVM_EMUL_OK)
		return result;
	*stored = memcmp(found, old, (size_t)span->size[0] + span->size[1]) == 0;
	if (!*stored)
		return SVM_EMUL_OK;
	result = e->ops->ram_write(e->arg, span->gpa[0], new, span->size[0]);
	if (result == SVM_EMUL_OK)
		result = e->ops->ram_write(e->arg, span->gpa[1],
		                           (const uint8_t *)new + span->size[0], span->size[1]);
	return result;
}

/* Over two pages: serialised among those who emulate.  With a device in it, a plain store. */
static enum svm_emul_result replace_split(struct svm_emul *e, const struct svm_emul_span *span,
                                          const void *old, const void *new, bool *stored)
{
	enum svm_emul_result result;

	if (e->ops->serialise)
		e->ops->serialise(e->arg, true);
	result = replace_parts(e, span, old, new, stored);
	if (e->ops->serialise)
		e->ops->serialise(e->arg, false);
	if (result != SVM_EMUL_NOT_RAM)
		return result;
	*stored = true;
	return svm_emul_store(e, span, new);
}

enum svm_emul_result svm_emul_replace(struct svm_emul *e, const struct svm_emul_span *span,
                                      const void *old, const void *new, bool *stored)
{
	uint8_t expected[16];
	enum svm_emul_result result;

	if (!may_change(e))
		return SVM_EMUL_RETRY;
	if (span->size[1])
		return replace_split(e, span, old, new, stored);
	memcpy(expected, old, span->size[0]);
	result = e->ops->ram_exchange(e->arg, span->gpa[0], expected, new, span->size[0], stored);
	if (result != SVM_EMUL_NOT_RAM)
		return result;
	*stored = true;
	return svm_emul_store(e, span, new);
}
