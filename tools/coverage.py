"""make coverage: lines and branches that unit tests and stored fuzz inputs run.

Each test and each fuzz target is built once more, by gcc with --coverage and
without optimisation, and run; gcov's counts are added up by file.  Files that
no test names in its first line run only on a (virtual) machine: they are listed
at the end.  What was not run stands in build/coverage/missing.txt."""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build/coverage"
MODULES = ("boot", "hv", "vtd", "drivers", "guest")
CFLAGS = ["-std=gnu11", "-g", "-O0", "--coverage", "-fprofile-abs-path", "-I."]
TIMEOUT = 600


def sources_of(path):
    """The product's files that the first line of a test names."""
    match = re.match(r"/\* sources: (.*) \*/", path.read_text().splitlines()[0])
    return match.group(1).split() if match else []


def programs():
    """(name, files to compile, arguments) of every test and target."""
    for path in sorted((ROOT / "tests/unit").glob("test_*.c")):
        yield path.stem, [path, "tests/unit/support.c", *sources_of(path)], []
    for path in sorted((ROOT / "tests/fuzz").glob("*.c")):
        if sources_of(path):
            inputs = sorted((ROOT / "tests/fuzz/corpus" / path.stem).glob("*"))
            yield (f"fuzz_{path.stem}",
                   [path, "tests/fuzz/support.c", "tests/fuzz/replay.c",
                    "hv/format.c", *sources_of(path)], inputs)


def build_and_run(program):
    """Returns gcov's JSON documents of one program."""
    name, files, arguments = program
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    objects = []
    for file in files:  # an object each, since file names recur
        path = pathlib.Path(ROOT, file).relative_to(ROOT)
        objects.append(folder / (str(path).replace("/", "-") + ".o"))
        subprocess.run(["gcc", *CFLAGS, "-c", "-o", objects[-1], file],
                       cwd=ROOT, check=True)
    subprocess.run(["gcc", "--coverage", "-o", folder / "run", *objects,
                    "-lcmocka"], cwd=ROOT, check=True)
    run = subprocess.run([folder / "run", *arguments], cwd=ROOT, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=TIMEOUT)
    if run.returncode:
        sys.exit(f"{name} failed:\n{run.stdout.decode(errors='replace')[-2000:]}")
    gcov = subprocess.run(
        ["gcov", "--json-format", "--stdout", "--branch-probabilities",
         *sorted(folder.glob("*.gcda"))], cwd=folder, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [json.loads(line) for line in gcov.stdout.splitlines() if line]


def add_up(documents, lines, branches):
    """Adds the counts of @documents to the tables, by file and line."""
    for document in documents:
        for file in document["files"]:
            path = pathlib.Path(document["current_working_directory"],
                                file["file"]).resolve()
            if not path.is_relative_to(ROOT):
                continue
            name = str(path.relative_to(ROOT))
            if not name.startswith(MODULES):
                continue
            for line in file["lines"]:
                number = line["line_number"]
                lines[name][number] += line["count"]
                for index, branch in enumerate(line["branches"]):
                    branches[name][number, index] += branch["count"]


def share(counts):
    """(run, all) of a table of counts."""
    return sum(count > 0 for count in counts.values()), len(counts)


def percent(done, total):
    """Right-aligned, for the table."""
    return f"{100 * done / total:5.1f} %" if total else "      -"


def row(name, line, branch):
    """One row of the table."""
    return (f"{name:26} {line[0]:5}/{line[1]:<5} {percent(*line)}   "
            f"{branch[0]:5}/{branch[1]:<5} {percent(*branch)}")


def report(lines, branches):
    """Prints the table and the files that no test runs."""
    names = sorted(name for name in lines if name.endswith(".c"))
    totals = [0, 0, 0, 0]
    print(f"{'file':26} {'lines':>11}           {'branches':>11}")
    with open(OUT / "missing.txt", "w", encoding="ascii") as missing:
        for name in names:
            line, branch = share(lines[name]), share(branches[name])
            totals = [a + b for a, b in zip(totals, line + branch)]
            print(row(name, line, branch))
            for number, count in sorted(lines[name].items()):
                if not count:
                    print(f"{name}:{number}: never run", file=missing)
            for (number, index), count in sorted(branches[name].items()):
                if not count and lines[name][number]:
                    print(f"{name}:{number}: branch {index} never taken",
                          file=missing)
    print(row("all", totals[:2], totals[2:]))
    others = sorted(str(path.relative_to(ROOT)) for module in MODULES
                    for path in (ROOT / module).rglob("*.c")
                    if path.parent.name != "tools"
                    and str(path.relative_to(ROOT)) not in names)
    print(f"\nrun on machines only ({len(others)} files): {' '.join(others)}")


def main():
    """Builds, runs, reports."""
    lines = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for documents in pool.map(build_and_run, programs()):
            add_up(documents, lines, branches)
    report(lines, branches)


if __name__ == "__main__":
    main()
