/*
 * What the fuzz targets share.  Each is one file with one libFuzzer entry
 * point; its first line names the product's files that it runs, its second one
 * the longest input that is tried.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "hv/types.h"

/* What libFuzzer calls with each input; always returns 0. */
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

/* An input, read from its start on. */
struct input {
	const u8 *at;
	size_t left;
};

/* The next @bytes bytes (at most 8) as a little-endian number; what lies
 * behind the end of the input is 0. */
u64 take(struct input *in, unsigned int bytes);

/* Stop with the line that did not hold: libFuzzer keeps the input. */
#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			check_failed(__FILE__, __LINE__, #cond);               \
	} while (0)
_Noreturn void check_failed(const char *file, int line, const char *cond);

/* The log of the last hv_log(), NUL-terminated. */
extern char fuzz_log[1024];

/* Pages that page_alloc() may still give. */
extern size_t fuzz_pages_left;

/* The start of a target: time is 0, there is no limit to pages. */
void fuzz_begin(void);

#endif
