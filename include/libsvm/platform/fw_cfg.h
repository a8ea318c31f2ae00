/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_FW_CFG_H
#define LIBSVM_PLATFORM_FW_CFG_H
/**
 * @file
 * @brief What firmware asks its hypervisor: QEMU's firmware configuration device, without DMA.
 *
 * QEMU's docs/specs/fw_cfg.  A write of 2 bytes to port 510h selects an item, reads of port 511h
 * give its bytes one after another, and 0 behind its end.  Nothing can be written.
 *
 * | item | |
 * | --- | --- |
 * | 0 | "QEMU" |
 * | 1 | what the device can: bit 0, this interface |
 * | 3 | bytes of RAM, 8 bytes |
 * | 5, 0Fh | processors now and at most, 2 bytes |
 * | 19h | directory of files |
 * | 20h … | files |
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** First port, and their number. */
#define SVM_FW_CFG_PORT  0x510u
#define SVM_FW_CFG_PORTS 2u

/** Most files. */
#define SVM_FW_CFG_FILE_MAX 32u
/** Most bytes of a file's name with its 0. */
#define SVM_FW_CFG_NAME_MAX 56u

/** A file; bytes and name outlive the device. */
struct svm_fw_cfg_file {
	const char *name; /**< Such as "etc/e820". */
	const void *bytes;
	uint32_t size;
};

/** The state of the device. */
struct svm_fw_cfg_state {
	uint16_t selector;
	uint16_t reserved; /**< 0. */
	uint32_t offset;   /**< Of the next byte. */
};

/** The device. */
struct svm_fw_cfg {
	struct svm_fw_cfg_state s;
	uint64_t memory; /**< Bytes of RAM. */
	uint16_t cpu_count, cpu_max;
	uint32_t file_count;
	struct svm_fw_cfg_file file[SVM_FW_CFG_FILE_MAX];
};

/** @brief Make a device without files. */
void svm_fw_cfg_init(struct svm_fw_cfg *fw, uint64_t memory, uint16_t cpu_count, uint16_t cpu_max);

/**
 * @brief Add a file.
 * @retval 0              Its item is 20h plus the number of files before it.
 * @retval SVM_ERR_INVAL  The name is empty or too long, or there are no bytes.
 * @retval SVM_ERR_EXIST  A file has this name.
 * @retval SVM_ERR_NOMEM  ::SVM_FW_CFG_FILE_MAX reached.
 */
SVM_MUST_CHECK int svm_fw_cfg_add(struct svm_fw_cfg *fw, const struct svm_fw_cfg_file *file);

/** @brief Item 0 is selected; files stay. */
void svm_fw_cfg_reset(struct svm_fw_cfg *fw);

/** @brief Read a port: @p offset from 510h on, @p size 1, 2 or 4. */
uint32_t svm_fw_cfg_read(struct svm_fw_cfg *fw, uint32_t offset, uint32_t size);

/** @brief Write a port, as svm_fw_cfg_read(). */
void svm_fw_cfg_write(struct svm_fw_cfg *fw, uint32_t offset, uint32_t size, uint32_t value);

/** @brief Copy the state, without items. */
void svm_fw_cfg_save(const struct svm_fw_cfg *fw, struct svm_fw_cfg_state *state);

/**
 * @brief Set the state.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  The device cannot be in this state; nothing changed.
 */
SVM_MUST_CHECK int svm_fw_cfg_restore(struct svm_fw_cfg *fw, const struct svm_fw_cfg_state *state);

/** @} */

#endif
