/* What the claims of this folder read entries with. */
#ifndef TESTS_PROVE_FIELDS_H
#define TESTS_PROVE_FIELDS_H

/* Bits @last to @first of a word, as the specifications number them */
#define FIELD(word, last, first)                                               \
	((u64)(word) << (63 - (last)) >> (63 - (last) + (first)))

#endif
