"""What the guest can do from its shell: its ends, its console."""

import re

import pytest

import machine


@pytest.fixture
def shell():
    """A machine whose guest waits for commands."""
    options = machine.Options(shell=True)
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^DEMO: 10 passed, 0 failed$", options.timeout)
        assert m.wait_for(machine.SHELL, 30)
        yield m


def test_console_takes_input(shell):
    """A line typed at full speed arrives whole, and its answer comes back."""
    text = "".join(chr(ord("a") + i % 26) for i in range(60))
    start = len(shell.console)
    shell.send(f"echo {text} | md5sum; echo done\n")
    match = shell.wait_for(r"^([0-9a-f]{32})  -$", 30, start)
    assert match
    assert match[1] == __import__("hashlib").md5(f"{text}\n".encode()).hexdigest()


def test_stat_over_a_command(shell):
    """gangway-stat does not count its own CPUIDs: nothing ran, nothing is
    there but what starting `true` takes."""
    start = len(shell.console)
    shell.send("gangway-stat -m -- true; echo end of $((1 + 1))\n")
    assert shell.wait_for(r"^end of 2$", 30, start)
    said = shell.console[start:]
    cpuids = int(re.search(r"^exit\.CPUID=(\d+)$", said, re.M)[1])
    assert 0 < cpuids < 100
    assert re.search(r"^cpus=2$", said, re.M)


def test_second_clock(shell):
    """Linux compares the TSC with the machine's PM timer and keeps the TSC; to
    read the timer, as the guest's only clock, costs no exit."""
    start = len(shell.console)
    shell.send("cd /sys/devices/system/clocksource/clocksource0\n"
               "cat available_clocksource current_clocksource\n"
               "echo acpi_pm >current_clocksource; cat current_clocksource\n"
               "gangway-stat -m -- sleep 3; echo end of $((1 + 1))\n")
    assert shell.wait_for(r"^end of 2$", 60, start)
    said = shell.console[start:]
    for line in r"tsc acpi_pm ?", "tsc", "acpi_pm":
        assert re.search(f"^{line}$", said, re.M), line
    assert set(re.findall(r"^exit\.(\w+)=", said, re.M)) == {"CPUID"}


@pytest.mark.shapes
def test_reboot(shell):
    shell.send("reboot -f\n")
    assert shell.wait_for(r"gangway: guest rebooted", 60)
    assert shell.wait_for(r"gangway: end: reset", 30)


@pytest.mark.shapes
def test_crash(shell):
    """A guest that panics with panic=-1 ends by its emergency restart, or by a
    triple fault; either way the counters are printed."""
    shell.send("echo c >/proc/sysrq-trigger\n")
    assert shell.wait_for(r"gangway: guest (rebooted|crashed)", 60)
    assert shell.wait_for(r"gangway: end: ", 30)


def test_no_com1():
    """The only port is at COM2's address, and the log's: what the guest says
    on its console is in the log."""
    options = machine.Options(
        settings={"log": "com2"}, qemu_extra="-global isa-serial.iobase=0x2f8")
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert "console: nothing answers at COM1" in m.log
        assert re.search(r"^guest: PASS CPUs online: 2 of 2$", m.log, re.M)
        assert re.search(r"^guest: DEMO: 10 passed, 0 failed$", m.log, re.M)
        assert "gangway: guest powered off" in m.log


def test_power_off_as_configured():
    """on-poweroff=halt: the machine stays, and the counters are there."""
    options = machine.Options(settings={"on-poweroff": "halt"})
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"gangway: guest powered off", options.timeout)
        assert m.wait_for(r"^  CPUID +\d+ ", 30)
        assert m.wait_for(r"gangway: end: halt", 30)
        assert m.qemu.poll() is None
