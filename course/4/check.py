"""Lab 4: the context entry says whose table is walked, and how."""

from lab_runs import fault

TITLE = "each device has its address space"
MACHINE = "attack"
CRITERIA = {"machine": 0, "model": 2, "entry": 2, "translated": 2, "aw": 1,
            "domain": 1, "reason_at_start": 1}


def check(lab):
    passed, line = lab.unit_test("test_vtd_context")
    lab.judge("model", passed, f"test_vtd_context: {line}")
    run = lab.run("attack")
    low, high = run.facts["context"]
    table = run.facts["layout"]["table"]
    lab.judge("entry", low == table | 1 and table in
              (int(root, 16) for root in run.facts["tables"]) and
              high == 0x102, f"context[80] is {high:#x}:{low:#x}")
    act = run.facts["acts"]["address_1"]
    lab.judge("translated", act["after"] == 0x61,
              (act["faults"] or [f"{act['command']}: the word arrived"])[0])
    lab.predict("aw", high & 7, f"context[80] is {high:#x}:{low:#x}")
    first = lab.untouched("attack").facts["acts"]["address_1"]["faults"]
    lab.predict("reason_at_start", int(fault(first[0])["reason"], 16),
                first[0])
    lab.predict("domain", high >> 8 & 0xffff,
                f"context[80] is {high:#x}:{low:#x}")
