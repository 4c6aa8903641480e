/* sources: hv/vmx/decode.c */
#include "hv/vmx/decode.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

/* Register numbers (Intel SDM 2A table 2-2) */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R15 = 15 };

struct sample {
	const char *text; /* in nasm's words */
	unsigned int bits, length;
	u8 code[MAX_INSTRUCTION];
	struct decoded is; /* but for the length */
};

#define CODE(...)                                                              \
	sizeof((u8[]){__VA_ARGS__}),                                           \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define STORE(r, bytes)                                                        \
	{.write = true, .size = bytes, .reg = r, .reg_size = bytes}
#define STORE_IMM(v, bytes)                                                    \
	{.write = true, .size = bytes, .immediate = true, .value = v}
#define LOAD(r, bytes) {.size = bytes, .reg = r, .reg_size = bytes}
#define EXTEND(r, from, to, sign)                                              \
	{.size = from, .reg = r, .reg_size = to, .sign_extend = sign}

static const struct sample samples[] = {
	/* readb, readw, readl, readq and their writes */
	{"mov al, [rdi]", 64, CODE(0x8a, 0x07), LOAD(RAX, 1)},
	{"mov ax, [rdi]", 64, CODE(0x66, 0x8b, 0x07), LOAD(RAX, 2)},
	{"mov eax, [rdi]", 64, CODE(0x8b, 0x07), LOAD(RAX, 4)},
	{"mov rax, [rdi]", 64, CODE(0x48, 0x8b, 0x07), LOAD(RAX, 8)},
	{"mov [rsi], al", 64, CODE(0x88, 0x06), STORE(RAX, 1)},
	{"mov [rsi], ax", 64, CODE(0x66, 0x89, 0x06), STORE(RAX, 2)},
	{"mov [rsi], edi", 64, CODE(0x89, 0x3e), STORE(RDI, 4)},
	{"mov [rsi], rdi", 64, CODE(0x48, 0x89, 0x3e), STORE(RDI, 8)},
	/* every shape of an address */
	{"mov edx, [rax+0x18]", 64, CODE(0x8b, 0x50, 0x18), LOAD(RDX, 4)},
	{"mov edx, [rax+0x3818]", 64, CODE(0x8b, 0x90, 0x18, 0x38, 0, 0),
	 LOAD(RDX, 4)},
	{"mov ecx, [rsp]", 64, CODE(0x8b, 0x0c, 0x24), LOAD(RCX, 4)},
	{"mov ecx, [rsp+8]", 64, CODE(0x8b, 0x4c, 0x24, 8), LOAD(RCX, 4)},
	{"mov [rbx+rcx*4+0x12345678], edx", 64,
	 CODE(0x89, 0x94, 0x8b, 0x78, 0x56, 0x34, 0x12), STORE(RDX, 4)},
	{"mov [rbx+rcx*4], edx", 64, CODE(0x89, 0x14, 0x8b), STORE(RDX, 4)},
	{"mov ebx, [rbp+rcx*1+0]", 64, CODE(0x8b, 0x5c, 0x0d, 0), LOAD(RBX, 4)},
	{"mov ebx, [rcx*8+0x1000]", 64, CODE(0x8b, 0x1c, 0xcd, 0, 0x10, 0, 0),
	 LOAD(RBX, 4)},
	{"mov ebx, [0x1000]", 64, CODE(0x8b, 0x1c, 0x25, 0, 0x10, 0, 0),
	 LOAD(RBX, 4)},
	{"mov eax, [rel $+0x11223344]", 64,
	 CODE(0x8b, 0x05, 0x3e, 0x33, 0x22, 0x11), LOAD(RAX, 4)},
	{"mov [rbp+0], esi", 64, CODE(0x89, 0x75, 0), STORE(RSI, 4)},
	{"mov [r13+0], esi", 64, CODE(0x41, 0x89, 0x75, 0), STORE(RSI, 4)},
	{"mov [r12], esi", 64, CODE(0x41, 0x89, 0x34, 0x24), STORE(RSI, 4)},
	{"mov eax, [edi]", 64, CODE(0x67, 0x8b, 0x07), LOAD(RAX, 4)},
	/* REX, and prefixes before it */
	{"mov r9d, [rdi]", 64, CODE(0x44, 0x8b, 0x0f), LOAD(R9, 4)},
	{"mov [r8+r9*2+4], r15", 64, CODE(0x4f, 0x89, 0x7c, 0x48, 4),
	 STORE(R15, 8)},
	{"mov [r8], r9w", 64, CODE(0x66, 0x45, 0x89, 0x08), STORE(R9, 2)},
	{"o16 mov rax, [rdi]", 64, CODE(0x66, 0x48, 0x8b, 0x07), LOAD(RAX, 8)},
	{"mov rax, [gs:edi]", 64, CODE(0x65, 0x67, 0x48, 0x8b, 0x07),
	 LOAD(RAX, 8)},
	{"mov esp, [rax]", 64, CODE(0x8b, 0x20), LOAD(RSP, 4)},
	/* bytes: with any REX there is no AH */
	{"mov [rdi], ah",
	 64,
	 CODE(0x88, 0x27),
	 {.write = true,
	  .size = 1,
	  .reg = RAX,
	  .high_byte = true,
	  .reg_size = 1}},
	{"mov bh, [rdi]",
	 64,
	 CODE(0x8a, 0x3f),
	 {.size = 1, .reg = RBX, .high_byte = true, .reg_size = 1}},
	{"mov [rdi], bl", 64, CODE(0x88, 0x1f), STORE(RBX, 1)},
	{"mov [rdi], spl", 64, CODE(0x40, 0x88, 0x27), STORE(RSP, 1)},
	{"mov dil, [rdi]", 64, CODE(0x40, 0x8a, 0x3f), LOAD(RDI, 1)},
	{"mov [r8], r9b", 64, CODE(0x45, 0x88, 0x08), STORE(R9, 1)},
	/* immediates */
	{"mov byte [rdi], 0x81", 64, CODE(0xc6, 0x07, 0x81),
	 STORE_IMM(0x81, 1)},
	{"mov word [rdi], 0x8182", 64, CODE(0x66, 0xc7, 0x07, 0x82, 0x81),
	 STORE_IMM(0x8182, 2)},
	{"mov dword [rdi], 0x81828384", 64,
	 CODE(0xc7, 0x07, 0x84, 0x83, 0x82, 0x81), STORE_IMM(0x81828384, 4)},
	{"mov qword [rdi], -2", 64,
	 CODE(0x48, 0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff),
	 STORE_IMM(0xfffffffffffffffe, 8)},
	{"mov qword [rdi], 0x7fffffff", 64,
	 CODE(0x48, 0xc7, 0x07, 0xff, 0xff, 0xff, 0x7f),
	 STORE_IMM(0x7fffffff, 8)},
	{"mov dword [r12+0x100], 1", 64,
	 CODE(0x41, 0xc7, 0x84, 0x24, 0, 1, 0, 0, 1, 0, 0, 0), STORE_IMM(1, 4)},
	{"mov dword [rel $+0x100], 1", 64,
	 CODE(0xc7, 0x05, 0xf6, 0, 0, 0, 1, 0, 0, 0), STORE_IMM(1, 4)},
	/* extensions */
	{"movzx eax, byte [rdi]", 64, CODE(0x0f, 0xb6, 0x07),
	 EXTEND(RAX, 1, 4, false)},
	{"movzx ax, byte [rdi]", 64, CODE(0x66, 0x0f, 0xb6, 0x07),
	 EXTEND(RAX, 1, 2, false)},
	{"movzx esp, byte [rdi]", 64, CODE(0x0f, 0xb6, 0x27),
	 EXTEND(RSP, 1, 4, false)},
	{"movzx r9d, word [rdi+2]", 64, CODE(0x44, 0x0f, 0xb7, 0x4f, 2),
	 EXTEND(R9, 2, 4, false)},
	{"movsx eax, byte [rdi]", 64, CODE(0x0f, 0xbe, 0x07),
	 EXTEND(RAX, 1, 4, true)},
	{"movsx rax, word [rdi]", 64, CODE(0x48, 0x0f, 0xbf, 0x07),
	 EXTEND(RAX, 2, 8, true)},
	{"movsxd rax, dword [rdi]", 64, CODE(0x48, 0x63, 0x07),
	 EXTEND(RAX, 4, 8, true)},
	{"movsxd eax, dword [rdi]", 64, CODE(0x63, 0x07),
	 EXTEND(RAX, 4, 4, true)},
	{"movsxd ax, word [rdi]", 64, CODE(0x66, 0x63, 0x07),
	 EXTEND(RAX, 2, 2, true)},
	/* an address in the instruction */
	{"mov al, [qword 0x1122334455667788]", 64,
	 CODE(0xa0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11),
	 LOAD(RAX, 1)},
	{"mov rax, [qword 0x1122334455667788]", 64,
	 CODE(0x48, 0xa1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11),
	 LOAD(RAX, 8)},
	{"mov [qword 0x1122334455667788], eax", 64,
	 CODE(0xa3, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11),
	 STORE(RAX, 4)},
	{"a32 mov [0x55667788], eax", 64,
	 CODE(0x67, 0xa3, 0x88, 0x77, 0x66, 0x55), STORE(RAX, 4)},
	{"mov [0x55667788], al", 32, CODE(0xa2, 0x88, 0x77, 0x66, 0x55),
	 STORE(RAX, 1)},
	{"mov ax, [0x7788]", 16, CODE(0xa1, 0x88, 0x77), LOAD(RAX, 2)},
	{"mov eax, [dword 0x55667788]", 16,
	 CODE(0x67, 0x66, 0xa1, 0x88, 0x77, 0x66, 0x55), LOAD(RAX, 4)},
	/* 32-bit code */
	{"mov eax, [ebx+esi*2+4]", 32, CODE(0x8b, 0x44, 0x73, 4), LOAD(RAX, 4)},
	{"mov eax, [0x1000]", 32, CODE(0x8b, 0x05, 0, 0x10, 0, 0),
	 LOAD(RAX, 4)},
	{"mov [es:edi], cx", 32, CODE(0x26, 0x66, 0x89, 0x0f), STORE(RCX, 2)},
	{"mov ecx, [bx+si+0x1234]", 32, CODE(0x67, 0x8b, 0x88, 0x34, 0x12),
	 LOAD(RCX, 4)},
	/* 16-bit code */
	{"mov ax, [bx+si]", 16, CODE(0x8b, 0x00), LOAD(RAX, 2)},
	{"mov cx, [si]", 16, CODE(0x8b, 0x0c), LOAD(RCX, 2)},
	{"mov cx, [0x1234]", 16, CODE(0x8b, 0x0e, 0x34, 0x12), LOAD(RCX, 2)},
	{"mov cx, [bp+5]", 16, CODE(0x8b, 0x4e, 5), LOAD(RCX, 2)},
	{"mov cx, [bp+0x1234]", 16, CODE(0x8b, 0x8e, 0x34, 0x12), LOAD(RCX, 2)},
	{"mov ecx, [di+2]", 16, CODE(0x66, 0x8b, 0x4d, 2), LOAD(RCX, 4)},
	{"mov [edi], cx", 16, CODE(0x67, 0x89, 0x0f), STORE(RCX, 2)},
	{"mov word [di], 0x1234", 16, CODE(0xc7, 0x05, 0x34, 0x12),
	 STORE_IMM(0x1234, 2)},
	{"mov dword [fs:di], 0x12345678", 16,
	 CODE(0x64, 0x66, 0xc7, 0x05, 0x78, 0x56, 0x34, 0x12),
	 STORE_IMM(0x12345678, 4)},
};

/* With the instruction in an allocation of @available bytes. */
static bool decode(const u8 *code, unsigned int available, unsigned int bits,
		   struct decoded *d)
{
	u8 *copy = malloc(available ? available : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, code, available);
	/* available 0: not even the byte that is there */
	ok = decode_mov(available ? copy : copy + 1, available, bits, d);
	free(copy);
	return ok;
}

static void compare(const struct sample *s, const struct decoded *d)
{
	bool same = d->length == s->length && d->write == s->is.write &&
		    d->size == s->is.size && d->immediate == s->is.immediate;

	if (s->is.immediate)
		same &= d->value == s->is.value;
	else
		same &= d->reg == s->is.reg && d->high_byte == s->is.high_byte;
	if (!s->is.write)
		same &= d->reg_size == s->is.reg_size &&
			d->sign_extend == s->is.sign_extend;
	if (!same)
		fail_msg("%s: %s of %u bytes, length %u, register %u of %u, "
			 "value 0x%lx",
			 s->text, d->write ? "write" : "read", d->size,
			 d->length, d->reg, d->reg_size, d->value);
}

static void each_form(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		u8 code[2 * MAX_INSTRUCTION];
		struct decoded d;

		/* alone, and with other code behind it */
		if (!decode(s->code, s->length, s->bits, &d))
			fail_msg("%s: refused", s->text);
		compare(s, &d);
		memset(code, 0x8b, sizeof(code));
		memcpy(code, s->code, s->length);
		assert_true(decode(code, sizeof(code), s->bits, &d));
		compare(s, &d);
	}
}

static void each_form_cut_short(void **state)
{
	struct decoded d;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(samples); i++)
		for (unsigned int n = 0; n < samples[i].length; n++)
			if (decode(samples[i].code, n, samples[i].bits, &d))
				fail_msg("%s: accepted with %u bytes",
					 samples[i].text, n);
}

/* 15 bytes at most (SDM 2A 2.3.11), however many there are. */
static void as_long_as_can_be(void **state)
{
	u8 code[32];
	struct decoded d;

	(void)state;
	memset(code, 0x2e, sizeof(code));
	memcpy(code + 9, "\xc7\x05\0\0\0\0\0\0\0\0", 10);
	assert_false(decode(code, sizeof(code), 64, &d));	  /* 19 */
	assert_false(decode(code + 3, sizeof(code) - 3, 64, &d)); /* 16 */
	assert_true(decode(code + 4, sizeof(code) - 4, 64, &d));  /* 15 */
	assert_int_equal(d.length, 15);
	assert_false(decode(code + 4, 14, 64, &d));
	memset(code, 0x66, sizeof(code));
	assert_false(decode(code, sizeof(code), 64, &d));
}

static void what_is_no_such_mov(void **state)
{
	static const struct {
		const char *text;
		unsigned int bits;
		u8 code[MAX_INSTRUCTION];
	} other[] = {
		{"mov eax, ecx", 64, {0x8b, 0xc1}},
		{"mov al, cl", 64, {0x88, 0xc8}},
		{"movzx eax, cl", 64, {0x0f, 0xb6, 0xc1}},
		{"movsxd rax, ecx", 64, {0x48, 0x63, 0xc1}},
		{"mov eax, 1 (C7)", 64, {0xc7, 0xc0, 1}},
		{"xbegin", 64, {0xc7, 0xf8}},
		{"C7 /1", 64, {0xc7, 0x0f}},
		{"C6 /7", 64, {0xc6, 0x3f}},
		{"arpl [edi], ax", 32, {0x63, 0x07}},
		{"inc ecx", 32, {0x41, 0x8b, 0x07}},
		{"add [rdi], eax", 64, {0x01, 0x07}},
		{"xchg [rdi], eax", 64, {0x87, 0x07}},
		{"lock mov", 64, {0xf0, 0x89, 0x07}},
		{"rep movsd", 64, {0xf3, 0xa5}},
		{"stosd", 64, {0xab}},
		{"mov ax, ds", 64, {0x8c, 0x18}},
		{"lea eax, [rdi]", 64, {0x8d, 0x07}},
		{"movnti [rdi], eax", 64, {0x0f, 0xc3, 0x07}},
		{"movaps xmm0, [rdi]", 64, {0x0f, 0x28, 0x07}},
		{"nothing", 64, {0}},
		{"a prefix behind REX", 64, {0x48, 0x66, 0x8b, 0x07}},
		{"REX twice", 64, {0x48, 0x44, 0x8b, 0x07}},
	};
	struct decoded d;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(other); i++)
		if (decode(other[i].code, MAX_INSTRUCTION, other[i].bits, &d))
			fail_msg("%s: accepted", other[i].text);
}

static bool sane_size(unsigned int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* AddressSanitizer sees a read beyond what is there. */
static void random_bytes(void **state)
{
	static const unsigned int bits[] = {16, 32, 64};
	static const u8 starts[] = {0x88, 0x8b, 0xa1, 0xc7, 0x0f, 0x66, 0x48};
	u64 value = 0x2545f4914f6cdd1d;
	unsigned int accepted = 0;

	(void)state;
	for (unsigned int i = 0; i < 300000; i++) {
		u8 code[24];
		unsigned int n = i % (sizeof(code) + 1);
		struct decoded d;

		for (unsigned int j = 0; j < sizeof(code); j++) {
			value ^= value << 13;
			value ^= value >> 7;
			value ^= value << 17;
			code[j] = value >> 24;
		}
		if (i & 64)
			code[0] = starts[value % sizeof(starts)];
		if (!decode(code, n, bits[i % 3], &d))
			continue;
		accepted++;
		assert_in_range(d.length, 2, MIN(n, 15u));
		assert_true(sane_size(d.size) && d.reg < 16);
		assert_true(d.immediate || sane_size(d.reg_size));
		assert_true(d.write || !d.immediate);
		assert_false(decode(code, d.length - 1, bits[i % 3], &d));
	}
	assert_true(accepted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form),
		cmocka_unit_test(each_form_cut_short),
		cmocka_unit_test(as_long_as_can_be),
		cmocka_unit_test(what_is_no_such_mov),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
