"""Lab 9: one device, many functions: who is where."""

import re

TITLE = "SR-IOV: the VFs are where the PF says"
MACHINE = "vfs"
VFS = (0, 1, 7)
CRITERIA = {"machine": 0, "model": 2, "eight": 2,
            **{f"vf{n}_{what}": 1 for n in VFS for what in ("address", "bar0")},
            "vf7_source": 1}


def check(lab):
    passed, line = lab.unit_test("test_sriov")
    lab.judge("model", passed, f"test_sriov: {line}")
    run = lab.run("vfs")
    vfs = {int(index): (address, int(bar0, 16)) for address, index, bar0 in
           re.findall(r"^sriov: (\S+): VF (\d+) of .* BAR0 (\w+) ",
                      run.console, re.M)}
    lab.judge("eight", len(vfs) == 8 and len(set(vfs.values())) == 8,
              f"{len(vfs)} VFs, at {len(set(vfs.values()))} places")
    for n in VFS:
        where = run.line(f"sriov: .*: VF {n} of")
        lab.predict(f"vf{n}_address", vfs[n][0], where)
        lab.predict(f"vf{n}_bar0", vfs[n][1], where)
    bus, device, function = re.findall("[0-9a-f]+", vfs[7][0])[1:]
    lab.predict("vf7_source", int(bus, 16) << 8 | int(device, 16) << 3 |
                int(function), run.line("sriov: .*: VF 7 of"))
