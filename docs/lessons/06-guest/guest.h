/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef GUEST_H
#define GUEST_H

#define GUEST_START 0x8000 /* Where the guest begins. */

#ifndef __ASSEMBLER__
extern const unsigned char guest[], guest_end[]; /* What to copy there. */
#endif

#endif
