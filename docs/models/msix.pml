/*
 * Masking of an MSI-X entry against delivery: change() and program() in
 * guest/vmsix.c, vtd_irte_set() in vtd/irte.c.
 *
 * The function posts a message for an event, or notes it as pending while its
 * entry is masked.  The message travels; the remapping unit, which caches
 * interrupt entries, turns it into a vector.  The guest masks its entry, changes
 * the vector from 1 to 2, unmasks it.  Reading from the function returns after
 * what it had posted has arrived (PCIe 2.4.1).
 *
 * Claims: from the guest's mask until it unmasks nothing arrives; afterwards
 * nothing arrives by the old vector; an event that happened while it was masked
 * arrives in the end.
 *
 * MISTAKE 1: the mask is not read back
 * MISTAKE 2: the interrupt entry cache is not flushed
 * MISTAKE 3: the entry is unmasked before the interrupt entry is changed
 * MISTAKE 4: what is pending is forgotten at the unmask
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

bool masked, pending;		/* the function's entry */
byte posted;			/* messages under way */
byte entry = 1, cache;		/* the vector in the table; in the cache (0: none) */
bool quiet;			/* between the guest's mask and its unmask */
bool changed;
bool due, arrived;		/* the last event; it has arrived */

active proctype function()
{
	byte left = 3;

end:	do
	:: atomic { left && posted < 3 -> left--;
		    if
		    :: masked -> pending = true
		    :: else -> posted++
		    fi;
		    if :: left == 0 -> due = true :: else fi }
	:: atomic { pending && !masked && posted < 3 -> pending = false;
#if MISTAKE != 4
		    posted++
#endif
		  }
	od
}

active proctype unit()
{
end:	do
	:: atomic { posted && !cache -> cache = entry }
	:: atomic { posted && cache ->
		    assert(!quiet);
		    assert(!changed || cache == 2);
		    posted--;
		    if :: due && !posted && !pending -> arrived = true :: else fi }
	:: atomic { !posted && !cache -> cache = entry }	/* ahead of need */
	od
}

active proctype guest()
{
	masked = true;
#if MISTAKE != 1
	posted == 0;		/* read back */
#endif
	quiet = true;
#if MISTAKE == 3
	masked = false;
#endif
	entry = 2;
#if MISTAKE != 2
	cache = 0;
#endif
	changed = true;
	atomic { quiet = false; masked = false }
}

ltl arrives { [](due -> <>arrived) }
