"""Lab 14: the whole stack, and what is left of it without an IOMMU."""

TITLE = "RDMA over a VF, and the IOMMU off"
MACHINE = "rdma"
ASKED = ("guest", "vf", "rdma", "isolation")
CRITERIA = {"machine": 0, **{f"{name}_on": 1 for name in ASKED},
            **{f"{name}_off": 1 for name in ASKED}, "why": 2}


def truth(run):
    """What worked, and the line that says so."""
    lines = {"guest": run.line(r"^gangway: guest powered off"),
             "vf": run.line(r"^assign: .* is the guest's"),
             "rdma": run.line(r"^PASS RDMA write: "),
             "isolation": run.line(r"^vtd: all DMA is blocked")}
    return {name: ("yes" if line else "no", line or "no such line: the end "
                   f"was {run.console.strip().splitlines()[-1]}")
            for name, line in lines.items()}


def check(lab):
    for word, name in (("on", "rdma"), ("off", "no-iommu")):
        run = lab.run(name)
        for asked, (answer, line) in truth(run).items():
            lab.predict(f"{asked}_{word}", answer, line)
    said = lab.answers.get("why", "")
    line = run.line("DMAR")
    lab.judge("why", len(said) > 11 and line.startswith(said) or
              (len(said) > 11 and said in line),
              line if said else "no answer yet: a part of the line of the log")
