/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * All time is the TSC.  Its rate, and that of the local APIC timer, are measured over one interval
 * of PIT channel 2, which every PC and every emulator has and which counts at a fixed, known rate.
 * Channel 2 because its output can be read at port 61h and reaches no interrupt controller.
 */
#include "time.h"

#include "apic.h"
#include "x86.h"

#define PIT_HZ        1193182u
#define PIT_COUNT     11932u /* 10 ms */
#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND   0x43
#define PIT_MODE_0    0xb0 /* channel 2, both bytes, output rises at the end of the count */
#define PORT_61       0x61
#define GATE_2        0x01
#define SPEAKER       0x02
#define OUT_2         0x20

/* 10 ms never take as many reads of a port: each costs a microsecond on hardware. */
#define PIT_POLLS_MAX 20000000
#define SAMPLES_MAX   10
#define DOUBT_ALLOWED 1000 /* one thousandth of the interval */
#define NS_PER_S      1000000000ull

/* In units of 2^-32, rounded down: at 4 GHz less than a nanosecond a second is lost. */
#define NS_PER_TICK(hz) ((NS_PER_S << 32) / (hz))

static uint64_t tsc_hz = NS_PER_S, tsc_start;
static uint64_t ns_per_tick = NS_PER_TICK(NS_PER_S);

/* What one interval of the PIT measured; the TSC ticks during which it began and was seen to end.
 */
struct sample {
	uint64_t tsc_ticks, timer_ticks, doubt;
};

static bool take_sample(struct sample *sample)
{
	uint64_t before, start, last, now;
	uint32_t timer;
	int polls = 0;

	outb(PIT_COMMAND, PIT_MODE_0);
	outb(PIT_CHANNEL_2, PIT_COUNT & 0xff);
	apic_timer_free_run();
	before = rdtsc();
	outb(PIT_CHANNEL_2, PIT_COUNT >> 8); /* counting starts here */
	timer = apic_timer_read();
	start = last = now = rdtsc();
	do {
		last = now;
		if (inb(PORT_61) & OUT_2)
			break;
		now = rdtsc();
	} while (++polls < PIT_POLLS_MAX);
	sample->timer_ticks = timer - apic_timer_read();
	now = rdtsc();
	sample->tsc_ticks = now - start;
	sample->doubt = (start - before) + (now - last);
	return polls < PIT_POLLS_MAX && sample->tsc_ticks && sample->timer_ticks;
}

/*
 * Of several samples the one whose ends are known best: an emulator's thread may lose its
 * processor, and firmware may take it for a system-management interrupt, at any of these lines.
 */
bool time_init(void)
{
	const uint8_t port_61 = inb(PORT_61);
	struct sample best = { .doubt = UINT64_MAX }, sample;

	outb(PORT_61, (uint8_t)((port_61 & ~SPEAKER) | GATE_2));
	for (int i = 0; i < SAMPLES_MAX && best.doubt > best.tsc_ticks / DOUBT_ALLOWED; i++) {
		if (take_sample(&sample) && sample.doubt < best.doubt)
			best = sample;
	}
	outb(PORT_61, port_61);
	apic_timer_stop();
	tsc_start = rdtsc();
	if (!best.tsc_ticks)
		return false;
	tsc_hz = best.tsc_ticks * PIT_HZ / PIT_COUNT;
	ns_per_tick = NS_PER_TICK(tsc_hz);
	apic_timer_set_frequency(best.timer_ticks * PIT_HZ / PIT_COUNT);
	return true;
}

uint64_t time_tsc_hz(void)
{
	return tsc_hz;
}

uint64_t time_ns(void)
{
	/* By a multiplication: it is asked for in most accesses to a device, and DIV is slow. */
	return (uint64_t)((unsigned __int128)(rdtsc() - tsc_start) * ns_per_tick >> 32);
}

void time_delay_us(uint64_t us)
{
	const uint64_t start = rdtsc(), ticks = us * (tsc_hz / 1000) / 1000;

	while (rdtsc() - start < ticks)
		cpu_pause();
}
