"""Lab 0: by a search for a part of the text that no number is in."""

PARTS = {
    "blocked": ("vtd/vtd.c", "DMA is blocked\\n"),
    "ready": ("drivers/igb.c", "ready for %u VF"),
    "created": ("drivers/pci/sriov.c", ": VF %u of "),
    "attached": ("vtd/context.c", "attached to domain %u"),
    "given": ("guest/assign/assign.c", " is the guest's "),
    "fault": ("vtd/explain.c", "vtd-fault: unit=%s"),
}


def answers(lab):
    found = {}
    for key, (file, text) in PARTS.items():
        lines = (lab.tree / file).read_text().splitlines()
        found[key] = next(f"{file}:{number}" for number, line
                          in enumerate(lines, 1) if text in line)
    return {**found, "minutes": 10}
