/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_BENCH_UNRECORDED_CORE_VCPU_RECORDER_H
#define TESTS_BENCH_UNRECORDED_CORE_VCPU_RECORDER_H
/*
 * In place of the library's header of this name: a flight recorder that does nothing.  What an exit
 * costs with the other one more than with this is what the recorder costs; no counting of its own
 * instructions could tell, since the compiler mixes them with those around.
 */
#define svm_recorder_note        recorder_note
#define svm_recorder_cut         recorder_cut
#define svm_recorder_advanced    recorder_advanced
#define svm_recorder_interrupted recorder_interrupted
#define svm_recorder_injected    recorder_injected
#define svm_recorder_returned    recorder_returned
#define svm_recorder_ended       recorder_ended
#include "../../../../../src/core/vcpu/recorder.h"
#undef svm_recorder_note
#undef svm_recorder_cut
#undef svm_recorder_advanced
#undef svm_recorder_interrupted
#undef svm_recorder_injected
#undef svm_recorder_returned
#undef svm_recorder_ended

#define svm_recorder_note(recorder, vmcb, code, tsc)      ((void)(recorder), (void)(tsc))
#define svm_recorder_cut(recorder)                        ((void)(recorder))
#define svm_recorder_advanced(recorder)                   ((void)(recorder))
#define svm_recorder_interrupted(recorder, exit_int_info) ((void)(recorder))
#define svm_recorder_injected(recorder, event)            ((void)(recorder))
#define svm_recorder_returned(recorder, kind)             ((void)(recorder))
#define svm_recorder_ended(recorder, kind)                ((void)(recorder))

#endif
