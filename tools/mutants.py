"""make mutants: plant each mistake of tests/mutants.toml in a copy of the tree;
the test that it names must notice: a program below build/, or "prove" and what
tools/prove.py is to look at.

Last line: N passed, N failed; passed is a mistake that was noticed."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "build/mutants"
PARTS = ("boot", "drivers", "guest", "hv", "tests", "tools", "vtd", "Makefile")
CPU_SECONDS = 300  # of a program, whose own time it is: a busy host only waits


def is_of_contracts(mutant):
    """Whether Frama-C is to notice it"""
    return re.match(r"prove (?!tests/)", mutant["test"])


def run(test):
    """Builds and runs a test of the copy; returns whether it could be built, its
    exit status, and its output."""
    if test.startswith("prove "):
        proof = subprocess.run([sys.executable, "tools/prove.py",
                                *test.split()[1:]], cwd=COPY, text=True,
                               env=os.environ | {"GOAL_TIMEOUT": "10"},
                               stdout=subprocess.PIPE, check=False,
                               stderr=subprocess.STDOUT)
        return " passed, " in proof.stdout, proof.returncode, proof.stdout
    build = subprocess.run(["make", f"build/{test}"], cwd=COPY, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
    if build.returncode:
        return False, build.returncode, build.stdout
    limited = ["prlimit", f"--cpu={CPU_SECONDS}:{CPU_SECONDS + 1}",
               COPY / "build" / test]
    test_run = subprocess.run(limited, cwd=COPY, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              errors="replace")
    if test_run.returncode == -signal.SIGXCPU:
        return True, -1, f"no end after {CPU_SECONDS} s of processor time"
    return True, test_run.returncode, test_run.stdout


def plant(mutant):
    """Changes the copy; returns how to change it back."""
    path = COPY / mutant["file"]
    text = path.read_text()
    if text.count(mutant["old"]) != 1:
        raise ValueError(f"{mutant['file']}: not there once: {mutant['old']}")
    path.write_text(text.replace(mutant["old"], mutant["new"]))

    def undo():
        path.write_text(text)
        # Newer than what was built of the mistake
        os.utime(path)

    return undo


def is_noticed(mutant):
    """Whether the test fails; a mistake that is no program is none."""
    undo = plant(mutant)
    built, status, output = run(mutant["test"])
    undo()
    if not built:
        print(output)
        raise ValueError(f"{mutant['file']}: does not build")
    last = output.strip().splitlines()[-1:]
    print(f"{mutant['file']}: {mutant['what']}: "
          f"{'noticed' if status else 'NOT NOTICED'} by {mutant['test']}: "
          f"{''.join(last)[:120]}", flush=True)
    return status != 0


def main():
    with open(ROOT / "tests/mutants.toml", "rb") as file:
        mutants = tomllib.load(file)["mutant"]
    if not shutil.which("frama-c"):
        print("no frama-c: mistakes that contracts would notice are left out")
        mutants = [m for m in mutants if not is_of_contracts(m)]
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, COPY / part)
    for test in sorted({mutant["test"] for mutant in mutants}):
        built, status, output = run(test)
        if not built or status:
            print(output)
            raise ValueError(f"{test} fails without a mistake")
    noticed = [is_noticed(mutant) for mutant in mutants]
    print(f"{noticed.count(True)} passed, {noticed.count(False)} failed")
    return not all(noticed)


if __name__ == "__main__":
    sys.exit(main())
