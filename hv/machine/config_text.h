/* Pieces of the text of gangway.cfg. */
#ifndef HV_MACHINE_CONFIG_TEXT_H
#define HV_MACHINE_CONFIG_TEXT_H

#include "hv/format.h"
#include "hv/machine/config.h"

/* A piece of the text; not NUL-terminated. */
struct span {
	const char *start;
	size_t length;
};

/* For "%.*s" in messages, short enough for all of the message to fit. */
#define QUOTE(s) (int)MIN((s).length, (size_t)40), (s).start

struct parser {
	struct config *config;
	struct config_error *error;
	const char *text; /* the file */
};

/* What is wrong, as format() takes it; -EINVAL. */
#define FAIL(p, ...)                                                           \
	(format((p)->error->message, sizeof((p)->error->message),              \
		__VA_ARGS__),                                                  \
	 -EINVAL)

/*@ predicate span(struct span s) =
  @   s.length <= UINT32_MAX && \valid_read(s.start + (0 .. s.length - 1));
  @ predicate within(struct span part, struct span s) =
  @   span(part) && part.length <= s.length;
  @*/

/* @s without blanks at its ends. */
/*@ requires span(s);
  @ assigns \nothing;
  @ ensures within(\result, s);
  @*/
struct span span_trim(struct span s);

/* Capitals and small letters are the same in all three. */
/*@ requires span(s);
  @ assigns \nothing;
  @*/
bool span_is(struct span s, const char *word);
/*@ requires span(s);
  @ assigns \nothing;
  @*/
bool span_begins(struct span s, const char *word);
/* At most two characters that follow each other differ, are missing or are too
 * many, as with a slip of the finger; - and _ are the same. */
/*@ requires span(s);
  @ assigns \nothing;
  @*/
bool span_like(struct span s, const char *word);

/*
 * Cut *@rest at the first @separator: returns what is before it and leaves in
 * *@rest what follows.  Without one, returns all of it and sets *@found false.
 */
/*@ requires \valid(rest) && span(*rest) && \valid(found);
  @ requires \separated(rest, found);
  @ requires \separated(rest->start + (0 .. rest->length - 1), rest);
  @ requires \separated(rest->start + (0 .. rest->length - 1), found);
  @ assigns *rest, *found;
  @ ensures within(\result, \old(*rest)) && within(*rest, \old(*rest));
  @ ensures *found ==> \result.length + rest->length + 1 == \old(rest->length);
  @ ensures !*found ==> rest->length == 0;
  @ ensures !*found ==> \result.length == \old(rest->length);
  @*/
struct span span_cut(struct span *rest, char separator, bool *found);

/* All of @s as a number to @base (10 or 16), at most @max; false if it is
 * empty, has another character, or is larger. */
/*@ requires span(s) && (base == 10 || base == 16) && \valid(number);
  @ requires \separated(s.start + (0 .. s.length - 1), number);
  @ assigns *number;
  @ ensures \result ==> *number <= max && s.length > 0;
  @*/
bool span_number(struct span s, unsigned int base, u64 max, u64 *number);

#endif
