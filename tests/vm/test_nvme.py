"""An NVMe drive's VF: in a guest of its own, beside a network card's VF, and
the drives that cannot give one."""

import re

import pytest

import demo
import machine
from test_refusals import boots_to

ASSIGN = machine.SHOWS["nvme"]


@pytest.mark.shapes
def test_nvme_vf():
    """The guest reads what it wrote, in the drive's image too, without an exit;
    the VF survives its reset; of its DMA nothing was blocked but what it should
    not do, and of the PF's nothing."""
    with machine.Machine(machine.Options(show="nvme"), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        verdict = demo.judge(m, True)
        assert verdict.problems == []
        assert re.search(r"PASS NVMe VM exits: 0 in ", m.console)
        assert re.search(r"vtd: (\S+): attached to domain 16 .*\n"
                         r"nvme: \1: reaches its 24 KiB of queues and nothing "
                         r"else", m.log)
        assert re.search(r"nvme: \S+: VF 0 is controller 1, online", m.log)
        # Before the guest, twice in it, at its end
        assert m.log.count("6.6.2: function-level reset") == 4
        assert "offline after its reset" not in m.log
        assert (set(re.findall(r"vtd-fault: .*\bsource=(\S+)", m.log))
                == {"0000:02:00.1"})
        assert re.search(r"assign: (\S+)\.1 stopped and reset\r?\n"
                         r"nvme: \1\.0: stopped", m.log)


@pytest.mark.long
def test_primary_that_keeps_all():
    """A drive that leaves nothing to its VFs gives it up, by a reset of the PF,
    and all is as with the other."""
    keeps = {**machine.NVME_VFS, "primary-keeps": "on"}
    with machine.Machine(machine.Options(show="nvme", nvme=keeps), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []
        for name in ("queues", "interrupts"):
            assert ("nvme: 0000:02:00.0: the primary controller keeps 2 of 2 "
                    f"flexible {name}: 0 from now on") in m.log
        assert m.log.count("ready for 1 VF, 2 flexible queue pairs") == 1


@pytest.mark.long
def test_no_namespace():
    """What is attached to the PF alone is no disk of the guest's: said."""
    options = machine.Options(show="nvme", namespace="shared=off,bus=nvme")
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert ("nvme: 0000:02:00.1: no namespace is attached, so the guest "
                "will find a drive without a disk. Attach one from another "
                "system (nvme attach-ns)") in m.log
        assert re.search(r"^PASS NVMe VF and driver:? ", m.console, re.M)
        assert re.search(r"^FAIL NVMe disk:? no namespace appeared", m.console,
                         re.M)
        assert "gangway: guest powered off" in m.log


def test_two_kinds_in_one_guest():
    """An igb VF and an NVMe VF, each with its own source ID and vectors."""
    with machine.Machine(machine.Options(show="demo,nvme"), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []
        assert len(re.findall(r"attached to domain 1 by", m.log)) == 2


REFUSED = {
    "no SR-IOV": (
        {"nvme": {}}, ASSIGN, "sriov: 0000:02:00.0: no SR-IOV capability"),
    "a VF of a number too high": (
        {"nvme": {**machine.NVME_VFS, "sriov_vq_flexible": 4,
                  "max_ioqpairs": 6}}, "vf:1b36:0010/1",
        "it has 1 VFs, and no VF 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    changes, assign, words = REFUSED[name]
    boots_to(machine.Options(show="nvme", settings={"assign": assign},
                             timeout=120, **changes),
             words, "gangway: stopped: a function of assign=")
