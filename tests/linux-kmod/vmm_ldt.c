/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The process's local descriptor table changes while a thread of it is in a guest.  The kernel
 * tells that thread's CPU by an interrupt, and frees the old table: whoever puts back what was in
 * LDTR before has the thread use memory that is somebody else's by then.  KVM of 6.1 does.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm.h"

#define SELECTOR 7u /* The first of the local table, for CPL 3. */

/* Of a segment; -1: there is none. */
static long limit_of(uint32_t selector)
{
	uint32_t limit = 0;
	bool is_there;

	__asm__ volatile("lsl	%2, %0" : "+r"(limit), "=@ccz"(is_there) : "r"(selector));
	return is_there ? (long)limit : -1;
}

static bool set_limit(unsigned limit)
{
	struct user_desc segment = { .limit = limit, .seg_32bit = 1, .useable = 1 };

	return syscall(SYS_modify_ldt, 0x11, &segment, sizeof(segment)) == 0;
}

static long seen;

static void *run_and_look(void *arg)
{
	EXPECT(run_once(arg) == -1 && errno == EINTR, 0);
	seen = limit_of(SELECTOR);
	return NULL;
}

/* What the thread has after a run in which the table was set to this. */
static long seen_after(struct machine *m, unsigned limit)
{
	pthread_t thread;

	pthread_create(&thread, NULL, run_and_look, m);
	usleep(50000); /* It is in the guest. */
	EXPECT(set_limit(limit), limit);
	usleep(20000);
	pthread_kill(thread, SIGALRM);
	pthread_join(thread, NULL);
	return seen;
}

static void table_changes(void)
{
	static const uint8_t code[] = { 0xeb, 0xfe };
	struct sigaction action = { .sa_handler = on_alarm };
	struct machine m;

	machine_open(&m);
	START(&m, code);
	sigaction(SIGALRM, &action, NULL);
	for (unsigned limit = 0x100; limit < 0x104; limit++)
		EXPECT(seen_after(&m, limit) == (long)limit, seen);
	machine_close(&m);
}

const struct test ldt_tests[] = {
	{ "ldt", table_changes },
	{ NULL, NULL },
};
