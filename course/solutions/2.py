"""Lab 2: VT-d 7.1.3 for the reasons; the levels follow from the bits of the
address: 47:39, 38:30 and 29:21 are the indices of levels 4, 3 and 2."""


def ends_at(address, ram_end):
    """The level whose entry is the first without anything below, where RAM is
    mapped from 0 to @ram_end."""
    for level in (4, 3, 2):
        shift = 12 + 9 * (level - 1)
        if address >> shift << shift >= ram_end:
            return level
    return 1


def answers(lab):
    run = lab.run("attack")
    end = int(run.match(r"guest: RAM 0x0+-0x(\w+)")[0], 16) + 1
    image = int(run.match(r"image at 0x(\w+)-")[0], 16)
    return {"beyond_reason": "5h", "beyond_read_reason": "6h",
            "image_reason": "5h", "image_level": ends_at(image, end),
            "eight_gib_reason": "5h", "eight_gib_level": ends_at(8 << 30, end),
            "one_tib_reason": "5h", "one_tib_level": ends_at(1 << 40, end),
            "too_wide_reason": "4h", "too_wide_level": "context",
            "last_word_reason": "none", "minutes": 50}
