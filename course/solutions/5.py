"""Lab 5: a step refills what was flushed before it, if what it reads is still
there.  The IOTLB is filled from the context cache, that from the entry; so only
entry, context cache, IOTLB leaves nothing behind (VT-d 6.2.2.1)."""

ORDERS = ("ect", "etc", "cet", "cte", "tec", "tce", "ec", "et")


def answers(lab):
    return {**{order: "holds" if order == "ect" else "leaks"
               for order in ORDERS}, "minutes": 50}
