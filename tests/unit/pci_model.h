/*
 * Configuration space for the unit tests, in place of drivers/pci/pci_access.c:
 * each bit can be written or not, as the test says; what is not there reads
 * all ones.
 */
#ifndef TESTS_UNIT_PCI_MODEL_H
#define TESTS_UNIT_PCI_MODEL_H

#include "drivers/pci/pci.h"

/* Forget everything; room for buses 0 to @buses - 1 of segment 0. */
void model_reset(unsigned int buses);

/* The ECAM range of the above. */
struct pci_ecam model_ecam(void);

/* A function that answers: type 0 header with a writable command register. */
void model_add(u8 bus, u8 devfn, u16 vendor, u16 device, u32 class);

/* Make it a bridge (type 1). */
void model_bridge(u8 bus, u8 devfn, u8 secondary, u8 subordinate);

/* All of bus @from is bus @to from now on. */
void model_move_bus(u8 from, u8 to);

/* Set a register and which of its bits can be written. */
void model_set8(u8 bus, u8 devfn, u16 reg, u8 value, u8 writable);
void model_set16(u8 bus, u8 devfn, u16 reg, u16 value, u16 writable);
void model_set32(u8 bus, u8 devfn, u16 reg, u32 value, u32 writable);
u32 model_get32(u8 bus, u8 devfn, u16 reg);
u16 model_get16(u8 bus, u8 devfn, u16 reg);

/* A capability; the test chains them.  Sets the status bit and pointer if it
 * is the first. */
void model_cap(u8 bus, u8 devfn, u8 at, u8 id, u8 next);
void model_ext_cap(u8 bus, u8 devfn, u16 at, u16 id, u16 next);

/* Called after each write, if set; @value as written. */
extern void (*model_written)(u8 bus, u8 devfn, u16 reg, u32 value);

/* A plain handle on a function for the calls under test. */
struct pci_function model_function(u8 bus, u8 devfn);

#endif
