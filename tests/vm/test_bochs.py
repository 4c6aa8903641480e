"""The same image on a VMX by other hands, without ACPI tables and VT-d."""

import bochs
import pytest


def test_first_user_process():
    if bochs.unfit():
        pytest.skip(bochs.unfit())
    assert bochs.run(bochs.Options(), print) == []


def test_two_processors_start():
    assert bochs.run(bochs.Options(cpus=2), print) == []
