/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What an exit costs, seen from inside: RDTSC around loops of one exit each, less the loop itself.
 * Under QEMU's -icount shift=0 the TSC counts instructions, so that the figures are exact numbers
 * of host instructions (and the one or two of the guest) and repeat to the digit.
 *
 * One line per kind: `cost NAME N`, N per exit, rounded down.  With `lazy=1` memory is translated
 * on the first touch, and the last two show the cost of a nested fault; the last one with
 * `lazy=large`.  It wants 48 MiB.
 */
#include "guest.h"
#include "measure.h"

#define FRESH 0x400000			/* far from the image, aligned for a table of its own */
#define FRESH_LARGE 0x600000

	/*
	 * Each page once after the first, which brings the table: a second touch costs nothing.
	 * One touch may fill 8 aligned entries; counts are multiples of that, so that as many pages
	 * are found filled at the start as are filled in vain at the end.
	 */
	.macro	measure_touch name, first, step, count
	mov	$\first, %esi
	mov	(%esi), %eax
	rdtsc
	mov	%eax, %ebp
	mov	$\count, %edi
2:	add	$\step, %esi
	mov	(%esi), %eax
	dec	%edi
	jnz	2b
	rdtsc
	sub	%ebp, %eax
	xor	%edx, %edx
	mov	$\count, %ecx
	div	%ecx
	print	"cost \name "
	call	print_decimal
	print	"\n"
	.endm

start:
	load_gdt
	measure_nothing

	measure out-inside, "mov $0x3ff, %edx; out %al, %dx"
	measure out-embedder, "out %al, $0x80"
	measure cpuid, "xor %eax, %eax; cpuid"
	measure vmmcall-unknown, "mov $99, %eax; vmmcall"
	measure rdmsr, "mov $0xc0000080, %ecx; rdmsr"
	measure wbinvd, "wbinvd"

	measure_touch first-touch, FRESH, 0x1000, 256
	/* With 4 KiB pages each of these brings a table too. */
	measure_touch first-touch-large, FRESH_LARGE, 0x200000, 16
	finish	0
