/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.S - from the multiboot entry to main() in long mode, and the same for
 * application processors from their start-up vector.
 *
 * The boot processor arrives in 32-bit protected mode without paging (multiboot
 * specification 0.6.96, 3.2). Both get an identity map of the low 4 GiB in 2 MiB
 * pages, a flat 64-bit code segment and the IDT of traps.S.
 */
#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x00000003	/* modules aligned, memory information */

#define CR0_PE_MP_NE_WP_PG	0x80010023
#define CR4_PAE			(1 << 5)
#define MSR_EFER		0xc0000080
#define EFER_LME_NXE		0x900

#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18

#define MAX_CPUS	16		/* cpu.h */
#define STACK_BYTES	8192
#define TRAMPOLINE	0x8000		/* smp.c copies it there */

	.section .multiboot, "a"
	.balign 4
	.long	MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.text
	.code32
	.globl _start
_start:
	cli
	cld
	movl	%eax, %esi		/* multiboot magic */
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	shrl	$2, %ecx
	rep stosl
	movl	%esi, boot_magic
	movl	%ebx, boot_info

	/* page tables: one level 4, one level 3, four level 2 */
	movl	$boot_pdpt + 3, boot_pml4
	movl	$boot_pd + 3, %eax
	movl	$boot_pdpt, %edi
	movl	$4, %ecx
1:	movl	%eax, (%edi)
	addl	$4096, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b
	movl	$0x83, %eax		/* present, writable, large */
	movl	$boot_pd, %edi
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b

	xorl	%ebp, %ebp		/* processor 0 */

/* %ebp: number of this processor; protected mode, flat segments, paging off */
long_mode:
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	$CR0_PE_MP_NE_WP_PG, %eax
	movl	%eax, %cr0
	lgdtl	boot_gdtr
	ljmpl	$SEL_CODE64, $1f

	.code64
1:	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%ebp, %edi		/* first argument: processor number */
	movl	%ebp, %eax
	incl	%eax
	imull	$STACK_BYTES, %eax, %eax
	leaq	boot_stacks(%rax), %rsp
	xorl	%ebp, %ebp
	call	start_c
1:	cli
	hlt
	jmp	1b

/* ---- application processors: copied to TRAMPOLINE, entered at TRAMPOLINE:0 */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	TRAMPOLINE + (ap_gdtr - ap_trampoline)
	movl	$0x11, %eax
	movl	%eax, %cr0
	ljmpl	$SEL_CODE32, $TRAMPOLINE + (ap_32 - ap_trampoline)
	.code32
ap_32:
	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$1, %ebp
	lock xaddl %ebp, ap_ticket
	cmpl	$MAX_CPUS, %ebp
	jae	2f
	movl	$long_mode, %eax
	jmp	*%eax
2:	hlt
	jmp	2b
	.balign 4
ap_gdtr:
	.word	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt
ap_trampoline_end:

	.data
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SEL_CODE64 */
	.quad	0x00cf93000000ffff	/* SEL_DATA */
	.quad	0x00cf9b000000ffff	/* SEL_CODE32 */
boot_gdt_end:
boot_gdtr:
	.word	boot_gdt_end - boot_gdt - 1
	.quad	boot_gdt
	.globl ap_ticket
	.balign 4
ap_ticket:
	.long	1

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pd:	.skip 4 * 4096
boot_stacks:	.skip MAX_CPUS * STACK_BYTES
	.globl boot_magic, boot_info
boot_magic:	.skip 4
boot_info:	.skip 4
