"""What the guest may command by the queues of an NVMe VF: not a drive whose
functions reach beyond themselves, unless gangway.cfg allows it."""

import re

import pytest

import demo
import machine

SECRET = b"THE PHYSICAL FUNCTION'S DATA"
OWNED = b"OWNED BY THE GUEST"
PERMISSIVE = {"isolated-vfs": "off"}
REFUSED = "assign: 0000:02:00.1 is refused."
WARNING = ("assign: WARNING: 0000:02:00.1 IS ASSIGNED ALL THE SAME "
           "(allow-unsafe-commands=yes)")
ATTACKS = {
    "attack NVM Subsystem Reset", "attack detach the PF's namespace",
    "attack attach it to the VF", "attack use of the PF's namespace",
    "attack all other commands", "own namespace",
    "attack Virtualization Management"}


@pytest.fixture(name="secret")
def fixture_secret(tmp_path):
    """The image of a namespace that is the PF's alone."""
    path = tmp_path / "secret.img"
    path.write_bytes(SECRET.ljust(16 << 20, b"\0"))
    return path


def options(secret, nvme, **changes):
    """A machine whose drive has a second namespace, private to the PF."""
    return machine.Options(
        show="nvme", nvme={**machine.NVME_VFS, **nvme},
        initrd=str(machine.BUILD / "attack/initramfs.gz"),
        guest_cmdline="iomem=relaxed gangway.show=namespaces",
        devices=["-drive", f"if=none,id=secret,format=raw,file={secret}",
                 "-device", "nvme-ns,drive=secret,nsid=2,shared=off,bus=nvme"],
        **changes)


def run(secret, nvme, **changes):
    """The guest's lines by name, and the hypervisor's log, which has no panic
    and nothing that the emulator refused."""
    with machine.Machine(options(secret, nvme, **changes), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert "gangway: panic" not in m.log
        assert "vtd-fault" not in m.log
        assert demo.check_guest_errors(m.guest_errors) is None
        lines = {name: (verdict, value) for verdict, name, value
                 in demo.LINE.findall(m.console)}
        return lines, m.log


def expect_repelled(lines, log, secret):
    """Every attack failed, and the namespace holds what it held."""
    assert {name for name, line in lines.items() if line[0] == "FAIL"} == set()
    assert set(lines) == ATTACKS
    assert "gangway: guest powered off" in log
    assert secret.read_bytes().startswith(SECRET)
    assert re.search(r"^assign: 0000:02:00.1: the guest wrote to offset 20h of "
                     r"BAR 0, .*: ignored; further ones are not logged$", log,
                     re.M)


def test_functions_that_keep_to_themselves(secret):
    """Such a drive's VF is assigned, and every attack fails."""
    lines, log = run(secret, {})
    expect_repelled(lines, log, secret)
    assert "reaches beyond it\n" not in log
    assert "WARNING" not in log


def test_permissive_drive_is_refused(secret):
    """By default, with the reasons, before there is a guest."""
    lines, log = run(secret, PERMISSIVE)
    assert lines == {}
    for command in ("Namespace Attachment (15h)", "Format NVM (80h)",
                    "Virtualization Management (1ch)"):
        assert (f"nvme: 0000:02:00.1: this VF takes {command}, which reaches "
                "beyond it") in log
    assert REFUSED in log
    assert "set allow-unsafe-commands=yes in gangway.cfg" in log
    assert "gangway: stopped: a function of assign=" in log
    assert ("VFs: vf:1b36:0010/0 to /0, if they take no command that reaches "
            "beyond them (asked when assigned)") in log
    assert secret.read_bytes().startswith(SECRET)


def test_permissive_drive_allowed(secret):
    """With the key the attack works, which shows that it is one; the log has
    said so.  The drive is not reset even then."""
    lines, log = run(secret, PERMISSIVE,
                     settings={"allow-unsafe-commands": "yes"})
    assert WARNING in log
    assert lines["attack use of the PF's namespace"] == (
        "FAIL", f'read 512 bytes: "{SECRET.decode()}"')
    assert lines["attack write to the PF's namespace"] == ("FAIL", "512 bytes")
    assert secret.read_bytes().startswith(OWNED)
    assert lines["attack all other commands"][1].endswith("taken: 15h 1ch 80h")
    assert lines["attack NVM Subsystem Reset"][0] == "PASS"
    assert lines["attack Virtualization Management"][0] == "FAIL"


def test_lockdown(secret):
    """A permissive drive with Lockdown, whose functions cannot be told to
    manage others: what is left is prohibited, and every attack fails."""
    lines, log = run(secret, {**PERMISSIVE, "lockdown": "on"})
    expect_repelled(lines, log, secret)
    assert "nvme: 0000:02:00.0: Lockdown: such commands are prohibited" in log
