/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enter.S - the world switch of SVM (APM vol. 2, 15.5 and 15.6)
 *
 * void hv_svm_vmrun(u64 *gpr, phys_addr_t vmcb, phys_addr_t host, u32 spec_ctrl)
 *
 * Called with interrupts off. CLGI holds everything back, so RFLAGS.IF may be set for
 * VMRUN: with V_INTR_MASKING it decides whether a host interrupt ends the guest's run.
 * RAX and RSP of the guest are in the VMCB. Between VMSAVE of the guest and VMLOAD of
 * the host GS is the guest's: no per-CPU access there.
 *
 * Where the CPU has SPEC_CTRL, @spec_ctrl is put there for the guest and the host's value
 * comes back before the return thunks are untrained and before any RET: that order is what
 * AMD asks of STIBP, and a RET before it would be predicted under the guest's setting.
 *
 * Where SVME was cleared under us CLGI is the first to fault, with all of the host's state
 * in place: that is caught. Once it is through nobody can clear SVME until STGI.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/asm.h>
#include <asm/frame.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>

#define G(n)	((n) * 8)

	.section .noinstr.text, "ax"

SYM_FUNC_START(hv_svm_vmrun)
	push %rbp
	push %r15
	push %r14
	push %r13
	push %r12
	push %rbx
	push %rdi
	push %rdx
	push %rcx

.Lclgi:
	clgi
	sti
	ALTERNATIVE "", "jmp .Lspec_in", X86_FEATURE_MSR_SPEC_CTRL
.Lspec_in_done:
	mov %rsi, %rax
	vmload %rax

	mov G(1)(%rdi), %rcx
	mov G(2)(%rdi), %rdx
	mov G(3)(%rdi), %rbx
	mov G(5)(%rdi), %rbp
	mov G(6)(%rdi), %rsi
	mov G(8)(%rdi), %r8
	mov G(9)(%rdi), %r9
	mov G(10)(%rdi), %r10
	mov G(11)(%rdi), %r11
	mov G(12)(%rdi), %r12
	mov G(13)(%rdi), %r13
	mov G(14)(%rdi), %r14
	mov G(15)(%rdi), %r15
	mov G(7)(%rdi), %rdi

	/* Memory operand relative to RIP: no register but flags is touched. */
	VM_CLEAR_CPU_BUFFERS
	vmrun %rax
	vmsave %rax

	/* RAX and RSP are the host's again: the stack holds host area and gpr. */
	mov 8(%rsp), %rax
	vmload %rax
	mov 16(%rsp), %rax

	mov %rcx, G(1)(%rax)
	mov %rdx, G(2)(%rax)
	mov %rbx, G(3)(%rax)
	mov %rbp, G(5)(%rax)
	mov %rsi, G(6)(%rax)
	mov %rdi, G(7)(%rax)
	mov %r8, G(8)(%rax)
	mov %r9, G(9)(%rax)
	mov %r10, G(10)(%rax)
	mov %r11, G(11)(%rax)
	mov %r12, G(12)(%rax)
	mov %r13, G(13)(%rax)
	mov %r14, G(14)(%rax)
	mov %r15, G(15)(%rax)

	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RETPOLINE
	ALTERNATIVE "", "jmp .Lspec_out", X86_FEATURE_MSR_SPEC_CTRL
.Lspec_out_done:
#ifdef HV_HAVE_UNTRAIN_RET_VM
	UNTRAIN_RET_VM
#else
	UNTRAIN_RET
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif
#endif

	/* No guest value stays where the host could speculate with it. */
	xor %ecx, %ecx
	xor %edx, %edx
	xor %ebx, %ebx
	xor %ebp, %ebp
	xor %esi, %esi
	xor %edi, %edi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d

	cli
	stgi

.Lout:
	add $24, %rsp
	pop %rbx
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	pop %rbp
	RET

.Lspec_in:
	cmp PER_CPU_VAR(x86_spec_ctrl_current), %ecx
	je .Lspec_in_done
	mov %ecx, %eax
	mov $MSR_IA32_SPEC_CTRL, %ecx
	xor %edx, %edx
	wrmsr
	jmp .Lspec_in_done

.Lspec_out:
	mov PER_CPU_VAR(x86_spec_ctrl_current), %eax
	cmp (%rsp), %eax
	je .Lspec_out_done
	mov $MSR_IA32_SPEC_CTRL, %ecx
	xor %edx, %edx
	wrmsr
	jmp .Lspec_out_done

.Lfault:
	call hv_svm_vmrun_fault
	jmp .Lout
	_ASM_EXTABLE(.Lclgi, .Lfault)
SYM_FUNC_END(hv_svm_vmrun)
