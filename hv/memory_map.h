/*
 * What lies where in the guest's physical address space.  The only source of
 * EPT and of the VT-d second-level tables: RAM goes into both, device memory
 * into EPT alone.
 */
#ifndef HV_MEMORY_MAP_H
#define HV_MEMORY_MAP_H

#include "hv/types.h"

/* Writes of devices here are interrupts, not memory accesses (VT-d 3.14) */
#define INTERRUPT_RANGE 0xfee00000UL
#define INTERRUPT_RANGE_SIZE MIB

#define MEMORY_MAP_MAX 64

enum region_kind {
	REGION_RAM,	 /* read, write, execute, write-back; DMA goes here */
	REGION_BAR,	 /* read, write, uncached; of an assigned function */
	REGION_BAR_READ, /* read, uncached; writes exit */
};

struct region {
	gpa_t gpa;
	hpa_t hpa;
	u64 size;
	enum region_kind kind;
};

/* Sorted by GPA, without overlaps, multiples of 4 KiB. */
struct memory_map {
	struct region region[MEMORY_MAP_MAX];
	unsigned int count;
};

/* Add a region.  -EINVAL: not page-aligned, empty, or wraps; -EEXIST: overlaps
 * one that is there; -ENOSPC: the map is full. */
int memory_map_add(struct memory_map *map, gpa_t gpa, hpa_t hpa, u64 size,
		   enum region_kind kind);

/* Remove the region that starts at @gpa; -ENOENT if there is none. */
int memory_map_remove(struct memory_map *map, gpa_t gpa);

/* The region that holds @gpa, or NULL. */
const struct region *memory_map_find(const struct memory_map *map, gpa_t gpa);

/* HPA of @gpa if all of [gpa, gpa + size) is one region of RAM; else 0 and
 * false. */
bool memory_map_ram(const struct memory_map *map, gpa_t gpa, u64 size,
		    hpa_t *hpa);

/* First address above the last byte of RAM. */
gpa_t memory_map_ram_end(const struct memory_map *map);

/* Copy between the guest's RAM and the hypervisor; may cross regions.
 * -EINVAL, with nothing copied, if not all of it is RAM. */
int guest_ram_write(const struct memory_map *map, gpa_t gpa, const void *from,
		    u64 size);
int guest_ram_read(const struct memory_map *map, gpa_t gpa, void *to, u64 size);

/* Write in words what lies at @gpa, for messages: "RAM",
 * "1.2 MiB beyond the end of RAM", "hole between ...".  NUL-terminated. */
void memory_map_describe(const struct memory_map *map, gpa_t gpa, char *buf,
			 size_t size);

#endif
