/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The keys of a guest's section. */
#ifndef BAREMETAL_GUEST_CONFIG_KEYS_H
#define BAREMETAL_GUEST_CONFIG_KEYS_H

#include "config_text.h"

/** A section that is being read. */
struct guest_section {
	struct config_text text;
	struct guest_config *config; /**< to fill */
	struct guest_config_place devices_place;
	uint64_t processors; /**< for the vCPUs that are not pinned */
	uint64_t pinned;     /**< vCPUs that are */
	struct guest_config_place pin_place; /**< of the highest of them */
	uint32_t seen; /**< keys so far, a bit for each */
};

/** Take `= value` for the key @p word, which lies in the line, or complain. */
void guest_config_take_key(struct guest_section *section, const char *word, size_t length);

/** Complain about what a section lacks or contradicts as a whole. */
void guest_config_check_keys(struct guest_section *section);

/** @name Keys with a file of their own */
/** @{ */
void guest_config_add_channel(struct guest_section *section, const struct config_value *value);
void guest_config_set_processors(struct guest_section *section, const struct config_value *value);
void guest_config_add_pin(struct guest_section *section, const struct config_value *value);
/** At the section's end: complain about vCPUs that it has not, and fill in the others. */
void guest_config_check_pins(struct guest_section *section);
/** @} */

#endif
