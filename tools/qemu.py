"""Which accelerator and which QEMU run the machine.

    qemu.py     print the path of the installed QEMU, if ACCEL= means KVM here
                and it will do; else say why not, and fail"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

# igb, with what its VFs need
LEAST = (8, 1)
NONE = (0, 0)


def choose_accel(wanted):
    """Returns (accelerator, why).  KVM needs nested VMX, so an Intel host."""
    if wanted != "auto":
        return wanted, f"ACCEL={wanted}"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "/dev/kvm cannot be used here"
    if "GenuineIntel" not in pathlib.Path("/proc/cpuinfo").read_text():
        return "tcg", "the host is not Intel"
    nested = pathlib.Path("/sys/module/kvm_intel/parameters/nested")
    if not nested.exists() or nested.read_text().strip() not in ("Y", "1"):
        return "tcg", "the host's KVM has no nested VMX"
    return "kvm", "the host is Intel with nested VMX"


def output(*command):
    """What a QEMU prints, be it that it fails."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=60,
                              check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)


def version(path):
    """(major, minor) of the QEMU at @path; NONE: it is none."""
    found = re.search(r"version (\d+)\.(\d+)", output(path, "--version"))
    return tuple(map(int, found.groups())) if found else NONE


def lacks(path):
    """Why the QEMU at @path cannot run the machine with KVM; "" if it can."""
    if version(path) == NONE:
        return "is no QEMU"
    if version(path) < LEAST:
        return f"is older than {LEAST[0]}.{LEAST[1]}"
    for device in "igb", "intel-iommu", "ide-hd":
        if f"{device} options" not in output(path, "-device", f"{device},help"):
            return f"has no {device}"
    if not re.search(r"^user$", output(path, "-netdev", "help"), re.M):
        return "has no user network"
    return ""


def refuse(path, accel):
    """Why the installed QEMU at @path cannot run the machine; "" if it can."""
    if accel != "kvm":
        return (f"QEMU={path}: its processor has VMX only with KVM, and this is "
                f"{accel}; without QEMU= our emulator runs")
    return lacks(path) and f"QEMU={path} {lacks(path)}"


def remark(path, ours):
    """For the log, which QEMU it is and what it does not do."""
    text = f"{path}, QEMU {version(path)[0]}.{version(path)[1]}"
    return text if ours else (
        f"{text}: its VT-d lets interrupts of the compatibility format pass, "
        "which hardware and our emulator block (QEMU= takes our emulator)")


def main():
    accel, why = choose_accel(os.environ.get("ACCEL") or "auto")
    path = shutil.which("qemu-system-x86_64")
    if accel != "kvm":
        reason = f"no KVM: {why}"
    elif not path:
        reason = ("no qemu-system-x86_64 is installed, which with KVM spares "
                  "building it (from version 8.1 on)")
    else:
        reason = lacks(path) and f"{path} {lacks(path)}"
    if reason:
        print(f"qemu: our emulator: {reason}", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
