/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A kernel of one CPU with the least that a monitor of virtual machines asks of one: frames, an
 * interrupt that a CPU can send itself, a clock, and the four functions of a C compiler.
 */
#include "kernel.h"

#define FRAME_SIZE  4096ull
#define FRAME_COUNT 0x40000u /* 1 GiB is enough for everyone */
#define PIT_HZ      1193182u
#define PIT_COUNT   11932u /* 10 ms */

enum vector { VECTOR_KICK = 0x40, VECTOR_TICK, VECTOR_SPURIOUS = 0xff };
enum apic { ID = 0x20, EOI = 0xb0, SVR = 0xf0, ICR = 0x300, ICR_HIGH = 0x310,
	    LVT_TIMER = 0x320, COUNT = 0x380, NOW = 0x390, DIVIDE = 0x3e0 };

extern char image_end[], stubs[];
void kernel_main(const uint32_t *multiboot);
void on_interrupt(const uint64_t *stack);

uint64_t tsc_hz;
volatile uint64_t kicks, ticks;
static uint32_t apic_hz;
static uint8_t is_used[FRAME_COUNT];

static void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static volatile uint32_t *apic(enum apic reg)
{
	return (volatile uint32_t *)(0xfee00000ull + reg);
}

void *memset(void *to, int c, size_t n)
{
	void *const start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	volatile uint8_t *d = to; /* volatile: or this would become a call of memmove() */

	if ((uintptr_t)to - (uintptr_t)from >= n)
		__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
	for (; n; n--)
		d[n - 1] = ((const uint8_t *)from)[n - 1];
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	return memmove(to, from, n);
}

int memcmp(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;

	for (; n && *x == *y; n--)
		x++, y++;
	return n ? *x - *y : 0;
}

void print(const char *text)
{
	for (; *text; text++) {
		while (!(inb(0x3fd) & 0x20))
			;
		outb(0x3f8, (uint8_t)*text);
	}
}

uint64_t frames_take(size_t count)
{
	for (size_t first = 0, run = 0; first + run < FRAME_COUNT;) {
		if (is_used[first + run]) {
			first += run + 1;
			run = 0;
		} else if (++run == count) {
			memset(is_used + first, 1, count);
			return first * FRAME_SIZE;
		}
	}
	return 0;
}

void frames_give(uint64_t address, size_t count)
{
	memset(is_used + address / FRAME_SIZE, 0, count);
}

void *address_of(uint64_t physical)
{
	return physical < FRAME_COUNT * FRAME_SIZE ? (void *)physical : NULL;
}

void interrupt_this_cpu(void)
{
	*apic(ICR_HIGH) = *apic(ID);
	*apic(ICR) = 0x4000 | VECTOR_KICK;
}

void tick_every(uint32_t milliseconds)
{
	*apic(COUNT) = apic_hz / 1000 * milliseconds;
}

/* The stub's registers are below the vector, and an error code or RIP is above it. */
void on_interrupt(const uint64_t *stack)
{
	const uint64_t vector = (stack[9] - (uintptr_t)stubs) / 8;
	const char name[] = { (char)('0' + vector / 10), (char)('0' + vector % 10), '\n', 0 };

	*apic(EOI) = 0;
	kicks += vector == VECTOR_KICK;
	ticks += vector == VECTOR_TICK;
	if (vector >= VECTOR_KICK)
		return;
	print("tiny-kernel: exception ");
	print(name);
	for (;;)
		outb(0xf4, 0x7f);
}

static void interrupts_init(void)
{
	static const uint8_t pic[][2] = { /* away from the exceptions, and masked */
		{ 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 }, { 0xa1, 0x28 }, { 0x21, 4 },
		{ 0xa1, 2 }, { 0x21, 1 }, { 0xa1, 1 }, { 0x21, 0xff }, { 0xa1, 0xff } };
	static uint64_t idt[256][2];
	const struct { uint16_t pad[3], limit; uint64_t base; } pointer = {
		.limit = sizeof(idt) - 1, .base = (uintptr_t)idt };

	for (size_t i = 0; i < sizeof(pic) / sizeof(pic[0]); i++)
		outb(pic[i][0], pic[i][1]);
	for (size_t vector = 0; vector < 256; vector++) {
		const uint64_t to = (uintptr_t)stubs + 8 * vector; /* below 4 GiB */

		idt[vector][0] = (to & 0xffff) | 0x8e0000080000 | (to >> 16) << 48;
	}
	*apic(SVR) = 0x100 | VECTOR_SPURIOUS;
	*apic(DIVIDE) = 3; /* by 16 */
	*apic(LVT_TIMER) = 0x20000 | VECTOR_TICK; /* periodic */
	__asm__ volatile("lidt %0; sti" : : "m"(pointer.limit), "m"(pointer) : "memory");
}

/* Both clocks against channel 2 of the PIT, which every PC has. */
static void clocks_init(void)
{
	uint64_t start;

	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb0);
	outb(0x42, PIT_COUNT & 0xff);
	outb(0x42, PIT_COUNT >> 8);
	*apic(COUNT) = UINT32_MAX;
	start = __builtin_ia32_rdtsc();
	while (!(inb(0x61) & 0x20))
		;
	tsc_hz = (__builtin_ia32_rdtsc() - start) * PIT_HZ / PIT_COUNT;
	apic_hz = (uint32_t)((uint64_t)(UINT32_MAX - *apic(NOW)) * PIT_HZ / PIT_COUNT);
	*apic(COUNT) = 0;
}

__attribute__((weak)) int program(void)
{
	print("tiny-kernel: no program\n");
	return 0;
}

void kernel_main(const uint32_t *multiboot)
{
	const uint64_t end = 256 + multiboot[2] / 4; /* frames; mem_upper is KiB above 1 MiB */

	memset(is_used, 1, sizeof(is_used));
	for (uint64_t f = (uintptr_t)image_end / FRAME_SIZE + 1; f < end && f < FRAME_COUNT; f++)
		is_used[f] = 0;
	interrupts_init();
	clocks_init();
	print("tiny-kernel: frames, interrupts and a clock\n");
	outb(0xf4, program() ? 0x11 : 0x10); /* QEMU's exit device: status 33 is success */
}
