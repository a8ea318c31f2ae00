/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Images without a format.  Firmware is special in its place: a processor's first instruction is 16
 * bytes below 4 GiB (APM vol. 2, 14.1.5), and what firmware does first there is a far jump into
 * its copy below 1 MiB, which a PC's chip set makes of the last 128 KiB.
 */
#include "boot/start.h"

#define FIRMWARE_MAX   (UINT64_C(16) << 20)
#define FIRMWARE_ALIAS (UINT64_C(128) << 10)

/* Firmware's places are told to the guest by no map, so the probe alone decides. */
static int plan_firmware(struct svm_boot_plan *plan)
{
	const uint8_t *image = plan->config->image;
	const uint64_t size = plan->config->size;
	const uint64_t alias = svm_min(size, FIRMWARE_ALIAS);

	if (size < 16 || size > FIRMWARE_MAX)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE, "firmware has 16 bytes to 16 MiB");
	if (plan->config->module_count)
		return svm_boot_refuse(plan, SVM_ERR_INVAL, "firmware takes no modules");
	plan->piece[0] = (struct svm_boot_piece){ SVM_BOOT_4G - size, size, image, size, false };
	plan->piece[1] = (struct svm_boot_piece){ SVM_BOOT_1M - alias, alias, image + size - alias,
		                                  alias, false };
	plan->count = 2;
	return 0;
}

int svm_boot_plan_flat(struct svm_boot_plan *plan)
{
	const struct svm_boot_config *config = plan->config;
	const struct svm_boot_piece piece = { config->address, config->size, config->image,
		                              config->size, false };
	int result;

	if (plan->state->format == SVM_BOOT_FIRMWARE)
		return plan_firmware(plan);
	if (config->module_count)
		return svm_boot_refuse(plan, SVM_ERR_INVAL, "a flat image takes no modules");
	if (config->address >=
	    (plan->state->format == SVM_BOOT_FLAT_16 ? SVM_BOOT_1M : SVM_BOOT_4G))
		return svm_boot_refuse(plan, SVM_ERR_INVAL,
		                       "a flat image starts below 4 GiB, in real mode below 1 MiB");
	result = svm_boot_plan_add(plan, &piece);
	if (result)
		return result;
	if (plan->state->format == SVM_BOOT_FLAT_16) {
		svm_boot_start_real(plan, config->address);
		return 0;
	}
	result = svm_boot_plan_block(plan, false, 0);
	if (!result)
		svm_boot_start_protected(plan, config->address);
	return result;
}
