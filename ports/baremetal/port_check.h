/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_PORT_CHECK_H
#define BAREMETAL_PORT_CHECK_H

#include <libsvm/libsvm.h>

/** Try what this port itself promises; prints a line each, returns how many failed. Boot CPU. */
unsigned int port_check(void);

/** Try that no frame but a guest's own can be mapped; as above, with SVM on. Boot CPU. */
unsigned int port_check_owners(struct svm_host *host);

/**
 * Break something on purpose, to see the dump: "page" touches the page below a stack, "opcode"
 * executes UD2, "frame" writes past an array on the stack, "stack" runs the stack into its guard
 * page, "interrupt" takes one with a GS base that is not this port's.  Returns if @p how is none.
 */
void port_crash(const char *how);

#endif
