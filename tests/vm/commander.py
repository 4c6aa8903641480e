"""A machine whose guest is the attack kernel, and the commands that it takes on
its console: what the VF is told to do (tests/attack/kernel/command.c)."""

import re
import time

import machine
import outside

KERNEL = machine.BUILD / "attack/kernel"
VTD = 0xfed90000


def options(arguments, timeout=150, smp=2, **settings):
    """Of all memory the guest would get many pieces; of this much it gets one:
    what is behind its end is no RAM."""
    return machine.Options(
        kernel=str(KERNEL), timeout=timeout, smp=smp,
        settings={"kernel": "\\kernel", "initrd": None, "cmdline": arguments,
                  "memory": "1536M",
                  "on-poweroff": "halt", "on-reboot": "halt", **settings})


class Commander:
    """A machine whose attack kernel obeys (tests/attack/kernel/command.c)."""

    def __init__(self, m, unit=VTD):
        self.m = m
        assert m.wait_for(r"^attack kernel: ready$", m.options.timeout)
        self.bar3 = int(re.search(r"VF 0 of .* BAR3 ([0-9a-f]+)", m.log)[1], 16)
        self.pf = int(re.search(r"8086:10c9 .*BAR0 ([0-9a-f]+)", m.log)[1], 16)
        self.ram = [int(n, 16) for n in re.search(
            r"guest: RAM 0x000000000-0x([0-9a-f]+) at host 0x([0-9a-f]+)",
            m.log).groups()]
        self.root = outside.xp(m, unit + 0x20, 1)[0] & ~0xfff
        self.irt = outside.xp(m, unit + 0xb8, 1)[0] & ~0xfff
        self.queue = outside.xp(m, unit + 0x90, 1)[0] & ~0xfff
        self.contexts = outside.xp(m, self.root + 16, 1)[0] & ~0xfff
        self.table = outside.xp(m, self.contexts + 16 * 0x80, 1)[0] & ~0xfff
        image = re.search(r"image at 0x([0-9a-f]+)-0x([0-9a-f]+), page tables "
                          r"at 0x([0-9a-f]+)", m.log)
        self.ecam = int(re.search(r"([0-9a-f]{16})-.*: pcie-mmcfg-mmio$",
                                  m.hmp("info mtree").replace("\r", ""),
                                  re.M)[1], 16)
        self.image, self.image_end, self.host_tables = (
            int(n, 16) for n in image.groups())

    def ask(self, command, timeout=60):
        """Give a command; returns what was said until it was done."""
        start = len(self.m.console)
        self.m.send(command + "\n")
        assert self.m.wait_for(r"^did: .*\n", timeout, start), command
        return self.m.console[start:]

    def watch(self, command, look, timeout=240):
        """Give a command, and call @look() over and over until it is done;
        returns what was said, and how often that was."""
        start, looks = len(self.m.console), 0
        deadline = time.monotonic() + timeout
        self.m.send(command + "\n")
        while not self.m.wait_for(r"^did: .*\n", 0, start):
            assert time.monotonic() < deadline, command
            look()
            looks += 1
        return self.m.console[start:], looks

    def faults(self, command):
        """The vtd-fault lines that a command makes, at least one.  Gangway
        explains 3 faults a second and counts the others: then once more."""
        for _ in range(3):
            start = len(self.m.console)
            self.ask(command)
            if self.m.wait_for(r"^vtd-fault: .*\n", 2, start):
                return re.findall(r"^vtd-fault: .*$", self.m.console[start:],
                                  re.M)
        raise AssertionError(f"{command}: no fault")
