/* This file takes protections away that weaken= names, for tests alone. */
#include "hv/weaken.h"
#include "hv/log.h"

u32 weaken;

static const char *const consequence[WEAKEN_COUNT] = {
	"the device reaches ALL memory",
	"the device can use EVERY interrupt entry",
	"the device can raise ANY interrupt",
	"the guest programs the device's interrupts ITSELF",
	"the device is NOT RESET between users",
};

void weaken_set(u32 what)
{
	weaken = what;
	for (unsigned int i = 0; i < WEAKEN_COUNT; i++)
		if (what & BIT(i))
			hv_log("gangway: WARNING: WEAKENED: %s: %s. For tests "
			       "only!\n",
			       weaken_name[i], consequence[i]);
}

const char *const weaken_name[WEAKEN_COUNT] = {
	"dma-isolation", "ir-source-check", "compat-block", "msix-trap", "flr",
};
