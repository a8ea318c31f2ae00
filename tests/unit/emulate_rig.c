/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "emulate_rig.h"

/* --- functions of the table ------------------------------------------------------------------- */

int emu_place(uint64_t linear)
{
	if (linear - EMU_FAR_DATA < EMU_FAR_SIZE)
		return (int)(linear - EMU_FAR_DATA + EMU_FAR_RAM);
	if (linear - EMU_FAR_CODE < EMU_FAR_SIZE)
		return (int)(linear - EMU_FAR_CODE + EMU_CODE);
	return linear < EMU_RAM && (linear & ~UINT64_C(0xfff)) != EMU_BAD ? (int)linear : -1;
}

static enum svm_emul_result rig_translate(void *arg, uint64_t linear, uint32_t access,
                                          uint64_t *gpa, struct svm_emul_fault *fault)
{
	const struct emu *r = arg;
	const bool is_read_only = (linear & ~UINT64_C(0xfff)) == EMU_RO;
	const bool is_user = r->e.cpl == 3 && !(access & SVM_EMUL_SYSTEM);

	*gpa = (uint64_t)emu_place(linear);
	if (emu_place(linear) >= 0 && !(is_read_only && (access & SVM_EMUL_WRITE)))
		return SVM_EMUL_OK;
	*fault = (struct svm_emul_fault){
		.vector = 14,
		.has_error = true,
		.error = (access & SVM_EMUL_WRITE ? 2u : 0) | (is_read_only ? 1u : 0) |
		         (is_user ? 4u : 0),
		.address = linear,
	};
	return SVM_EMUL_FAULT;
}

static bool is_device(uint64_t gpa)
{
	return (gpa & ~UINT64_C(0xfff)) == EMU_DEVICE;
}

static enum svm_emul_result rig_read(void *arg, uint64_t gpa, void *data, unsigned size)
{
	const struct emu *r = arg;

	ck_assert((gpa & 0xfff) + size <= 0x1000 && gpa + size <= EMU_RAM);
	if (is_device(gpa))
		return SVM_EMUL_NOT_RAM;
	memcpy(data, r->ram + gpa, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result rig_write(void *arg, uint64_t gpa, const void *data, unsigned size)
{
	struct emu *r = arg;

	ck_assert((gpa & 0xfff) + size <= 0x1000 && gpa + size <= EMU_RAM);
	if (is_device(gpa))
		return SVM_EMUL_NOT_RAM;
	memcpy(r->ram + gpa, data, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result rig_exchange(void *arg, uint64_t gpa, void *expected,
                                         const void *desired, unsigned size, bool *stored)
{
	struct emu *r = arg;

	ck_assert((gpa & 0xfff) + size <= 0x1000 && gpa + size <= EMU_RAM);
	if (is_device(gpa))
		return SVM_EMUL_NOT_RAM;
	r->exchanges++;
	if (r->interfere)
		r->ram[gpa] ^= 1;
	r->interfere = false;
	*stored = memcmp(r->ram + gpa, expected, size) == 0;
	memcpy(*stored ? (void *)(r->ram + gpa) : expected,
	       *stored ? desired : (const void *)(r->ram + gpa), size);
	return SVM_EMUL_OK;
}

static void rig_serialise(void *arg, bool on)
{
	struct emu *r = arg;

	ck_assert_uint_eq(r->serialised & 1, !on);
	r->serialised++;
	if (on && r->interfere)
		r->ram[r->interfere_at]++;
	r->interfere = false;
}

/* --- devices ---------------------------------------------------------------------------------- */

static void note_access(struct emu *r, uint8_t kind, uint64_t address, const void *data,
                        unsigned size, bool is_write)
{
	struct svm_emul_access *access = &r->access[r->accesses++];

	ck_assert_int_le((int)r->accesses, EMU_ACCESSES);
	*access = (struct svm_emul_access){
		.kind = kind,
		.is_write = is_write,
		.size = (uint8_t)size,
		.address = address,
	};
	memcpy(access->data, data, size);
}

static enum svm_emul_result rig_mmio(void *arg, uint64_t gpa, void *data, unsigned size,
                                     bool is_write)
{
	struct emu *r = arg;

	ck_assert((gpa & 0xfff) + size <= 0x1000 && is_device(gpa));
	if (r->device_exits)
		return SVM_EMUL_EXIT;
	for (unsigned i = 0; !is_write && i < size; i++)
		((uint8_t *)data)[i] = (uint8_t)(EMU_DEVICE_BYTE + gpa + i);
	note_access(r, SVM_EMUL_PENDING_MMIO, gpa, data, size, is_write);
	return SVM_EMUL_OK;
}

static enum svm_emul_result rig_port(void *arg, uint16_t port, uint32_t *value, unsigned size,
                                     bool is_in)
{
	struct emu *r = arg;

	if (r->device_exits)
		return SVM_EMUL_EXIT;
	if (is_in)
		*value = EMU_PORT_VALUE;
	note_access(r, SVM_EMUL_PENDING_PORT, port, value, size, !is_in);
	return SVM_EMUL_OK;
}

/* --- registers of the owner ------------------------------------------------------------------- */

static void rig_read_vector(void *arg, unsigned n, void *data, unsigned size)
{
	const struct emu *r = arg;

	ck_assert(n < 16 && (size == 16 || size == 32));
	memcpy(data, r->vector[n], size);
}

static void rig_write_vector(void *arg, unsigned n, const void *data, unsigned size,
                             bool clear_upper)
{
	struct emu *r = arg;

	ck_assert(n < 16 && (size == 16 || size == 32));
	memcpy(r->vector[n], data, size);
	if (size == 16 && clear_upper)
		memset(r->vector[n] + 16, 0, 16);
}

static void rig_read_mmx(void *arg, unsigned n, uint64_t *value)
{
	const struct emu *r = arg;

	ck_assert(n < 8);
	*value = r->mmx[n];
}

static void rig_write_mmx(void *arg, unsigned n, uint64_t value)
{
	struct emu *r = arg;

	ck_assert(n < 8);
	r->mmx[n] = value;
}

static enum svm_emul_result refuse(struct svm_emul_fault *fault)
{
	*fault = (struct svm_emul_fault){ .vector = 13, .has_error = true };
	return SVM_EMUL_FAULT;
}

static enum svm_emul_result rig_read_register(void *arg, enum svm_emul_register kind,
                                              uint32_t number, uint64_t *value,
                                              struct svm_emul_fault *fault)
{
	const struct emu *r = arg;

	if (number == EMU_NO_REGISTER ||
	    (kind == SVM_EMUL_MSR && number == 0xc0000103 && r->no_tsc_aux))
		return refuse(fault);
	*value = EMU_PATTERN(kind, number);
	if (kind == SVM_EMUL_DR && number == 7)
		*value = r->dr7;
	return SVM_EMUL_OK;
}

static enum svm_emul_result rig_write_register(void *arg, enum svm_emul_register kind,
                                               uint32_t number, uint64_t value,
                                               struct svm_emul_fault *fault)
{
	struct emu *r = arg;

	if (number == EMU_NO_REGISTER)
		return refuse(fault);
	r->writes++;
	r->kind = kind;
	r->number = number;
	r->value = value;
	if (kind == SVM_EMUL_CR && number < 9)
		r->control[number] = value;
	if (kind == SVM_EMUL_DR && number < 8)
		r->debug[number] = value;
	return SVM_EMUL_OK;
}

static void rig_load_segment(void *arg, unsigned number, const struct svm_emul_segment *segment)
{
	struct emu *r = arg;

	ck_assert_uint_le(number, SVM_EMUL_TR);
	r->loads++;
	r->segment[number] = *segment;
}

static void rig_store_segment(void *arg, unsigned number, struct svm_emul_segment *segment)
{
	const struct emu *r = arg;

	ck_assert_uint_le(number, SVM_EMUL_TR);
	*segment = r->segment[number];
}

static void rig_invalidate(void *arg, uint64_t linear)
{
	struct emu *r = arg;

	r->invalidations++;
	r->invalidated = linear;
}

static const struct svm_emul_ops rig_ops = {
	.translate = rig_translate,
	.ram_read = rig_read,
	.ram_write = rig_write,
	.ram_exchange = rig_exchange,
	.serialise = rig_serialise,
	.mmio = rig_mmio,
	.port = rig_port,
	.read_vector = rig_read_vector,
	.write_vector = rig_write_vector,
	.read_mmx = rig_read_mmx,
	.write_mmx = rig_write_mmx,
	.read_register = rig_read_register,
	.write_register = rig_write_register,
	.load_segment = rig_load_segment,
	.store_segment = rig_store_segment,
	.invalidate = rig_invalidate,
};

/* --- the guest -------------------------------------------------------------------------------- */

static const struct {
	uint64_t cr0, efer, rflags;
	uint16_t code, data; /* Attributes, DPL 0. */
	uint32_t limit;
	enum svm_insn_mode mode;
} modes[] = {
	[EMU_REAL] = { 0x10, 0, 0x2, 0x09b, 0x093, 0xffff, SVM_INSN_MODE_REAL },
	[EMU_VM86] = { 0x80000011, 0, 0x20002, 0x0f3, 0x0f3, 0xffff, SVM_INSN_MODE_REAL },
	[EMU_16] = { 0x80000011, 0, 0x2, 0x09b, 0x093, 0xffff, SVM_INSN_MODE_16 },
	[EMU_32] = { 0x80000011, 0, 0x2, 0xc9b, 0xc93, 0xffffffff, SVM_INSN_MODE_32 },
	[EMU_64] = { 0x80000011, 0x500, 0x2, 0xa9b, 0xc93, 0xffffffff, SVM_INSN_MODE_64 },
	[EMU_COMPAT] = { 0x80000011, 0x500, 0x2, 0xc9b, 0xc93, 0xffffffff, SVM_INSN_MODE_32 },
};

void emu_init(struct emu *r, enum emu_mode mode, unsigned cpl)
{
	memset(r, 0, sizeof(*r));
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++) {
		const uint16_t attributes = n == SVM_EMUL_CS ? modes[mode].code : modes[mode].data;

		r->segment[n] = (struct svm_emul_segment){
			.selector = mode < EMU_16 ? 0 : (uint16_t)(0x8 + 8 * n + cpl),
			.attributes = (uint16_t)(attributes | cpl << 5),
			.limit = modes[mode].limit,
		};
	}
	r->segment[SVM_EMUL_GDTR] = (struct svm_emul_segment){ .limit = 0x7ff, .base = EMU_GDT };
	r->segment[SVM_EMUL_LDTR] = (struct svm_emul_segment){ 0x700, 0x82, 0xff, EMU_LDT };
	r->e.ops = &rig_ops;
	r->e.arg = r;
	r->e.segment = r->segment;
	r->e.gpr = r->gpr;
	r->e.cr0 = modes[mode].cr0;
	r->e.efer = modes[mode].efer;
	r->e.rflags = modes[mode].rflags;
	r->e.mode = modes[mode].mode;
	r->e.in_vm86 = mode == EMU_VM86;
	r->e.cpl = (uint8_t)cpl;
	r->e.linear_bits = 48;
	r->e.rip = EMU_CODE;
	for (unsigned n = 0; n < 16; n++)
		r->e.gpr[n] =
			0xf0f0f0f000000000 + n; /* Upper halves show who cuts and who merges. */
	r->e.gpr[SVM_EMUL_RSP] = EMU_STACK;
	r->e.gpr[SVM_EMUL_RBX] = EMU_DATA;
}

enum svm_emul_result emu_run(struct emu *r, const char *bytes, size_t size)
{
	memcpy(r->ram + EMU_CODE, bytes, size);
	r->e.count = 0;
	return svm_emulate(&r->e);
}

void emu_put(struct emu *r, uint32_t at, uint64_t value, unsigned size)
{
	memcpy(r->ram + at, &value, size);
}

uint64_t emu_get(const struct emu *r, uint32_t at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, r->ram + at, size);
	return value;
}

void emu_descriptor(struct emu *r, uint32_t at, uint32_t base, uint32_t limit, uint32_t attributes)
{
	const uint64_t low = (limit & 0xffff) | (uint64_t)(base & 0xffff) << 16;
	const uint64_t high = (base >> 16 & 0xff) | (attributes & 0xff) << 8 |
	                      (limit >> 16 & 0xf) << 16 | (attributes >> 8 & 0xf) << 20 |
	                      (base & 0xff000000);

	emu_put(r, at, low | high << 32, 8);
}

void emu_check_untouched(const struct emu *now, const struct emu *before, const char *what)
{
	ck_assert_msg(memcmp(now->gpr, before->gpr, sizeof(now->gpr)) == 0,
	              "%s: a register changed", what);
	ck_assert_msg(now->e.rip == before->e.rip && now->e.rflags == before->e.rflags,
	              "%s: RIP or flags changed", what);
	ck_assert_msg(memcmp(now->segment, before->segment, sizeof(now->segment)) == 0,
	              "%s: a segment changed", what);
	ck_assert_msg(now->writes == before->writes && now->invalidations == before->invalidations,
	              "%s: the owner was asked", what);
}
