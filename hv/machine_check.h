/* Machine checks: errors that the hardware found (Intel SDM 3B 15). */
#ifndef HV_MACHINE_CHECK_H
#define HV_MACHINE_CHECK_H

#include "hv/types.h"

/* Log what this processor's banks hold, in words, as of CPU @index; then they
 * are empty, and the next machine check is no shutdown. */
void machine_check_log(unsigned int index);

#endif
