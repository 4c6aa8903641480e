; Where a processor starts after SIPI (Intel SDM 3A 9.4.4): real mode, at the
; page that the vector names.  Copied to that page; all addresses are offsets
; in it.  smp.c fills struct trampoline_params at its end.

%define OFFSET(label) ((label) - trampoline_start)

; struct trampoline_params (smp.c), at the end of the page
PARAMS		equ 0xf00
P_GDTR		equ PARAMS + 0		; limit 2, base 4
P_FAR_OFFSET	equ PARAMS + 8		; linear address of long_mode
P_FAR_SELECTOR	equ PARAMS + 12
P_CR3		equ PARAMS + 16
P_STACK		equ PARAMS + 24
P_CPU		equ PARAMS + 32
P_ENTRY		equ PARAMS + 40

MSR_EFER	equ 0xc0000080
EFER_LME_NXE	equ 0x900
CR0_PG_WP_NE_PE	equ 0x80010031		; with ET
CR4_PAE		equ 0x20

section .rodata
global trampoline_start, trampoline_end, trampoline_long_mode

bits 16
trampoline_start:
	cli
	cld
	mov	ax, cs
	mov	ds, ax
	o32 lgdt [P_GDTR]

	; From real mode straight to IA-32e mode (SDM 3A 9.8.5)
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [P_CR3]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	mov	eax, EFER_LME_NXE
	xor	edx, edx
	wrmsr
	mov	eax, CR0_PG_WP_NE_PE
	mov	cr0, eax
	o32 jmp far [P_FAR_OFFSET]

bits 64
trampoline_long_mode:
	; RIP-relative: the page's own copy
	lea	rbx, [rel trampoline_start]
	xor	eax, eax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	fs, ax
	mov	gs, ax
	mov	rsp, [rbx + P_STACK]
	mov	rdi, [rbx + P_CPU]
	xor	ebp, ebp
	call	[rbx + P_ENTRY]
trampoline_end:

section .note.GNU-stack noalloc noexec nowrite progbits
