"""make mutation N=60 SEED=1: change one operator or constant at a time in the
files that isolation rests on, in a copy of the tree, and say which changes no
test of the host notices.  SEED chooses the changes; with the same tree and SEED
they are the same.

Last line: N noticed of N; each that was not stands above it."""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys

import mutants

COPY = mutants.ROOT / "build/mutation"
FILES = ("vtd/*.c", "hv/paging.c", "guest/vmsix.c", "guest/vpci.c",
         "guest/vpci_bus.c")
CPU_SECONDS = 120

# What a token becomes: the same kind of program, with another meaning
CHANGES = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
           "&&": "||", "||": "&&", "+": "-", "-": "+", "<<": ">>", ">>": "<<",
           "&": "|", "|": "&", "true": "false", "false": "true",
           "++": "--", "+=": "-=", "|=": "&="}
TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*|\'(?:\\.|[^\'])*\'|'
    r"0x[0-9a-fA-F]+|\d+|\w+|->|<<=|>>=|\+\+|--|&&|\|\||<<|>>|[-+*/&|^<>=!]=|.",
    re.S)
BINARY = re.compile(r"[\w)\]]\s*$")
# Lines that decide nothing a test could see
DUMB = re.compile(r"^\s*(#(?!define)|_Static_assert|hv_log|static const char)")


def candidates(path):
    """Each change of @path: (offset, old, new)."""
    text = path.read_text()
    found = []
    for token in TOKEN.finditer(text):
        old, at = token[0], token.start()
        line = text[text.rfind("\n", 0, at) + 1:text.find("\n", at)]
        if DUMB.match(line):
            continue
        if re.fullmatch(r"0x[0-9a-fA-F]+|\d+", old):
            found.append((at, old, str(int(old, 0) + 1)))
        elif old in CHANGES and (old not in "+-&|<>" or
                                 BINARY.search(text[:at])):
            found.append((at, old, CHANGES[old]))
    return found


def sources_of(program):
    """The product's files that a test's first line names."""
    with open(program, encoding="utf-8") as file:
        return set(re.findall(r"\S+\.c", file.readline()))


def programs_of(file):
    """The tests that link @file, the one of its name first."""
    stem = pathlib.Path(file).stem
    found = [f"{folder}/{path.stem}" for folder in ("unit", "small_world")
             for path in sorted((COPY / "tests" / folder).glob("*.c"))
             if file in sources_of(path)
             and (folder == "small_world" or path.stem.startswith("test_"))]
    return sorted(found, key=lambda name: (stem not in name, "small" in name))


def run(program):
    """None: it is no program; else whether it notices."""
    build = subprocess.run(["make", "-s", f"build/{program}"], cwd=COPY,
                           stdout=subprocess.DEVNULL, check=False,
                           stderr=subprocess.DEVNULL)
    if build.returncode:
        return None
    limited = ["prlimit", f"--cpu={CPU_SECONDS}:{CPU_SECONDS + 1}",
               COPY / "build" / program]
    test = subprocess.run(limited, cwd=COPY, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return test.returncode != 0 or test.returncode == -signal.SIGXCPU


def try_change(file, at, old, new):
    """None: the compiler refuses it; else the test that notices, or ""."""
    path = COPY / file
    text = path.read_text()
    path.write_text(text[:at] + new + text[at + len(old):])
    try:
        for program in programs_of(file):
            noticed = run(program)
            if noticed is None:
                return None
            if noticed:
                return program
        return ""
    finally:
        path.write_text(text)
        os.utime(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    options = parser.parse_args()
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for part in mutants.PARTS:
        copy = (shutil.copytree if (mutants.ROOT / part).is_dir()
                else shutil.copy)
        copy(mutants.ROOT / part, COPY / part)
    files = [str(path.relative_to(COPY)) for pattern in FILES
             for path in sorted(COPY.glob(pattern))]
    changes = [(file, *change) for file in files if programs_of(file)
               for change in candidates(COPY / file)]
    random.Random(options.seed).shuffle(changes)
    tried, survived = 0, 0
    for file, at, old, new in changes:
        if tried == options.count:
            break
        text = (COPY / file).read_text()
        number = text.count("\n", 0, at) + 1
        noticed = try_change(file, at, old, new)
        if noticed is None:
            continue
        tried += 1
        survived += not noticed
        line = text.split("\n")[number - 1].strip()
        print(f"{file}:{number}: {old} -> {new}: "
              f"{noticed or 'NOT NOTICED'}: {line}", flush=True)
    print(f"{tried - survived} noticed of {tried} changes, of "
          f"{len(changes)} that there are")


if __name__ == "__main__":
    sys.exit(main())
