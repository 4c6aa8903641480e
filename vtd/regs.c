/* This file is all that touches the hardware: registers, and cache lines that
 * it must see. */
#include "vtd/regs.h"
#include "hv/cache.h"
#include "hv/mmio.h"

static volatile void *reg_at(hpa_t base, u32 reg)
{
	return (volatile void *)(uintptr_t)(base + reg);
}

u32 vtd_read32(hpa_t base, u32 reg)
{
	return mmio_read32(reg_at(base, reg));
}

u64 vtd_read64(hpa_t base, u32 reg)
{
	return mmio_read64(reg_at(base, reg));
}

void vtd_write32(hpa_t base, u32 reg, u32 value)
{
	mmio_write32(reg_at(base, reg), value);
}

void vtd_write64(hpa_t base, u32 reg, u64 value)
{
	mmio_write64(reg_at(base, reg), value);
}

void vtd_write_back(const volatile void *start, size_t size)
{
	cache_flush((const void *)(uintptr_t)start, size);
}
