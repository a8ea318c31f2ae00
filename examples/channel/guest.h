/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What both guests of the example have: calls, a serial port, and how they talk.
 */
#ifndef EXAMPLES_CHANNEL_GUEST_H
#define EXAMPLES_CHANNEL_GUEST_H

#include <libsvm/platform/channel_calls.h>

#define LAPIC    0xfee00000
#define DOORBELL 0x40       /* The vector that we chose. */
#define SHARED   0x10000000 /* Where we want the memory: nothing else is there. */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* In the shared memory.  Either side may write nonsense at any time: it is read once. */
struct talk {
	uint32_t question; /* The writer's. */
	uint32_t answer;   /* The reader's. */
};

#define TALK     ((volatile struct talk *)SHARED)
#define GOODBYE  0xffffffffu
#define QUESTIONS 100u

/* Counted by the interrupt. */
extern volatile uint32_t doorbells;

int guest_main(void);

static inline int call(int number, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	int answer;

	__asm__ volatile("vmmcall"
	                 : "=a"(answer)
	                 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
	                 : "memory");
	return answer;
}

/* The name is "talk". */
static inline int find_channel(void)
{
	return call(SVM_CHANNEL_FIND, 'k' << 24 | 'l' << 16 | 'a' << 8 | 't', 0, 0, 0);
}

static inline void print(const char *text)
{
	for (; *text; text++)
		__asm__ volatile("outb %b0, %w1" : : "a"(*text), "d"(0x3f8));
}

/*
 * Sleep until the doorbell has rung more often than *seen says.  Between the look and HLT nothing
 * is lost: STI lets an interrupt in only behind the next instruction.
 */
static inline void wait_for_doorbell(uint32_t *seen)
{
	__asm__ volatile("cli");
	while (doorbells == *seen)
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	*seen = doorbells;
	__asm__ volatile("sti");
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}
#endif

#endif
