/*
 * Commands from the console, one a line, for a test that decides outside what
 * the device is to be told:
 *
 *   write ADDRESS VALUE   the VF writes 4 bytes (VALUE from 1 to 254); says
 *                         which interrupts came meanwhile
 *   read ADDRESS          the VF reads 64 bytes
 *   flood ADDRESS COUNT   so many writes
 *   offset VALUE          add to addresses of ours that the VF is told
 *   msix INDEX ADDRESS DATA   write an entry of the MSI-X table, and unmask it
 *   route VECTOR          the console's interrupt to this processor
 *   listen                the vector of an interrupt that came since the last
 *                         command of this name, as for the command itself
 *   reset                 is a queue still on after a function-level reset?
 *   attack NAME           one of the VF attacks, or stale translations
 *   end
 *
 * Numbers are hexadecimal.  Each answers with one line, "did: ...".  For people
 * there is a prompt, an echo, and a backspace.
 */
#include "hv/string.h"
#include "tests/attack/kernel/vf.h"

#define UART_LSR (GUEST_UART_PORT + 5)
#define LSR_DATA 1
#define DELETE 0x7f /* what terminals send for backspace */

static const char *at;

static char read_character(void)
{
	while (!(in8(UART_LSR) & LSR_DATA))
		wait_ms(1);
	return (char)in8(GUEST_UART_PORT);
}

static void read_line(char *line, unsigned int size, bool echo)
{
	const char *prompt = "> ", *rubout = "\b \b", *end = "\n";
	unsigned int length = 0;
	char c;

	if (!echo)
		prompt = rubout = end = "";
	print("%s", prompt);
	for (c = read_character(); c != '\n' && c != '\r';
	     c = read_character()) {
		if (c == '\b' || c == DELETE) {
			print("%s", length ? rubout : "");
			length -= length > 0;
		} else if (length + 1 < size) {
			line[length++] = c;
			if (echo)
				print("%c", c);
		}
	}
	print("%s", end);
	line[length] = '\0';
}

static bool word(const char *is)
{
	size_t length = strlen(is);

	if (strlen(at) < length || memcmp(at, is, length))
		return false;
	at += length;
	return true;
}

static u64 hex(void)
{
	u64 value = 0;

	while (*at == ' ')
		at++;
	for (; *at && *at != ' '; at++)
		value = value << 4 |
			(u64)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
	return value;
}

static void write_msix(void)
{
	unsigned int index = (unsigned int)hex() & 3;
	volatile u32 *e = (volatile u32 *)(VF_BAR3 + 16 * index);
	u64 address = hex();

	*config16(vf_capability(0x11) + 2) = 1 << 15;
	e[3] = 1;
	e[0] = (u32)address;
	e[1] = (u32)(address >> 32);
	e[2] = (u32)hex();
	e[3] = 0;
	print("did: entry %u\n", index);
}

static u64 all_interrupts(u32 *last)
{
	static u64 before[256];
	u64 sum = 0;

	__asm__ volatile("sti");
	wait_ms(2);
	__asm__ volatile("cli");
	for (u32 i = 0; i < 256; i++) {
		if (interrupts[i] != before[i])
			*last = i;
		before[i] = interrupts[i];
		sum += before[i];
	}
	return sum;
}

/* The console's own interrupt, for the command, has come before it. */
static void write_and_listen(u64 address, u32 value)
{
	u32 vector = 0;
	u64 before = all_interrupts(&vector), after;
	bool sent;

	if (!value || value > 0xfe) {
		print("did: nothing: VALUE is from 1 to fe, as it is the head "
		      "of a ring\n");
		return;
	}
	vector = 0;
	sent = vf_write(address, value);
	after = all_interrupts(&vector);
	print("did: %s, %lu interrupts, vector %x\n",
	      sent ? "sent" : "not sent", after - before, vector);
}

static void listen(void)
{
	u32 vector = 0;

	all_interrupts(&vector);
	print("did: heard %x\n", vector);
}

static void flood(void)
{
	u64 target = hex();
	u32 count = (u32)hex(), sent = 0;

	for (u32 i = 0; i < count; i++)
		sent += vf_write(target, 1 + i % 200);
	print("did: %u of %u sent\n", sent, count);
}

static void route(u32 vector)
{
	volatile u32 *select = (volatile u32 *)GUEST_IOAPIC;
	volatile u32 *window = (volatile u32 *)(GUEST_IOAPIC + 0x10);

	*select = 0x11 + 2 * GUEST_UART_IRQ;
	*window = 0;
	*select = 0x10 + 2 * GUEST_UART_IRQ;
	*window = vector;
	print("did: routed\n");
}

static void run_attack(void)
{
	if (word(" msix"))
		attack_msix();
	else if (word(" bars"))
		attack_bars();
	else if (word(" table-moved"))
		attack_table_moved();
	else if (word(" bus-mastering"))
		attack_bus_mastering();
	else if (word(" config"))
		attack_config();
	else if (word(" mailbox"))
		attack_mailbox();
	else if (word(" flr"))
		attack_flr();
	else if (word(" stale"))
		attack_stale();
	print("did: attack\n");
}

static void obey(void)
{
	u64 address;

	if (word("write")) {
		address = hex();
		write_and_listen(address, (u32)hex());
	} else if (word("read")) {
		print("did: %s\n", vf_read(hex()) ? "sent" : "not sent");
	} else if (word("flood")) {
		flood();
	} else if (word("offset")) {
		vf_offset = hex();
		print("did: %s\n", vf_start() ? "started" : "failed");
	} else if (word("msix")) {
		write_msix();
	} else if (word("route")) {
		route((u32)hex() & 0xff);
	} else if (word("listen")) {
		listen();
	} else if (word("reset")) {
		print("did: the queue is %s\n",
		      vf_survives_reset() ? "on" : "off");
		vf_start();
	} else if (word("attack")) {
		run_attack();
	} else {
		print("did: not know this\n");
	}
}

void take_commands(bool echo)
{
	char line[80];

	msr_write(0x80f, 0x1ff);
	msr_write(0x808, 0x10);
	vf_start();
	print("attack kernel: ready\n");
	for (;;) {
		read_line(line, sizeof(line), echo);
		at = line;
		if (word("end"))
			return;
		if (*at)
			obey();
	}
}
