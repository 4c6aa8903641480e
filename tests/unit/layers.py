"""Who may know whom: the floors of the house (docs/architecture.md).

    HV_DIRS="FOLDER..." layers.py       from the top floor down, as the Makefile
                                        has them; objects in build/obj

Fails, with the offending line, where
- a file includes, or its object uses a symbol of, a folder that is not below;
- objects need each other in a circle;
- a public function or variable is declared elsewhere than in the header that is
  named after its source, or nowhere;
- a file outside boot/ includes efi.h.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OBJECTS = ROOT / "build/obj"

# Called by gnu-efi's start-up code
ENTRY = "efi_main"

# Beside each other on one floor: neither may know the other
BESIDE = [{"vtd", "drivers"}, {"hv/vmx", "drivers/pci"}]


def floors(folders):
    """Height of each folder, the lowest 0."""
    height, level = {}, 0
    for folder in reversed(folders):
        if not any(folder in pair and pair & height.keys() for pair in BESIDE):
            level += 1
        height[folder] = level
    return height


def may_use(height, user, used):
    return user == used or height[used] < height[user]


def include_errors(files, height):
    """Lines that include what is not below."""
    for path in files:
        user = str(path.parent)
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = re.match(r'#include ["<]([^">]+)[">]', line)
            if not match:
                continue
            used = str(pathlib.PurePath(match[1]).parent)
            if match[1].startswith("efi") and user != "boot":
                yield f"{path}:{number}: only boot/ includes {match[1]}"
            elif used in height and not may_use(height, user, used):
                yield f"{path}:{number}: {user}/ is not above {used}/: {line}"


def symbols(path):
    """(public names that it defines, names that it needs) of an object."""
    defined, needed = set(), set()
    output = subprocess.run(["nm", "-g", path], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    for line in output.splitlines():
        kind, name = line.split()[-2:]
        (needed if kind in "Uw" else defined).add(name)
    return defined, needed


def symbol_errors(uses, height):
    for (user, used), names in sorted(uses.items()):
        if not may_use(height, str(user.parent), str(used.parent)):
            yield f"{user}: {user.parent}/ is not above {used}: {', '.join(sorted(names))}"


def circle_errors(uses):
    """Strongly connected components of more than one object (Tarjan)."""
    graph = collections.defaultdict(set)
    for user, used in uses:
        graph[user].add(used)
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in graph[node]:
            if other not in number:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == number[node]:
            circle = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(circle) > 1:
                found.append(circle)

    for node in list(graph):
        if node not in number:
            visit(node)
    for circle in found:
        yield f"a circle of {len(circle)} objects: {', '.join(map(str, sorted(circle)))}"
        for user in circle:
            for used in circle:
                if (user, used) in uses:
                    yield f"  {user} needs {used}: {', '.join(sorted(uses[user, used]))}"


def without_comments(text):
    """Nor preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"^#(.*\\\n)*.*", "", text, flags=re.M)


def declares(text, name):
    """True if a header's @text, without comments, declares @name."""
    for match in re.finditer(rf"\b{re.escape(name)}\b", text):
        before = text[:match.start()].rsplit(";", 1)[-1].rsplit("}", 1)[-1]
        after = text[match.end():].lstrip()
        code = before.strip()
        if "{" in code or "static inline" in code or "(" in code.replace(
                "(*", ""):
            continue
        if after.startswith("(") and code:
            return True
        if re.search(r"\bextern\b", code) and after[:1] in (";", "[", ")"):
            return True
    return False


def declaration_errors(defined, headers):
    for source, names in sorted(defined.items()):
        own = pathlib.Path(source).with_suffix(".h")
        for name in sorted(names - {ENTRY}):
            where = [h for h, text in headers.items() if declares(text, name)]
            for header in where:
                if header != own:
                    yield f"{header}: declares {name} of {source}"
            if own not in where and not where:
                yield f"{source}: {name} is public, but {own} does not declare it"


def main():
    height = floors(os.environ["HV_DIRS"].split())
    files = [p.relative_to(ROOT) for f in height
             for p in sorted((ROOT / f).iterdir()) if p.suffix in (".c", ".h", ".asm")]
    sources = [p for p in files if p.suffix != ".h"]
    headers = {p: without_comments((ROOT / p).read_text())
               for p in files if p.suffix == ".h"}
    defined, needed, owner = {}, {}, {}
    for source in sources:
        suffix = ".o" if source.suffix == ".c" else ".asm.o"
        defined[source], needed[source] = symbols(
            (OBJECTS / source).with_suffix(suffix))
        owner.update(dict.fromkeys(defined[source], source))
    uses = collections.defaultdict(set)
    for source, names in needed.items():
        for name in names & owner.keys():
            uses[source, owner[name]].add(name)
    errors = [*include_errors(files, height), *symbol_errors(uses, height),
              *circle_errors(uses), *declaration_errors(defined, headers)]
    print("\n".join(errors))
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
