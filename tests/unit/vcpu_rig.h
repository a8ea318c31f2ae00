/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_VCPU_RIG_H
#define TESTS_UNIT_VCPU_RIG_H
/*
 * The whole library on the strict processor, with one small guest: for tests of src/core/vcpu and
 * of the objects around it.
 *
 * What a test breaks by intent it must tolerate by name; rig_fini() fails on any other breach, and
 * on a frame that was never freed.
 */
#include <check.h>
#include <string.h>

#include <libsvm/exit_codes.h>
#include <libsvm/msrs.h>
#include <libsvm/vcpu.h>

#include "core/features.h"
#include "core/vcpu/exits.h"
#include "hosted.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Guest-physical addresses; the guest's memory is 64 pages from 0, in 64-bit mode mapped 1:1. */
#define RIG_CODE    UINT64_C(0x1000)
#define RIG_STACK   UINT64_C(0x3000) /* Top; grows down. */
#define RIG_DATA    UINT64_C(0x4000)
#define RIG_IDT     UINT64_C(0x5000)
#define RIG_GDT     UINT64_C(0x6000)
#define RIG_TSS     UINT64_C(0x7000)
#define RIG_PT      UINT64_C(0x8000) /* 4 pages of tables. */
#define RIG_HANDLER UINT64_C(0x10000) /* Handler n is 64 bytes at RIG_HANDLER + 64 * n. */
#define RIG_PAGES   64u
#define RIG_HOLE    UINT64_C(0x100000) /* Mapped by the guest, in no slot. */

enum rig_mode { RIG_REAL, RIG_32, RIG_64 };

struct rig {
	struct hosted_machine *m;
	struct svm_hal hal; /* A copy that a test may change before rig_start(). */
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	uint8_t *memory;
	svm_hpa_t memory_hpa;
	enum rig_mode mode;
	struct hosted_script code;
	struct svm_exit exit; /* Of the newest rig_run(). */
};

/* The machine alone; then host, VM, memory and vCPU 0 with the guest at RIG_CODE. */
void rig_machine(struct rig *r, const struct hosted_config *config);
void rig_start(struct rig *r, enum rig_mode mode);
/* Both. */
void rig_init(struct rig *r, const struct hosted_config *config, enum rig_mode mode);
void rig_fini(struct rig *r);

/* With every help of the processor (0), without next RIP (1), with nested paging alone (2). */
#define RIG_HELPS 3
void rig_init_help(struct rig *r, int help, enum rig_mode mode); /* And rig_handlers(). */

/* Put the guest back to the first instruction of r->code, registers and events as at the start. */
void rig_rewind(struct rig *r);
/* The same for any vCPU of the VM. */
void rig_prepare(struct rig *r, struct svm_vcpu *vcpu);

/* Copy r->code to the guest and run once; the kind of exit.  The call itself must succeed. */
enum svm_exit_kind rig_run(struct rig *r);
/* As rig_run(), and again as long as the host only took an interrupt. */
enum svm_exit_kind rig_run_on(struct rig *r);

/* Run r->code; the vector of the exception that came, or -1 for the VMMCALL put at its end. */
int rig_outcome(struct rig *r);

/* Point the guest's IDT entry at `script`. */
void rig_handler(struct rig *r, unsigned vector, const struct hosted_script *script);
/* A handler that loads `vector` into RAX and ends in VMMCALL, for every vector below 64. */
void rig_handlers(struct rig *r);

/* A program of one suite: exit status 1 if a test failed. */
int rig_main(const char *name, void (*add)(TCase *tc));

struct svm_regs rig_regs(struct rig *r);
uint64_t rig_read64(struct rig *r, svm_gpa_t gpa);

#endif
