/* This file makes the time stamp counters of all processors equal, as far as
 * that is possible, and measures by how much they are not. */
#include "hv/tsc.h"
#include "hv/asm.h"
#include "hv/time.h"
#include "hv/x86.h"

#define LEAF7_EBX_TSC_ADJUST BIT(1)
/* So many, but none after so long: on an emulator an answer may take that */
#define ROUNDS 16
#define ROUNDS_US 1000
#define ANSWER_LIMIT_US 1000000

/* A question names its round and a CPU, in 32 bits each; the answer is the
 * same number, after @tsc. */
static struct {
	u64 question, answer;
	u64 tsc;
} exchange;

u64 tsc_adjust_clear(void)
{
	u64 left;

	if (cpuid(0, 0).eax < 7 || !(cpuid(7, 0).ebx & LEAF7_EBX_TSC_ADJUST))
		return 0;
	left = rdmsr(MSR_TSC_ADJUST);
	if (left)
		wrmsr(MSR_TSC_ADJUST, 0);
	return left;
}

void tsc_answer(unsigned int index)
{
	u64 question = __atomic_load_n(&exchange.question, __ATOMIC_ACQUIRE);

	if ((u32)question != index || question == exchange.answer)
		return;
	exchange.tsc = rdtsc();
	__atomic_store_n(&exchange.answer, question, __ATOMIC_RELEASE);
}

static bool is_answered(u64 question)
{
	return __atomic_load_n(&exchange.answer, __ATOMIC_ACQUIRE) == question;
}

/* The other counter was read between two readings of this one: what lies
 * outside of these is difference. */
static s64 ask(u64 question, bool *answered)
{
	u64 before = rdtsc(), after;

	__atomic_store_n(&exchange.question, question, __ATOMIC_RELEASE);
	*answered = !wait_until(is_answered(question), ANSWER_LIMIT_US,
				"another processor to read its TSC");
	after = rdtsc();
	if (!*answered)
		return 0;
	if ((s64)(exchange.tsc - before) < 0)
		return (s64)(exchange.tsc - before);
	return MAX((s64)(exchange.tsc - after), (s64)0);
}

s64 tsc_ahead(unsigned int index)
{
	static u64 round;
	u64 end = time_us() + ROUNDS_US;
	s64 ahead = 0;
	bool answered = true;

	for (unsigned int i = 0;
	     i < ROUNDS && answered && (!i || time_us() < end); i++) {
		s64 seen = ask(++round << 32 | index, &answered);

		if (seen < 0 ? seen < ahead : seen > ahead)
			ahead = seen;
	}
	return ahead;
}
