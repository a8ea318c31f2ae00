/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_HOSTED_WATCH_H
#define TESTS_HOSTED_WATCH_H

/*
 * What this thread wants to do between #VMEXIT and the library's first look at the guest's memory:
 * another processor can do it there too, but when it does is the scheduler's choice.
 */
struct watch_hook {
	void (*after_exit)(void *arg);
	void *arg;
};

extern _Thread_local struct watch_hook watch_hook;

#endif
