"""Lab 3: a walk of four levels, by hand and by code."""

from lab_runs import TRANSLATED

TITLE = "a request is translated by a walk"
MACHINE = "attack"
ADDRESSES = [f"address_{n}" for n in range(1, len(TRANSLATED) + 1)]
CRITERIA = {"machine": 0, "model": 2, "arrived": 2, **dict.fromkeys(ADDRESSES, 1),
            "kib": 1}


def arrived(act, ram_end):
    """Whether the word that the VF wrote is where an independent walk of the
    tables leads; outside of RAM, whether it was blocked."""
    _, address, value = act["command"].split()
    if int(address, 16) > ram_end:
        return act["where"] is None and bool(act["faults"])
    return act["where"] is not None and act["after"] == int(value, 16)


def tell_act(act):
    if act["faults"]:
        return act["faults"][0]
    return (f"{act['command']}: did: {act['did']}; at {act['where'] or 0:#x} "
            f"stood {act['before']}, stands {act['after']}")


def show(lab):
    """The tables of this run, for the walk by hand."""
    run = lab.run("attack")
    with open(lab.folder / "tables.txt", "w", encoding="ascii") as file:
        for table, found in run.facts["tables"].items():
            print(f"level {found['level']}, at {table}:", file=file)
            for index, entry in found["entries"].items():
                print(f"  [{index}] = {entry:#x}", file=file)


def check(lab):
    passed, line = lab.unit_test("test_vtd_second_level")
    lab.judge("model", passed, f"test_vtd_second_level: {line}")
    run = lab.run("attack")
    acts = [run.facts["acts"][name] for name in ADDRESSES]
    ram_end, table = (run.facts["layout"][name] for name in ("ram", "table"))
    wrong = [act for act in acts if not arrived(act, ram_end[0])]
    lab.judge("arrived", not wrong, tell_act(wrong[0]) if wrong else
              "what the VF wrote stands where the tables lead")
    for name, act in zip(ADDRESSES, acts):
        if act in wrong:
            lab.judge(name, False, "nothing arrives yet")
        else:
            lab.predict(name, act["where"] or "none",
                        f"walk from L4 at {table:#x}; " + tell_act(act))
    lab.predict("kib", 4 * len(run.facts["tables"]), run.line("vtd: domain 1"))
