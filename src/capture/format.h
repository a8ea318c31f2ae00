/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CAPTURE_FORMAT_H
#define SVM_CAPTURE_FORMAT_H
/*
 * What a capture looks like; recorder and replay share it.
 *
 * Eight bytes of magic and a number, the version; then events to the end.  An event is a byte, its
 * tag, and what the tables below say.  Numbers have seven bits a byte, lowest first, bit 7 set in
 * all but the last.  Structures are their size as a number and then their bytes, as the compiler
 * lays them out: a replay of a library with another layout refuses by the size.
 *
 * Calls are nested as they were: what the library asked for inside a call stands between CALL and
 * RESULT, and what a callback called between CALLBACK and ANSWER.
 */
#include <libsvm/capture.h>
#include <libsvm/libsvm.h>

#include "hal/switch.h"

#define SVM_CAPTURE_MAGIC "svm-cap"

#define SVM_CAPTURE_HOSTS     4u
#define SVM_CAPTURE_VMS       16u
#define SVM_CAPTURE_VCPUS     64u
#define SVM_CAPTURE_CALLBACKS 256u
#define SVM_CAPTURE_NOBODY    0xffu /* Instead of an object's number: it could not be made. */

/* E(name, what follows). */
#define SVM_CAPTURE_EVENTS(E)                                                                      \
	E(CALL, "call, object, arguments: the embedder calls")                                     \
	E(RESULT, "value; behind it what the call gave: a call returns")                           \
	E(CALLBACK, "callback, vCPU, request: the library calls the embedder")                     \
	E(ANSWER, "answer: the callback returns")                                                  \
	E(ASYNC, "call, object: made at any time, from an interrupt handler or a callback")        \
	E(ENTERING, "nothing: the calls before it came behind the last look, or behind ENTRY")     \
	E(ENTRY, "hpa, differences of VMCB and switch: what VMRUN is given")                       \
	E(EXIT, "differences of VMCB and switch: what #VMEXIT left")                               \
	E(PAGE, "hpa, 4096 bytes: guest memory, where it is not as it was last read")              \
	E(NOWHERE, "hpa: phys_to_virt() said NULL")                                                \
	E(WROTE, "hpa, sum: guest memory that the library has changed")                            \
	E(FRAMES, "count, hpa or 0: frames_alloc()")                                               \
	E(CPU_ID, "value")                                                                         \
	E(SHOULD_EXIT, "value")                                                                    \
	E(MACHINE_CHECK, "value")                                                                  \
	E(MAY_MAP, "value")                                                                        \
	E(CLOCK, "value")                                                                          \
	E(RDMSR_SAFE, "number, value, whether it was there")                                       \
	E(WRMSR_SAFE, "number, value, whether it was there")                                       \
	E(CPUID, "leaf, subleaf, EAX, EBX, ECX, EDX")                                              \
	E(RDMSR, "number, value")                                                                  \
	E(WRMSR, "number, value: what the library wrote")                                          \
	E(READ_CR, "number, value")                                                                \
	E(READ_DR, "number, value")                                                                \
	E(RDTSC, "value")                                                                          \
	E(IRQ_SAVE, "value: RFLAGS")                                                               \
	E(XGETBV, "value")                                                                         \
	E(XSAVE, "differences from zeros: the guest's FPU as the library saved it")                \
	E(END, "nothing: the recording was ended")                                                 \
	E(LOST, "nothing: what follows cannot be replayed")                                        \
	E(UNSURE, "hpa: guest memory that changed; others than the library may have done it")

enum svm_capture_event {
#define SVM_CAPTURE_EVENT_ENUM(name, text) SVM_CAPTURE_##name,
	SVM_CAPTURE_EVENTS(SVM_CAPTURE_EVENT_ENUM)
#undef SVM_CAPTURE_EVENT_ENUM
	SVM_CAPTURE_EVENT_COUNT,
};

/* K(name, request and answer). */
#define SVM_CAPTURE_CALLBACKS_OF(K)                                                                \
	K(IO, "port, size, is_in, value if OUT; result, value")                                    \
	K(MMIO, "gpa, size, is_write, data if written; result, data")                              \
	K(HYPERCALL, "number, four arguments, cpl, is_wide; result, value")                        \
	K(MSR, "number, is_write, value if written; known, value")                                 \
	K(MSR_FILTER, "number, is_write; allowed")                                                 \
	K(RESOLVE, "gpa, access; result, hpa, size, rights")                                       \
	K(STUCK, "kind; go on")                                                                    \
	K(IRQ_PENDING, "tpr; vector + 1")                                                          \
	K(IRQ_ACCEPT, "vector; vector")                                                            \
	K(IRQ_TPR, "tpr; 0")                                                                       \
	K(IRQ_DEADLINE, "nothing; ns")                                                             \
	K(ARRIVE, "nothing; result, gpa")                                                          \
	K(LEAVE, "has_work; 0")

enum svm_capture_callback {
#define SVM_CAPTURE_CALLBACK_ENUM(name, text) SVM_CAPTURE_ON_##name,
	SVM_CAPTURE_CALLBACKS_OF(SVM_CAPTURE_CALLBACK_ENUM)
#undef SVM_CAPTURE_CALLBACK_ENUM
};

/*
 * Calls whose arguments are an object and numbers: Cn(name without svm_, object, types); V: no
 * result; A: no result, and made at any time; S: a structure that is read, or no bytes for NULL.
 * What is missing changes nothing that the library acts upon: tests/replay/calls_test.py lists it.
 */
#define SVM_CAPTURE_CALLS(C0, C1, C2, C3, C4, V0, V1, V2, A0, S)                                   \
	V1(host_set_fixed_registers, host, bool)                                                   \
	C0(host_destroy, host)                                                                     \
	C0(cpu_online, host)                                                                       \
	C0(cpu_offline, host)                                                                      \
	C0(vm_destroy, vm)                                                                         \
	C0(vm_pause, vm)                                                                           \
	C0(vm_resume, vm)                                                                          \
	C0(vm_stop, vm)                                                                            \
	C0(vm_reset, vm)                                                                           \
	C1(vm_slot_remove, vm, svm_gpa_t)                                                          \
	C4(vm_map, vm, svm_gpa_t, svm_hpa_t, uint64_t, uint32_t)                                   \
	C2(vm_populate, vm, svm_gpa_t, uint64_t)                                                   \
	C2(vm_unmap, vm, svm_gpa_t, uint64_t)                                                      \
	C3(vm_protect, vm, svm_gpa_t, uint64_t, uint32_t)                                          \
	C1(vm_reserve, vm, uint32_t)                                                               \
	V2(vm_invalidate_begin, vm, svm_gpa_t, uint64_t)                                           \
	V2(vm_invalidate_end, vm, svm_gpa_t, uint64_t)                                             \
	C2(vm_dirty_log, vm, svm_gpa_t, enum svm_dirty_mode)                                       \
	C2(vm_dirty_mark, vm, svm_gpa_t, uint64_t)                                                 \
	C3(vm_io_allow, vm, uint16_t, uint32_t, bool)                                              \
	C3(vm_set_msr_policy, vm, uint32_t, uint64_t, enum svm_msr_policy)                         \
	C2(vm_hypercall_default, vm, bool, uint64_t)                                               \
	C1(vm_set_exits, vm, uint64_t)                                                             \
	C1(vm_set_mitigations, vm, uint64_t)                                                       \
	C0(vcpu_destroy, vcpu)                                                                     \
	C0(vcpu_reset, vcpu)                                                                       \
	C0(vcpu_load, vcpu)                                                                        \
	V0(vcpu_put, vcpu)                                                                         \
	V1(vcpu_stay_loaded, vcpu, bool)                                                           \
	C1(vcpu_complete_value, vcpu, uint64_t)                                                    \
	C4(vcpu_complete_cpuid, vcpu, uint32_t, uint32_t, uint32_t, uint32_t)                      \
	C0(vcpu_complete_skip, vcpu)                                                               \
	C0(vcpu_complete_retry, vcpu)                                                              \
	C0(vcpu_complete_emulate, vcpu)                                                            \
	C2(vcpu_complete_fault, vcpu, uint8_t, uint32_t)                                           \
	C3(vcpu_inject_exception, vcpu, uint8_t, uint32_t, uint64_t)                               \
	A0(vcpu_inject_nmi, vcpu)                                                                  \
	C1(vcpu_inject_interrupt, vcpu, uint8_t)                                                   \
	V1(vcpu_want_window, vcpu, bool)                                                           \
	A0(vcpu_notify, vcpu)                                                                      \
	A0(vcpu_unhalt, vcpu)                                                                      \
	A0(vcpu_kick, vcpu)                                                                        \
	C0(vcpu_init_ipi, vcpu)                                                                    \
	C1(vcpu_startup_ipi, vcpu, uint8_t)                                                        \
	V1(vcpu_set_cr8, vcpu, uint8_t)                                                            \
	C2(vcpu_set_msr, vcpu, uint32_t, uint64_t)                                                 \
	C1(vcpu_set_xcr0, vcpu, uint64_t)                                                          \
	V1(vcpu_show_monitor, vcpu, bool)                                                          \
	V1(vcpu_set_tsc_offset, vcpu, uint64_t)                                                    \
	C2(vcpu_set_pause_filter, vcpu, uint16_t, uint16_t)                                        \
	C2(vcpu_set_intercept, vcpu, unsigned, bool)                                               \
	V1(vcpu_set_loop_limit, vcpu, uint64_t)                                                    \
	C1(vcpu_time_exits, vcpu, bool)                                                            \
	S(vcpu_set_regs, vcpu, svm_regs)                                                           \
	S(vcpu_set_system, vcpu, svm_system_regs)                                                  \
	S(vcpu_set_debug, vcpu, svm_debug_regs)                                                    \
	S(vcpu_set_events, vcpu, svm_events)                                                       \
	S(vcpu_set_debugger, vcpu, svm_debugger)

/* The others: O(name without svm_, object, arguments behind the object). */
#define SVM_CAPTURE_OTHERS(O)                                                                      \
	O(host_create, none, "svm_hal members as numbers, bits of the entries that are there")     \
	O(vm_create, host, "svm_vm_config")                                                        \
	O(vcpu_create, vm, "id")                                                                   \
	O(vm_slot_add, vm, "svm_slot, hpa of each frame if FRAMES")                                \
	O(vm_io_handler, vm, "first, count, whether to a callback")                                \
	O(vm_mmio_handler, vm, "gpa, size, whether to a callback")                                 \
	O(vm_hypercall_handler, vm, "first, count, whether to a callback")                         \
	O(vm_msr_handler, vm, "first, count, whether to a callback")                               \
	O(vm_msr_filter, vm, "whether to a callback")                                              \
	O(vm_set_cpuid, vm, "rows")                                                                \
	O(vcpu_mmio_handler, vcpu, "gpa, size, whether to a callback")                             \
	O(vcpu_set_irq_port, vcpu, "bit 0: a port, bit 1: with a deadline")                        \
	O(vcpu_set_presence, vcpu, "whether to callbacks")                                         \
	O(vcpu_set_xsave, vcpu, "bytes")                                                           \
	O(vcpu_complete_data, vcpu, "bytes")                                                       \
	O(vcpu_run, vcpu, "nothing; gives svm_capture_exit_fields()")

enum svm_capture_call {
#define SVM_CAPTURE_CALL_ENUM(name, ...) SVM_CALL_##name,
	SVM_CAPTURE_CALLS(SVM_CAPTURE_CALL_ENUM, SVM_CAPTURE_CALL_ENUM, SVM_CAPTURE_CALL_ENUM,
	                  SVM_CAPTURE_CALL_ENUM, SVM_CAPTURE_CALL_ENUM, SVM_CAPTURE_CALL_ENUM,
	                  SVM_CAPTURE_CALL_ENUM, SVM_CAPTURE_CALL_ENUM, SVM_CAPTURE_CALL_ENUM,
	                  SVM_CAPTURE_CALL_ENUM)
	SVM_CAPTURE_OTHERS(SVM_CAPTURE_CALL_ENUM)
#undef SVM_CAPTURE_CALL_ENUM
	SVM_CALL_COUNT,
};

/* Optional entries of the HAL whose absence the library acts upon, or whose answers are read. */
#define SVM_CAPTURE_HAS_IRQ           0x01u
#define SVM_CAPTURE_HAS_FPU           0x02u
#define SVM_CAPTURE_HAS_SHOULD_EXIT   0x04u
#define SVM_CAPTURE_HAS_MACHINE_CHECK 0x08u
#define SVM_CAPTURE_HAS_CLOCK         0x10u
#define SVM_CAPTURE_HAS_RDMSR         0x20u
#define SVM_CAPTURE_HAS_WRMSR         0x40u
#define SVM_CAPTURE_HAS_MAY_MAP       0x80u
#define SVM_CAPTURE_HAS_FEATURES      0x100u

#define SVM_CAPTURE_VMCB_WORDS   (sizeof(struct svm_vmcb) / 8)
#define SVM_CAPTURE_SWITCH_WORDS (sizeof(struct svm_switch) / 8)

/* Sum of a page of guest memory: tells whether it changed, not who wishes it had not. */
static inline uint64_t svm_capture_sum(const void *page)
{
	const uint64_t *word = page;
	uint64_t sum = 0x9e3779b97f4a7c15;

	for (unsigned i = 0; i < SVM_PAGE_SIZE / sizeof(*word); i++) {
		sum = (sum ^ word[i]) * 0xff51afd7ed558ccd;
		sum ^= sum >> 32;
	}
	return sum;
}

#define SVM_CAPTURE_FIELDS_MAX 24u

struct svm_capture_field {
	const char *name;
	uint64_t value;
};

/* What an exit says, without what its kind leaves undefined; number of fields. */
unsigned svm_capture_exit_fields(const struct svm_exit *exit,
                                 struct svm_capture_field field[SVM_CAPTURE_FIELDS_MAX]);

#endif
