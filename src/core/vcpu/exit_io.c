/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * IN and OUT.  APM vol. 2, 15.10.2.
 *
 * The processor has checked IOPL and the TSS bitmap before the intercept, reports port, size and
 * direction, and gives the next RIP even without NRIPS, so nothing is decoded here.  The string
 * forms touch memory and are the emulator's.
 */
#include "core/vcpu/emulation.h"
#include "core/vcpu/ioio.h"
#include "core/vcpu/next_rip.h"

/* IN writes AL, AX or EAX; the 32-bit form clears the upper half as every 32-bit write does. */
static void set_result(struct svm_vcpu *vcpu, uint8_t size, uint64_t value)
{
	uint64_t *rax = &vcpu->vmcb->save.rax;

	if (size == 1)
		*rax = (*rax & ~UINT64_C(0xff)) | (value & 0xff);
	else if (size == 2)
		*rax = (*rax & ~UINT64_C(0xffff)) | (value & 0xffff);
	else
		*rax = (uint32_t)value;
}

/* EXITINFO2 has the next RIP, wrapped; here it is RIP and the length. */
static inline uint64_t io_next_rip(const struct svm_vcpu *vcpu)
{
	const uint64_t rip = vcpu->vmcb->save.rip;

	return rip + svm_vcpu_wrap_rip(vcpu, vcpu->vmcb->control.exit_info_2 - rip);
}

/* What wraps is not near. */
static inline void step_over_io(struct svm_vcpu *vcpu)
{
	const uint64_t next = vcpu->vmcb->control.exit_info_2;

	if (SVM_MOSTLY(svm_vcpu_is_near(vcpu, next)))
		svm_vcpu_advance_near(vcpu, next);
	else
		svm_vcpu_advance(vcpu, io_next_rip(vcpu));
}

static inline uint16_t io_port(uint64_t info)
{
	return (uint16_t)svm_bits_get(info, SVM_IOIO_PORT);
}

static inline uint8_t io_size(uint64_t info)
{
	return (uint8_t)svm_bits_get(info, SVM_IOIO_SIZE);
}

/* What OUT writes. */
static inline uint32_t io_value(const struct svm_vcpu *vcpu, uint8_t size)
{
	const uint64_t rax = vcpu->vmcb->save.rax;

	if (SVM_MOSTLY(size == 1))
		return rax & 0xff;
	return (uint32_t)(size == 2 ? rax & 0xffff : rax);
}

static SVM_LONG_WAY enum svm_action io_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                   uint64_t info)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t length = vmcb->control.exit_info_2 - vmcb->save.rip;
	const uint8_t size = io_size(info);

	exit->io.port = io_port(info);
	exit->io.size = size;
	exit->io.is_in = info & SVM_IOIO_IN;
	if (exit->io.is_in) {
		exit->io.value = 0;
		vcpu->owed = SVM_OWED_VALUE;
		vcpu->owed_register = 0;
		vcpu->owed_size = size;
	} else {
		exit->io.value = io_value(vcpu, size);
		vcpu->owed = SVM_OWED_SKIP;
	}
	if (!SVM_MOSTLY(length <= SVM_INSN_LENGTH_MAX)) /* It wraps, or is none. */
		return svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_IO, vcpu->owed, io_next_rip(vcpu));
	svm_exit_begin(vcpu, exit, SVM_EXIT_KIND_IO, SVM_EXIT_COMPLETE, (uint8_t)length);
	vcpu->next_rip = vmcb->control.exit_info_2;
	return SVM_ACTION_RETURN;
}

static SVM_LONG_WAY enum svm_action special_io(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_ioio ioio;

	if (!svm_ioio_decode(vcpu->vmcb->control.exit_info_1, &ioio))
		return svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_RAW, SVM_OWED_SKIP, 0);
	return svm_emulation_run(vcpu, exit, SVM_EMUL_IO);
}

static enum svm_action io_by_callback(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                      const struct svm_io_range *range, uint64_t info)
{
	struct svm_io_access access;
	enum svm_device_result result;

	access.port = io_port(info);
	access.size = io_size(info);
	access.is_in = info & SVM_IOIO_IN;
	access.value = access.is_in ? UINT32_MAX : io_value(vcpu, access.size);
	result = range->fn(range->arg, vcpu, &access);
	if (result == SVM_DEVICE_EXIT)
		return io_to_embedder(vcpu, exit, info);
	if (access.is_in)
		set_result(vcpu, access.size, access.value);
	step_over_io(vcpu);
	return result == SVM_DEVICE_DONE ? SVM_ACTION_RESUME
	                                 : svm_exit_return(vcpu, exit, SVM_EXIT_KIND_REQUEST);
}

/* Unlike the access before. */
static SVM_LONG_WAY enum svm_action io_anew(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                            uint64_t info)
{
	const struct svm_io_range *range;

	if (!svm_ioio_is_plain(info))
		return special_io(vcpu, exit);
	range = svm_io_find_anew(&vcpu->vm->io, info);
	return range ? io_by_callback(vcpu, exit, range, info) : io_to_embedder(vcpu, exit, info);
}

enum svm_action svm_exit_io(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_io_policy *io = &vcpu->vm->io;
	const uint64_t info = vcpu->vmcb->control.exit_info_1;
	const uint64_t last = svm_atomic_load_relaxed(&io->last);
	const uint32_t whose = (uint32_t)(last >> 32);

	if (!SVM_MOSTLY(svm_io_is_last(last, info)))
		return io_anew(vcpu, exit, info);
	if (whose < io->range_count)
		return io_by_callback(vcpu, exit, &io->range[whose], info);
	return io_to_embedder(vcpu, exit, info);
}
