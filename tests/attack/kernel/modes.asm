; What the other processor does outside of 64-bit mode: real mode, segments of
; more than 64 KiB there, 16-bit and 32-bit protected mode, ring 3, virtual-8086
; mode, paging of both kinds.  Copied to MODES and started there by SIPI.
;
; Code and variables lie below 64 KiB and every segment starts at 0, so that an
; address means the same in all modes.  An attempt is code between BEGIN and
; END; the vector it ends in goes to RESULTS, and what it should be, with its
; name, to the table that modes.c reads.

%include "tests/attack/kernel/modes.inc"

; --- start

section .rodata.modes_table progbits alloc noexec nowrite align=8
global modes_table
modes_table:
section .rodata.modes_text progbits alloc noexec nowrite align=1
section .rodata.modes progbits alloc noexec nowrite align=16
global modes_start, modes_end
%define NOTE note_16
bits 16
modes_start:
	cli
	jmp	0:AT(real)
real:
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	ss, ax
	mov	esp, STACK
	xor	di, di
	mov	ax, AT(real_stubs)
.vector:
	mov	[di], ax
	mov	word [di + 2], 0
	add	ax, 8
	add	di, 4
	cmp	di, 32 * 4
	jne	.vector
	call	make_idt

group "real mode"
	COMMON_ATTEMPTS
	PORTS
	ATTEMPT	"INVD", NONE, invd
	RING_0_ATTEMPTS NONE
	SINGLE_STEP

	lgdt	[AT(gdtr)]
	lidt	[AT(idtr)]
	mov	word [RESUME_CS], CODE16
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	CODE16:AT(protected_16)
protected_16:
	call	flat_segments
group "16-bit protected mode"
	COMMON_ATTEMPTS
	PORTS
	ATTEMPT	"INVD", NONE, invd
	RING_0_ATTEMPTS NONE
	ABSENT_16 gs, 0x1000
	ABSENT_32 NOTHING, fs
	READ_IOAPIC IOAPIC, fs
	ATTEMPT	"far jump to where no RAM is", UD, jmp CODE_NOTHING:0x10
	SINGLE_STEP

; Back in real mode FS and GS keep their bases and limits
	mov	ax, DATA16
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	lidt	[AT(real_idtr)]
	mov	eax, cr0
	and	al, ~1
	mov	cr0, eax
	jmp	0:AT(real_big)
real_big:
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
group "real mode with large segments"
	ABSENT_16 gs, 0x1000
	ABSENT_32 NOTHING, fs
	READ_IOAPIC IOAPIC, fs
	SINGLE_STEP

	lidt	[AT(idtr)]
	mov	word [RESUME_CS], CODE32
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword CODE32:AT(protected_32)

; A gate for each exception, to CODE32
make_idt:
	mov	di, IDT
	mov	ax, AT(stubs)
.gate:
	mov	[di], ax
	mov	word [di + 2], CODE32
	mov	word [di + 4], 0x8e00
	mov	word [di + 6], 0
	add	ax, 16
	add	di, 8
	cmp	di, IDT + 32 * 8
	jne	.gate
	ret

flat_segments:
	mov	ax, DATA
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	ss, ax
	mov	ax, DATA_NOTHING
	mov	gs, ax
	ret

note_16:
	push	eax
	push	ebx
	mov	ebx, [COUNT]
	mov	al, [VECTOR]
	mov	[ebx + RESULTS], al
	inc	dword [COUNT]
	pop	ebx
	pop	eax
	ret

; --- exceptions in real mode: 8 bytes each

	align 8
real_stubs:
%assign vector 0
%rep 32
	align 8
	push	word vector
	jmp	near real_exception
%assign vector vector + 1
%endrep

real_exception:				; vector, IP, CS, FLAGS
	push	bp
	mov	bp, sp
	push	ax
	mov	al, [bp + 2]
	mov	[cs:VECTOR], al
	mov	ax, [cs:RESUME]
	mov	[bp + 4], ax
	mov	word [bp + 6], 0
	and	word [bp + 8], ~0x100	; TF
	pop	ax
	pop	bp
	add	sp, 2
	iret

; --- 32-bit

%define NOTE note_32
bits 32
protected_32:
	mov	ax, DATA
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	ss, ax
	mov	esp, STACK
	mov	ax, DATA_NOTHING
	mov	gs, ax
group "32-bit protected mode"
	COMMON_ATTEMPTS
	PORTS
	ATTEMPT	"INVD", NONE, invd
	RING_0_ATTEMPTS NONE
	ABSENT_16 gs, 0x1000
	ABSENT_32 NOTHING, fs
	READ_IOAPIC IOAPIC, fs
	mov	ebx, NOTHING
	ATTEMPT	"ARPL, which 64-bit mode has not", GP, arpl [ebx], cx
	ATTEMPT	"far call by it", GP, call far [ebx]
	ATTEMPT	"far jump to where no RAM is", UD, jmp CODE_NOTHING:0x10
	SINGLE_STEP
	WRITE_EFER 1 << 8
	ATTEMPT	"long mode without PAE", GP, PAGING_ON
	WRITE_CR4 CR4_PAE
	mov	eax, PAE_GOOD
	mov	cr3, eax
	mov	ax, TASK_16
	ltr	ax
	ATTEMPT	"long mode with a 16-bit TSS", GP, PAGING_ON
	WRITE_EFER 0
%assign i 0
%rep PAE_BAD_COUNT
	mov	eax, PAE_BAD + 32 * i
	mov	cr3, eax
	ATTEMPT	"reserved bits in a PDPTE", GP, PAGING_ON
%assign i i + 1
%endrep
	mov	eax, IOAPIC
	mov	cr3, eax
	ATTEMPT	"PDPTEs in device memory", GP, PAGING_ON
	mov	eax, 0xffffffe0
	mov	cr3, eax
	ATTEMPT	"PDPTEs where nothing is", GP, PAGING_ON

	mov	ax, TASK
	ltr	ax
	mov	dword [TSS + 4], STACK
	mov	word [TSS + 8], DATA
	mov	word [RESUME_CS], CODE_USER
	push	dword DATA_USER
	push	dword USER_STACK
	push	dword 3 << 12 | 2	; IOPL 3: it may use ports
	push	dword CODE_USER
	push	dword AT(ring_3)
	iretd
ring_3:
	mov	ax, DATA_USER
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	ax, DATA_NOTHING
	mov	gs, ax
group "ring 3 of 32 bits"
	COMMON_ATTEMPTS
	PORTS
	UNPRIVILEGED
	ABSENT_16 gs, 0x1000
	ABSENT_32 NOTHING, fs
	READ_IOAPIC IOAPIC, fs
	mov	ebx, NOTHING
	ATTEMPT	"jump to where no RAM is", UD, jmp ebx
	SINGLE_STEP
	mov	dword [LEAVE], AT(after_ring_3)
	ud2

after_ring_3:
	mov	word [RESUME_CS], CODE32
	WRITE_CR4 CR4_PSE
	mov	eax, TABLES_32
	mov	cr3, eax
group "32-bit paging"
	ATTEMPT	"paging on", NONE, PAGING_ON
	ABSENT_32 NOTHING, fs
	READ_IOAPIC IOAPIC, fs
	READ_IOAPIC ALIAS, fs
	PAGING_OFF

	WRITE_CR4 CR4_PAE
	mov	eax, PAE_GOOD
	mov	cr3, eax
group "PAE paging"
	ATTEMPT	"paging on", NONE, PAGING_ON
	ABSENT_32 NOTHING, fs
	READ_IOAPIC IOAPIC, fs
	READ_IOAPIC ALIAS, fs
	ATTEMPT	"long mode with paging on", GP, WRITE_EFER 1 << 8
	ATTEMPT	"PDPTEs read again", NONE, PAGING_ON

	mov	eax, 0
	push	eax			; GS, FS, DS, ES
	push	eax
	push	eax
	push	eax
	push	eax			; SS
	push	dword USER_STACK
	push	dword 1 << 17 | 2	; VM, IOPL 0
	push	eax			; CS
	push	dword AT(virtual_8086)
	iretd

bits 16
%define NOTE note_16
virtual_8086:
	mov	ax, HOLE
	mov	gs, ax
group "virtual-8086 mode"
	COMMON_ATTEMPTS
	UNPRIVILEGED
	mov	dx, PORT
	ATTEMPT	"IN, which the TSS denies", GP, in al, dx
	ATTEMPT	"OUTS", GP, outsb
	ATTEMPT	"CLI", GP, cli
	ATTEMPT	"PUSHF", GP, pushf
	ABSENT_16 gs, 0x1000
	ABSENT_32 0x2000, gs
	ATTEMPT	"far jump to where no RAM is", UD, jmp HOLE:0x10
	mov	dword [LEAVE], AT(after_8086)
	ud2

bits 32
%define NOTE note_32
after_8086:
	PAGING_OFF
	mov	dword [DONE], 1
	cli
	hlt
	jmp	$ - 1

note_32:
	push	eax
	push	ebx
	mov	ebx, [COUNT]
	mov	al, [VECTOR]
	mov	[ebx + RESULTS], al
	inc	dword [COUNT]
	pop	ebx
	pop	eax
	ret

; --- exceptions in protected mode: 16 bytes each

	align 16
stubs:
%assign vector 0
%rep 32
	align 16
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	push	dword 0
%endif
	push	dword vector
	jmp	near exception
%assign vector vector + 1
%endrep

exception:				; vector, error, EIP, CS, EFLAGS ...
	push	eax
	push	ds
	mov	ax, DATA
	mov	ds, ax
	cmp	dword [LEAVE], 0
	jne	.leave
	mov	al, [esp + 8]
	mov	[VECTOR], al
	mov	eax, [RESUME]
	mov	[esp + 16], eax
	mov	ax, [RESUME_CS]
	test	dword [esp + 24], 1 << 17
	jz	.protected
	xor	eax, eax
.protected:
	mov	[esp + 20], eax
	and	dword [esp + 24], ~0x100	; TF
	pop	ds
	pop	eax
	add	esp, 8
	iretd
.leave:
	mov	ax, DATA
	mov	es, ax
	mov	fs, ax
	mov	eax, [LEAVE]
	mov	dword [LEAVE], 0
	mov	esp, STACK
	jmp	eax

; --- tables

	align 8
gdt:
	dq 0
	dq 0x00cf9b000000ffff		; 08h: code of 32 bits
	dq 0x00cf93000000ffff		; 10h: data
	dq 0x00009b000000ffff		; 18h: code of 16 bits, 64 KiB
	dq 0x00cffb000000ffff		; 20h: code of ring 3
	dq 0x00cff3000000ffff		; 28h: data of ring 3
	dw 103, TSS & 0xffff, 0x8900 | TSS >> 16, 0	; 30h: TSS, no ports
	dq 0xc8cff3000000ffff		; 38h: data from C8000000h on
	dq 0xc8cf9b000000ffff		; 40h: code there
	dq 0x000093000000ffff		; 48h: data, 64 KiB
	dw 43, TSS & 0xffff, 0x8100 | TSS >> 16, 0	; 50h: TSS of 16 bits
gdt_end:
gdtr:
	dw gdt_end - gdt - 1
	dd AT(gdt)
idtr:
	dw 32 * 8 - 1
	dd IDT
real_idtr:
	dw 0x3ff
	dd 0
modes_end:
%if modes_end - modes_start > VARIABLES - MODES
%error "too long"
%endif

section .rodata.modes_table
global modes_table_end
modes_table_end:

section .note.GNU-stack noalloc noexec nowrite progbits
