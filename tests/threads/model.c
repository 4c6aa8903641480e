/* The parts of the hypervisor that the tests do not run, as far as those that
 * they run call them. */
#include "tests/threads/model.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_reset.h"
#include "guest/assign/irq.h"
#include "guest/assign/pf_domain.h"
#include "guest/assign/table.h"
#include "guest/assign/whole.h"
#include "hv/console.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/ept_format.h"
#include "hv/vmx/icr.h"
#include "hv/vmx/vmx.h"
#include "hv/weaken.h"
#include "vtd/context.h"
#include <stdio.h>
#include <stdlib.h>

u32 model_version;
u64 model_seed;
u32 weaken;
struct vmx_controls vmx;
const struct pt_format ept_format;

void model_broken(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "seed %lu: broken: ", model_seed);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

/* --- words */

void hv_log(const char *fmt, ...)
{
	va_list ap;

	if (!getenv("V"))
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

int format_va(char *buf, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(buf, size, fmt, ap);
}

void panic(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	model_broken("panic: %s", text);
}

int wait_timed_out(const char *what)
{
	model_broken("timeout: %s", what);
}

bool console_guest_in_line(void)
{
	return false;
}

void vmwrite_failed(enum vmcs_field field, u64 value)
{
	model_broken("VMWRITE of %lx to %x", value, field);
}

/* --- the guest's tables */

int pt_init(struct page_table *pt, const struct pt_format *format,
	    unsigned int levels, u32 leaves, bool noncoherent)
{
	(void)pt;
	(void)format;
	(void)levels;
	(void)leaves;
	(void)noncoherent;
	return 0;
}

int pt_map(struct page_table *pt, u64 from, hpa_t to, u64 size, u32 attr)
{
	(void)pt;
	(void)from;
	(void)to;
	(void)size;
	(void)attr;
	return 0;
}

int pt_unmap(struct page_table *pt, u64 from, u64 size)
{
	(void)pt;
	(void)from;
	(void)size;
	__atomic_add_fetch(&model_version, 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* The tables that were taken out are used for something else from here on. */
void pt_release(struct page_table *pt)
{
	u32 version = __atomic_load_n(&model_version, __ATOMIC_SEQ_CST);

	(void)pt;
	for (unsigned int i = 0; i < vcpu_count; i++)
		if (cpus[i] != this_cpu() && model_walks(i) < version)
			model_broken("cpu %u walks tables that are freed", i);
}

bool icr_reaches(u64 icr, u32 self, u32 id)
{
	(void)self;
	return icr >> 32 == id;
}

/* --- what guest/assign/stop.c asks for */

struct assigned assigned[ASSIGN_MAX];
unsigned int assigned_count = 1;

u16 pci_read16(const struct pci_function *fn, u16 reg)
{
	(void)fn;
	(void)reg;
	return 0;
}

void pci_write16(const struct pci_function *fn, u16 reg, u16 value)
{
	(void)fn;
	(void)reg;
	(void)value;
}

int pci_flr(struct pci_function *fn)
{
	(void)fn;
	return 0;
}

int vtd_detach(struct vtd_domain *d, const struct pci_function *fn)
{
	(void)d;
	(void)fn;
	return 0;
}

int assigned_reset_whole(struct assigned *a)
{
	(void)a;
	return 0;
}

void pf_lose(struct pci_function *pf)
{
	(void)pf;
}

int assigned_service(const struct assigned *a)
{
	(void)a;
	return 0;
}

/* Its BARs leave the guest's tables. */
void vpci_lose(struct vpci_function *v)
{
	(void)v;
	ept_remove(0xc0000000, PAGE_SIZE);
}
