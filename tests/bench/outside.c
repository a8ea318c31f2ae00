/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A plugin for QEMU's TCG that counts what an emulated machine with one processor executes, and how
 * much of it outside guests.  The TSC under -icount tells the same for a stretch without sleep, but
 * it also runs on while a processor halts, and it cannot tell a hypervisor's instructions from its
 * guest's where the hypervisor is not ours to change.
 *
 * VMRUN is an instruction like others, and the next one that the host executes stands right behind
 * it.  So the guest's are those from a VMRUN to the execution of an instruction with a VMRUN before
 * it.  An instruction that faults counts each time it is tried.
 *
 * What to count from and to is marked in the machine itself, by a NOP that means nothing to the
 * processor (mark.h).  At each mark, and at the first VMRUN after it, a line is written; the start
 * of the machine counts as mark 0:
 *
 *	mark N executed INSTRUCTIONS outside INSTRUCTIONS entries COUNT
 *	entry after N executed ...
 *
 * The interface below is version 1 of QEMU's plugins (QEMU 7.2), declared here since Debian has no
 * package with its header.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mark.h"

#define EXPORT          __attribute__((visibility("default")))
#define PLUGIN_VERSION  1
#define CB_NO_REGISTERS 0
#define INLINE_ADD_U64  0
#define PAGE_OFFSET     0xfffu

struct qemu_plugin_insn;
struct qemu_plugin_tb;

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*call)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*call)(unsigned int cpu, void *arg), int flags,
                                            void *arg);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
                                                void *counter, uint64_t addend);

EXPORT extern int qemu_plugin_version;
int qemu_plugin_version = PLUGIN_VERSION;

static const uint8_t vmrun[] = { 0x0f, 0x01, 0xd8 };
static const uint8_t mark_nop[] = { MARK_BYTES };
static FILE *output;
static uint64_t executed, in_guests, entered_at, entries;
static unsigned int last_mark;
static bool is_inside, is_entry_due = true;

static void report(const char *what, unsigned int mark)
{
	const uint64_t inside = in_guests + (is_inside ? executed - entered_at : 0);

	fprintf(output, "%s %u executed %lu outside %lu entries %lu\n", what, mark, executed,
	        executed - inside, entries);
	fflush(output);
}

static void before_vmrun(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	if (is_entry_due)
		report("entry after", last_mark);
	is_entry_due = false;
	is_inside = true;
	entered_at = executed;
	entries++;
}

static void after_vmrun(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	if (is_inside)
		in_guests += executed - entered_at;
	is_inside = false;
}

static void at_mark(unsigned int cpu, void *arg)
{
	(void)cpu;
	last_mark = (unsigned int)(uintptr_t)arg;
	is_entry_due = true;
	report("mark", last_mark);
}

/* The host's bytes before an instruction, where they are in the same page. */
static bool follows_vmrun(const struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_haddr(insn);

	return bytes && (qemu_plugin_insn_vaddr(insn) & PAGE_OFFSET) >= sizeof(vmrun) &&
	       memcmp(bytes - sizeof(vmrun), vmrun, sizeof(vmrun)) == 0;
}

static void watch(struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	const size_t size = qemu_plugin_insn_size(insn);

	if (follows_vmrun(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, after_vmrun, CB_NO_REGISTERS, NULL);
	if (size == sizeof(vmrun) && memcmp(bytes, vmrun, sizeof(vmrun)) == 0)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, before_vmrun, CB_NO_REGISTERS, NULL);
	if (size == sizeof(mark_nop) + 1 && memcmp(bytes, mark_nop, sizeof(mark_nop)) == 0)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, CB_NO_REGISTERS,
		                                       (void *)(uintptr_t)bytes[sizeof(mark_nop)]);
	qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &executed, 1);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	const size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < count; i++)
		watch(qemu_plugin_tb_get_insn(tb, i));
}

/* One argument, log=PATH: where the lines go. */
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	static const char key[] = "log=";

	(void)info;
	if (argc != 1 || strncmp(argv[0], key, strlen(key)) != 0) {
		fputs("outside: wants log=PATH\n", stderr);
		return -1;
	}
	output = fopen(argv[0] + strlen(key), "w");
	if (!output) {
		perror(argv[0] + strlen(key));
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
