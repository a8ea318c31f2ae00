/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Firmware configuration.  No item is stored as the guest reads it: each byte is computed from
 * selector and offset, both the guest's, so both are compared with a size before anything else.
 */
#include <libsvm/platform/fw_cfg.h>

#include "core/core.h"

#define ITEM_SIGNATURE 0x00u
#define ITEM_ID        0x01u
#define ITEM_MEMORY    0x03u
#define ITEM_CPUS      0x05u
#define ITEM_CPUS_MAX  0x0fu
#define ITEM_DIRECTORY 0x19u
#define ITEM_FILES     0x20u

#define ID_TRADITIONAL 1u

/* The directory: a number, then for each file size, item, 0, name; numbers are big-endian. */
#define DIRECTORY_HEAD 4u
#define DIRECTORY_ROW  64u
#define ROW_ITEM       4u
#define ROW_NAME       8u

void svm_fw_cfg_init(struct svm_fw_cfg *fw, uint64_t memory, uint16_t cpu_count, uint16_t cpu_max)
{
	memset(fw, 0, sizeof(*fw));
	fw->memory = memory;
	fw->cpu_count = cpu_count;
	fw->cpu_max = cpu_max;
}

/* With its 0; SVM_FW_CFG_NAME_MAX + 1 if it is longer. */
static uint32_t name_size(const char *name)
{
	uint32_t size = 0;

	while (size < SVM_FW_CFG_NAME_MAX && name[size])
		size++;
	return size + 1;
}

int svm_fw_cfg_add(struct svm_fw_cfg *fw, const struct svm_fw_cfg_file *file)
{
	uint32_t size;

	if (!file->name || (file->size && !file->bytes))
		return SVM_ERR_INVAL;
	size = name_size(file->name);
	if (size == 1 || size > SVM_FW_CFG_NAME_MAX)
		return SVM_ERR_INVAL;
	for (uint32_t i = 0; i < fw->file_count; i++)
		if (!memcmp(fw->file[i].name, file->name,
		            svm_min(size, name_size(fw->file[i].name))))
			return SVM_ERR_EXIST;
	if (fw->file_count == SVM_FW_CFG_FILE_MAX)
		return SVM_ERR_NOMEM;
	fw->file[fw->file_count++] = *file;
	return 0;
}

void svm_fw_cfg_reset(struct svm_fw_cfg *fw)
{
	fw->s = (struct svm_fw_cfg_state){ .selector = 0 };
}

/* --- items ----------------------------------------------------------------------------------- */

static uint8_t byte_little(uint64_t value, uint32_t offset, uint32_t size)
{
	return offset < size ? (uint8_t)(value >> 8 * offset) : 0;
}

static uint8_t byte_big(uint32_t value, uint32_t offset, uint32_t size)
{
	return offset < size ? (uint8_t)(value >> 8 * (size - 1 - offset)) : 0;
}

static uint8_t directory_byte(const struct svm_fw_cfg *fw, uint32_t offset)
{
	const uint32_t i = (offset - DIRECTORY_HEAD) / DIRECTORY_ROW;
	const uint32_t at = (offset - DIRECTORY_HEAD) % DIRECTORY_ROW;

	if (offset < DIRECTORY_HEAD)
		return byte_big(fw->file_count, offset, 4);
	if (i >= fw->file_count)
		return 0;
	if (at < ROW_ITEM)
		return byte_big(fw->file[i].size, at, 4);
	if (at < ROW_NAME)
		return byte_big(ITEM_FILES + i, at - ROW_ITEM, 2);
	return at - ROW_NAME < name_size(fw->file[i].name)
	               ? (uint8_t)fw->file[i].name[at - ROW_NAME]
	               : 0;
}

static uint8_t file_byte(const struct svm_fw_cfg *fw, uint32_t i, uint32_t offset)
{
	if (i >= fw->file_count || offset >= fw->file[i].size)
		return 0;
	return ((const uint8_t *)fw->file[i].bytes)[offset];
}

static uint8_t item_byte(const struct svm_fw_cfg *fw, uint32_t item, uint32_t offset)
{
	switch (item) {
	case ITEM_SIGNATURE:
		return byte_big(0x51454d55, offset, 4); /* "QEMU" */
	case ITEM_ID:
		return byte_little(ID_TRADITIONAL, offset, 4);
	case ITEM_MEMORY:
		return byte_little(fw->memory, offset, 8);
	case ITEM_CPUS:
		return byte_little(fw->cpu_count, offset, 2);
	case ITEM_CPUS_MAX:
		return byte_little(fw->cpu_max, offset, 2);
	case ITEM_DIRECTORY:
		return directory_byte(fw, offset);
	default:
		return item >= ITEM_FILES ? file_byte(fw, item - ITEM_FILES, offset) : 0;
	}
}

/* --- ports ----------------------------------------------------------------------------------- */

uint32_t svm_fw_cfg_read(struct svm_fw_cfg *fw, uint32_t offset, uint32_t size)
{
	uint8_t byte;

	/* The selector cannot be read back. */
	if (offset != 1 || size != 1)
		return 0;
	byte = item_byte(fw, fw->s.selector, fw->s.offset);
	if (fw->s.offset < UINT32_MAX)
		fw->s.offset++;
	return byte;
}

void svm_fw_cfg_write(struct svm_fw_cfg *fw, uint32_t offset, uint32_t size, uint32_t value)
{
	if (offset || size != 2)
		return;
	fw->s = (struct svm_fw_cfg_state){ .selector = (uint16_t)value };
}

void svm_fw_cfg_save(const struct svm_fw_cfg *fw, struct svm_fw_cfg_state *state)
{
	*state = fw->s;
}

int svm_fw_cfg_restore(struct svm_fw_cfg *fw, const struct svm_fw_cfg_state *state)
{
	const struct svm_fw_cfg_state s = *state;

	if (s.reserved)
		return SVM_ERR_INVAL;
	fw->s = s;
	return 0;
}
