/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_DISASSEMBLE_H
#define TOOLS_DISASSEMBLE_H
/*
 * An instruction in words, where the build found a disassembler.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libsvm/vmcb.h>

#define DISASSEMBLE_SIZE 160

bool disassemble_exists(void);

/*
 * The bytes, and behind them the instruction in the mode in which this VMCB's guest is: "0F A2
 * cpuid".  Of a VMCB that holds none, "".
 */
const char *disassemble(const struct svm_vmcb *vmcb, char text[DISASSEMBLE_SIZE]);

#endif
