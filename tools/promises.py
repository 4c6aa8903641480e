"""make promises: what Gangway promises in numbers, and docs/promises.md.

    promises.py     writes the page from build/promises.json, which
                    tests/vm/test_promises.py has measured; fails where one of
                    the promises is broken

PROMISES is the one list of them."""

import dataclasses
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
MEASURED = BUILD / "promises.json"
PAGE = ROOT / "docs/promises.md"

# Exits that I/O, interrupts, IPIs, timers or HLT would cause; as judge.sh has it
OF_IO = {"EXTERNAL_INTERRUPT", "INTERRUPT_WINDOW", "HLT", "RDMSR", "WRMSR",
         "MWAIT", "TPR_BELOW_THRESHOLD", "APIC_ACCESS", "VIRTUALIZED_EOI",
         "APIC_WRITE", "PREEMPTION_TIMER", "EPT_MISCONFIGURATION", "NO_DEVICE"}
# Of the product, each with its limit of lines
FOLDERS = {"boot": 1500, "hv/machine": 3180, "guest/assign": 2250,
           "guest": 3500, "vtd": 4360, "drivers": 3540, "hv/vmx": 4730,
           "drivers/pci": 3890, "hv": 5560}
# External interrupt, interrupt window; and HLT
BY_INTERRUPT, BY_HLT = (1, 7), 12
# What an exit costs, in the median at most: reason (SDM 3D appendix C)
EXITS = {0: ("exception or NMI", 800), 4: ("SIPI", 350), 10: ("CPUID", 400),
         28: ("control register", 450), 30: ("I/O port", 1100),
         31: ("RDMSR", 550), 32: ("WRMSR", 450), 48: ("EPT violation", 3000),
         55: ("XSETBV", 400)}


@dataclasses.dataclass
class Promise:
    """@key has at most @limit.  There must have been @at_least of @events, or
    nothing was shown."""

    key: str
    text: str
    limit: float
    events: str = ""
    at_least: int = 0

    def broken(self, values):
        """Why it is broken, or None."""
        measured = values[self.key]
        if measured > self.limit:
            return f"{self.text}: {shown(measured)}, at most {self.limit}"
        if self.events and values[self.events] < self.at_least:
            return (f"{self.text}: only {shown(values[self.events])} "
                    f"{self.events}, at least {self.at_least} were wanted")
        return None

    def row(self, values):
        """Of the table."""
        of = f", of {shown(values[self.events])}" if self.events else ""
        return (self.text, f"{self.limit:,}", shown(values[self.key]) + of)


PROMISES = [
    Promise("traffic", "exits for network traffic, by MiB", 0, "traffic_mib", 32),
    Promise("traffic", "exits for the VF's interrupts and their EOI", 0,
            "traffic_interrupts", 100),
    Promise("nvme", "exits for an NVMe VF's reads and writes, by MiB", 0,
            "nvme_mib", 30),
    Promise("nvme", "exits for its interrupts and their EOI", 0,
            "nvme_interrupts", 100),
    Promise("others", "exits for anything else meanwhile, but CPUID", 20),
    Promise("busy", "exits for IPIs", 0, "busy_ipis", 100),
    Promise("busy", "exits for timer ticks", 0, "busy_ticks", 100),
    Promise("hlt", "exits for HLT, since the guest's start", 0, "halts", 100),
    Promise("interrupt", "exits by an interrupt, since the guest's start", 0),
    Promise("idle_rate", "exits of an idle guest a second, all CPUs", 1,
            "idle_seconds", 10),
    # gcc 16 makes 454,000 of what are 426,000 by gcc 12
    Promise("image", "bytes of gangway.efi", 471040),
    Promise("memory_kib", "KiB of memory in use, guest's tables not counted",
            1024),
    Promise("kept_kib", "KiB of memory kept from the guest", 4096),
    Promise("ept_kib_per_gib", "KiB of EPT for a GiB of the guest", 8),
    Promise("vtd_kib_per_gib", "KiB of VT-d's second level for a GiB", 8),
    Promise("fills", "walks of VT-d's tables in the whole run, by MiB", 100,
            "dma_mib", 60),
    Promise("start", "instructions from take-over to the guest's first",
            20000000),
    *(Promise(f"exit_{reason}", f"instructions of an exit, median: {name}",
              limit, f"exit_{reason}_times", 1)
      for reason, (name, limit) in EXITS.items()),
    Promise("exit_max", "instructions of the longest exit", 10000000),
    *(Promise(f"lines_{folder}", f"lines of {folder}/", limit)
      for folder, limit in FOLDERS.items()),
]


def exits(costs):
    """Values of @costs, {reason: sorted instructions of each exit}."""
    values = {"exit_max": max(of[-1] for of in costs.values()),
              "hlt": len(costs.get(BY_HLT, ())),
              "interrupt": sum(len(costs.get(reason, ()))
                               for reason in BY_INTERRUPT)}
    for reason, of in costs.items():
        values[f"exit_{reason}"] = of[len(of) // 2]
        values[f"exit_{reason}_times"] = len(of)
    return values


def shown(number):
    """With commas; a fraction with two digits."""
    return f"{number:,.2f}" if isinstance(number, float) else f"{number:,}"


def of_files():
    """What needs no machine: the image, lines of code."""
    lines = {f"lines_{folder}": sum(
        len(path.read_text().splitlines())
        for pattern in ("*.c", "*.h", "*.asm")
        for path in (ROOT / folder).glob(pattern)) for folder in FOLDERS}
    return {"image": (BUILD / "gangway.efi").stat().st_size, **lines}


def broken(values):
    """What is not kept: a list of sentences."""
    return list(filter(None, (promise.broken(values) for promise in PROMISES)))


def rows_promised():
    """Text and limit of each."""
    return [(promise.text, f"{promise.limit:,}") for promise in PROMISES]


def rows_of_page():
    """The same, as the page has them."""
    return re.findall(r"^\| ([^|]+) \| ([\d,.]+) \| [^|]+ \|$",
                      PAGE.read_text(), re.M)


def main():
    values = json.loads(MEASURED.read_text())
    rows = "".join(f"| {' | '.join(promise.row(values))} |\n"
                   for promise in PROMISES)
    text = PAGE.read_text()
    PAGE.write_text(re.sub(r"(?<=^\|---\|---\|---\|\n)(\|.*\n)*", rows, text,
                           count=1, flags=re.M))
    for problem in broken(values):
        print(f"promises: broken: {problem}")
    return bool(broken(values))


if __name__ == "__main__":
    sys.exit(main())
