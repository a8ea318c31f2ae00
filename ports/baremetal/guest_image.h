/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Guest images: flat binaries, ELF executables, and either with a multiboot 1 header.
 *
 * Pure: it sees two blocks of bytes, the image and the guest's memory, and nothing of the machine,
 * so that an ordinary process can test it.  The image is hostile.  It is checked whole before the
 * first byte of guest memory is written.
 */
#ifndef BAREMETAL_GUEST_IMAGE_H
#define BAREMETAL_GUEST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Every way an image can be refused: X(name, sentence). */
#define GUEST_IMAGE_ERRORS(X)                                                                      \
	X(EMPTY, "the image has no bytes")                                                         \
	X(FLAT_RANGE, "the flat image does not fit into the guest's memory at its address")        \
	X(FLAT_ENTRY, "a real-mode image must start below 1 MiB")                                  \
	X(ELF_TRUNCATED, "the file ends inside its ELF header")                                    \
	X(ELF_KIND, "the ELF file is not an x86 executable with fixed addresses")                  \
	X(ELF_TABLE, "the ELF program headers lie beyond the end of the file")                     \
	X(ELF_COUNT, "the ELF file has no program header or too many")                             \
	X(ELF_FILE_RANGE, "an ELF segment's bytes lie beyond the end of the file")                 \
	X(ELF_SIZE, "an ELF segment is larger in the file than in memory")                         \
	X(ELF_MEMORY_RANGE, "an ELF segment lies beyond the guest's memory")                       \
	X(ELF_EMPTY, "the ELF file has nothing to load")                                           \
	X(ELF_ENTRY, "the ELF entry point is in no loaded segment")                                \
	X(ELF64_ENTRY,                                                                             \
	  "a 64-bit ELF file needs a multiboot header: nothing else defines its start")            \
	X(MULTIBOOT_TRUNCATED, "the file ends inside its multiboot header")                        \
	X(MULTIBOOT_FLAGS, "the multiboot header demands something this loader does not offer")    \
	X(MULTIBOOT_FORMAT, "the multiboot header gives no addresses and the file is not ELF")     \
	X(MULTIBOOT_ORDER, "the multiboot header's addresses contradict each other")               \
	X(MULTIBOOT_FILE_RANGE, "the multiboot header asks for bytes that the file does not have") \
	X(MULTIBOOT_MEMORY_RANGE, "the multiboot image lies beyond the guest's memory")            \
	X(MULTIBOOT_INFO, "the image leaves no page below 640 KiB for the multiboot information")

/** Why an image was refused; 0 is success. */
enum guest_image_error {
	GUEST_IMAGE_OK,
#define GUEST_IMAGE_ENUM(name, text) GUEST_IMAGE_##name,
	GUEST_IMAGE_ERRORS(GUEST_IMAGE_ENUM)
#undef GUEST_IMAGE_ENUM
};

/** Name and sentence of an error, such as "ELF_ENTRY"; "?" for a number that is none. */
const char *guest_image_error_name(enum guest_image_error error);
const char *guest_image_error_text(enum guest_image_error error);

struct guest_image {
	const uint8_t *bytes; /**< the file */
	size_t size;
	uint8_t *memory; /**< the guest's RAM from guest-physical 0 on; zeroed */
	uint64_t memory_size;
	uint64_t load_address; /**< flat images only */
	bool real_mode;        /**< flat images only */
	const char *cmdline;   /**< for the multiboot information */
};

/** How the guest's processor starts. */
struct guest_start {
	const char *format; /**< "flat", "elf", "multiboot" or "multiboot elf" */
	bool real_mode;     /**< otherwise 32-bit protected mode, flat segments, paging off */
	uint32_t entry;     /**< guest-physical; real mode: below 1 MiB */
	uint32_t eax, ebx;  /**< multiboot: the loader's magic and the information's address */
};

/**
 * @brief Check an image, copy it into the guest's memory, say how to start it.
 * @return GUEST_IMAGE_OK; otherwise nothing was written.
 */
enum guest_image_error guest_image_load(const struct guest_image *image, struct guest_start *start);

#endif
