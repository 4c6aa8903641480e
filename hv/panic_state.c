/* This file notes which CPU panics, if one does. */
#include "hv/panic_state.h"
#include "hv/cpu.h"

/* 0, or 1 + the index of the CPU that panics */
static u32 panicked;

static u32 me(void)
{
	return this_cpu()->index + 1;
}

static u32 who_panicked(void)
{
	return __atomic_load_n(&panicked, __ATOMIC_SEQ_CST);
}

bool panic_is_first(void)
{
	u32 none = 0;

	return __atomic_compare_exchange_n(&panicked, &none, me(), false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

bool panic_here(void)
{
	return who_panicked() && !panic_elsewhere();
}

bool panic_elsewhere(void)
{
	u32 who = who_panicked();

	return who && who != me();
}
