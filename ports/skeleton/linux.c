/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A Linux guest with one processor, on any port: a PC of the library around it, its serial port on
 * the host's console, and a loop.  What a real port does better is said where it would.
 */
#include "hal.h"

#include <libsvm/boot.h>
#include <libsvm/platform/pc.h>

#include "host.h"

#define MEMORY    (256ull << 20)
#define VGA_START 0xa0000ull
#define VGA_END   0xc0000ull
#define VECTOR_UD 6
#define VECTOR_GP 13

/* linux_image.S; a real port has a file system. */
extern const uint8_t linux_kernel[], linux_kernel_end[], linux_initrd[], linux_initrd_end[];

struct machine {
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_pc *pc;
	struct svm_vcpu *vcpu;
	svm_hpa_t memory;
};

static bool went_well(int error, const char *call)
{
	if (error) {
		host_print(call);
		host_print(": ");
		host_print(svm_strerror(error));
		host_print("\n");
	}
	return !error;
}

#define TRY(call) went_well((call), #call)

static void put_byte(void *arg, unsigned uart, uint8_t byte)
{
	const char text[] = { (char)byte, 0 };

	(void)arg;
	if (uart == 0)
		host_print(text);
}

static bool map_memory(struct machine *m)
{
	const struct svm_slot low = { .size = VGA_START, .prot = SVM_PROT_ALL, .hpa = m->memory };
	const struct svm_slot high = { .gpa = VGA_END, .size = MEMORY - VGA_END,
		                       .prot = SVM_PROT_ALL, .hpa = m->memory + VGA_END };

	return TRY(svm_vm_slot_add(m->vm, &low)) && TRY(svm_vm_slot_add(m->vm, &high));
}

static bool load(struct machine *m, struct svm_boot_state *state)
{
	const struct svm_boot_module initrd = {
		.bytes = linux_initrd,
		.size = (uint64_t)(linux_initrd_end - linux_initrd),
	};
	struct svm_boot_range map[SVM_BOOT_PC_RANGES];
	struct svm_boot_config config = {
		.image = linux_kernel,
		.size = (uint64_t)(linux_kernel_end - linux_kernel),
		.cmdline = "console=ttyS0 quiet check",
		.map = map,
		.map_count = svm_boot_pc_map(MEMORY, map),
		.modules = &initrd,
		.module_count = 1,
	};
	const char *why = "";
	const int error = svm_pc_write_tables(m->pc, &config.rsdp);

	if (error || svm_boot_load(m->vm, &config, state, &why)) {
		host_print("the kernel was not loaded: ");
		host_print(why);
		host_print("\n");
		return false;
	}
	return true;
}

static bool make(struct machine *m)
{
	const struct svm_pc_config config = {
		.devices = SVM_PC_DEFAULT,
		.cpus = 1,
		.memory = MEMORY,
		.wall_clock = 1750000000, /* a real port reads its clock */
		.put = put_byte,
	};
	struct svm_boot_state state;

	if (!host_frames_take(MEMORY / 4096, &m->memory)) {
		host_print("no memory for the guest\n");
		return false;
	}
	return TRY(svm_host_create(hal_table(), &m->host)) && TRY(svm_cpu_online(m->host)) &&
	       TRY(svm_vm_create(m->host, NULL, &m->vm)) && map_memory(m) &&
	       TRY(svm_pc_create(m->vm, &config, &m->pc)) && load(m, &state) &&
	       TRY(svm_vm_set_exits(m->vm, SVM_WANT_MMIO)) &&
	       TRY(svm_vcpu_create(m->vm, 0, &m->vcpu)) && TRY(svm_pc_attach(m->pc, m->vcpu)) &&
	       TRY(svm_boot_apply(m->vcpu, &state));
}

/* Nothing answers there: all ones, and writes vanish. */
static int answer_absent(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	static const uint64_t ones[4] = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };

	if (exit->kind == SVM_EXIT_KIND_IO && exit->io.is_in)
		return svm_vcpu_complete_value(vcpu, UINT32_MAX);
	if (exit->kind == SVM_EXIT_KIND_MMIO && !exit->mmio.is_write)
		return svm_vcpu_complete_data(vcpu, ones, exit->mmio.size);
	return svm_vcpu_complete_skip(vcpu);
}

/* False: the guest has ended, or did what this machine lacks. */
static bool answer(struct machine *m, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_HOST_INTERRUPT: /* a real port lets others run here */
	case SVM_EXIT_KIND_REQUEST:
		return true;
	case SVM_EXIT_KIND_HLT: /* and sleeps here until svm_vcpu_deadline() or a wake-up */
		while (!svm_vcpu_has_event(m->vcpu))
			host_wait();
		return true;
	case SVM_EXIT_KIND_IO:
	case SVM_EXIT_KIND_MMIO:
		return TRY(answer_absent(m->vcpu, exit));
	case SVM_EXIT_KIND_HYPERCALL:
		return TRY(svm_vcpu_complete_value(m->vcpu, (uint64_t)-1000)); /* KVM's "no such" */
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		return TRY(svm_vcpu_complete_fault(m->vcpu, VECTOR_GP, 0));
	case SVM_EXIT_KIND_MWAIT:
		return TRY(svm_vcpu_complete_fault(m->vcpu, VECTOR_UD, 0));
	case SVM_EXIT_KIND_NEED_MEMORY:
		return TRY(svm_vm_reserve(m->vm, 0));
	default:
		return false;
	}
}

bool linux_program(void)
{
	enum svm_pc_event event = SVM_PC_NOTHING;
	struct machine m;
	struct svm_exit exit;
	char text[256] = "";
	uint8_t status;
	bool good = make(&m);

	host_timer(1); /* a port with timer_arm needs no tick */
	while (good && event == SVM_PC_NOTHING) {
		good = TRY(svm_pc_serve(m.pc, m.vcpu)) && TRY(svm_vcpu_run(m.vcpu, &exit));
		if (good && !answer(&m, &exit)) {
			(void)svm_explain(m.vcpu, &exit, text, sizeof(text));
			good = false;
		}
		event = svm_pc_event(m.pc, &status);
	}
	host_timer(0);
	host_print(event == SVM_PC_POWER_OFF ? "the guest switched itself off" : text);
	host_print("\n");
	return event == SVM_PC_POWER_OFF;
}
