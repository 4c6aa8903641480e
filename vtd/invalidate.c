/* This file submits to a unit's invalidation queue and waits for it (VT-d
 * 6.5.2). */
#include "vtd/invalidate.h"
#include "hv/log.h"
#include "hv/time.h"
#include "vtd/regs.h"

/* Descriptors (VT-d 6.5.2.1 and following): type in bits 3:0 */
#define DESC_CONTEXT 1
#define DESC_IOTLB 2
#define DESC_IEC 4
#define DESC_WAIT 5

/* Granularity of DESC_CONTEXT and DESC_IOTLB, bits 5:4 */
#define GLOBAL (1 << 4)
#define SELECT_DOMAIN (2 << 4)
#define SELECT_DEVICE (3 << 4)

#define ALL_CONTEXTS (DESC_CONTEXT | GLOBAL)
#define ALL_IRTES DESC_IEC /* granularity 0 (VT-d 6.5.2.7) */
#define CONTEXT_CACHE_DOMAIN(id) ((u64)(id) << 16)
#define CONTEXT_SID(sid) ((u64)(sid) << 32)
#define IOTLB_DRAIN_WRITES BIT(6)
#define IOTLB_DRAIN_READS BIT(7)
#define IOTLB_DOMAIN(id) ((u64)(id) << 16)
#define IEC_SELECT_INDEX BIT(4)
#define IEC_INDEX(index) ((u64)(index) << 32)
#define WAIT_STATUS_WRITE BIT(5)
#define WAIT_FENCE BIT(6)
#define WAIT_STATUS(value) ((u64)(value) << 32)

/* These stop the queue (VT-d 6.5.2.10); ICE does not (VT-d 10.4.9). */
#define STOPPING_ERRORS (VTD_FSTS_IQE | VTD_FSTS_ITE)

#define ICE_SAID_US 1000000

static u64 queue_head(const struct vtd_unit *unit)
{
	return vtd_read64(unit->base, VTD_IQH) & VTD_IQ_OFFSET;
}

static u64 queue_tail(const struct vtd_unit *unit)
{
	return vtd_read64(unit->base, VTD_IQT) & VTD_IQ_OFFSET;
}

/* The low words of descriptors: a function's context entry, a domain's IOTLB
 * entries or all, an interrupt entry, and a write of @value when all before are
 * done (VT-d 6.5.2.1, 6.5.2.3, 6.5.2.7, 6.5.2.8) */
static u64 context_descriptor(u16 domain, u16 sid)
{
	return DESC_CONTEXT | SELECT_DEVICE | CONTEXT_CACHE_DOMAIN(domain) |
	       CONTEXT_SID(sid);
}

/* The drains that the unit can do (VT-d 6.5.4) */
static u64 drains(u64 cap)
{
	return (cap & VTD_CAP_DWD ? IOTLB_DRAIN_WRITES : 0) |
	       (cap & VTD_CAP_DRD ? IOTLB_DRAIN_READS : 0);
}

static u64 iotlb_descriptor(u64 cap, u16 domain)
{
	return DESC_IOTLB | SELECT_DOMAIN | drains(cap) | IOTLB_DOMAIN(domain);
}

static u64 all_iotlb_descriptor(u64 cap)
{
	return DESC_IOTLB | GLOBAL | drains(cap);
}

static u64 irte_descriptor(u16 index)
{
	return DESC_IEC | IEC_SELECT_INDEX | IEC_INDEX(index);
}

static u64 wait_descriptor(u32 value)
{
	return DESC_WAIT | WAIT_STATUS_WRITE | WAIT_FENCE | WAIT_STATUS(value);
}

/* Write a descriptor at offset @at; returns the offset after it.  The queue
 * and the status word are always snooped (VT-d 10.4.3, C). */
static u64 put(struct vtd_queue *queue, u64 at, u64 low, u64 high)
{
	volatile struct vtd_entry *entry =
		&queue->entry[at / sizeof(*entry) % VTD_QUEUE_ENTRIES];

	entry->high = high;
	entry->low = low;
	return (at + sizeof(*entry)) % PAGE_SIZE;
}

static u64 put_wait(struct vtd_queue *queue, u64 at)
{
	return put(queue, at, wait_descriptor(++queue->sequence),
		   (uintptr_t)&queue->status);
}

/* Whoever sends these does so as often as he likes: said once a second. */
static void log_completion(const struct vtd_unit *unit)
{
	static u64 said;

	if (!time_due(&said, ICE_SAID_US))
		return;
	hv_log("vtd: %s: a device sent a completion that nobody asked for "
	       "(ICE): ignored\n",
	       unit->name);
	hv_log("vtd-event: unit=%s event=queue-error ice=1\n", unit->name);
}

static void log_stop(const struct vtd_unit *unit, u32 errors, u64 head)
{
	unsigned int at = head / sizeof(struct vtd_entry) % VTD_QUEUE_ENTRIES;
	volatile struct vtd_entry *refused = &unit->queue.entry[at];

	hv_log("vtd: %s: invalidation queue:%s%s (VT-d 6.5.2.10); at %u: "
	       "%016lx:%016lx\n",
	       unit->name,
	       errors & VTD_FSTS_IQE ? " refused descriptor (IQE)" : "",
	       errors & VTD_FSTS_ITE ? " device time-out (ITE)" : "", at,
	       refused->high, refused->low);
	hv_log("vtd-event: unit=%s event=queue-error%s%s at=%u "
	       "descriptor=0x%lx:%lx\n",
	       unit->name, errors & VTD_FSTS_IQE ? " iqe=1" : "",
	       errors & VTD_FSTS_ITE ? " ite=1" : "", at, refused->high,
	       refused->low);
}

/*
 * VT-d 6.5.2.10.  IQE: the unit stands before a descriptor that it refuses.
 * It gets a wait descriptor in its place, so that the queue goes on; what was
 * asked was not done.  ITE comes from a device-TLB request alone, which is
 * never queued here.  ICE comes from any device that sends a completion, asked
 * or not, where the unit knows device-TLBs: nothing of the queue is lost by it.
 * The caller holds the queue.
 */
static void recover(struct vtd_unit *unit)
{
	u32 errors = vtd_read32(unit->base, VTD_FSTS) & VTD_FSTS_QUEUE;
	u64 head = queue_head(unit);

	if (!errors)
		return;
	if (errors & VTD_FSTS_ICE)
		log_completion(unit);
	if (errors & STOPPING_ERRORS)
		log_stop(unit, errors, head);
	if (errors & VTD_FSTS_IQE)
		put_wait(&unit->queue, head);
	vtd_write32(unit->base, VTD_FSTS, errors);
	vtd_write64(unit->base, VTD_IQT, queue_tail(unit));
}

static void log_time_out(const struct vtd_unit *unit, u64 low, u64 high)
{
	hv_log("vtd: %s: invalidation %016lx:%016lx not done\n", unit->name,
	       high, low);
	hv_log("vtd-event: unit=%s event=time-out descriptor=0x%lx:%lx\n",
	       unit->name, high, low);
}

/* Queue one descriptor and a wait, ring, and wait.  The caller holds the
 * queue, so nothing else is in it. */
static int submit(struct vtd_unit *unit, u64 low, u64 high)
{
	struct vtd_queue *queue = &unit->queue;
	u64 tail = queue_tail(unit);
	u32 awaited;
	bool done;
	int err;

	/* What was given up on may have been done late, or refused */
	if (queue_head(unit) != tail)
		recover(unit);
	if (wait_until(queue_head(unit) == tail, VTD_TIMEOUT_US,
		       "vtd: invalidation queue to be empty")) {
		hv_log("vtd: %s: invalidation queue stands still\n",
		       unit->name);
		return -EIO;
	}
	tail = put(queue, tail, low, high);
	tail = put_wait(queue, tail);
	awaited = queue->sequence;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	vtd_write64(unit->base, VTD_IQT, tail);
	err = wait_until(
		queue->status == awaited ||
			(vtd_read32(unit->base, VTD_FSTS) & STOPPING_ERRORS),
		VTD_TIMEOUT_US, "vtd: invalidation");
	if (err)
		log_time_out(unit, low, high);
	/* The fence was passed: it was done, whatever else is reported */
	done = queue->status == awaited;
	if (!err)
		recover(unit);
	return err || done ? err : -EIO;
}

static int invalidate(struct vtd_unit *unit, u64 low)
{
	int err = wait_until(try_lock_acquire(&unit->queue.lock),
			     VTD_TIMEOUT_US, "vtd: another CPU's invalidation");

	if (err)
		return err;
	err = submit(unit, low, 0);
	try_lock_release(&unit->queue.lock);
	return err;
}

int vtd_invalidate_all(struct vtd_unit *unit)
{
	int contexts = invalidate(unit, ALL_CONTEXTS);
	int iotlb = invalidate(unit, all_iotlb_descriptor(unit->cap));

	return contexts ? contexts : iotlb;
}

int vtd_invalidate_context(struct vtd_unit *unit, u16 domain, u16 sid)
{
	return invalidate(unit, context_descriptor(domain, sid));
}

int vtd_invalidate_domain(struct vtd_unit *unit, u16 domain)
{
	return invalidate(unit, iotlb_descriptor(unit->cap, domain));
}

int vtd_invalidate_all_irtes(struct vtd_unit *unit)
{
	return invalidate(unit, ALL_IRTES);
}

int vtd_invalidate_irte(struct vtd_unit *unit, u16 index)
{
	return invalidate(unit, irte_descriptor(index));
}

void vtd_queue_errors(struct vtd_unit *unit)
{
	if (!try_lock_acquire(&unit->queue.lock))
		return;
	recover(unit);
	try_lock_release(&unit->queue.lock);
}
