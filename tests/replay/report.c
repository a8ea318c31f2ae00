/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a replay ends, in words.
 */
#include "player.h"

#include <stdarg.h>
#include <stdlib.h>

struct player_place player_place;

void player_at_exit(uint64_t exit_code, uint64_t rip)
{
	char name[24];

	player_place.exits++;
	player_place.exit_code = exit_code;
	player_place.rip = rip;
	if (player_place.is_listed)
		printf("exit %llu %s rip 0x%llx\n", (unsigned long long)player_place.exits,
		       svm_exit_name(exit_code, name), (unsigned long long)rip);
}

/* "behind exit 3 (CPUID at RIP 0x1004) in svm_vcpu_run(), byte 5123". */
static void print_place(FILE *to)
{
	char name[24];

	if (player_place.exits)
		fprintf(to, "behind exit %llu (%s at RIP 0x%llx)",
		        (unsigned long long)player_place.exits,
		        svm_exit_name(player_place.exit_code, name),
		        (unsigned long long)player_place.rip);
	else
		fprintf(to, "before the first exit");
	if (player_place.call)
		fprintf(to, ", in svm_%s()", player_place.call);
	fprintf(to, ", byte %zu of the capture", reader_at());
}

void player_finish(const char *why)
{
	printf("replayed %llu exits, all as recorded; %s\n",
	       (unsigned long long)player_place.exits, why);
	exit(0);
}

void player_refuse(const char *format, ...)
{
	va_list list;

	fprintf(stderr, "replay: cannot be replayed ");
	print_place(stderr);
	fprintf(stderr, ":\nreplay: ");
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\n");
	exit(2);
}

void player_diverge(void)
{
	fprintf(stderr, "replay: the library behaves differently ");
	print_place(stderr);
	fprintf(stderr, ":\n");
}

void player_say(const char *format, ...)
{
	va_list list;

	fprintf(stderr, "replay: ");
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\n");
}

void player_diverged(void)
{
	exit(1);
}

void player_same(const char *what, uint64_t now, uint64_t recorded)
{
	if (now == recorded)
		return;
	player_diverge();
	player_say("%s is 0x%llx and was 0x%llx", what, (unsigned long long)now,
	           (unsigned long long)recorded);
	player_diverged();
}
