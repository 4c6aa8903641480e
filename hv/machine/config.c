/* This file parses gangway.cfg: one line at a time, and nothing beyond its
 * end. */
#include "hv/machine/config.h"
#include "hv/machine/config_assign.h"
#include "hv/string.h"
#include "hv/weaken.h"

#define CONFIG_SIZE_MAX (64 * KIB)
#define CONFIG_LINE_MAX 2400
#define MEMORY_STEP (2 * MIB)
#define MEMORY_MAX BIT(46)
#define CPUS_MAX 4096
#define MENU_MAX 300

/* A word that a value may be, and what it means */
struct word {
	const char *text;
	u32 value;
};

struct key {
	const char *name;
	const char *also; /* what others call it */
	int (*parse)(struct parser *p, const struct key *key,
		     struct span value);
	/* parse_word(): sets these bytes of the configuration */
	const struct word *words;
	u16 offset, size;
	const char *note; /* after what was expected */
	bool repeats;	  /* each adds to those before */
};

static int parse_path(struct parser *p, struct span s, char *path)
{
	if (!s.length)
		return FAIL(p, "no file name: expected one such as \\vmlinuz");
	if (s.length >= CONFIG_PATH_MAX)
		return FAIL(p, "the file name is longer than %d characters",
			    CONFIG_PATH_MAX - 1);
	for (size_t i = 0; i < s.length; i++) {
		if (s.start[i] & 0x80)
			return FAIL(p, "a character that is not ASCII in the "
				       "file name");
		if (i && s.start[i - 1] == ' ' &&
		    (s.start[i] == '\\' || s.start[i] == '/'))
			return FAIL(p,
				    "'%.*s': expected a comma between two "
				    "files, and only initrd= takes several",
				    QUOTE(s));
	}
	memcpy(path, s.start, s.length);
	path[s.length] = '\0';
	return 0;
}

static int parse_kernel(struct parser *p, const struct key *key, struct span s)
{
	(void)key;
	return parse_path(p, s, p->config->kernel);
}

/* One more, or several */
static int parse_initrd(struct parser *p, const struct key *key, struct span s)
{
	struct config *c = p->config;
	bool more;
	int err;

	(void)key;
	do {
		struct span file = span_trim(span_cut(&s, ',', &more));

		if (c->initrd_count == CONFIG_INITRDS_MAX)
			return FAIL(p,
				    "more than %d initrds: join some, with "
				    "cat on Linux, copy /b on Windows",
				    CONFIG_INITRDS_MAX);
		err = parse_path(p, file, c->initrd[c->initrd_count]);
		c->initrd_count += !err;
	} while (!err && more);
	return err;
}

static int parse_cmdline(struct parser *p, const struct key *key, struct span s)
{
	(void)key;
	if (s.length >= CONFIG_CMDLINE_MAX)
		return FAIL(p, "the command line is longer than %d characters",
			    CONFIG_CMDLINE_MAX - 1);
	memcpy(p->config->cmdline, s.start, s.length);
	p->config->cmdline[s.length] = '\0';
	return 0;
}

static int parse_memory(struct parser *p, const struct key *key, struct span s)
{
	struct span digits = s;
	u64 unit = 0, count;

	(void)key;
	if (span_is(s, "all")) {
		p->config->memory = 0;
		return 0;
	}
	if (digits.length)
		digits.length--;
	if (s.length && (s.start[digits.length] | 0x20) == 'm')
		unit = MIB;
	if (s.length && (s.start[digits.length] | 0x20) == 'g')
		unit = GIB;
	if (!unit || !span_number(digits, 10, MEMORY_MAX / unit, &count) ||
	    !count)
		return FAIL(p,
			    "memory=%.*s: expected a size such as 512M or "
			    "2G, or all",
			    QUOTE(s));
	if (!IS_ALIGNED(count * unit, MEMORY_STEP))
		return FAIL(p, "memory=%.*s: expected a multiple of 2M",
			    QUOTE(s));
	p->config->memory = count * unit;
	return 0;
}

static int parse_cpus(struct parser *p, const struct key *key, struct span s)
{
	u64 count;

	(void)key;
	if (span_is(s, "all")) {
		p->config->cpus = CONFIG_ALL_CPUS;
		return 0;
	}
	if (!span_number(s, 10, CPUS_MAX, &count) || !count)
		return FAIL(p,
			    "cpus=%.*s: expected a number from 1 to %d, or "
			    "all",
			    QUOTE(s), CPUS_MAX);
	p->config->cpus = count;
	return 0;
}

static int parse_menu(struct parser *p, const struct key *key, struct span s)
{
	u64 seconds;

	(void)key;
	if (!span_number(s, 10, MENU_MAX, &seconds))
		return FAIL(p, "menu=%.*s: expected seconds, 0 to %d", QUOTE(s),
			    MENU_MAX);
	p->config->menu = seconds;
	return 0;
}

/* The value is one of @key's words. */
static int parse_word(struct parser *p, const struct key *key, struct span s)
{
	char expected[80];
	size_t at = 0;

	for (const struct word *w = key->words; w->text; w++) {
		if (span_is(s, w->text)) {
			memcpy((u8 *)p->config + key->offset, &w->value,
			       key->size);
			return 0;
		}
		at += format(expected + at, sizeof(expected) - at, "%s%s",
			     w == key->words ? ""
			     : w[1].text     ? ", "
					     : " or ",
			     w->text);
	}
	return FAIL(p, "%s=%.*s: expected %s%s", key->name, QUOTE(s), expected,
		    key->note ? key->note : "");
}

static int parse_weaken(struct parser *p, const struct key *key, struct span s)
{
	bool more;

	(void)key;
	do {
		struct span name = span_trim(span_cut(&s, ',', &more));
		unsigned int i = 0;

		while (i < WEAKEN_COUNT && !span_is(name, weaken_name[i]))
			i++;
		if (i == WEAKEN_COUNT)
			return FAIL(p,
				    "weaken=%.*s: expected dma-isolation, "
				    "ir-source-check, compat-block, msix-trap "
				    "or flr",
				    QUOTE(name));
		p->config->weaken |= BIT(i);
	} while (more);
	return 0;
}

static int parse_assign(struct parser *p, const struct key *key, struct span s)
{
	(void)key;
	return config_parse_assign(p, s);
}

static const struct word yes_no[] = {{"yes", true}, {"no", false}, {}};
static const struct word groups[] = {{"held", false}, {"strict", true}, {}};
static const struct word modes[] = {
	{"run", MODE_RUN}, {"check", MODE_CHECK}, {}};
static const struct word ends[] = {{"poweroff", END_POWEROFF},
				   {"reset", END_RESET},
				   {"halt", END_HALT},
				   {}};
/* Power-off would need the firmware's code, and a machine in order */
static const struct word panic_ends[] = {
	{"reset", END_RESET}, {"halt", END_HALT}, {}};
static const struct word selftests[] = {{"none", false}, {"panic", true}, {}};
static const struct word ports[] = {{"com1", 1}, {"com2", 2}, {}};
static const struct word ipis[] = {{"direct", false}, {"checked", true}, {}};
static const struct word powers[] = {{"guest", true}, {"fixed", false}, {}};

#define WORD(field, list)                                                      \
	.parse = parse_word, .words = list,                                    \
	.offset = offsetof(struct config, field),                              \
	.size = sizeof(((struct config *)NULL)->field)

static const struct key keys[] = {
	{"kernel", "linux vmlinuz bzimage image", .parse = parse_kernel},
	{"initrd", "initramfs ramdisk", .parse = parse_initrd, .repeats = true},
	{"cmdline", "append options args bootargs", .parse = parse_cmdline},
	{"memory", "mem ram maxmem", .parse = parse_memory},
	{"cpus", "smp vcpus nr_cpus maxcpus", .parse = parse_cpus},
	{"assign", "device pci hostdev passthrough", .parse = parse_assign},
	{"groups", "acs", WORD(strict_groups, groups)},
	{"allow-unsafe-groups", "acs-override",
	 WORD(allow_unsafe_groups, yes_no)},
	{"allow-unsafe-commands", NULL, WORD(allow_unsafe_commands, yes_no)},
	{"mode", "action", WORD(mode, modes)},
	{"menu", "timeout", .parse = parse_menu},
	{"on-poweroff", NULL, WORD(on_poweroff, ends)},
	{"on-reboot", NULL, WORD(on_reboot, ends)},
	{"on-crash", NULL, WORD(on_crash, ends)},
	{"on-panic", "panic", WORD(on_panic, panic_ends)},
	{"selftest", NULL, WORD(selftest, selftests)},
	{"log", "console serial uart", WORD(log_port, ports),
	 .note = "; a screen shows the log in any case"},
	{"ipis", NULL, WORD(check_ipis, ipis)},
	{"power", NULL, WORD(guest_power, powers)},
	{"weaken", NULL, .parse = parse_weaken},
};

/* Is @name one of the words, with a blank between two, of @list? */
static bool is_listed(struct span name, const char *list)
{
	struct span rest = {list, list ? strlen(list) : 0};
	bool more = rest.length;

	while (more) {
		const char *at = rest.start;

		if (span_cut(&rest, ' ', &more).length == name.length &&
		    !memcmp(at, name.start, name.length))
			return true;
	}
	return false;
}

/* Says which was probably meant, or names all keys. */
static int unknown_key(struct parser *p, struct span key)
{
	char *message = p->error->message;
	int size = sizeof(p->error->message);
	int at = format(message, size, "unknown key '%.*s': expected",
			QUOTE(key));

	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (span_like(key, keys[i].name) ||
		    is_listed(key, keys[i].also))
			return FAIL(p,
				    "unknown key '%.*s': probably %s= was "
				    "meant",
				    QUOTE(key), keys[i].name);
	for (unsigned int i = 0; i < ARRAY_SIZE(keys) && at < size; i++)
		at += format(message + at, size - at, "%s%s",
			     i == 0			? " "
			     : i < ARRAY_SIZE(keys) - 1 ? ", "
							: " or ",
			     keys[i].name);
	return -EINVAL;
}

/* What follows is taken for the value, and is none. */
static bool has_comment(struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.length; i++) {
		if (s.start[i] == '"')
			quoted = !quoted;
		if (!quoted && s.start[i] == '#' && i &&
		    (s.start[i - 1] == ' ' || s.start[i - 1] == '\t'))
			return true;
	}
	return false;
}

/* All of it, or its end is missing */
static bool is_quoted(struct span s)
{
	size_t i = 1;

	if (!s.length || (s.start[0] != '"' && s.start[0] != '\''))
		return false;
	while (i < s.length && s.start[i] != s.start[0])
		i++;
	return i + 1 >= s.length;
}

static int parse_value(struct parser *p, const struct key *key, struct span s,
		       u32 *seen)
{
	struct span value = span_trim(s);
	u32 bit = BIT(key - keys);

	if (*seen & bit && !key->repeats)
		return FAIL(p, "%s= is given twice", key->name);
	*seen |= bit;
	if (has_comment(s))
		return FAIL(p,
			    "%s=: a comment behind the value: expected it "
			    "on a line of its own, with # first",
			    key->name);
	if (is_quoted(value))
		return FAIL(p,
			    "%s=%.*s: expected the value without quotes "
			    "around it",
			    key->name, QUOTE(value));
	if (key->words == modes) {
		p->config->mode_at = value.start - p->text;
		p->config->mode_size = value.length;
	}
	return key->parse(p, key, value);
}

static int parse_pair(struct parser *p, struct span line, u32 *seen)
{
	bool found;
	struct span key = span_trim(span_cut(&line, '=', &found));

	if (!found)
		return FAIL(p, "'%.*s': expected key=value", QUOTE(key));
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (span_is(key, keys[i].name))
			return parse_value(p, &keys[i], line, seen);
	return unknown_key(p, key);
}

static int parse_line(struct parser *p, struct span line, u32 *seen)
{
	if (line.length && line.start[line.length - 1] == '\r')
		line.length--;
	if (line.length > CONFIG_LINE_MAX)
		return FAIL(p, "the line is longer than %d characters",
			    CONFIG_LINE_MAX);
	for (size_t i = 0; i < line.length; i++) {
		u8 byte = line.start[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return FAIL(p, "byte %02x in column %u: expected text",
				    byte, (unsigned int)i + 1);
	}
	line = span_trim(line);
	if (!line.length || line.start[0] == '#')
		return 0;
	return parse_pair(p, line, seen);
}

static void set_defaults(struct config *config)
{
	static const char kernel[] = "\\vmlinuz";

	memset(config, 0, sizeof(*config));
	memcpy(config->kernel, kernel, sizeof(kernel));
	config->cpus = CONFIG_ALL_CPUS;
	config->on_poweroff = END_POWEROFF;
	config->on_reboot = END_RESET;
	config->on_crash = END_HALT;
	config->on_panic = END_HALT;
	config->log_port = 1;
	config->guest_power = true;
}

/* By its mark, or by its first character */
static bool is_utf_16(const char *text, size_t size)
{
	return size >= 2 &&
	       (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2) ||
		!text[0] != !text[1]);
}

int config_parse(const char *text, size_t size, struct config *config,
		 struct config_error *error)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct parser p = {config, error, text};
	struct span rest = {text, size};
	u32 seen = 0;
	bool more;
	int err;

	set_defaults(config);
	error->line = 1;
	if (size > CONFIG_SIZE_MAX)
		return FAIL(&p, "the file is larger than 64 KiB");
	if (is_utf_16(text, size))
		return FAIL(&p, "the file is UTF-16: save it as UTF-8, in "
				"Notepad by Save as, in PowerShell by "
				"Set-Content -Encoding ascii");
	if (size >= 3 && !memcmp(text, byte_order_mark, 3))
		rest = (struct span){text + 3, size - 3};
	do {
		err = parse_line(&p, span_cut(&rest, '\n', &more), &seen);
		error->line += !err;
	} while (!err && more);
	return err;
}
