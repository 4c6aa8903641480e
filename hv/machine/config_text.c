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

/*@ assigns \nothing; */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

bool span_begins(struct span s, const char *word)
{
	size_t length = strlen(word), i = 0;

	/*@ loop invariant 0 <= i <= length && i <= s.length;
	  @ loop assigns i;
	  @ loop variant length - i;
	  @*/
	while (i < length && i < s.length &&
	       lower(s.start[i]) == lower(word[i]))
		i++;
	return i == length;
}

bool span_is(struct span s, const char *word)
{
	return s.length == strlen(word) && span_begins(s, word);
}

/*@ assigns \nothing; */
static bool alike(char a, char b)
{
	return lower(a == '_' ? '-' : a) == lower(b == '_' ? '-' : b);
}

bool span_like(struct span s, const char *word)
{
	size_t length = strlen(word), end = 0, i = 0;
	size_t shorter = MIN(s.length, length);

	/*@ loop invariant 0 <= i <= shorter;
	  @ loop assigns i;
	  @ loop variant shorter - i;
	  @*/
	while (i < shorter && alike(s.start[i], word[i]))
		i++;
	/*@ loop invariant 0 <= end <= shorter - i;
	  @ loop assigns end;
	  @ loop variant shorter - end;
	  @*/
	while (i + end < shorter &&
	       alike(s.start[s.length - 1 - end], word[length - 1 - end]))
		end++;
	return shorter > 2 && MAX(s.length, length) - i - end <= 2;
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
