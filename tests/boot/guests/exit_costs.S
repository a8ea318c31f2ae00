/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What an exit costs, seen from inside: RDTSC around loops of one exit each, less the loop itself.
 * Under QEMU's -icount shift=0 the TSC counts instructions, so that the figures are exact numbers
 * of host instructions (and the one or two of the guest) and repeat to the digit.
 *
 * One line per kind: `cost NAME N`, N per exit, rounded down.  With `lazy=1` memory is translated
 * on the first touch, and the last kind shows the cost of a nested fault.
 */
#include "guest.h"
#include "measure.h"

#define PAGES 256
#define FRESH 0x400000			/* far from the image, aligned for a table of its own */

start:
	load_gdt
	measure_nothing

	measure out-inside, "mov $0x3ff, %edx; out %al, %dx"
	measure out-embedder, "out %al, $0x80"
	measure cpuid, "xor %eax, %eax; cpuid"
	measure vmmcall-unknown, "mov $99, %eax; vmmcall"
	measure rdmsr, "mov $0xc0000080, %ecx; rdmsr"
	measure wbinvd, "wbinvd"

	/* Each page once: a second touch costs nothing. */
	mov	$FRESH, %esi
	mov	(%esi), %eax		/* the table's own first entry */
	rdtsc
	mov	%eax, %ebp
	mov	$PAGES, %edi
2:	add	$0x1000, %esi
	mov	(%esi), %eax
	dec	%edi
	jnz	2b
	rdtsc
	sub	%ebp, %eax
	xor	%edx, %edx
	mov	$PAGES, %ecx
	div	%ecx
	print	"cost first-touch "
	call	print_decimal
	print	"\n"
	finish	0
