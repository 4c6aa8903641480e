; What the other processor does with translations that it must not use any
; longer: paging switched off and on, a page of a device that is taken away, a
; start anew with other memory at a low address.  Copied to STALE and started
; there by SIPI, twice; stale.c judges.  It keeps to 4-byte reads, which leave
; no trace but in the processor.

%define STALE 0x9000			; stale.c
%define VARIABLES 0xe000
%define PHASE VARIABLES			; not 0: this is the second start
%define STEP VARIABLES + 4		; how far it has come
%define EARLY VARIABLES + 8		; what it read
%define ON VARIABLES + 12
%define OFF VARIABLES + 16
%define LOW VARIABLES + 20
%define RESTARTED VARIABLES + 24
%define DEVICE VARIABLES + 28
%define LOOPS VARIABLES + 32
%define TABLES 0x42000
%define ALIAS 0x800000			; mapped to other memory
%define ALIAS_2 0x801000
%define LOW_PAGE 0x60000		; too
%define DEVICE_REGISTER 0xc0000008	; VF_BAR0, STATUS
%define STACK 0xfff0

%define CR0_NE 1 << 5			; not the guest's: a change exits
%define CR0_PG 1 << 31
%define CR4_PSE 1 << 4

%define AT(label) (STALE + (label) - stale_start)

; MOV to CR0 by way of an exit
%macro PAGING_ON 0
	mov	eax, cr0
	or	eax, CR0_PG
	xor	eax, CR0_NE
	mov	cr0, eax
%endmacro

%macro PAGING_OFF 0
	mov	eax, cr0
	and	eax, ~(CR0_PG)
	xor	eax, CR0_NE
	mov	cr0, eax
%endmacro

%macro NOTE_READ 2			; where, what was read there
	mov	eax, [%2]
	mov	[%1], eax
%endmacro

section .rodata progbits alloc noexec nowrite align=16
global stale_start, stale_end
bits 16
stale_start:
	cli
	jmp	0:AT(real)
real:
	xor	ax, ax
	mov	ds, ax
	cmp	dword [PHASE], 0
	jne	restarted
	lgdt	[AT(gdtr)]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword 8:AT(protected)

restarted:
	mov	ax, LOW_PAGE >> 4
	mov	es, ax
	mov	eax, [es:0]
	mov	[RESTARTED], eax
	mov	dword [STEP], 2
	hlt
	jmp	$ - 1

bits 32
protected:
	mov	ax, 16
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	esp, STACK
	mov	eax, CR4_PSE
	mov	cr4, eax
	mov	eax, TABLES
	mov	cr3, eax
	NOTE_READ EARLY, ALIAS_2
	PAGING_ON
	NOTE_READ ON, ALIAS_2
	mov	ebx, [ALIAS]
	PAGING_OFF
	NOTE_READ OFF, ALIAS
	PAGING_ON
	mov	dword [STEP], 1
.loop:
	NOTE_READ LOW, LOW_PAGE
	NOTE_READ DEVICE, DEVICE_REGISTER
	lock inc dword [LOOPS]
	pause
	jmp	.loop

	align 8
gdt:
	dq 0
	dq 0x00cf9b000000ffff		; 8: code
	dq 0x00cf93000000ffff		; 10h: data
gdt_end:
gdtr:
	dw gdt_end - gdt - 1
	dd AT(gdt)
stale_end:

section .note.GNU-stack noalloc noexec nowrite progbits
