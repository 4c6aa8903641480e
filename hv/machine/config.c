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

static int parse_path(struct parser *p, struct span s, char *path)
{
	if (!s.length)
		return FAIL(p, "no file name: expected one such as \\vmlinuz");
	if (s.length >= CONFIG_PATH_MAX)
		return FAIL(p, "the file name is longer than %d characters",
			    CONFIG_PATH_MAX - 1);
	for (size_t i = 0; i < s.length; i++)
		if (s.start[i] & 0x80)
			return FAIL(p, "a character that is not ASCII in the "
				       "file name");
	memcpy(path, s.start, s.length);
	path[s.length] = '\0';
	return 0;
}

static int parse_kernel(struct parser *p, struct span s)
{
	return parse_path(p, s, p->config->kernel);
}

static int parse_initrd(struct parser *p, struct span s)
{
	return parse_path(p, s, p->config->initrd);
}

static int parse_cmdline(struct parser *p, struct span s)
{
	if (s.length >= CONFIG_CMDLINE_MAX)
		return FAIL(p, "the command line is longer than %d characters",
			    CONFIG_CMDLINE_MAX - 1);
	memcpy(p->config->cmdline, s.start, s.length);
	p->config->cmdline[s.length] = '\0';
	return 0;
}

static int parse_memory(struct parser *p, struct span s)
{
	struct span digits = s;
	u64 unit = 0, count;

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

static int parse_cpus(struct parser *p, struct span s)
{
	u64 count;

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

static int parse_yes_or_no(struct parser *p, struct span s, const char *key,
			   bool *yes)
{
	if (!span_is(s, "yes") && !span_is(s, "no"))
		return FAIL(p, "%s=%.*s: expected yes or no", key, QUOTE(s));
	*yes = span_is(s, "yes");
	return 0;
}

static int parse_allow_unsafe_groups(struct parser *p, struct span s)
{
	return parse_yes_or_no(p, s, "allow-unsafe-groups",
			       &p->config->allow_unsafe_groups);
}

static int parse_allow_unsafe_commands(struct parser *p, struct span s)
{
	return parse_yes_or_no(p, s, "allow-unsafe-commands",
			       &p->config->allow_unsafe_commands);
}

static int parse_groups(struct parser *p, struct span s)
{
	if (!span_is(s, "held") && !span_is(s, "strict"))
		return FAIL(p, "groups=%.*s: expected held or strict",
			    QUOTE(s));
	p->config->strict_groups = span_is(s, "strict");
	return 0;
}

static int parse_mode(struct parser *p, struct span s)
{
	if (!span_is(s, "run") && !span_is(s, "check"))
		return FAIL(p, "mode=%.*s: expected run or check", QUOTE(s));
	p->config->mode = span_is(s, "run") ? MODE_RUN : MODE_CHECK;
	return 0;
}

static int parse_action(struct parser *p, struct span s, enum end_action *end)
{
	static const char *const name[] = {
		[END_POWEROFF] = "poweroff",
		[END_RESET] = "reset",
		[END_HALT] = "halt",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(name); i++) {
		if (span_is(s, name[i])) {
			*end = i;
			return 0;
		}
	}
	return FAIL(p, "'%.*s': expected poweroff, reset or halt", QUOTE(s));
}

static int parse_on_poweroff(struct parser *p, struct span s)
{
	return parse_action(p, s, &p->config->on_poweroff);
}

static int parse_on_reboot(struct parser *p, struct span s)
{
	return parse_action(p, s, &p->config->on_reboot);
}

static int parse_on_crash(struct parser *p, struct span s)
{
	return parse_action(p, s, &p->config->on_crash);
}

static int parse_on_panic(struct parser *p, struct span s)
{
	/* Power-off would need the firmware's code, and a machine in order */
	if (span_is(s, "poweroff"))
		return FAIL(p, "on-panic=poweroff: expected reset or halt");
	return parse_action(p, s, &p->config->on_panic);
}

static int parse_selftest(struct parser *p, struct span s)
{
	if (!span_is(s, "none") && !span_is(s, "panic"))
		return FAIL(p, "selftest=%.*s: expected none or panic",
			    QUOTE(s));
	p->config->selftest = span_is(s, "panic");
	return 0;
}

static int parse_log(struct parser *p, struct span s)
{
	if (!span_is(s, "com1") && !span_is(s, "com2"))
		return FAIL(p, "log=%.*s: expected com1 or com2", QUOTE(s));
	p->config->log_port = span_is(s, "com1") ? 1 : 2;
	return 0;
}

static int parse_weaken(struct parser *p, struct span s)
{
	bool more;

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

static int parse_ipis(struct parser *p, struct span s)
{
	if (!span_is(s, "direct") && !span_is(s, "checked"))
		return FAIL(p, "ipis=%.*s: expected direct or checked",
			    QUOTE(s));
	p->config->check_ipis = span_is(s, "checked");
	return 0;
}

static int parse_power(struct parser *p, struct span s)
{
	if (!span_is(s, "guest") && !span_is(s, "fixed"))
		return FAIL(p, "power=%.*s: expected guest or fixed", QUOTE(s));
	p->config->guest_power = span_is(s, "guest");
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct parser *p, struct span value);
} keys[] = {
	{"kernel", parse_kernel},
	{"initrd", parse_initrd},
	{"cmdline", parse_cmdline},
	{"memory", parse_memory},
	{"cpus", parse_cpus},
	{"assign", config_parse_assign},
	{"groups", parse_groups},
	{"allow-unsafe-groups", parse_allow_unsafe_groups},
	{"allow-unsafe-commands", parse_allow_unsafe_commands},
	{"mode", parse_mode},
	{"on-poweroff", parse_on_poweroff},
	{"on-reboot", parse_on_reboot},
	{"on-crash", parse_on_crash},
	{"on-panic", parse_on_panic},
	{"selftest", parse_selftest},
	{"log", parse_log},
	{"ipis", parse_ipis},
	{"power", parse_power},
	{"weaken", parse_weaken},
};

/* Names all keys. */
static int unknown_key(struct parser *p, struct span key)
{
	char *message = p->error->message;
	int size = sizeof(p->error->message);
	int at = format(message, size, "unknown key '%.*s': expected",
			QUOTE(key));

	for (unsigned int i = 0; i < ARRAY_SIZE(keys) && at < size; i++)
		at += format(message + at, size - at, "%s%s",
			     i == 0			? " "
			     : i < ARRAY_SIZE(keys) - 1 ? ", "
							: " or ",
			     keys[i].name);
	return -EINVAL;
}

static int parse_pair(struct parser *p, struct span line, u32 *seen)
{
	bool found;
	struct span key = span_trim(span_cut(&line, '=', &found));

	if (!found)
		return FAIL(p, "'%.*s': expected key=value", QUOTE(key));
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!span_is(key, keys[i].name))
			continue;
		if (*seen & BIT(i))
			return FAIL(p, "%s= is given twice", keys[i].name);
		*seen |= BIT(i);
		return keys[i].parse(p, span_trim(line));
	}
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

int config_parse(const char *text, size_t size, struct config *config,
		 struct config_error *error)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct parser p = {config, error};
	struct span rest = {text, size};
	u32 seen = 0;
	bool more;
	int err;

	set_defaults(config);
	error->line = 0;
	if (size > CONFIG_SIZE_MAX)
		return FAIL(&p, "the file is larger than 64 KiB");
	if (size >= 3 && !memcmp(text, byte_order_mark, 3))
		rest = (struct span){text + 3, size - 3};
	do {
		error->line++;
		err = parse_line(&p, span_cut(&rest, '\n', &more), &seen);
	} while (!err && more);
	return err;
}
