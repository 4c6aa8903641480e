"""Claims about the C of the product, proved over all arguments.

A claim is a function claim_...() in tests/prove/ that returns bool and has
arguments that are numbers.  clang translates it, with what it calls inlined, to
LLVM's instructions; these become one formula, and Z3 looks for arguments for
which it returns false, or does what C leaves undefined."""

import re
import subprocess

FLAGS = ["-std=gnu11", "-ffreestanding", "-fshort-wchar", "-I.", "-O2",
         "-fno-vectorize", "-fno-slp-vectorize", "-mllvm",
         "-inline-threshold=100000", "-Wno-unused-function",
         "-fsanitize=undefined",
         "-fno-sanitize=alignment,null,object-size,pointer-overflow",
         "-fsanitize-trap=all", "-S", "-emit-llvm", "-o", "-"]
BINARY = {"add": "bvadd", "sub": "bvsub", "mul": "bvmul", "and": "bvand",
          "or": "bvor", "xor": "bvxor", "shl": "bvshl", "lshr": "bvlshr",
          "ashr": "bvashr"}
COMPARE = {"eq": "=", "ne": "distinct", "ult": "bvult", "ule": "bvule",
           "ugt": "bvugt", "uge": "bvuge", "slt": "bvslt", "sle": "bvsle",
           "sgt": "bvsgt", "sge": "bvsge"}
INTRINSIC = {"umin": "bvult", "umax": "bvugt", "smin": "bvslt",
             "smax": "bvsgt"}
# Without effect on what a claim returns: there is no load.
UNSEEN = r"store |(tail )?call void @llvm\.(ubsantrap|lifetime)"
VALUE = r"(%[\w.]+|-?\d+|true|false|undef|poison)"


class NotUnderstood(Exception):
    """An instruction that has no translation."""


def constant(text, bits):
    """A value as SMT-LIB has it; i1 is a vector of one bit, too."""
    if text.startswith("%"):
        return "v" + text[1:]
    if text in ("undef", "poison"):
        raise NotUnderstood(f"a value that is {text}")
    number = {"true": 1, "false": 0}.get(text)
    number = int(text) if number is None else number
    return f"(_ bv{number % (1 << bits)} {bits})"


def bit(condition):
    """A truth value as a bit"""
    return f"(ite {condition} #b1 #b0)"


class Claim:
    """The formula of one function."""

    def __init__(self, arguments, blocks):
        self.arguments = arguments  # name: bits
        self.blocks = blocks        # label: instructions
        self.lines = []             # what is defined, in order
        self.edges = {}             # (from, to): condition
        self.wrong = []             # conditions that must not be

    def define(self, name, bits, term):
        self.lines.append(f"(define-fun v{name} () (_ BitVec {bits}) {term})")

    def jump(self, label, to, condition):
        """An edge @label to @to; several cases of a switch may share one."""
        known = self.edges.get((label, to))
        both = f"(and r{label} {condition})"
        self.edges[label, to] = f"(or {known} {both})" if known else both

    def assign(self, name, text):
        """%name = text"""
        if m := re.match(r"(\w+)(?: n[us]w| exact| disjoint)* i(\d+) "
                         + VALUE + ", " + VALUE, text):
            if m[1] in BINARY:
                bits = int(m[2])
                self.define(name, bits, f"({BINARY[m[1]]} "
                            f"{constant(m[3], bits)} {constant(m[4], bits)})")
                return
        if m := re.match(r"icmp (?:samesign )?(\w+) i(\d+) " + VALUE + ", "
                         + VALUE, text):
            bits = int(m[2])
            self.define(name, 1, bit(f"({COMPARE[m[1]]} "
                        f"{constant(m[3], bits)} {constant(m[4], bits)})"))
        elif m := re.match(r"select i1 " + VALUE + r", i(\d+) " + VALUE
                           + r", i\d+ " + VALUE, text):
            bits = int(m[2])
            self.define(name, bits, f"(ite (= {constant(m[1], 1)} #b1) "
                        f"{constant(m[3], bits)} {constant(m[4], bits)})")
        elif m := re.match(r"(zext|sext)(?: nneg)? i(\d+) " + VALUE
                           + r" to i(\d+)", text):
            old, new = int(m[2]), int(m[4])
            how = "zero_extend" if m[1] == "zext" else "sign_extend"
            self.define(name, new, f"((_ {how} {new - old}) "
                        f"{constant(m[3], old)})")
        elif m := re.match(r"trunc(?: n[us]w)* i(\d+) " + VALUE
                           + r" to i(\d+)", text):
            new = int(m[3])
            self.define(name, new, f"((_ extract {new - 1} 0) "
                        f"{constant(m[2], int(m[1]))})")
        elif m := re.match(r"(?:tail )?call .*@llvm\.(\w+)\.i(\d+)\(i\d+ "
                           r"(?:noundef )?" + VALUE + r", i\d+ (?:noundef )?"
                           + VALUE, text):
            if m[1] not in INTRINSIC:
                raise NotUnderstood(text)
            bits = int(m[2])
            a, b = constant(m[3], bits), constant(m[4], bits)
            self.define(name, bits,
                        f"(ite ({INTRINSIC[m[1]]} {a} {b}) {a} {b})")
        else:
            raise NotUnderstood(text)

    def merge(self, label, name, text):
        """%name = phi ..."""
        bits = int(re.match(r"phi i(\d+)", text)[1])
        term = None
        for value, source in re.findall(r"\[ " + VALUE + r", %([\w.]+) \]",
                                        text):
            value = constant(value, bits)
            term = value if term is None else \
                f"(ite {self.edges[source, label]} {value} {term})"
        self.define(name, bits, term)

    def end(self, label, text):
        """The last instruction of a block"""
        if m := re.match(r"br label %([\w.]+)", text):
            self.jump(label, m[1], "true")
        elif m := re.match(r"br i1 " + VALUE
                           + r", label %([\w.]+), label %([\w.]+)", text):
            yes = f"(= {constant(m[1], 1)} #b1)"
            self.jump(label, m[2], yes)
            self.jump(label, m[3], f"(not {yes})")
        elif m := re.match(r"switch i(\d+) " + VALUE + r", label %([\w.]+) "
                           r"\[(.*)\]", text):
            bits = int(m[1])
            what, none = constant(m[2], bits), []
            for case, to in re.findall(r"i\d+ (-?\d+), label %([\w.]+)", m[4]):
                same = f"(= {what} {constant(case, bits)})"
                none.append(f"(not {same})")
                self.jump(label, to, same)
            self.jump(label, m[3], f"(and true {' '.join(none)})")
        elif m := re.match(r"ret i1 " + VALUE, text):
            self.wrong.append(f"(and r{label} (= {constant(m[1], 1)} #b0))")
        elif text.startswith("unreachable"):
            self.wrong.append(f"r{label}")
        else:
            raise NotUnderstood(text)

    def block(self, label):
        """Its predecessors are done, so that the edges to it are known."""
        reached = [term for (_, to), term in self.edges.items() if to == label]
        self.lines.append(f"(define-fun r{label} () Bool "
                          f"(or {' '.join(reached) or 'true'} false))")
        for text in self.blocks[label]:
            if m := re.match(r"%([\w.]+) = (.*)", text):
                if m[2].startswith("phi"):
                    self.merge(label, m[1], m[2])
                else:
                    self.assign(m[1], m[2])
            elif not re.match(UNSEEN, text):
                self.end(label, text)

    def formula(self):
        """SMT-LIB: satisfiable if the claim is wrong"""
        for label in in_order(self.blocks):
            self.block(label)
        names = [f"v{name}" for name in self.arguments]
        return "\n".join([
            *(f"(declare-const v{name} (_ BitVec {bits}))"
              for name, bits in self.arguments.items()),
            *self.lines, f"(assert (or {' '.join(self.wrong)} false))",
            "(check-sat)", f"(get-value ({' '.join(names)}))"])


def in_order(blocks):
    """Labels, each after all that lead to it; a loop has no such order."""
    after = {label: set(re.findall(r"label %([\w.]+)", text[-1]))
             for label, text in blocks.items()}
    order = []
    while after:
        free = [label for label in after
                if not any(label in to for to in after.values())]
        if not free:
            raise NotUnderstood("a loop")
        order.append(free[0])
        del after[free[0]]
    return order


def functions(text):
    """The claims in clang's output: name, arguments, blocks"""
    for m in re.finditer(r"^define [^\n]*i1 @(claim_\w+)\((.*?)\)[^\n]*\{\n"
                         r"(.*?)^\}", text, re.M | re.S):
        arguments = {name: int(bits) for bits, name in
                     re.findall(r"i(\d+)[^,%]* %([\w.]+)", m[2])}
        blocks, label = {}, str(len(arguments))
        body = re.sub(r"\[\n(.*?)\]", lambda cases:
                      "[" + cases[1].replace("\n", " ") + "]", m[3],
                      flags=re.S)
        for line in body.splitlines():
            if head := re.match(r"([\w.]+):", line):
                label = head[1]
            elif line.strip():
                blocks.setdefault(label, []).append(line.strip())
        yield m[1], arguments, blocks


def check(path, root):
    """Prints a line for each claim in @path; returns how many hold, and how
    many not."""
    clang = subprocess.run(["clang", *FLAGS, path], cwd=root, text=True,
                           stdout=subprocess.PIPE, check=True)
    proved = failed = 0
    for name, arguments, blocks in functions(clang.stdout):
        try:
            formula = Claim(arguments, blocks).formula()
        except NotUnderstood as why:
            answer = f"not understood: {why}"
        else:
            z3 = subprocess.run(["z3", "-in", "-T:300"], input=formula,
                                text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
            answer = z3.stdout.strip()
        holds = answer.startswith("unsat")
        proved += holds
        failed += not holds
        print(f"{path}: {name}: {'proved' if holds else 'WRONG: ' + answer}",
              flush=True)
    if not proved + failed:
        raise ValueError(f"{path}: no claim")
    return proved, failed
