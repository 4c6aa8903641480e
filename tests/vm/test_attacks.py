"""Attacks from inside the guest.  The guest is not Linux but the kernel of
tests/attack/kernel, which does in ring 0 what a guest must not be able to do,
and tells the VF what no driver would.  What it sees is one half of the proof;
the other is read from outside, by the emulator's monitor."""

import re

import pytest

import machine
import outside
from commander import VTD, Commander, options

LINE = re.compile(r"^(PASS|FAIL) attack ([^:\n]+): (.*)$", re.M)
VF = "0000:01:10.0"


def check_alive(m):
    """The hypervisor went on."""
    assert "gangway: panic" not in m.log


# --- the processor


NAMES = {
    "CPUID", "instructions", "debug exceptions", "CR0", "CR0 caches off", "CR4",
    "XCR0", "every MSR", "forbidden MSR values", "EFER", "PAT", "TSC write",
    "memory that is not there", "device memory",
    "execution from device memory", "CPUID below a non-canonical address",
    "I/O ports", "PM timer",
    "start of another processor", "IPIs to absent processors", "self-IPIs",
    "NMI storm to itself", "NMI storm to another", "INIT, SIPI, NMI storm",
    "odd delivery modes", "local vector table", "task switch", "real mode",
    "16-bit protected mode", "real mode with large segments",
    "32-bit protected mode", "ring 3 of 32 bits", "32-bit paging",
    "PAE paging", "virtual-8086 mode", "compatibility mode"}


@pytest.mark.shapes
def test_processor():
    """Every attack of the processor, and at last page tables where no memory
    is: that ends the guest, with its reason."""
    wide = options("end=page-tables", memory="1280M")
    wide.cpu = "phys-bits=52"
    with machine.Machine(wide, print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        lines = LINE.findall(m.console)
        assert [line for line in lines if line[0] == "FAIL"] == []
        assert {name for _, name, _ in lines} == NAMES
        assert re.search(r"gangway: guest crashed \(cpu 0: page table, .* at "
                         r"0xc1000000, which is not RAM\)", m.log)
        check_alive(m)


ENDS = {
    "triple-fault": r"guest crashed \(triple fault on cpu 0",
    "idt": r"guest crashed \(cpu 0: page table, stack or descriptor at "
           r"0xc1000",
    "stack": r"guest crashed \(cpu 0: page table, stack or descriptor at "
             r"0xfec007",
    "init": r"guest powered off",
    "init-at-end": r"guest crashed \(triple fault on cpu 1 .*\)\n"
                   r"(.*\n)*assign: 0000:01:10.0 stopped and reset\n"
                   r"(.*\n)*gangway: end: halt$",
}


@pytest.mark.parametrize("name", ENDS)
def test_end(name):
    """What no processor can go on from ends the guest alone, by name; INIT and
    SIPI to the first processor start it again."""
    with machine.Machine(options(f"end={name} only-end"), print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        assert re.search(r"gangway: " + ENDS[name], m.log, re.M)
        assert "gangway: VM exits" in m.log
        check_alive(m)


def test_smi_checked():
    """With ipis=checked the other processor starts and takes NMIs as always,
    and an SMI that the guest sends is dropped.  (Without, the
    firmware's handler gets it, and this emulated firmware has none.)"""
    with machine.Machine(options("end=smi only-end", ipis="checked"),
                         print) as m:
        assert m.wait_for(r"^attack kernel: still here$", m.options.timeout)
        assert [line[0] for line in LINE.findall(m.console)] == 3 * ["PASS"]
        assert re.search(r"^guest: interrupt command 0x4200 not sent", m.log,
                         re.M)
        assert m.wait_end(60)
        check_alive(m)


def test_processor_kept_back():
    """A processor that cpus= keeps from the guest stays where it is, in the
    hypervisor, whatever the guest sends it."""
    kept = options("cpus=1", cpus=1)
    with machine.Machine(kept, print) as m:
        assert m.wait_end(m.options.timeout), m.last_line()
        image = re.search(r"image at 0x([0-9a-f]+)-0x([0-9a-f]+)", m.log)
        place = [int(rip, 16) for rip in
                 re.findall(r"\bRIP=([0-9a-f]+)", m.hmp("info registers -a"))]
        assert len(place) == 2
        assert int(image[1], 16) <= place[1] <= int(image[2], 16)
        assert [line for line in LINE.findall(m.console)
                if line[0] == "FAIL"] == []
        assert "PASS attack IPIs to absent processors: 54 sent" in m.console
        check_alive(m)


# --- the device


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    wire = tmp_path_factory.mktemp("wire") / "frames"
    recorded = options("commands")
    recorded.qemu_extra = (
        f"-object filter-dump,id=wire,netdev=n0,file={wire}")
    with machine.Machine(recorded, print) as m:
        d = Commander(m)
        d.wire = wire
        yield d
        check_alive(m)


def forbidden(d):
    """Addresses that the VF must not reach, by name.  Host-physical ones are
    given as they are: where they were reachable they would be the very ones.
    Where there are tables, an entry that is in use.  None of them has registers
    that change when they are read."""
    end = d.ram[0] + 1
    ahci = re.search(r" class 010601, .*BAR5 ([0-9a-f]+)", d.m.log)[1]
    return {
        "hypervisor's code": d.image + 0x2000,
        "hypervisor's variables": d.image_end + 1 - 0x100,
        "hypervisor's page tables": d.host_tables,
        "VT-d root table": d.root + 16,
        "VT-d context table": d.contexts + 16 * 0x80,
        "VT-d second-level table": d.table,
        "interrupt remapping table": d.irt,
        "invalidation queue": d.queue + 0xff0,
        "first byte after guest RAM": end,
        "last byte before host RAM": d.ram[1] - 4 + (1 << 40),
        "PF's registers": d.pf + 0x5400,
        "AHCI controller's registers": int(ahci, 16),
        "remapping unit's registers": VTD + 0x20,
        "IOAPIC": 0xfec00000,
        "HPET": 0xfed00000,
        "configuration space": d.ecam + 0x8000,
        "VF's own MSI-X table": d.bar3,
        "beyond the table's width": 1 << 52,
    }


def host_place(d, name, address):
    """Where the monitor finds what the VF was told to reach."""
    elsewhere = {
        # What the guest's address would be, were it translated as RAM is
        "first byte after guest RAM": address + d.ram[1],
        "last byte before host RAM": d.ram[1] - 4,
        "beyond the table's width": 0,
    }
    return elsewhere.get(name, address) & ~3


def octets(four):
    return b"".join(word.to_bytes(4, "little") for word in four)


def tell(name, address, where, before, lines, after):
    """For who reads the output: what was tried, said, and seen from outside."""
    print(f"attack: the VF writes and reads 0x{address:x}, {name}")
    for line in lines:
        print(f"  log: {line}")
    for when, found in (("before", before), ("after", after)):
        print(f"  0x{where:x} {when}:", *(f"{word:08x}" for word in found))


def test_dma_blocked(device):
    """Write and read by the VF to each: a fault that names it, the target is
    what it was, and nothing of it leaves by the wire."""
    for name, address in forbidden(device).items():
        target = address & ~3
        where = host_place(device, name, target)
        before, sent = outside.words(device.m, where, 4), len(outside.frames(device.wire))
        blocked = device.faults(f"write {target:x} 5a")
        blocked += device.faults(f"read {target:x}")
        after = outside.words(device.m, where, 4)
        tell(name, target, where, before, blocked, after)
        for access in ("write", "read"):
            assert any(f"access={access} " in line
                       and "vf=0 pf=0000:01:00.0" in line
                       and f"address=0x{target & ~0xfff:x} " in line
                       for line in blocked), (name, access)
        assert after == before, name
        if set(before) - {0, 0xffffffff}:
            assert not any(octets(before) in frame for frame
                           in outside.frames(device.wire)[sent:]), name


def test_dma_allowed(device):
    """The control: what the VF reads in the guest's own memory is on the wire,
    and its write arrives there, in the last word too."""
    code = 0x1000200
    there = octets(outside.words(device.m, code + device.ram[1], 16))
    sent = len(outside.frames(device.wire))
    device.ask(f"read {code:x}")
    assert there in outside.frames(device.wire)[sent:]
    for target in (0x300000, device.ram[0] - 3):
        start = len(device.m.console)
        device.ask(f"write {target:x} 5a")
        assert "vtd-fault" not in device.m.console[start:]
        assert outside.words(device.m, target + device.ram[1], 1) == [0x5a]


def irte_of_ioapic(d):
    """Index of the entry that is not the VF's."""
    for index, high in enumerate(outside.xp(d.m, d.irt, 32)[1::2]):
        if high and high & 0xffff != 0x180:
            return index
    raise AssertionError("no entry of the IOAPIC")


def remappable(index):
    """The address of a message in remappable format (VT-d 5.1.2.2)."""
    return 0xfee00010 | (index & 0x7fff) << 5 | index >> 15 << 2


def test_forged_interrupts(device):
    """Interrupts by DMA to FEE00000h: none arrives but the VF's own."""
    device.ask("route 60")
    other = irte_of_ioapic(device)
    for address, reason, more in (
            (0xfee00000, 0x25, ""),
            (0xfee0100c, 0x25, ""),
            (remappable(other), 0x26, f"index={other} irte="),
            (remappable(200), 0x22, "index=200 irte=0x0:0"),
            (remappable(1024), 0x21, "index=1024"),
            (remappable(0xffff), 0x21, "index=65535")):
        start = len(device.m.console)
        lines = device.faults(f"write {address:x} 62")
        assert "did: sent, 0 interrupts" in device.m.console[start:]
        assert any("access=interrupt" in line and more in line and
                   f"reason=0x{reason:02x}" in line for line in lines), lines
    text = re.findall(r"^vtd: dmar0: blocked: .* interrupt .*$", device.m.log,
                      re.M)
    assert any("of the IOAPIC" in line for line in text), text


def msix_entries(d):
    return [outside.words(d.m, d.bar3 + 16 * i, 4) for i in range(3)]


def contained(d, entry):
    """A real MSI-X entry is masked, or holds nothing but the index of one of
    the VF's own entries."""
    address, upper, data, control = entry
    if control & 1:
        return True
    index = address >> 5 & 0x7fff
    return (address == remappable(index) and not upper and not data and
            outside.xp(d.m, d.irt + 16 * index + 8, 1)[0] & 0xffff == 0x180)


def test_msix_contained(device):
    said = device.ask("attack msix", 240)
    assert "PASS attack MSI-X table" in said
    assert all(contained(device, entry) for entry in msix_entries(device))
    said = device.ask("attack table-moved", 240)
    assert "PASS attack MSI-X table moved" in said
    assert all(contained(device, entry) for entry in msix_entries(device))
    device.ask("msix 0 fee00000 55")
    assert msix_entries(device)[0][0] != 0xfee00000
    assert all(contained(device, entry) for entry in msix_entries(device))


@pytest.mark.parametrize("name", ["bars", "config", "flr", "bus-mastering"])
def test_configuration(device, name):
    said = device.ask(f"attack {name}", 240)
    assert re.search(r"^PASS attack ", said, re.M), said


def pf_state(d):
    """What a VF must not change in the PF: MAC filters, other pools, who may
    send and receive (82576 8.10, 8.14, 8.26)."""
    filters = outside.words(d.m, d.pf + 0x5400, 32)
    return {"MAC filters": filters[:32],
            "upper MAC filters": outside.words(d.m, d.pf + 0x54e0, 16),
            "other pools": outside.words(d.m, d.pf + 0x5ad4, 7),
            "RCTL": outside.words(d.m, d.pf + 0x100, 1),
            "VFRE, VFTE": outside.words(d.m, d.pf + 0xc8c, 2),
            "VT_CTL": outside.words(d.m, d.pf + 0x581c, 1)}


def others_in_pf(d):
    """What no message of VF 0 may touch, even for a moment: MAC filters and
    VLANs of other pools, their switches, what holds for all."""
    state = pf_state(d)
    filters = state["MAC filters"] + state["upper MAC filters"]
    pairs = zip(filters[::2], filters[1::2])  # address, and pools from bit 18
    return {"MAC filters": [pair for pair in pairs if pair[1] >> 19 & 0x7f],
            "VLANs": [vlan & 0xfe000 for vlan in outside.words(d.m, d.pf + 0x5d00, 32)],
            "enabled": [word & ~1 for word in state["VFRE, VFTE"]],
            **{name: state[name] for name in ("other pools", "RCTL", "VT_CTL")}}


def test_mailbox(device):
    """Requests of every type, half written, with ownership abused: for whoever
    looks meanwhile what is others' in the PF is what it was, and afterwards all
    of it is, and no VLAN has another pool."""
    before, others = pf_state(device), others_in_pf(device)
    assert any(before["MAC filters"])

    def look():
        assert others_in_pf(device) == others

    said, looks = device.watch("attack mailbox", look)
    print(f"attack: the PF's state was looked at {looks} times meanwhile")
    assert "PASS attack mailbox" in said and looks > 1
    assert pf_state(device) == before
    assert not any(others_in_pf(device)["VLANs"])


def test_fault_flood(device):
    """A flood of blocked requests: counted, explained in part, and the log
    says how many were not."""
    start = len(device.m.console)
    device.ask(f"flood {device.ram[0] + 0x100001:x} 400", 240)
    lines = device.m.console[start:]
    assert len(re.findall(r"^vtd-fault: ", lines, re.M)) < 0x400
    # The count of what was dropped comes with the next that is told
    device.m.wait_for(r"too fast to be explained", 5, start)
    device.faults("read 1000000000")
    dropped = re.findall(r"vtd: (\d+) faults came too fast to be explained",
                         device.m.console[start:])
    assert dropped and sum(map(int, dropped)) > 0


# --- negative controls: each protection taken away, and the attack succeeds


def weakened(name):
    return machine.Machine(options("commands", weaken=name), print)


def test_weaken_dma_isolation():
    """test_dma_blocked without translation: the VF writes to the interrupt
    remapping table."""
    with weakened("dma-isolation") as m:
        d = Commander(m)
        assert m.log.count("WARNING: WEAKENED: dma-isolation") == 1
        target = d.irt + 0x800
        assert outside.words(m, target, 1) == [0]
        d.ask(f"offset {d.ram[1]:x}")
        start = len(m.console)
        d.ask(f"write {target:x} 5a")
        assert outside.words(m, target, 1) == [0x5a]
        assert "vtd-fault" not in m.console[start:]
        check_alive(m)


def test_weaken_ir_source_check():
    """test_forged_interrupts without source validation: the console's
    interrupt arrives, made by the VF."""
    with weakened("ir-source-check") as m:
        d = Commander(m)
        d.ask("route 60")
        said = d.ask(f"write {remappable(irte_of_ioapic(d)):x} 1")
        assert "did: sent, 1 interrupts, vector 60" in said
        assert "vtd-fault" not in said
        assert m.log.count("WARNING: WEAKENED: ir-source-check") == 1
        check_alive(m)


def test_weaken_compat_block():
    """test_forged_interrupts with compatibility format let through: the vector
    that the VF wrote arrives."""
    with weakened("compat-block") as m:
        d = Commander(m)
        said = d.ask("write fee00000 62")
        assert "did: sent, 1 interrupts, vector 62" in said
        assert "vtd-fault" not in said
        check_alive(m)


def test_weaken_msix_trap_and_flr():
    """test_msix_contained without the trap: the guest's own message stands in
    the real table.  test_reset without the reset: what was set up before goes
    on after it."""
    with weakened("msix-trap,flr") as m:
        d = Commander(m)
        d.ask("msix 0 fee00000 55")
        assert msix_entries(d)[0] == [0xfee00000, 0, 0x55, 0]
        assert "did: the queue is on" in d.ask("reset")
        check_alive(m)


def test_reset(device):
    assert "did: the queue is off" in device.ask("reset")


def test_reset_at_end():
    """At its end nothing of what the guest told the VF is left in it, it has no
    queue and no context entry.  (From outside a VF's registers are seen in the
    PF's.)"""
    with machine.Machine(options("commands"), print) as m:
        d = Commander(m)
        d.ask("write 300000 5a")
        written_back, control = d.pf + 0xe038, d.pf + 0xe028
        assert outside.words(m, written_back, 1) == [0x300001]
        assert outside.words(m, control, 1)[0] >> 25 & 1
        m.send("end\n")
        assert m.wait_end(60)
        assert outside.words(m, written_back, 1) == [0]
        assert not outside.words(m, control, 1)[0] >> 25 & 1
        assert outside.words(m, d.pf + 0xc8c, 2) == [0, 0]  # VFRE, VFTE
        assert outside.xp(m, d.contexts + 16 * 0x80, 1) == [0]
        check_alive(m)
