"""Lab 9: PF + offset + n times stride, and VF BAR0 + n times its size."""

PF, OFFSET, STRIDE, SIZE = 0x0100, 0x80, 2, 16 << 10


def answers(lab):
    run = lab.run("vfs")
    base = int(run.match(r"VF 0 of .* BAR0 (\w+) ")[0], 16)
    found = {}
    for n in (0, 1, 7):
        rid = PF + OFFSET + n * STRIDE
        found[f"vf{n}_address"] = (f"0000:{rid >> 8:02x}:{rid >> 3 & 31:02x}."
                                   f"{rid & 7}")
        found[f"vf{n}_bar0"] = hex(base + n * SIZE)
    return {**found, "vf7_source": hex(PF + OFFSET + 7 * STRIDE),
            "minutes": 60}
