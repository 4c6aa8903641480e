/* Runs a target once over each file that is named, without libFuzzer: for
 * `make coverage`. */
#include "tests/fuzz/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX 65536

int main(int argc, char **argv)
{
	u8 *bytes = malloc(INPUT_MAX);

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");

		CHECK(f && bytes);
		LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, INPUT_MAX, f));
		fclose(f);
	}
	free(bytes);
	return 0;
}
