"""Where functions are, and what they decode: buses above 80h, many VFs of one
PF, BARs of each kind."""

import re

import pytest

import demo
import devices
import machine
from test_devices import check_disk, judge

DRIVE_VFS = 16
SHARED = 4 << 20
ECAM = 0xb0000000  # where firmware puts configuration space


def drive(number, work):
    """An NVMe drive with 16 VFs behind a root port at 00:NUMBER.0."""
    queues = 2 * DRIVE_VFS
    return ["-device", "nvme-subsys,id=subsystem",
            *devices.on_root_port(
                number, "nvme,serial=many,subsys=subsystem,"
                f"isolated-vfs=on,sriov_max_vfs={DRIVE_VFS},"
                f"sriov_vq_flexible={queues},"
                f"sriov_vi_flexible={queues},max_ioqpairs={queues + 2},"
                f"msix_qsize={queues + 1}"),
            *devices.disk(work, "drive"),
            "-device", "nvme-ns,drive=drive,nsid=1,shared=on"]


def high_bus(work):
    """A root bus of its own, 81h, as a second socket has, with four ports: an
    82576; a USB controller whose MSI has 16 vectors; shared memory in a 64-bit
    BAR, with registers in one of 256 bytes; a device with I/O ports."""
    port = devices.on_root_port
    return ["-device", "pxb-pcie,id=high,bus=pcie.0,addr=0x10,bus_nr=0x81",
            "-netdev", "user,id=n81", *port(
                17, "igb,netdev=n81,mac=52:54:00:aa:cc:81,romfile=", "high"),
            *port(18, "nec-usb-xhci,id=usb81,msi=on,msix=off", "high"),
            *devices.disk(work, "stick"),
            "-device", "usb-storage,bus=usb81.0,drive=stick",
            "-object", "memory-backend-file,id=shared,share=on,"
            f"size={SHARED},mem-path={work / 'shared'}",
            *port(19, "ivshmem-plain,memdev=shared", "high"),
            *port(20, "pci-testdev", "high")]


def check_drive_vfs(log):
    """All 16 VFs are there, the two that were asked for work."""
    vfs = re.findall(r"^sriov: (\S+): VF (\d+) of 0000:02:00.0, ", log, re.M)
    assert vfs == [(f"0000:02:{n // 8:02x}.{n % 8}", str(n - 1))
                   for n in range(1, DRIVE_VFS + 1)]
    assert re.findall(r"^nvme: \S+: VF (\d+) is controller (\d+), online",
                      log, re.M) == [("0", "1"), ("15", "16")]


def check_msi(m):
    """The USB controller's MSI: 16 vectors there, one in use.  Its capability
    is at 70h."""
    control = m.hmp(f"xp /1hx {ECAM + (0x83 << 20) + 0x72:#x}")
    value = int(control.split(":")[1], 16)
    assert (value >> 1 & 7, value >> 4 & 7, value & 1) == (4, 0, 1), control


@pytest.mark.long
@pytest.mark.shapes
def test_many_functions(tmp_path):
    """A VF of a card on bus 82h; the first and the last VF of a drive that has
    16, which both reach its namespace, each with its own interrupts; BARs and
    interrupts of other kinds."""
    options = machine.Options(
        show="devices", shell=True,
        settings={"assign": "0000:82:10.0,vf:1b36:0010/0,vf:1b36:0010/15,"
                  "0000:83:00.0,0000:84:00.0,0000:85:00.0"},
        devices=[*drive(3, tmp_path), *high_bus(tmp_path)])
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^DEMO: \d+ passed", options.timeout), \
            m.last_line()
        assert m.wait_for(machine.SHELL, 30)
        check_msi(m)
        m.send("poweroff -f\n")
        assert m.wait_end(60)
        judge(m, "01 driver: .*, igbvf", "01 MAC address: ..:..:..:..:cc:81",
              "02 driver: .*, nvme", "03 driver: .*, nvme",
              "04 driver: .*, xhci_hcd", "04 MSI: Enable. Count=1/1",
              "05 small BAR", "06 I/O BAR", "06 I/O BAR writes: 3 of 3",
              *(f"{slot:02} VM exits: 0 in" for slot in range(1, 6)))
        # The drive's other 14 VFs are not the guest's
        assert len(re.findall(r"^PASS .* driver: ", m.console, re.M)) == 6
        assert re.findall(r"^assign: (\S+) is the guest's", m.log, re.M) == [
            "0000:82:10.0", "0000:02:00.1", "0000:02:02.0", "0000:83:00.0",
            "0000:84:00.0", "0000:85:00.0"]
        check_drive_vfs(m.log)
        for slot, name in ("02", "drive"), ("03", "drive"), ("04", "stick"):
            check_disk(m, slot, tmp_path / f"{name}.img")
        assert (tmp_path / "shared").read_bytes()[:8].hex() == \
            "8877665544332211"


# Two sockets: APIC IDs 0 to 5 and 8 to 13, each with half of the memory
SERVER = ("-smp 12,sockets=2,cores=3,threads=2 "
          "-object memory-backend-ram,id=near,size=2G "
          "-object memory-backend-ram,id=far,size=2G "
          "-numa node,memdev=near,cpus=0-5 -numa node,memdev=far,cpus=6-11")


@pytest.mark.long
def test_server():
    """Each processor is the guest's, and the log says where its memory is."""
    options = machine.Options(smp=12, mem="4G", qemu_extra=SERVER)
    with machine.Machine(options, print) as m:
        verdict = demo.judge(m, m.wait_end(2 * options.timeout))
        assert verdict.problems == []
        nodes = re.findall(r"^guest: node (\d): (\d+) MiB of its RAM, (\d) of "
                           r"its CPUs", m.log, re.M)
        assert [(node, cpus) for node, _, cpus in nodes] == \
            [("0", "6"), ("1", "6")]
        # What firmware, the hypervisor and the hole below 4 GiB leave
        assert all(1900 < int(size) <= 2048 for _, size, _ in nodes)


@pytest.mark.long
def test_many_processors():
    """More than 64: each is started and under Gangway, so no IPI needs to
    exit."""
    options = machine.Options(smp=80, settings={"mode": "check"})
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^gangway: ready$", options.timeout), m.last_line()
        assert "smp: 80 CPUs\n" in m.log
        assert "not every processor" not in m.log
