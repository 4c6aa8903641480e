"""The demonstration on the machines that it must pass on."""

import re

import pytest

import demo
import machine

MACHINES = {
    "defaults": {},
    "1 CPU": {"smp": 1},
    "1 GiB": {"mem": "1G"},
    "6 GiB": {"mem": "6G"},
    "39-bit DMA addresses": {"iommu": "aw-bits=39"},
    "caching mode": {"iommu": "caching-mode=on"},
    "no extended interrupt mode": {"iommu": "eim=off"},
    "EPT without 1 GiB pages": {"cpu": "vmx-ept-1gb=off"},
    "EPT with 4 KiB pages only": {"cpu": "vmx-ept-1gb=off,vmx-ept-2mb=off"},
    "no wait-for-SIPI state": {"cpu": "vmx-activity-wait-sipi=off",
                               "guest_cmdline": "gangway.smp=1"},
    "no hypervisor below": {"cpu": "hypervisor=off"},
    "from USB": {"usb": str(machine.BUILD / "gangway-usb.img")},
}

LONG = {"1 GiB", "6 GiB", "39-bit DMA addresses", "caching mode",
        "no extended interrupt mode", "EPT without 1 GiB pages",
        "EPT with 4 KiB pages only"}


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.long] if name in LONG else [])
    for name in MACHINES])
def test_demonstration(name):
    verdict = demo.demonstrate(machine.Options(**MACHINES[name]), print)
    assert verdict.problems == []
    assert verdict.status == demo.PASSED


@pytest.mark.parametrize("shape", ["Sandy Bridge"], indirect=True)
def test_shape():
    options = machine.Options()
    with machine.Machine(options, print) as m:
        assert demo.judge(m, m.wait_end(options.timeout)).problems == []
        assert "2M pages yes, 1G pages no, VPID no" in m.log


def test_unknown_hypervisor_below():
    """It may report a wrong address when a page that can be read is written: the
    mailbox page cannot be read.  All works, and only the judge minds that reads
    exit."""
    options = machine.Options(cpu="tcg-cpuid=off")
    with machine.Machine(options, print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert demo.judge(m, True).problems == [
            "reads of a VF's mailbox page exit, and need not"]
        assert re.search(r"^assign: \S+: the guest's reads of BAR 0 at 0x0 exit "
                         r"too: the hypervisor below \(unnamed\)", m.log, re.M)


@pytest.mark.long
def test_log_on_second_port(tmp_path):
    """LOG= keeps the console for the guest; nothing else changes."""
    log = tmp_path / "hypervisor.log"
    with machine.Machine(machine.Options(log=str(log)), print) as m:
        assert m.wait_end(m.options.timeout)
        verdict = demo.judge(m, True)
        assert verdict.problems == []
        assert "gangway: guest powered off" in m.log
        assert "gangway: guest powered off" not in m.console


def test_nothing_written_outside(tmp_path):
    """The memory of the machine at the address that the VF was told to write
    to, should it not be translated, does not hold the frame."""
    options = machine.Options(shell=True)
    with machine.Machine(options, print) as m:
        said = m.wait_for(r"^PASS blocked DMA: write to 0x([0-9a-f]+) refused",
                          options.timeout)
        assert said
        dump = m.hmp(f"xp /16xb 0x{said[1]}")
        there = bytes(int(byte, 16)
                      for byte in re.findall(r"\b0x([0-9a-f]{2})\b", dump))
        assert len(there) == 16
        # An ARP reply from QEMU's 10.0.2.2 starts: to, from, 0806
        assert there[6:14] != bytes.fromhex("52550a0002020806")
