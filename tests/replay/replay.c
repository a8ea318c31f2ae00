/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * replay [--exits] FILE: does the library that is linked here do what the recorded one did?
 *
 * --exits names each exit before the library sees it.
 */
#include "player.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer than any capture takes; a replay of one that somebody made up might go round for ever. */
#define SECONDS 120u

static const char *const event_names[] = {
#define NAME(name, text) #name " (" text ")",
	SVM_CAPTURE_EVENTS(NAME)
#undef NAME
};

void player_expect(enum svm_capture_event event)
{
	unsigned tag;

	player_take_writes();
	tag = reader_peek();
	if (tag == SVM_CAPTURE_LOST)
		player_finish("behind that it cannot be");
	if (tag != event) {
		player_diverge();
		player_say("the library comes to %s", event_names[event]);
		player_say("where it came to     %s", event_names[tag]);
		player_diverged();
	}
	reader_skip_tag();
}

void player_expect_for(enum svm_capture_event event, const char *what, uint64_t which)
{
	player_expect(event);
	player_same(what, which, reader_number());
}

static void open_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	uint8_t *data = NULL;
	size_t size = 0, room = 0, got;

	if (!file)
		player_refuse("no file %s", name);
	do {
		if (size == room) {
			room = room ? 2 * room : 1u << 16;
			data = realloc(data, room);
			if (!data)
				player_refuse("no memory");
		}
		got = fread(data + size, 1, room - size, file);
		size += got;
	} while (got);
	fclose(file);
	reader_open(data, size);
}

static void read_head(void)
{
	static const char magic[] = SVM_CAPTURE_MAGIC;
	uint64_t version;

	for (size_t i = 0; i < sizeof(magic); i++)
		if (reader_number() != (uint8_t)magic[i])
			player_refuse("this is no capture");
	version = reader_number();
	if (version != SVM_CAPTURE_VERSION)
		player_refuse("version %llu of the format; this program knows %u",
		              (unsigned long long)version, SVM_CAPTURE_VERSION);
}

int main(int argc, char **argv)
{
	player_place.is_listed = argc == 3 && strcmp(argv[1], "--exits") == 0;
	if (argc != 2 + player_place.is_listed) {
		fprintf(stderr, "usage: replay [--exits] FILE\n");
		return 2;
	}
	alarm(SECONDS);
	open_file(argv[argc - 1]);
	read_head();
	for (;;) {
		unsigned tag;

		player_take_late();
		tag = reader_peek();
		reader_skip_tag();
		if (tag == SVM_CAPTURE_END)
			player_finish("it was ended there");
		if (tag == SVM_CAPTURE_LOST)
			player_finish("behind that it cannot be");
		if (tag != SVM_CAPTURE_CALL)
			player_refuse("%s outside of any call", event_names[tag]);
		player_call();
	}
}
