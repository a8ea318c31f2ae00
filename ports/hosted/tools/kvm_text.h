/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_KVM_TEXT_H
#define TOOLS_KVM_TEXT_H
/*
 * The VMCBs that Linux's KVM prints into the kernel's log, field by field.
 */
#include <stdbool.h>

#include "dump.h"

/* Whether KVM has printed a VMCB in this text. */
bool kvm_text_is(const char *text);

/*
 * The VMCBs of a text, which is changed; `memory` is empty before, and knows what the text says.
 * False, with a reason that names the line, and perhaps something in `memory`.
 */
bool kvm_text_decode(char *text, struct dump *memory, size_t most, char why[DUMP_WHY]);

#endif
