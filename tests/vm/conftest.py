"""Whole-machine tests: they boot Gangway and judge by what the guest and the
log say."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import pytest

import demo  # pylint: disable=wrong-import-position
import machine  # pylint: disable=wrong-import-position

close_machine = machine.Machine.close


def close_and_judge(self):
    """Every test fails by what the emulator complains of, unless it is about a
    hypervisor with a mistake, by itself (mutants.py) or made by the test."""
    errors = self.guest_errors
    close_machine(self)
    if not (self.options.efi or self.options.complaints):
        assert demo.check_guest_errors(errors) is None


machine.Machine.close = close_and_judge

# A client's processor of 2011 (QEMU's model is older than KVM's wait-for-SIPI
# state), without the VPID that some of its time lack
SHAPES = {
    "max": machine.PROCESSOR,
    "Sandy Bridge": "SandyBridge,vmx-activity-wait-sipi=on,vmx-ept-1gb=off,"
                    "vmx-vpid=off",
}


def pytest_configure(config):
    config.addinivalue_line("markers", "long: for make vm-tests-long alone")
    config.addinivalue_line("markers", "shapes: on each shape of processor, on "
                            "all but the first by make vm-tests-long")


def pytest_generate_tests(metafunc):
    if metafunc.definition.get_closest_marker("shapes"):
        first, *others = SHAPES
        metafunc.parametrize("shape", [first, *(
            pytest.param(name, marks=pytest.mark.long) for name in others)],
            indirect=True)


@pytest.fixture(autouse=True)
def shape(request, monkeypatch):
    """The processor of a test's machines."""
    name = getattr(request, "param", "max")
    monkeypatch.setattr(machine, "PROCESSOR", SHAPES[name])
