/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The guests' configuration: what each key takes, and where and how each mistake is told. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/pc.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/guest_config.h"

#define MIB     (UINT64_C(1) << 20)
#define COUNT   4
#define LONG_31 "a234567890123456789012345678901"

static const char *module(void *arg, unsigned int number)
{
	static const char *const modules[] = { "vmlinuz", "initrd", "memtest.x64" };

	(void)arg;
	return number < sizeof(modules) / sizeof(modules[0]) ? modules[number] : NULL;
}

static void note(void *arg, struct guest_config_place place, const char *message)
{
	char *const notes = arg;
	const size_t used = strlen(notes);

	snprintf(notes + used, 2048 - used, "%u:%u %s\n", place.line, place.column, message);
}

/* The text lies at the very end of a block of its own, so that ASan sees a step beyond it. */
static unsigned int parse(const char *text, size_t size, struct guest_config *configs, char *notes)
{
	const struct guest_config_reader reader = {
		.memory_max = 1024 * MIB,
		.cpus_max = 4,
		.host_cpus = 6,
		.module = module,
		.complain = note,
		.arg = notes,
	};
	char *copy = malloc(size + 1);
	unsigned int count;

	memcpy(copy + 1, text, size);
	notes[0] = '\0';
	memset(configs, 0xcc, COUNT * sizeof(*configs));
	count = guest_config_parse(&reader, copy + 1, size, configs, COUNT);
	free(copy);
	return count;
}

static unsigned int parse_string(const char *text, struct guest_config *configs, char *notes)
{
	return parse(text, strlen(text), configs, notes);
}

START_TEST(what_is_not_said_has_its_usual_value)
{
	struct guest_config c[COUNT];
	char notes[2048];

	ck_assert_uint_eq(parse_string("guest a\nkernel=vmlinuz", c, notes), 1);
	ck_assert_str_eq(notes, "");
	ck_assert_str_eq(c[0].name, "a");
	ck_assert_str_eq(c[0].kernel, "vmlinuz");
	ck_assert_str_eq(c[0].initrd, "");
	ck_assert_str_eq(c[0].cmdline, "");
	ck_assert_uint_eq(c[0].memory, 256 * MIB);
	ck_assert_uint_eq(c[0].cpus, 1);
	ck_assert_uint_eq(c[0].devices, SVM_PC_DEFAULT);
	ck_assert_uint_eq(c[0].limit_ms, 0);
	ck_assert_int_eq(c[0].console, GUEST_CONSOLE_PREFIX);
}
END_TEST

START_TEST(each_action_is_for_its_occasion)
{
	static const char *const keys[] = { "on_power_off", "on_reset", "on_crash" };
	static const char *const words[] = { "destroy", "restart", "keep" };
	struct guest_config c[COUNT];
	char notes[2048], text[128];

	for (int key = 0; key < GUEST_OCCASION_COUNT; key++) {
		for (int word = 0; word < 3; word++) {
			snprintf(text, sizeof(text), "guest a\nkernel=vmlinuz\n%s = %s\n",
			         keys[key], words[word]);
			ck_assert_uint_eq(parse_string(text, c, notes), 1);
			for (int other = 0; other < GUEST_OCCASION_COUNT; other++)
				ck_assert_int_eq(c[0].actions[other], other == key ? word : 0);
		}
	}
	ck_assert_uint_eq(parse_string("guest a\nkernel=vmlinuz\non_crash = x\n", c, notes), 0);
	ck_assert_str_eq(notes, "3:12 expected destroy, restart or keep\n");
}
END_TEST

START_TEST(all_that_can_be_said_is_understood)
{
	static const char text[] = "# two guests\r\n"
				   "\r\n"
				   "guest debian-12  # the first\r\n"
				   "\tmemory\t=  64M\r\n"
				   "  cpus = 4\r\n"
				   "  kernel = vmlinuz # comment\r\n"
				   "  initrd=initrd\r\n"
				   "  cmdline = \"console=ttyS0 # \\\"x\\\\\" # comment\r\n"
				   "  devices = apic  acpi\r\n"
				   "  console = attach\r\n"
				   "  limit = 90s\r\n"
				   "guest 2\r\n"
				   "  kernel = memtest.x64\r\n"
				   "  cmdline = a=b#c  d\t\r\n";
	struct guest_config c[COUNT];
	char notes[2048];

	ck_assert_uint_eq(parse_string(text, c, notes), 2);
	ck_assert_str_eq(notes, "");
	ck_assert_str_eq(c[0].name, "debian-12");
	ck_assert_str_eq(c[0].kernel, "vmlinuz");
	ck_assert_str_eq(c[0].initrd, "initrd");
	ck_assert_str_eq(c[0].cmdline, "console=ttyS0 # \"x\\");
	ck_assert_uint_eq(c[0].memory, 64 * MIB);
	ck_assert_uint_eq(c[0].cpus, 4);
	ck_assert_uint_eq(c[0].devices, SVM_PC_APIC | SVM_PC_ACPI);
	ck_assert_uint_eq(c[0].limit_ms, 90000);
	ck_assert_int_eq(c[0].console, GUEST_CONSOLE_ATTACH);
	ck_assert_uint_eq(c[0].place.line, 3);
	ck_assert_uint_eq(c[0].place.column, 7);
	ck_assert_uint_eq(c[0].memory_place.line, 4);
	ck_assert_uint_eq(c[0].memory_place.column, 12);
	ck_assert_str_eq(c[1].name, "2");
	ck_assert_str_eq(c[1].kernel, "memtest.x64");
	ck_assert_str_eq(c[1].cmdline, "a=b#c  d");
}
END_TEST

/* Where the four vCPUs of a guest may run, in whatever order it is said. */
static const struct {
	const char *lines;
	uint64_t affinity[4];
} pin_rows[] = {
	{ "", { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } },
	{ "processors = all", { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } },
	{ "processors = 0", { 1, 1, 1, 1 } },
	{ "processors = 5,0-1", { 0x23, 0x23, 0x23, 0x23 } },
	{ "processors = 0-5 # all six", { 0x3f, 0x3f, 0x3f, 0x3f } },
	{ "pin = 3 on 2", { UINT64_MAX, UINT64_MAX, UINT64_MAX, 4 } },
	{ "processors = 0-1\npin = 0,2 on 4-5\npin = \"3  on  all\"",
	  { 0x30, 3, 0x30, UINT64_MAX } },
	{ "pin = 1-2 on 5\nprocessors = 3", { 8, 32, 32, 8 } },
};

START_TEST(each_vcpu_runs_where_it_may)
{
	struct guest_config c[COUNT];
	char text[256], notes[2048];

	snprintf(text, sizeof(text), "guest a\nkernel = vmlinuz\n%s\ncpus = 4",
	         pin_rows[_i].lines);
	ck_assert_msg(parse_string(text, c, notes) == 1, "%s", notes);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(c[0].affinity[i], pin_rows[_i].affinity[i]);
}
END_TEST

START_TEST(what_is_written_is_looked_at_in_either_way)
{
	struct guest_config c[COUNT];
	char notes[2048];

	ck_assert_uint_eq(parse_string("guest a\nkernel=vmlinuz\n", c, notes), 1);
	ck_assert_uint_eq(c[0].dirty_ms, 0);
	ck_assert_uint_eq(parse_string("guest a\nkernel=vmlinuz\ndirty_log = protect 10ms\n", c,
	                               notes), 1);
	ck_assert_uint_eq(c[0].dirty_ms, 10);
	ck_assert(!c[0].has_dirty_bits);
	ck_assert_uint_eq(parse_string("guest a\nkernel=vmlinuz\ndirty_log=bits  2s\n", c, notes),
	                  1);
	ck_assert_uint_eq(c[0].dirty_ms, 2000);
	ck_assert(c[0].has_dirty_bits);
}
END_TEST

START_TEST(channels_are_shared_by_name)
{
	static const char text[] = "guest a\nkernel = vmlinuz\nchannel = news publish 64K\n"
				   "channel = \"a23456789012345  subscribe  ro\"\n"
				   "channel = talk subscribe rw\n";
	struct guest_config c[COUNT];
	char notes[2048];

	ck_assert_msg(parse_string(text, c, notes) == 1, "%s", notes);
	ck_assert_uint_eq(c[0].channel_count, 3);
	ck_assert_mem_eq(c[0].channels[0].name, "news\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert(c[0].channels[0].publishes);
	ck_assert_uint_eq(c[0].channels[0].size, 65536);
	ck_assert_uint_eq(c[0].channels[0].place.line, 3);
	ck_assert_uint_eq(c[0].channels[0].place.column, 11);
	ck_assert_str_eq(c[0].channels[1].name, "a23456789012345");
	ck_assert(!c[0].channels[1].publishes && !c[0].channels[1].may_write);
	ck_assert(!c[0].channels[2].publishes && c[0].channels[2].may_write);
}
END_TEST

/* Values that are taken, one line each; what they become is in the last columns. */
static const struct {
	const char *line;
	uint64_t memory, limit_ms, devices;
	enum guest_console_mode console;
} value_rows[] = {
	{ "memory = 2M", 2 * MIB, 0, SVM_PC_DEFAULT, 0 },
	{ "memory = 2048K", 2 * MIB, 0, SVM_PC_DEFAULT, 0 },
	{ "memory = 2097152", 2 * MIB, 0, SVM_PC_DEFAULT, 0 },
	{ "memory = 1G", 1024 * MIB, 0, SVM_PC_DEFAULT, 0 },
	{ "memory = \"4M\"", 4 * MIB, 0, SVM_PC_DEFAULT, 0 },
	{ "limit = 1ms", 256 * MIB, 1, SVM_PC_DEFAULT, 0 },
	{ "limit = 1s", 256 * MIB, 1000, SVM_PC_DEFAULT, 0 },
	{ "limit = 2m", 256 * MIB, 120000, SVM_PC_DEFAULT, 0 },
	{ "limit = 31536000s", 256 * MIB, UINT64_C(31536000000), SVM_PC_DEFAULT, 0 },
	{ "limit = none", 256 * MIB, 0, SVM_PC_DEFAULT, 0 },
	{ "devices = none", 256 * MIB, 0, 0, 0 },
	{ "devices = fw_cfg", 256 * MIB, 0, SVM_PC_FW_CFG, 0 },
	{ "devices = paravirt", 256 * MIB, 0, SVM_PC_PARAVIRT, 0 },
	{ "devices = x2apic apic", 256 * MIB, 0, SVM_PC_X2APIC | SVM_PC_APIC, 0 },
	{ "console = prefix", 256 * MIB, 0, SVM_PC_DEFAULT, GUEST_CONSOLE_PREFIX },
	{ "console = off", 256 * MIB, 0, SVM_PC_DEFAULT, GUEST_CONSOLE_OFF },
	{ "console = attach", 256 * MIB, 0, SVM_PC_DEFAULT, GUEST_CONSOLE_ATTACH },
};

START_TEST(a_value_becomes_what_it_says)
{
	struct guest_config c[COUNT];
	char text[128], notes[2048];

	snprintf(text, sizeof(text), "guest a\nkernel = vmlinuz\n%s", value_rows[_i].line);
	ck_assert_msg(parse_string(text, c, notes) == 1, "%s", notes);
	ck_assert_uint_eq(c[0].memory, value_rows[_i].memory);
	ck_assert_uint_eq(c[0].limit_ms, value_rows[_i].limit_ms);
	ck_assert_uint_eq(c[0].devices, value_rows[_i].devices);
	ck_assert_int_eq(c[0].console, value_rows[_i].console);
}
END_TEST

#define CPUS_EXPECTED "expected processors such as 0-1,3, from 0 to 5, or all\n"
#define PIN_EXPECTS   "expected vCPUs, then on and processors, such as 0-1 on 2\n"
#define DIRTY_EXPECTS "expected protect or bits, and a time such as 10ms\n"
#define CHANNEL_EXPECTS                                                                            \
	"expected a name of at most 15 of a-z, 0-9 and -, then publish and a size up to 1M in "    \
	"steps of 4K, or subscribe and ro or rw\n"

/* Mistakes in the third line of a guest that is else right. */
static const struct {
	const char *line, *notes;
} line_rows[] = {
	{ "memroy = 4M", "3:1 no key 'memroy'; did you mean 'memory'?\n" },
	{ "cpu = 1", "3:1 no key 'cpu'; did you mean 'cpus'?\n" },
	{ " kernal = x", "3:2 no key 'kernal'; did you mean 'kernel'?\n" },
	{ "guests b", "3:1 no key 'guests'; did you mean 'guest'?\n" },
	{ "Memory = 4M", "3:1 no key 'Memory'; did you mean 'memory'?\n" },
	{ "disk = a",
	  "3:1 no key 'disk'; there are memory, cpus, kernel, initrd, cmdline, devices, "
	  "console, limit, dirty_log, processors, pin, on_power_off, on_reset, on_crash and "
	  "channel\n" },
	{ "x23456789012345678901234567890123456789 = a",
	  "3:1 no key 'x2345678901234567890123456789012'; there are memory, cpus, kernel, initrd, "
	  "cmdline, devices, console, limit, dirty_log, processors, pin, on_power_off, on_reset, "
	  "on_crash and "
	  "channel\n" },
	{ "memory 4M", "3:8 expected = behind memory\n" },
	{ "memory", "3:7 expected = behind memory\n" },
	{ "= 4M", "3:1 expected a key, or guest and a name\n" },
	{ "\033[2J", "3:1 expected a key, or guest and a name\n" },
	{ "memory = ", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = 4MB", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = 4 M", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = M", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = -2M", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = 18446744073709551616", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = 17179869184G", "3:10 expected a size such as 256M or 1G\n" },
	{ "memory = 0", "3:10 expected a multiple of 2M that is not 0\n" },
	{ "memory = 3M", "3:10 expected a multiple of 2M that is not 0\n" },
	{ "memory = 1026M", "3:10 expected at most 1024M, which is what this machine has left\n" },
	{ "cpus = 0", "3:8 expected a number of processors from 1 to 4\n" },
	{ "cpus = 5", "3:8 expected a number of processors from 1 to 4\n" },
	{ "cpus = 4294967297", "3:8 expected a number of processors from 1 to 4\n" },
	{ "cpus = two", "3:8 expected a number of processors from 1 to 4\n" },
	{ "cpus = 1 2", "3:8 expected a number of processors from 1 to 4\n" },
	{ "initrd = intird",
	  "3:10 expected the name of a module, not 'intird'; did you mean 'initrd'?\n" },
	{ "initrd = /etc/passwd", "3:10 expected the name of a module, not '/etc/passwd'\n" },
	{ "initrd =", "3:9 expected the name of a module, not ''\n" },
	{ "kernel = vmlinuz", "3:1 kernel is there twice\n" },
	{ "cmdline = \"a", "3:13 expected a closing quote\n" },
	{ "cmdline = \"a\\", "3:14 expected a closing quote\n" },
	{ "cmdline = \"a\" b", "3:15 expected the end of the line behind the closing quote\n" },
	{ "cmdline = a\033[2J", "3:12 expected printable ASCII, not a byte of 1bh\n" },
	{ "cmdline = \"a\\\033\"", "3:14 expected printable ASCII, not a byte of 1bh\n" },
	{ "cmdline = \xc3\xa4", "3:11 expected printable ASCII, not a byte of c3h\n" },
	{ "cmdline = a\x7f", "3:12 expected printable ASCII, not a byte of 7fh\n" },
	{ "cmdline = a\rb", "3:12 expected printable ASCII, not a byte of 0dh\n" },
	{ "devices = ", "3:11 expected devices, or none\n" },
	{ "devices = apci", "3:11 no device 'apci'; did you mean 'apic'?\n" },
	{ "devices = \"apic  disk\"", "3:18 no device 'disk'; there are apic, x2apic, acpi, "
	                              "paravirt, fw_cfg, tsc_deadline and none\n" },
	{ "devices = acpi x2apic", "3:11 x2apic needs apic as well\n" },
	{ "console = attached", "3:11 expected attach, prefix or off\n" },
	{ "console =", "3:10 expected attach, prefix or off\n" },
	{ "limit = 60", "3:9 expected a time such as 60s, 500ms or 5m, or none\n" },
	{ "limit = 0s", "3:9 expected a time such as 60s, 500ms or 5m, or none\n" },
	{ "limit = 5h", "3:9 expected a time such as 60s, 500ms or 5m, or none\n" },
	{ "limit = 31536001s", "3:9 expected a time such as 60s, 500ms or 5m, or none\n" },
	{ "limit = 18446744073709551615m",
	  "3:9 expected a time such as 60s, 500ms or 5m, or none\n" },
	{ "dirty_log =", "3:12 " DIRTY_EXPECTS },
	{ "dirty_log = 10ms", "3:13 " DIRTY_EXPECTS },
	{ "dirty_log = protect", "3:13 " DIRTY_EXPECTS },
	{ "dirty_log = protect 0ms", "3:13 " DIRTY_EXPECTS },
	{ "dirty_log = protect 10", "3:13 " DIRTY_EXPECTS },
	{ "dirty_log = bits 10ms now", "3:13 " DIRTY_EXPECTS },
	{ "dirty_log = faults 10ms", "3:13 " DIRTY_EXPECTS },
	{ "processors =", "3:13 " CPUS_EXPECTED },
	{ "processors = 6", "3:14 " CPUS_EXPECTED },
	{ "processors = 0,6", "3:16 " CPUS_EXPECTED },
	{ "processors = 0, 1", "3:16 " CPUS_EXPECTED },
	{ "processors = 2-1", "3:16 " CPUS_EXPECTED },
	{ "processors = 4294967296", "3:14 " CPUS_EXPECTED },
	{ "processors = 0\nprocessors = 1", "4:1 processors is there twice\n" },
	{ "pin = ", "3:7 " PIN_EXPECTS },
	{ "pin = 0", "3:7 " PIN_EXPECTS },
	{ "pin = 0 to 1", "3:7 " PIN_EXPECTS },
	{ "pin = 0 on 1 2", "3:7 " PIN_EXPECTS },
	{ "pin = 0 on 1-", "3:14 " CPUS_EXPECTED },
	{ "pin = 0 on 0,9", "3:14 " CPUS_EXPECTED },
	{ "pin = 4 on 0", "3:7 expected vCPUs such as 0-1,3, from 0 to 3\n" },
	{ "pin = 0,a on 0", "3:9 expected vCPUs such as 0-1,3, from 0 to 3\n" },
	{ "pin = all on 0", "3:7 expected vCPUs such as 0-1,3, from 0 to 3\n" },
	{ "pin = 1 on 0", "3:7 guest a has 1 vCPU, counted from 0\n" },
	{ "pin = 2 on 0\npin = 0 on 1\ncpus = 2", "3:7 guest a has 2 vCPUs, counted from 0\n" },
	{ "cpus = 4\npin = 0-2 on 0\npin = 2-3 on 1", "5:7 vCPU 2 is pinned twice\n" },
	{ "channel =", "3:10 " CHANNEL_EXPECTS },
	{ "channel = talk", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk publish", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk publish 0", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk publish 4095", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk publish 1028K", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk publish rw", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk subscribe 4K", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk subscribe rw ro", "3:11 " CHANNEL_EXPECTS },
	{ "channel = talk listen ro", "3:11 " CHANNEL_EXPECTS },
	{ "channel = Talk subscribe ro", "3:11 " CHANNEL_EXPECTS },
	{ "channel = a123456789abcdef subscribe ro", "3:11 " CHANNEL_EXPECTS },
	{ "channel = a publish 4K\nchannel = a subscribe ro", "4:11 channel a is there twice\n" },
	{ "channel = a publish 4K\nchannel = b publish 4K\nchannel = c publish 4K\n"
	  "channel = d publish 4K\nchannel = e publish 4K",
	  "7:11 expected at most 4 channels\n" },
};

START_TEST(a_mistake_drops_its_guest_and_no_other)
{
	struct guest_config c[COUNT];
	char text[512], notes[2048];

	snprintf(text, sizeof(text),
	         "guest a\nkernel = vmlinuz\n%s\nguest b\nkernel = memtest.x64\n",
	         line_rows[_i].line);
	ck_assert_uint_eq(parse_string(text, c, notes), 1);
	ck_assert_str_eq(notes, line_rows[_i].notes);
	ck_assert_str_eq(c[0].name, "b");
	ck_assert_str_eq(c[0].kernel, "memtest.x64");
}
END_TEST

/* Mistakes of whole sections. */
static const struct {
	const char *what, *text, *notes;
	unsigned int count;
} text_rows[] = {
	{ "an empty text has no guests", "", "", 0 },
	{ "a word may be the last thing in the text", "guest a\nker",
	  "2:1 no key 'ker'; there are memory, cpus, kernel, initrd, cmdline, devices, console, "
	  "limit, dirty_log, processors, pin, on_power_off, on_reset, on_crash and channel\n"
	  "1:7 guest a has no kernel\n",
	  0 },
	{ "comments are no guests", "# guest a\n  # b", "", 0 },
	{ "a comment may hold anything", "# \033\xff\nguest a\nkernel=initrd\n", "", 1 },
	{ "a guest needs a kernel", "\nguest a\ncpus = 1\n", "2:7 guest a has no kernel\n", 0 },
	{ "a key needs a guest", "kernel = vmlinuz\nguest a\nkernel=vmlinuz",
	  "1:1 expected guest and a name before any key\n", 1 },
	{ "a name is a word", "guest\nkernel = vmlinuz\n",
	  "1:6 expected a name: 1 to 31 of a-z, 0-9 and -\n", 0 },
	{ "a name has small letters", "guest Debian\n",
	  "1:7 expected a name: 1 to 31 of a-z, 0-9 and -\n", 0 },
	{ "a name has no underscore", "guest a_b\n",
	  "1:7 expected a name: 1 to 31 of a-z, 0-9 and -\n", 0 },
	{ "a name ends the line", "guest a b\n",
	  "1:9 expected the end of the line behind the name\n", 0 },
	{ "a name of 31 fits", "guest " LONG_31 "\nkernel=vmlinuz\n", "", 1 },
	{ "a name of 32 does not", "guest " LONG_31 "x\nkernel=vmlinuz\n",
	  "1:7 expected a name: 1 to 31 of a-z, 0-9 and -\n", 0 },
	{ "a name can be there once", "guest a\nkernel=vmlinuz\nguest a\nkernel=initrd\n",
	  "3:7 guest a is there twice\n", 1 },
	{ "a dropped guest's name is free", "guest a\nguest a\nkernel=initrd\n",
	  "1:7 guest a has no kernel\n", 1 },
	{ "four guests fit, a fifth does not",
	  "guest a\nkernel=initrd\nguest b\nkernel=initrd\nguest c\nkernel=initrd\n"
	  "guest d\nkernel=initrd\nguest e\nkernel=initrd\n",
	  "9:7 expected at most 4 guests\n", 4 },
	{ "every mistake of a section is told",
	  "guest a\nmemory = 1\ncpus = 9\nconsole = x\nkernel = vmlinu\n",
	  "2:10 expected a multiple of 2M that is not 0\n"
	  "3:8 expected a number of processors from 1 to 4\n"
	  "4:11 expected attach, prefix or off\n"
	  "5:10 expected the name of a module, not 'vmlinu'; did you mean 'vmlinuz'?\n",
	  0 },
};

START_TEST(sections_are_kept_apart)
{
	struct guest_config c[COUNT];
	char notes[2048];
	const unsigned int count = parse_string(text_rows[_i].text, c, notes);

	ck_assert_msg(!strcmp(notes, text_rows[_i].notes), "%s: %s", text_rows[_i].what, notes);
	ck_assert_msg(count == text_rows[_i].count, "%s: %u", text_rows[_i].what, count);
}
END_TEST

START_TEST(a_command_line_of_1023_fits_and_one_of_1024_does_not)
{
	struct guest_config c[COUNT];
	char text[2048] = "guest a\nkernel=vmlinuz\ncmdline=", notes[2048];
	const size_t before = strlen(text);

	memset(text + before, 'x', 1023);
	ck_assert_uint_eq(parse(text, before + 1023, c, notes), 1);
	ck_assert_uint_eq(strlen(c[0].cmdline), 1023);
	text[before + 1023] = 'x';
	ck_assert_uint_eq(parse(text, before + 1024, c, notes), 0);
	ck_assert_str_eq(notes, "3:9 this is too long; 1023 characters fit\n");
}
END_TEST

START_TEST(a_zero_byte_ends_nothing)
{
	static const char text[] = "guest a\0b\nkernel=vmlinuz\nguest b\nkernel=vmlinuz";
	struct guest_config c[COUNT];
	char notes[2048];

	ck_assert_uint_eq(parse(text, sizeof(text) - 1, c, notes), 1);
	ck_assert_str_eq(notes, "1:8 expected the end of the line behind the name\n");
	ck_assert_str_eq(c[0].name, "b");
}
END_TEST

START_TEST(too_little_memory_for_the_usual_size_is_told)
{
	struct guest_config c[COUNT];
	char notes[2048] = "";
	const struct guest_config_reader reader = { .memory_max = 254 * MIB,
		                                    .cpus_max = 1,
		                                    .module = module,
		                                    .complain = note,
		                                    .arg = notes };
	static const char text[] = "guest a\nkernel=vmlinuz";

	ck_assert_uint_eq(guest_config_parse(&reader, text, sizeof(text) - 1, c, COUNT), 0);
	ck_assert_str_eq(notes, "1:7 guest a has no memory line, and this machine has less left "
	                        "than the usual 256M\n");
}
END_TEST

static const struct {
	const char *text, *name;
} name_rows[] = {
	{ "vmlinuz", "vmlinuz" },
	{ "/boot/vmlinuz-6.1 quiet /x", "vmlinuz-6.1" },
	{ "  initrd\tx", "initrd" },
	{ "/boot/", "" },
	{ "", "" },
	{ "a\033[2J\x80", "a?[2J?" },
	{ "1234567890", "1234567" },
};

START_TEST(a_module_is_called_by_its_first_word)
{
	char name[8], whole[32];

	if (!strcmp(name_rows[_i].text, "1234567890")) {
		guest_config_module_name(name_rows[_i].text, name, sizeof(name));
		ck_assert_str_eq(name, name_rows[_i].name);
		return;
	}
	guest_config_module_name(name_rows[_i].text, whole, sizeof(whole));
	ck_assert_str_eq(whole, name_rows[_i].name);
}
END_TEST


static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, what_is_not_said_has_its_usual_value);
	tcase_add_test(tcase, all_that_can_be_said_is_understood);
	tcase_add_loop_test(tcase, each_vcpu_runs_where_it_may, 0, ROWS(pin_rows));
	tcase_add_test(tcase, what_is_written_is_looked_at_in_either_way);
	tcase_add_test(tcase, channels_are_shared_by_name);
	tcase_add_test(tcase, each_action_is_for_its_occasion);
	tcase_add_loop_test(tcase, a_value_becomes_what_it_says, 0, ROWS(value_rows));
	tcase_add_loop_test(tcase, a_mistake_drops_its_guest_and_no_other, 0, ROWS(line_rows));
	tcase_add_loop_test(tcase, sections_are_kept_apart, 0, ROWS(text_rows));
	tcase_add_test(tcase, a_command_line_of_1023_fits_and_one_of_1024_does_not);
	tcase_add_test(tcase, a_zero_byte_ends_nothing);
	tcase_add_test(tcase, too_little_memory_for_the_usual_size_is_told);
	tcase_add_loop_test(tcase, a_module_is_called_by_its_first_word, 0, ROWS(name_rows));
}

int main(void)
{
	return suite_run("guest_config", add_tests);
}
