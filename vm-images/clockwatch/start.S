/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clockwatch: entry of the boot processor (multiboot), of the other processors (INIT-SIPI) and of the clock
 * interrupt. 32-bit protected mode, flat segments, no paging.
 */

#define MULTIBOOT_MAGIC 0x1badb002
#define CODE_SEGMENT	0x08
#define DATA_SEGMENT	0x10
/* Where the other processors begin, in real mode; clockwatch.c copies trampoline there. */
#define TRAMPOLINE	0x8000
#define STACK_SHIFT	13

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.text
	.globl _start, trampoline, trampoline_end, clock_interrupt, spurious_interrupt

/* %ebx: struct multiboot_info */
_start:
	cli
	lgdt	gdt_pointer
	ljmp	$CODE_SEGMENT, $1f
1:	movw	$DATA_SEGMENT, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$stacks + (1 << STACK_SHIFT), %esp
	pushl	%ebx
	call	boot_processor
2:	hlt
	jmp	2b

	.code16
trampoline:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	TRAMPOLINE + gdt_pointer_copy - trampoline
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$CODE_SEGMENT, $other_start
	.balign 8
gdt_pointer_copy:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
other_start:
	movw	$DATA_SEGMENT, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	/* The stack of number N ends at stacks + (N + 1) << STACK_SHIFT; the boot processor has number 0. */
	movl	$1, %eax
	lock xaddl %eax, started
	movl	%eax, %esp
	incl	%esp
	shll	$STACK_SHIFT, %esp
	addl	$stacks, %esp
	call	other_processor
3:	hlt
	jmp	3b

clock_interrupt:
	pushal
	cld
	call	on_clock
	popal
spurious_interrupt:
	iretl

	.data
	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
gdt_end:
	.balign 8
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	.section .note.GNU-stack, "", @progbits
