/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * What the machine does once it is up: see program.c for the words of `run=`.
 */
#ifndef BAREMETAL_PROGRAM_H
#define BAREMETAL_PROGRAM_H

/** Run what the command line asks for and turn the machine off. */
_Noreturn void program_main(void);

#endif
