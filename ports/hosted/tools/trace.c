/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Dumps of recorders from files, in the forms of <libsvm/recorder.h>.
 *
 * A dump comes over a serial line, out of a log or from a machine that was dying: sizes in it are
 * checked against what is there, a header without its records is taken for what it is, and lines
 * that are nobody's are passed over.
 */
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>

#include "trace.h"

#define HEADER_SIZE sizeof(struct svm_recorder_header)
#define RECORD_SIZE sizeof(struct svm_record)
#define UNIT_MOST   4096u /* A header or a record of some later version. */

static bool complain(char why[DUMP_WHY], const char *what)
{
	snprintf(why, DUMP_WHY, "%s", what);
	return false;
}

static bool add_dump(struct trace *trace, const struct svm_recorder_header *header,
                     char why[DUMP_WHY])
{
	if (trace->dump_count == trace->dump_room) {
		const size_t room = trace->dump_room * 2 + 16;
		struct trace_dump *dumps = realloc(trace->dumps, room * sizeof(*dumps));

		if (!dumps)
			return complain(why, "no memory is left");
		trace->dumps = dumps;
		trace->dump_room = room;
	}
	trace->dumps[trace->dump_count++] =
		(struct trace_dump){ .header = *header, .first = trace->exit_count };
	return true;
}

/* A record without a dump belongs to one of which nothing is known. */
static bool add_exit(struct trace *trace, const struct svm_record *record, char why[DUMP_WHY])
{
	static const struct svm_recorder_header unknown = { .version = SVM_RECORDER_VERSION };

	if (trace->dump_count == 0 && !add_dump(trace, &unknown, why))
		return false;
	if (trace->exit_count == trace->exit_room) {
		const size_t room = trace->exit_room * 2 + 256;
		struct trace_exit *exits = realloc(trace->exits, room * sizeof(*exits));

		if (!exits)
			return complain(why, "no memory is left");
		trace->exits = exits;
		trace->exit_room = room;
	}
	trace->exits[trace->exit_count++] = (struct trace_exit){ .record = *record };
	trace->dumps[trace->dump_count - 1].count++;
	return true;
}

/* --- binary ---------------------------------------------------------------------------------- */

static bool is_header(const uint8_t *bytes, size_t size)
{
	static const char magic[8] = SVM_RECORDER_MAGIC;

	return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

/* One dump; how many bytes it takes, or 0 with a reason. */
static size_t read_binary_dump(struct trace *trace, const uint8_t *bytes, size_t size,
                               char why[DUMP_WHY])
{
	struct svm_recorder_header header;
	size_t used, there;

	if (!is_header(bytes, size) || size < HEADER_SIZE) {
		complain(why, "not a dump of a recorder");
		return 0;
	}
	memcpy(&header, bytes, HEADER_SIZE);
	if (header.header_size < HEADER_SIZE || header.header_size > UNIT_MOST ||
	    header.record_size < RECORD_SIZE || header.record_size > UNIT_MOST) {
		complain(why, "a header or a record of an impossible size");
		return 0;
	}
	if (header.header_size > size) {
		complain(why, "it ends within a header");
		return 0;
	}
	if (!add_dump(trace, &header, why))
		return 0;
	used = header.header_size;
	there = (size - used) / header.record_size;
	for (uint32_t i = 0; i < header.count && i < there; i++) {
		struct svm_record record;

		memcpy(&record, bytes + used, RECORD_SIZE);
		if (!add_exit(trace, &record, why))
			return 0;
		used += header.record_size;
	}
	/* Cut off within a record: what is left of it is nothing. */
	return header.count > there ? size : used;
}

static bool read_binary(struct trace *trace, const uint8_t *bytes, size_t size, char why[DUMP_WHY])
{
	while (size) {
		const size_t used = read_binary_dump(trace, bytes, size, why);

		if (!used)
			return false;
		bytes += used;
		size -= used;
	}
	return true;
}

/* --- text ------------------------------------------------------------------------------------ */

static bool parse_number(const char *value, int base, uint64_t *number)
{
	char *end;

	*number = strtoull(value, &end, base);
	return end != value && (*end == '\0' || *end == ' ');
}

static bool parse_DEC(const char *value, uint64_t *number)
{
	return parse_number(value, 10, number);
}

static bool parse_HEX(const char *value, uint64_t *number)
{
	return parse_number(value, 16, number);
}

static bool parse_KIND(const char *value, uint64_t *number)
{
	const size_t length = strcspn(value, " ");

	*number = SVM_EXIT_KIND_NONE;
	if (length == 1 && *value == '-')
		return true;
	for (int kind = SVM_EXIT_KIND_NONE + 1; kind < SVM_EXIT_KIND_COUNT; kind++) {
		const char *name = svm_exit_kind_name((enum svm_exit_kind)kind);

		if (strlen(name) == length && strncmp(name, value, length) == 0) {
			*number = (uint64_t)kind;
			return true;
		}
	}
	return true; /* Of a later version. */
}

/* The value of a key in a line, or NULL. */
static const char *find_key(const char *line, const char *key)
{
	const size_t length = strlen(key);

	for (const char *at = line; (at = strchr(at, ' ')); at++)
		if (strncmp(at + 1, key, length) == 0 && at[1 + length] == '=')
			return at + 2 + length;
	return NULL;
}

/* Names are for eyes: the code beside one says the same. */
#define TAKE_CODE(to, key)
#define TAKE_NUMBER(to, key, parse)                                                                \
	do {                                                                                       \
		const char *const value_ = find_key(line, key);                                    \
		uint64_t number_ = 0;                                                              \
                                                                                                   \
		if (value_ && !parse(value_, &number_))                                            \
			return false;                                                              \
		(to) = (__typeof__(to))number_;                                                    \
	} while (0)
#define TAKE_DEC(to, key)  TAKE_NUMBER(to, key, parse_DEC)
#define TAKE_HEX(to, key)  TAKE_NUMBER(to, key, parse_HEX)
#define TAKE_KIND(to, key) TAKE_NUMBER(to, key, parse_KIND)

static bool parse_header(const char *line, struct svm_recorder_header *header)
{
	*header = (struct svm_recorder_header){ .magic = SVM_RECORDER_MAGIC };
#define TAKE(member, key, form, text) TAKE_##form(header->member, key);
	SVM_RECORDER_FIELDS(TAKE)
#undef TAKE
	return true;
}

static bool parse_record(const char *line, struct svm_record *record)
{
	*record = (struct svm_record){ 0 };
#define TAKE(member, key, form, text) TAKE_##form(record->member, key);
	SVM_RECORD_FIELDS(TAKE)
#undef TAKE
	record->has_event = record->event != 0;
	record->has_int_info = record->exit_int_info != 0;
	return true;
}

/* Hexadecimal digits become the binary form, which may be of several dumps. */
struct digits {
	uint8_t *bytes;
	size_t size, room;
};

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool add_digits(struct digits *digits, const char *text, char why[DUMP_WHY])
{
	if (digits->size + UNIT_MOST > digits->room) {
		const size_t room = digits->room * 2 + 2 * UNIT_MOST;
		uint8_t *bytes = realloc(digits->bytes, room);

		if (!bytes)
			return complain(why, "no memory is left");
		digits->bytes = bytes;
		digits->room = room;
	}
	for (unsigned int i = 0; digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2, i++) {
		if (i == UNIT_MOST)
			return complain(why, "a line of too many digits");
		digits->bytes[digits->size++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	}
	return true;
}

/* "vmexit(00000081, 0…0, 0…0, 0…5000)!" of QEMU: code, EXITINFO1, EXITINFO2, RIP. */
static bool parse_qemu(const char *at, struct svm_record *record)
{
	unsigned long long code, info_1, info_2, rip;

	if (sscanf(at, "vmexit(%llx, %llx, %llx, %llx)!", &code, &info_1, &info_2, &rip) != 4)
		return false;
	*record = (struct svm_record){
		.exit_code = (uint32_t)code,
		.rip = rip,
		.exit_info_1 = info_1,
		.exit_info_2 = info_2,
	};
	return true;
}

struct text_reader {
	struct trace *trace;
	struct digits digits;
	uint64_t qemu_exits;
	char *why;
};

static bool read_line(struct text_reader *r, char *line)
{
	struct svm_recorder_header header;
	struct svm_record record;
	const char *at;

	line[strcspn(line, "\r")] = '\0';
	at = strstr(line, "svm-hex ");
	if (at)
		return add_digits(&r->digits, at + 8, r->why);
	at = strstr(line, "svm-recorder ");
	if (at)
		return parse_header(at, &header) ? add_dump(r->trace, &header, r->why)
		                                 : complain(r->why, "a damaged line svm-recorder");
	at = strstr(line, "svm-record ");
	if (at)
		return parse_record(at, &record) ? add_exit(r->trace, &record, r->why)
		                                 : complain(r->why, "a damaged line svm-record");
	at = strstr(line, "vmexit(");
	if (at && parse_qemu(at, &record)) {
		record.number = r->qemu_exits++;
		return add_exit(r->trace, &record, r->why);
	}
	return true;
}

static bool read_text(struct trace *trace, const struct dump *raw, char why[DUMP_WHY])
{
	struct text_reader r = { .trace = trace, .why = why };
	char *text = malloc(raw->size + 1);
	bool good = true;

	if (!text)
		return complain(why, "no memory is left");
	if (raw->size)
		memcpy(text, raw->bytes, raw->size);
	text[raw->size] = '\0';
	/* A serial line may have zeros in it. */
	for (size_t i = 0; i < raw->size; i++)
		if (!text[i])
			text[i] = ' ';
	for (char *line = text, *next; good && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		good = read_line(&r, line);
	}
	if (good && r.digits.size)
		good = read_binary(trace, r.digits.bytes, r.digits.size, why);
	free(r.digits.bytes);
	free(text);
	return good;
}

bool trace_read(struct trace *trace, const struct dump *raw, char why[DUMP_WHY])
{
	const size_t dumps = trace->dump_count, exits = trace->exit_count;

	if (is_header(raw->bytes, raw->size))
		return read_binary(trace, raw->bytes, raw->size, why);
	if (!read_text(trace, raw, why))
		return false;
	if (trace->dump_count == dumps && trace->exit_count == exits)
		return complain(why, "no dump of a recorder and no exit of QEMU's log is in it");
	return true;
}

/* --- what is done with all of them ----------------------------------------------------------- */

void trace_measure(struct trace *trace)
{
	for (size_t i = 0; i < trace->dump_count; i++) {
		struct trace_dump *dump = &trace->dumps[i];

		if (dump->header.count > dump->count)
			dump->missing = dump->header.count - dump->count;
		for (size_t j = dump->first; j + 1 < dump->first + dump->count; j++) {
			const struct svm_record *now = &trace->exits[j].record;
			const struct svm_record *next = &trace->exits[j + 1].record;

			if (next->number == now->number + 1 && next->tsc > now->tsc)
				trace->exits[j].ticks = next->tsc - now->tsc;
		}
	}
}

void trace_keep(struct trace *trace,
                bool (*wanted)(const void *arg, const struct trace_dump *dump,
                               const struct svm_record *record),
                const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < trace->dump_count; i++) {
		struct trace_dump *dump = &trace->dumps[i];
		const size_t first = kept;

		for (size_t j = dump->first; j < dump->first + dump->count; j++)
			if (wanted(arg, dump, &trace->exits[j].record))
				trace->exits[kept++] = trace->exits[j];
		dump->first = first;
		dump->count = kept - first;
	}
	trace->exit_count = kept;
}

void trace_keep_last(struct trace *trace, size_t count)
{
	for (size_t i = 0; i < trace->dump_count; i++) {
		struct trace_dump *dump = &trace->dumps[i];

		if (dump->count > count) {
			dump->first += dump->count - count;
			dump->count = count;
		}
	}
}

void trace_free(struct trace *trace)
{
	free(trace->exits);
	free(trace->dumps);
	*trace = (struct trace){ 0 };
}
