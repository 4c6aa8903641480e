"""Remapping units as hardware has them: several, slow ones, with write buffers,
with memory that firmware protected; and functions that are silent after a
reset.  Hypervisors that count on the contrary are noticed."""

import pytest

import machine
import mutants
import outside
import test_attacks as attacks

SECOND = 0xfed91000


def commanded(efi="", iommu="", devices=()):
    options = attacks.options("commands")
    options.iommu, options.efi = iommu, str(efi)
    options.devices = list(devices)
    return machine.Machine(options, print)


def dma(d):
    """The VF reaches the guest's memory, and nothing beyond it."""
    d.ask("write 300000 5a")
    assert outside.words(d.m, 0x300000 + d.ram[1], 1) == [0x5a]
    return d.faults(f"write {d.ram[0] + 1:x} 5a")


# One for the VF's root port; the first one is for all else
TWO_UNITS = ["-device",
             f"intel-iommu,intremap=on,eim=on,x-port=1,x-base={SECOND:#x}"]


def test_second_unit():
    with commanded(devices=TWO_UNITS) as m:
        d = attacks.Commander(m, SECOND)
        assert "VF 0 of 0000:01:00.0" in m.log
        assert "0000:01:10.0: attached to domain 1 by dmar1" in m.log
        assert all("unit=dmar1" in line for line in dma(d))
        m.send("end\n")
        assert m.wait_end(60)
        attacks.check_alive(m)


@pytest.mark.long
def test_wrong_unit():
    """A hypervisor for which every function is the first unit's: the DMA goes by
    the tables of the other one, and arrives nowhere."""
    efi = mutants.build("units-scope", "vtd/scope.c", "return &vtd_units[i];",
                        "return &vtd_units[0];")
    with commanded(efi, devices=TWO_UNITS) as m:
        d = attacks.Commander(m)
        assert "0000:01:10.0: attached to domain 1 by dmar0" in m.log
        before = outside.words(m, 0x300000 + d.ram[1], 1)
        d.ask("write 300000 5a")
        assert outside.words(m, 0x300000 + d.ram[1], 1) == before


@pytest.mark.parametrize("iommu", [
    "x-rwbf=on", "x-coherent=on", "x-pmr=0x0-0x7fffffff", "x-delay=5000"])
def test_kinds_of_unit(iommu):
    with commanded(iommu=iommu) as m:
        d = attacks.Commander(m)
        assert dma(d)
        m.send("end\n")
        assert m.wait_end(60)
        attacks.check_alive(m)


# The file, the right text and the wrong one, the kind of unit, and what the
# emulator says
NOTICED = {
    "that a command takes time": (
        "vtd/unit.c", "(vtd_read32(unit->base, VTD_GSTS) & mask) == value",
        "true || mask == value", "x-delay=5000",
        "while the one before it is under way"),
    "that firmware protected memory": (
        "vtd/unit.c", "if (!(unit->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))",
        "if (unit->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR))",
        "x-pmr=0x0-0x7fffffff", "DMA to protected memory"),
    "to wait after a reset": (
        "drivers/pci/pci_reset.c",
        'delay_us(FLR_DELAY_US, "PCIe 6.6.2: function-level reset");', "", "",
        "left after a reset"),
    "that registers are gone after a reset": (
        "drivers/pci/pci_reset.c",
        'delay_us(FLR_DELAY_US, "PCIe',
        '(void)*(volatile u32 *)fn->bar[0].base; delay_us(FLR_DELAY_US, "PCIe',
        "",
        "read of registers of 01:10.0"),
    "to wait after VF Enable": (
        "drivers/pci/sriov.c",
        'delay_us(VF_ENABLE_US, "PCIe 9.3.3.3.1: VF Enable set");', "", "",
        "left after a reset"),
}


@pytest.mark.long
@pytest.mark.parametrize("what", NOTICED)
def test_forgotten(what):
    *mistake, iommu, words = NOTICED[what]
    efi = mutants.build(f"units-{list(NOTICED).index(what)}", *mistake)
    with commanded(efi, iommu) as m:
        m.wait_for("^attack kernel: ready$|^gangway: (panic|end|stopped)",
                   m.options.timeout)
        if m.wait_for("^attack kernel: ready$", 0) and \
                "is the guest's" in m.log:
            d = attacks.Commander(m)
            d.ask("write 300000 5a")
        assert mutants.noticed(m, words), m.guest_errors


@pytest.mark.long
def test_forgotten_absence():
    """In caching mode the unit still has the context that was not there."""
    efi = mutants.build(
        "units-absence", "vtd/context.c",
        "err = vtd_invalidate_context(unit, DOMAIN_OF_NOT_PRESENT, sid);",
        "err = sid ? 0 : -EIO;")
    with commanded(efi, "caching-mode=on") as m:
        d = attacks.Commander(m)
        said = d.faults("write 300000 5a")
        assert "reason=0x02" in said[0]  # context entry not present


@pytest.mark.long
def test_forgotten_buffers():
    """What was written before the first DMA is not in memory yet."""
    efi = mutants.build("units-buffers", "vtd/unit.c",
                        "if (!(unit->cap & VTD_CAP_RWBF))",
                        "if (unit->cap & VTD_CAP_RWBF)")
    with commanded(efi, "x-rwbf=on") as m:
        d = attacks.Commander(m)
        said = d.faults("write 300000 5a")
        assert "reason=0x01" in said[0]  # root entry not present
        assert outside.words(m, 0x300000 + d.ram[1], 1) != [0x5a]
