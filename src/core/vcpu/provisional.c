/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Provisional: what insn_length.c, ioio.c, guest_virtual.c and hal_check.c will do.
 *
 * It lets the run loop run before those files are there: bytes are taken from unpaged or
 * identity-mapped code, and lengths without prefixes.  Whoever brings one of them takes the
 * function here away; the file goes with the last.
 */
#include <libsvm/diagnose.h>

#include "core/vcpu/exits.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"
#include "core/vcpu/ioio.h"

bool svm_insn_scan(const uint8_t *bytes, unsigned count, unsigned code_bits, uint64_t exit_code,
                   struct svm_insn_scan *scan)
{
	(void)bytes;
	(void)count;
	(void)code_bits;
	scan->gpr = 0;
	switch (exit_code) {
	case SVM_EXIT_HLT:
		scan->length = 1;
		return true;
	case SVM_EXIT_CPUID:
	case SVM_EXIT_MSR:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_PAUSE:
		scan->length = 2;
		return true;
	default:
		scan->length = 3;
		return true;
	}
}

int svm_guest_fetch(struct svm_vcpu *vcpu, uint64_t linear, uint8_t *buffer, unsigned want,
                    unsigned *got)
{
	size_t done = 0;
	const int error = svm_vm_read(vcpu->vm, linear, buffer, want, &done);

	*got = (unsigned)done;
	return done ? 0 : error;
}

bool svm_ioio_decode(uint64_t info, struct svm_ioio *ioio)
{
	ioio->port = (uint16_t)svm_bits_get(info, SVM_IOIO_PORT);
	ioio->size = (uint8_t)svm_bits_get(info, SVM_IOIO_SIZE);
	ioio->is_in = info & SVM_IOIO_IN;
	ioio->string = info & SVM_IOIO_STRING;
	ioio->rep = info & SVM_IOIO_REP;
	return ioio->size == 1 || ioio->size == 2 || ioio->size == 4;
}

unsigned svm_hal_check(const struct svm_hal *hal,
                       void (*report)(void *arg, const struct svm_hal_check_result *result),
                       void *arg)
{
	(void)report;
	(void)arg;
	return svm_hal_missing_entry(hal) ? 1 : 0;
}
