/* This file holds what all of boot/ shares. */
#include "boot/loader.h"

struct loader loader;
