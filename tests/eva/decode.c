/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the guest or the processor says in bits and bytes, with every value of them: EXITINFO1 of an
 * IOIO exit, the bytes of an intercepted instruction against any exit code.
 *
 * eva: src/core/vcpu/ioio.c src/core/vcpu/insn_length.c
 */
#include "core/vcpu/insn_length.h"
#include "core/vcpu/ioio.h"

void eva_main(void);

static void decode_port(void)
{
	struct svm_ioio ioio;

	(void)svm_ioio_decode(eva_any(), &ioio);
}

static void scan_bytes(unsigned code_bits)
{
	struct svm_insn_scan scan = { 0, 0 };
	uint8_t bytes[15];

	Frama_C_make_unknown((char *)bytes, sizeof(bytes));
	(void)svm_insn_scan(bytes, (unsigned)Frama_C_interval(0, 15), code_bits, eva_any(), &scan);
	/*@ assert scan.gpr <= 15; */
}

void eva_main(void)
{
	decode_port();
	scan_bytes(16);
	scan_bytes(32);
	scan_bytes(64);
}
