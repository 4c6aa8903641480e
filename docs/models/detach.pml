/*
 * Detaching a function from a domain against its DMA: close_entry() in
 * vtd/context.c.
 *
 * The remapping unit may fetch a present context entry at any time, fill its
 * IOTLB by way of a cached context, and translate a request that hits the
 * IOTLB; the request reaches memory later.  An invalidation waits for fetches
 * and walks under way (VT-d 6.5.2), so each of them is one step here.
 *
 * Claim: once the detach has returned, no request of the function's reaches
 * memory.
 *
 * MISTAKE 1: IOTLB first, then the context cache
 * MISTAKE 2: the context cache is not invalidated
 * MISTAKE 3: the IOTLB is not invalidated
 * MISTAKE 4: requests under way are not drained
 * MISTAKE 5: the entry is closed last
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

bool present = true;	/* P of the context entry in memory */
bool context, iotlb;	/* what the unit has cached */
bool under_way;		/* a translated request on its way to memory */
bool detached;

active proctype unit()
{
end:	do
	:: atomic { present -> context = true }
	:: atomic { context -> iotlb = true }
	:: atomic { iotlb && !under_way -> under_way = true }
	:: atomic { under_way -> assert(!detached); under_way = false }
	od
}

inline invalidate_iotlb()
{
#if MISTAKE == 4
	iotlb = false
#else
	iotlb = false;
	!under_way
#endif
}

active proctype detach()
{
#if MISTAKE != 5
	present = false;
#endif
#if MISTAKE == 1
	invalidate_iotlb();
	context = false;
#elif MISTAKE == 2
	invalidate_iotlb();
#elif MISTAKE == 3
	context = false;
	!under_way;
#else
	context = false;
	invalidate_iotlb();
#endif
#if MISTAKE == 5
	present = false;
#endif
	detached = true
}
