"""The hypervisor's own failures, forced on each CPU: everything is said, all
CPUs are out of the guest, and the machine halts or starts again."""

import re

import pytest

import machine
import outside

# As in hv/vmx/selftest.h
(PANIC, OPCODE, PAGE_FAULT, STACK, LOCKED, GUEST_STATE, CONTROLS, LOG_STUCK,
 AGAIN) = range(1, 10)
VF = "0000:01:10.0"


def options(cmdline="", **settings):
    """A guest that is nothing but a shell."""
    return machine.Options(
        guest_cmdline=f"rdinit=/bin/sh {cmdline}",
        settings={"selftest": "panic", **settings},
        reboot=True)


def crash(m, cpu, what, last):
    """Force @what on @cpu of a machine at its shell; returns what was said
    until @last was."""
    start = len(m.console)
    m.send(f"gangway-crash {cpu} {what}\n")
    assert m.wait_for(last, 60, start), m.last_line()
    return m.seen[start:]


def check_dump(said, cpu, reason, cpus=(0, 1)):
    """Registers, stack, build, and exits of @cpus, the CPUID last."""
    assert re.search(rf"^gangway: panic: {reason}.*\bcpu {cpu}, Gangway "
                     r"[0-9.]+ [0-9a-f]{40}\)$", said, re.M)
    assert len(re.findall(r"^  r(?:ax|sp|8 |12) [0-9a-f]{16}  r", said,
                          re.M)) == 4
    assert re.search(r"^  rip [0-9a-f]{16} \(image \+ 0x", said, re.M)
    assert re.search(r"^  cr0 [0-9a-f]+  cr2 [0-9a-f]+  cr3 ", said, re.M)
    assert re.search(r"^  stack [0-9a-f]{16}: [0-9a-f]{16}$", said, re.M)
    for each in cpus:
        assert re.search(rf"^  cpu {each} exit: reason ", said, re.M)
    exits = re.findall(rf"^  cpu {cpu} exit: reason (\d+)", said, re.M)
    assert exits[-1] == "10"
    assert "does not leave the guest" not in said


def check_halted(m, said):
    """All CPUs stand still, on the hypervisor's page tables."""
    ours = re.search(r"cr3 ([0-9a-f]+)", said)[1]
    registers = outside.wait_halted(m)
    assert [int(cr3, 16) for cr3 in re.findall(r"\bCR3=([0-9a-f]+)", registers)
            ] == [int(ours, 16)] * 2


@pytest.mark.shapes
def test_halts():
    """The default, on-panic=halt; beside it, the end of a stack.  The other CPU
    was never started: it waits for SIPI, which blocks NMIs."""
    with machine.Machine(options("maxcpus=1"), print) as m:
        assert m.wait_for(machine.SHELL, 120)
        assert "selftest: WARNING" in m.log
        assert outside.open_buses(m) == [1]
        said = crash(m, 0, STACK, r"^gangway: panic ends: halted")
        check_dump(said, 0, "page fault exception", [0])
        check_halted(m, said)
        assert outside.open_buses(m) == []


RESETS = [
    (1, PAGE_FAULT, "page fault exception"),
    (1, OPCODE, "invalid opcode exception"),
    # CPU 0 exits for an NMI, and waits for a lock that nobody gives back
    (1, LOCKED, "selftest: .* trap lock"),
    # The other one stands still in the middle of a line
    (0, PANIC, "selftest: "),
    (1, AGAIN, "selftest: .* twice"),
]
# A VM entry that fails ends the guest, not the hypervisor.
ENTRIES = [
    (0, GUEST_STATE, r"VM entry on cpu 0: invalid guest state \(reason 33"),
    (1, CONTROLS, r"VM entry on cpu 1: error 7"),
]


@pytest.mark.long
def test_resets():
    """One machine, reset by one failure after the other."""
    broken = options(**{"on-panic": "reset", "on-crash": "reset"})
    broken.complaints = True  # VM entries with an impossible state
    with machine.Machine(broken, print) as m:
        start = 0
        for cpu, what, reason in RESETS + ENTRIES:
            assert m.wait_for(machine.SHELL, 120, start), m.last_line()
            panics = (cpu, what, reason) in RESETS
            if what == PANIC:
                m.send("busybox mount -t devtmpfs d /dev\n"
                       f"gangway-crash {1 - cpu} {LOG_STUCK} &\n")
                assert m.wait_for(r"^selftest: cpu \d keeps the lock", 30,
                                  start), m.last_line()
            said = crash(m, cpu, what, r"^gangway: panic ends: reset"
                         if panics else r"^gangway: end: reset")
            start = len(m.console)
            if what == AGAIN:
                assert re.search(
                    rf"^gangway: panic: {reason} .*\n"
                    r"gangway: panic: and again: invalid opcode at rip "
                    r"[0-9a-f]{16} \(image \+ 0x[0-9a-f]+\); DMA is "
                    r"stopped\ngangway: panic ends: reset", said, re.M)
                continue
            if panics:
                check_dump(said, cpu, reason)
                continue
            assert re.search(rf"^gangway: guest crashed \({reason}.*\n"
                             rf"(?:.*\n)*?assign: {VF} stopped and reset$",
                             said, re.M)
            assert what != GUEST_STATE or re.search(
                rf"^vmx: cpu {cpu}: entry with event 0x0, .* RFLAGS 0x0,",
                said, re.M)
        assert m.wait_for("leaving the firmware", 60, start)
