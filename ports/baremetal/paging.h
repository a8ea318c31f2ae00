/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * The kernel's own page tables: the final set, built once, after which only stacks and windows are
 * added.  The map itself is layout.h.
 */
#ifndef BAREMETAL_PAGING_H
#define BAREMETAL_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTE_P    (UINT64_C(1) << 0)
#define PTE_RW   (UINT64_C(1) << 1)
#define PTE_US   (UINT64_C(1) << 2)
#define PTE_PWT  (UINT64_C(1) << 3)
#define PTE_PCD  (UINT64_C(1) << 4)
#define PTE_PS   (UINT64_C(1) << 7)
#define PTE_NX   (UINT64_C(1) << 63)
#define PTE_ADDR UINT64_C(0x000ffffffffff000)

#define MAP_RX     (PTE_P)
#define MAP_R      (PTE_P | PTE_NX)
#define MAP_RW     (PTE_P | PTE_RW | PTE_NX)
#define MAP_DEVICE (PTE_P | PTE_RW | PTE_NX | PTE_PCD | PTE_PWT)

/** Build the final tables and switch this CPU to them. Boot CPU, after frames_init(). */
bool paging_init(void);

/** The root every CPU uses; below 4 GiB, so that 32-bit code can load it. */
uint64_t paging_root(void);

/**
 * Map [va, va + size) to pa with one of MAP_*; page aligned; the largest leaves that fit.
 * False: no frame for a table, or something is mapped there already.  Boot CPU only.
 */
bool paging_map(uint64_t va, uint64_t pa, uint64_t size, uint64_t flags);

/** Take 4 KiB pages away; this CPU's translations only are flushed. */
void paging_unmap(uint64_t va, uint64_t size);

/** Map physical bytes somewhere in the window area; NULL when memory is out. Never undone. */
void *paging_window(uint64_t pa, uint64_t size, uint64_t flags);

/** A new stack of @p pages with an unmapped page below; returns its top, or 0. */
uint64_t paging_stack(size_t pages);

struct paging_audit {
	uint64_t leaves;        /**< present leaves looked at */
	uint64_t writable_exec; /**< leaves both writable and executable: must be 0 */
	uint64_t writable_text; /**< writable leaves onto the image's text or rodata: must be 0 */
	uint64_t executable_bytes; /**< all executable bytes */
};

/** Walk the tables this CPU uses and count what breaks W^X. */
struct paging_audit paging_audit(void);

#endif
