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
};

/* What is wrong, as format() takes it; -EINVAL. */
#define FAIL(p, ...)                                                           \
	(format((p)->error->message, sizeof((p)->error->message),              \
		__VA_ARGS__),                                                  \
	 -EINVAL)

/* @s without blanks at its ends. */
struct span span_trim(struct span s);

bool span_is(struct span s, const char *word);

/*
 * Cut *@rest at the first @separator: returns what is before it and leaves in
 * *@rest what follows.  Without one, returns all of it and sets *@found false.
 */
struct span span_cut(struct span *rest, char separator, bool *found);

/* All of @s as a number to @base (10 or 16), at most @max; false if it is
 * empty, has another character, or is larger. */
bool span_number(struct span s, unsigned int base, u64 max, u64 *number);

#endif
