/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef CONSOLE_H
#define CONSOLE_H

/* Print to the first serial line: %s, %lu and %lx. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The end of the lesson: QEMU exits. */
_Noreturn void end(void);

#endif
