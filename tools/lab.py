"""The course: make lab-N, play-N, solve-N, check-N, check (course/README.md).

    lab.py lab N            the student's copy, and the lab's machine shown
    lab.py play N           the same machine on this terminal
    lab.py solve N          the product's own code, and the answers
    lab.py check [N...]     judge; --json: for programs
    lab.py test [N...]      each lab unsolved, as its page says, and solved
    lab.py lint             pages, answers and patches belong together

A lab is a folder course/N: README.md, answers, check.py, and skeleton.patch if
code is to be written.  course/solutions/N.py has the answers."""

import argparse
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import lab_runs
import machine

ROOT, BUILD = machine.ROOT, machine.BUILD
COURSE = ROOT / "course"
MAX_REMOVED = 40  # lines of the product that a lab may take out
WIDTH = 78


def numbers():
    """The labs that there are."""
    return sorted(int(path.parent.name) for path in COURSE.glob("*/check.py"))


def load(path):
    spec = importlib.util.spec_from_file_location(path.parent.name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_answers(path):
    """The key=value lines; what is empty has no answer."""
    pairs = (line.split("=", 1) for line in path.read_text().splitlines()
             if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def value_of(text):
    """A number as people write it: 26, 0x1a, 1ah, 11010b; else the words."""
    text = text.lower().replace("_", "")
    try:
        if re.fullmatch(r"[01]+b", text):
            return int(text[:-1], 2)
        if re.fullmatch(r"[0-9a-f]+h", text):
            return int(text[:-1], 16)
        return int(text, 0)
    except ValueError:
        return " ".join(text.split())


class NoRun(Exception):
    """Nothing more of this lab can be judged."""


class Lab:
    """One lab in the student's folder."""

    def __init__(self, number, folder=None):
        self.number, self.course = number, COURSE / str(number)
        if not (self.course / "check.py").exists():
            sys.exit(f"lab: there is no lab {number}; there are: "
                     + " ".join(map(str, numbers())))
        self.folder = folder or BUILD / f"lab-{number}"
        self.patch = self.course / "skeleton.patch"
        self.check = load(self.course / "check.py")
        self.results = {}
        self.echo = None  # called with each line of a machine's console
        self.shown = None  # the run that was looked at last

    # --- the student's copy

    @property
    def tree(self):
        """What is built: the copy, or the product itself where the lab changes
        nothing of it."""
        return self.folder if self.patch.exists() else ROOT

    @property
    def changed(self):
        """Files of the product that the student works on."""
        return files_of(self.patch) if self.patch.exists() else []

    def prepare(self):
        """Make the copy if there is none."""
        if (self.folder / "answers").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.patch.exists():
            copy_product(self.folder)
            apply_patch(self.patch, self.folder)
        shutil.copyfile(self.course / "answers", self.folder / "answers")

    def variant(self, name):
        """A copy of the product with course/N/NAME.patch, an experiment."""
        folder = self.folder / name
        of, state = folder / "build/of", lab_runs.state_of(ROOT)
        if not of.exists() or of.read_text() != state:
            shutil.rmtree(folder, ignore_errors=True)
            copy_product(folder)
            apply_patch(self.course / f"{name}.patch", folder)
            of.write_text(state)
        return folder

    def build(self, *targets, tree=None):
        """Make @targets in the tree; the compiler's words where it fails."""
        run = subprocess.run(
            ["make", "-C", tree or self.tree, "--no-print-directory",
             *(f"build/{target}" for target in targets)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if run.returncode:
            errors = [line for line in run.stdout.splitlines()
                      if "error" in line.lower()]
            self.judge("machine", False, "your code does not build: "
                       + (errors or run.stdout.splitlines())[0])
            raise NoRun

    # --- for course/N/check.py

    @property
    def answers(self):
        return read_answers(self.folder / "answers")

    def answer(self, key):
        """The number, or the words, that the student wrote; None: nothing."""
        text = self.answers.get(key, "")
        return value_of(text) if text else None

    def judge(self, name, ok, text):
        """One criterion, of those that the lab's CRITERIA lists."""
        self.results[name] = (bool(ok), text)

    def predict(self, key, truth, where):
        """The answer @key against what the run says; @where shows it."""
        said = self.answer(key)
        if said is None:
            self.judge(key, False, "no answer yet")
        elif said == truth:
            self.judge(key, True, self.answers[key])
        elif isinstance(truth, int) and not isinstance(said, int):
            self.judge(key, False, f"you said {self.answers[key]}, which is no "
                       "number: write it as 3, 0x3, 3h or 011b")
        else:
            self.judge(key, False, f"you said {self.answers[key]}; the run "
                       f"says otherwise: {where}")

    def run(self, name, tree=None, **parameters):
        """The lab's machine with the hypervisor of @tree, by default the
        student's; the criterion "machine"."""
        tree = tree or self.tree
        if lab_runs.state_of(tree) == lab_runs.state_of(ROOT):
            tree = ROOT
        else:
            self.build("gangway.efi", tree=tree)
        try:
            run = lab_runs.get(name, tree, self.echo, **parameters)
        except lab_runs.Trouble as trouble:
            self.judge("machine", False, str(trouble))
            raise NoRun from trouble
        self.shown = run
        self.judge("machine", True, f"ran; its log is in "
                   f"{run.folder.relative_to(ROOT)}/console.txt")
        return run

    def untouched(self, name):
        """The lab's machine as it is before the student does anything: a run
        that was kept, or one of a new copy."""
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            start = Lab(self.number, pathlib.Path(folder))
            start.prepare()
            run = start.run(name)
        return run

    def unit_test(self, name):
        """A unit test of the tree, built and run; returns (passed, a line)."""
        self.build(f"unit/{name}")
        run = subprocess.run(
            [self.tree / "build/unit" / name], text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            errors="replace", timeout=300)
        failed = [*dict.fromkeys(re.findall(r"^\[  FAILED  \] (\w+)$",
                                            run.stdout, re.M))]
        if run.returncode and not failed:
            failed = [run.stdout.strip().splitlines()[-1]]
        return not run.returncode, (
            f"{failed[0]} and {len(failed) - 1} more fail" if len(failed) > 1
            else f"{failed[0]} fails" if failed else "ok")

    # --- the verdict

    def judge_all(self):
        self.prepare()
        self.results = {}
        try:
            self.check.check(self)
        except NoRun:
            pass
        except lab_runs.Trouble as trouble:
            self.judge("machine", False, str(trouble))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            # Code of students may leave anything behind.
            self.judge("machine", False, "the machine ran, but did not leave "
                       f"what is looked at: {error!r}")
        return self.verdict()

    def verdict(self):
        rows = [{"name": name, "points": points,
                 "ok": self.results.get(name, (False,))[0],
                 "text": self.results.get(name, (0, "not looked at"))[1]}
                for name, points in self.check.CRITERIA.items()]
        return {"lab": self.number, "title": self.check.TITLE,
                "points": sum(row["points"] for row in rows if row["ok"]),
                "of": sum(row["points"] for row in rows),
                "minutes": self.answers.get("minutes", ""), "criteria": rows}

    def solve(self):
        """The product's own code in the copy, and the answers of this run."""
        self.prepare()
        for name in self.changed:
            shutil.copyfile(ROOT / name, self.folder / name)
        solution = load(COURSE / f"solutions/{self.number}.py")
        lines = [f"{key}={value}\n" for key, value in
                 solution.answers(self).items()]
        (self.folder / "answers").write_text("".join(lines))


def copy_product(folder):
    """The product's tree and what was built of it, as it is: with the times of
    the files, so that only what changes is built again."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
        stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for name in names:
        if name.startswith("course/") or not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    built = folder / "build"
    built.mkdir(exist_ok=True)
    shutil.copytree(BUILD / "obj", built / "obj", dirs_exist_ok=True)
    for name in ("font.c", "dsdt.aml"):
        shutil.copy2(BUILD / name, built / name)


def files_of(patch):
    return re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M)


def apply_patch(patch, folder, *options):
    run = subprocess.run(
        ["patch", "-p1", "-s", "--no-backup-if-mismatch", *options, "-d",
         folder, "-i", patch], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode:
        sys.exit(f"lab: {patch.relative_to(ROOT)} does not apply:\n"
                 + run.stdout)


# --- what is printed


def wrap(text, indent):
    """Long lines of a log go on below."""
    lines, room = [], WIDTH - indent
    while len(text) > room:
        cut = text.rfind(" ", 1, room) if " " in text[1:room] else room
        lines.append(text[:cut])
        text = text[cut:].lstrip()
    return ("\n" + " " * indent).join(lines + [text])


def tell(verdict):
    print(f"lab {verdict['lab']}: {verdict['title']}")
    for row in verdict["criteria"]:
        word = "OK  " if row["ok"] else "FAIL"
        print(f"{word} {row['points']:2}  " +
              wrap(f"{row['name']}: {row['text']}", 9))
    print(f"lab {verdict['lab']}: {verdict['points']} of {verdict['of']} "
          "points", flush=True)


def failed_names(verdict):
    return {row["name"] for row in verdict["criteria"] if not row["ok"]}


def passed(verdict):
    return not failed_names(verdict)


def check(labs, as_json):
    verdicts = []
    for number in labs:
        verdict = Lab(number).judge_all()
        verdicts.append(verdict)
        if not as_json:
            tell(verdict)
    if as_json:
        print(json.dumps(verdicts, indent=1))
    elif len(verdicts) > 1:
        print(f"{sum(v['points'] for v in verdicts)} of "
              f"{sum(v['of'] for v in verdicts)} points")
    return 0 if all(map(passed, verdicts)) else 1


def lab(number):
    """Show the lab's machine at work, and say where to go on."""
    this = Lab(number)
    lines = []

    def echo(line):
        lines.append(line)
        if line != lab_runs.NOT_KNOWN:
            print(line, flush=True)

    this.echo = echo
    this.judge_all()
    ran, text = this.results.get("machine", (True, ""))
    if ran and hasattr(this.check, "show"):
        this.check.show(this)
    if this.shown and not lines:
        print(this.shown.console)
    place = this.folder.relative_to(ROOT)
    if text:
        print("lab: " + text)
    print(f"Read course/{number}/README.md.  Your answers go into "
          f"{place}/answers" + "".join(
              f", your code into {place}/{name}" for name in this.changed)
          + f".  Then: make check-{number}")
    return 0


def play(number):
    """The lab's machine, for its student to type to."""
    this = Lab(number)
    this.prepare()
    options = lab_runs.MACHINES[this.check.MACHINE][0]()
    if this.tree != ROOT:
        this.build("gangway.efi")
    options.efi = str(this.tree / "build/gangway.efi")
    options.shell = True
    if os.environ.get("WEAKEN"):
        options.settings["weaken"] = os.environ["WEAKEN"]
    if options.settings.get("cmdline") == "commands":
        options.settings["cmdline"] += " echo"
    print("Ctrl-A C: the emulator's monitor, and back; Ctrl-A X: the end")
    return machine.run_on_terminal(options)


# --- for CI


def shape(text):
    """Of a line, what is the same in every run: without breaks, and of numbers
    only the fault reason."""
    return " ".join(re.sub(r"(?<!reason=)\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", "#",
                           text).split())


def stated(number):
    """The failures in the page's picture of an untouched lab: the block that
    starts with the command."""
    page = (COURSE / str(number) / "README.md").read_text()
    block = re.search(rf"^    \$ make check-{number}\n((?:    .*\n|\n)+)", page,
                      re.M)
    joined = re.sub(r"\n {9,}", " ", block[1] if block else "")
    return {shape(line) for line in
            re.findall(r"^    FAIL +\d+  (.*)$", joined, re.M)}


def test(number):
    """Unsolved it fails as the page says, solved it passes."""
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="test-lab-") as folder:
        this = Lab(number, pathlib.Path(folder))
        unsolved = this.judge_all()
        tell(unsolved)
        failures = {shape(f"{row['name']}: {row['text']}")
                    for row in unsolved["criteria"] if not row["ok"]}
        if not failures:
            return "passes unsolved"
        if failures != stated(number):
            return ("fails otherwise than its page says:\n  "
                    + "\n  ".join(sorted(failures ^ stated(number))))
        this.solve()
        solved = this.judge_all()
        tell(solved)
        return "" if passed(solved) else "fails solved"


def test_all(labs):
    BUILD.mkdir(exist_ok=True)
    problems = {number: test(number) for number in labs}
    for number, problem in problems.items():
        print(f"lab {number}: {problem or 'as its page says'}")
    failed = sum(bool(problem) for problem in problems.values())
    print(f"{len(problems) - failed} passed, {failed} failed")
    return 1 if failed else 0


def lint_patch(patch):
    """At most so many lines, and the way back is the product's own code."""
    removed = re.findall(r"^-(?!--)", patch.read_text(), re.M)
    if len(removed) > MAX_REMOVED:
        yield (f"{patch.name} takes {len(removed)} lines out, more than "
               f"{MAX_REMOVED}")
    with tempfile.TemporaryDirectory() as folder:
        for name in files_of(patch):
            copy = pathlib.Path(folder) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy)
        apply_patch(patch, pathlib.Path(folder), "--fuzz=0")
        apply_patch(patch, pathlib.Path(folder), "--fuzz=0", "-R")
        for name in files_of(patch):
            copy = pathlib.Path(folder) / name
            if copy.read_bytes() != (ROOT / name).read_bytes():
                yield f"{name} is not the same after it was solved"


def lint_lab(number):
    folder = COURSE / str(number)
    summary = (COURSE / "SUMMARY.md").read_text()
    if f"({number}/README.md)" not in summary:
        yield "not in course/SUMMARY.md"
    keys = set(read_answers(folder / "answers"))
    page = (folder / "README.md").read_text()
    yield from (f"answers: the page does not explain {key}"
                for key in sorted(keys - {"minutes"}) if f"`{key}`" not in page)
    points = sum(load(folder / "check.py").CRITERIA.values())
    if f"Points: {points}." not in page:
        yield f"the page does not say \"Points: {points}.\""
    if not (COURSE / f"solutions/{number}.py").exists():
        yield "no solution"
    for patch in sorted(folder.glob("*.patch")):
        yield from lint_patch(patch)


def lint():
    problems = [f"course/{number}: {problem}" for number in numbers()
                for problem in lint_lab(number)]
    listed = re.findall(r"\((\d+)/README.md\)",
                        (COURSE / "SUMMARY.md").read_text())
    problems += [f"course/SUMMARY.md lists lab {number}, which has no check.py"
                 for number in listed if int(number) not in numbers()]
    print("\n".join(problems or [f"{len(numbers())} labs checked"]))
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("lab", "play", "solve", "check",
                                         "test", "lint"))
    parser.add_argument("number", type=int, nargs="*")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    labs = given.number or numbers()
    if given.what == "lint":
        return lint()
    if given.what == "check":
        return check(labs, given.json)
    if given.what == "test":
        return test_all(labs)
    if given.what == "solve":
        return Lab(labs[0]).solve() or 0
    return {"lab": lab, "play": play}[given.what](labs[0])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except machine.MachineError as error:
        sys.exit(f"lab: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
