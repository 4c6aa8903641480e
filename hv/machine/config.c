/* The parser of gangway.cfg: one line at a time, nothing beyond its end. */
#include "hv/machine/config.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/string.h"
#include "hv/weaken.h"

#define CONFIG_SIZE_MAX (64 * KIB)
#define CONFIG_LINE_MAX 1200
#define MEMORY_STEP (2 * MIB)
#define MEMORY_MAX BIT(46)
#define CPUS_MAX 4096
#define VLAN_MAX 4094
#define VF_MAX 0xfffe /* NumVFs has 16 bits */

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

#define FAIL(p, ...)                                                           \
	(format((p)->error->message, sizeof((p)->error->message),              \
		__VA_ARGS__),                                                  \
	 -EINVAL)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.length && is_blank(s.start[0])) {
		s.start++;
		s.length--;
	}
	while (s.length && is_blank(s.start[s.length - 1]))
		s.length--;
	return s;
}

static bool span_is(struct span s, const char *word)
{
	return s.length == strlen(word) && !memcmp(s.start, word, s.length);
}

/*
 * Cut *@rest at the first @separator: returns what is before it and leaves in
 * *@rest what follows.  Without one, returns all of it and sets *@found false.
 */
static struct span cut(struct span *rest, char separator, bool *found)
{
	struct span head = *rest;
	size_t i = 0;

	while (i < rest->length && rest->start[i] != separator)
		i++;
	*found = i < rest->length;
	head.length = i;
	rest->start += i + *found;
	rest->length -= i + *found;
	return head;
}

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

/* All of @s as a number to @base (10 or 16), at most @max; false if it is
 * empty, has another character, or is larger. */
static bool parse_number(struct span s, unsigned int base, u64 max, u64 *number)
{
	u64 value = 0;

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
	if (!unit || !parse_number(digits, 10, MEMORY_MAX / unit, &count) ||
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
	if (!parse_number(s, 10, CPUS_MAX, &count) || !count)
		return FAIL(p,
			    "cpus=%.*s: expected a number from 1 to %d, or "
			    "all",
			    QUOTE(s), CPUS_MAX);
	p->config->cpus = count;
	return 0;
}

/* `0000:01:10.0`, or `01:10.0` in segment 0 */
static bool parse_address(struct span s, struct pci_addr *addr)
{
	bool colon, second_colon, dot;
	struct span segment = cut(&s, ':', &colon);
	struct span bus = cut(&s, ':', &second_colon);
	struct span device;
	u64 number[4];

	if (!second_colon) {
		s = bus;
		bus = segment;
		segment = (struct span){"0", 1};
	}
	device = cut(&s, '.', &dot);
	if (!colon || !dot || !parse_number(segment, 16, 0xffff, &number[0]) ||
	    !parse_number(bus, 16, 0xff, &number[1]) ||
	    !parse_number(device, 16, 0x1f, &number[2]) ||
	    !parse_number(s, 16, 7, &number[3]))
		return false;
	*addr = (struct pci_addr){number[0], number[1],
				  number[2] << 3 | number[3]};
	return true;
}

/* `8086:10c9/0`: vendor and device ID of the PF, number of the VF */
static bool parse_vf(struct span s, struct assign_request *assign)
{
	bool colon, slash;
	struct span vendor = cut(&s, ':', &colon);
	struct span device = cut(&s, '/', &slash);
	u64 id[3];

	if (!colon || !slash || !parse_number(vendor, 16, 0xffff, &id[0]) ||
	    !parse_number(device, 16, 0xffff, &id[1]) ||
	    !parse_number(s, 10, VF_MAX, &id[2]))
		return false;
	assign->vendor = id[0];
	assign->device = id[1];
	assign->vf = id[2];
	return true;
}

static bool same_function(const struct assign_request *a,
			  const struct assign_request *b)
{
	return a->kind == b->kind && a->vendor == b->vendor &&
	       a->device == b->device && a->vf == b->vf &&
	       a->addr.segment == b->addr.segment &&
	       PCI_RID(a->addr) == PCI_RID(b->addr);
}

/* `52:54:00:12:34:56`, an address that a station may have */
static bool parse_mac(struct span s, u8 *mac)
{
	bool more = true;
	u64 byte, all = 0;

	for (unsigned int i = 0; i < MAC_SIZE; i++) {
		struct span digits = cut(&s, ':', &more);

		if (more == (i + 1 == MAC_SIZE) || digits.length != 2 ||
		    !parse_number(digits, 16, 0xff, &byte))
			return false;
		mac[i] = byte;
		all |= byte;
	}
	return all && !(mac[0] & 1);
}

/* The value in @s of option @name, such as "mac="; false: it is another. */
static bool option_value(struct span s, const char *name, struct span *value)
{
	size_t length = strlen(name);

	if (s.length < length || memcmp(s.start, name, length))
		return false;
	*value = (struct span){s.start + length, s.length - length};
	return true;
}

/* What may follow the function, each once */
static int parse_assign_option(struct parser *p, struct span s,
			       struct assign_request *assign)
{
	struct span value;
	u64 vlan;

	if (option_value(s, "mac=", &value) && !assign->has_mac &&
	    parse_mac(value, assign->mac)) {
		assign->has_mac = true;
		return 0;
	}
	if (option_value(s, "vlan=", &value) && !assign->vlan &&
	    parse_number(value, 10, VLAN_MAX, &vlan) && vlan) {
		assign->vlan = vlan;
		return 0;
	}
	return FAIL(p,
		    "assign=... %.*s: expected mac= with a station's address, "
		    "such as 52:54:00:12:34:56, or vlan= with 1 to %d, once",
		    QUOTE(s), VLAN_MAX);
}

static int parse_assign_options(struct parser *p, struct span s,
				struct assign_request *assign)
{
	bool more;
	int err = 0;

	s = trim(s);
	while (!err && s.length) {
		err = parse_assign_option(p, cut(&s, ' ', &more), assign);
		s = trim(s);
	}
	return err;
}

static int parse_function(struct parser *p, struct span options)
{
	static const char vf_prefix[] = "vf:";
	const size_t prefix = sizeof(vf_prefix) - 1;
	struct config *config = p->config;
	struct assign_request assign = {.kind = ASSIGN_ADDRESS};
	bool good;
	struct span s = cut(&options, ' ', &good);

	if (s.length > prefix && !memcmp(s.start, vf_prefix, prefix)) {
		assign.kind = ASSIGN_VF;
		good = parse_vf(
			(struct span){s.start + prefix, s.length - prefix},
			&assign);
	} else {
		good = parse_address(s, &assign.addr);
	}
	if (!good)
		return FAIL(p,
			    "assign=%.*s: expected a function such as "
			    "0000:01:10.0, or vf:8086:10c9/0 for VF 0, or none",
			    QUOTE(s));
	if (parse_assign_options(p, options, &assign))
		return -EINVAL;
	for (unsigned int i = 0; i < config->assign_count; i++)
		if (same_function(&config->assign[i], &assign))
			return FAIL(p, "assign=%.*s: given twice", QUOTE(s));
	if (config->assign_count == ASSIGN_MAX)
		return FAIL(p, "assign= names more than %d functions",
			    ASSIGN_MAX);
	config->assign[config->assign_count++] = assign;
	return 0;
}

static int parse_assign(struct parser *p, struct span s)
{
	bool more;
	int err;

	p->config->assign_count = 0;
	if (span_is(s, "none"))
		return 0;
	do {
		struct span function = trim(cut(&s, ',', &more));

		err = parse_function(p, function);
	} while (!err && more);
	return err;
}

static int parse_allow_unsafe_groups(struct parser *p, struct span s)
{
	if (!span_is(s, "yes") && !span_is(s, "no"))
		return FAIL(p, "allow-unsafe-groups=%.*s: expected yes or no",
			    QUOTE(s));
	p->config->allow_unsafe_groups = span_is(s, "yes");
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
		struct span name = trim(cut(&s, ',', &more));
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

static const struct {
	const char *name;
	int (*parse)(struct parser *p, struct span value);
} keys[] = {
	{"kernel", parse_kernel},
	{"initrd", parse_initrd},
	{"cmdline", parse_cmdline},
	{"memory", parse_memory},
	{"cpus", parse_cpus},
	{"assign", parse_assign},
	{"allow-unsafe-groups", parse_allow_unsafe_groups},
	{"mode", parse_mode},
	{"on-poweroff", parse_on_poweroff},
	{"on-reboot", parse_on_reboot},
	{"on-crash", parse_on_crash},
	{"on-panic", parse_on_panic},
	{"selftest", parse_selftest},
	{"log", parse_log},
	{"ipis", parse_ipis},
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
	struct span key = trim(cut(&line, '=', &found));

	if (!found)
		return FAIL(p, "'%.*s': expected key=value", QUOTE(key));
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!span_is(key, keys[i].name))
			continue;
		if (*seen & BIT(i))
			return FAIL(p, "%s= is given twice", keys[i].name);
		*seen |= BIT(i);
		return keys[i].parse(p, trim(line));
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
	line = trim(line);
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
		err = parse_line(&p, cut(&rest, '\n', &more), &seen);
	} while (!err && more);
	return err;
}
