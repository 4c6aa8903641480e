/* This file says in words what the machine-check banks hold. */
#include "hv/machine_check.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/x86.h"

#define LEAF1_EDX_MCE_MCA (BIT(7) | BIT(14))
#define MCG_CAP_COUNT 0xff
#define BANKS_MAX 32 /* MSRs 400H to 47FH; behind them are those of VMX */
#define MCG_CAP_CTL BIT(8)
#define ALL_ERRORS (~0ULL)
#define MSR_BANK_CTL(i) (MSR_MC0_CTL + 4 * (i))
#define MSR_BANK_STATUS(i) (MSR_MC0_CTL + 4 * (i) + 1)
#define MSR_BANK_ADDR(i) (MSR_MC0_CTL + 4 * (i) + 2)

/* 15.3.2.2 */
#define STATUS_VALID BIT(63)
#define STATUS_OVERFLOW BIT(62)
#define STATUS_UNCORRECTED BIT(61)
#define STATUS_ADDRESS BIT(58)
#define STATUS_CONTEXT_CORRUPT BIT(57)
#define STATUS_CODE 0xefff /* without bit 12, which is about corrected ones */

/* 15.9: the first that fits */
static const struct {
	u16 mask, value;
	const char *words;
} codes[] = {
	{0xffff, 0x0000, "no error"},
	{0xffff, 0x0001, "an error without a class"},
	{0xffff, 0x0002, "parity of the microcode ROM"},
	{0xffff, 0x0003, "an error that another part of the machine signals"},
	{0xffff, 0x0005, "parity inside the processor"},
	{0xffff, 0x0006, "SMM executed code outside its memory"},
	{0xffff, 0x0400,
	 "the processor's internal timer: an instruction "
	 "never ended, such as a read that no device answers"},
	{0xffff, 0x0e0b, "I/O: PCI Express or what is behind it"},
	{0xfc00, 0x0400, "inside the processor"},
	{0xfffc, 0x000c, "a cache"},
	{0xfff0, 0x0010, "a TLB"},
	{0xff80, 0x0080, "the memory controller: RAM or its wires"},
	{0xff80, 0x0280, "the memory controller's cache"},
	{0xff00, 0x0100, "a cache"},
	{0xf800, 0x0800,
	 "the bus: an access that failed, to a device, RAM or "
	 "another socket"},
};

static const char *code_words(u64 status)
{
	u16 code = status & STATUS_CODE;

	for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++)
		if ((code & codes[i].mask) == codes[i].value)
			return codes[i].words;
	return "a code that is not known";
}

static void log_bank(unsigned int index, unsigned int bank, u64 status)
{
	hv_log("machine check: cpu %u bank %u: %s%s%s; status 0x%lx\n", index,
	       bank, code_words(status),
	       status & STATUS_UNCORRECTED ? ", not corrected" : ", corrected",
	       status & STATUS_CONTEXT_CORRUPT
		       ? ", the processor's state is lost"
		       : "",
	       status);
	if (status & STATUS_ADDRESS)
		hv_log("machine check: cpu %u bank %u: at 0x%lx\n", index, bank,
		       rdmsr(MSR_BANK_ADDR(bank)));
	if (status & STATUS_OVERFLOW)
		hv_log("machine check: cpu %u bank %u: and others that are "
		       "lost\n",
		       index, bank);
}

static unsigned int bank_count(void)
{
	return MIN(rdmsr(MSR_MCG_CAP) & MCG_CAP_COUNT, (u64)BANKS_MAX);
}

void machine_check_enable(void)
{
	unsigned int count;

	if ((cpuid(1, 0).edx & LEAF1_EDX_MCE_MCA) != LEAF1_EDX_MCE_MCA)
		return;
	count = bank_count();
	if (rdmsr(MSR_MCG_CAP) & MCG_CAP_CTL)
		wrmsr(MSR_MCG_CTL, ALL_ERRORS);
	for (unsigned int bank = 0; bank < count; bank++)
		wrmsr(MSR_BANK_CTL(bank), ALL_ERRORS);
}

void machine_check_log(unsigned int index)
{
	unsigned int count = bank_count();
	unsigned int found = 0;

	for (unsigned int bank = 0; bank < count; bank++) {
		u64 status = rdmsr(MSR_BANK_STATUS(bank));

		if (!(status & STATUS_VALID))
			continue;
		log_bank(index, bank, status);
		wrmsr(MSR_BANK_STATUS(bank), 0);
		found++;
	}
	if (!found)
		hv_log("machine check: cpu %u: no bank says why; another "
		       "processor's may\n",
		       index);
	wrmsr(MSR_MCG_STATUS, 0);
}
