/* What the files of boot/ share. */
#include "boot/loader.h"

struct loader loader;
