/* How fast a processor runs. */
#ifndef HV_FREQUENCY_H
#define HV_FREQUENCY_H

#include "hv/types.h"

/* Let this processor use all of its range, by hardware-controlled P-states or
 * else by the highest P-state, whatever firmware left; with @log a line says
 * what. */
void frequency_set(bool log);

#endif
