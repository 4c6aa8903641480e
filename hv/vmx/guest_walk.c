/* This file reads the guest's memory by its own linear addresses (Intel SDM
 * 3A 4). */
#include "hv/vmx/guest_walk.h"
#include "hv/x86.h"

#define PTE_P BIT(0)
#define PTE_PS BIT(7)
#define PTE_ADDR 0x000ffffffffff000ULL

/* A paging mode: levels of tables, bits of index and bytes of entry. */
struct mode {
	unsigned int levels, index_bits, entry_size;
	bool large_top; /* PS counts at level 2 only if CR4.PSE */
};

static struct mode paging_mode(const struct guest_paging *p)
{
	if (p->efer & EFER_LMA)
		return (struct mode){4, 9, 8, true};
	if (p->cr4 & CR4_PAE)
		return (struct mode){3, 9, 8, true};
	return (struct mode){2, 10, 4, p->cr4 & CR4_PSE};
}

static bool read_entry(const struct guest_paging *p, gpa_t at,
		       unsigned int size, u64 *entry)
{
	*entry = 0;
	return guest_ram_read(p->map, at, entry, size) == 0;
}

static gpa_t root_table(const struct guest_paging *p, const struct mode *m)
{
	if (m->levels == 3)
		return p->cr3 & 0xffffffe0;
	return p->cr3 & (m->levels == 2 ? 0xfffff000 : PTE_ADDR);
}

/* Large pages: 1 GiB only in 4-level paging, 2 MiB and 4 MiB by mode. */
static bool is_large(const struct mode *m, unsigned int level, u64 entry)
{
	if (!(entry & PTE_PS) || level == 1)
		return false;
	if (level == 2)
		return m->large_top;
	return level == 3 && m->levels == 4;
}

/* Bits 20:13 of a 4 MiB page's entry are address bits 39:32 (4.3). */
static gpa_t large_base(const struct mode *m, u64 entry, u64 span)
{
	gpa_t base = entry & PTE_ADDR & ~(span - 1);

	if (m->levels == 2)
		base |= (entry >> 13 & 0xff) << 32;
	return base;
}

bool guest_translate(const struct guest_paging *p, u64 la, gpa_t *gpa)
{
	struct mode m = paging_mode(p);
	gpa_t table = root_table(p, &m);

	if (!(p->cr0 & CR0_PG)) {
		*gpa = (u32)la;
		return true;
	}
	for (unsigned int level = m.levels; level; level--) {
		unsigned int shift = PAGE_SHIFT + m.index_bits * (level - 1);
		u64 index = la >> shift & (BIT(m.index_bits) - 1);
		u64 entry;

		if (m.levels == 3 && level == 3)
			index &= 3;
		if (!read_entry(p, table + index * m.entry_size, m.entry_size,
				&entry) ||
		    !(entry & PTE_P))
			return false;
		if (is_large(&m, level, entry)) {
			*gpa = large_base(&m, entry, BIT(shift)) +
			       (la & (BIT(shift) - 1));
			return true;
		}
		table = entry & PTE_ADDR;
	}
	*gpa = table + (la & (PAGE_SIZE - 1));
	return true;
}

unsigned int guest_read_linear(const struct guest_paging *p, u64 la, u8 *buf,
			       unsigned int size)
{
	unsigned int done = 0;

	while (done < size) {
		u64 left = PAGE_SIZE - (la & (PAGE_SIZE - 1));
		unsigned int chunk = MIN(left, size - done);
		gpa_t gpa;

		if (!guest_translate(p, la, &gpa) ||
		    guest_ram_read(p->map, gpa, buf + done, chunk))
			break;
		done += chunk;
		la += chunk;
	}
	return done;
}
