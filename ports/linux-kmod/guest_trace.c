/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Entries, exits and injections of a vCPU, for whoever traces them; off, they cost a jump that is
 * not taken.
 *
 * An entry's injection is part of the record of the exit before it, and known only when that entry
 * is made.  So the last record of the run before is read once more.
 */
#include "compat.h"
#include "guest.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define AT_ONCE 8u

u64 guest_trace_entry(struct guest_vcpu *vcpu)
{
	struct svm_recorder_header header;
	struct svm_regs regs;

	svm_recorder_describe(vcpu->vcpu, &header);
	svm_vcpu_get_regs(vcpu->vcpu, &regs);
	trace_libsvm_entry(svm_vcpu_id(vcpu->vcpu), header.recorded, regs.rip);
	return header.recorded;
}

/* The exits from number "next" on, each behind what was injected before it. */
static void trace_records(struct guest_vcpu *vcpu, u64 next)
{
	const u32 id = svm_vcpu_id(vcpu->vcpu);
	struct svm_record records[AT_ONCE], before = { 0 };
	u64 first = next ? next - 1 : 0;
	size_t count, i;

	do {
		count = svm_recorder_read(vcpu->vcpu, first, records, AT_ONCE);
		for (i = 0; i < count; i++) {
			if (before.has_event)
				trace_libsvm_inject(id, &before);
			if (records[i].number >= next)
				trace_libsvm_exit(id, &records[i]);
			before = records[i];
		}
		first = before.number + 1;
	} while (count == AT_ONCE);
}

void guest_trace_exits(struct guest_vcpu *vcpu, u64 next, int error)
{
	trace_records(vcpu, next);
	trace_libsvm_return(svm_vcpu_id(vcpu->vcpu), error ? 0 : vcpu->exit.kind,
			    error ? 0 : vcpu->exit.rip, error);
}
