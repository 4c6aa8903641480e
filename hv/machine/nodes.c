/* This file says which nodes of the machine the guest is on. */
#include "hv/machine/nodes.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/srat.h"
#include "hv/vmx/guest.h"

/* Of those beyond, nothing is said but that they are there. */
#define NODES_MAX 64

struct nodes {
	u32 number[NODES_MAX];
	unsigned int count;
	bool more;
};

static void add(struct nodes *n, u32 number)
{
	for (unsigned int i = 0; i < n->count; i++)
		if (n->number[i] == number)
			return;
	if (n->count < NODES_MAX)
		n->number[n->count++] = number;
	else
		n->more = true;
}

static void collect(const struct acpi_header *srat, struct nodes *n)
{
	struct srat_memory memory;

	for (u32 at = 0; srat_next_memory(srat, &at, &memory);)
		if (memory.size)
			add(n, memory.node);
}

/* Bytes of @region that are in @memory. */
static u64 common(const struct region *region, const struct srat_memory *memory)
{
	u64 start = MAX(region->hpa, memory->base);
	u64 end = MIN(region->hpa + region->size,
		      memory->base +
			      MIN(memory->size, UINT64_MAX - memory->base));

	return region->kind == REGION_RAM && start < end ? end - start : 0;
}

static u64 ram_of(const struct acpi_header *srat, u32 node)
{
	struct srat_memory memory;
	u64 size = 0;

	for (u32 at = 0; srat_next_memory(srat, &at, &memory);)
		for (unsigned int i = 0;
		     memory.node == node && i < guest.map.count; i++)
			size += common(&guest.map.region[i], &memory);
	return size;
}

static unsigned int cpus_of(const struct acpi_header *srat, u32 node)
{
	unsigned int count = 0;
	u32 own;

	for (unsigned int i = 0; i < vcpu_count; i++)
		count += srat_processor(srat, cpus[i]->apic_id, &own) &&
			 own == node;
	return count;
}

void machine_log_nodes(void)
{
	const struct acpi_header *srat = acpi_table("SRAT");
	struct nodes nodes = {0};

	if (!srat)
		return;
	collect(srat, &nodes);
	if (nodes.count < 2)
		return;
	hv_log("guest: the machine has %s%u NUMA nodes, of which the guest is "
	       "not told: memory of another node than its CPU's is slower\n",
	       nodes.more ? "more than " : "", nodes.count);
	for (unsigned int i = 0; i < nodes.count; i++)
		hv_log("guest: node %u: %lu MiB of its RAM, %u of its CPUs\n",
		       nodes.number[i], ram_of(srat, nodes.number[i]) / MIB,
		       cpus_of(srat, nodes.number[i]));
}
