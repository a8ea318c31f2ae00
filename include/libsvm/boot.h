/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_BOOT_H
#define LIBSVM_BOOT_H
/**
 * @file
 * @brief Guest images: check one, put it into the guest's memory, say how the processor starts.
 *
 * The image is hostile bytes.  It is parsed whole, and every place that it wants is compared with
 * the guest's memory, before the first byte is written: svm_boot_load() does all or nothing.  What
 * is written goes through svm_vm_write(), so it is under the protection of the VM's own slots.
 *
 * Beside the image, a guest needs a block of a few pages below 640 KiB: descriptor table, page
 * tables, memory map, command line.  It is put at the lowest address that the image leaves free.
 */
#include <libsvm/vcpu.h>

/** @addtogroup svm_boot
 *  @{ */

/** Kinds of guest memory, numbered as the guest sees them (ACPI 6.5, table 15.4). */
enum svm_boot_memory {
	SVM_BOOT_RAM = 1,
	SVM_BOOT_RESERVED = 2,
	SVM_BOOT_ACPI = 3, /**< Tables; the guest may use it when it has read them. */
	SVM_BOOT_NVS = 4,
};

/** One range of the memory map that the guest is told. */
struct svm_boot_range {
	svm_gpa_t gpa;
	uint64_t size; /**< Bytes, not 0; gpa + size does not wrap. */
	enum svm_boot_memory kind;
};

/** Most ranges of a memory map. */
#define SVM_BOOT_RANGE_MAX 32u

/** A file for the guest beside its image. */
struct svm_boot_module {
	const void *bytes;
	uint64_t size;       /**< Not 0. */
	const char *cmdline; /**< MULTIBOOT, PVH, ELF; NULL means "". */
};

/** Most modules of a guest. */
#define SVM_BOOT_MODULE_MAX 16u
/** Most bytes of a command line with its 0. */
#define SVM_BOOT_CMDLINE_MAX 4096u

/**
 * Formats of images and how their code starts: X(name, text).
 *
 * - LINUX_64, LINUX_32: a bzImage of protocol 2.10 or later (Linux 2.6.31), by the two protocols of
 *   Linux's Documentation/x86/boot.rst that need no BIOS.  One module at most, the initramfs.
 * - MULTIBOOT: multiboot specification 0.6.96, with the header's addresses or as ELF.
 * - PVH: an ELF file with note 18 of "Xen", such as vmlinux: 32-bit, EBX is the address of a
 *   struct hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h).
 * - ELF: any other static ELF executable.  ELF32 starts as PVH at its entry point.  ELF64 starts in
 *   64-bit mode, the first 4 GiB mapped 1:1, RBX as EBX of PVH.
 * - FLAT_32: copied to an address and started there in 32-bit mode.
 * - FLAT_16: the same in real mode, so below 1 MiB.
 * - FIRMWARE: ends at 4 GiB, where a processor starts after reset; up to its last 128 KiB again
 *   below 1 MiB.  The VM must have writable memory at both places; svm_vm_protect() it afterwards.
 */
#define SVM_BOOT_FORMATS(X)                                                                        \
	X(AUTO, "by the image's own marks")                                                        \
	X(LINUX_64, "Linux, 64-bit boot protocol")                                                 \
	X(LINUX_32, "Linux, 32-bit boot protocol")                                                 \
	X(MULTIBOOT, "multiboot 1")                                                                \
	X(PVH, "ELF with a PVH entry point")                                                       \
	X(ELF, "ELF")                                                                              \
	X(FLAT_32, "flat 32-bit code")                                                             \
	X(FLAT_16, "flat real-mode code")                                                          \
	X(FIRMWARE, "firmware at the reset vector")

/** Formats of images. */
enum svm_boot_format {
#define SVM_BOOT_FORMAT_ENUM(name, text) SVM_BOOT_##name,
	SVM_BOOT_FORMATS(SVM_BOOT_FORMAT_ENUM)
#undef SVM_BOOT_FORMAT_ENUM
	SVM_BOOT_FORMAT_COUNT,
};

/** @brief Words for a format; "?" for a number that is none.  Any context. */
const char *svm_boot_format_text(enum svm_boot_format format);

/** What to load. */
struct svm_boot_config {
	/** AUTO: LINUX_64, LINUX_32, MULTIBOOT, PVH, ELF, the first whose marks the image has. */
	enum svm_boot_format format;
	const void *image;
	uint64_t size;
	const char *cmdline; /**< NULL means "". */
	/** The guest's memory, ascending, without overlap; what is loaded lies in RAM. */
	const struct svm_boot_range *map;
	uint32_t map_count; /**< 1 … ::SVM_BOOT_RANGE_MAX. */
	const struct svm_boot_module *modules;
	uint32_t module_count; /**< At most ::SVM_BOOT_MODULE_MAX. */
	svm_gpa_t address;     /**< FLAT_16, FLAT_32: where to. */
	svm_gpa_t rsdp;        /**< LINUX_*, PVH, ELF: the ACPI root; 0: let it search. */
};

/** How the guest's first processor starts. */
struct svm_boot_state {
	enum svm_boot_format format; /**< Never AUTO. */
	struct svm_regs regs;          /**< Not for FIRMWARE. */
	struct svm_system_regs system; /**< Not for FIRMWARE. */
};

/** Where a PC has no RAM up to 4 GiB, but devices. */
#define SVM_BOOT_PC_HOLE UINT64_C(0xc0000000)

/** Ranges that svm_boot_pc_map() fills at most. */
#define SVM_BOOT_PC_RANGES 5u

/**
 * @brief The memory map of a PC with so much RAM.
 *
 * RAM to 639 KiB, reserved from there to 640 KiB and from E0000h to 1 MiB (the tables of firmware),
 * RAM from 1 MiB to 3 GiB, the rest from 4 GiB on.  Between 3 and 4 GiB are devices.
 *
 * @param memory   Bytes of RAM; a multiple of 4096, 2 MiB to 1 TiB.
 * @param[out] map  The ranges.
 * @return Number of ranges; 0 if @p memory is not of this shape.
 */
uint32_t svm_boot_pc_map(uint64_t memory, struct svm_boot_range map[SVM_BOOT_PC_RANGES]);

/**
 * @brief Check an image and all that belongs to it, and write it into the guest's memory.
 *
 * On error the guest's memory is what it was, unless the embedder took memory away meanwhile.
 *
 * @param vm          Its memory is in place, and none of its vCPUs is running.
 * @param config      What to load; image and modules do not change during the call.
 * @param[out] state  For svm_boot_apply(), on success.
 * @param[out] why    A sentence for the user, on error; NULL if nobody asks.
 * @retval 0                  Loaded.
 * @retval SVM_ERR_INVAL      @p config is not of its shape, or asks for what the format has not.
 * @retval SVM_ERR_BAD_IMAGE  The image contradicts itself or ends too soon.
 * @retval SVM_ERR_NOSUPPORT  It is no image of this format, or demands what is not offered.
 * @retval SVM_ERR_RANGE      It does not fit into the RAM of the map.
 * @retval SVM_ERR_FAULT      The map calls RAM what the VM does not have or may not write.
 * @retval SVM_ERR_AGAIN      A resolve callback cannot serve a page now.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_boot_load(struct svm_vm *vm, const struct svm_boot_config *config,
                                 struct svm_boot_state *state, const char **why);

/**
 * @brief Give a vCPU the registers to start with.
 * @param vcpu   CREATED.
 * @param state  From svm_boot_load().
 * @retval 0              The next run starts the image.
 * @retval SVM_ERR_INVAL  A register has a value that VMRUN refuses.
 * @retval SVM_ERR_STATE  It is running.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_boot_apply(struct svm_vcpu *vcpu, const struct svm_boot_state *state);

/** @} */

#endif
