/* Machine checks: errors that the hardware found (Intel SDM 3B 15). */
#ifndef HV_MACHINE_CHECK_H
#define HV_MACHINE_CHECK_H

#include "hv/types.h"

/* Every error that this processor's banks know is signalled, whatever firmware
 * chose (15.8); nothing where there are none. */
void machine_check_enable(void);

/* Log what this processor's banks hold, in words, as of CPU @index; then they
 * are empty, and the next machine check is no shutdown. */
void machine_check_log(unsigned int index);

#endif
