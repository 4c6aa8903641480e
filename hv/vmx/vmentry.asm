; int vmx_enter(struct guest_regs *regs, bool resume, u64 *host_rsp)
;
; VM entry and the way back (Intel SDM 3C 26, 27.5).  regs holds the sixteen
; general registers in encoding order; [4], RSP, is the VMCS's.  Interrupts are
; off throughout.

default rel
bits 64

HOST_RSP equ 0x6c14
HOST_RIP equ 0x6c16

%define REG(n) (8 * (n))

section .text
global vmx_enter
vmx_enter:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	push	rdi

	; The stack is as deep at each call: write RSP and RIP when it is not
	; what the VMCS has.
	cmp	[rdx], rsp
	je	.host_state_set
	mov	[rdx], rsp
	mov	eax, HOST_RSP
	vmwrite	rax, rsp
	lea	rcx, [.exit]
	mov	eax, HOST_RIP
	vmwrite	rax, rcx
.host_state_set:
	test	sil, sil		; ZF survives the loads below

	mov	rax, [rdi + REG(0)]
	mov	rcx, [rdi + REG(1)]
	mov	rdx, [rdi + REG(2)]
	mov	rbx, [rdi + REG(3)]
	mov	rbp, [rdi + REG(5)]
	mov	rsi, [rdi + REG(6)]
	mov	r8, [rdi + REG(8)]
	mov	r9, [rdi + REG(9)]
	mov	r10, [rdi + REG(10)]
	mov	r11, [rdi + REG(11)]
	mov	r12, [rdi + REG(12)]
	mov	r13, [rdi + REG(13)]
	mov	r14, [rdi + REG(14)]
	mov	r15, [rdi + REG(15)]
	mov	rdi, [rdi + REG(7)]
	jnz	.resume
	vmlaunch
	jmp	.failed
.resume:
	vmresume

.failed:
	; CF: VMfailInvalid; ZF: VMfailValid.  The guest's registers in memory
	; are as they were.
	pop	rdi
	mov	eax, 1
	jc	.return
	mov	eax, 2
	jmp	.return

.exit:
	push	rdi			; the guest's, until regs is known
	mov	rdi, [rsp + 8]
	mov	[rdi + REG(0)], rax
	mov	[rdi + REG(1)], rcx
	mov	[rdi + REG(2)], rdx
	mov	[rdi + REG(3)], rbx
	mov	[rdi + REG(5)], rbp
	mov	[rdi + REG(6)], rsi
	mov	[rdi + REG(8)], r8
	mov	[rdi + REG(9)], r9
	mov	[rdi + REG(10)], r10
	mov	[rdi + REG(11)], r11
	mov	[rdi + REG(12)], r12
	mov	[rdi + REG(13)], r13
	mov	[rdi + REG(14)], r14
	mov	[rdi + REG(15)], r15
	pop	rax
	mov	[rdi + REG(7)], rax
	add	rsp, 8			; regs
	xor	eax, eax
.return:
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

; void vmx_unblock_nmis(void)
;
; An IRET to the caller, for nothing else ends what blocks NMIs after an exit for
; one (27.1).

global vmx_unblock_nmis
vmx_unblock_nmis:
	pop	rax
	mov	rcx, rsp
	mov	edx, ss
	push	rdx
	push	rcx
	pushfq
	mov	edx, cs
	push	rdx
	push	rax
	iretq

section .note.GNU-stack noalloc noexec nowrite progbits
