/* The question at a boot: look at the machine, or run the guest? */
#ifndef BOOT_MENU_H
#define BOOT_MENU_H

#include "hv/machine/config.h"

/* Asked where menu= of @config gives seconds for it; @config's mode becomes
 * what a key chose.  With A the configuration at @path has mode=run from now
 * on. */
void menu_ask(struct config *config, const char *path);

#endif
