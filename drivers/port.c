/* This file does accesses to I/O ports of a function, with one instruction
 * each. */
#include "drivers/port.h"
#include "hv/asm.h"

u32 port_read(u16 port, unsigned int size)
{
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

void port_write(u16 port, unsigned int size, u32 value)
{
	switch (size) {
	case 1:
		outb(port, (u8)value);
		break;
	case 2:
		outw(port, (u16)value);
		break;
	default:
		outl(port, value);
		break;
	}
}
