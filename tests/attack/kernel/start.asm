; A kernel by Linux's 64-bit boot protocol (Documentation/x86/boot.rst) that is
; no Linux: its header, its entry, its exceptions, and what its other processor
; runs.

; --- the file's first two sectors: boot sector and setup

%include "tests/attack/kernel/smp.inc"

%define PREFERRED 0x1000000
%define MEMORY 0x1000000
%define PAYLOAD_SECTORS 1

section .header progbits alloc noexec nowrite align=1
	times 0x1f1 db 0
	db PAYLOAD_SECTORS		; setup_sects
	dw 0
	extern payload_paragraphs
	dd payload_paragraphs		; syssize
	dw 0, 0, 0
	dw 0xaa55			; boot_flag
	db 0xeb, 0x66			; jump: to the end of the header, 268h
	db "HdrS"
	dw 0x20c			; version
	dd 0
	dw 0, 0
	db 0				; type_of_loader
	db 1				; loadflags: LOADED_HIGH
	dw 0
	dd PREFERRED			; code32_start
	dd 0, 0, 0
	dw 0
	db 0, 0
	dd 0				; cmd_line_ptr
	dd 0x7fffffff			; initrd_addr_max
	dd 0x200000			; kernel_alignment
	db 0, 21			; relocatable_kernel, min_alignment
	dw 1				; xloadflags: XLF_KERNEL_64
	dd 1023				; cmdline_size
	dd 0
	dq 0
	dd 0, 0
	dq 0
	dq PREFERRED			; pref_address
	dd MEMORY			; init_size
	dd 0
	times 0x400 - ($ - $$) db 0

; --- entry: 64-bit mode, 4 GiB mapped as they are, RSI = boot_params

section .entry progbits alloc exec nowrite align=1
bits 64
extern attack_main, on_exception, smp_stacks
global entry_64
entry_64:
	lea	rsp, [rel smp_stacks + SMP_STACK]
	xor	ebp, ebp
	mov	rdi, rsi
	call	attack_main
	cli
	hlt
	jmp	$ - 2

; --- exceptions and interrupts: one stub a vector, 16 bytes apart

section .text progbits alloc exec nowrite align=16
global exception_stubs
align 16
exception_stubs:
%assign vector 0
%rep 256
	align 16
%if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
%else
	push	0
%endif
	push	vector
	jmp	stub_common
%assign vector vector + 1
%endrep

stub_common:
	push	r15
	push	r14
	push	r13
	push	r12
	push	r11
	push	r10
	push	r9
	push	r8
	push	rdi
	push	rsi
	push	rbp
	push	rdx
	push	rcx
	push	rbx
	push	rax
	cld
	mov	rdi, rsp
	call	on_exception
	pop	rax
	pop	rbx
	pop	rcx
	pop	rdx
	pop	rbp
	pop	rsi
	pop	rdi
	pop	r8
	pop	r9
	pop	r10
	pop	r11
	pop	r12
	pop	r13
	pop	r14
	pop	r15
	add	rsp, 16
	iretq

; --- the other processors: copied to AP_PAGE, started there in real mode.
; What they count stands at fixed addresses of that page.

%define AP_PAGE 0x8000
%define AP_STARTS AP_PAGE + 0xf00
%define AP_NMIS AP_PAGE + 0xf04
%define AP_LOOPS AP_PAGE + 0xf08
%define AP_MODE AP_PAGE + 0xf0c	; enum in ipi.c
%define AP_TASK AP_PAGE + 0xf10		; what came of the task switch
%define AP_STACK AP_PAGE + 0xe00

section .rodata progbits alloc noexec nowrite align=16
global ap_start, ap_nmi, ap_end
bits 16
ap_start:
	jmp	ap_begin
	align 4
ap_nmi:					; entry of the real-mode vector 2
	lock inc dword [cs:AP_NMIS - AP_PAGE]
	iret
	align 4
ap_begin:
	cli
	mov	ax, cs
	mov	ds, ax
	mov	ss, ax
	mov	sp, AP_STACK - AP_PAGE
	lock inc dword [AP_STARTS - AP_PAGE]
.loop:
	lock inc dword [AP_LOOPS - AP_PAGE]
	cmp	dword [AP_MODE - AP_PAGE], 2
	je	ap_task
	cmp	dword [AP_MODE - AP_PAGE], 3
	je	ap_init_first
	cmp	dword [AP_MODE - AP_PAGE], 4
	je	ap_init_and_crash
	cmp	dword [AP_MODE - AP_PAGE], 1
	jne	.pause
	mov	eax, 0x40000100
	cpuid
.pause:
	pause
	jmp	.loop

; INIT and SIPI to the first processor, which then is here too, and ends the
; guest.
ap_init_first:
	mov	ecx, 0x802
	rdmsr
	test	eax, eax
	jz	.power_off
	mov	ecx, 0x830
	xor	edx, edx
	mov	eax, 0x4500
	wrmsr
	mov	eax, 0x4600 | AP_PAGE >> 12
	wrmsr
	mov	ebx, 100000		; in case that the first was lost
.again:
	pause
	dec	ebx
	jnz	.again
	wrmsr
	cli
	hlt
	jmp	$ - 1
.power_off:
	mov	dx, 0x600
	mov	al, 5 << 2 | 1 << 5
	out	dx, al
	hlt

; INIT to the first processor, which is in the hypervisor by then, and a triple
; fault.
ap_init_and_crash:
	mov	ecx, 100000
.wait:
	pause
	loop	.wait
	mov	ecx, 0x830
	xor	edx, edx
	mov	eax, 0x4500
	wrmsr
	lidt	[ap_no_idt - ap_start]
	int3
ap_no_idt:
	times 6 db 0

; Protected mode without paging, then a far jump to a TSS: a task switch, for
; which VMX has no control.
ap_task:
	lgdt	[ap_gdtr - ap_start]
	lidt	[ap_idtr - ap_start]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword 8:AP_PAGE + ap_protected - ap_start
bits 32
ap_protected:
	mov	ax, 16
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	esp, AP_STACK
	jmp	24:0
ap_switched:				; the new task: not emulated, not seen
	mov	dword [AP_TASK], 1
	hlt
	jmp	$ - 1
ap_gp:
	mov	dword [AP_TASK], 13
	cli
	hlt
	jmp	$ - 1
	align 8
ap_gdt:
	dq 0
	dq 0x00cf9b000000ffff		; 8: code
	dq 0x00cf93000000ffff		; 10h: data
	dw 103, AP_PAGE + ap_tss - ap_start, 0x8900, 0	; 18h: available TSS
ap_gdt_end:
ap_gdtr:
	dw ap_gdt_end - ap_gdt - 1
	dd AP_PAGE + ap_gdt - ap_start
ap_idtr:
	dw 14 * 8 - 1
	dd AP_PAGE + ap_idt - ap_start
	align 8
ap_idt:
	times 13 dq 0
	dw AP_PAGE + ap_gp - ap_start, 8, 0x8e00, 0
	align 4
ap_tss:
	times 8 dd 0
	dd AP_PAGE + ap_switched - ap_start, 2
	times 4 dd 0
	dd AP_STACK, 0, 0, 0
	dd 16, 8, 16, 16, 16, 16, 0, 0x680000
ap_end:

section .note.GNU-stack noalloc noexec nowrite progbits
