/*
 * Taking a mapping away against NMIs and the trap lock: ept_remove() in
 * hv/vmx/ept.c, called with the trap lock held, against before_entry() in
 * hv/vmx/run.c, which takes that lock on another processor.
 *
 * An NMI that comes in root operation asks for an NMI window, and that stays
 * shut while the guest handles an NMI, be it for ever.
 *
 * Claims: once the remover goes on, the other processor cannot use the mapping;
 * the remover does go on.  Not claimed: that the guest gets no NMI that it was
 * not sent.  NMIs have no sender, and a second request can come after the first
 * was understood.
 *
 * MISTAKE 1: the processor counts as in the guest while it waits for the lock
 * MISTAKE 2: the generation is read before the processor counts as in the guest
 * MISTAKE 3: the condition that ended the wait is asked again after it
 * MISTAKE 4: the processor is not asked to leave the guest
 * MISTAKE 5: it is asked once
 * MISTAKE 6: the mapping is taken away after the generation is raised
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

byte ticket, serving;		/* the trap lock */
byte generation, flushed;	/* guest.ept_generation, cpu->ept_generation */
bool in_guest;			/* cpu->in_guest */
bool mapped = true;		/* what the tables say */
bool cached;			/* the processor's own copy of the mapping */
bool nmi;			/* latched at its local APIC */
bool request, window;		/* REQUEST_NMI; the NMI window asked for */
bool handles;			/* the guest handles an NMI */
bool removed;

inline lock(mine)
{
	atomic { mine = ticket; ticket = (ticket + 1) % 4 };
	serving == mine
}

inline unlock()
{
	serving = (serving + 1) % 4
}

#define QUIET (!nmi && !(window && !handles))

/* nmi_in_root(), between any two steps in root operation */
inline host_nmi()
{
	atomic {
		if
		:: nmi -> nmi = false; request = true; window = true
		:: else
		fi
	}
}

active proctype processor()
{
	byte mine, g;

again:
	do
	::	host_nmi();
#if MISTAKE != 1
		in_guest = false;
#endif
		atomic { request = false; window = false };
		host_nmi();
		lock(mine);	/* service_faults(), assign_poll() */
		host_nmi();
		unlock();
#if MISTAKE == 2
		g = generation;
		host_nmi();
		in_guest = true;
#else
		in_guest = true;
		host_nmi();
		g = generation;
#endif
		if		/* follow_ept() */
		:: flushed != g -> cached = false; flushed = g
		:: else
		fi;
		host_nmi();
		if
		:: request
		:: else -> break
		fi
	od;
	host_nmi();
	do			/* in the guest; an exit that is due comes first */
	:: atomic { nmi -> nmi = false; request = true; break }
	:: atomic { !nmi && window && !handles -> break }
	:: atomic { QUIET && mapped -> cached = true }
	:: atomic { QUIET && cached -> assert(!removed) }
	:: atomic { QUIET -> handles = !handles }
	:: atomic { QUIET -> break }	/* some other exit */
	od;
	in_guest = false;
	goto again
}

#define HAS_FLUSHED (!in_guest || flushed == generation)

active proctype remover()
{
	byte mine;

	lock(mine);
#if MISTAKE == 6
	generation++;
	mapped = false;
#else
	mapped = false;
	generation++;
#endif
	do
	:: HAS_FLUSHED -> break
	:: else ->
#if MISTAKE != 4
		nmi = true;
#endif
#if MISTAKE == 5
		HAS_FLUSHED;
		break
#endif
	od;
#if MISTAKE == 3
	assert(HAS_FLUSHED);	/* else it panics */
#endif
	removed = true;
	unlock()
}

/* [] so that the claim, and with it each assertion, is in force to the end */
ltl goes_on { []<> removed }
