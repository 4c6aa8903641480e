/*
 * NVMe physical function: gives each VF its share of the flexible queues and
 * interrupts and brings it online (Virtualization Enhancements, 8.5).  The PF's
 * controller stays enabled while a guest runs, for a reset of it takes every
 * secondary controller offline.  Namespaces are the business of whoever
 * formatted the drive: a VF sees those that are attached to it or shared.
 */
#ifndef DRIVERS_NVME_PF_H
#define DRIVERS_NVME_PF_H

#include "drivers/pf.h"

extern const struct pf_driver nvme_pf_driver;

#endif
