/*
 * Accesses of the guest that the hypervisor answers: memory that EPT does not
 * map, and I/O ports.  One handler a range; handlers run under one lock.
 */
#ifndef HV_VMX_TRAP_H
#define HV_VMX_TRAP_H

#include "hv/types.h"

/* What a trapped access is counted as, beside its exit reason; shared with
 * gangway-stat. */
#include "hv/stat_abi.h"

#define TRAP_MEMORY_MAX 32
/* 8 functions of 6 I/O BARs each, and the 6 ranges of guest/platform.c */
#define TRAP_PORTS_MAX 54

/*
 * An access of @size bytes (1, 2, 4 or 8; ports: 1, 2, 4) at @offset from the
 * range's start, wholly within it.  A read fills *value (the bits above @size
 * are ignored); the bits above @size of a written *value are 0.
 *
 * Handlers run under the trap lock: they may add and remove ranges, also their
 * own, and must not call trap_lock() or trap_*_access().
 */
typedef void trap_fn(void *ctx, u64 offset, unsigned int size, bool write,
		     u64 *value);

struct trap_range {
	u64 start, size;
	trap_fn *handler;
	void *ctx;
	enum stat_cause cause;
};

/*
 * Who changes the ranges, or the state of a virtual device, from outside a
 * handler while a guest CPU may run holds this lock meanwhile.  Not for the
 * NMI handler: it may have interrupted the holder.
 */
void trap_lock(void);
void trap_unlock(void);

/*
 * Add a range.  The caller is a handler, or holds trap_lock(), or no guest CPU
 * runs yet.  -ENOSPC: the table is full; -EEXIST: it overlaps another; -EINVAL:
 * empty, wraps, or beyond the last port.
 */
int trap_memory(const struct trap_range *range);
int trap_ports(const struct trap_range *range);

/* True if no range has any of these ports; the caller is as for trap_ports().
 */
bool trap_ports_free(u64 start, u64 size);

/* Forget the range that starts at @start, if there is one.  The caller is as
 * for trap_memory(). */
void trap_memory_remove(u64 start);
void trap_ports_remove(u64 start);

/* Forget every range; no guest CPU runs. */
void trap_reset(void);

/*
 * Do one access; false if no range holds all of it: then a read gives all ones
 * and a write is dropped, as on a bus.  A read leaves 0 above @size.  @cause,
 * if not NULL, gets what the access counts as.
 */
bool trap_memory_access(u64 gpa, unsigned int size, bool write, u64 *value,
			enum stat_cause *cause);
bool trap_port_access(u16 port, unsigned int size, bool write, u64 *value,
		      enum stat_cause *cause);

#endif
