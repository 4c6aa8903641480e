"""Which installed QEMU will do (tools/qemu.py); no machine is booted."""

import pytest

import qemu

DEVICES = ("igb", "intel-iommu", "ide-hd")
PROGRAM = """#!/bin/sh
case "$*" in
--version) echo "QEMU emulator version {version} (Debian)" ;;
"-netdev help") printf "%s\\n" Available netdev backend types: socket {network} ;;
*) case " {devices} " in
   *" ${{2%,help}} "*) echo "${{2%,help}} options:" ;;
   *) echo "Device '${{2%,help}}' not found" >&2; exit 1 ;;
   esac ;;
esac
"""
CASES = {
    "8.1": ({"version": "8.1.5"}, ""),
    "10.0": ({"version": "10.0.13"}, ""),
    "7.2": ({"version": "7.2.22"}, "is older than 8.1"),
    "8.0": ({"version": "8.0.4"}, "is older than 8.1"),
    "no igb": ({"devices": "intel-iommu ide-hd"}, "has no igb"),
    "no IOMMU": ({"devices": "igb ide-hd"}, "has no intel-iommu"),
    "no slirp": ({"network": "tap"}, "has no user network"),
    "none": ({"version": "unknown"}, "is no QEMU"),
}


@pytest.mark.parametrize("name", CASES)
def test_installed_qemu(name, tmp_path):
    differs, lack = CASES[name]
    path = tmp_path / "qemu-system-x86_64"
    path.write_text(PROGRAM.format(**{
        "version": "10.0.0", "devices": " ".join(DEVICES), "network": "user",
        **differs}))
    path.chmod(0o755)
    assert qemu.lacks(str(path)) == lack
    assert qemu.refuse(str(path), "kvm") == (lack and f"QEMU={path} {lack}")
    # Only our emulator has VMX without KVM
    assert "VMX only with KVM" in qemu.refuse(str(path), "tcg")
