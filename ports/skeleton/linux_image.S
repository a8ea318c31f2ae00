/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A kernel and its initramfs, as files beside this one. */
	.section .rodata
	.balign	4096
	.globl	linux_kernel, linux_kernel_end, linux_initrd, linux_initrd_end
linux_kernel:
	.incbin	"vmlinuz"
linux_kernel_end:
	.balign	4096
linux_initrd:
	.incbin	"initrd"
linux_initrd_end:

	.section .note.GNU-stack, "", @progbits
