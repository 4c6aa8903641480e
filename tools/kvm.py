"""make test-kvm: Gangway under KVM's nested VMX, three levels deep.

Our emulator runs a Linux that has KVM (tests/kvm/), in which our QEMU, with the
command line that make run has on an Intel host, runs Gangway, whose guest runs
the demonstration.  SMP, MEM, SHOW, DEVICE, IOMMU, ... are as with make run; SHOW
is demo,nvme if it is not given.

Last line: N passed, N failed.  Passed are lines of the demonstration, failed is
what is wrong with the run."""

import gzip
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

import demo
import machine

SCRIPT = machine.ROOT / "tests/kvm/initramfs.sh"
KERNEL = machine.BUILD / "guest/kernel"
# What KVM machines with an APIC want, and DEVICE=display
ROMS = ["/usr/share/qemu/kvmvapic.bin",
        "/usr/share/seabios/vgabios-bochs-display.bin"]
# For QEMU, its machine's memory, the disks' cache
MEM_GIB = 5
URL = "http://10.0.2.2:8080/payload"
CMDLINE = machine.GUEST_CMDLINE + " mitigations=off"
TIMEOUT = 2400


class Nested(machine.Machine):
    """A machine in a machine.  `options` are the inner one's, and `console` is
    its, after what Linux says before it.

    The inner machine's files are at the paths that they have here.  Its disks
    are disks of the outer one, so that the images here hold what was written.
    """

    LAST_WORDS = 120  # Linux writes them, and powers off

    @property
    def guest_errors(self):
        """Without what KVM does on purpose: it marks where a virtual device is
        by an EPT entry that no processor takes.  It and Linux try MSRs, and
        expect the fault."""
        return "".join(line for line in super().guest_errors.splitlines(True)
                       if not line.startswith(("vmx: EPT misconfiguration",
                                               "vmx: RDMSR", "vmx: WRMSR")))

    def _prepare(self):
        self.server.url = URL
        super()._prepare()

    def _command(self, console):
        inner = machine.qemu_command(self.options, self.work,
                                     ["-serial", "stdio"])
        images = sorted(self.work.glob("*.img"))
        self._make_initramfs(inner, images)
        outer = machine.Options(accel="tcg", smp=max(2, self.options.smp))
        drives = [argument for image in images for argument in
                  ("-drive", f"if=virtio,format=raw,file={image}")]
        return [inner[0], "-L", "/usr/share/seabios", "-L", "/usr/share/qemu",
                "-nodefaults", "-display", "none", "-no-reboot",
                *machine.cpu_arguments(outer), "-smp", str(outer.smp),
                "-m", f"{MEM_GIB}G", "-kernel", machine.BUILD / "guest/vmlinuz",
                "-initrd", self.work / "initramfs.gz", "-append", CMDLINE,
                *drives, *console,
                "-d", "guest_errors", "-D", self.work / "guest-errors.log"]

    def _make_initramfs(self, inner, images):
        """Linux with KVM and QEMU, followed by what the HTTP server gives and
        the script that starts the inner machine."""
        initramfs = self.work / "initramfs.gz"
        subprocess.run([SCRIPT, KERNEL, initramfs, inner[0], machine.FIRMWARE,
                        machine.VARIABLES_OF_FIRMWARE, *ROMS], check=True)
        root = self.work / "root"
        root.mkdir()
        (root / "payload").write_bytes(self.server.payload)
        lines = [f"mkdir -p {self.work}"]
        lines += [f"ln -s /dev/vd{letter} {image}"
                  for letter, image in zip("abcdefgh", images)]
        lines += [f"cp {machine.VARIABLES_OF_FIRMWARE} {self.work}/vars.fd",
                  "exec " + shlex.join(map(str, [
                      pathlib.Path(inner[0]).name, *inner[1:]]))]
        (root / "start").write_text("\n".join(lines) + "\n")
        archive = subprocess.run(
            ["cpio", "--quiet", "-R", "0:0", "-H", "newc", "-o"], cwd=root,
            input=b"payload\nstart\n", stdout=subprocess.PIPE,
            check=True).stdout
        with open(initramfs, "ab") as file:
            file.write(gzip.compress(archive, 1))


def options_from_environment():
    """As make run's, for the inner machine."""
    if not os.environ.get("SHOW"):
        os.environ["SHOW"] = "demo,nvme"
    os.environ.pop("QEMU", None)  # no other one has VMX without KVM
    options = machine.Options.from_environment()
    if options.log:
        raise machine.MachineError("LOG= would be a file of the machine in the "
                                   "machine; the log is on the console")
    options.accel, options.timeout = "kvm", TIMEOUT
    return options


def check_memory():
    """Without it the host would swap for an hour before anything fails."""
    meminfo = pathlib.Path("/proc/meminfo").read_text()
    available = int(re.search(r"^MemAvailable: +(\d+) kB", meminfo, re.M)[1])
    if available < MEM_GIB << 20:
        raise machine.MachineError(f"this needs {MEM_GIB} GiB of memory, and "
                                   f"{available >> 10} MiB are available")


def run(options):
    """Boot, wait for the end, judge.  Returns (passed, failed)."""
    start = time.monotonic()
    with Nested(options, lambda line: print(line, flush=True)) as nested:
        ended = nested.wait_end(options.timeout)
        verdict = demo.judge(nested, ended)
        words = [word for word, *_ in demo.LINE.findall(nested.console)]
        if not ended or nested.qemu_messages:
            print(nested.qemu_messages)
    for problem in verdict.problems:
        print(f"kvm: {problem}")
    print(f"kvm: SHOW={options.show} SMP={options.smp}: "
          f"{time.monotonic() - start:.0f} s")
    return words.count("PASS"), len(verdict.problems)


def main():
    try:
        check_memory()
        passed, failed = run(options_from_environment())
    except (machine.MachineError, subprocess.CalledProcessError) as error:
        print(f"kvm: {error}")
        passed, failed = 0, 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed != 0 or passed == 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
