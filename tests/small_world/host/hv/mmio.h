/* In place of hv/mmio.h: the test sees each store. */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include "hv/types.h"

u32 mmio_read32(const volatile void *p);
void mmio_write32(volatile void *p, u32 value);

#endif
