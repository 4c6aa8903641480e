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
bool decode_mov(const u8 *code, unsigned int available, unsigned int bits,
		struct decoded *d);

#endif
