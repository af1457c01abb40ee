/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mode32.S - out of long mode into 32-bit protected mode, a list of accesses there, and back */
#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define CR0_PG		0x80000000
#define MSR_EFER	0xc0000080
#define EFER_LME	0x100

	.text
	.code64
	.globl mode32_run
/* %edi: CR3 or 0, %esi: CR4, %rdx: the list (guest.h) */
mode32_run:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	cli
	cld
	movq	%cr3, %rax
	movl	%eax, saved_cr3
	movq	%cr4, %rax
	movl	%eax, saved_cr4
	movq	%rsp, saved_rsp
	movl	%edx, %ebx
	pushq	$SEL_CODE32
	pushq	$1f
	lretq

	.code32
1:	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	movl	$MSR_EFER, %ecx
	rdmsr
	andl	$~EFER_LME, %eax
	wrmsr
	movl	%esi, %cr4
	testl	%edi, %edi
	jz	next
	movl	%edi, %cr3
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	jmp	next

next:	movl	(%ebx), %eax
	movl	4(%ebx), %esi
	movl	8(%ebx), %ecx
	decl	%eax
	js	back
	jz	load
	decl	%eax
	jz	store
	decl	%eax
	jz	add
	movl	%ecx, %edi
	movsl
	jmp	done
load:	movl	(%esi), %ecx
	movl	%ecx, 8(%ebx)
	jmp	done
store:	movl	%ecx, (%esi)
	jmp	done
add:	addl	%ecx, (%esi)
done:	addl	$12, %ebx
	jmp	next

back:	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	movl	saved_cr4, %eax
	movl	%eax, %cr4
	movl	saved_cr3, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	$SEL_CODE64, $1f
	.code64
1:	movl	$SEL_DATA, %eax
	movl	%eax, %ss
	movq	saved_rsp, %rsp
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.bss
	.balign 8
saved_rsp:	.skip 8
saved_cr3:	.skip 4
saved_cr4:	.skip 4
