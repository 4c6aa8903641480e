"""Lab 12: the size of a leaf decides how many walks there are."""

TITLE = "what translation costs, and superpages"
MACHINE = "leaves"
# The size of the largest leaf: the variant of the product, None: itself
SIZES = {"4k": "4k", "2m": "2m", "1g": None}
CRITERIA = {"machine": 0, **{f"{what}_{size}": 1 for what in
                             ("kib", "reads", "fills") for size in SIZES}}
# How far an answer may be off: RAM differs a little between the three, because
# the hypervisor takes its tables from it; and pages are scattered, and the
# drive's queues are read, too
NEAR = {"kib": lambda truth: truth // 100, "reads": lambda truth: 0,
        "fills": lambda truth: truth * 2 // 5 + 2}


def kib(run):
    return int(run.match(r"^vtd: domain 1: .* (\d+) KiB of tables")[0])


def runs_of(lab):
    return {size: lab.run("leaves", variant and lab.variant(variant))
            for size, variant in SIZES.items()}


def tell(size, run):
    return (f"leaves up to {size}: {kib(run)} KiB of tables, "
            f"{run.facts['reads']} reads a walk, {run.facts['fills']} fills")


def show(lab):
    for size, run in runs_of(lab).items():
        print(tell(size, run))


def check(lab):
    for size, run in runs_of(lab).items():
        truths = {"kib": kib(run), **run.facts}
        for what, near in NEAR.items():
            said, truth = lab.answer(f"{what}_{size}"), truths[what]
            if isinstance(said, int) and abs(said - truth) <= near(truth):
                truth = said
            lab.predict(f"{what}_{size}", truth, tell(size, run))
