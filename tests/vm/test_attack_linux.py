"""Attacks by root in the Linux guest (tests/attack/linux), whose VF has its
driver and its traffic meanwhile."""

import re

import demo
import machine

NAMES = {
    "attack ring 3 instructions", "attack ports by root", "attack MSRs by root",
    "attack device memory by root", "attack mask and unmask beside traffic",
    "traffic while vectors are masked and unmasked",
    "attack hostile messages beside traffic", "traffic after hostile messages",
    "attack configuration space beside traffic",
    "traffic after writes to configuration space"}


def test_linux():
    """Every attack ends as it should, the VF's traffic passes, VT-d has nothing
    to refuse, and the guest ends when it wants to."""
    options = machine.Options(
        initrd=str(machine.BUILD / "attack/initramfs.gz"),
        guest_cmdline="iomem=relaxed gangway.show=attack")
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        lines = demo.LINE.findall(m.console)
        assert [line for line in lines if line[0] == "FAIL"] == []
        assert {name for _, name, _ in lines} == NAMES
        assert "gangway: guest powered off" in m.log
        assert "gangway: panic" not in m.log
        assert "vtd-fault" not in m.log
        # Each kind of refusal is logged a few times, and then that it is so
        for what in ("guest: read of MSR ", "is no MOV: #GP", "msix: "):
            assert re.search(rf"{what}.*; further ones are not logged$", m.log,
                             re.M), what
        assert re.search(r"^assign: 0000:01:10.0 stopped and reset$", m.log,
                         re.M)
