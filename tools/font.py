"""The screen's font as C: font.py FONT.psf.gz >font.c

Reads a console font (PSF version 1, 8 by 16 pixels, with its Unicode table)
and writes the glyphs of ASCII."""

import gzip
import struct
import sys

FIRST, LAST = 0x20, 0x7E
HEIGHT = 16
MAGIC = 0x0436
MODE_512, MODE_TABLE = 1, 2
END_OF_GLYPH, SEQUENCE = 0xFFFF, 0xFFFE


def read_glyphs(font):
    """Character -> its 16 lines."""
    magic, mode, height = struct.unpack_from("<HBB", font)
    if magic != MAGIC or not mode & MODE_TABLE or height != HEIGHT:
        sys.exit("font: expected PSF version 1, 16 lines, a Unicode table")
    count = 512 if mode & MODE_512 else 256
    table = struct.iter_unpack("<H", font[4 + count * HEIGHT:])
    glyphs, index, sequences = {}, 0, False
    for (code,) in table:
        if code == END_OF_GLYPH:
            index, sequences = index + 1, False
        elif code == SEQUENCE:
            sequences = True
        elif not sequences:
            start = 4 + index * HEIGHT
            glyphs.setdefault(code, font[start:start + HEIGHT])
    return glyphs


def main():
    glyphs = read_glyphs(gzip.open(sys.argv[1]).read())
    print('#include "drivers/framebuffer.h"\n')
    print("const u8 font[FONT_GLYPHS][FONT_HEIGHT] = {")
    for code in range(FIRST, LAST + 1):
        lines = ", ".join(f"0x{line:02x}" for line in glyphs[code])
        print(f"\t[{code - FIRST}] = {{{lines}}},")
    print("};")


if __name__ == "__main__":
    main()
