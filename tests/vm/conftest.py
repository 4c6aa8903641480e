"""Whole-machine tests: they boot Gangway and judge by what the guest and the
log say."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

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


def pytest_configure(config):
    config.addinivalue_line("markers", "long: for make vm-tests-long alone")
