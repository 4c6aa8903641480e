"""What several processors do at the same time, and time that is lost."""

import os
import re
import time

import pytest

import gdbstub
import machine
from test_attacks import check_alive, options

SEED = int(os.environ.get("SEED") or 1)
SECONDS = int(os.environ.get("DURATION") or 20)
BOOT_SECONDS = 300  # of attacks, at most
PAUSE = 1.5


def attack(arguments, seconds, smp):
    """Boot, and let the attack kernel attack for so long: then the guest powers
    off, and nothing of the hypervisor broke."""
    given = f"random={seconds} cpus={smp} only-end {arguments}"
    with machine.Machine(options(given, timeout=300 + 2 * seconds, smp=smp),
                         print) as m:
        ended = m.wait_end(m.options.timeout)
        # What a failed VM entry was refused for
        print(*re.findall(r"^vmx: .*$", m.guest_errors, re.M)[-5:], sep="\n")
        assert ended, m.last_line()
        assert "gangway: guest powered off" in m.log
        assert re.search(r"^gangway: end: halt$", m.log, re.M)
        check_alive(m)


@pytest.mark.shapes
def test_race():
    """Three processors write configuration space, move and size BARs, switch
    decoding and reset, beside exits and NMIs."""
    attack("set=race seed=1", 20, 3)


@pytest.mark.shapes
def test_sipi():
    """The first processor starts the others again and again, and these send it
    and each other interrupts: nothing but a SIPI ends the wait for one."""
    attack("set=sipi seed=1", 20, 3)


@pytest.mark.shapes
def test_random():
    """All attacks, drawn at random on every processor, while the VF moves data;
    `make attack-random` makes it long."""
    start, seed = time.monotonic(), SEED
    while (left := SECONDS - (time.monotonic() - start)) > 0:
        print(f"attack-random: seed {seed}")
        attack(f"set=all seed={seed}", int(min(left, BOOT_SECONDS)) + 1, 3)
        seed += 1


def test_hidden_fault():
    """The second processor sends INIT to the first, where the fault event would
    arrive, lets the VF do DMA that is blocked, and has no exit from then on: it
    is in the log meanwhile."""
    with machine.Machine(options("hidden=15 only-end"), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        before, _, _ = m.console.partition("gangway: guest powered off")
        assert "vtd-fault: " in before
        check_alive(m)


@pytest.fixture(name="mover")
def mover_at_question():
    """A machine that stands where the hypervisor, at a move of a BAR by the
    first processor, asks the second one to leave the guest."""
    with machine.Machine(options("moves"), print) as m:
        assert m.wait_for(r"^attack kernel: moves: ", m.options.timeout)
        with gdbstub.attached(m) as gdb:
            symbols = gdbstub.Symbols(m)
            gdb.run_to(symbols["cpu_interrupt"])
            yield m, gdb, symbols


def goes_on(m, gdb):
    """BARs are moved again."""
    start = len(m.console)
    gdb.let_go()
    again = r"attack kernel: moves: .*\n"
    assert m.wait_for(f"^{again}(.*\\n)*{again}|^gangway: panic",
                      m.options.timeout, start)
    check_alive(m)


@pytest.mark.shapes
def test_slow_device(mover):
    """The second processor does not come for longer than a second, as if its
    access to a device took that long."""
    m, gdb, _ = mover
    gdb.run_alone(0, PAUSE)
    goes_on(m, gdb)


def test_paused(mover):
    """The whole machine is stopped and continued by the monitor, and its clock
    went on meanwhile (which it does where the processor is not emulated)."""
    m, gdb, symbols = mover
    m.hmp("stop")
    khz = int.from_bytes(gdb.read(symbols["tsc_khz"], 4), "little")
    start = int.from_bytes(gdb.read(symbols["start_tsc"], 8), "little")
    start = (start - int(PAUSE * 1000 * khz)) % (1 << 64)
    gdb.write(symbols["start_tsc"], start.to_bytes(8, "little"))
    goes_on(m, gdb)
