/*
 * How many instructions a processor executes in VMX root operation (and without
 * VMX) and in non-root operation, and how many each VM exit costs in root
 * operation: with -cpu ...,x-count=on, for who asks by the monitor,
 *
 *     qom-get PATH vmx-count      of the processor at PATH (query-cpus-fast)
 *     qom-get PATH vmx-exits      of all processors
 *
 * An instruction counts when it has been done: not where it faults, exits, or
 * enters the guest.  Each step of a repeated string instruction counts if
 * -icount is on; without, one for some dozens of steps or more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cpu.h"
#include "system/cpu-timers.h"
#include "tcg/helper-tcg.h"

/* A loop that waits comes back to its PAUSE within so many instructions. */
#define WAITING 64

bool vmx_counting;

/*
 * What exits cost, but for waiting: how often each pair of reason and
 * instructions came
 */
struct cost {
    uint64_t insns;
    uint32_t reason;
    uint64_t times;
};

static GMutex lock;             /* of costs and what they point to */
static GHashTable *costs;       /* struct cost, its own key */

static guint cost_hash(gconstpointer key)
{
    const struct cost *c = key;

    return c->insns * 64 + c->reason;
}

static gboolean cost_equal(gconstpointer a, gconstpointer b)
{
    const struct cost *x = a, *y = b;

    return x->insns == y->insns && x->reason == y->reason;
}

static void note_cost(uint32_t reason, uint64_t insns)
{
    struct cost key = { .reason = reason, .insns = insns }, *there;

    g_mutex_lock(&lock);
    if (!costs) {
        costs = g_hash_table_new(cost_hash, cost_equal);
    }
    there = g_hash_table_lookup(costs, &key);
    if (!there) {
        there = g_memdup2(&key, sizeof(key));
        g_hash_table_add(costs, there);
    }
    there->times++;
    g_mutex_unlock(&lock);
}

void vmx_count_exit(CPUX86State *env, uint32_t reason)
{
    CPUVMXCount *c = &env->vmx_count;

    c->exit_insns = c->insns[0];
    c->exit_waited = c->waited;
    c->reason = reason;
}

/* Exit reason and its cost are of the root operation that ends here. */
void vmx_count_entry(CPUX86State *env)
{
    CPUVMXCount *c = &env->vmx_count;

    if (!vmx_counting) {
        return;
    }
    if (c->entries++) {
        note_cost(c->reason, c->insns[0] - c->exit_insns -
                  (c->waited - c->exit_waited));
    } else {
        c->first_insns = c->insns[0];
        c->first_waited = c->waited;
    }
}

void vmx_count_pause(CPUX86State *env)
{
    CPUVMXCount *c = &env->vmx_count;

    if (!env->vmx.nonroot) {
        if (c->insns[0] - c->last_pause < WAITING) {
            c->waited += c->insns[0] - c->last_pause;
        }
        c->last_pause = c->insns[0];
    }
}

/* A block that began in the world of @tb_flags is left after @done instructions. */
void vmx_count_rewind(CPUX86State *env, uint32_t tb_flags, unsigned done)
{
    if (vmx_counting) {
        env->vmx_count.insns[!!(tb_flags & HF_VMX_MASK)] =
            env->vmx_count.before_block + done;
    }
}

/* icount: of all processors, by QEMU's own counter; 0 without -icount */
static char *get_count(Object *obj, Error **errp)
{
    const CPUVMXCount *c = &X86_CPU(obj)->env.vmx_count;

    return g_strdup_printf(
        "root=%" PRIu64 " guest=%" PRIu64 " waited=%" PRIu64 " entries=%" PRIu64
        " halts=%" PRIu64 " first=%" PRIu64 " first-waited=%" PRIu64 " icount=%" PRId64,
        qatomic_read__nocheck(&c->insns[0]), qatomic_read__nocheck(&c->insns[1]),
        c->waited, c->entries, c->halts, c->first_insns, c->first_waited,
        icount_enabled() ? icount_get_raw() : 0);
}

/* A line for each pair: reason, instructions, how often */
static char *get_exits(Object *obj, Error **errp)
{
    GString *text = g_string_new(NULL);
    GHashTableIter i;
    gpointer key;

    g_mutex_lock(&lock);
    if (costs) {
        g_hash_table_iter_init(&i, costs);
        while (g_hash_table_iter_next(&i, &key, NULL)) {
            const struct cost *c = key;

            g_string_append_printf(text, "%" PRIu32 " %" PRIu64 " %" PRIu64
                                   "\n", c->reason, c->insns, c->times);
        }
    }
    g_mutex_unlock(&lock);
    return g_string_free(text, false);
}

static bool get_counting(Object *obj, Error **errp)
{
    return vmx_counting;
}

/* For all processors, and before any of them runs */
static void set_counting(Object *obj, bool value, Error **errp)
{
    vmx_counting = value;
}

void vmx_count_class_init(ObjectClass *oc)
{
    object_class_property_add_bool(oc, "x-count", get_counting, set_counting);
    object_class_property_add_str(oc, "vmx-count", get_count, NULL);
    object_class_property_add_str(oc, "vmx-exits", get_exits, NULL);
}
