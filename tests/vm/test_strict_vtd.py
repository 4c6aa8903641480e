"""Where hardware is strict about VT-d and an emulator need not be: hypervisors
with a mistake that only a strict remapping unit notices, and the emulator
notices them."""

import pytest

import machine
import mutants
import test_attacks as attacks


def commanded(efi=""):
    options = attacks.options("commands")
    options.efi = str(efi)
    return machine.Machine(options, print)


def exercise(d):
    """An interrupt entry that is used, changed and used again, for longer than
    a unit may be excused; an entry that no one has set; and the end, at which
    the VF's context is closed.  Returns the vectors that came."""
    heard = []
    for vector in ("60", "61"):
        d.ask(f"route {vector}")
        for _ in range(2):
            heard.append(d.ask("listen").split()[-1])
            # Beyond the excuse; nothing else can show that time has passed
            d.m.wait_for("^never said$", 1.5)
    d.ask(f"write {attacks.remappable(200):x} 62")
    d.m.send("end\n")
    assert d.m.wait_end(60)
    return heard


# What is forgotten: the file, the right text and the wrong one, and what the
# emulator says
FORGOTTEN = {
    "to write back new tables": (
        "vtd/unit.c", "vtd_write_back(page, pages * PAGE_SIZE)", "(void)page",
        "was never written back"),
    "to write back entries": (
        "vtd/unit.c", "vtd_write_back(half, sizeof(*half))", "(void)half",
        "was changed and not written back"),
    "to invalidate an interrupt entry": (
        "vtd/irte.c",
        "return err ? err : vtd_invalidate_irte(unit, index & 0xffff);",
        "return err;", "interrupt entry"),
    "which domain a context had": (
        "vtd/context.c", "u16 domain = VTD_CONTEXT_DOMAIN(entry->high);",
        "u16 domain = 0;", "and invalidated for 0"),
}


@pytest.mark.long
@pytest.mark.parametrize("what", FORGOTTEN)
def test_forgotten(what):
    *mistake, words = FORGOTTEN[what]
    efi = mutants.build(f"vtd-{list(FORGOTTEN).index(what)}", *mistake)
    with commanded(efi) as m:
        heard = exercise(attacks.Commander(m))
        assert (heard[2:] == ["60", "60"]) == ("interrupt entry" in words)
        assert mutants.noticed(m, words), m.guest_errors


def test_nothing_forgotten():
    """The control: the same of the hypervisor as it is."""
    with commanded() as m:
        assert exercise(attacks.Commander(m)) == ["60", "60", "61", "61"]
        attacks.check_alive(m)
