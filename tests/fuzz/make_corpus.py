"""Writes the first inputs of the fuzz targets, tests/fuzz/corpus/TARGET/seed-N:
what a machine of the field would say, so that fuzzing begins behind the first
checks.  What stands there beside them was found by fuzzing."""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def write(target, *inputs):
    """Stores @inputs as the seeds of @target."""
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs):
        (folder / f"seed-{number}").write_bytes(data)


def table(signature, body, revision=1):
    """An ACPI table; the targets make its checksum right."""
    return signature + struct.pack("<IBB6s8sIII", 36 + len(body), revision, 0,
                                   b"BOCHS ", b"BXPC    ", 1, 0, 1) + body


def dmar():
    """QEMU's, and one with everything."""
    ioapic = bytes([3, 8, 0, 0, 0, 0xff, 0, 0])
    drhd = struct.pack("<HHBBHQ", 0, 24, 1, 0, 0, 0xfed90000) + ioapic
    bridge = bytes([2, 8, 0, 0, 0, 0, 1, 0])
    deep = bytes([1, 10, 0, 0, 0, 0, 1, 0, 0, 0])
    second = struct.pack("<HHBBHQ", 0, 16 + 18, 0, 0, 0, 0xfed91000) + bridge + deep
    other = struct.pack("<HHBBHQ", 0, 16, 1, 0, 1, 0xfed92000)
    rmrr = struct.pack("<HHHHQQ", 1, 34, 0, 0, 0x7c000000, 0x7c7fffff) + deep
    rest = b"".join(struct.pack("<HHI", kind, 8, 0) for kind in range(2, 8))
    head = bytes([38, 3]) + bytes(10)
    return [b"\1" + table(b"DMAR", head + drhd),
            b"\1" + table(b"DMAR", head + second + other + drhd + rmrr + rest)]


def acpi():
    """RSDP, XSDT or RSDT, and the tables behind it, at 10000000H."""
    base = 0x10000000
    lapic = struct.pack("<BBBBI", 0, 8, 0, 0, 1)
    x2apic = struct.pack("<BBHIII", 9, 16, 0, 0x101, 1, 1)
    ioapic = struct.pack("<BBBBII", 1, 12, 0, 0, 0xfec00000, 0)
    override = struct.pack("<BBBBIH", 2, 10, 0, 4, 20, 0)
    madt = table(b"APIC", bytes(8) + lapic + x2apic + ioapic + override)
    mcfg = table(b"MCFG", bytes(8) +
                 struct.pack("<QHBBI", 0xb0000000, 0, 0, 255, 0))
    fadt = table(b"FACP", bytes(40) + struct.pack("<I", 0x608) + bytes(11) +
                 b"\4" + bytes(20))
    out = []
    for wide in (8, 4):
        root_at = base + 36
        at = root_at + 36 + 3 * wide
        pointers = b""
        for part in (madt, mcfg, fadt):
            pointers += at.to_bytes(wide, "little")
            at += len(part)
        rsdp = b"RSD PTR " + struct.pack(
            "<B6sBIIQB3x", 0, b"BOCHS ", 2 if wide == 8 else 0, root_at, 36,
            root_at, 0)
        root = table(b"XSDT" if wide == 8 else b"RSDT", pointers)
        out.append(b"\1" + rsdp + root + madt + mcfg + fadt)
    return out


def config():
    """The two files of the tree in spirit, and every key."""
    return [b"kernel=\\vmlinuz\ninitrd=\\initrd\ncmdline=console=ttyS0\n"
            b"memory=512M\ncpus=all\nassign=vf:8086:10c9/0\n",
            b"\xef\xbb\xbf# comment\r\nmemory=2G\r\ncpus=4\r\n"
            b"assign=0000:01:10.0,02:00.1\r\non-poweroff=halt\r\n"
            b"on-reboot=reset\r\non-crash=poweroff\r\nlog=com2\r\n",
            b"assign=none\nmemory=all\n\t initrd = x \n"]


def linux():
    """A bzImage with one sector of set-up code."""
    image = bytearray(0x800)
    image[0x1f1] = 1
    struct.pack_into("<H", image, 0x1fe, 0xaa55)
    image[0x200:0x202] = b"\xeb\x66"
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x20f)
    image[0x211] = 1
    struct.pack_into("<I", image, 0x22c, 0x7fffffff)
    struct.pack_into("<I", image, 0x230, 0x200000)
    image[0x234] = 1
    struct.pack_into("<H", image, 0x236, 0x7f)
    struct.pack_into("<I", image, 0x238, 2047)
    struct.pack_into("<Q", image, 0x258, 0x100000)
    struct.pack_into("<I", image, 0x260, 0x100000)
    short = bytes(image[:0x640])
    return [bytes([4, 0, 10]) + short, bytes([4, 16, 0]) + short]


def pci():
    """A bridge, an endpoint with capabilities, SR-IOV with BARs."""
    def record(bus, devfn, reg, value, writable=0):
        return struct.pack("<BBHII", devfn, bus, reg, value, writable)

    bridge = (record(0, 8, 0, 0x29c08086) + record(0, 8, 0xc, 0x10000) +
              record(0, 8, 0x18, 0x00030100, 0xffffff00) +
              record(0, 8, 0x24, 0x0001fff1) + record(0, 8, 0x20, 0xc010c000))
    endpoint = (record(1, 0, 0, 0x10c98086) +
                record(1, 0, 4, 0x00100000, 0x547) +
                record(1, 0, 0x10, 0xc, 0xfffe0000) +
                record(1, 0, 0x14, 1, 0xffffffff) +
                record(1, 0, 0x34, 0x40) + record(1, 0, 0x40, 0x00025010) +
                record(1, 0, 0x44, 0x10000000) +
                record(1, 0, 0x50, 0x00090011))
    sriov = (record(1, 0, 0x100, 0x16010001) +
             record(1, 0, 0x160, 0x00010010) +
             record(1, 0, 0x168, 0, 0xffff) +
             record(1, 0, 0x16c, 0x00080008) +
             record(1, 0, 0x170, 0, 0xffff) +
             record(1, 0, 0x174, 0x00020080) +
             record(1, 0, 0x178, 0x10ca0000) +
             record(1, 0, 0x17c, 0x553) + record(1, 0, 0x180, 1, 0xffffffff) +
             record(1, 0, 0x184, 0xc, 0xffffc000) +
             record(1, 0, 0x188, 0, 0xffffffff) +
             record(1, 0x80, 0x34, 0xa0) + record(1, 0x80, 0xa0, 0x10))
    return [b"\3" + bridge + endpoint, b"\3" + bridge + endpoint + sriov]


def decode():
    """MOV as Linux's readl() and writel() are compiled, in each mode."""
    code = ["02 8b 07", "02 89 37", "02 0f b7 07", "02 48 c7 05 10 20 30 40 1 0 0 0",
            "02 44 0f be 44 24 08", "01 a1 0 0 0 c0", "00 67 66 8b 04 25 1 2 3 4",
            "02 48 a3 1 2 3 4 5 6 7 8", "02 63 01", "01 c6 40 08 55"]
    return [bytes(int(part, 16) for part in line.split()) for line in code]


def guest_walk():
    """4-level paging with a 4 KiB page, PAE with 2 MiB, 32 bits with 4 MiB."""
    def entry(at, value):
        return struct.pack("<HQ", at, value)

    def head(flags, cr3, address):
        return struct.pack("<BQQB", flags, cr3, address, 40)

    return [head(0xb, 0x1000, 0x3ff0) + entry(0x1000, 0x2003) +
            entry(0x2000, 0x3003) + entry(0x3000, 0x4003) +
            entry(0x4018, 0x5003) + entry(0x4020, 0x10003),
            head(3, 0x1000, 0x7fff) + entry(0x1000, 0x2001) +
            entry(0x2000, 0x83),
            head(5, 0x1000, 0x100) + entry(0x1000, 0x83),
            head(0, 0, 0x7ff0)]


def paging():
    """Large leaves, split, and unmapped; with little memory."""
    def mapping(va, size, pa, attr=2):
        return (b"\0" + va.to_bytes(3, "little") + bytes([size]) +
                pa.to_bytes(3, "little") + bytes([attr]))

    def hole(va, size):
        return b"\1" + va.to_bytes(3, "little") + bytes([size])

    calls = (mapping(0, 0x83, 2) + hole(0x40, 0) + mapping(8, 0x41, 0x40, 3) +
             hole(0, 0x80))
    return [b"\x10" + calls, b"\x11" + calls, b"\x12\x05" + calls,
            b"\x0c" + calls]


def vpci():
    """A driver's start: BARs sized and moved, decoding on, MSI-X, FLR."""
    def ecam(reg, size, value=None):
        how = {1: 0, 2: 2, 4: 4, 8: 6}[size] | (value is not None)
        return struct.pack("<BH", how, reg) + (
            b"" if value is None else value.to_bytes(size, "little"))

    def port(offset, size, value=None):
        how = {1: 0, 2: 2, 4: 4}[size] | (value is not None) | 8
        return struct.pack("<BH", how, offset) + (
            b"" if value is None else value.to_bytes(size, "little"))

    head = bytes([0, 0xa0, 0x70]) + struct.pack("<III", 3, 0x2003, 0x10008002)
    ops = (ecam(0, 4) + ecam(0x10, 4, 0xffffffff) + ecam(0x10, 4) +
           ecam(0x10, 4, 0xd0000000) + ecam(4, 2, 6) + ecam(0x72, 2, 0xc000) +
           ecam(0xa8, 2, 0x8000) + port(0, 4, 0x80000800) + port(4, 4) +
           port(6, 1, 0xff) + ecam(0x1c, 8, 0xd0000000d0000000))
    return [head + ops, b"\x09" + head[1:] + ops]


def msix():
    """Entries written, opened, masked; one with a vector that is refused."""
    def write(offset, value, size=4):
        how = {4: 6, 8: 7}[size]
        return struct.pack("<BH", how, offset) + value.to_bytes(size, "little")

    head = bytes([0, 0x70]) + struct.pack("<HII", 3, 0x103, 0x803)
    ops = (write(0, 0xfee01000) + write(8, 0x24) + write(12, 0) +
           write(8, 0x25) + write(12, 1) + write(16, 0xfee00000, 8) +
           write(24, 0x5, 8) + b"\2\0\0" + b"\xff\0\0" + bytes(8))
    return [head + ops]


def igb_mbx():
    """Reset, MAC, multicast, VLAN, frame size, each of VF 0 and of VF 1."""
    def message(vf, first, *more):
        return (bytes([len(more) << 4 | vf, 1]) + struct.pack("<I", first) +
                b"".join(struct.pack("<H", word) for word in more))

    def all_of(vf):
        return (message(vf, 1) + message(vf, 3 | 4 << 16, 0x123, 0xfff) +
                message(vf, 4 | 1 << 16, 100) + message(vf, 5, 1600) +
                message(vf, 4, 100) + message(vf, 2, 1, 2) +
                message(vf, 6 | 1 << 16))

    return [b"\1" + all_of(0) + all_of(1),
            b"\0" + bytes([0, 0]) + struct.pack("<I", 1) + all_of(0)]


def nvme_reach():
    """A VF that keeps to itself, one that takes more, and Lockdown of that."""
    said = bytes.fromhex("000036" * 15 + "050102") + b"\0" + bytes(4)
    own = b"\1" * 3 + bytes(253) + b"\1" * 128 + bytes(128) + b"\0"
    more = bytearray(own)
    for opcode in (0x15, 0x24, 0x80):
        more[opcode] = 0xf1
    can_be = bytes.fromhex("03 152480").ljust(509, b"\0") + b"\0"
    none = bytes(510)
    locked = none + can_be + bytes(3) + can_be
    return [b"\0" + said + own, b"\0" + said + more,
            b"\2" + said + more + locked, b"\2" + said + more + can_be]


def vtd():
    """Units as the field has them, obedient; faults of each kind."""
    def record(low, high):
        return struct.pack("<QQ", low, high)

    words = [0xf << 60 | 5 << 32, 1 << 63 | 6 << 32 | 0x180,
             1 << 63 | 0x26 << 32 | 0x180, 1 << 63 | 0x25 << 32 | 0x100]
    faults = [b"\0\x22\x07\0" + b"\7" +
              b"".join(record(0x3000000003000 * n, w) for n, w in enumerate(words)) +
              b"\2\0" + struct.pack("<Q", words[1]) + bytes(8) + b"\1\0"]
    faults.append(b"\2\x22\7\0\0")  # all ones, without an end
    # On and on: the VF that is assigned, its PF, one whose bus has no table
    faults.append(b"\0\x22\0\0" + b"\0" + b"".join(
        b"\2\0" + struct.pack("<QQ", 1 << 63 | 2 << 32 | sid, 0x1000) + b"\0\0"
        for sid in (0x180, 0x100, 0x200) for _ in range(16)))
    unit = bytes([0x81, 0x80, 0x80]) + b"\1\0" + bytes(300)
    return faults, [bytes([1, 0x80, 0x80, 0x80, 0x80, 1, 0]),
                    bytes([1, 0x80, 0x84, 0x80, 0x84, 1, 0]),
                    bytes([1, 0x07, 0x80, 0x04, 0x80, 1, 0]), unit]


def main():
    """Writes all of them."""
    faults, units = vtd()
    write("dmar", *dmar())
    write("acpi", *acpi())
    write("config", *config())
    write("linux", *linux())
    write("pci", *pci())
    write("decode", *decode())
    write("guest_walk", *guest_walk())
    write("paging", *paging())
    write("vpci", *vpci())
    write("msix", *msix())
    write("igb_mbx", *igb_mbx())
    write("nvme_reach", *nvme_reach())
    write("vtd_faults", *faults)
    write("vtd_unit", *units)
    # LCR, divisor, FCR, MCR, IER; then bytes that come, and are read
    write("vuart", bytes.fromhex("1983 0101 0900 1903 11c7 210b 0907"
                                 "8041 8042 00 10 2a 20 8043 04 07010203"))
    # Pin 4 to vector 30H, open; an edge there
    write("vioapic", bytes.fromhex("010518000000 0d30000000 0519000000"
                                   "0d00000001 8004 0c 0c 8017"))
    write("vpower", bytes.fromhex("1932 38 1900 3800 0134 0906 11fe"))
    write("trap", bytes.fromhex("000010 008010 00c120 00bf28 fd80ffffffffffffffff"
                                "fcc0 f081 640c08 6800 fd0001"))


if __name__ == "__main__":
    main()
