/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers of the 8254 and the MC146818: any state that restore takes, any offset, size and value,
 * any time below half of what 64 bits hold.
 *
 * eva: src/platform/pit.c src/platform/pit_counter.c
 * eva: src/platform/rtc.c src/platform/rtc_date.c
 * eva-options: -eva-precision 2
 */
#include <libsvm/platform/pit.h>
#include <libsvm/platform/rtc.h>

void eva_main(void);

/* No VM is as old: 292 years. */
static uint64_t any_time(void)
{
	return eva_any() >> 1;
}

static void any_pit(void)
{
	const struct svm_wire nowhere = { 0 };
	struct svm_pit_state state;
	struct svm_pit pit;

	svm_pit_init(&pit, &nowhere);
	Frama_C_make_unknown((char *)&state, sizeof(state));
	if (svm_pit_restore(&pit, &state, any_time()))
		return;
	(void)svm_pit_read(&pit, (uint32_t)eva_any(), (uint32_t)eva_any(), any_time());
	svm_pit_write(&pit, (uint32_t)eva_any(), (uint32_t)eva_any(), (uint32_t)eva_any(),
	              any_time());
	(void)svm_pit_read_port61(&pit, any_time());
	svm_pit_write_port61(&pit, (uint8_t)eva_any(), any_time());
	(void)svm_pit_deadline(&pit);
	svm_pit_advance(&pit, any_time());
	svm_pit_save(&pit, &state);
	svm_pit_reset(&pit, any_time());
}

static void any_rtc(void)
{
	const struct svm_wire nowhere = { 0 };
	struct svm_rtc_state state;
	struct svm_rtc rtc;

	svm_rtc_init(&rtc, &nowhere, any_time());
	svm_rtc_set_memory(&rtc, eva_any(), eva_any());
	Frama_C_make_unknown((char *)&state, sizeof(state));
	if (svm_rtc_restore(&rtc, &state, any_time()))
		return;
	(void)svm_rtc_read(&rtc, (uint32_t)eva_any(), (uint32_t)eva_any(), any_time());
	svm_rtc_write(&rtc, (uint32_t)eva_any(), (uint32_t)eva_any(), (uint32_t)eva_any(),
	              any_time());
	(void)svm_rtc_deadline(&rtc);
	svm_rtc_advance(&rtc, any_time());
	svm_rtc_save(&rtc, &state);
	svm_rtc_reset(&rtc, any_time());
}

void eva_main(void)
{
	any_pit();
	any_rtc();
}
