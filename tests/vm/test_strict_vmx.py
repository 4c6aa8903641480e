"""Where hardware is strict about VMX and an emulator need not be: hypervisors
that rely on what the SDM calls undefined, name the wrong memory type, or read an
MSR that does not exist."""

import pytest

import machine
import mutants
import test_attacks as attacks

READY = "^attack kernel: ready$"


def run(efi=""):
    """Until the guest has used its device, or something broke."""
    options = attacks.options("commands")
    options.efi = str(efi)
    m = machine.Machine(options, print)
    m.wait_for(READY + "|attack kernel: exception|^gangway: (panic|end)",
               options.timeout)
    return m


# The file, the right text and the wrong one, and what the emulator says
NOTICED = {
    "a field that is never written": (
        "hv/vmx/vmcs.c", "\tvmwrite(EXIT_MSR_STORE_COUNT, 0);\n", "",
        "VM-exit MSR-store area"),
    "memory types": (
        "hv/vmx/ept.c", "PT_EXEC : PT_UNCACHED;", "PT_EXEC : 0;",
        "gives a device"),
    "an MSR that does not exist": (
        "hv/vmx/vmcs.c", "\tvmwrite(CR3_TARGET_COUNT, 0);\n",
        "\tvmwrite(CR3_TARGET_COUNT, 0);\n\t(void)rdmsr(0x9999);\n",
        "RDMSR of 0x9999"),
}


@pytest.mark.long
@pytest.mark.parametrize("what", NOTICED)
def test_noticed(what):
    *mistake, words = NOTICED[what]
    efi = mutants.build(f"vmx-{list(NOTICED).index(what)}", *mistake)
    with run(efi) as m:
        assert mutants.noticed(m, words), m.guest_errors


@pytest.mark.long
def test_undefined_exit_information():
    """IDT-vectoring information that is not valid is not 0, either."""
    efi = mutants.build("vmx-vectoring", "hv/vmx/ept_violation.c",
                        "vmread(IDT_VECTORING) & INTERRUPTION_VALID",
                        "vmread(IDT_VECTORING)")
    with run(efi) as m:
        assert "page table, stack or descriptor at" in m.log


def test_nothing_undefined():
    with run() as m:
        assert m.wait_for(READY, 0), m.last_line()
