"""make fuzz: runs every fuzz target, two at a time.

Each target runs its stored inputs (tests/fuzz/corpus/TARGET), then goes on from
them and from what earlier runs found (build/fuzz/corpus/TARGET).

FUZZ_SECONDS: how long all of it may take (120)
FUZZ_JOBS:    how many run at once (2)
FUZZ_RUNS:    so many inputs for all targets together, instead of a time
FUZZ_TARGETS: only these
FUZZ_SEED:    where new inputs begin (0: somewhere else each time)

Last line: N passed, N failed."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tests/fuzz"
BUILD = ROOT / "build/fuzz"
# One input may take so long, and a target so much longer than it was given.
INPUT_TIMEOUT = 10
SPARE = 120


def targets():
    """The names of all targets: the files with a list of sources."""
    wanted = os.environ.get("FUZZ_TARGETS", "").split()
    names = sorted(path.stem for path in SOURCES.glob("*.c")
                   if path.read_text().startswith("/* sources: "))
    return [name for name in names if not wanted or name in wanted]


def longest_input(name):
    """The second line of a target says it."""
    line = (SOURCES / f"{name}.c").read_text().splitlines()[1]
    return re.fullmatch(r"/\* longest input: (\d+) \*/", line).group(1)


def run_target(name, limit, timeout):
    """Runs one; returns (name, inputs, failure or None)."""
    found = BUILD / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    stored = SOURCES / "corpus" / name
    command = [BUILD / name, limit, f"-max_len={longest_input(name)}",
               f"-timeout={INPUT_TIMEOUT}", "-rss_limit_mb=2048",
               f"-seed={os.environ.get('FUZZ_SEED', '0')}",
               "-print_final_stats=1", "-verbosity=1",
               f"-artifact_prefix={BUILD}/{name}-",
               found, *([stored] if stored.is_dir() else [])]
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, timeout=timeout,
                             errors="replace", check=False)
        output, status = run.stdout, run.returncode
    except OSError as error:
        output, status = str(error), -1
    except subprocess.TimeoutExpired:
        output, status = f"no end after {timeout} s", -1
    (BUILD / f"{name}.log").write_text(output)
    count = re.search(r"number_of_executed_units: (\d+)", output)
    if status or not count:
        return name, 0, output[-4000:] or f"status {status}"
    return name, int(count.group(1)), None


def run_all():
    """Returns (passed, failed), one for each target."""
    names = targets()
    jobs = int(os.environ.get("FUZZ_JOBS", "2"))
    seconds = int(os.environ.get("FUZZ_SECONDS", "120"))
    runs = int(os.environ.get("FUZZ_RUNS", "0"))
    each = max(1, seconds * jobs // max(1, len(names)))
    limit, timeout = f"-max_total_time={each}", each + SPARE
    if runs:
        limit, timeout = f"-runs={-(-runs // len(names))}", None
    passed = failed = total = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, count, failure in pool.map(
                lambda name: run_target(name, limit, timeout), names):
            total += count
            passed += failure is None
            failed += failure is not None
            print(f"fuzz {name}: {count} inputs"
                  f"{'' if failure is None else ', FAILED'}", flush=True)
            if failure:
                print(failure, flush=True)
    print(f"fuzz: {total} inputs over {len(names)} targets", flush=True)
    return passed, failed


if __name__ == "__main__":
    PASSED, FAILED = run_all()
    print(f"{PASSED} passed, {FAILED} failed", flush=True)
    sys.exit(FAILED != 0 or PASSED == 0)
