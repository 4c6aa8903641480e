"""Lab 8: where interrupts go, and who may send which."""

from lab_runs import fault

TITLE = "interrupts are remapped and checked"
MACHINE = "attack"
ACTS = ("compatibility", "of_another", "not_present", "beyond_table")
CRITERIA = {"machine": 0, "model": 2, "entries": 2, "blocked": 2,
            **{f"{name}_reason": 1 for name in ACTS}, "vector": 1,
            "source": 1}


def reason(act):
    return int(fault(act["faults"][0])["reason"], 16) if act["faults"] \
        else "none"


def check(lab):
    passed, line = lab.unit_test("test_vtd_irte")
    lab.judge("model", passed, f"test_vtd_irte: {line}")
    run = lab.run("attack")
    acts, entries = run.facts["acts"], run.facts["entries"]
    console = [(high, low) for high, low in entries.values()
               if low & 1 and high & 0xffff != 0x180]
    shown = ", ".join(f"{high:#x}:{low:#x}" for high, low in console)
    lab.judge("entries", [(high >> 18 & 3, low >> 16 & 0xff)
                          for high, low in console] == [(1, 0x60)],
              f"present, and not the VF's: {shown or 'none'}")
    through = [act for act in map(acts.get, ACTS) if act and
               not (act["faults"] and "sent, 0 interrupts" in act["did"])]
    lab.judge("blocked", not through, f"{through[0]['command']}: did: "
              f"{through[0]['did']}; {len(through[0]['faults'])} faults"
              if through else "each forged message left a fault, and none came")
    if "of_another" not in acts:
        lab.judge("of_another_reason", False, "nothing was written: the table "
                  "has no entry of the IOAPIC's")
    for name in filter(acts.get, ACTS):
        lab.predict(f"{name}_reason", reason(acts[name]),
                    (acts[name]["faults"] or [acts[name]["did"]])[0])
    lab.predict("vector", console[0][1] >> 16 & 0xff if console else None,
                shown)
    lab.predict("source", console[0][0] & 0xffff if console else None, shown)
