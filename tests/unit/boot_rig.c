/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "boot_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SPACE (UINT64_C(5) << 30)
#define HOLE  UINT64_C(0xc0000000)
#define FOUR  UINT64_C(0x100000000)

struct svm_vm {
	int nothing;
};

struct svm_vcpu {
	int nothing;
};

struct boot_rig rig;
static struct svm_vm the_vm;

static bool is_there(svm_gpa_t gpa)
{
	if (rig.absent && gpa >> 12 == rig.absent >> 12)
		return false;
	if (gpa < HOLE)
		return gpa < rig.ram && (gpa < 0xa0000 || gpa >= 0xc0000);
	return gpa < FOUR ? gpa >= FOUR - rig.firmware : gpa - FOUR + HOLE < rig.ram;
}

static bool all_there(svm_gpa_t gpa, size_t size)
{
	if (!size)
		return true;
	if (gpa + size - 1 < gpa)
		return false;
	for (svm_gpa_t page = gpa >> 12; page <= (gpa + size - 1) >> 12; page++)
		if (!is_there(page << 12))
			return false;
	return true;
}

int svm_vm_read(struct svm_vm *vm, svm_gpa_t gpa, void *data, size_t size, size_t *done)
{
	(void)vm;
	(void)done;
	if (!all_there(gpa, size))
		return SVM_ERR_FAULT;
	memcpy(data, rig.memory + gpa, size);
	return 0;
}

static void note_change(svm_gpa_t gpa)
{
	if (!rig.changed || gpa < rig.first)
		rig.first = gpa;
	if (!rig.changed || gpa >= rig.end)
		rig.end = gpa + 1;
	rig.changed++;
}

int svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size, size_t *done)
{
	const uint8_t *from = data;

	(void)vm;
	(void)done;
	rig.writes++;
	if (!all_there(gpa, size) || (rig.fail_at && rig.writes >= rig.fail_at))
		return SVM_ERR_FAULT;
	for (size_t i = 0; i < size; i++) {
		if (rig.memory[gpa + i] == from[i])
			continue;
		note_change(gpa + i);
		rig.memory[gpa + i] = from[i];
	}
	return 0;
}

int svm_vcpu_reset(struct svm_vcpu *vcpu)
{
	(void)vcpu;
	rig.resets++;
	return 0;
}

int svm_vcpu_set_regs(struct svm_vcpu *vcpu, const struct svm_regs *regs)
{
	(void)vcpu;
	rig.regs = *regs;
	return 0;
}

int svm_vcpu_set_system(struct svm_vcpu *vcpu, const struct svm_system_regs *regs)
{
	(void)vcpu;
	rig.system = *regs;
	return 0;
}

void rig_pc(uint64_t ram)
{
	memset(&rig, 0, sizeof(rig));
	rig.memory = mmap(NULL, SPACE, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (rig.memory == MAP_FAILED)
		abort();
	memset(rig.memory, BOOT_RIG_FILL, 0x400000);
	rig.ram = ram;
	rig.config.map = rig.map;
	rig.config.map_count = svm_boot_pc_map(ram, rig.map);
}

void rig_close(void)
{
	munmap(rig.memory, SPACE);
}

int rig_load(const void *image, size_t size)
{
	const size_t room = (size + 4095) & ~(size_t)4095;
	uint8_t *block =
		mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int result;

	if (block == MAP_FAILED || mprotect(block + room, 4096, PROT_NONE))
		abort();
	memcpy(block + room - size, image, size);
	rig.config.image = block + room - size;
	rig.config.size = size;
	rig.changed = rig.writes = 0;
	result = svm_boot_load(&the_vm, &rig.config, &rig.state, &rig.why);
	munmap(block, room + 4096);
	return result;
}

uint64_t rig_get(svm_gpa_t gpa, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, rig.memory + gpa, size);
	return value;
}

const char *rig_string(svm_gpa_t gpa)
{
	return (const char *)rig.memory + gpa;
}

bool rig_all(svm_gpa_t gpa, uint64_t size, uint8_t byte)
{
	for (uint64_t i = 0; i < size; i++)
		if (rig.memory[gpa + i] != byte)
			return false;
	return true;
}

void file_put(uint8_t *file, size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		file[at + i] = (uint8_t)(value >> (8 * i));
}
