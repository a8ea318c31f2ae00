/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracepoints, below events/libsvm of tracefs.
 *
 * The library finishes most exits by itself, so those of the processor come out of its flight
 * recorder behind each run (guest_trace.c): exactly, but with the TSC of the exit as a field, since
 * the time of the trace is that of the run's end.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM libsvm

#if !defined(LIBSVM_LINUX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LIBSVM_LINUX_TRACE_H

#include <linux/tracepoint.h>

#include <libsvm/exit_codes.h>
#include <libsvm/recorder.h>
#include <libsvm/vmcb.h>

#ifndef LIBSVM_TRACE_SYMBOLS
#define LIBSVM_TRACE_SYMBOLS
#define LIBSVM_TRACE_CODE(name, code, use, text) { (code), #name },
#define LIBSVM_TRACE_CODES SVM_EXIT_CODES(LIBSVM_TRACE_CODE) { U32_MAX, "INVALID" }
#define LIBSVM_TRACE_TYPES { 0, "interrupt" }, { 2, "NMI" }, { 3, "exception" }, { 4, "INT n" }
#endif

TRACE_EVENT(libsvm_ioctl,
	TP_PROTO(const char *of, int vcpu, unsigned int number, unsigned long arg, long result),
	TP_ARGS(of, vcpu, number, arg, result),

	TP_STRUCT__entry(
		__string(of, of)
		__field(int, vcpu)
		__field(unsigned int, number)
		__field(unsigned long, arg)
		__field(long, result)
	),

	TP_fast_assign(
		compat_assign_str(of, of);
		__entry->vcpu = vcpu;
		__entry->number = number;
		__entry->arg = arg;
		__entry->result = result;
	),

	TP_printk("%s vcpu=%d number=0x%x arg=0x%lx result=%ld", __get_str(of), __entry->vcpu,
		  __entry->number, __entry->arg, __entry->result)
);

TRACE_EVENT(libsvm_entry,
	TP_PROTO(u32 vcpu, u64 number, u64 rip),
	TP_ARGS(vcpu, number, rip),

	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u64, number)
		__field(u64, rip)
	),

	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->number = number;
		__entry->rip = rip;
	),

	TP_printk("vcpu=%u number=%llu rip=0x%llx", __entry->vcpu, __entry->number, __entry->rip)
);

TRACE_EVENT(libsvm_exit,
	TP_PROTO(u32 vcpu, const struct svm_record *record),
	TP_ARGS(vcpu, record),

	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, code)
		__field(u64, number)
		__field(u64, tsc)
		__field(u64, rip)
		__field(u64, info1)
		__field(u64, info2)
		__field(u64, intinfo)
	),

	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->code = record->exit_code;
		__entry->number = record->number;
		__entry->tsc = record->tsc;
		__entry->rip = record->rip;
		__entry->info1 = record->exit_info_1;
		__entry->info2 = record->exit_info_2;
		__entry->intinfo = record->exit_int_info;
	),

	TP_printk("vcpu=%u number=%llu tsc=%llu %s rip=0x%llx info=0x%llx,0x%llx intinfo=0x%llx",
		  __entry->vcpu, __entry->number, __entry->tsc,
		  __print_symbolic(__entry->code, LIBSVM_TRACE_CODES), __entry->rip,
		  __entry->info1, __entry->info2, __entry->intinfo)
);

TRACE_EVENT(libsvm_inject,
	TP_PROTO(u32 vcpu, const struct svm_record *record),
	TP_ARGS(vcpu, record),

	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u64, number)
		__field(u8, type)
		__field(u8, vector)
		__field(u32, error)
	),

	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->number = record->number;
		__entry->type = (u8)svm_bits_get(record->event, SVM_EVENT_TYPE);
		__entry->vector = (u8)svm_bits_get(record->event, SVM_EVENT_VECTOR);
		__entry->error = (u32)svm_bits_get(record->event, SVM_EVENT_ERROR);
	),

	TP_printk("vcpu=%u behind=%llu type=%s vector=0x%x error=0x%x", __entry->vcpu,
		  __entry->number, __print_symbolic(__entry->type, LIBSVM_TRACE_TYPES),
		  __entry->vector, __entry->error)
);

TRACE_EVENT(libsvm_return,
	TP_PROTO(u32 vcpu, u32 kind, u64 rip, int error),
	TP_ARGS(vcpu, kind, rip, error),

	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, kind)
		__field(u64, rip)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->kind = kind;
		__entry->rip = rip;
		__entry->error = error;
	),

	TP_printk("vcpu=%u kind=%u rip=0x%llx error=%d", __entry->vcpu, __entry->kind,
		  __entry->rip, __entry->error)
);

TRACE_EVENT(libsvm_page_fault,
	TP_PROTO(u64 gpa, u32 access, unsigned long hva, int error),
	TP_ARGS(gpa, access, hva, error),

	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u32, access)
		__field(unsigned long, hva)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->gpa = gpa;
		__entry->access = access;
		__entry->hva = hva;
		__entry->error = error;
	),

	TP_printk("gpa=0x%llx access=%s hva=0x%lx error=%d", __entry->gpa,
		  __print_flags(__entry->access, "|", { SVM_PROT_READ, "read" },
				{ SVM_PROT_WRITE, "write" }, { SVM_PROT_EXECUTE, "execute" }),
		  __entry->hva, __entry->error)
);

TRACE_EVENT(libsvm_age,
	TP_PROTO(unsigned long start, unsigned long end, bool is_young),
	TP_ARGS(start, end, is_young),

	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(bool, is_young)
	),

	TP_fast_assign(
		__entry->start = start;
		__entry->end = end;
		__entry->is_young = is_young;
	),

	TP_printk("hva=0x%lx-0x%lx %s", __entry->start, __entry->end,
		  __entry->is_young ? "young" : "old")
);

#endif

/* Relative to what the compiler looks through for guest_trace.o alone. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
