/*
 * INIT, SIPI and the stop protocol: cpu_wait_stopped() in hv/cpu_stop.c against
 * vcpu_run() in hv/vmx/run.c.
 *
 * One processor asks another to leave the guest for good.  Meanwhile the guest
 * sends INITs and SIPIs to that one.  In VMX non-root operation an NMI, an INIT
 * and, while the processor waits for SIPI, a SIPI make it exit; a SIPI that
 * comes at any other time is lost, and an NMI is held while it waits for SIPI
 * (SDM 3C 25.2, 26.7.2).  In root operation an NMI runs the handler, an INIT is
 * held, a SIPI is lost.
 *
 * Claims: the processor stops, whatever the guest sends and when (the guest may
 * run without an exit for ever); once it is seen stopped it never runs the
 * guest again.
 *
 * MISTAKE 1: it is asked once
 * MISTAKE 2: no SIPI for a processor that waits for one
 * MISTAKE 3: the request is taken and then forgotten where a SIPI is waited for
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

mtype = { GUEST, WAITS, STOPPED };
mtype state = GUEST;	/* cpu->state */
bool request_stop, request_nmi;
bool nmi, init_sent, sipi;	/* what is latched at the processor's local APIC */
bool window;		/* the NMI-window control of the VMCS */
bool non_root, waits;	/* where the processor is, and its activity state */
bool seen_stopped;

/* A SIPI counts only where one is waited for. */
inline send_sipi()
{
	atomic { if :: non_root && waits -> sipi = true :: else fi }
}

/* The handler of nmi_in_root(); it runs between any two steps. */
inline host_nmi()
{
	atomic {
		if
		:: nmi ->
			nmi = false;
			request_nmi = true;
			window = true
		:: else
		fi
	}
}

active proctype target()
{
again:
	/* before_entry() */
	do
	::	host_nmi();
		atomic { request_nmi = false; window = false }
		if
		:: request_stop ->
#if MISTAKE == 3
			request_stop = false;
			if :: waits :: else -> goto out fi
#else
			goto out
#endif
		:: else
		fi;
		host_nmi();
		if
		:: request_stop || request_nmi
		:: else -> break
		fi
	od;
	host_nmi();
	non_root = true;
	do
	:: atomic { !waits && nmi -> nmi = false; request_nmi = true; break }
	:: atomic { !waits && window -> break }
	:: atomic { !waits && init_sent -> non_root = false; init_sent = false; waits = true;
		    sipi = false };
		state = WAITS;
		goto again
	:: atomic { waits && sipi -> non_root = false; sipi = false; waits = false };
		state = GUEST;
		goto again
	:: atomic { !waits -> break }	/* some other exit, which need not come */
	od;
	non_root = false;
	goto again;
out:
	state = STOPPED;
end:	do
	:: atomic { nmi -> nmi = false }
	od
}

active proctype asker()
{
	do
	:: state == STOPPED -> break
	:: else ->
		request_stop = true;
		nmi = true;
#if MISTAKE != 2
		if
		:: state == WAITS -> send_sipi()
		:: else
		fi;
#endif
#if MISTAKE == 1
		state == STOPPED;
		break
#endif
	od;
	seen_stopped = true;
	assert(!non_root)
}

/* The guest on other processors: so many of each, at any time */
active proctype guest()
{
	byte left = 3;

end:	do
	:: left -> init_sent = true; left--
	:: left -> send_sipi(); left--
	:: break
	od
}

/* [] so that the claim, and with it each assertion, is in force to the end */
ltl stops { []<> seen_stopped }
