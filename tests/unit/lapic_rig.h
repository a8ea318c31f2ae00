/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_LAPIC_RIG_H
#define TESTS_UNIT_LAPIC_RIG_H
/*
 * One local APIC with a machine around it that counts what it is told.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/lapic.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

#define ENABLE   UINT64_C(0x800)
#define X2APIC   UINT64_C(0x400)
#define BSP      UINT64_C(0x100)
#define AT_FEE   UINT64_C(0xfee00000)
#define NO_READ  UINT64_C(0xdead)

static struct svm_lapic lapic;
static struct svm_lapic_time now;
static unsigned wakes, sent_count, eoi_count;
static struct svm_apic_message sent;
static uint8_t eoi_vector;

static inline void wake(void *arg)
{
	(void)arg;
	wakes++;
}

static inline bool send(void *arg, const struct svm_apic_message *message)
{
	(void)arg;
	sent = *message;
	sent_count++;
	return true;
}

static inline void eoi(void *arg, uint8_t vector)
{
	(void)arg;
	eoi_vector = vector;
	eoi_count++;
}

static inline struct svm_lapic_config config_of(uint32_t id)
{
	return (struct svm_lapic_config){
		.id = id,
		.is_bsp = id == 0,
		.has_x2apic = true,
		.has_tsc_deadline = true,
		.physical_bits = 40,
		.host = { .wake = wake, .send = send, .eoi = eoi },
	};
}

static inline void make_lapic(uint32_t id)
{
	const struct svm_lapic_config config = config_of(id);

	now = (struct svm_lapic_time){ 0, 0 };
	wakes = sent_count = eoi_count = 0;
	memset(&sent, 0, sizeof(sent));
	ck_assert_int_eq(svm_lapic_init(&lapic, &config), 0);
}

static inline void put(uint32_t offset, uint32_t value)
{
	svm_lapic_write(&lapic, offset, 4, value, now);
}

static inline uint32_t get(uint32_t offset)
{
	return (uint32_t)svm_lapic_read(&lapic, offset, 4, now);
}

/* Enabled by software, as every system does first. */
static inline void make_enabled(uint32_t id)
{
	make_lapic(id);
	put(0xf0, 0x1ff);
}

static inline void make_x2apic(uint32_t id)
{
	make_lapic(id);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE | ENABLE | X2APIC));
}

static inline bool put_msr(uint32_t msr, uint64_t value)
{
	return svm_lapic_write_msr(&lapic, msr, value, now);
}

static inline uint64_t get_msr(uint32_t msr)
{
	uint64_t value = NO_READ;

	return svm_lapic_read_msr(&lapic, msr, &value, now) ? value : NO_READ;
}

#endif
