/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * clock SECONDS: what a guest takes the time to be, now and after each of so many seconds, in lines
 *
 *	guest: time MONOTONIC REALTIME
 *
 * A program, since both clocks must be read at the moment that the line tells of, and by the way
 * that programs read them: without a system call where the kernel offers that.  The C library does.
 * Between two lines it sleeps until a time, not for one, so that what a line costs adds up to
 * nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void show(void)
{
	struct timespec monotonic, realtime;

	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_REALTIME, &realtime);
	printf("guest: time %lld.%09ld %lld.%09ld\n", (long long)monotonic.tv_sec,
	       monotonic.tv_nsec, (long long)realtime.tv_sec, realtime.tv_nsec);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const long seconds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	struct timespec next;

	if (seconds <= 0) {
		fprintf(stderr, "usage: clock SECONDS\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	show();
	for (long i = 0; i < seconds; i++) {
		next.tv_sec++;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
		show();
	}
	return 0;
}
