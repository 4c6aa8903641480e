/* Decoding the one memory access of a MOV-like instruction. */
#ifndef HV_VMX_DECODE_H
#define HV_VMX_DECODE_H

#include "hv/types.h"

#define MAX_INSTRUCTION 15

struct decoded {
	unsigned int length; /* of the instruction */
	bool write;
	unsigned int size; /* bytes in memory */
	bool immediate;	   /* write: @value, else register @reg */
	u64 value;
	unsigned int reg;
	bool high_byte;	       /* AH, CH, DH, BH: bits 15:8 of reg */
	unsigned int reg_size; /* read: bytes of the register written */
	bool sign_extend;      /* read: MOVSX, else zero-extended */
};

/*
 * Decode @code: MOV in its forms with a memory operand, MOVZX, MOVSX, MOVSXD
 * (Intel SDM 2B), as compilers and Linux's readl() and writel() make them.
 * @bits is 16, 32 or 64.  False for any other instruction, and where @code ends
 * early.
 */
/*@ requires bits == 16 || bits == 32 || bits == 64;
  @ requires \valid_read(code + (0 .. available - 1)) && \valid(d);
  @ requires \separated(code + (0 .. available - 1), d);
  @ assigns *d;
  @ ensures \result ==> 1 <= d->length <= MAX_INSTRUCTION;
  @ ensures \result ==> d->length <= available;
  @ ensures \result ==>
  @   (d->size == 1 || d->size == 2 || d->size == 4 || d->size == 8);
  @ ensures \result ==> d->reg <= 15 && d->reg_size <= 8;
  @ ensures \result && d->high_byte ==> d->reg <= 3;
  @*/
bool decode_mov(const u8 *code, unsigned int available, unsigned int bits,
		struct decoded *d);

#endif
