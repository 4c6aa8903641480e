"""Hypervisors with one mistake in them: what the emulator is strict about is
worth something only if it notices."""

import shutil
import subprocess

import demo
import machine

# All that `make build/gangway.efi` reads
SOURCES = ("boot", "drivers", "guest", "hv", "vtd", "tools", "Makefile",
           "linker.ld")


def build(name, *changes):
    """The hypervisor with wrong in place of right, which is once in the file, for
    each of @changes, (file, right, wrong) or these three alone; returns the path
    of the image.  Compiles those files alone."""
    if isinstance(changes[0], str):
        changes = [changes]
    place = machine.BUILD / "mutants" / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for source in SOURCES:
        subprocess.run(["cp", "-a", machine.ROOT / source, place], check=True)
    (place / "build").mkdir()
    for built in ("obj", "font.c", "dsdt.aml"):
        subprocess.run(["cp", "-a", machine.BUILD / built, place / "build"],
                       check=True)
    for file, right, wrong in changes:
        text = (place / file).read_text()
        assert text.count(right) == 1, (file, right, text.count(right))
        (place / file).write_text(text.replace(right, wrong))
    subprocess.run(["make", "-C", place, "build/gangway.efi"], check=True)
    return place / "build/gangway.efi"


def noticed(m, words):
    """The emulator has said @words of what the hypervisor did, and the
    demonstration would fail by it."""
    assert demo.check_guest_errors(m.guest_errors)
    return words in m.guest_errors
