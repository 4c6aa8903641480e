"""make lint: what the pages name must be in the tree.

Fails, with the line, where a page (README.md, docs/, each folder's README.md)
has
- a link to a file or heading that is not there;
- a path that is not there;
- a name in `backquotes` that no source has: function(), snake_case, struct x,
  test_x, make target;
where the README.md of a product's folder leaves one of its sources out; and
where a source or script names a path that is not there.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Describes another tree, QEMU's
OTHER_TREE = "tools/qemu-vmx/README.md"
# Files of the boot disk and of the build, and what the reader is to write
NOT_HERE = re.compile(r"build/|EFI/|gangway\.cfg$|efi\.h$|.*NAME|.*TARGET|.*/N[/.]")
SOURCE = re.compile(r"(README\.md|Makefile|.*\.(c|h|asm|inc|asl|py|sh|ld|cfg|md))$")
PATH = re.compile(r"[\w*.-]+(/[\w*.-]+)*/?")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TOP = "boot|hv|vtd|drivers|guest|tests|tools|docs|course"
PRODUCT = ("boot", "hv", "vtd", "drivers", "guest")


def tracked():
    """Files of the tree, also those that are not committed yet."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
        capture_output=True, text=True).stdout
    return [name for name in out.split("\n") if (ROOT / name).is_file()]


class Tree:
    """What the tree has: paths, identifiers, make targets, headings."""

    def __init__(self):
        self.files = tracked()
        self.pages = [f for f in self.files
                      if f.endswith(".md") and f != OTHER_TREE]
        self.folders = {str(p) for f in self.files
                        for p in pathlib.PurePath(f).parents}
        self.words = set()
        for name in self.files:
            if (SOURCE.match(name) and not name.endswith(".md")
                    or name.endswith("/answers")):
                self.words |= set(WORD.findall((ROOT / name).read_text()))
            self.words.add(pathlib.PurePath(name).stem)
        # Of a line of several targets each; lab-% is lab-3
        self.targets = {target for line in re.findall(
            r"^((?:[\w%-]+ ?)+):(?!=)", self.text("Makefile"), re.M)
                        for target in line.split()}

    @staticmethod
    def text(name):
        return (ROOT / name).read_text()

    def has(self, path, page):
        """From the root, from the page's folder, or as a file's name alone."""
        folder = pathlib.PurePath(page).parent
        for start in ("", f"{folder}/"):
            full = str(pathlib.PurePath(start + path))
            if full in self.folders or fnmatch.filter(self.files, full):
                return True
        return "/" not in path and folder.name == "docs" and any(
            fnmatch.fnmatch(pathlib.PurePath(f).name, path) for f in self.files)

    def headings(self, page):
        """As GitHub makes anchors of them."""
        found = set()
        for line in re.findall(r"^#+ (.*)$", self.text(page), re.M):
            line = re.sub(r"[^\w\s-]", "", line.lower())
            found.add(re.sub(r"\s", "-", line.strip()))
        return found


def link_error(tree, page, target):
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = pathlib.PurePath(page)
    if path:
        full = (ROOT / file.parent / path).resolve()
        if not full.is_relative_to(ROOT) or not full.exists():
            return "no such file"
        file = full.relative_to(ROOT)
    if anchor and anchor not in tree.headings(str(file)):
        return "no such heading"
    return None


def is_path(span):
    if not PATH.fullmatch(span):
        return False
    return bool(SOURCE.match(span)) or re.match(rf"({TOP})/", span) is not None


def name_error(tree, span):
    make = re.search(r"(?:^| )make ([a-z]+(?:-[a-z]+)*)(-[0-9N])?", span)
    if make and make[1] + ("-%" if make[2] else "") not in tree.targets:
        return "no such target"
    call = re.fullmatch(r"([A-Za-z_]\w*)\((.*)\)", span)
    if call:
        return None if call[1] in tree.words else "no such function"
    struct = re.fullmatch(r"(?:struct|enum) (\w+)", span)
    plain = re.match(r"[a-z]\w*_\w+(?=$|\[|\.)", span)
    name = struct[1] if struct else plain[0] if plain else None
    if name and name not in tree.words:
        return "no such name"
    return None


def span_error(tree, page, span):
    if NOT_HERE.match(span):
        return None
    if is_path(span):
        return None if tree.has(span, page) else "no such path"
    return name_error(tree, span)


def line_errors(tree, page, line):
    for target in re.findall(r"\]\(([^)\s]+)\)", line):
        yield target, link_error(tree, page, target)
    for span in re.findall(r"`([^`]+)`", line):
        yield span, span_error(tree, page, span)
    # Outside of backquotes too: pictures, listings
    for name in re.findall(r"\b([a-z]\w*_\w+)\(", re.sub("`[^`]*`", "", line)):
        if name not in tree.words:
            yield name, "no such function"
    for path in re.findall(rf"(?<![\w./`])(?:{TOP})/[\w./*-]+", line):
        path = path.rstrip(".")
        if not NOT_HERE.match(path) and not tree.has(path, page):
            yield path, "no such path"


def page_errors(tree, page):
    for number, line in enumerate(tree.text(page).splitlines(), 1):
        for what, error in line_errors(tree, page, line):
            if error:
                yield f"{page}:{number}: {what}: {error}"


def source_errors(tree):
    """Paths in comments and strings; to the compiler they are nothing."""
    for name in tree.files:
        if not SOURCE.match(name) or name in tree.pages or name == OTHER_TREE:
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for path in re.findall(
                    rf"(?<![\w./-])(?:{TOP})/[\w./-]+\.(?:[ch]|asm|md|py|sh)\b",
                    line):
                if not NOT_HERE.match(path) and not tree.has(path, name):
                    yield f"{name}:{number}: {path}: no such path"


def folder_errors(tree):
    """Each source of the product's folders is in its folder's README.md."""
    for name in tree.files:
        file = pathlib.PurePath(name)
        if file.parts[0] not in PRODUCT or file.suffix not in (".c", ".asm"):
            continue
        page = str(file.parent / "README.md")
        if page not in tree.files:
            yield f"{name}: its folder has no README.md"
        elif not re.search(rf"`{file.name}`", tree.text(page)):
            yield f"{page}: does not name {file.name}"


def main():
    tree = Tree()
    errors = [e for page in tree.pages for e in page_errors(tree, page)]
    errors += [*source_errors(tree), *folder_errors(tree)]
    print("\n".join(errors or [f"{len(tree.pages)} pages checked"]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
