"""make prove: what is proved of the product's C, over all inputs.

Contracts (ACSL) in the files below, by Frama-C's WP with Z3 and CVC4, and the
claims of tests/prove/, by Z3 (tools/claims.py).

    prove.py [FILE[:FUNCTION]...]       those alone

Last line: N passed, N failed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import claims

ROOT = pathlib.Path(__file__).resolve().parent.parent
# In the order in which bytes of others reach them
CONTRACTS = ["vtd/dmar.c", "hv/vmx/decode.c", "drivers/pci/pci_caps.c",
             "hv/machine/config_text.c", "vtd/scope.c",
             "hv/acpi_tables.c:sums_to_zero,next_entry,is_in"]
# A goal takes a second at most; the rest is for a machine that is busy.
GOAL_TIMEOUT = int(os.environ.get("GOAL_TIMEOUT", "60"))


def contracts(path, function, why3_config):
    """Prints how many goals of @path, or of one @function there, are proved,
    and those that are not.  Returns (proved, not proved)."""
    start = time.monotonic()
    run = subprocess.run(
        ["frama-c", "-c11", "-machdep", "gcc_x86_64", "-cpp-extra-args=-I.",
         "-wp", "-wp-rte", "-wp-prover", "z3,cvc4", "-wp-cache", "none",
         "-wp-timeout", str(GOAL_TIMEOUT), "-wp-par", str(os.cpu_count()),
         *(["-wp-fct", function] if function else []), path], cwd=ROOT,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
        # By which Frama-C finds files, whatever the directory is
        env=os.environ | {"WHY3CONFIG": why3_config, "PWD": str(ROOT)})
    goals = re.search(r"Proved goals: +(\d+) / (\d+)", run.stdout)
    if run.returncode or not goals or goals[2] == "0":
        print(run.stdout)
        raise ValueError(f"{path}: Frama-C gave no result")
    proved, total = int(goals[1]), int(goals[2])
    # A goal that is proved of less than the program says
    weak = [line for line in run.stdout.splitlines()
            if re.search(r"Goal .*(Stronger|Degenerated)", line)]
    print(f"{path}: {proved} of {total} goals proved, "
          f"{time.monotonic() - start:.0f} s", flush=True)
    for goal in [*re.findall(r"\[(?:Failed|Timeout|Unknown|Stepout)\] Goal "
                             r"(\S+)", run.stdout), *weak]:
        print(f"{path}: NOT proved: {goal}", flush=True)
    return proved - len(weak), total - proved + len(weak)


def all_contracts(wanted):
    """The same for all of @wanted: (path, function)"""
    if not shutil.which("frama-c"):
        print("no frama-c: the contracts are not checked")
        return []
    with tempfile.TemporaryDirectory(prefix="gangway-") as work:
        config = f"{work}/why3.conf"
        subprocess.run(["why3", "--config", config, "config", "detect"],
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return [contracts(*one, config) for one in wanted]


def main():
    of_claims = [str(path.relative_to(ROOT))
                 for path in sorted((ROOT / "tests/prove").glob("*.c"))]
    wanted = [name.partition(":")[::2] for name in
              sys.argv[1:] or of_claims + CONTRACTS]
    results = [claims.check(path, ROOT) for path, _ in wanted
               if path in of_claims]
    rest = [one for one in wanted if one[0] not in of_claims]
    results += all_contracts(rest) if rest else []
    passed = sum(result[0] for result in results)
    failed = sum(result[1] for result in results)
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
