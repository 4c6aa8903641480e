/*
 * What is known of the hypervisors that Gangway may run under, where they do
 * not do what a processor does.
 *
 * A write to a page that EPT maps read-only exits, with the address that was
 * written (27.2.1).  Where the page is a virtual device's, KVM executes the
 * guest's instructions there itself once the guest has read from it.  For a
 * write it then reports the page's first byte (seen with Linux 6.1; its
 * walk_addr_generic() translates the page, not the byte), and later versions
 * take part of the qualification from an exit that has none.
 *
 * A probe would need a guest of its own that reads and writes a device.  The
 * signature is there without one.
 */
#include "hv/vmx/below.h"
#include "hv/asm.h"
#include "hv/string.h"

#define LEAF1_ECX_HYPERVISOR BIT(31)
#define LEAF_SIGNATURE 0x40000000
#define SIGNATURE_SIZE 12

/* Those that execute the guest's instructions by the manual, one by one */
static const char keeps_read_only[][SIGNATURE_SIZE + 1] = {"TCGTCGTCGTCG"};

const char *below_signature(void)
{
	static const char unnamed[SIGNATURE_SIZE + 1] = "unnamed";
	static char text[SIGNATURE_SIZE + 1];
	struct cpuid_regs r;

	if (!(cpuid(1, 0).ecx & LEAF1_ECX_HYPERVISOR))
		return NULL;
	r = cpuid(LEAF_SIGNATURE, 0);
	memcpy(&text[0], &r.ebx, 4);
	memcpy(&text[4], &r.ecx, 4);
	memcpy(&text[8], &r.edx, 4);
	return text[0] ? text : unnamed;
}

bool below_keeps_read_only(void)
{
	const char *below = below_signature();

	if (!below)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(keeps_read_only); i++)
		if (!memcmp(below, keeps_read_only[i], SIGNATURE_SIZE))
			return true;
	return false;
}
