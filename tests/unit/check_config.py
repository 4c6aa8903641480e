"""tools/check-config, on sticks that are folders: what it says, and its status.

Fails, with what it said instead."""

import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bzimage():
    """The least that is taken for a kernel (Documentation/x86/boot.rst)."""
    file = bytearray(5 * 512 + 4096)
    file[0x1f1] = 4
    struct.pack_into("<H", file, 0x1fe, 0xaa55)
    file[0x201:0x206] = b"\x66HdrS"
    struct.pack_into("<H", file, 0x206, 0x20f)
    file[0x211] = 1
    struct.pack_into("<H", file, 0x236, 1)
    struct.pack_into("<QI", file, 0x258, 16 << 20, 40 << 20)
    return bytes(file)


CASES = [  # gangway.cfg, exit status, words
    (b"kernel=\\VMLINUZ\ninitrd=ucode.img,/Initrd.img\n", 0,
     ["good: mode=run", "kernel \\VMLINUZ: 6 KiB", "initrd ucode.img: 8 KiB",
      "initrd /Initrd.img: 4 KiB", "guest: needs 56 MiB"]),
    (b"kernel=/packed\n", 1, ["kernel /packed: compressed by gzip"]),
    (b"kernel=/not here\n", 1, ["kernel /not here: not found as ", "/../../not here"]),
    (b"# one\nkernel=\\vmlinuz # the kernel\n", 1,
     ["gangway.cfg:2: kernel=: a comment behind the value"]),
    ("kernel=a".encode("utf-16"), 1, ["gangway.cfg:1: the file is UTF-16"]),
]


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name, "root")
        boot = root / "EFI/BOOT"
        boot.mkdir(parents=True)
        (root / "vmlinuz").write_bytes(bzimage())
        (root / "packed").write_bytes(b"\x1f\x8b\x08")
        (root / "initrd.img").write_bytes(bytes(4096))
        (boot / "ucode.img").write_bytes(bytes(8192))
        for config, status, words in CASES:
            (boot / "gangway.cfg").write_bytes(config)
            run = subprocess.run(
                [ROOT / "tools/check-config", boot / "gangway.cfg"],
                stdout=subprocess.PIPE, text=True, check=False)
            lacks = [word for word in words if word not in run.stdout]
            if run.returncode != status or lacks:
                print(f"{config}: status {run.returncode}, lacks {lacks}:\n"
                      f"{run.stdout}")
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
