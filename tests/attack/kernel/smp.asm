; Other processors into 64-bit mode, at once: copied to SMP_PAGE, started there
; in real mode by SIPI; what they need stands at the end of that page.

%include "tests/attack/kernel/smp.inc"

section .rodata progbits alloc noexec nowrite align=16
global smp_start, smp_end
%define AT(label) (SMP_PAGE + (label) - smp_start)
bits 16
smp_start:
	jmp	short smp_begin
	align 4
	iret				; SMP_NMI: real mode's vector 2
	align 4
smp_begin:
	cli
	xor	ax, ax
	mov	ds, ax
	o32 lgdt [AT(smp_gdtr)]
	mov	eax, 0x620		; CR4: PAE, OSFXSR, OSXMMEXCPT
	mov	cr4, eax
	mov	eax, [SMP_CR3]
	mov	cr3, eax
	mov	ecx, 0xc0000080		; EFER: LME
	xor	edx, edx
	mov	eax, 0x100
	wrmsr
	mov	eax, 0x80050033		; CR0: PG, AM, WP, NE, ET, MP, PE
	mov	cr0, eax
	jmp	dword 0x10:AT(smp_long)
bits 64
smp_long:
	mov	eax, 0x18
	mov	ss, eax
	mov	ds, eax
	mov	es, eax
	mov	ecx, 0x802		; x2APIC ID
	rdmsr
	and	eax, SMP_MAX - 1
	inc	eax
	imul	eax, SMP_STACK
	add	rax, [abs SMP_STACKS]
	mov	rsp, rax
	xor	ebp, ebp
	jmp	[abs SMP_MAIN]
	align 8
smp_gdt:
	dq 0, 0
	dq 0x00af9b000000ffff		; 10h: code
	dq 0x00cf93000000ffff		; 18h: data
smp_gdt_end:
smp_gdtr:
	dw smp_gdt_end - smp_gdt - 1
	dd AT(smp_gdt)
smp_end:

; Begin anew on this processor's stack, from wherever it is.
section .text progbits alloc exec nowrite align=16
global smp_again
extern smp_main
smp_again:
	or	rsp, SMP_STACK - 1
	inc	rsp
	jmp	smp_main

section .note.GNU-stack noalloc noexec nowrite progbits
