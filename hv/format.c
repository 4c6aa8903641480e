/* This file formats text by the subset of vsnprintf that hv/log.h names. */
#include "hv/format.h"
#include "hv/log.h"

struct sink {
	char *buf;
	size_t size, length;
};

/* A conversion: what stood between '%' and its letter. */
struct spec {
	bool zero, left;
	bool prefix;	      /* 0x, by %p */
	int width, precision; /* precision -1: none given */
	int longs;
};

static void put(struct sink *s, char c)
{
	if (s->length + 1 < s->size)
		s->buf[s->length] = c;
	s->length++;
}

static void put_padded(struct sink *s, const struct spec *spec,
		       const char *text, size_t length)
{
	size_t width = spec->width > 0 ? (size_t)spec->width : 0;
	size_t pad = width > length ? width - length : 0;
	size_t sign = spec->zero && length && text[0] == '-';

	if (sign)
		put(s, *text++);
	for (size_t i = 0; !spec->left && i < pad; i++)
		put(s, spec->zero ? '0' : ' ');
	for (size_t i = sign; i < length; i++)
		put(s, *text++);
	for (size_t i = 0; spec->left && i < pad; i++)
		put(s, ' ');
}

static void put_number(struct sink *s, const struct spec *spec, u64 value,
		       unsigned int base, bool negative, char hex_a)
{
	char text[32];
	size_t at = sizeof(text);

	do {
		unsigned int digit = value % base;

		text[--at] = digit < 10 ? '0' + digit : hex_a + digit - 10;
		value /= base;
	} while (value);
	if (spec->prefix) {
		text[--at] = 'x';
		text[--at] = '0';
	}
	if (negative)
		text[--at] = '-';
	put_padded(s, spec, text + at, sizeof(text) - at);
}

static const char *parse_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		if (*p == '0')
			spec->zero = true;
		else if (*p == '-')
			spec->left = true;
		else
			return p;
	}
}

static const char *parse_int(const char *p, int *value, va_list *ap)
{
	if (*p == '*') {
		*value = va_arg(*ap, int);
		return p + 1;
	}
	for (*value = 0; *p >= '0' && *p <= '9'; p++)
		*value = *value * 10 + *p - '0';
	return p;
}

static u64 get_unsigned(const struct spec *spec, va_list *ap)
{
	return spec->longs ? va_arg(*ap, u64) : va_arg(*ap, unsigned int);
}

static s64 get_signed(const struct spec *spec, va_list *ap)
{
	return spec->longs ? va_arg(*ap, s64) : va_arg(*ap, int);
}

static void put_string(struct sink *s, const struct spec *spec,
		       const char *text)
{
	size_t length = 0;

	if (!text)
		text = "(null)";
	while ((spec->precision < 0 || length < (size_t)spec->precision) &&
	       text[length])
		length++;
	put_padded(s, spec, text, length);
}

static void convert(struct sink *s, struct spec *spec, char letter, va_list *ap)
{
	s64 number;
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		number = get_signed(spec, ap);
		put_number(s, spec, number < 0 ? -(u64)number : (u64)number, 10,
			   number < 0, 'a');
		break;
	case 'u':
		put_number(s, spec, get_unsigned(spec, ap), 10, false, 'a');
		break;
	case 'x':
		put_number(s, spec, get_unsigned(spec, ap), 16, false, 'a');
		break;
	case 'X':
		put_number(s, spec, get_unsigned(spec, ap), 16, false, 'A');
		break;
	case 'p':
		spec->prefix = true;
		put_number(s, spec, (u64)va_arg(*ap, void *), 16, false, 'a');
		break;
	case 's':
		put_string(s, spec, va_arg(*ap, const char *));
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		put_padded(s, spec, &c, 1);
		break;
	default: /* "%%", and a letter outside the subset stands for itself */
		put(s, letter);
	}
}

int format_va(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct sink s = {buf, size, 0};
	va_list args;

	va_copy(args, ap);
	for (; *fmt; fmt++) {
		struct spec spec = {.precision = -1};

		if (*fmt != '%') {
			put(&s, *fmt);
			continue;
		}
		fmt = parse_flags(fmt + 1, &spec);
		fmt = parse_int(fmt, &spec.width, &args);
		if (*fmt == '.')
			fmt = parse_int(fmt + 1, &spec.precision, &args);
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			spec.longs++;
		if (!*fmt)
			break;
		convert(&s, &spec, *fmt, &args);
	}
	va_end(args);
	if (size)
		buf[MIN(s.length, size - 1)] = '\0';
	return (int)s.length;
}

int format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = format_va(buf, size, fmt, ap);
	va_end(ap);
	return length;
}
