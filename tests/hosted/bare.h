/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_HOSTED_BARE_H
#define TESTS_HOSTED_BARE_H
/*
 * A monitor of a few lines, for tests of the model itself: one VMCB that breaks no rule, nested
 * tables by hand, and the world switch.  No line of the library is involved.
 */
#include <check.h>
#include <string.h>

#include "hal/ring0.h"
#include "guest.h"
#include "hosted.h"

struct bare {
	struct hosted_machine *m;
	struct svm_switch s;
	struct svm_vmcb *vmcb;
	svm_hpa_t hsave, host_vmcb;
	uint8_t *memory; /* The guest's, by guest-physical address. */
	svm_hpa_t memory_hpa;
	uint64_t *pt; /* Nested leaf entries, by page. */
	svm_hpa_t root;
	void *pages;
	svm_hpa_t pages_hpa;
	struct hosted_script code;
};

/* CPU 0 with SVM on, and a guest that lacks only its code; config NULL: defaults. */
void bare_init(struct bare *b, const struct hosted_config *config, enum guest_mode mode);
void bare_fini(struct bare *b);

/* Copy b->code to the guest and run until the next exit; the exit code. */
uint64_t bare_run(struct bare *b);

#endif
