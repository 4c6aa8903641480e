/* What the UEFI side handed over, for all that the machine does. */
#include "hv/machine/handover.h"

const struct handover *handover;
