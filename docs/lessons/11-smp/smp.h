/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SMP_H
#define SMP_H

/* Start processor 1, which runs main() some time later. */
void smp_start(void (*main)(void));

#endif
