"""Attacks by time: a guest that exits as fast as it can, and one that resets
itself again and again.  Short here; `make attack-time` makes them long."""

import os
import re

import machine
import pytest
from test_attacks import check_alive, options

SECONDS = int(os.environ.get("DURATION") or 5)
RESETS = int(os.environ.get("N") or 4)


def test_exits_without_end():
    """CPUID on both processors: the console is served meanwhile, and the guest
    ends when it wants to."""
    with machine.Machine(options(f"time={SECONDS} only-end",
                                 timeout=120 + SECONDS), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        said = re.search(r"^PASS attack CPUID without end: (\d+) on the first "
                         r"processor, (\d+) on another", m.console, re.M)
        assert said and int(said[1]) > 1000 and int(said[2]) > 1000
        assert "gangway: guest powered off" in m.log
        check_alive(m)


@pytest.mark.long
def test_resets():
    """A guest that resets the machine through Gangway and the firmware, over
    and over: each time it finds its device and its memory."""
    again = options("end=reset only-end", timeout=60 + 60 * RESETS)
    again.settings["on-reboot"] = "reset"
    again.reboot = True
    with machine.Machine(again, print) as m:
        start = 0
        for _ in range(RESETS + 1):
            found = m.wait_for(r"^attack kernel: 00:01.0 is 8086:10ca$", 60,
                               start)
            assert found, m.last_line()
            start = found.end()
        assert m.log.count("gangway: guest rebooted") >= RESETS
        assert "crashed" not in m.log
        check_alive(m)
