"""Gangway under Bochs, a second implementation of VMX.

    bochs.py [MODEL]

Boots Debian's kernel as the guest; its first user process is tests/bochs/init.c.
Bochs judges VM entries by code of its own, has no VT-d, no PCI Express, and
with OVMF no ACPI tables.  Exit status 0: all that was expected was said, 1: it
was not, 2: Bochs could not be run."""

import dataclasses
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

from machine import BUILD, ESCAPES, WITH_US

FIRMWARE = pathlib.Path("/usr/share/ovmf/OVMF.fd")
VGA_BIOS = pathlib.Path("/usr/share/bochs/VGABIOS-lgpl-latest")
SECTOR = 512
HEADS, SECTORS = 16, 63
CYLINDER = HEADS * SECTORS * SECTOR
FIRST_SECTOR = 2048  # of the EFI system partition
FAT32_LEAST = 40 << 20
# After one of these nothing more comes.
LAST_LINE = r"^gangway: (stopped: .*|panic ends: .*|end: .*)$"

CONFIG = """\
config_interface: textconfig
display_library: term
memory: guest=512, host=512
cpu: model={model}, count={cpus}, ips=4000000, reset_on_triple_fault=0, \
ignore_bad_msrs=1
clock: sync=none, time0=utc
romimage: file={firmware}, address={rom:#x}, options=none
vgaromimage: file={vga}
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path={work}/disk.img, mode=flat, \
cylinders={cylinders}, heads={heads}, spt={sectors}
log: {work}/bochs.log
panic: action=fatal
error: action=report
info: action=ignore
port_e9_hack: enabled=0
com1: enabled=1, mode=file, dev={work}/serial
"""

# The processor is told to be slow: time-outs are long enough, and what Linux
# does for security alone is left out.
GANGWAY_CFG = """\
kernel=\\vmlinuz
initrd=\\initramfs
cmdline=console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 panic=-1 \
nokaslr mitigations=off nopti nowatchdog
memory=256M
assign=vf:8086:10c9/0
"""

STARTED = {
    "no ACPI tables": r"^gangway: this firmware has no ACPI tables$",
    "processors by MP services": r"^smp: .*MP services name {cpus}$",
    "processors started": r"^smp: {cpus} CPUs$",
    "no VT-d": r"^vtd: No DMAR table",
    "the kernel's first words": r"^KASLR disabled",
}
RAN = {
    "first user process": r"^PASS first user process: ",
    "CPUID": r"^PASS CPUID: GangwayStat$",
    "an injected event": r"^PASS injected #UD: ",
    "an injected event with an error code": r"^PASS injected #GP: ",
    "an exception of the guest's own": r"^PASS own #PF: ",
    "processors in the guest": r"^PASS processors: {cpus} online, ran on {cpus}$",
    "timer": r"^PASS timer: ",
    "power-off": r"^gangway: guest powered off$",
    "the end": r"^gangway: end: poweroff$",
}
# What Bochs writes to its log when it refuses a VMX instruction or a VM entry
REFUSED = re.compile(r".*(VMENTER FAIL|VMFAIL|VMexit: .*FAIL|VMABORT).*")


@dataclasses.dataclass
class Options:
    """One machine and what it boots."""

    model: str = "corei7_skylake_x"
    # With more than one, only as far as the kernel's first words: an exit for
    # SIPI leaves SMIs blocked in Bochs, and the next VM entry is refused.
    cpus: int = 1
    kernel: pathlib.Path = BUILD / "guest/vmlinuz"
    initrd: pathlib.Path = BUILD / "bochs/initramfs"
    timeout: float = 900


def partition_entry(first, count):
    """An active EFI system partition in an MBR (UEFI 5.2.1)."""
    beyond = b"\xfe\xff\xff"  # CHS cannot say it
    return struct.pack("<B3sB3sII", 0x80, beyond, 0xef, beyond, first, count)


def make_disk(path, files):
    """An MBR disk of whole cylinders with one FAT partition holding @files, a
    dictionary of path on it to path here.  Returns the number of cylinders."""
    size = FIRST_SECTOR * SECTOR + FAT32_LEAST + sum(
        file.stat().st_size for file in files.values())
    cylinders = -(-size // CYLINDER)
    count = cylinders * HEADS * SECTORS - FIRST_SECTOR
    mbr = bytearray(SECTOR)
    mbr[446:462] = partition_entry(FIRST_SECTOR, count)
    mbr[510:512] = b"\x55\xaa"
    with open(path, "wb") as disk:
        disk.write(mbr)
        disk.truncate(cylinders * CYLINDER)
    partition = f"{path}@@{FIRST_SECTOR * SECTOR}"
    environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    commands = [["mformat", "-i", partition, "-F", "-T", str(count), "::"],
                ["mmd", "-i", partition, "::/EFI", "::/EFI/BOOT"]]
    commands += [["mcopy", "-i", partition, file, f"::{name}"]
                 for name, file in files.items()]
    for command in commands:
        subprocess.run(command, check=True, env=environment)
    return cylinders


def prepare(work, options):
    """Everything that Bochs reads, in @work."""
    (work / "gangway.cfg").write_text(GANGWAY_CFG)
    cylinders = make_disk(work / "disk.img", {
        "/EFI/BOOT/BOOTX64.EFI": BUILD / "gangway.efi",
        "/EFI/BOOT/gangway.cfg": work / "gangway.cfg",
        "/vmlinuz": options.kernel, "/initramfs": options.initrd})
    (work / "bochsrc").write_text(CONFIG.format(
        model=options.model, cpus=options.cpus, firmware=FIRMWARE, vga=VGA_BIOS,
        rom=(4 << 30) - FIRMWARE.stat().st_size,  # it ends at 4 GiB
        work=work, cylinders=cylinders, heads=HEADS, sectors=SECTORS))
    (work / "debugger").write_text("c\nq\n")
    (work / "serial").write_text("")


class Bochs:
    """A running Bochs, from power-on until close().  A context manager."""

    def __init__(self, options):
        self.options = options
        self._work = tempfile.TemporaryDirectory(prefix="gangway-")
        self.work = pathlib.Path(self._work.name)
        prepare(self.work, options)
        with open(self.work / "screen", "w") as screen:
            self.process = subprocess.Popen(
                [*WITH_US, "bochs-bin", "-q", "-f", self.work / "bochsrc",
                 "-rc", self.work / "debugger"], stdin=subprocess.DEVNULL,
                stdout=screen, stderr=subprocess.STDOUT,
                env={**os.environ, "TERM": "vt100"})

    @property
    def console(self):
        """All that the serial port said."""
        said = (self.work / "serial").read_bytes().decode("latin-1")
        return ESCAPES.sub("", said.replace("\r", ""))

    @property
    def log(self):
        """What Bochs said for its user."""
        path = self.work / "bochs.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def last_words(self):
        """Why Bochs gave up, or what it said last, in its log or instead of it."""
        said = self.log or (self.work / "screen").read_text(errors="replace")
        lines = [line for line in ESCAPES.sub("", said).splitlines()
                 if line.strip()]
        return [line for line in lines if ">>PANIC<<" in line] or lines[-5:]

    def wait_end(self, echo):
        """Wait until the machine is off or time is up, and give each line to
        @echo as it comes."""
        deadline = time.monotonic() + self.options.timeout
        last = LAST_LINE
        if self.options.cpus > 1:
            last += "|" + STARTED["the kernel's first words"]
        told = 0
        over = False
        while not over:
            over = (self.process.poll() is not None
                    or time.monotonic() > deadline)
            console = self.console
            over |= bool(re.search(last, console, re.M))
            lines = console.split("\n")
            for line in lines[told:-1]:
                echo(line)
            told = len(lines) - 1
            time.sleep(0 if over else 0.2)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._work.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def judge(bochs):
    """What is wrong with a run that ended: a list of sentences."""
    console, options = bochs.console, bochs.options
    expected = STARTED if options.cpus > 1 else STARTED | RAN
    problems = [f"{name}: not said" for name, pattern in expected.items()
                if not re.search(pattern.format(cpus=options.cpus), console,
                                 re.M)]
    problems += re.findall(r"^(?:FAIL .*|gangway: (?:stopped|panic).*)$",
                           console, re.M)
    problems += [f"Bochs refused something of VMX: {line[0]}"
                 for line in REFUSED.finditer(bochs.log)]
    if problems and not console:  # it did not get so far
        problems += [f"Bochs: {line}" for line in bochs.last_words()]
    return problems


def unfit():
    """Why the installed Bochs is no judge of Linux, or None.  3.1 divides by
    zero early in every Linux that was tried, also without Gangway."""
    said = subprocess.run(["bochs-bin", "-n", "-q"], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False).stdout
    version = re.search(rb"Bochs x86 Emulator (\d+)\.(\d+)", said)
    if version and tuple(map(int, version.groups())) >= (3, 1):
        return "Bochs 3.1 divides by zero in Linux, also without Gangway"
    return None


def run(options, echo):
    """Boot, wait for the end, judge."""
    with Bochs(options) as bochs:
        bochs.wait_end(echo)
        return judge(bochs)


def main():
    failed = False
    for options in Options(), Options(cpus=2):
        if options.cpus == 1 and unfit():
            print(f"bochs: 1 CPU: left out: {unfit()}")
            continue
        if len(sys.argv) > 1:
            options.model = sys.argv[1]
        start = time.monotonic()
        try:
            problems = run(options, lambda line: print(line, flush=True))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"bochs: {error}")
            return 2
        for problem in problems:
            print(f"bochs: {problem}")
        print(f"bochs: {options.model}, {options.cpus} CPU: "
              f"{'not passed' if problems else 'passed'}, "
              f"{time.monotonic() - start:.0f} s", flush=True)
        failed |= bool(problems)
    return failed


if __name__ == "__main__":
    sys.exit(main())
