/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Guests by configuration: a short text with a section for each guest.
 *
 *	# what follows a # is a comment
 *	guest debian
 *	  kernel  = vmlinuz                   a module's name
 *	  initrd  = initrd                    none by default
 *	  cmdline = "console=ttyS0 quiet"     quotes are for blanks at an end, # and \
 *	  memory  = 256M                      K, M, G; a multiple of 2 MiB
 *	  cpus    = 1
 *	  devices = apic x2apic acpi paravirt
 *	  console = prefix                    or attach, off
 *	  limit   = 60s                       ms, s, m; none by default
 *	  processors = 0-1,3                  of the host, on which it may run; all by default
 *	  pin     = 0 on 2                    the same for some vCPUs only; as often as needed
 *	  dirty_log = protect 10ms            what it writes is looked at so often; or bits
 *	  channel = news publish 64K          memory that guests share; as often as needed
 *	  channel = talk subscribe rw         or ro
 *	  on_reset = restart                  or destroy, keep; so on_power_off, on_crash
 *
 * Pure: it sees the text and the names of the modules and nothing of the machine, so that an
 * ordinary process can test it.  The text is hostile.  Whatever is wrong with a section is said,
 * each with its place, and drops that section; the other guests are what they would be without it.
 */
#ifndef BAREMETAL_GUEST_CONFIG_H
#define BAREMETAL_GUEST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_CONFIG_NAME_MAX    32
#define GUEST_CONFIG_MODULE_MAX  64
#define GUEST_CONFIG_CMDLINE_MAX 1024
#define GUEST_CONFIG_CPUS_MAX    16
#define GUEST_CONFIG_MEMORY      (UINT64_C(256) << 20) /**< by default */

/** What happens to a guest's output when nobody has chosen. */
enum guest_console_mode {
	GUEST_CONSOLE_PREFIX, /**< lines with the guest's name before them */
	GUEST_CONSOLE_ATTACH, /**< the terminal is the guest's from its start, if it is free then */
	GUEST_CONSOLE_OFF,    /**< nothing, until somebody attaches */
};

/** What a guest can do to its machine that something is done about. */
enum guest_occasion {
	GUEST_ON_POWER_OFF, /**< it is done */
	GUEST_ON_RESET,     /**< it wants to begin again */
	GUEST_ON_CRASH,     /**< it cannot go on */
	GUEST_OCCASION_COUNT,
};

/** What is done about it. */
enum guest_action {
	GUEST_ACTION_DESTROY, /**< its machine is unmade */
	GUEST_ACTION_RESTART, /**< and made afresh */
	GUEST_ACTION_KEEP,    /**< it stays as it is, to be looked at */
};

/** Where in the text something was said; both count from 1. */
struct guest_config_place {
	uint32_t line, column;
};

#define GUEST_CONFIG_CHANNELS_MAX     4
#define GUEST_CONFIG_CHANNEL_NAME_MAX 16
#define GUEST_CONFIG_CHANNEL_SIZE_MAX (UINT64_C(1) << 20)

/** A channel that a guest may use. */
struct guest_config_channel {
	char name[GUEST_CONFIG_CHANNEL_NAME_MAX]; /**< a-z, 0-9 and -; zeros behind */
	bool publishes; /**< else it subscribes */
	bool may_write; /**< as a subscriber */
	uint64_t size;  /**< bytes, of what it publishes; multiple of 4096, not 0 */
	struct guest_config_place place;
};

/** One guest. Strings end with NUL and hold printable ASCII only. */
struct guest_config {
	char name[GUEST_CONFIG_NAME_MAX];     /**< a-z, 0-9 and -; unlike all others */
	char kernel[GUEST_CONFIG_MODULE_MAX]; /**< a name that reader->module() gave */
	char initrd[GUEST_CONFIG_MODULE_MAX]; /**< the same; "" for none */
	char cmdline[GUEST_CONFIG_CMDLINE_MAX];
	uint64_t memory;   /**< bytes; multiple of 2 MiB, not 0 */
	uint64_t devices;  /**< OR of SVM_PC_* */
	uint64_t limit_ms; /**< longest run; 0: none */
	uint64_t dirty_ms; /**< between two looks at what it has written; 0: none */
	bool has_dirty_bits; /**< they are found by D bits, not by faults */
	uint32_t cpus;     /**< not 0 */
	uint64_t affinity[GUEST_CONFIG_CPUS_MAX]; /**< of each vCPU: bit n, may run on CPU n */
	enum guest_console_mode console;
	uint32_t channel_count;
	struct guest_config_channel channels[GUEST_CONFIG_CHANNELS_MAX]; /**< names differ */
	enum guest_action actions[GUEST_OCCASION_COUNT];
	struct guest_config_place place, memory_place; /**< for what turns out wrong later */
};

/** What the text is read for. */
struct guest_config_reader {
	uint64_t memory_max; /**< bytes that a guest can have at most */
	uint32_t cpus_max;   /**< vCPUs that a guest can have; at most GUEST_CONFIG_CPUS_MAX */
	uint32_t host_cpus;  /**< processors of the host; at most 64 */
	/** Name of module @p number, counted from 0; NULL behind the last. */
	const char *(*module)(void *arg, unsigned int number);
	/** Something is wrong; @p message is a printable sentence. */
	void (*complain)(void *arg, struct guest_config_place place, const char *message);
	void *arg;
};

/**
 * @brief Read a configuration.
 * @param reader   Its functions are called from within this call only.
 * @param text     @p size bytes, not ended in any way.
 * @param configs  Room for @p max guests; those behind the result hold rubbish.
 * @return How many guests there are; each without objection.
 */
unsigned int guest_config_parse(const struct guest_config_reader *reader, const char *text,
                                size_t size, struct guest_config *configs, unsigned int max);

/**
 * The name of a module: the first word of its text without what stands before the last `/`.  What
 * cannot be printed becomes a question mark.
 */
void guest_config_module_name(const char *text, char *name, size_t size);

#endif
