"""A machine whose firmware left IA32_FEATURE_CONTROL at another value.

The emulator's firmware always enables VMX and locks the register (Intel SDM 3C
24.7), and once locked nobody can change it.  So the machine is stopped after
its firmware set the register and before anything else reads it, its state is
saved, the register changed in the saved state, and that loaded again: here as
migration to a file, a second machine starting from it."""

import contextlib
import dataclasses
import pathlib
import re
import tempfile
import time

import machine

# A subsection's name and version in QEMU's migration stream, then the register
STATE = re.compile(
    rb"(cpu/msr_ia32_feature_control\x00\x00\x00\x01)\x00{7}\x05")


def change(path, value):
    """Set the register of every CPU in the saved state at @path."""
    state, count = STATE.subn(
        lambda match: match[1] + value.to_bytes(8, "big"), path.read_bytes())
    assert count, "the saved state does not hold IA32_FEATURE_CONTROL"
    path.write_bytes(state)
    return count


def save(m, path):
    """Write the state of stopped machine @m to @path."""
    m.qmp("migrate", uri=f"file:{path}")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = m.qmp("query-migrate").get("status")
        if status in ("completed", "failed"):
            break
        time.sleep(0.1)
    assert status == "completed"


@contextlib.contextmanager
def booted_with(value, options):
    """The machine of @options, running, with the register at @value."""
    with tempfile.TemporaryDirectory(prefix="gangway-") as name:
        state = pathlib.Path(name) / "state"
        with machine.Machine(options) as first:
            # The first sign of life comes long after the register was set,
            # and before the disk is looked at.
            assert first.wait_for_output(60)
            first.qmp("stop")
            save(first, state)
        assert change(state, value) == options.smp
        extra = f"{options.qemu_extra} -incoming file:{state}"
        with machine.Machine(dataclasses.replace(options, qemu_extra=extra),
                             print) as second:
            second.wait_state("paused", 60)
            second.qmp("cont")
            yield second
