"""Lab 1: a device that nobody translates reads and writes any memory."""

import lab_runs

TITLE = "no IOMMU: a device reaches all memory"
MACHINE = "weakened"
CRITERIA = {"machine": 0, "offset": 2, "victim": 2, "written": 2, "read": 2,
            "fault_lines": 1}


def check_victim(lab, run):
    """In the hypervisor's memory, as this run's log tells it."""
    victim = lab.answer("victim")
    image, end, tables = (int(word, 16) for word in run.match(
        r"image at 0x([0-9a-f]+)-0x([0-9a-f]+), page tables at 0x([0-9a-f]+)"))
    its_own = image <= victim <= end or tables <= victim < tables + 0x1000
    lab.judge("victim", its_own and not victim % 4,
              f"{victim:#x}, of Gangway's image or page tables" if its_own
              else f"{victim:#x} is not in what Gangway's log calls its image "
              "or its page tables: " + run.line("image at 0x"))


def check_read(lab, run):
    """What stood there is in a frame that left the card."""
    there = b"".join(word.to_bytes(4, "little")
                     for word in run.facts["before"][:4])
    if not any(there):
        lab.judge("read", False, "16 bytes of zeros stand there: nobody would "
                  "know them again on the wire; choose another victim")
        return
    seen = any(there in frame for frame in run.wire)
    lab.judge("read", seen, f"{there.hex(' ')}, which stood there, "
              + ("left the card in a frame" if seen else "is in no frame"))


def check(lab):
    run = lab.run("weakened", victim=None, offset=None)
    host = run.number(r"^guest: RAM 0x0+-0x[0-9a-f]+ at host 0x([0-9a-f]+)")
    lab.predict("offset", host, run.line("guest: RAM"))
    victim, offset = lab.answer("victim"), lab.answer("offset")
    if not isinstance(victim, int) or not isinstance(offset, int):
        lab.judge("victim", False, "no answer yet: an address")
        return
    check_victim(lab, run)
    run = lab.run("weakened", victim=victim & ~3, offset=offset)
    write = run.facts["write"]
    lab.judge("written", write["after"] == 0x5a,
              f"at {victim:#x} stood {write['before']:#010x}, now stands "
              f"{write['after']:#010x}; the VF: {write['did']}")
    check_read(lab, run)
    lab.predict("fault_lines",
                len(run.facts["read"]["faults"] + write["faults"]),
                "count the vtd-fault lines of " +
                str(run.folder.relative_to(lab_runs.machine.ROOT)))
