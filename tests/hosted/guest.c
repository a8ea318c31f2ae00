/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "guest.h"

#include <string.h>

#define PTE_TABLE UINT64_C(0x7) /* present, writable, user */

int guest_bits(enum guest_mode mode)
{
	return mode == GUEST_REAL ? 16 : mode == GUEST_32 ? 32 : 64;
}

struct svm_vmcb_segment guest_code(enum guest_mode mode)
{
	if (mode == GUEST_REAL)
		return (struct svm_vmcb_segment){ 0, 0x9b, 0xffff, 0 };
	return (struct svm_vmcb_segment){ 8, mode == GUEST_32 ? 0xc9b : 0xa9b, 0xffffffff, 0 };
}

struct svm_vmcb_segment guest_data(enum guest_mode mode)
{
	if (mode == GUEST_REAL)
		return (struct svm_vmcb_segment){ 0, 0x93, 0xffff, 0 };
	return (struct svm_vmcb_segment){ 16, 0xc93, 0xffffffff, 0 };
}

void guest_tables(uint8_t *memory, int bits)
{
	static const uint64_t gdt_64[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0 };
	static const uint64_t gdt_32[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0 };
	uint64_t *pt = (uint64_t *)(void *)(memory + GUEST_PT);

	memcpy(memory + GUEST_GDT, bits == 64 ? gdt_64 : gdt_32, sizeof(gdt_64));
	for (unsigned i = 0; i < 3; i++)
		pt[i * 512] = (GUEST_PT + (i + 1) * 4096) | PTE_TABLE;
	for (unsigned i = 0; i < 512; i++)
		pt[3 * 512 + i] = i * 4096u | PTE_TABLE;
}

void guest_handler(uint8_t *memory, unsigned vector, uint64_t gpa,
                   const struct hosted_script *script)
{
	uint64_t gate[2] = { 0 };

	memcpy(memory + gpa, script->bytes, script->size);
	if (script->bits == 16) {
		gate[0] = gpa;
		memcpy(memory + GUEST_IDT + vector * 4, gate, 4);
		return;
	}
	gate[0] = (gpa & 0xffff) | 8u << 16 | UINT64_C(0x8e) << 40 | (gpa >> 16) << 48;
	gate[1] = gpa >> 32;
	memcpy(memory + GUEST_IDT + vector * (script->bits == 64 ? 16 : 8), gate,
	       script->bits == 64 ? 16 : 8);
}
