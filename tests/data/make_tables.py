"""Writes tests/data/NAME.table and NAME.expect: firmware tables as they are met
or feared, and what each should give, by the ACPI and VT-d specifications.
tests/unit/test_firmware.c reads both; its head explains the words of .expect.

Most are made up.  Those of published_dmars() say what the tables of real
machines say, as they were published; the bytes are written here."""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
BASE = 0xfed90000
ENDPOINT, BRIDGE, IOAPIC, HPET, ANDD_SCOPE = 1, 2, 3, 4, 5


def table(signature, body, length=None, checksum=None, revision=1):
    """A table with a right header, unless told otherwise."""
    length = 36 + len(body) if length is None else length
    head = signature + struct.pack("<IBB6s8sIII", length, revision, 0, b"MADE  ",
                                   b"BY HAND ", 1, 0, 1)
    whole = bytearray(head + body)
    whole[9] = -sum(whole[:length] if 36 <= length <= len(whole) else whole) & 0xff
    if checksum is not None:
        whole[9] = checksum
    return bytes(whole)


def dmar(*structures, width=39, flags=1, **how):
    """A DMAR table of @structures (VT-d 8.1)."""
    return table(b"DMAR", bytes([width - 1, flags]) + bytes(10) +
                 b"".join(structures), **how)


def scope(kind, *path, bus=0, number=0, length=None):
    """A device scope (8.3.1); path: pairs of device and function."""
    hops = b"".join(bytes(hop) for hop in path)
    size = 6 + len(hops) if length is None else length
    return bytes([kind, size, 0, 0, number, bus]) + hops


def structure(kind, body, length=None):
    """A remapping structure (8.2)."""
    size = 4 + len(body) if length is None else length
    return struct.pack("<HH", kind, size) + body


def drhd(base, *scopes, flags=0, segment=0, length=None):
    """A unit (8.3)."""
    return structure(0, struct.pack("<BBHQ", flags, 0, segment, base) +
                     b"".join(scopes), length)


def rmrr(base, limit, *scopes, segment=0, length=None):
    """A reserved memory region (8.4)."""
    return structure(1, struct.pack("<HHQQ", 0, segment, base, limit) +
                     b"".join(scopes), length)


# The machine that the test gives to all tables:
#   00:01.0 bridge to 01: 01:00.0 PF, 01:10.0 its VF
#   00:1c.0 bridge to 02: 02:00.0 bridge to 03: 03:00.0
#   00:07.0 bridge to 04: 04:00.0
#   00:02.0, 00:14.0, 00:1f.2, 80:04.3, 0001:00:00.0
#   85:00.0 bridge to 86: 86:00.0
GPU = scope(ENDPOINT, (2, 0))
SATA = scope(ENDPOINT, (0x1f, 2))
BRIDGE_PF = scope(BRIDGE, (1, 0))
PF = scope(ENDPOINT, (1, 0), (0, 0))
VF = scope(ENDPOINT, (1, 0), (0x10, 0))
DEEP = scope(ENDPOINT, (0x1c, 0), (0, 0), (0, 0))
DEEP_BRIDGE = scope(BRIDGE, (0x1c, 0), (0, 0))
IOAPIC_0 = scope(IOAPIC, (0x1e, 7), bus=0xf0, number=2)
ALL = drhd(BASE, flags=1)

FINE = "result 0\ninit 0\nblocked\n"


def refused(words, error=-22):
    """A table that is not used, and why."""
    return f"result {error}\nsays {words}\n"


def dropped(words, dropped_units=1, scopes_unknown=0, rmrr_unknown=0):
    """A table of which an entry is not used, and why."""
    return (f"result 0\nsays {words}\ndropped {dropped_units}\n"
            f"scopes-unknown {scopes_unknown}\nrmrr-unknown {rmrr_unknown}\n")


def good_dmars():
    """Tables that fit the specification."""
    return {
        "one-unit": (dmar(drhd(BASE, IOAPIC_0, flags=1)), FINE +
                     "units 1\nunit 0 0xfed90000 0 all 1\nrmrrs 0\n"
                     "unit-of 0000:01:10.0 0\nunit-of 0001:00:00.0 none\n"
                     "ioapic 2 0 0xf0f7\nioapic 3 none\n"
                     "attach 0000:01:10.0 0\nattach 0001:00:00.0 -19\n"),
        "client": (dmar(drhd(BASE, GPU),
                        drhd(BASE + 0x1000, IOAPIC_0, scope(HPET, (0x1e, 6)),
                             flags=1),
                        rmrr(0x7b800000, 0x7fffffff, GPU)), FINE +
                   "units 2\nunit-of 0000:00:02.0 0\nunit-of 0000:01:10.0 1\n"
                   "unit-of 0000:00:1f.2 1\nrmrr 0 0x7b800000 0x7fffffff 1\n"
                   "attach 0000:00:02.0 -16\nattach 0000:01:10.0 0\n"),
        "include-all-first": (dmar(drhd(BASE, flags=1),
                                   drhd(BASE + 0x1000, BRIDGE_PF)), FINE +
                              "unit-of 0000:01:10.0 1\n"
                              "unit-of 0000:00:1f.2 0\n"),
        "endpoint-before-bridge": (dmar(drhd(BASE, BRIDGE_PF),
                                        drhd(BASE + 0x1000, PF)), FINE +
                                   "unit-of 0000:01:00.0 1\n"
                                   "unit-of 0000:01:10.0 1\n"
                                   "unit-of 0000:00:01.0 0\n"
                                   "unit-of 0000:00:1f.2 none\n"),
        "several-hops": (dmar(drhd(BASE, DEEP), drhd(BASE + 0x1000, flags=1)),
                         FINE + "unit-of 0000:03:00.0 0\n"
                         "unit-of 0000:02:00.0 1\nattach 0000:03:00.0 0\n"),
        "bridge-of-several-hops": (dmar(drhd(BASE, DEEP_BRIDGE),
                                        drhd(BASE + 0x1000, flags=1)), FINE +
                                   "unit-of 0000:03:00.0 0\n"
                                   "unit-of 0000:02:00.0 0\n"
                                   "unit-of 0000:00:1c.0 1\n"),
        "path-to-nowhere": (dmar(drhd(BASE, scope(ENDPOINT, (5, 0), (0, 0)),
                                      scope(BRIDGE, (2, 0), (1, 0))),
                                 drhd(BASE + 0x1000, flags=1)), FINE +
                            "unit-of 0000:00:02.0 1\n"),
        "other-devices-only": (dmar(drhd(BASE, GPU), drhd(BASE + 0x1000, SATA)),
                               FINE + "unit-of 0000:01:10.0 none\n"
                               "attach 0000:01:10.0 -19\n"),
        "segments": (dmar(drhd(BASE, flags=1, segment=1),
                          drhd(BASE + 0x1000, flags=1)), FINE +
                     "unit-of 0001:00:00.0 0\nunit-of 0000:01:10.0 1\n"
                     "unit 0 0xfed90000 1 all 0\n"),
        "segment-without-unit": (dmar(drhd(BASE, flags=1, segment=1)), FINE +
                                 "unit-of 0000:01:10.0 none\n"
                                 "attach 0000:01:10.0 -19\n"),
        "rmrr-of-vf": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, VF)), FINE +
                       "attach 0000:01:10.0 -16\nattach 0000:00:1f.2 0\n"
                       "says 0000:01:10.0: firmware demands memory "
                       "0x7c000000-0x7c0fffff for it (RMRR\n"),
        "rmrr-of-pf": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, PF)), FINE +
                       "attach 0000:01:00.0 -16\nattach 0000:01:10.0 0\n"),
        "rmrr-backwards": (dmar(ALL, rmrr(0x7c100000, 0x7c000000, GPU),
                                rmrr(0x7c200000, 0x7c2fffff, SATA)), FINE +
                           "rmrrs 2\nsays offset 0x40: reserved memory region "
                           "(RMRR) of impossible extent; what it names cannot "
                           "be assigned\nattach 0000:00:02.0 -16\n"
                           "attach 0000:00:1f.2 -16\nattach 0000:01:10.0 0\n"),
        "rmrr-all-ones": (dmar(ALL, rmrr(0, 0xffffffffffffffff, GPU)), FINE +
                          "says impossible extent\nattach 0000:00:02.0 -16\n"
                          "attach 0000:01:10.0 0\n"),
        "rmrr-of-bridge": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, BRIDGE_PF)),
                           FINE + "attach 0000:01:10.0 -16\n"
                           "attach 0000:03:00.0 0\n"),
        "rmrr-above-4g": (dmar(ALL, rmrr(0x480000000, 0x4800fffff, VF)), FINE +
                          "rmrr 0 0x480000000 0x4800fffff 1\n"
                          "attach 0000:01:10.0 -16\n"),
        "rmrr-overlapping": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, SATA),
                                  rmrr(0x7c080000, 0x7c1fffff, GPU)), FINE +
                             "rmrrs 2\nattach 0000:00:1f.2 -16\n"
                             "attach 0000:00:02.0 -16\nattach 0000:01:10.0 0\n"),
        "rmrr-other-segment": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, VF,
                                              segment=1)), FINE +
                               "attach 0000:01:10.0 0\n"),
        "rmrr-of-nobody": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff)), FINE +
                           "rmrr 0 0x7c000000 0x7c0fffff 0\n"
                           "attach 0000:01:10.0 0\n"),
        "rmrr-many": (dmar(ALL, *[rmrr(0x7c000000 + i * 0x1000,
                                       0x7c000fff + i * 0x1000,
                                       *[SATA] * 32) for i in range(32)]),
                      FINE + "rmrrs 32\nrmrr 31 0x7c01f000 0x7c01ffff 32\n"
                      "attach 0000:01:10.0 0\n"),
        "all-structures": (dmar(ALL, structure(2, bytes([1, 0, 0, 0])),
                                structure(2, bytes(4) + BRIDGE_PF),
                                structure(3, bytes(4) + struct.pack("<QI", BASE, 0)),
                                structure(4, bytes(3) + b"\1\\_SB.I2C0\0"),
                                structure(5, bytes(4) + GPU),
                                structure(6, bytes(4)),
                                structure(0x7fff, b"?" * 60)), FINE +
                           "units 1\nrmrrs 0\nsays structure of ATSR type 2\n"
                           "says structure of ANDD type 4\n"
                           "says structure of SATC type 5\n"
                           "says structure of unknown type 32767\n"
                           "attach 0000:01:10.0 0\n"),
        "unknown-scope": (dmar(drhd(BASE, scope(0, (2, 0)), scope(9, (2, 0)),
                                    PF)), FINE +
                          "unit 0 0xfed90000 0 listed 1\n"
                          "says device scope of unknown type 9 skipped\n"
                          "unit-of 0000:01:10.0 0\n"),
        "no-interrupt-remapping": (dmar(ALL, flags=0), "result 0\ninit -95\n"
                                   "says INTR_REMAP clear\n"),
        "x2apic-opt-out": (dmar(ALL, flags=3), FINE + "says X2APIC_OPT_OUT\n"),
        "no-unit": (dmar(), "result 0\nunits 0\ninit -19\n"
                    "says lists no remapping unit\n"),
        "longer-than-told": (dmar(ALL, length=48) + bytes(64),
                             "result 0\nunits 0\ninit -19\n"),
    }


def published_dmars():
    """Tables of real machines: their structures, addresses and paths.

    server: an AMI firmware's for two sockets, from the tests of
    google/ecclesia-machine-management (Apache-2.0, ecclesia/lib/acpi/
    test_data/sys_firmware_acpi_tables_DMAR.dsl).  It was cut there: no unit is
    left for the rest.

    laptop: a Surface Laptop Studio's, by its disassembly in
    linux-surface/acpidumps (surface_laptop_studio_1/dmar.dsl); facts alone.  One
    unit each for the display and two Thunderbolt ports."""
    def root_ports(*buses):
        return b"".join(scope(BRIDGE, (0, 0), bus=bus) for bus in buses)

    def atsr(*buses):
        return structure(2, bytes(4) + root_ports(*buses))

    def rhsa(base):
        return structure(3, bytes(4) + struct.pack("<QI", base, 0))

    return {
        "server": (dmar(
            drhd(0xd37fc000, scope(IOAPIC, (5, 4), bus=0x80, number=0xf),
                 *[scope(ENDPOINT, (4, function), bus=0x80)
                   for function in range(8)], root_ports(0x80)),
            drhd(0xe0ffc000, scope(IOAPIC, (5, 4), bus=0x85, number=0x10),
                 root_ports(0x85)),
            drhd(0xee7fc000, scope(IOAPIC, (5, 4), bus=0xae, number=0x11),
                 root_ports(0xae)),
            rmrr(0x75460000, 0x75470fff, scope(ENDPOINT, (0x14, 0))),
            atsr(0x17, 0x3a, 0x5d), atsr(0x80, 0x85, 0xae, 0xd7),
            rhsa(0x9d7fc000), rhsa(0xaaffc000), width=46), FINE +
                   "units 3\nunit 0 0xd37fc000 0 listed 10\n"
                   "unit 2 0xee7fc000 0 listed 2\n"
                   "rmrrs 1\nrmrr 0 0x75460000 0x75470fff 1\n"
                   "ioapic 0xf 0 0x802c\nioapic 0x10 1 0x852c\n"
                   "ioapic 0x11 2 0xae2c\nioapic 0 none\n"
                   "unit-of 0000:80:04.3 0\nunit-of 0000:86:00.0 1\n"
                   "unit-of 0000:01:10.0 none\nattach 0000:80:04.3 0\n"
                   "attach 0000:86:00.0 0\nattach 0000:01:10.0 -19\n"
                   "says offset 0xf0: structure of ATSR type 2 skipped\n"
                   "says offset 0x14c: structure of RHSA type 3 skipped\n"),
        "laptop": (dmar(
            drhd(0xfed90000, GPU), drhd(0xfed84000, scope(BRIDGE, (7, 0))),
            drhd(0xfed85000, scope(BRIDGE, (7, 1))),
            drhd(0xfed91000, scope(IOAPIC, (0x1e, 7), number=2),
                 scope(HPET, (0x1e, 6)), flags=1),
            rmrr(0x83800000, 0x87bfffff, GPU), width=39, flags=5, revision=2),
                   FINE + "units 4\nunit 3 0xfed91000 0 all 2\n"
                   "unit-of 0000:00:02.0 0\nunit-of 0000:04:00.0 1\n"
                   "unit-of 0000:01:10.0 3\nunit-of 0000:00:14.0 3\n"
                   "ioapic 2 3 0x00f7\nattach 0000:00:02.0 -16\n"
                   "attach 0000:04:00.0 0\nattach 0000:01:10.0 0\n"),
    }


def bad_dmars():
    """Tables that break a rule: each, or the entry, is refused with the place
    and the rule."""
    whole = dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, VF))
    return {
        "empty": (b"", refused("shorter than its header")),
        "header-cut": (whole[:47], refused("shorter than its header")),
        "truncated": (whole[:-1], refused("length is impossible")),
        "length-zero": (dmar(ALL, length=0), refused("length is impossible")),
        "length-of-header": (dmar(ALL, length=36),
                             refused("length is impossible")),
        "length-huge": (dmar(ALL, length=0xffffffff),
                        refused("length is impossible")),
        "signature": (table(b"DMAX", bytes(12) + ALL),
                      refused("signature is not DMAR")),
        "checksum": (dmar(ALL, checksum=0x55), refused("checksum is wrong")),
        "width": (dmar(ALL, width=53), refused("width above 52 bits")),
        "structure-zero": (dmar(structure(0, bytes(12), length=0), ALL),
                           refused("offset 0x30: structure of impossible "
                                   "length")),
        "structure-three": (dmar(ALL, structure(0x20, b"", length=3)),
                            refused("offset 0x40: structure of impossible "
                                    "length")),
        "structure-huge": (dmar(drhd(BASE, length=0xffff)),
                           refused("structure of impossible length")),
        "structure-beyond": (dmar(drhd(BASE, length=17)),
                             refused("structure of impossible length")),
        "structure-tail": (dmar(ALL, b"\0\0\4"), refused("is cut off")),
        "unit-short": (dmar(structure(0, bytes(11))),
                       dropped("remapping unit (DRHD) is cut off")),
        "unit-at-zero": (dmar(drhd(0, flags=1)),
                         dropped("at an impossible address")),
        "unit-all-ones": (dmar(drhd(0xffffffffffffffff, flags=1), width=52),
                          dropped("at an impossible address")),
        "unit-all-ones-page": (dmar(drhd(0xfffffffffffff000, flags=1), width=52),
                               dropped("at an impossible address")),
        "unit-beyond-width": (dmar(drhd(1 << 39, flags=1)),
                              dropped("at an impossible address")),
        "unit-unaligned": (dmar(drhd(BASE + 0x800, flags=1)),
                           dropped("at an impossible address")),
        "unit-twice": (dmar(drhd(BASE, GPU), drhd(BASE, flags=1)),
                       dropped("listed twice", 0)),
        "units-many": (dmar(*[drhd(BASE + i * 0x1000) for i in range(257)]),
                       dropped("more remapping units")),
        "scope-zero": (dmar(drhd(BASE, scope(ENDPOINT, (2, 0), length=0))),
                       dropped("device scope of impossible length", 0, 1)),
        "scope-without-path": (dmar(drhd(BASE, scope(ENDPOINT) + b"\0\0",)),
                               dropped("device scope of impossible length", 0, 1)),
        "scope-huge": (dmar(drhd(BASE, scope(ENDPOINT, (2, 0), length=254))),
                       dropped("device scope of impossible length", 0, 1)),
        "scope-odd": (dmar(drhd(BASE, scope(ENDPOINT, (2, 0), length=9) + b"\0")),
                      dropped("device scope of impossible length", 0, 1)),
        "scope-tail": (dmar(drhd(BASE, GPU, b"\1\6\0")),
                       dropped("device scope is cut off", 0, 1)),
        "scope-device-32": (dmar(drhd(BASE, scope(ENDPOINT, (32, 0)))),
                            dropped("device path beyond 1f.7", 0, 1)),
        "scope-function-8": (dmar(drhd(BASE, scope(ENDPOINT, (0, 8)))),
                             dropped("device path beyond 1f.7", 0, 1)),
        "scope-hops": (dmar(drhd(BASE, scope(ENDPOINT, *[(0, 0)] * 9))),
                       dropped("more hops", 0, 1)),
        "scopes-many": (dmar(drhd(BASE, *[GPU] * 2049)),
                        dropped("more device scopes", 0, 1)),
        "rmrr-short": (dmar(ALL, structure(1, bytes(19))),
                       dropped("(RMRR) is cut off", 0, 0, 1)),
        "rmrr-scope-cut": (dmar(ALL, rmrr(0x7c000000, 0x7c0fffff, GPU[:-1])),
                           dropped("device scope is cut off", 0, 0, 1)),
    }


def madt(*entries, **how):
    """A MADT of @entries (ACPI 5.2.12)."""
    return table(b"APIC", struct.pack("<II", 0xfee00000, 1) + b"".join(entries),
                 revision=3, **how)


def lapic(number, flags=1, length=8):
    """A processor by its 8-bit APIC ID (5.2.12.2)."""
    return struct.pack("<BBBBI", 0, length, number, number, flags)


def x2apic(number, flags=1):
    """A processor by its 32-bit APIC ID (5.2.12.12)."""
    return struct.pack("<BBHIII", 9, 16, 0, number, flags, 7)


def ioapic(number, base, first):
    """An IOAPIC (5.2.12.3)."""
    return struct.pack("<BBBBII", 1, 12, number, 0, base, first)


def override(irq, gsi):
    """An interrupt source override (5.2.12.5)."""
    return struct.pack("<BBBBIH", 2, 10, 0, irq, gsi, 0)


def madts():
    """MADTs, good and bad."""
    return {
        "good": (madt(lapic(0), lapic(2), x2apic(0x101), lapic(4, 0),
                      ioapic(1, 0xfec00000, 0), ioapic(2, 0xfec01000, 24),
                      override(0, 2), override(4, 20)),
                 "cpus 0x0 0x2 0x101\nfirst-ioapic 1 0xfec00000 0\n"
                 "gsi 0 2\ngsi 4 20\ngsi 5 5\n"),
        "twice-and-broadcast": (madt(lapic(1), x2apic(1), lapic(255),
                                     x2apic(0xffffffff), lapic(3)),
                                "cpus 0x1 0x3\nfirst-ioapic none\n"),
        "entry-zero": (madt(lapic(0), b"\0\0", lapic(1)), "cpus 0x0\n"),
        "entry-one": (madt(lapic(0), b"\0\1", lapic(1)), "cpus 0x0\n"),
        "entry-beyond": (madt(lapic(0), lapic(1, length=9)), "cpus 0x0\n"),
        "entry-short": (madt(struct.pack("<BBBB", 0, 4, 0, 0), lapic(1),
                             struct.pack("<BBBB", 1, 4, 0, 0)),
                        "cpus 0x1\nfirst-ioapic none\n"),
        "entry-cut": (madt(lapic(0), b"\0"), "cpus 0x0\n"),
        "unknown": (madt(b"\x7f\x06????", lapic(0)), "cpus 0x0\n"),
        "no-entries": (madt(), "cpus\nfirst-ioapic none\ngsi 4 4\n"),
        "header-only": (table(b"APIC", b""), "cpus\nfirst-ioapic none\n"),
        "checksum": (madt(lapic(0), checksum=1),
                     "missing\nsays checksum is wrong\n"),
        "length-zero": (madt(lapic(0), length=0),
                        "missing\nsays length 0 makes no sense\n"),
        "length-huge": (madt(lapic(0), length=0xffffffff),
                        "missing\nsays makes no sense\n"),
        "truncated": (madt(lapic(0))[:-1], "missing\nsays makes no sense\n"),
    }


def mcfg(*ranges, tail=b"", **how):
    """An MCFG of (base, segment, first bus, last bus)."""
    return table(b"MCFG", bytes(8) + b"".join(
        struct.pack("<QHBBI", *part, 0) for part in ranges) + tail, **how)


def mcfgs():
    """MCFGs, good and bad."""
    good = (0xb0000000, 0, 0, 255)
    return {
        "good": (mcfg(good, (0x4000000000, 1, 0x10, 0x1f)),
                 "ecams 2\necam 0 0xb0000000 0 0 255\n"
                 "ecam 1 0x4000000000 1 16 31\n"),
        "backwards": (mcfg((0xb0000000, 0, 9, 8), good),
                      "ecams 1\necam 0 0xb0000000 0 0 255\n"),
        "cut": (mcfg(good, tail=bytes(15)), "ecams 1\n"),
        "empty": (mcfg(), "ecams 0\n"),
        "header-only": (table(b"MCFG", b""), "ecams 0\n"),
        "many": (mcfg(*[good] * 20), "ecams 20\n"),
        "checksum": (mcfg(good, checksum=0), "missing\nsays checksum is wrong\n"),
    }


def fadts():
    """FADTs: where the PM timer is."""
    def fadt(port, length, size=116):
        body = bytearray(size - 36)
        if size > 91:
            struct.pack_into("<I", body, 76 - 36, port)
            body[91 - 36] = length
        return table(b"FACP", bytes(body))

    return {
        "good": (fadt(0x608, 4), "pm-timer 0x608\n"),
        "no-timer": (fadt(0, 0), "pm-timer 0x0\n"),
        "port-too-large": (fadt(0x10608, 4), "pm-timer 0x0\n"),
        "short": (fadt(0x608, 4, 91), "pm-timer 0x0\n"),
    }


def main():
    """Writes all, in place of what was there."""
    for old in [*HERE.glob("*.table"), *HERE.glob("*.expect")]:
        old.unlink()
    for kind, tables in (("dmar", good_dmars()), ("dmar-bad", bad_dmars()),
                         ("dmar-published", published_dmars()),
                         ("madt", madts()), ("mcfg", mcfgs()),
                         ("fadt", fadts())):
        for name, (data, expect) in tables.items():
            (HERE / f"{kind}-{name}.table").write_bytes(data)
            (HERE / f"{kind}-{name}.expect").write_text(expect)


if __name__ == "__main__":
    main()
