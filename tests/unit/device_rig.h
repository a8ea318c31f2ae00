/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_DEVICE_RIG_H
#define TESTS_UNIT_DEVICE_RIG_H
/* What the tests of PC devices share: wires that are looked at, and the suite's main(). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/device.h>

#include "../hosted/suite.h"

/* A wire's end.  Each call must be a change: so the contract of struct svm_wire says. */
struct probe {
	bool level;
	unsigned rises;
};

static inline void probe_set(void *arg, unsigned line, bool level)
{
	struct probe *probe = (struct probe *)arg + line;

	ck_assert_msg(probe->level != level, "line %u is told %d twice", line, level);
	probe->level = level;
	probe->rises += level;
}

static inline struct svm_wire probe_wire(struct probe *probes, unsigned line)
{
	return (struct svm_wire){ probe_set, probes, line };
}

#endif
