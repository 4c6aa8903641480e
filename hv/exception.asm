; Exceptions of the hypervisor itself (Intel SDM 3A 6.12, 6.14).
;
; One stub a vector pushes what the processor left out, so that every frame is
; a struct exception_frame, and calls exception_handler(frame).

default rel
bits 64

extern exception_handler

section .text

; Vectors for which the processor pushes an error code (SDM 3A table 6-1)
%define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21)

%assign v 0
%rep 32
stub_%+v:
%if !HAS_ERROR(v)
	push	0
%endif
	push	v
	jmp	save_and_call
%assign v v + 1
%endrep

save_and_call:
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
	push	rsp
	push	rbx
	push	rdx
	push	rcx
	push	rax
	mov	rdi, rsp
	cld
	mov	rbp, rsp
	and	rsp, ~0xf
	call	exception_handler
	mov	rsp, rbp
	pop	rax
	pop	rcx
	pop	rdx
	pop	rbx
	add	rsp, 8
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
	add	rsp, 16		; vector, error code
	iretq

; Offset of each stub from this table, so that the image needs no relocation
; for them.
section .rodata
global exception_stubs
exception_stubs:
%assign v 0
%rep 32
	dd	stub_%+v - exception_stubs
%assign v v + 1
%endrep

section .note.GNU-stack noalloc noexec nowrite progbits
