"""Machines and configurations that Gangway must refuse, or do without: a clear
message, no hang, no triple fault."""

import re

import pytest

import demo
import featurectl
import machine


def squeeze(text):
    """Without white space: firmware's consoles break lines where they like."""
    return re.sub(r"\s", "", text)


def boots_to(options, *words):
    """Boot; the hypervisor stops or the machine ends in time, and says
    @words."""
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        text = squeeze(m.log)
        for word in words:
            assert squeeze(word) in text


def test_no_remapping_unit():
    """Without VT-d the guest boots, without the device, and all is said."""
    with machine.Machine(machine.Options(iommu="none"), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert "No DMAR table" in m.log
        assert re.search(r"^PASS CPUs online: 2 of 2$", m.console, re.M)
        assert "gangway: guest powered off" in m.log
        verdict = demo.judge(m, True)
        assert verdict.status == demo.NO_DEVICE
        assert len(verdict.problems) == 1


STOPS = {
    "no VMX": ({"cpu": "vmx=off"}, ("gangway: stopped:", "no VMX")),
    "no execute-disable": (
        {"cpu": "nx=off"},
        ("gangway: stopped:", "no execute-disable", "Execute Disable Bit")),
    "no unrestricted guest": (
        {"cpu": "vmx-unrestricted-guest=off"},
        ("gangway: stopped:", "no unrestricted guest")),
    "no NMI-window exiting": (
        {"cpu": "vmx-vnmi-pending=off"},
        ("gangway: stopped:", "no virtual NMIs with NMI-window exiting")),
    "kernel missing": (
        {"settings": {"kernel": "\\nowhere"}},
        ("gangway: stopped:", "\\nowhere")),
    "too little memory asked for": (
        {"settings": {"memory": "32M"}},
        ("gangway: stopped:", "memory=32M", "too little")),
    "too little memory there": (
        {"mem": "192M"}, ("gangway: stopped:", "too little memory")),
    "too much memory asked for": (
        {"settings": {"memory": "64G"}},
        ("gangway: stopped:", "memory=65536M")),
    "unknown key": (
        {"settings": {"colour": "blue"}},
        ("gangway: stopped:", "gangway.cfg:8:", "colour")),
    "bad value": (
        {"settings": {"cpus": "many"}},
        ("gangway: stopped:", "gangway.cfg:5:", "many")),
}


@pytest.mark.parametrize("name", STOPS)
def test_stops(name):
    changes, words = STOPS[name]
    boots_to(machine.Options(timeout=120, **changes), *words)


def test_kernel_is_no_bzimage(tmp_path):
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(bytes(range(256)) * 4096)
    boots_to(machine.Options(kernel=str(kernel), timeout=120),
             "gangway: stopped:", "expected a 64-bit Linux bzImage")


def test_locked_off():
    """Firmware that locked VMX off is told from a CPU that has none."""
    with featurectl.booted_with(1, machine.Options(timeout=120)) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert "VMXislockedoff" in squeeze(m.log)


def test_unlocked():
    """Firmware that left IA32_FEATURE_CONTROL alone: Gangway sets it."""
    with featurectl.booted_with(0, machine.Options()) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []


@pytest.mark.long
def test_cards_without_room():
    """Twelve cards more than the firmware has room for: those that it gave no
    address are not to be had, in whole or by VFs, and the others are."""
    more = [argument for i in range(12) for argument in (
        "-device", f"pcie-root-port,id=more{i},slot={i + 10},"
                   f"chassis={i + 10},addr={i + 3:#x}",
        "-device", f"igb,bus=more{i},romfile=")]
    options = machine.Options(settings={"mode": "check"}, devices=more)
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^gangway: ready$", options.timeout), m.last_line()
        without = re.findall(r"^pci: (\S+): 8086:10c9 .*BAR\d without address",
                             m.console, re.M)
        verdicts = dict(re.findall(
            r"^preflight: (\S+) .* 8086:10c9 .* ((?:yes|no): .*)$", m.console,
            re.M))
        assert "0000:01:00.0" in without
        assert len(verdicts) == 13 and len(without) < 13
        for function, verdict in verdicts.items():
            assert verdict.startswith(
                'no: firmware gave its BAR 0 no address: turn on "Above 4G '
                'Decoding" in the set-up, or take other cards out'
                if function in without else f"yes: assign={function}; VFs: ")


ABSENT = {
    "an address": ("0000:05:00.0", "0000:05:00.0: no such function"),
    "a VF by its PF's IDs": ("vf:8086:1234/0", "8086:1234"),
    "a VF of a number too high": ("vf:8086:10c9/99",
                                  "it has 8 VFs, and no VF 99"),
}


@pytest.mark.parametrize("name", ABSENT)
def test_function_absent(name):
    assign, words = ABSENT[name]
    boots_to(machine.Options(settings={"assign": assign}), words,
             "gangway: stopped: a function of assign=")
