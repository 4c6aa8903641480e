/* This file cuts the text of gangway.cfg into words, lists and numbers. */
#include "hv/machine/config_text.h"
#include "hv/string.h"

/*@ assigns \nothing; */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	/*@ loop invariant within(s, \at(s, Pre));
	  @ loop assigns s;
	  @ loop variant s.length;
	  @*/
	while (s.length && is_blank(s.start[0])) {
		s.start++;
		s.length--;
	}
	/*@ loop invariant within(s, \at(s, Pre));
	  @ loop assigns s.length;
	  @ loop variant s.length;
	  @*/
	while (s.length && is_blank(s.start[s.length - 1]))
		s.length--;
	return s;
}

bool span_is(struct span s, const char *word)
{
	return s.length == strlen(word) && !memcmp(s.start, word, s.length);
}

struct span span_cut(struct span *rest, char separator, bool *found)
{
	struct span head = *rest;
	size_t i = 0;

	/*@ loop invariant 0 <= i <= rest->length;
	  @ loop assigns i;
	  @ loop variant rest->length - i;
	  @*/
	while (i < rest->length && rest->start[i] != separator)
		i++;
	*found = i < rest->length;
	head.length = i;
	rest->start += i + *found;
	rest->length -= i + *found;
	return head;
}

/*@ assigns \nothing;
  @ ensures 0 <= \result <= 16;
  @*/
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool span_number(struct span s, unsigned int base, u64 max, u64 *number)
{
	u64 value = 0;

	/*@ loop invariant 0 <= i <= s.length && value <= max;
	  @ loop assigns i, value;
	  @ loop variant s.length - i;
	  @*/
	for (size_t i = 0; i < s.length; i++) {
		unsigned int digit = digit_value(s.start[i]);

		if (digit >= base || digit > max ||
		    value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*number = value;
	return s.length != 0;
}
