/* Access to device registers: one instruction each, never split or merged. */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include "hv/types.h"

static inline u8 mmio_read8(const volatile void *p)
{
	return *(const volatile u8 *)p;
}

static inline u16 mmio_read16(const volatile void *p)
{
	return *(const volatile u16 *)p;
}

static inline u32 mmio_read32(const volatile void *p)
{
	return *(const volatile u32 *)p;
}

static inline u64 mmio_read64(const volatile void *p)
{
	return *(const volatile u64 *)p;
}

static inline void mmio_write8(volatile void *p, u8 value)
{
	*(volatile u8 *)p = value;
}

static inline void mmio_write16(volatile void *p, u16 value)
{
	*(volatile u16 *)p = value;
}

static inline void mmio_write32(volatile void *p, u32 value)
{
	*(volatile u32 *)p = value;
}

static inline void mmio_write64(volatile void *p, u64 value)
{
	*(volatile u64 *)p = value;
}

#endif
