/* This file decodes the one memory access of a MOV-like instruction (Intel
 * SDM 2A 2). */
#include "hv/vmx/decode.h"

#define REX_W BIT(3)
#define REX_R BIT(2)

/* The instruction so far. */
struct cursor {
	const u8 *code;
	unsigned int at, available;
	bool overrun;
	unsigned int bits;
	unsigned int operand; /* bytes: 2, 4 or 8 */
	unsigned int address; /* bits: 16, 32 or 64 */
	u8 rex;
};

/*@ predicate cursor(struct cursor *c) =
  @   \valid(c) && c->at <= c->available && c->at <= MAX_INSTRUCTION &&
  @   \valid_read(c->code + (0 .. c->available - 1)) &&
  @   \separated(c, c->code + (0 .. c->available - 1));
  @ predicate onward{L1, L2}(struct cursor *c) =
  @   \at(c->at, L1) <= \at(c->at, L2) &&
  @   (\at(c->overrun, L1) ==> \at(c->overrun, L2));
  @ predicate sizes(struct cursor *c) =
  @   (c->operand == 2 || c->operand == 4 || c->operand == 8) &&
  @   (c->address == 16 || c->address == 32 || c->address == 64);
  @ predicate apart(struct cursor *c, struct decoded *d) =
  @   \valid(d) && \separated(c, d) &&
  @   \separated(c->code + (0 .. c->available - 1), d);
  @ predicate sound(struct decoded *d) =
  @   (d->size == 1 || d->size == 2 || d->size == 4 || d->size == 8) &&
  @   d->reg <= 15 && d->reg_size <= 8 && (d->high_byte ==> d->reg <= 3);
  @*/

/*@ requires cursor(c);
  @ assigns c->at, c->overrun;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures c->at == \old(c->at) && c->overrun == 1 ||
  @         c->at == \old(c->at) + 1 && c->overrun == \old(c->overrun);
  @*/
static u8 next_byte(struct cursor *c)
{
	if (c->at >= c->available || c->at >= MAX_INSTRUCTION) {
		c->overrun = true;
		return 0;
	}
	return c->code[c->at++];
}

/*@ requires cursor(c) && size <= 8;
  @ assigns c->at, c->overrun;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @*/
static u64 next_bytes(struct cursor *c, unsigned int size)
{
	u64 value = 0;

	/*@ loop invariant 0 <= i <= size && cursor(c);
	  @ loop invariant onward{Pre, Here}(c);
	  @ loop assigns i, value, c->at, c->overrun;
	  @ loop variant size - i;
	  @*/
	for (unsigned int i = 0; i < size; i++)
		value |= (u64)next_byte(c) << (8 * i);
	return value;
}

/*@ assigns \nothing; */
static bool is_segment_prefix(u8 byte)
{
	return byte == 0x26 || byte == 0x2e || byte == 0x36 || byte == 0x3e ||
	       byte == 0x64 || byte == 0x65;
}

/* Prefixes (SDM 2A 2.1.1, 2.2.1); returns the first byte of the opcode. */
/*@ requires cursor(c);
  @ assigns c->at, c->overrun, c->rex, c->operand, c->address;
  @ ensures cursor(c) && sizes(c);
  @ ensures !c->overrun ==> 1 <= c->at;
  @*/
static u8 skip_prefixes(struct cursor *c)
{
	bool operand_prefix = false, address_prefix = false;
	u8 byte = next_byte(c);

	/*@ loop invariant cursor(c) && onward{Pre, Here}(c);
	  @ loop invariant !c->overrun ==> 1 <= c->at;
	  @ loop assigns byte, operand_prefix, address_prefix;
	  @ loop assigns c->at, c->overrun;
	  @ loop variant MAX_INSTRUCTION - c->at + (c->overrun ? 0 : 1);
	  @*/
	for (; !c->overrun; byte = next_byte(c)) {
		if (byte == 0x66)
			operand_prefix = true;
		else if (byte == 0x67)
			address_prefix = true;
		else if (!is_segment_prefix(byte))
			break;
	}
	if (c->bits == 64 && (byte & 0xf0) == 0x40) {
		c->rex = byte;
		byte = next_byte(c);
	}
	if (c->rex & REX_W)
		c->operand = 8;
	else
		c->operand = (c->bits == 16) != operand_prefix ? 2 : 4;
	if (c->bits == 64)
		c->address = address_prefix ? 32 : 64;
	else
		c->address = (c->bits == 16) != address_prefix ? 16 : 32;
	return byte;
}

/* ModRM, SIB and displacement (SDM 2A 2.1.5); false if the operand is a
 * register, for then there is no memory access. */
/*@ requires cursor(c) && sizes(c) && \valid(reg) && \separated(c, reg) &&
  @          \separated(c->code + (0 .. c->available - 1), reg);
  @ assigns c->at, c->overrun, *reg;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures *reg <= 15 && (!c->rex ==> *reg <= 7);
  @*/
static bool skip_modrm(struct cursor *c, unsigned int *reg)
{
	u8 modrm = next_byte(c), mod = modrm >> 6, rm = modrm & 7;

	*reg = modrm / 8 % 8 + (c->rex & REX_R ? 8 : 0);
	if (mod == 3)
		return false;
	if (c->address == 16) {
		next_bytes(c, mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0);
		return true;
	}
	if (rm == 4) {
		u8 base = next_byte(c) & 7;

		if (mod == 0 && base == 5)
			next_bytes(c, 4);
	} else if (mod == 0 && rm == 5) {
		next_bytes(c, 4);
	}
	next_bytes(c, mod == 1 ? 1 : mod == 2 ? 4 : 0);
	return true;
}

/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH (SDM 2A 3.1.1.1). */
/*@ requires \valid_read(c) && \valid(d) && \separated(c, d);
  @ requires !d->high_byte && d->reg <= 15 && (!c->rex ==> d->reg <= 7);
  @ assigns d->high_byte, d->reg;
  @ ensures d->reg <= 15 && (d->high_byte ==> d->reg <= 3);
  @*/
static void byte_register(const struct cursor *c, struct decoded *d)
{
	if (!c->rex && d->reg >= 4) {
		d->high_byte = true;
		d->reg -= 4;
	}
}

/*@ requires cursor(c) && sizes(c) && apart(c, d);
  @ requires !d->high_byte;
  @ assigns c->at, c->overrun, *d;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures \result ==> sound(d);
  @*/
static bool mov_register(struct cursor *c, struct decoded *d, u8 opcode)
{
	bool byte = !(opcode & 1);

	d->write = !(opcode & 2);
	d->size = d->reg_size = byte ? 1 : c->operand;
	if (!skip_modrm(c, &d->reg))
		return false;
	if (byte)
		byte_register(c, d);
	return true;
}

/*@ requires cursor(c) && sizes(c) && apart(c, d);
  @ requires !d->high_byte && d->reg == 0 && d->reg_size == 0;
  @ assigns c->at, c->overrun, *d;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures \result ==> sound(d);
  @*/
static bool mov_immediate(struct cursor *c, struct decoded *d, u8 opcode)
{
	unsigned int reg, size = opcode & 1 ? c->operand : 1;

	if (!skip_modrm(c, &reg) || (reg & 7))
		return false;
	d->write = d->immediate = true;
	d->size = size;
	d->value = next_bytes(c, MIN(size, 4u));
	if (size == 8)
		d->value = (u64)(s64)(int32_t)d->value;
	return true;
}

/* A0 to A3: the address stands in the instruction. */
/*@ requires cursor(c) && sizes(c) && apart(c, d);
  @ requires !d->high_byte;
  @ assigns c->at, c->overrun, *d;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures \result ==> sound(d);
  @*/
static bool mov_offset(struct cursor *c, struct decoded *d, u8 opcode)
{
	d->write = opcode & 2;
	d->size = d->reg_size = opcode & 1 ? c->operand : 1;
	d->reg = 0;
	next_bytes(c, c->address / 8);
	return true;
}

/* MOVZX 0F B6/B7, MOVSX 0F BE/BF, MOVSXD 63 (which with a 16-bit operand
 * reads no more than that) */
/*@ requires cursor(c) && sizes(c) && apart(c, d);
  @ requires !d->high_byte && (size == 1 || size == 2 || size == 4);
  @ assigns c->at, c->overrun, *d;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures \result ==> sound(d);
  @*/
static bool mov_extend(struct cursor *c, struct decoded *d, unsigned int size,
		       bool sign)
{
	d->size = MIN(size, c->operand);
	d->reg_size = c->operand;
	d->sign_extend = sign;
	return skip_modrm(c, &d->reg);
}

/*@ requires cursor(c) && sizes(c) && apart(c, d);
  @ requires !d->high_byte;
  @ assigns c->at, c->overrun, *d;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures \result ==> sound(d);
  @*/
static bool decode_two_byte(struct cursor *c, struct decoded *d)
{
	u8 opcode = next_byte(c);

	switch (opcode) {
	case 0xb6:
	case 0xb7:
	case 0xbe:
	case 0xbf:
		return mov_extend(c, d, opcode & 1 ? 2 : 1, opcode & 8);
	default:
		return false;
	}
}

/*@ requires cursor(c) && sizes(c) && apart(c, d);
  @ requires !d->high_byte && d->reg == 0 && d->reg_size == 0;
  @ assigns c->at, c->overrun, *d;
  @ ensures onward{Pre, Post}(c) && cursor(c);
  @ ensures \result ==> sound(d);
  @*/
static bool decode_opcode(struct cursor *c, struct decoded *d, u8 opcode)
{
	switch (opcode) {
	case 0x88:
	case 0x89:
	case 0x8a:
	case 0x8b:
		return mov_register(c, d, opcode);
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return mov_offset(c, d, opcode);
	case 0xc6:
	case 0xc7:
		return mov_immediate(c, d, opcode);
	case 0x63:
		return c->bits == 64 && mov_extend(c, d, 4, true);
	case 0x0f:
		return decode_two_byte(c, d);
	default:
		return false;
	}
}

bool decode_mov(const u8 *code, unsigned int available, unsigned int bits,
		struct decoded *d)
{
	struct cursor c = {.code = code, .available = available, .bits = bits};
	u8 opcode = skip_prefixes(&c);

	d->write = d->immediate = d->high_byte = d->sign_extend = false;
	d->value = d->reg = d->reg_size = 0;
	if (!decode_opcode(&c, d, opcode) || c.overrun)
		return false;
	d->length = c.at;
	return true;
}
