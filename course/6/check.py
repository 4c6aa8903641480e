"""Lab 6: a whole function for a guest, step by step."""

import re

TITLE = "passthrough in seven steps"
MACHINE = "whole"
# The step of the usual recipe, and the line of this log that is it
STEPS = {
    "firmware": r"^vtd: dmar0: 0x",
    "on": r"^vtd: all DMA is blocked",
    "find": r"^(preflight|pci): 0000:00:02\.0[ :]",
    "unbind": r"^pci: bus mastering was on, now off",
    "bind": r"^assign: 0000:00:02\.0: .* whole, ",
    "tables": r"^vtd: (domain 1: |0000:00:02\.0: attached to domain 1)",
    "start": r"^gangway: first instruction of the guest",
}
CRITERIA = {"machine": 0, "assign": 2, "works": 2, **dict.fromkeys(STEPS, 1),
            "reset": 1}
LEAST = 12  # letters of a line that are an answer


def check_step(lab, run, key):
    said = lab.answers.get(key, "")
    if len(said) < LEAST:
        return lab.judge(key, False, "no answer yet: the start of a line of "
                         f"the log, {LEAST} letters at least")
    line = next((line for line in run.console.splitlines()
                 if line.startswith(said)), None)
    if line is None:
        return lab.judge(key, False, f"no line of the log starts with {said}")
    return lab.judge(key, re.match(STEPS[key], line),
                     line if re.match(STEPS[key], line) else
                     f"that line is another step: {line}")


def show(lab):
    """The first look, at a machine that gives nothing."""
    if not lab.answers.get("assign"):
        lab.run("whole")


def check(lab):
    assign = lab.answers.get("assign", "")
    if not assign:
        lab.judge("assign", False, "no answer yet: what stands behind assign=")
        return
    run = lab.run("whole", assign=assign)
    given = run.line("^assign: .* is the guest's")
    lab.judge("assign", given.startswith("assign: 0000:00:02.0 "),
              given or "nothing was given to the guest")
    edu = run.line("^(PASS|FAIL) 01 edu: ")
    lab.judge("works", edu.startswith("PASS"), edu or "the guest has no edu")
    for key in STEPS:
        check_step(lab, run, key)
    bind = run.line(STEPS["bind"])
    lab.predict("reset", bind.rpartition(", ")[2], bind)
