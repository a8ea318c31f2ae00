/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bytes that a processor with decode assists leaves behind a nested fault.
 *
 * Debian's Zydis and not the library's: that one has neither a formatter nor operands.
 */
#include <stdio.h>
#include <string.h>

#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>
#endif

#include "disassemble.h"

#define BYTES_MOST 15u

#ifdef HAVE_ZYDIS
#define CR0_PE   SVM_BIT(0)
#define EFER_LMA SVM_BIT(10)

static ZydisMachineMode mode_of(const struct svm_vmcb *vmcb)
{
	const uint16_t attributes = svm_vmcb_get_cs(vmcb).attributes;
	const bool is_protected = svm_vmcb_get_cr0(vmcb) & CR0_PE;

	if (is_protected && (svm_vmcb_get_efer(vmcb) & EFER_LMA) && (attributes & SVM_SEG_L))
		return ZYDIS_MACHINE_MODE_LONG_64;
	if (!is_protected)
		return ZYDIS_MACHINE_MODE_REAL_16;
	return (attributes & SVM_SEG_DB) ? ZYDIS_MACHINE_MODE_LEGACY_32
	                                 : ZYDIS_MACHINE_MODE_LEGACY_16;
}

static void add_words(const struct svm_vmcb *vmcb, size_t count, char *text, size_t room)
{
	ZydisDisassembledInstruction insn;

	if (ZYAN_SUCCESS(ZydisDisassembleIntel(mode_of(vmcb), vmcb->save.rip,
	                                       vmcb->control.insn_bytes, count, &insn)))
		snprintf(text, room, "  %s", insn.text);
}

bool disassemble_exists(void)
{
	return true;
}
#else
static void add_words(const struct svm_vmcb *vmcb, size_t count, char *text, size_t room)
{
	(void)vmcb, (void)count, (void)text, (void)room;
}

bool disassemble_exists(void)
{
	return false;
}
#endif

const char *disassemble(const struct svm_vmcb *vmcb, char text[DISASSEMBLE_SIZE])
{
	size_t count = vmcb->control.insn_count, used = 0;

	text[0] = '\0';
	if (count > BYTES_MOST)
		count = BYTES_MOST;
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, DISASSEMBLE_SIZE - used, "%s%02X",
		                         i ? " " : "", vmcb->control.insn_bytes[i]);
	if (count)
		add_words(vmcb, count, text + used, DISASSEMBLE_SIZE - used);
	return text;
}
