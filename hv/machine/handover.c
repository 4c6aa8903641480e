/* This file keeps what the UEFI side handed over. */
#include "hv/machine/handover.h"

const struct handover *handover;
