/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ports, whose devices are all in user space.
 *
 * REP INS is an exit per element for the library; a VMM that reads a disk by it would be asked
 * hundreds of times for one sector.  So user space is asked for as many elements as the guest
 * takes next without a fault in between, which is up to the end of its page.  What they are is
 * copied at once, and the exits that follow are answered with it, as long as they are the ones that
 * were foreseen: the same instruction with one element less.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include <libsvm/exit_codes.h>

#include "guest.h"
#include "hal.h"

#define IO_DATA_OFFSET PAGE_SIZE
#define FLAG_DF        BIT(10)

static u64 address_mask(u64 info)
{
	return info & SVM_IOIO_ADDR_64 ? U64_MAX : info & SVM_IOIO_ADDR_32 ? U32_MAX : U16_MAX;
}

static bool is_repeated_in(const struct svm_exit *exit)
{
	const u64 wanted = SVM_IOIO_IN | SVM_IOIO_STRING | SVM_IOIO_REP;

	return exit->raw.exit_code == SVM_EXIT_IOIO &&
	       (exit->raw.exit_info_1 & wanted) == wanted;
}

/* Elements left, and where the next one goes. */
static struct guest_ins ins_at(struct guest_vcpu *vcpu)
{
	const u64 mask = address_mask(vcpu->exit.raw.exit_info_1);
	struct svm_regs regs;

	svm_vcpu_get_regs(vcpu->vcpu, &regs);
	return (struct guest_ins){
		.rip = vcpu->exit.rip,
		.left = regs.rcx & mask,
		.to = regs.rdi & mask,
		.port = vcpu->exit.io.port,
		.size = vcpu->exit.io.size,
		.is_down = !!(regs.rflags & FLAG_DF),
	};
}

static void step(struct guest_ins *ins)
{
	ins->left--;
	ins->to += ins->is_down ? -(u64)ins->size : ins->size;
}

/* The segment's base may move the page's end: then a fault costs what has been read ahead. */
static u32 elements(const struct guest_ins *ins)
{
	const u32 in_page = offset_in_page(ins->to);
	const u32 room = ins->is_down ? in_page + ins->size : (u32)PAGE_SIZE - in_page;

	return (u32)clamp_t(u64, ins->left, 1, max(room / ins->size, 1u));
}

static u32 value_at(const void *data, u32 size)
{
	u32 value = 0;

	memcpy(&value, data, size);
	return value;
}

/* True: user space has given this one already. */
static bool is_read_ahead(struct guest_vcpu *vcpu)
{
	const struct guest_ins now = ins_at(vcpu);

	return vcpu->ins_next < vcpu->ins_count && !memcmp(&now, &vcpu->ins, sizeof(now));
}

static int take_next(struct guest_vcpu *vcpu)
{
	const void *const data = vcpu->ins_data + (size_t)vcpu->ins_next * vcpu->ins.size;

	vcpu->ins_next++;
	step(&vcpu->ins);
	return svm_vcpu_complete_value(vcpu->vcpu, value_at(data, vcpu->exit.io.size));
}

static void ask(struct guest_vcpu *vcpu, u32 count)
{
	struct kvm_run *const run = vcpu->run;

	vcpu->debt = GUEST_OWES_IO;
	vcpu->ins_count = count;
	vcpu->ins_next = 0;
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = vcpu->exit.io.is_in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = vcpu->exit.io.size;
	run->io.port = vcpu->exit.io.port;
	run->io.count = count;
	run->io.data_offset = IO_DATA_OFFSET;
	memcpy(vcpu->io_data, &vcpu->exit.io.value, sizeof(vcpu->exit.io.value));
}

/* Anything else than what was foreseen ends the foresight, or it would answer a later one. */
int guest_io(struct guest_vcpu *vcpu)
{
	if (!is_repeated_in(&vcpu->exit)) {
		ask(vcpu, 1);
		return 0;
	}
	if (is_read_ahead(vcpu)) {
		const int error = take_next(vcpu);

		return error ? hal_errno(error) : 1;
	}
	vcpu->ins = ins_at(vcpu);
	ask(vcpu, elements(&vcpu->ins));
	return 0;
}

int guest_io_complete(struct guest_vcpu *vcpu)
{
	const u32 size = vcpu->exit.io.size;

	vcpu->debt = GUEST_OWES_NOTHING;
	if (!vcpu->exit.io.is_in)
		return svm_vcpu_complete_skip(vcpu->vcpu);
	memcpy(vcpu->ins_data, vcpu->io_data, (size_t)vcpu->ins_count * size);
	if (is_repeated_in(&vcpu->exit))
		return take_next(vcpu);
	vcpu->ins_count = 0;
	return svm_vcpu_complete_value(vcpu->vcpu, value_at(vcpu->ins_data, size));
}
