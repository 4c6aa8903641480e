/* The local APIC in x2APIC mode (Intel SDM 3A 11.12). */
#ifndef HV_APIC_H
#define HV_APIC_H

#include "hv/types.h"

/* Vectors below are illegal (Intel SDM 3A 10.5.2) */
#define APIC_FIRST_VECTOR 16

#define ICR_FIXED (0u << 8)
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT (1u << 14)

/* Switch this CPU's APIC to x2APIC mode; -EOPNOTSUPP if it has none. */
int apic_enable_x2apic(void);

/* Mask the local interrupt sources that firmware may have left on. */
void apic_quiet(void);

/* This CPU's APIC ID. */
u32 apic_id(void);

/* Send an interprocessor interrupt (11.12.9). */
void apic_send_ipi(u32 destination, u32 icr_low);

/* The timer as a stop watch, counting its input clock undivided, for at most
 * 2^32 ticks: to measure that clock. */
void apic_timer_start(void);
u32 apic_timer_elapsed(void);
void apic_timer_stop(void);

#endif
