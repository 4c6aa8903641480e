"""The stick's image as make usb leaves it: what a new user sees, by keys."""

import re
import subprocess

import machine

IMAGE = machine.BUILD / "gangway-usb.img"
MENU = r"gangway: without a key it is C, in 10 s"
LINE = re.compile(r"^(PASS|FAIL|SKIP) ([^:\n]+): (.*)$", re.M)


def boot(**more):
    """A machine that boots it, with what makes no difference to the image."""
    return machine.Machine(machine.Options(usb=str(IMAGE), untouched=True,
                                           **more), print)


def press(m, key):
    assert m.wait_for(MENU, m.options.timeout), m.last_line()
    m.send(key)


def test_without_a_key_it_checks():
    with boot() as m:
        assert m.wait_for(r"gangway: ready\n", m.options.timeout), m.last_line()
        # The verdict: the card's VFs, and what is not given
        verdict = m.console[m.console.index("gangway: This machine can give:"):]
        assert re.search(r"network card 0000:01:00\.0: .*vf:8086:10c9/0", verdict)
        assert "gangway: guest" not in m.console


def test_a_key_runs_the_guest():
    """What the demonstration shows passes, and what it cannot it says."""
    with boot(smp=3) as m:
        press(m, "r")
        assert m.wait_for(r"^DEMO: .*\n", m.options.timeout), m.last_line()
        lines = {name: (word, value)
                 for word, name, value in LINE.findall(m.console)}
        assert lines["CPUs online"] == ("PASS", "3 of 3")
        assert lines["DHCP lease"][0] == "PASS"
        assert lines["pings without loss"][0] == "PASS"
        assert lines["32 MiB by HTTP"] == (
            "SKIP", "not shown, because gangway.url= names nothing to load")
        assert not [name for name, line in lines.items() if line[0] == "FAIL"]


def test_a_key_changes_the_file():
    with boot() as m:
        press(m, "a")
        assert m.wait_for(r"gangway: gangway\.cfg: mode=run from now on\n", 30)
        assert m.wait_for(r"first instruction of the guest", m.options.timeout)
        config = subprocess.run(
            ["mtype", "-i", f"{m.work / 'disk.img'}@@1M",
             "::/EFI/BOOT/gangway.cfg"], check=True, stdout=subprocess.PIPE,
            text=True).stdout
        before = subprocess.run(
            ["mtype", "-i", f"{IMAGE}@@1M", "::/EFI/BOOT/gangway.cfg"],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        assert config == before.replace("\nmode=check\n", "\nmode=run  \n")
