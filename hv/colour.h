/* Colours in log lines: what a terminal obeys (ECMA-48 8.3.117, SGR), and the
 * framebuffer console too. */
#ifndef HV_COLOUR_H
#define HV_COLOUR_H

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define PLAIN "\x1b[0m"

#endif
