"""Lab 13: who can reach whom behind the IOMMU's back."""

import re

TITLE = "groups: both or neither"
MACHINE = "groups"
# answer: the machine, and two functions
PAIRS = {
    "two_closed_ports": ("groups", "0000:01:00.0", "0000:07:00.0"),
    "open_port": ("groups", "0000:00:02.0", "0000:02:00.0"),
    "switch": ("groups", "0000:05:00.0", "0000:06:00.0"),
    "one_device": ("groups", "0000:07:00.0", "0000:07:00.1"),
    "old_bus": ("groups", "0000:09:01.0", "0000:09:02.0"),
    "two_closed_ports_now": ("open-groups", "0000:01:00.0", "0000:07:00.0"),
    "port_of_pf_now": ("open-groups", "0000:00:01.0", "0000:01:00.0"),
    "switch_now": ("open-groups", "0000:05:00.0", "0000:06:00.0"),
}
CRITERIA = {"machine": 0, **dict.fromkeys(PAIRS, 1), "pf_assignable_now": 1}


def groups(run):
    return dict(re.findall(r"^preflight: (\S+:\S+\.\d) +(\d+) ", run.console,
                           re.M))


def check(lab):
    runs = {name: lab.run(name) for name in ("groups", "open-groups")}
    for key, (name, one, other) in PAIRS.items():
        of = groups(runs[name])
        truth = "together" if of[one] == of[other] else "apart"
        lab.predict(key, truth, f"group {of[one]} of {one}, "
                    f"{of[other]} of {other}")
    line = runs["open-groups"].line("^preflight: 0000:01:00.0 ")
    lab.predict("pf_assignable_now",
                "yes" if re.search(r"\d+ +yes: ", line) else "no", line)
