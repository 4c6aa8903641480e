"""Lab 0: which line of the code said this line of the log?"""

import re

TITLE = "the first fault"
MACHINE = "demo"
# The answer, and the line of the log that it is about
LINES = {
    "blocked": r"^vtd: all DMA is blocked$",
    "ready": r"^igb: .* ready for 1 VF$",
    "created": r"^sriov: .*: VF 0 of ",
    "attached": r"^vtd: .*: attached to domain 1 by ",
    "given": r"^assign: .* is the guest's ",
    "fault": r"^vtd-fault: ",
}
CRITERIA = {"machine": 0, **dict.fromkeys(LINES, 1)}


def statement(text, number):
    """The statement of C that line @number, from 1, is in."""
    lines = text.splitlines()
    first = number - 1
    while first and not re.search(r"[;{}]\s*$", lines[first - 1]):
        first -= 1
    last = first
    while last + 1 < len(lines) and ";" not in lines[last]:
        last += 1
    return "\n".join(lines[first:last + 1])


# A format: strings one after the other, and macros that are strings
STRING = r'"((?:[^"\\]|\\.)*)"|\b([A-Z]+_FMT)\b'


def says(code, line):
    """Whether the first string of @code, as a format, gives @line's start."""
    first = re.search(rf"(?:(?:{STRING})\s*)+", code)
    if not first:
        return False
    text = "".join(plain or "%s" for plain, _ in re.findall(STRING, first[0]))
    parts = re.split(r"%[-0-9.*]*[lz]*[a-z]", text.replace("\\n", ""))
    return bool(parts[0] and
                re.match(".*?".join(map(re.escape, parts)), line))


def check_line(lab, run, key, pattern):
    """FILE:LINE, in a statement that says the line."""
    said = re.fullmatch(r"(\S+\.[ch]):(\d+)", lab.answers.get(key, ""))
    line = run.line(pattern)
    if not line:
        return lab.judge(key, False, f"the log has no such line: {pattern}")
    if not said:
        return lab.judge(key, False, "no answer yet: FILE:LINE of what says "
                         f"\"{line[:60]}\"")
    file, number = lab.tree / said[1], int(said[2])
    if not file.is_file() or number > len(file.read_text().splitlines()):
        return lab.judge(key, False, f"there is no line {said[0]}")
    if not says(statement(file.read_text(), number), line):
        return lab.judge(key, False, f"{said[0]} does not say \"{line[:60]}\"")
    return lab.judge(key, True, said[0])


def check(lab):
    run = lab.run("demo")
    for key, pattern in LINES.items():
        check_line(lab, run, key, pattern)
