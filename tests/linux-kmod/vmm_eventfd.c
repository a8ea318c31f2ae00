/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What spares user space exits and calls: eventfds that raise interrupts or take the guest's
 * writes, and a ring for writes that can wait.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm.h"

/* The kernel's header says it for itself only. */
#define RING_ENTRIES                                                                               \
	((4096 - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

static int ioeventfd(const struct machine *m, int fd, uint64_t address, uint32_t size,
                     uint64_t match, uint32_t flags)
{
	struct kvm_ioeventfd e = {
		.fd = fd,
		.addr = address,
		.len = size,
		.datamatch = match,
		.flags = flags,
	};

	return ioctl(m->vm, KVM_IOEVENTFD, &e);
}

static void port_writes(void)
{
	static const uint8_t code[] = {
		0xb0, 0x01, 0xe6, 0x10, /* out 10h, 1: matched */
		0xb0, 0x02, 0xe6, 0x10, /* out 10h, 2: not */
		0xe7, 0x10,             /* out 10h, ax: another size */
		0xe5, 0x10,             /* in ax, 10h */
		0xb0, 0x01, 0xe6, 0x10, /* matched, but by then it is gone */
	};
	const uint32_t flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH;
	const uint32_t gone = flags | KVM_IOEVENTFD_FLAG_DEASSIGN;
	const int fd = eventfd(0, EFD_NONBLOCK), other = eventfd(0, EFD_NONBLOCK);
	struct machine m;

	machine_open(&m);
	REFUSED(ioeventfd(&m, fd, 0x10, 3, 1, flags), EINVAL);
	REFUSED(ioeventfd(&m, fd, 0x10, 0, 1, flags), EINVAL);
	REFUSED(ioeventfd(&m, fd, ~0ull, 4, 0, 0), EINVAL);
	REFUSED(ioeventfd(&m, fd, 0x10, 1, 1, 0x80), EINVAL);
	REFUSED(ioeventfd(&m, m.vm, 0x10, 1, 1, flags), EINVAL);
	REFUSED(ioeventfd(&m, -1, 0x10, 1, 1, flags), EBADF);
	REFUSED(ioeventfd(&m, fd, 0x10, 1, 1, gone), ENOENT);
	EXPECT(ioeventfd(&m, fd, 0x10, 1, 1, flags) == 0, 0);
	REFUSED(ioeventfd(&m, other, 0x10, 1, 1, flags), EEXIST);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(eventfd_take(fd) == 1, 0);
	EXPECT(((uint8_t *)m.run)[m.run->io.data_offset] == 2, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.size == 2 && m.run->io.direction == KVM_EXIT_IO_OUT, m.run->io.size);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.direction == KVM_EXIT_IO_IN, 0);
	REFUSED(ioeventfd(&m, other, 0x10, 1, 1, gone), ENOENT);
	EXPECT(ioeventfd(&m, fd, 0x10, 1, 1, gone) == 0, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.direction == KVM_EXIT_IO_OUT && eventfd_take(fd) == 0, 0);
	machine_close(&m);
	close(fd);
	close(other);
}

/* Of any size, where none is given. */
static void memory_writes(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff, 0x8e, 0xd8, /* ds = ffffh */
		0xa2, 0x18, 0x00,             /* mov [100008h], al */
		0xa3, 0x18, 0x00,             /* mov [100008h], ax */
		0xa3, 0x20, 0x00,             /* mov [100010h], ax: of two bytes */
		0xa2, 0x20, 0x00,             /* mov [100010h], al: not */
	};
	const int any = eventfd(0, EFD_NONBLOCK), word = eventfd(0, EFD_NONBLOCK);
	struct machine m;

	machine_open(&m);
	EXPECT(ioeventfd(&m, any, MEMORY + 8, 0, 0, 0) == 0, 0);
	REFUSED(ioeventfd(&m, word, MEMORY + 8, 2, 0, 0), EEXIST);
	EXPECT(ioeventfd(&m, word, MEMORY + 16, 2, 0, 0) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(m.run->mmio.phys_addr == MEMORY + 16 && m.run->mmio.len == 1, m.run->mmio.len);
	EXPECT(eventfd_take(any) == 2, 0);
	EXPECT(eventfd_take(word) == 1, 0);
	machine_close(&m); /* With both in use. */
	close(any);
	close(word);
}

/* As a device's queues have them: by number at one port; the module serves these in its run. */
static void kicks(void)
{
	static const uint8_t code[] = {
		0xba, 0x00, 0x10,                               /* mov dx, 1000h */
		0xb0, 0x01, 0xee, 0xb0, 0x02, 0xee,             /* out dx, 1; out dx, 2 */
		0xb0, 0x03, 0xee, 0xec, 0xeb, 0xf1,             /* out dx, 3; in al, dx; again */
	};
	const uint32_t flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH;
	const uint32_t gone = flags | KVM_IOEVENTFD_FLAG_DEASSIGN;
	const int one = eventfd(0, EFD_NONBLOCK), two = eventfd(0, EFD_NONBLOCK);
	struct machine m;

	machine_open(&m);
	EXPECT(ioeventfd(&m, one, 0x1000, 1, 1, flags) == 0, 0);
	EXPECT(ioeventfd(&m, two, 0x1000, 1, 2, flags) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(((uint8_t *)m.run)[m.run->io.data_offset] == 3, 0);
	EXPECT(eventfd_take(one) == 1 && eventfd_take(two) == 1, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.direction == KVM_EXIT_IO_IN, 0);
	/* Each alone, whichever was first. */
	EXPECT(ioeventfd(&m, one, 0x1000, 1, 1, gone) == 0, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(((uint8_t *)m.run)[m.run->io.data_offset] == 1, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(((uint8_t *)m.run)[m.run->io.data_offset] == 3, 0);
	EXPECT(eventfd_take(one) == 0 && eventfd_take(two) == 1, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(ioeventfd(&m, one, 0x1000, 1, 1, flags) == 0, 0);
	EXPECT(ioeventfd(&m, two, 0x1000, 1, 2, gone) == 0, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(((uint8_t *)m.run)[m.run->io.data_offset] == 2, 0);
	EXPECT(eventfd_take(one) == 1 && eventfd_take(two) == 0, 0);
	machine_close(&m);
	close(one);
	close(two);
}

#define QUEUES 40u

/* More than the library has callbacks for, and at addresses that controllers will have. */
static void many_kicks(void)
{
	static const uint8_t code[] = {
		0xba, 0x00, 0x10, 0xb9, QUEUES, 0x00,           /* mov dx, 1000h; mov cx, QUEUES */
		0xef, 0x83, 0xc2, 0x04, 0xe2, 0xfa,             /* out dx, ax; add dx, 4; loop */
		0xe6, 0x80,                                     /* out 80h */
	};
	const uint32_t flags = KVM_IOEVENTFD_FLAG_PIO;
	const struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct machine m;
	int fds[QUEUES];

	machine_open_vm(&m);
	for (unsigned i = 0; i < QUEUES; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		EXPECT(ioeventfd(&m, fds[i], 0x1000 + 4 * i, i & 1 ? 2 : 0, 0, flags) == 0, i);
	}
	EXPECT(ioeventfd(&m, fds[0], 0x20, 1, 0, flags) == 0, 0);
	EXPECT(ioeventfd(&m, fds[0], 0x40, 4, 0, flags) == 0, 0);
	EXPECT(ioeventfd(&m, fds[0], 0xfec00000, 4, 0, 0) == 0, 0);
	EXPECT(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0) == 0, 0);
	EXPECT(ioctl(m.vm, KVM_CREATE_PIT2, &config) == 0, 0);
	machine_open_vcpu(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.port == 0x80, m.run->io.port);
	for (unsigned i = 0; i < QUEUES; i++) {
		EXPECT(eventfd_take(fds[i]) == 1, i);
		close(fds[i]);
	}
	machine_close(&m);
}

/* --- writes that can wait --------------------------------------------------------------------- */

static int zone(const struct machine *m, unsigned long call, uint64_t address, uint32_t size,
                uint32_t is_port)
{
	struct kvm_coalesced_mmio_zone in = { .addr = address, .size = size, .pio = is_port };

	return ioctl(m->vm, call, &in);
}

/* Until the ring is full, or says nonsense. */
static void coalesced_writes(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff, 0x8e, 0xd8, /* ds = ffffh */
		0xa3, 0x18, 0x00,             /* mov [100008h], ax */
		0xe6, 0x10,                   /* out 10h, al */
		0xa3, 0x1f, 0x00,             /* mov [10000fh], ax: half of it outside */
		0xa3, 0x18, 0x00,             /* mov [100008h], ax, again and again */
		0xeb, 0xfb,
	};
	const uint64_t address = MEMORY + 8;
	struct kvm_coalesced_mmio_ring *ring;
	struct machine m;

	machine_open(&m);
	ring = (void *)((uint8_t *)m.run + 2 * 4096);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO) == 2, 0);
	REFUSED(zone(&m, KVM_REGISTER_COALESCED_MMIO, address, 8, 2), EINVAL);
	EXPECT(zone(&m, KVM_REGISTER_COALESCED_MMIO, address, 8, 0) == 0, 0);
	EXPECT(zone(&m, KVM_REGISTER_COALESCED_MMIO, 0x10, 1, 1) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(m.run->mmio.phys_addr == address + 7, m.run->mmio.phys_addr);
	EXPECT(ring->first == 0 && ring->last == 2, ring->last);
	EXPECT(ring->coalesced_mmio[0].phys_addr == address && !ring->coalesced_mmio[0].pio, 0);
	EXPECT(ring->coalesced_mmio[0].len == 2 && ring->coalesced_mmio[0].data[0] == 0xff, 0);
	EXPECT(ring->coalesced_mmio[1].phys_addr == 0x10 && ring->coalesced_mmio[1].pio, 0);
	run_to(&m, KVM_EXIT_MMIO); /* Full. */
	EXPECT(m.run->mmio.phys_addr == address, m.run->mmio.phys_addr);
	EXPECT(ring->last == RING_ENTRIES - 1, ring->last);
	ring->first = ring->last = 0xfffffff0;
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, address, 8, 0) == 0, 0);
	ring->first = ring->last = 0;
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(ring->last == 0, ring->last);
	machine_close(&m);
}

/* --- interrupts ------------------------------------------------------------------------------- */

static int irqfd(const struct machine *m, int fd, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd e = { .fd = (uint32_t)fd, .gsi = gsi, .flags = flags };

	return ioctl(m->vm, KVM_IRQFD, &e);
}

/* The 8259's input 3 by an eventfd; what was written before counts. */
static void raised_interrupts(void)
{
	static const uint8_t code[] = {
		0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, /* vectors from 20h */
		0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,
		0xb0, 0xf7, 0xe6, 0x21, 0xe6, 0x80,             /* out 80h */
		0xfb, 0xf4, 0xfa, 0xe6, 0x84, 0xeb, 0xf9,       /* sti, hlt, cli, out 84h, again */
	};
	static const uint8_t handler[] = {
		0xfe, 0x06, 0x00, 0x20, 0xb0, 0x20, 0xe6, 0x20, 0xcf, /* count, EOI, iret */
	};
	const int fd = eventfd(0, EFD_NONBLOCK), late = eventfd(0, EFD_NONBLOCK);
	struct machine m;

	machine_open_vm(&m);
	REFUSED(irqfd(&m, fd, 3, 0), EINVAL); /* Without controllers. */
	EXPECT(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0) == 0, 0);
	machine_open_vcpu(&m);
	REFUSED(irqfd(&m, fd, 1000000, 0), EINVAL);
	REFUSED(irqfd(&m, fd, 3, 0x40), EINVAL);
	REFUSED(irqfd(&m, m.vm, 3, 0), EINVAL);
	REFUSED(irqfd(&m, -1, 3, 0), EBADF);
	EXPECT(irqfd(&m, fd, 3, 0) == 0, 0);
	REFUSED(irqfd(&m, fd, 4, 0), EBUSY);
	START(&m, code);
	memcpy(m.memory + 0x3000, handler, sizeof(handler));
	memcpy(m.memory + 4 * 0x23, "\0\60\0\0", 4);
	run_to(&m, KVM_EXIT_IO);
	for (uint8_t n = 1; n < 4; n++) {
		eventfd_put(fd);
		run_to(&m, KVM_EXIT_IO);
		EXPECT(m.memory[DATA] == n, m.memory[DATA]);
		EXPECT(eventfd_take(fd) == 0, 0); /* The kernel has read it. */
	}
	EXPECT(irqfd(&m, fd, 3, KVM_IRQFD_FLAG_DEASSIGN) == 0, 0);
	eventfd_put(fd);
	EXPECT(eventfd_take(fd) == 1, 0);
	eventfd_put(late);
	EXPECT(irqfd(&m, late, 3, 0) == 0, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.memory[DATA] == 4, m.memory[DATA]);
	close(late); /* While it is in use. */
	close(fd);
	machine_close(&m);
}

const struct test eventfd_tests[] = {
	{ "port-writes", port_writes },
	{ "memory-writes", memory_writes },
	{ "kicks", kicks },
	{ "many-kicks", many_kicks },
	{ "coalesced-writes", coalesced_writes },
	{ "raised-interrupts", raised_interrupts },
	{ NULL, NULL },
};
