"""make test, make unit, make vm-tests: run the tests and count them.

    test.py unit|fuzz|vm|vm-long...

Last line: N passed, N failed."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import fuzz

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
UNIT_TIMEOUT = 300


# ThreadSanitizer of gcc 12 ends with this where addresses are more random than
# it knows (vm.mmap_rnd_bits above 28); it runs where they are not random.
TOO_RANDOM = "ThreadSanitizer: unexpected memory mapping"


def run_unit_test(path, *command):
    """Runs one cmocka executable; returns (passed, failed)."""
    try:
        run = subprocess.run([*command, path], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, timeout=UNIT_TIMEOUT,
                             errors="replace", check=False)
        output, status = run.stdout, run.returncode
    except OSError as error:
        output, status = str(error), -1
    except subprocess.TimeoutExpired:
        output, status = f"no end after {UNIT_TIMEOUT} s", -1
    if TOO_RANDOM in output and not command:
        return run_unit_test(path, "setarch", "--addr-no-randomize")
    # cmocka's summary of each group of tests
    passed = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M)))
    failed = sum(map(int, re.findall(r"^ *(\d+) FAILED TEST", output, re.M)))
    if status and not failed:
        failed = 1  # a sanitizer's report, or a crash
    print(f"{path.name}: {passed} passed, {failed} failed", flush=True)
    if status:
        print(output, flush=True)
    return passed, failed


def run_script(name):
    """tests/unit/NAME.py: one test."""
    failed = subprocess.run(
        [sys.executable, ROOT / f"tests/unit/{name}.py"],
        check=False).returncode != 0
    print(f"{name}: {int(not failed)} passed, {int(failed)} failed", flush=True)
    return int(not failed), int(failed)


def run_unit(names=()):
    """These unit tests; without names, every one that has a source, and those of
    tests/threads and tests/small_world, and the scripts."""
    scripts = [] if names else ["layers", "check_config"]
    results = [run_script(name) for name in scripts]
    passed, failed = (sum(column) for column in zip((0, 0), *results))
    tests = [BUILD / "unit" / f"test_{name}" for name in names] or [
        *(BUILD / "unit" / source.stem for source in
          sorted((ROOT / "tests/unit").glob("test_*.c"))),
        BUILD / "threads/flush", BUILD / "threads/schedule",
        *(BUILD / "small_world" / source.stem for source in
          sorted((ROOT / "tests/small_world").glob("*.c")))]
    for test in tests:
        result = run_unit_test(test)
        passed += result[0]
        failed += result[1]
    return passed, failed


def run_vm(marked):
    """pytest, two machines side by side where there are two CPUs: the tests
    that are @marked, or those that TESTS names."""
    report = BUILD / "vm-tests.xml"
    report.unlink(missing_ok=True)
    jobs = "2" if (os.cpu_count() or 1) > 1 else "0"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider",
         "-n", jobs, f"--junitxml={report}", "tests/vm",
         *(shlex.split(os.environ.get("TESTS", "")) or ["-m", marked])],
        cwd=ROOT, check=False)
    if not report.exists():
        return 0, 1
    total = failed = skipped = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        total += int(suite.get("tests"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        skipped += int(suite.get("skipped"))
    if skipped:
        print(f"{skipped} skipped")
    return max(total - failed - skipped, 0), failed


def main():
    runners = {"unit": run_unit, "fuzz": fuzz.run_all,
               "vm": lambda: run_vm("not long"),
               "vm-long": lambda: run_vm("long")}
    passed = failed = 0
    if sys.argv[1:] == ["unit"]:  # TESTS= is pytest's where vm is run, too
        names = os.environ.get("TESTS", "").split()
        runners["unit"] = lambda: run_unit(names)
    for kind in sys.argv[1:]:
        result = runners[kind]()
        passed += result[0]
        failed += result[1]
    with open(BUILD / "counts", "a", encoding="ascii") as counts:
        print(passed, failed, file=counts)
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
