/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The image that is recorded: libsvm-capture.elf.
 *
 * The capture goes to port E9h, which emulators write to a file byte by byte.  The serial line is
 * the console's, and a capture has more to say than that would bear.  With one processor and one
 * guest: a capture is of one thread.
 */
#include <libsvm/capture.h>
#include <libsvm/error.h>

#include "kprintf.h"
#include "x86.h"

#define DEBUG_CONSOLE 0xe9

void capture_start(void);
void capture_stop(void);

static void to_debug_console(void *arg, const void *data, size_t size)
{
	const uint8_t *byte = data;

	(void)arg;
	for (size_t i = 0; i < size; i++)
		outb(DEBUG_CONSOLE, byte[i]);
}

void capture_start(void)
{
	if (svm_capture_begin(to_debug_console, NULL) == 0)
		kprintf("capture: to port E9h\n");
}

void capture_stop(void)
{
	const int error = svm_capture_end();

	kprintf("capture: %s\n", error ? svm_error_name(error) : "complete");
}
