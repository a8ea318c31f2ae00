/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the guest or the processor says in bits and bytes, with every value of them: EXITINFO1 of an
 * IOIO exit, the bytes of an intercepted instruction against any exit code, segment descriptors.
 *
 * eva: src/core/vcpu/ioio.c src/core/vcpu/insn_length.c src/core/vcpu/segment.c
 */
#include "core/vcpu/insn_length.h"
#include "core/vcpu/ioio.h"
#include "core/vcpu/segment.h"

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

static void segments(void)
{
	struct svm_vmcb_segment segment;
	uint64_t descriptor;

	segment = svm_segment_unpack((uint16_t)eva_any(), eva_any(), (uint32_t)eva_any());
	Frama_C_make_unknown((char *)&segment, sizeof(segment));
	(void)svm_segment_pack(&segment, &descriptor);
	(void)svm_segment_code_bits((uint16_t)eva_any(), eva_maybe());
}

void eva_main(void)
{
	decode_port();
	scan_bytes(16);
	scan_bytes(32);
	scan_bytes(64);
	segments();
}
