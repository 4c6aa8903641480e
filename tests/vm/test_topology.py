"""Where functions are: buses above 80h, and many VFs of one PF."""

import re

import devices
import machine
from test_devices import check_disk, judge

# A root bus of its own, as a second socket has, with a port and an 82576; a
# drive with 16 VFs.
CARD = "0000:82:00.0"
DRIVE_VFS = 16


def drive(number, work):
    """An NVMe drive with 16 VFs behind a root port at 00:NUMBER.0."""
    queues = 2 * DRIVE_VFS
    return ["-device", "nvme-subsys,id=subsystem",
            *devices.on_root_port(
                number, "nvme,serial=many,subsys=subsystem,"
                f"sriov_max_vfs={DRIVE_VFS},sriov_vq_flexible={queues},"
                f"sriov_vi_flexible={queues},max_ioqpairs={queues + 2},"
                f"msix_qsize={queues + 1}"),
            *devices.disk(work, "drive"),
            "-device", "nvme-ns,drive=drive,nsid=1,shared=on"]


def test_high_bus_and_sixteen_vfs(tmp_path):
    """A VF of a card on bus 82h; the first and the last VF of a drive that has
    16: both reach its namespace, each with its own interrupts."""
    options = machine.Options(
        show="devices",
        settings={"assign": "0000:82:10.0,vf:1b36:0010/0,vf:1b36:0010/15"},
        devices=[
            "-device", "pxb-pcie,id=high,bus=pcie.0,addr=0x10,bus_nr=0x81",
            "-device", "pcie-root-port,id=rp81,bus=high,slot=81,chassis=81",
            "-netdev", "user,id=n81", "-device",
            "igb,bus=rp81,netdev=n81,mac=52:54:00:aa:cc:81,romfile=",
            *drive(3, tmp_path)])
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        judge(m, "01 driver: .*, igbvf", "01 MAC address: ..:..:..:..:cc:81",
              "01 VM exits: 0 in", "02 driver: .*, nvme", "02 VM exits: 0 in",
              "03 driver: .*, nvme", "03 VM exits: 0 in")
        # Not the other 14: what the guest has is on its bus
        assert len(re.findall(r"^PASS .* driver: ", m.console, re.M)) == 3
        for slot in "02", "03":
            check_disk(m, slot, tmp_path / "drive.img")
        # The drive's functions are 02:00.0, and 02:00.1 on
        vfs = re.findall(r"^sriov: (\S+): VF (\d+) of 0000:02:00.0, ",
                         m.log, re.M)
        assert vfs == [(f"0000:02:{n // 8:02x}.{n % 8}", str(n - 1))
                       for n in range(1, DRIVE_VFS + 1)]
        assert re.findall(r"^assign: (\S+) is the guest's", m.log, re.M) == [
            "0000:82:10.0", "0000:02:00.1", "0000:02:02.0"]
        assert re.findall(r"^nvme: \S+: VF (\d+) is controller (\d+), online",
                          m.log, re.M) == [("0", "1"), ("15", "16")]
