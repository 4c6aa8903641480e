/* The guest's console, where there is no port for it. */
#ifndef GUEST_LOG_LINES_H
#define GUEST_LOG_LINES_H

/* Take a character; each whole line goes to the log, behind "guest: ".  Empty
 * lines, control characters and escape sequences (ECMA-48) are left out; a line
 * that is too long is continued on the next. */
void log_lines_putc(char c);

#endif
