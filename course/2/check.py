"""Lab 2: the same attack with translation, and what the fault says."""

from lab_runs import fault

TITLE = "the IOMMU stops it"
MACHINE = "attack"
ACTS = ("beyond", "beyond_read", "image", "eight_gib", "one_tib", "too_wide",
        "last_word")
CRITERIA = {"machine": 0, **{f"{act}_{what}": 1 for act in ACTS
                             for what in ("reason", "level")
                             if what == "reason" or act in ACTS[2:6]},
            "changed": 0}


def reason(act):
    """The fault reason, or "none"."""
    return int(fault(act["faults"][0])["reason"], 16) if act["faults"] \
        else "none"


def level(act):
    """Of the last entry that the walk read: "context" if none of a table."""
    pairs = fault(act["faults"][0]) if act["faults"] else {}
    levels = [int(key[1]) for key in pairs if key in ("l4", "l3", "l2", "l1")]
    return min(levels) if levels else "context"


def evidence(act):
    return (act["faults"] or [f"{act['command']}: did: {act['did']}, and no "
                              "vtd-fault line"])[0]


def check(lab):
    run = lab.run("attack")
    acts = run.facts["acts"]
    for name in ACTS:
        act = acts[name]
        lab.predict(f"{name}_reason", reason(act), evidence(act))
        if f"{name}_level" in CRITERIA:
            lab.predict(f"{name}_level", level(act), evidence(act))
    image, last = acts["image"], acts["last_word"]
    lab.judge("changed", image["before"] == image["after"] and
              last["after"] == 0x5a,
              f"the word of Gangway's image: {image['before']:#x}, then "
              f"{image['after']:#x}; the guest's last word: "
              f"{last['before']:#x}, then {last['after']:#x}")
