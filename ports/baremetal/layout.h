/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The map of the kernel's virtual addresses, shared by C, assembly and (by value) link.ld.
 *
 * The library is built with the `kernel` code model, which reaches only the top 2 GiB, so the
 * image lives there.  Everything else hangs in the other half of the upper address space; the
 * lower half stays empty, so that a NULL or a physical address used as a pointer faults.
 *
 *	0xffff8000_00000000  all RAM, at its physical offset: RW, never executable
 *	0xffffc000_00000000  stacks, each with an unmapped page below it
 *	0xffffd000_00000000  windows on devices and firmware tables, handed out upwards
 *	0xffffffff_80000000  the image, at physical offset: text RX, read-only data R, data RW
 */
#ifndef BAREMETAL_LAYOUT_H
#define BAREMETAL_LAYOUT_H

#define KERNEL_VMA  0xffffffff80000000
#define DIRECT_MAP  0xffff800000000000
#define STACK_AREA  0xffffc00000000000
#define WINDOW_AREA 0xffffd00000000000

/* Bootstrap tables cover this much of the image; link.ld refuses a larger one. */
#define IMAGE_PAGE_TABLES 8
#define IMAGE_LIMIT       (IMAGE_PAGE_TABLES * 0x200000)

#define BOOT_STACK_SIZE 0x8000

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS  0x18

#endif
