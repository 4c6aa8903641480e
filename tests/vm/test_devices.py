"""Functions of each kind, several at once, and behind each topology: what the
guest's lines say (guest/initramfs/devices.sh), and what only the host sees."""

import hashlib
import re

import pytest

import demo
import devices
import machine
import mutants

MIB = 1 << 20


def judge(m, *expected):
    """Every line of the guest's is PASS, and there is one for each of
    @expected."""
    assert demo.judge(m, True).problems == []
    for name in expected:
        assert re.search(rf"^PASS {name}", m.console, re.M), name
    assert "vtd: requests blocked: 0\n" in m.log


def run(options, *expected):
    """Boot; the guest shows its devices and powers off."""
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        judge(m, *expected)
        return m.log


def check_disk(m, slot, path):
    """What the guest says that it read and wrote is what the image had and
    has, each at its place."""
    said = {word: re.search(rf"^PASS {slot} disk {word}: .* SHA-256 (\w+)$",
                            m.console, re.M)[1] for word in ("read", "written")}
    with open(path, "rb") as image:
        for word, at in ("read", 0), ("written", int(slot, 16)):
            image.seek(at * 8 * MIB)
            sum_there = hashlib.sha256(image.read(8 * MIB)).hexdigest()
            assert said[word] == sum_there, word


def pixel(ppm, x, y):
    """Colour of a pixel of a binary PPM file."""
    size = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
    at = size.end() + 3 * (y * int(size[1]) + x)
    return tuple(ppm[at:at + 3])


def check_screen(m, tmp_path):
    """The guest's console on the display: two blanks of each colour at its top
    left, with its 8x16 font."""
    image = tmp_path / "screen.ppm"
    m.qmp("screendump", filename=str(image), device="display1")
    ppm = image.read_bytes()
    assert [pixel(ppm, 8 + 16 * i, 8) for i in range(4)] == [
        (170, 170, 170), (170, 0, 0), (0, 170, 0), (0, 0, 170)]


RESETS = {"e1000e": "power state reset", "nvme": "function-level reset",
          "xhci": "secondary bus reset", "display": "secondary bus reset",
          "igb": "function-level reset",
          "edu": "no reset", "ahci": "no reset"}


# Marvell's 88SE9230: its requests carry the ID of function 1, which is not there
MARVELL = "-set device.sata1.x-ids=0x92301b4b -set device.sata1.x-alias-function=1"


def test_whole_functions(tmp_path):
    """One of each kind, with each kind of reset and of interrupts."""
    names = list(devices.KINDS)
    options = machine.Options(shell=True, device=",".join(names),
                              qemu_extra=MARVELL)
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^DEMO: \d+ passed, 0 failed$", options.timeout)
        check_screen(m, tmp_path)
        assert m.wait_for(machine.SHELL, 30)
        m.send("poweroff -f\n")
        assert m.wait_end(60)
        slot = {name: f"{i:02}" for i, name in enumerate(names, 1)}
        judge(m, f"{slot['edu']} edu", f"{slot['display']} display",
              f"{slot['igb']} SR-IOV: not shown",
              *(f"{slot[name]} VM exits: 0 in"
                for name in ("e1000e", "nvme", "xhci", "igb", "ahci")))
        check_disk(m, slot["nvme"], m.work / "nvme.img")
        check_disk(m, slot["xhci"], m.work / "usb.img")
        check_disk(m, slot["ahci"], m.work / "sata.img")
        for name, _, address in devices.places(names):
            assert re.search(rf"^assign: {address}: .*, whole, {RESETS[name]}$",
                             m.log, re.M)


@pytest.mark.long
def test_alias_forgotten():
    """A hypervisor that does not know of the alias is noticed: what the disk
    reads is blocked."""
    efi = mutants.build("alias", "drivers/pci/pci_facts.c",
                        "return facts && alias->devfn", "return 0 && alias->devfn")
    options = machine.Options(device="ahci", qemu_extra=MARVELL, efi=str(efi))
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"blocked: 0000:00:\w\w.1 .*read", options.timeout), \
            m.last_line()


def test_several_vfs():
    """Two VFs of one card reach each other and the outside; two in a VLAN reach
    each other alone.  One of an equal card behind a switch, which has no ACS,
    is that card's, by its address."""
    options = machine.Options(
        show="devices",
        guest_cmdline="gangway.pair=01,02 gangway.pair=02,01 "
        "gangway.inside=04 gangway.inside=05 gangway.pair=04,05 "
        "gangway.apart=01,04 gangway.apart=05,02",
        settings={"assign": "vf:8086:10c9/0 mac=52:54:00:12:34:56,"
                  "vf:8086:10c9/1,0000:04:10.2,"
                  "vf:8086:10c9/2 vlan=7,vf:8086:10c9/3 vlan=7",
                  "allow-unsafe-groups": "yes"},
        devices=[
            *devices.on_root_port(2, "x3130-upstream,id=up"),
            "-device", "xio3130-downstream,id=down,bus=up,chassis=9,slot=9",
            "-netdev", "user,id=n2", "-device",
            "igb,bus=down,netdev=n2,mac=52:54:00:aa:cc:01,romfile="])
    run(options, "01 MAC address: 52:54:00:12:34:56",
        # A MAC that nobody gave has the last bytes of its card's
        "02 MAC address: ..:..:..:..:bb:01",
        "03 MAC address: ..:..:..:..:cc:01", *(f"{slot} VM exits" for slot in (
            "01", "02", "03", "01 to 02", "02 to 01", "04 to 05")),
        "01 apart from 04", "05 apart from 02")


@pytest.mark.long
def test_all_vfs_below_4_gib():
    """Eight VFs, whose BARs firmware without a 64-bit window puts below 4 GiB;
    the outer ones work, and two others reach each other."""
    options = machine.Options(
        show="devices",
        guest_cmdline="gangway.pair=02,07 " + " ".join(
            f"gangway.inside=0{i}" for i in range(2, 8)),
        settings={"assign": ",".join(f"vf:8086:10c9/{i}" for i in range(8))},
        qemu_extra="-fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=0")
    log = run(options, "01 VM exits", "08 VM exits", "02 to 07 VM exits")
    bars = re.findall(r"^sriov: .*, BAR0 (\w+) 16K, BAR3 (\w+) 16K$", log, re.M)
    assert len(bars) == 8
    assert all(int(bar, 16) >> 32 == 0 for pair in bars for bar in pair)


def bar_2(m, function):
    """Where firmware has the BAR 2 of @function."""
    return int(re.search(rf"^pci: 0000:{function}: .*BAR2 ([0-9a-f]+) ", m.log,
                         re.M)[1], 16)


@pytest.mark.long
def test_large_bars(tmp_path):
    """A card with 128 GiB of its own, and one whose 8 GiB the test sees: whole,
    where firmware put them, and the guest reaches their ends."""
    shared = tmp_path / "shared"
    with open(shared, "wb") as file:
        file.truncate(8 << 30)
    options = machine.Options(
        shell=True, settings={"assign": "0000:02:00.0,0000:03:00.0"},
        devices=[
            *devices.on_root_port(2, "pci-testdev,membar=128G"),
            "-object", "memory-backend-file,id=large,share=on,size=8G,"
            f"mem-path={shared}",
            *devices.on_root_port(3, "ivshmem-plain,memdev=large")],
        cpu="phys-bits=46",
        qemu_extra="-fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=524288")
    with machine.Machine(options, print) as m:
        assert m.wait_for(machine.SHELL, options.timeout), m.last_line()
        card, memory = (bar_2(m, f"0{bus}:00.0") for bus in (2, 3))
        for address, slot, size in (card, 1, 128), (memory, 2, 8):
            m.send(f"sed -n 3p /sys/bus/pci/devices/0000:00:0{slot}.0/resource\n")
            assert m.wait_for(f"^0x{address:016x} "
                              f"0x{address + (size << 30) - 1:016x} ", 30)
        m.send("for d in 1 2; do echo 1 >/sys/bus/pci/devices/0000:00:0$d.0/"
               "enable; done\n")
        for at in 0, 3 << 30, (8 << 30) - 8:
            m.send(f"devmem {memory + at:#x} 64 {0x1122334400000000 + at:#x}; "
                   f"devmem {memory + at:#x} 64\n")
            assert m.wait_for(f"^0x{0x1122334400000000 + at:016X}$", 30)
        m.send(f"devmem {card + (128 << 30) - 4:#x} 32 && echo reached\n")
        assert m.wait_for("^reached$", 30)
        m.send("poweroff -f\n")
        assert m.wait_end(60)
        pages = re.search(r"EPT (\d+) KiB", m.log)
        assert int(pages[1]) < 1024, pages[0]
    with open(shared, "rb") as file:
        for at in 0, 3 << 30, (8 << 30) - 8:
            file.seek(at)
            assert int.from_bytes(file.read(8), "little") == \
                0x1122334400000000 + at


REFUSED = {
    "INTx alone": (
        "0000:00:08.0", ["-device", "e1000,addr=0x8,romfile="],
        "it has INTx interrupts alone"),
    "a PF and its VF": (
        "vf:8086:10c9/0,0000:01:00.0", [], "entry 2 of assign= is in conflict"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    assign, devices, words = REFUSED[name]
    options = machine.Options(settings={"assign": assign}, devices=devices,
                              timeout=120)
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert words in m.log
        assert "gangway: stopped: a function of assign=" in m.log
