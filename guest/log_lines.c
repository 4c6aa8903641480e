/* This file puts what the guest says into the log, line by line. */
#include "guest/log_lines.h"
#include "hv/log.h"
#include "hv/types.h"

#define LINE_MAX 120
#define ESCAPE 0x1b

static char line[LINE_MAX + 1];
static unsigned int length;
/* Its last byte is one of 40H to 7EH, but for the '[' that begins it */
static bool in_sequence;

static void end_line(void)
{
	line[length] = '\0';
	if (length)
		hv_log("guest: %s\n", line);
	length = 0;
	in_sequence = false;
}

void log_lines_putc(char c)
{
	if (c == '\n')
		end_line();
	else if (c == ESCAPE)
		in_sequence = true;
	else if (in_sequence)
		in_sequence = (u8)c < 0x40 || c == '[';
	else if ((u8)c >= ' ')
		line[length++] = c;
	if (length == LINE_MAX)
		end_line();
}
