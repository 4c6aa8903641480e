"""Lab 7: what exits, and what does not."""

import re

TITLE = "no exit for DMA"
MACHINE = "demo"
CRITERIA = {"machine": 0, "traffic": 2, "interrupts": 1, "halts": 1,
            "timers": 1, "sipi": 1, "most": 1, "second": 1, "most_access": 1}


def rows(console):
    """The counters at the end: what exited, and what the accesses were for."""
    table = console[console.index("gangway: VM exits"):]
    exits = re.findall(r"^  (\S.*?)  +(\d+) ", table, re.M)
    accesses = re.findall(r"^    (\S.*?)  +(\d+) ", table, re.M)
    return ({name.lower(): int(count) for name, count in exits},
            {name.lower(): int(count) for name, count in accesses})


def check(lab):
    run = lab.run("demo")
    exits, accesses = rows(run.console)
    order = sorted(exits, key=exits.get, reverse=True)
    line = run.line("PASS VM exits: ") or run.line("FAIL VM exits: ")
    lab.predict("traffic", int(re.search(r"VM exits: (\d+)", line)[1]), line)
    where = "the table behind \"gangway: VM exits\""
    lab.predict("interrupts", exits.get("external interrupt", 0), where)
    lab.predict("halts", exits.get("hlt", 0), where)
    lab.predict("timers", exits.get("preemption timer", 0), where)
    lab.predict("sipi", exits.get("sipi", 0), where)
    lab.predict("most", order[0], where)
    lab.predict("second", order[1], where)
    lab.predict("most_access", max(accesses, key=accesses.get), where)
