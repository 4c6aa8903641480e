"""The isolation groups that Gangway computes are those that Linux has for the
same machine."""

import collections
import gzip
import lzma
import re
import subprocess

import pytest

import machine

KERNEL = machine.BUILD / "guest/kernel"
PF = "0000:01:00.0"

# What each device of a machine is for stands behind it.
MACHINES = {
    "closed ports above": """
        -device pcie-root-port,id=open,slot=2,chassis=2,disable-acs=on
        -device e1000e,bus=open,romfile=

        -device pcie-root-port,id=rp3,slot=3,chassis=3
        -device x3130-upstream,bus=rp3,id=up
        -device xio3130-downstream,bus=up,id=down0,slot=10,chassis=10
        -device xio3130-downstream,bus=up,id=down1,slot=11,chassis=11
        -device edu,bus=down0
        -device e1000e,bus=down1,romfile=

        -device pcie-root-port,id=rp4,slot=4,chassis=4
        -device e1000e,bus=rp4,addr=0.0,multifunction=on,romfile=
        -device qemu-xhci,bus=rp4,addr=0.1

        -device pcie-root-port,id=rp5,slot=5,chassis=5
        -device pcie-pci-bridge,bus=rp5,id=pci5
        -device e1000,bus=pci5,addr=1,romfile=
        -device pci-bridge,bus=pci5,id=pci6,addr=2,chassis_nr=6
        -device e1000,bus=pci6,addr=1,romfile=
        """,
    "open ports above": """
        -set device.rp1.disable-acs=on

        -device pcie-root-port,id=rp2,slot=2,chassis=2,disable-acs=on
        -device x3130-upstream,bus=rp2,id=up
        -device xio3130-downstream,bus=up,id=down0,slot=10,chassis=10
        -device xio3130-downstream,bus=up,id=down1,slot=11,chassis=11
        -device edu,bus=down0
        -device e1000e,bus=down1,romfile=

        -device pcie-root-port,id=m0,addr=6.0,multifunction=on,slot=6,chassis=6
        -device pcie-root-port,id=m1,addr=6.1,slot=7,chassis=7
        -device e1000e,bus=m0,romfile=
        -device pcie-root-port,id=n0,addr=7.0,multifunction=on,slot=8,chassis=8,disable-acs=on
        -device pcie-root-port,id=n1,addr=7.1,slot=9,chassis=9,disable-acs=on
        -device e1000e,bus=n0,romfile=

        -device e1000e,addr=8.0,multifunction=on,romfile=
        -device e1000e,addr=8.1,romfile=
        -device qemu-xhci,addr=9.0,multifunction=on
        -device nvme,addr=9.1,serial=1
        -device i82801b11-bridge,addr=a.0,id=pcia
        -device e1000,bus=pcia,addr=1,romfile=
        """,
}

INIT = f"""#!/bin/sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for module in $(cat /order); do
	insmod /$module.ko
done
echo 2 >/sys/bus/pci/devices/{PF}/sriov_numvfs
cd /sys/kernel/iommu_groups
for device in */devices/*; do
	echo "GROUP $device"
done
for vf in /sys/bus/pci/devices/{PF}/virtfn*; do
	echo "VF $(basename $(readlink $vf))"
done
echo "GROUPS END"
poweroff -f
"""


def add_module(name, to):
    """Copy module @name to @to, after what it depends on."""
    if (to / f"{name}.ko").exists():
        return
    file = next(f for pattern in (f"{name}.ko", f"{name}.ko.xz")
                for f in KERNEL.resolve().rglob(pattern))
    code = file.read_bytes()
    if file.suffix == ".xz":
        code = lzma.decompress(code)
    for other in re.search(rb"\0depends=([^\0]*)", code)[1].decode().split(","):
        if other:
            add_module(other.replace("-", "_")
                       if not list(KERNEL.resolve().rglob(f"{other}.ko*"))
                       else other, to)
    (to / f"{name}.ko").write_bytes(code)
    with open(to / "order", "a", encoding="ascii") as order:
        order.write(f"{name}\n")


@pytest.fixture(name="initrd")
def make_initrd(tmp_path):
    """The guest's initramfs, with an init of ours and the PF's driver."""
    root = tmp_path / "root"
    root.mkdir()
    add_module("igb", root)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    names = "\n".join(sorted(p.name for p in root.iterdir())) + "\n"
    archive = subprocess.run(["cpio", "--quiet", "-H", "newc", "-o"], cwd=root,
                             input=names.encode(), check=True,
                             stdout=subprocess.PIPE).stdout
    initrd = tmp_path / "initrd.gz"
    # A later archive's files replace those of an earlier one.
    initrd.write_bytes((machine.BUILD / "guest/initramfs.gz").read_bytes() +
                       gzip.compress(archive))
    return initrd


def partition(pairs):
    """(group, function) pairs as a set of sets: numbers do not matter."""
    groups = collections.defaultdict(set)
    for group, function in pairs:
        groups[group].add(function)
    return {frozenset(group) for group in groups.values()}


def of_linux(extra, initrd):
    """The groups that Linux shows without Gangway, and the VFs."""
    # Under load an emulated timer is late.  Linux's check of it panics; and a
    # Linux that could not measure its TSC gives the unit no time to obey.
    options = machine.Options(qemu_extra=(
        f"{extra} -kernel {machine.BUILD / 'guest/vmlinuz'} -initrd {initrd} "
        "-append 'console=ttyS0,115200 quiet intel_iommu=on no_timer_check "
        "tsc_early_khz=2000000'"))
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^GROUPS END", options.timeout), m.last_line()
        pairs = re.findall(r"^GROUP (\d+)/devices/(\S+)", m.console, re.M)
        vfs = re.findall(r"^VF (\S+)", m.console, re.M)
    return partition(pairs), set(vfs)


def of_gangway(extra):
    """The groups of mode=check, and whether the PF's VFs can be assigned."""
    options = machine.Options(
        settings={"mode": "check", "groups": "strict"}, qemu_extra=extra)
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^gangway: ready$", options.timeout), \
            m.last_line()
        rows = re.findall(r"^preflight: (\S+:\S+\.\d) +(\d+) .* (?:yes: |no: "
                          r"|bridge)(.*)$", m.console, re.M)
        m.send(" ")
        assert m.wait_for(r"gangway: end: poweroff", 30)
        assert m.wait_end(30)
    verdict = next(row[2] for row in rows if row[0] == PF)
    return partition((group, function) for function, group, _ in rows), \
        "VFs: vf:8086:10c9/0" in verdict


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.long] if "closed" in name else [])
    for name in MACHINES])
def test_groups_are_those_of_linux(name, initrd):
    extra = " ".join(MACHINES[name].split())
    groups, vf_assignable = of_gangway(extra)
    theirs, vfs = of_linux(extra, initrd)
    assert len(vfs) == 2
    # Without the VFs, which mode=check does not create
    assert groups == {frozenset(group - vfs) for group in theirs} - {frozenset()}
    assert vf_assignable == all({vf} in theirs for vf in vfs)


OPEN_PORT = "-set device.rp1.disable-acs=on"


def test_part_of_a_group_is_refused():
    options = machine.Options(qemu_extra=OPEN_PORT,
                              settings={"groups": "strict"})
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert re.search(r"^groups: 0000:01:10\.0: its isolation group also has "
                         r"0000:01:00\.0, for port 0000:00:01\.0 .*no ACS",
                         m.log, re.M)
        assert "allow-unsafe-groups=yes in gangway.cfg" in m.log
        assert "gangway: stopped: a function of assign= is not isolated" in m.log


def test_members_that_are_held():
    """Below a port without ACS the PF that Gangway drives stays behind; of a
    USB controller's device its sibling does, and decodes nothing."""
    options = machine.Options(
        shell=True, qemu_extra=OPEN_PORT + (
            " -device qemu-xhci,addr=14.0,multifunction=on"
            " -device edu,addr=14.2"),
        settings={"assign": "vf:8086:10c9/0,0000:00:14.0"})
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^assign: 0000:00:14\.0 is the guest's",
                          options.timeout), m.last_line()
        assert re.search(r"^groups: 0000:01:10\.0: of its group 0000:01:00\.0 "
                         r"stays behind, without DMA into the guest; but ",
                         m.log, re.M)
        assert re.search(r"^groups: 0000:00:14\.0: of its group 0000:00:14\.2 "
                         r"stays behind, without bus mastering and without an "
                         r"address", m.log, re.M)


def test_part_of_a_group_at_own_risk():
    options = machine.Options(qemu_extra=OPEN_PORT,
                              settings={"allow-unsafe-groups": "yes"})
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^assign: 0000:01:10\.0 is the guest's",
                          options.timeout), m.last_line()
        assert re.search(r"^groups: WARNING: 0000:01:10\.0 ", m.log, re.M)
