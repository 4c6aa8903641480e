"""Firmware that leaves the remapping unit on, firmware whose DMAR table says
odd things, and firmware that puts BARs where they must not be: tests/leftovers/ runs before Gangway and does what they would."""

import re
import subprocess
import sys

import pytest

import demo
import machine
import mutants
import outside
import test_screen as screen
import test_attacks as attacks

sys.path.insert(0, str(machine.ROOT / "tests/data"))
import make_tables as tables  # pylint: disable=wrong-import-position

APPLICATION = machine.BUILD / "leftovers/leftovers.efi"
VTD = 0xfed90000
GSTS = VTD + 0x1c
TE, QIE, IRE, CFI = 1 << 31, 1 << 26, 1 << 25, 1 << 23  # states
TAKEN = 0xc7000000  # translation, queue and remapping on, with our tables

# What the emulator tells of its remapping unit, whoever asks it
TRACE = "".join(f" -trace {event}" for event in (
    "vtd_dmar_enable", "vtd_ir_enable", "vtd_inv_qi_enable",
    "vtd_reg_dmar_root", "vtd_reg_ir_root"))

# The machine's unit as QEMU has it: its IOAPIC, and all functions
UNIT = tables.drhd(VTD, tables.scope(tables.IOAPIC, (0, 0), bus=0xff), flags=1)
PF = tables.scope(tables.ENDPOINT, (1, 0), (0, 0))


def slot(device):
    """A function of bus 0."""
    return tables.scope(tables.ENDPOINT, (device, 0))


class Leftovers(machine.Machine):
    """A machine whose firmware left @words, and has the DMAR table @dmar."""

    def __init__(self, options, words="", dmar=b""):
        self.files = {"leftovers.cfg": words.encode() + b"\n"}
        if dmar:
            self.files["dmar.bin"] = dmar
        options.qemu_extra += TRACE
        super().__init__(options, print)

    def _prepare(self):
        super()._prepare()
        disk = f"{self.work / 'disk.img'}@@1M"
        subprocess.run(["mren", "-i", disk, "::/EFI/BOOT/BOOTX64.EFI",
                        "gangway.efi"], check=True)
        subprocess.run(["mcopy", "-i", disk, APPLICATION,
                        "::/EFI/BOOT/BOOTX64.EFI"], check=True)
        for name, content in self.files.items():
            file = self.work / name
            file.write_bytes(content)
            subprocess.run(["mcopy", "-i", disk, file, f"::/EFI/BOOT/{name}"],
                           check=True)

    def switched(self, what):
        """The states that @what had after each change, in order."""
        return "".join(re.findall(rf"^vtd_{what}_enable enabled? (\d)",
                                  self.guest_errors, re.M))


def check_taken(m, words):
    """The unit is Gangway's, whatever was left; m.log says what."""
    left = [name for word, name in (
        ("translation", "translation"), ("interrupts", "interrupt-remapping"),
        ("queue", "queued-invalidation"), ("interrupts", "compatibility-format"),
        ("faults", "faults")) if word in words]
    assert f"firmware left on: {' '.join(left)}\n" in m.log
    assert ("translation stays on while its tables are replaced" in m.log) == \
        ("translation" in words)
    assert outside.words(m, GSTS, 1) == [TAKEN]
    # Never off once it was on; the others were, to change their tables
    assert m.switched("dmar") == "1"
    assert m.switched("inv_qi") == ("101" if "queue" in words else "1")
    on = ("interrupts" in words) + ("faults" in words)
    assert m.switched("ir") == ("101" if on else "1")


# By what was left on: the DMAR table, where it is not the machine's own
LEFT_ON = {
    "translation": b"",
    "queue": b"",
    "interrupts": b"",
    "translation queue faults": b"",
    "translation interrupts faults": b"",
    "queue interrupts": tables.dmar(
        UNIT, tables.rmrr(0x480000000, 0x48001ffff, PF), width=48),
}


@pytest.mark.parametrize("words", LEFT_ON)
def test_left_on(words):
    """Each of the three, and each two: after take-over the VF reaches the
    guest's RAM and nothing else, and none of firmware's interrupt entries.
    (All three: test_demonstration; none: all other tests.)  Memory that
    firmware keeps for the PF does not keep its VF from the guest."""
    options = attacks.options("commands", **{"on-poweroff": "poweroff"})
    with Leftovers(options, words, LEFT_ON[words]) as m:
        d = attacks.Commander(m)
        check_taken(m, words)
        assert ("RMRR 0x480000000-0x48001ffff" in m.log) == bool(LEFT_ON[words])
        assert "vtd-fault" not in m.log
        d.ask("write 300000 5a")
        assert outside.words(m, 0x300000 + d.ram[1], 1) == [0x5a]
        # Entry 62h of firmware's table would deliver
        for address, reason in ((d.ram[0] + 1, 5), (0xfee00000, 0x25),
                                (attacks.remappable(0x62), 0x22)):
            lines = d.faults(f"write {address:x} 62")
            assert any(f"reason=0x{reason:02x}" in line for line in lines), lines
        m.send("end\n")
        assert m.wait_end(60)
        attacks.check_alive(m)


def test_demonstration():
    """All at once, under a Linux guest."""
    words = "translation queue interrupts faults"
    with Leftovers(machine.Options(), words) as m:
        assert m.wait_for(r"^gangway: first instruction", m.options.timeout)
        check_taken(m, words)
        assert m.wait_end(m.options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []


def test_processor():
    """Whatever firmware left in the first processor: the hypervisor has the
    same on each, with machine checks on, and power-off still works."""
    options = machine.Options(smp=3, settings={"mode": "check"})
    with Leftovers(options, "processor") as m:
        assert m.wait_for(r"^gangway: ready$", options.timeout), m.last_line()
        left = int(re.search(r"leftovers: CR4 (\w+)", m.console)[1], 16)
        assert "cpu: firmware left IA32_PAT at 0x7040606070406; now " in m.log
        found = [int(value, 16) for value in re.findall(
            r"CR4=(\w+)", m.hmp("info registers -a"))]
        # PAE, MCE, VMXE, OSXSAVE
        assert found == [0x42060] * 3 and left & ~0x42060, (left, found)
    options = machine.Options()
    with Leftovers(options, "processor") as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []


MEMORY = {
    # Nothing but 100 MiB below 4 GiB, and 4 GiB above: all processors start
    "memory-full": ("6G", "all", "leftovers: memory is full"),
    # A little guest's hypervisor maps all of the machine's pieces
    "pieces": ("2G", "512M", "leftovers: 150 pieces"),
    # The guest's RAM is not taken before firmware has gone
    "exit-event": ("1G", "all", "leftovers: got it"),
}


@pytest.mark.parametrize("words", [
    pytest.param(words, marks=[] if words == "pieces" else [pytest.mark.long])
    for words in MEMORY])
def test_memory(words):
    memory, guest, said = MEMORY[words]
    options = machine.Options(smp=4, mem=memory, settings={"memory": guest})
    with Leftovers(options, words) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert said in m.console
        assert "smp: 4 CPUs\n" in m.log
        assert demo.judge(m, True).problems == []


def test_rmrrs_in_preflight():
    """RMRRs above 4 GiB, overlapping, of a bridge, of impossible extent: the
    functions that they name are refused, with the region, but for a USB
    controller; the others are not."""
    dmar = tables.dmar(
        UNIT,
        tables.rmrr(0x480000000, 0x48001ffff, PF),
        tables.rmrr(0x7c000000, 0x7c01ffff, slot(4)),
        tables.rmrr(0x7c010000, 0x7c02ffff, slot(5)),
        tables.rmrr(0x7c040000, 0x7c030000, slot(6)),
        tables.rmrr(0x7c050000, 0x7c05ffff, tables.scope(tables.BRIDGE, (2, 0))),
        width=48, flags=3)
    options = machine.Options(settings={"mode": "check"}, devices=[
        "-device", "pcie-root-port,id=rp2,slot=2,chassis=2,addr=2.0",
        "-device", "edu,bus=rp2", "-device", "e1000e,addr=4.0,romfile=",
        "-device", "e1000e,addr=5.0,romfile=", "-device", "qemu-xhci,addr=6.0",
        "-device", "nvme,addr=7.0,serial=1"])
    with Leftovers(options, dmar=dmar) as m:
        assert m.wait_for(r"^gangway: ready$", options.timeout), m.last_line()
        verdicts = dict(re.findall(
            r"^preflight: (\S+) +\d+ .* ((?:yes|no): .*)$", m.console, re.M))
        keeps = "firmware keeps memory "
        for where, what in (
                ("0000:01:00.0", "yes: VFs: vf:8086:10c9/0 to /7; all of it: "
                                 f"no, {keeps}0x480000000-0x48001ffff for it "
                                 "(RMRR): turn off the firmware's use of it "
                                 "(boot ROM, RAID, remote management) in its "
                                 "set-up"),
                ("0000:00:04.0", f"no: {keeps}0x7c000000-0x7c01ffff"),
                ("0000:00:05.0", f"no: {keeps}0x7c010000-0x7c02ffff"),
                # For the time before its driver
                ("0000:00:06.0", "yes: assign=0000:00:06.0"),
                ("0000:02:00.0", f"no: {keeps}0x7c050000-0x7c05ffff"),
                ("0000:00:07.0", "yes: assign=0000:00:07.0")):
            assert verdicts[where].startswith(what), verdicts[where]
        assert "of impossible extent; what it names" in m.log
        assert "RMRR 0x7c040000-0x7c030000, impossible, of 0000:00:06.0" in m.log
        assert "RMRR 0x480000000-0x48001ffff, 128 KiB, of " \
            "0000:00:01.0/00.0" in m.log
        # Flag X2APIC_OPT_OUT: said while nothing has changed, too
        assert m.console.index("the firmware asks that x2APIC stays off") < \
            m.console.index("gangway: leaving the firmware")
        # Only looked at
        assert m.switched("dmar") == ""


def test_rmrr_of_usb_controller():
    """It reaches firmware's memory until it is the guest's, and works there."""
    options = machine.Options(device="xhci", timeout=240)
    dmar = tables.dmar(UNIT, tables.rmrr(
        0x7e000000, 0x7e00ffff, tables.scope(tables.ENDPOINT, (2, 0), (0, 0))))
    with Leftovers(options, dmar=dmar) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []
        assert "vtd: requests blocked: 0\n" in m.log
        # Somebody's memory there is, and it is not given away
        assert "vtd: 0000:02:00.0: 0x7e000000-0x7e00ffff, which firmware " \
            "reserves for it (RMRR), stays " in m.log


def test_rmrr_of_assigned_function():
    """Such a function stops the machine before anything of it is touched.  By
    then the unit is taken, from scalable mode, which must go off for that."""
    dmar = tables.dmar(UNIT, tables.rmrr(0x7c000000, 0x7c01ffff, slot(4)))
    options = machine.Options(
        iommu="x-scalable-mode=on", settings={"assign": "0000:00:04.0"},
        devices=["-device", "e1000e,addr=4.0,romfile="])
    with Leftovers(options, "scalable", dmar) as m:
        assert m.wait_for(r"^gangway: end", options.timeout), m.last_line()
        assert ("vtd: 0000:00:04.0: firmware demands memory 0x7c000000-"
                "0x7c01ffff for it (RMRR, VT-d 8.4)\n"
                "gangway: stopped: a function of assign= cannot be given to "
                "the guest") in m.log
        assert "translation goes off, for the mode of its tables" in m.log
        assert m.switched("dmar") == "101"
        assert outside.words(m, GSTS, 1) == [TAKEN]
        attacks.check_alive(m)


def test_unit_that_does_not_answer():
    """Nor one whose registers would be in RAM: the guest has no device then, but
    the third unit blocks all DMA."""
    dmar = tables.dmar(tables.drhd(0x2000000, slot(5)),
                       tables.drhd(VTD + 0x1000, slot(4)), UNIT)
    options = attacks.options("only-end")
    with Leftovers(options, "translation interrupts", dmar) as m:
        assert m.wait_for(r"^gangway: end", options.timeout), m.last_line()
        assert "registers at 0x2000000 would lie in RAM" in m.log
        assert "dmar1: nothing answers at 0xfed91000" in m.log
        assert "dmar1: does not block DMA" in m.log
        assert "the guest boots without its device" in m.log
        assert "gangway: guest powered off" in m.log
        assert m.switched("dmar") == "1"
        gsts = outside.words(m, GSTS, 1)[0]
        assert gsts & (TE | QIE | IRE) == TE | QIE
        root = outside.xp(m, VTD + 0x20, 1)[0]
        assert f"vtd_reg_dmar_root addr 0x{root:x} scalable 0" in \
            m.guest_errors.splitlines()
        assert outside.xp(m, root, 512) == [0] * 512
        attacks.check_alive(m)


@pytest.mark.parametrize("words, owner", [
    ("bar-over-unit", "a remapping unit"), ("bar-over-hpet", "the HPET")])
def test_vf_bar_over(words, owner):
    """BARs of a VF that firmware put over registers of the machine get another
    place: the guest reaches its VF there, and not these registers."""
    options = attacks.options("commands", **{"on-poweroff": "poweroff"})
    with Leftovers(options, words) as m:
        d = attacks.Commander(m)
        at = int(re.search(r"VF 0 of .* BAR0 ([0-9a-f]+)", m.log)[1], 16)
        assert not 0xfec00000 <= at < 1 << 32, hex(at)
        assert not 0xfec00000 <= d.bar3 < 1 << 32, hex(d.bar3)
        assert f"firmware put VF BAR0 on {owner} (0xfed" in m.log
        assert outside.words(m, GSTS, 1) == [TAKEN]
        d.ask("write 300000 5a")
        assert outside.words(m, 0x300000 + d.ram[1], 1) == [0x5a]
        m.send("end\n")
        assert m.wait_end(60)
        assert m.switched("dmar") == "1"
        attacks.check_alive(m)


def test_pf_bar_without_address():
    """What BAR sizing left in a PF is no address: nothing is written there, and
    the log says what to do."""
    flash = 0xfffe0000  # what the pattern would name
    with Leftovers(machine.Options(timeout=120), "bar-sized") as m:
        assert m.wait_for(r"^gangway: ", 60)
        before = outside.words(m, flash, 16)
        assert m.wait_end(m.options.timeout), m.last_line()
        assert "assign: 0000:01:00.0 (8086:10c9): firmware gave its BAR 0 no " \
            'address: turn on "Above 4G Decoding"' in m.log
        assert "gangway: stopped: a function of assign=" in m.log
        assert "timeout" not in m.log
        assert outside.words(m, flash, 16) == before
        attacks.check_alive(m)


# A port without ARI, below which a real 82576 numbers its VFs 384 further than
# its PF, on a bus that firmware left no number for
OLD_PORT = ("-global pcie-root-port.x-no-ari=on "
            "-global igb.x-vf-offset-no-ari=384")


def test_no_sriov():
    """Firmware that does not know SR-IOV: the branch gets another number, and
    the VF's requests carry it."""
    options = machine.Options(qemu_extra=OLD_PORT)
    with Leftovers(options, "no-sriov") as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert re.search(r"^leftovers: buses ..010100$", m.console, re.M)
        assert ("pci: buses 01-01 below 0000:00:01.0 become 01-02, so that VFs "
                "have numbers\n") in m.log
        assert re.search(r"^sriov: 0000:02:10.0: VF 0 of 0000:01:00.0, "
                         r"8086:10ca, BAR0 \w{8} 16K, BAR3 \w{8} 16K$",
                         m.log, re.M)
        assert "blocked: 0000:02:10.0 (VF 0 of 0000:01:00.0) write" in m.log
        assert demo.judge(m, True).problems == []


@pytest.mark.long
def test_numbered_too_late():
    """A hypervisor that numbers buses once the PF does DMA finds no VF."""
    efi = mutants.build("too-late", "guest/assign/pf_domain.c",
                        "int err = sriov_number_buses(pf, count, vtd_kept);",
                        "int err = 0;")
    options = machine.Options(qemu_extra=OLD_PORT, efi=str(efi))
    with Leftovers(options, "no-sriov") as m:
        assert m.wait_for(r"^gangway: stopped: a function of assign=",
                          options.timeout), m.last_line()
        assert "need buses up to 02" in m.log


# A display that fetches its picture by DMA, as integrated graphics do, from
# memory that firmware set aside and its RMRR names
SCREEN_MEMORY = 0x10000000
SCREEN = f"-device bochs-display,addr=4.0,x-scanout-dma={SCREEN_MEMORY:#x}"


def picture(tmp_path, efi=""):
    """The screen of a machine whose guest is off, and its log."""
    dmar = tables.dmar(UNIT, tables.rmrr(
        SCREEN_MEMORY, SCREEN_MEMORY + 0xffffff, slot(4)), width=48)
    options = machine.Options(qemu_extra=SCREEN, efi=str(efi),
                              settings={"on-poweroff": "halt"})
    with Leftovers(options, "screen-memory", dmar) as m:
        assert m.wait_for(r"^gangway: end: halt$", options.timeout), \
            m.last_line()
        m.qmp("screendump", filename=str(tmp_path / "screen.ppm"))
        return screen.Picture(tmp_path / "screen.ppm"), m.log


def test_picture_survives(tmp_path):
    """The display reaches the memory that firmware reserved for it, and no
    other DMA passes: the log goes on on the screen to its end."""
    shown, log = picture(tmp_path)
    assert "which firmware reserves for it (RMRR), stays in its reach" in log
    assert shown.find("gangway: end: halt", screen.read_font())


@pytest.mark.long
def test_picture_lost(tmp_path):
    """A hypervisor that blocks the display, too, is noticed: no line is left."""
    efi = mutants.build("picture", "vtd/reserved.c",
                        "unsigned int i = 0; i < our_count; i++)\n\t\tif (",
                        "unsigned int i = 0; i < our_count; i++)\n\t\tif (1 ||")
    shown, log = picture(tmp_path, efi)
    assert "gangway: end: halt" in log
    assert not any(map(any, shown.lit))
