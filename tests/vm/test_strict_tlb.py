"""Translations outlive VM entries and exits where VPIDs tag them, and those of
guest-physical addresses always: hypervisors that forget to invalidate, and a
guest (tests/attack/kernel/stale.c) that reads what it then still finds."""

import pytest

import machine
import mutants
import test_attacks as attacks


def stale(efi=""):
    """The names of what the guest found stale."""
    options = attacks.options("commands")
    options.efi = str(efi)
    with machine.Machine(options, print) as m:
        said = attacks.Commander(m).ask("attack stale", 240)
        assert "gangway: panic" not in m.log
    lines = attacks.LINE.findall(said)
    prefix = "stale translations, "
    assert {name for _, name, _ in lines} == {
        prefix + name for name in (
            "paging off", "paging on", "device there", "device gone",
            "device gone for the other processor", "INIT")}, said
    return {name.removeprefix(prefix) for verdict, name, _ in lines
            if verdict == "FAIL"}


@pytest.mark.shapes
def test_nothing_stale():
    assert stale() == set()


# The invalidation that is left out, and who finds it missing
FORGOTTEN = {
    "after MOV to CR0": (
        "hv/vmx/control_regs.c", "\tvpid_invalidate();\n", "",
        {"paging off", "paging on"}),
    "at INIT": ("hv/vmx/vmcs.c", "\tvpid_invalidate();\n", "", {"INIT"}),
    "by who follows the EPT": (
        "hv/vmx/run.c", "\tept_invalidate();\n", "",
        {"device gone", "device gone for the other processor"}),
    "at all, when a mapping is removed": (
        "hv/vmx/ept.c", "\tif (flush_everywhere())\n",
        "\t(void)flush_everywhere;\n\tif (1)\n",
        {"device gone", "device gone for the other processor"}),
    "by the other processors": (
        "hv/vmx/ept.c",
        "return !__atomic_load_n(&cpu->in_guest, __ATOMIC_SEQ_CST) ||",
        "return true || !__atomic_load_n(&cpu->in_guest, __ATOMIC_SEQ_CST) ||",
        {"device gone for the other processor"}),
}


@pytest.mark.long
@pytest.mark.parametrize("what", FORGOTTEN)
def test_forgotten(what):
    *mistake, found = FORGOTTEN[what]
    efi = mutants.build(f"tlb-{list(FORGOTTEN).index(what)}", *mistake)
    assert stale(efi) == found
