"""Lab 12: a table covers 512 entries of its level; RAM is where the log says;
32 MiB are so many leaves."""

import re

SHIFTS = {"4k": 12, "2m": 21, "1g": 30}


def tables(pieces, leaf):
    """How many tables map the pieces (guest address, host address, size) with
    leaves of at most 2 to the @leaf bytes, where these fit."""
    found = set()
    for guest, host, size in pieces:
        at, end = guest, guest + size
        while at < end:
            for shift in (30, 21, 12):
                here = at - guest + host
                if shift <= leaf and not (at | here) & ((1 << shift) - 1) \
                        and at + (1 << shift) <= end:
                    break
            found |= {(above, at >> above)
                      for above in (48, 39, 30, 21) if above > shift}
            at += 1 << shift
    return len(found)


def answers(lab):
    run = lab.run("leaves")
    pieces = [(int(first, 16), int(host, 16), int(last, 16) + 1 - int(first, 16))
              for first, last, host in re.findall(
                  r"^guest: RAM 0x(\w+)-0x(\w+) at host 0x(\w+)", run.console,
                  re.M)]
    found = {"reads_4k": 4, "reads_2m": 3, "reads_1g": 2}
    for size, shift in SHIFTS.items():
        found[f"kib_{size}"] = 4 * tables(pieces, shift)
        found[f"fills_{size}"] = (32 << 20) >> shift
    return {**found, "minutes": 50}
