/* What the machine does between exits. */
#ifndef HV_MACHINE_EVENTS_H
#define HV_MACHINE_EVENTS_H

#include "hv/vmx/guest.h"

extern const struct guest_events machine_events;

#endif
