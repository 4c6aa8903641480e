/* Firmware drives USB controllers for its keyboard, in system management mode,
 * until the system asks for them. */
#ifndef DRIVERS_USB_HANDOVER_H
#define DRIVERS_USB_HANDOVER_H

#include "drivers/pci/pci.h"

/*
 * Take @fn from firmware, if it is a controller that has a register for that
 * (xHCI 1.2 7.1, EHCI 1.0 2.1.7), and turn its system management interrupts
 * off.  Memory decoding is on, and its BAR 0 is mapped.  If firmware does not
 * answer within a second it is taken all the same, which is logged.
 */
void usb_take(const struct pci_function *fn);

#endif
