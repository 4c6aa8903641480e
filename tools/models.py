"""make models: check the models in docs/models with Spin.

Each must hold as it is, and fail with each mistake that its head names.  Last
line: N passed, N failed."""

import pathlib
import re
import subprocess
import sys
import tempfile

MODELS = pathlib.Path(__file__).resolve().parent.parent / "docs/models"
TIMEOUT = 120


def errors(model, mistake):
    """What Spin finds, each process being fair: the number of errors, or None
    and its output where it did not come to an end."""
    with tempfile.TemporaryDirectory(prefix="gangway-") as work:
        run = subprocess.run(
            ["spin", f"-DMISTAKE={mistake}", "-run", "-DNFAIR=3", "-a", "-f",
             "-m100000", model],
            cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=TIMEOUT, check=False)
    found = re.search(r"errors: (\d+)$", run.stdout, re.M)
    whole = found and "search depth" not in run.stdout
    return (int(found[1]) if whole else None), run.stdout


def check(model):
    """Returns how many of its runs ended as they must, and how many not."""
    passed = failed = 0
    mistakes = re.findall(r"^ \* MISTAKE (\d+): (.*)$", model.read_text(), re.M)
    for number, what in [("0", "as it is"), *mistakes]:
        found, output = errors(model, number)
        right = found == 0 if number == "0" else bool(found)
        passed += right
        failed += not right
        verdict = {None: "no result", 0: "holds"}.get(found, "fails")
        print(f"{model.name}: {what}: {verdict}{'' if right else ' (WRONG)'}",
              flush=True)
        if not right:
            print(output)
    return passed, failed


def main():
    results = [check(model) for model in sorted(MODELS.glob("*.pml"))]
    passed, failed = map(sum, zip(*results))
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
