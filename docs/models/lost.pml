/*
 * The loss of a PF against its VFs: assigned_look() and assigned_lose() in
 * guest/assign/stop.c.
 *
 * A PF has two VFs with the guest, and does DMA of its own.  Any function can
 * be lost at any time, the PF's loss is the loss of its VFs, and the guest's own
 * resets of a VF need the PF.  Processors look once a second, one at a time (the
 * trap lock); there may be no end of the guest.
 *
 * Claims: a VF's way to memory is closed before anything that may wait for an
 * answer; the guest reads all ones of it before that; each is stopped once;
 * the DMA of a PF that is lost is blocked in the end, also if its VFs were lost
 * before it.
 *
 * MISTAKE 1: a VF that is stopped already is not looked at any more
 * MISTAKE 2: the reset is asked for before the context entry is closed
 * MISTAKE 3: the function is stopped before the guest reads all ones
 * MISTAKE 4: a second loss stops it again
 * MISTAKE 5: only the VF that was looked at is stopped, the PF goes on
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

#define VFS 2

bool away[VFS];			/* does not answer any more */
bool gone[VFS];			/* the guest reads all ones */
bool passes[VFS] = true;	/* its context entry is open */
bool stopped[VFS];
bool pf_away, pf_lost;
bool pf_passes = true;
bool resets;			/* a wait for the function or the PF */

/* What hardware does */
active proctype hardware()
{
end:	do
	:: atomic { !away[0] -> away[0] = true }
	:: atomic { !away[1] -> away[1] = true }
	:: atomic { !pf_away -> pf_away = true; away[0] = true; away[1] = true }
	:: break
	od
}

inline check_pf()
{
#if MISTAKE != 5
	if
	:: pf_away && !pf_lost -> pf_lost = true; pf_passes = false
	:: else
	fi
#else
	skip
#endif
}

inline wait_for_reset(vf)
{
	assert(!passes[vf] && gone[vf])
}

inline lose(vf)
{
#if MISTAKE == 4
	assert(!stopped[vf]);
#else
	if
	:: stopped[vf] -> goto next
	:: else
	fi;
#endif
#if MISTAKE != 3
	gone[vf] = true;
#endif
	stopped[vf] = true;
#if MISTAKE == 2
	wait_for_reset(vf);
	passes[vf] = false;
#else
	passes[vf] = false;
	wait_for_reset(vf);
#endif
	gone[vf] = true;
	check_pf()
}

active proctype poll()
{
	byte vf = 0;

end:	do
	::
#if MISTAKE == 4
		if
		:: pf_away || away[vf] -> lose(vf)
		:: else
		fi;
#elif MISTAKE == 1
		if
		:: stopped[vf]
		:: !stopped[vf] && (pf_away || away[vf]) -> lose(vf)
		:: else
		fi;
#else
		if
		:: stopped[vf] -> check_pf()
		:: !stopped[vf] && (pf_away || away[vf]) -> lose(vf)
		:: else
		fi;
#endif
next:		vf = (vf + 1) % VFS
	od
}

ltl blocked { []((pf_away -> <>!pf_passes) && (away[0] -> <>!passes[0]) &&
		 (away[1] -> <>!passes[1])) }
