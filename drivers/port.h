/* I/O ports of a function, by one instruction an access. */
#ifndef DRIVERS_PORT_H
#define DRIVERS_PORT_H

#include "hv/types.h"

/* @size is 1, 2 or 4. */
u32 port_read(u16 port, unsigned int size);
void port_write(u16 port, unsigned int size, u32 value);

#endif
