/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The loaders on any image, in any memory map, with modules and memory that fails.
 *
 * The input chooses the configuration; the image is either its remaining bytes, or a good one of a
 * format with some fields overwritten, since random bytes are hardly ever an ELF file.  Held: no
 * write outside the RAM of the map (of firmware: outside its two places), none before everything
 * was found good, so that a load which fails has changed nothing; no module overwritten; and
 * registers that a processor can start with, code within what was loaded.
 */
#include <stdlib.h>
#include <string.h>

#include <libsvm/boot.h>

#define HOLDS(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define FILL     0xa5 /* What guest memory reads as. */
#define IMAGE    0x3000u
#define MODULES  3u
#define RANGES   64u
#define MIB      UINT64_C(0x100000)
#define FOUR_GIB UINT64_C(0x100000000)

struct svm_vm {
	int nothing;
};

struct svm_vcpu {
	int nothing;
};

struct input {
	const uint8_t *at;
	size_t left;
};

/* Guest memory that bytes of an image or a module were written to. */
struct written {
	svm_gpa_t gpa;
	uint64_t size;
	bool is_module;
};

static struct svm_boot_config config;
static struct svm_boot_range map[SVM_BOOT_RANGE_MAX];
static struct svm_boot_module modules[MODULES];
static uint8_t image[IMAGE], module_bytes[0x4000];
static struct written written[RANGES];
static unsigned written_count;
static bool has_changed;
static uint64_t probes, absent_from; /* Pages from this one on are not there. */
static char cmdline[64];

static uint64_t take(struct input *in, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size && in->left; i++, in->left--)
		value |= (uint64_t)*in->at++ << 8 * i;
	return value;
}

/* --- guest memory ---------------------------------------------------------------------------- */

static bool is_ram(svm_gpa_t gpa, uint64_t size)
{
	for (uint32_t i = 0; i < config.map_count; i++)
		if (map[i].kind == SVM_BOOT_RAM && gpa >= map[i].gpa &&
		    gpa - map[i].gpa <= map[i].size && size <= map[i].size - (gpa - map[i].gpa))
			return true;
	return false;
}

static bool is_firmware(svm_gpa_t gpa, uint64_t size)
{
	return config.format == SVM_BOOT_FIRMWARE &&
	       ((gpa >= FOUR_GIB - config.size && gpa + size <= FOUR_GIB) ||
	        (gpa >= MIB - 0x20000 && gpa + size <= MIB));
}

int svm_vm_read(struct svm_vm *vm, svm_gpa_t gpa, void *data, size_t size, size_t *done)
{
	(void)vm;
	(void)done;
	HOLDS(is_ram(gpa, size) || is_firmware(gpa, size));
	probes++;
	if (gpa >> 12 >= absent_from)
		return SVM_ERR_FAULT;
	memset(data, FILL, size);
	return 0;
}

static bool is_inside(const void *pointer, const uint8_t *bytes, size_t size)
{
	const uintptr_t p = (uintptr_t)pointer, first = (uintptr_t)bytes;

	return p >= first && p < first + size;
}

static void check_overlap(svm_gpa_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < written_count; i++)
		HOLDS(gpa >= written[i].gpa + written[i].size || written[i].gpa >= gpa + size);
}

int svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size, size_t *done)
{
	const bool is_module = is_inside(data, module_bytes, sizeof(module_bytes));
	const bool is_image = is_inside(data, image, sizeof(image));

	(void)vm;
	(void)done;
	HOLDS(is_ram(gpa, size) || is_firmware(gpa, size));
	if (size == 1 && *(const uint8_t *)data == FILL && !has_changed && !is_module && !is_image)
		return 0; /* The probe. */
	has_changed = true;
	check_overlap(gpa, size);
	HOLDS(!is_image || size <= (size_t)(image + IMAGE - (const uint8_t *)data));
	if (is_module || is_image) {
		HOLDS(written_count < RANGES);
		written[written_count++] = (struct written){ gpa, size, is_module };
	}
	return 0;
}

int svm_vcpu_reset(struct svm_vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

int svm_vcpu_set_regs(struct svm_vcpu *vcpu, const struct svm_regs *regs)
{
	(void)vcpu;
	(void)regs;
	return 0;
}

int svm_vcpu_set_system(struct svm_vcpu *vcpu, const struct svm_system_regs *regs)
{
	(void)vcpu;
	(void)regs;
	return 0;
}

/* --- images that are nearly good ------------------------------------------------------------- */

static void put(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		image[at + i] = (uint8_t)(value >> (8 * i));
}

static void make_linux(void)
{
	put(0x1f1, 1, 1);
	put(0x1f4, (IMAGE - 0x400) / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x6aeb, 2);
	memcpy(image + 0x202, "HdrS", 4);
	put(0x206, 0x020f, 2);
	put(0x211, 1, 1);
	put(0x214, 0x100000, 4);
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x200000, 4);
	put(0x234, 1, 1);
	put(0x236, 0x7f, 2);
	put(0x238, 2047, 4);
	put(0x258, 0x200000, 8);
	put(0x260, 0x100000, 4);
}

static void make_elf(bool is_64)
{
	const unsigned size = is_64 ? 8 : 4, row = is_64 ? 56 : 32, first = is_64 ? 64 : 52;

	memcpy(image, is_64 ? "\177ELF\2\1\1" : "\177ELF\1\1\1", 7);
	put(16, 2, 2);
	put(18, is_64 ? 62 : 3, 2);
	put(24, 0x100020, size);
	put(is_64 ? 32 : 28, first, size);
	put(is_64 ? 54 : 42, row, 2);
	put(is_64 ? 56 : 44, 3, 2);
	for (unsigned i = 0; i < 3; i++) {
		const unsigned at = first + i * row;

		put(at, i == 2 ? 4 : 1, 4);
		put(at + size, 0x1000 + 0x100 * i, size);
		put(at + 2 * size, 0x100000 + 0x1000 * i, size);
		put(at + 3 * size, 0x100000 + 0x1000 * i, size);
		put(at + 4 * size, 0x100, size);
		put(at + 5 * size, 0x200, size);
	}
	put(0x1200, 4, 4);
	put(0x1204, 8, 4);
	put(0x1208, 18, 4);
	memcpy(image + 0x120c, "Xen", 4);
	put(0x1210, 0x100100, 8);
}

static void make_multiboot(bool has_addresses)
{
	const uint32_t flags = has_addresses ? 0x10003 : 3;

	if (!has_addresses)
		make_elf(false);
	put(0x200, 0x1badb002, 4);
	put(0x204, flags, 4);
	put(0x208, 0u - 0x1badb002u - flags, 4);
	put(0x20c, 0x110200, 4);
	put(0x210, 0x110000, 4);
	put(0x214, 0x110400, 4);
	put(0x218, 0x111000, 4);
	put(0x21c, 0x110080, 4);
}

static void make_image(struct input *in)
{
	const unsigned kind = (unsigned)take(in, 1) % 8;

	memset(image, 0, sizeof(image));
	config.size = IMAGE;
	switch (kind) {
	case 0:
		config.size = in->left < IMAGE ? in->left : IMAGE;
		memcpy(image, in->at, config.size);
		return;
	case 1:
	case 2:
		make_linux();
		break;
	case 3:
		make_elf(false);
		break;
	case 4:
	case 5:
		make_elf(true);
		break;
	default:
		make_multiboot(kind == 6);
		break;
	}
	if (take(in, 1) & 1)
		config.size = take(in, 2) % (IMAGE + 1);
	while (in->left) {
		const size_t at = take(in, 2) % (IMAGE - 8);
		const unsigned size = 1u << (take(in, 1) & 3);

		put(at & 0xc000 ? at & 0x3ff : at, take(in, size), size);
	}
}

/* --- a run ----------------------------------------------------------------------------------- */

static void make_map(struct input *in)
{
	static const uint64_t sizes[4] = { 2 * MIB, 3 * MIB + 4096, 16 * MIB, 20 * MIB };
	const uint8_t what = (uint8_t)take(in, 1);

	config.map_count = svm_boot_pc_map(what > 0xfc ? 4097 * MIB : sizes[what & 3], map);
	/* Memory on both sides of 4 GiB, but not so much that clearing it takes long. */
	if (what > 0xfc)
		map[3].size = map[4].size = 16 * MIB;
	if (what & 4) {
		const uint32_t i = (uint32_t)take(in, 1) % SVM_BOOT_PC_RANGES;

		map[i].gpa ^= take(in, 4) << 4;
		map[i].size = take(in, 4);
		map[i].kind = (enum svm_boot_memory)(take(in, 1) % 6);
	}
	absent_from = what & 8 ? take(in, 2) : UINT64_MAX;
}

static void make_modules(struct input *in)
{
	const uint8_t what = (uint8_t)take(in, 1);

	config.module_count = (what & 3) % (MODULES + 1);
	for (unsigned i = 0; i < MODULES; i++)
		modules[i] = (struct svm_boot_module){ module_bytes + 0x1000 * i,
			                               take(in, 2) % 0x1000, cmdline + 40 };
	memset(cmdline, 'x', sizeof(cmdline) - 1);
	config.cmdline = what & 4 ? NULL : cmdline + (what >> 3);
	config.rsdp = what;
}

static void check_state(const struct svm_boot_state *state)
{
	const uint64_t rip = state->system.cs.base + state->regs.rip;
	bool is_loaded = false;

	HOLDS(state->format != SVM_BOOT_AUTO && state->format < SVM_BOOT_FORMAT_COUNT);
	if (state->format == SVM_BOOT_FIRMWARE)
		return;
	HOLDS(state->regs.rflags == 2);
	HOLDS(rip < FOUR_GIB);
	HOLDS(!(state->system.cr3 & 0xfff) && state->system.cr3 < 0xa0000);
	HOLDS((state->system.cr0 >> 31 & 1) == (state->system.efer >> 10 & 1));
	/* In the image's bytes; an ELF file may have its entry in what is zeroed. */
	for (unsigned i = 0; i < written_count; i++)
		is_loaded |= !written[i].is_module && rip >= written[i].gpa &&
		             rip < written[i].gpa + written[i].size;
	HOLDS(is_loaded || state->format == SVM_BOOT_ELF || state->format == SVM_BOOT_PVH ||
	      state->format == SVM_BOOT_MULTIBOOT || state->format == SVM_BOOT_LINUX_64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct svm_boot_state state;
	struct svm_vm vm;
	const char *why = NULL;
	int result;

	memset(&config, 0, sizeof(config));
	written_count = 0;
	has_changed = false;
	probes = 0;
	config.format = (enum svm_boot_format)(take(&in, 1) % (SVM_BOOT_FORMAT_COUNT + 8));
	if (config.format > SVM_BOOT_FORMAT_COUNT)
		config.format = SVM_BOOT_AUTO;
	config.map = map;
	config.modules = modules;
	make_map(&in);
	make_modules(&in);
	config.address = take(&in, 1) & 1 ? take(&in, 8) : 0x100000;
	make_image(&in);
	/* At the end of the array, so that a sanitizer sees a read behind it. */
	memmove(image + IMAGE - config.size, image, config.size);
	config.image = image + IMAGE - config.size;
	result = svm_boot_load(&vm, &config, &state, &why);
	HOLDS(why && (result != 0) == (why[0] != 0));
	HOLDS(result <= 0);
	if (result)
		HOLDS(!has_changed);
	else
		check_state(&state);
	return 0;
}
