"""The machine as the emulator sees it, past hypervisor and guest: memory, the
remapping unit's tables, the root port in front of the card, its wire."""

import re
import time

ROOT_TABLE_ADDRESS = 0xfed90020  # the register, QEMU's unit at FED90000H
# Configuration mechanism #1: the root port in front of the card, 00:01.0
CONFIG_ADDRESS, CONFIG_DATA = 0xcf8, 0xcfc
ROOT_PORT = 0x80000800
COMMAND, BUS_NUMBERS = 0x04, 0x18
# QEMU's ACPI PCI hot-plug: which bus, and which of its slots to eject
HOTPLUG_SELECT, HOTPLUG_EJECT = 0xcd0, 0xcc8


def dump(m, address, count, unit, digits):
    """@count words of the machine's physical memory, of @digits digits."""
    said = m.hmp(f"xp /{count}x{unit} {address:#x}")
    found = [int(word, 16)
             for word in re.findall(rf"\b0x([0-9a-f]{{{digits}}})\b", said)]
    assert len(found) == count, said
    return found


def words(m, address, count):
    """32-bit words."""
    return dump(m, address, count, "w", 8)


def xp(m, address, count):
    """Quadwords."""
    return dump(m, address, count, "g", 16)


def frames(path):
    """The Ethernet frames that QEMU's filter-dump has written so far (libpcap's
    format)."""
    data, at, found = path.read_bytes(), 24, []
    while at + 16 <= len(data):
        length = int.from_bytes(data[at + 8:at + 12], "little")
        found.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return found


def root_table(m):
    """The 256 entries of the table that the remapping unit uses, their low
    words (VT-d 9.1)."""
    entries = xp(m, xp(m, ROOT_TABLE_ADDRESS, 1)[0] & ~0xfff, 512)
    return entries[::2]


def open_buses(m):
    """The buses whose root entry is present."""
    return [bus for bus, entry in enumerate(root_table(m)) if entry & 1]


def open_functions(m, bus):
    """The devfns whose context entry is present (VT-d 9.3)."""
    entries = xp(m, root_table(m)[bus] & ~0xfff, 512)
    return [devfn for devfn in range(256) if entries[2 * devfn] & 1]


def wait_halted(m):
    """Wait until every CPU stands still; returns their registers."""
    deadline = time.monotonic() + 30
    while True:
        registers = m.hmp("info registers -a")
        if set(re.findall(r"\bHLT=(\d)", registers)) == {"1"}:
            return registers
        assert time.monotonic() < deadline, registers
        time.sleep(0.1)


def write_root_port(m, register, value):
    """4 bytes of the root port's configuration space."""
    m.hmp(f"o /w {CONFIG_ADDRESS:#x} {ROOT_PORT | register:#x}")
    m.hmp(f"o /w {CONFIG_DATA:#x} {value:#x}")


def unplug_card(m):
    """Take the emulated card out, PF and VFs, with nobody asked: QEMU's hot-plug
    controller ejects it at a write to its ports, as an operating system's ACPI
    code would do (docs/specs/acpi_pci_hotplug of QEMU)."""
    card, = [device["name"]
             for device in m.qmp("qom-list", path="/machine/peripheral-anon")
             if device["type"] == "child<igb>"]
    m.qmp("device_del", id=f"/machine/peripheral-anon/{card}")
    m.hmp(f"o /w {HOTPLUG_SELECT:#x} 0")
    m.hmp(f"o /w {HOTPLUG_EJECT:#x} 1")
    assert "igb" not in m.hmp("info qtree")


def hide_card(m):
    """Nothing behind the root port answers any more: no configuration cycle,
    for the bus has no number; no address, for the port does not decode.  The
    card itself stays as it is."""
    write_root_port(m, BUS_NUMBERS, 0)
    write_root_port(m, COMMAND, 0)
