"""The log on the screen: what the framebuffer shows can be read."""

import gzip
import pathlib
import re
import time

import pytest

import machine

FONT = pathlib.Path("/usr/share/consolefonts/Lat15-Fixed16.psf.gz")
LINES = 16
GREEN, RED = (85, 255, 85), (255, 85, 85)


def read_font():
    """Character -> 16 lines of 8 pixels, from the package's font."""
    font = gzip.decompress(FONT.read_bytes())
    assert font[:2] == b"\x36\x04" and font[3] == LINES
    glyphs = 512 if font[2] & 1 else 256
    table = font[4 + glyphs * LINES:].decode("utf-16-le", "surrogatepass")
    shapes = {}
    for number, names in enumerate(table.split("\uffff")[:glyphs]):
        start = 4 + number * LINES
        rows = [[byte >> (7 - bit) & 1 for bit in range(8)]
                for byte in font[start:start + LINES]]
        for name in names.partition("\ufffe")[0]:
            shapes.setdefault(name, rows)
    return shapes


class Picture:
    """A screendump in QEMU's PPM format."""

    def __init__(self, path):
        head = re.match(rb"P6\s(\d+)\s(\d+)\s255\s", path.read_bytes())
        self.width, self.height = int(head[1]), int(head[2])
        self.pixels = path.read_bytes()[head.end():]
        self.lit = [bytes(map(bool, map(sum, zip(*[iter(self.line(y))] * 3))))
                    for y in range(self.height)]

    def line(self, y):
        start = y * self.width * 3
        return self.pixels[start:start + self.width * 3]

    def find(self, text, font):
        """Where @text stands, as (x, y) of its corner; None: nowhere."""
        shape = [bytes(sum((font[c][row] for c in text), []))
                 for row in range(LINES)]
        # By the line with most in it: empty ones are everywhere
        key = max(range(LINES), key=lambda row: sum(shape[row]))
        for y in range(self.height - LINES + 1):
            x = self.lit[y + key].find(shape[key])
            while x >= 0:
                if all(self.lit[y + row][x:x + len(shape[row])] == shape[row]
                       for row in range(LINES)):
                    return x, y
                x = self.lit[y + key].find(shape[key], x + 1)
        return None

    def colours(self, x, y, width):
        """The colours of all that is lit in a field @width characters wide."""
        found = set()
        for row in range(y, y + LINES):
            line = self.line(row)[3 * x:3 * (x + 8 * width)]
            found |= set(zip(line[::3], line[1::3], line[2::3]))
        return found - {(0, 0, 0)}


# The second has half the rows that the log has lines
DISPLAYS = {
    "VGA": "-device VGA",
    "bochs-display": "-device bochs-display,xres=800,yres=480",
}


def wait_for_page(m, path, texts, font, **display):
    """The picture once one of @texts, which are drawn last, is on it, and
    which; @display: device=, where there are several."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        m.qmp("screendump", filename=str(path), **display)
        picture = Picture(path)
        for end in texts:
            if picture.find(end, font):
                # QEMU may have read its top before that was drawn
                m.qmp("screendump", filename=str(path), **display)
                return Picture(path), end
    raise AssertionError(f"no page ends in one of {texts}")


def read_pages(m, path, font):
    """All pages of the log, from the first on; a key of the PS/2 keyboard
    turns them."""
    pages, last = [], "gangway: ready"
    while True:
        more = f"-- page {len(pages) + 1}; "
        picture, end = wait_for_page(m, path, (more, last), font)
        pages.append(picture)
        if end == last:
            return pages
        m.qmp("send-key", keys=[{"type": "qcode", "data": "spc"}])


def find(text, pages, font):
    """The first page that shows @text, and where."""
    for page in pages:
        if place := page.find(text, font):
            return page, *place
    raise AssertionError(f"not on the screen: {text}")


@pytest.mark.parametrize("name", DISPLAYS)
def test_preflight_is_on_the_screen(name, tmp_path):
    font = read_font()
    options = machine.Options(settings={"mode": "check"},
                              qemu_extra=DISPLAYS[name])
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"gangway: ready\n", options.timeout), \
            m.last_line()
        pages = read_pages(m, tmp_path / "screen.ppm", font)
        # The verdict has a page of its own
        assert (len(pages) > 2) == (name == "bochs-display")
        assert pages[-1].find("gangway: This machine can give:", font)
        assert not pages[-1].find("preflight: ", font)
        # All of it, from its first line on
        assert pages[0].find("screen: ", font)
        assert pages[-1].find("gangway: ready", font)
        # A line of the console, by its beginning: a narrow screen breaks it
        row = re.search(r"^preflight: 0000:01:00\.0 .*?(yes|no):", m.console,
                        re.M)[0]
        page, x, y = find(row, pages, font)
        # On each page with rows of the table are the heads of its columns
        assert page.find("preflight: function     group  IDs", font)
        assert page.colours(x + 8 * row.rindex(" yes"), y, 4) == {GREEN}
        page, x, y = find("no: it has INTx", pages, font)
        assert page.colours(x, y, 2) == {RED}
        find("gangway: mode=check ends here", pages, font)
        # One more key ends it
        m.qmp("send-key", keys=[{"type": "qcode", "data": "spc"}])
        assert m.wait_for(r"gangway: end: poweroff", 30)
        assert m.wait_end(30)
        assert "gangway: panic" not in m.log


def test_display_is_given_with_its_screen():
    """A guest may have the display that the log is on."""
    options = machine.Options(settings={"assign": "0000:00:02.0"},
                              qemu_extra=DISPLAYS["bochs-display"])
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^assign: 0000:00:02\.0 is the guest's",
                          options.timeout), m.last_line()
        assert re.search(r"^screen: 800x480 at ", m.log, re.M)


def test_two_displays(tmp_path):
    """Both show the log: where firmware has several displays, the one of its
    console is none of them.  It gives all the same mode."""
    font = read_font()
    options = machine.Options(
        settings={"mode": "check"}, qemu_extra=" ".join(
            f"{words},id=display{i}"
            for i, words in enumerate(DISPLAYS.values())))
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"gangway: ready\n", options.timeout), \
            m.last_line()
        screens = re.findall(r"^(screen: \S+ at \S+)$", m.log, re.M)
        assert len(set(screens)) == 2
        for i in range(2):
            picture, _ = wait_for_page(m, tmp_path / f"{i}.ppm",
                                       ("gangway: ready", "-- page 1; "), font,
                                       device=f"display{i}")
            for line in screens:
                assert picture.find(line, font)
