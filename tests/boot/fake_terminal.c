/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What console.c wants of a machine, and nothing behind it. */
#include "fake_terminal.h"

#include <check.h>
#include <string.h>

#include "../../ports/baremetal/console.h"
#include "../../ports/baremetal/console_lock.h"
#include "../../ports/baremetal/power.h"
#include "../../ports/baremetal/serial.h"
#include "../../ports/baremetal/time.h"

char shown[65536];
size_t shown_size;
const char *typed = "";
uint64_t now;
bool is_locked;
jmp_buf off;

void (*meanwhile)(void);
int meanwhile_after;

uint64_t console_lock(void)
{
	ck_assert(!is_locked);
	if (meanwhile && !--meanwhile_after) {
		void (*const run)(void) = meanwhile;

		meanwhile = NULL;
		run();
	}
	is_locked = true;
	return 0;
}

void console_unlock(uint64_t key)
{
	(void)key;
	ck_assert(is_locked);
	is_locked = false;
}

void serial_write(const char *text, size_t size)
{
	ck_assert_uint_lt(shown_size + size, sizeof(shown));
	memcpy(shown + shown_size, text, size);
	shown_size += size;
	shown[shown_size] = '\0';
}

void serial_write_raw(const char *text, size_t size)
{
	serial_write(text, size);
}

bool serial_read(uint8_t *byte)
{
	if (!*typed)
		return false;
	*byte = (uint8_t)*typed++;
	return true;
}

uint64_t time_ns(void)
{
	return now;
}

_Noreturn void power_off(int status)
{
	longjmp(off, status);
}

void forget(void)
{
	shown_size = 0;
	shown[0] = '\0';
}

void expect(const char *text)
{
	ck_assert_str_eq(shown, text);
	forget();
}

void type(const char *text)
{
	typed = text;
	for (int i = 0; i < 64 && *typed; i++) {
		console_receive();
		console_poll();
	}
	console_poll();
}
