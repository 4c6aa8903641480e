"""Lab 5: what is cached must be flushed, and in which order."""

import re
import subprocess

TITLE = "walks are cached"
MACHINE = "attack"
ORDERS = ("ECT", "ETC", "CET", "CTE", "TEC", "TCE", "EC", "ET")
CRITERIA = {"model": 4, **{order.lower(): 1 for order in ORDERS}}


def run_orders(lab):
    """What course/5/order.c says of each order, with the student's sources."""
    lab.prepare()
    test = (lab.tree / "tests/unit/test_vtd_context.c").read_text()
    sources = re.match(r"/\* sources: (.*) \*/", test)[1].split()
    program = lab.folder / "order"
    built = subprocess.run(
        ["gcc", "-std=gnu11", "-g", "-I.", "-o", program,
         lab.course / "order.c", *sources, "tests/unit/support.c", "-lcmocka"],
        cwd=lab.tree, check=False, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if built.returncode:
        lab.judge("model", False, "does not build: " + next(
            (line for line in built.stdout.splitlines() if "error" in line),
            built.stdout))
        return {}
    said = subprocess.run([program], check=False, text=True,
                          stdout=subprocess.PIPE, timeout=60).stdout
    return dict(line.split(": ", 1) for line in said.splitlines())


def show(lab):
    for order, result in run_orders(lab).items():
        print(f"{order}: {result}")


def check(lab):
    results = run_orders(lab)
    if not results:
        return
    passed, line = lab.unit_test("test_vtd_context")
    lab.judge("model", passed, f"test_vtd_context: {line}")
    for order in ORDERS:
        lab.predict(order.lower(), results[order].split(":")[0],
                    results[order])
