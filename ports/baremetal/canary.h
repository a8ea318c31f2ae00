/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_CANARY_H
#define BAREMETAL_CANARY_H

/** Choose this boot's guard value.  First of all, by a function that never returns. */
void canary_init(void);

#endif
