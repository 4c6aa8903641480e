"""Lab 11: emulated, virtio, VF, bare: exits a frame."""

import re

TITLE = "the famous table, in counts"
MACHINE = "rows"
CRITERIA = {"machine": 0, "order": 2, "emulated_more": 1, "virtio_more": 1,
            "vf_more": 1, "virtio_kind": 1, "vf_exits": 1, "vf_accesses": 1,
            "same_as_bare": 1}
# Whose registers the emulator's names are
REGISTERS = {"emulated": "e1000e-", "virtio": "virtio-pci-", "vf": "igbvf-",
             "bare": "igbvf-"}


def rows_of(lab):
    """Of each row: frames, accesses to registers, exits; and the evidence."""
    alone, demo = lab.run("rows"), lab.run("demo")
    facts = {"emulated": alone.facts["e1000e"],
             "virtio": alone.facts["virtio_net"], "vf": demo.facts["vf"],
             "bare": alone.facts["igbvf"]}
    line = demo.line(r"^(PASS|FAIL) VM exits: ")
    exits = int(re.search(r"VM exits: (\d+)", line)[1])
    rows = {}
    for name, fact in facts.items():
        accesses = sum(count for group, count in fact["accesses"].items()
                       if group.startswith(REGISTERS[name]))
        rows[name] = {"frames": fact["frames"], "accesses": accesses,
                      "exits": {"vf": exits, "bare": 0}.get(name, accesses)}
    return rows, facts, line


def a_frame(row, what):
    return row[what] / row["frames"]


def table(rows):
    return [f"{name:9} {row['frames']:6} {row['accesses']:19} "
            f"{row['exits']:6} {a_frame(row, 'exits'):14.2f}"
            for name, row in rows.items()]


def show(lab):
    print("row       frames  register accesses   exits  exits a frame",
          *table(rows_of(lab)[0]), sep="\n")


def kind_of(accesses):
    """virtio-pci-notify-virtio-net is notify."""
    kinds = {group.split("-")[2]: count for group, count in accesses.items()
             if group.startswith("virtio-pci-")}
    return max(kinds, key=kinds.get)


def check(lab):
    rows, facts, line = rows_of(lab)
    shown = dict(zip(rows, table(rows)))
    order = sorted(("emulated", "virtio", "vf"), reverse=True,
                   key=lambda name: a_frame(rows[name], "exits"))
    lab.predict("order", " ".join(order), "; ".join(shown.values()))
    for name in order:
        more = a_frame(rows[name], "exits") > 0.1
        lab.predict(f"{name}_more", "yes" if more else "no", shown[name])
    lab.predict("virtio_kind", kind_of(facts["virtio"]["accesses"]),
                str(facts["virtio"]["accesses"]))
    lab.predict("vf_exits", rows["vf"]["exits"], line)
    lab.predict("vf_accesses", "yes" if rows["vf"]["accesses"] else "no",
                shown["vf"])
    vf, bare = (a_frame(rows[name], "accesses") for name in ("vf", "bare"))
    lab.predict("same_as_bare", "yes" if abs(vf - bare) <= bare / 2 else "no",
                f"{vf:.2f} accesses a frame, bare {bare:.2f}")
