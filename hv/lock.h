/* Spin locks; interrupts are always off in the hypervisor. */
#ifndef HV_LOCK_H
#define HV_LOCK_H

#include "hv/types.h"

/* One that is waited for, in the order of arrival: a CPU that takes it again
 * and again keeps no other from it. */
struct lock {
	u32 next, served; /* tickets */
};

static inline void lock_acquire(struct lock *l)
{
	u32 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->served, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

/*@ requires \valid(l); */
static inline void lock_release(struct lock *l)
{
	__atomic_store_n(&l->served, l->served + 1, __ATOMIC_RELEASE);
}

/* One that is only tried.  A panic may release what another CPU holds. */
struct try_lock {
	u32 held;
};

static inline bool try_lock_acquire(struct try_lock *l)
{
	return !__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE);
}

static inline void try_lock_release(struct try_lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

#endif
