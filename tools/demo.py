"""The demonstration, judged: what the guest's lines say, and what only the
host can see."""

import dataclasses
import hashlib
import re

from machine import Machine
from qemu import choose_accel

# The lines of guest/initramfs/NAME.sh, all of which must pass
LINES = {
    "demo": ("CPUs online", "VF and driver", "MAC address", "link",
             "DHCP lease", "pings without loss", "32 MiB by HTTP",
             "VF interrupts", "VM exits", "blocked DMA"),
    "nvme": ("NVMe VF and driver", "NVMe disk", "NVMe vectors",
             "NVMe write and read", "NVMe interrupts", "NVMe VM exits",
             "NVMe reset", "NVMe blocked DMA"),
    "rdma": ("RDMA VFs", "TCP between namespaces", "TCP VM exits",
             "RDMA devices", "RDMA write", "RDMA packets", "RDMA interrupts",
             "RDMA VM exits", "RDMA read and write",
             "RDMA read and write VM exits", "RDMA blocked DMA"),
    "devices": (),  # as many as there are devices
}
LINE = re.compile(r"^(PASS|FAIL|SKIP) ([^:\n]+): (.*)$", re.M)
MAC = r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"

PASSED, FAILED, TROUBLE, NO_DEVICE = 0, 1, 2, 3


@dataclasses.dataclass
class Verdict:
    """How a run ended: an exit status, and why it is not 0."""

    status: int
    problems: list


def check_mac(lines, log):
    """The guest's MAC address is the one that the PF's log line names."""
    given = re.search(rf"igb: .*\bVF 0\b.*\bMAC ({MAC})", log)
    if not given:
        return "the log does not say which MAC address the PF gave"
    if given[1] not in lines["MAC address"]:
        return (f"the PF gave MAC {given[1]}, the guest has "
                f"{lines['MAC address']}")
    return None


def check_fault(line, log):
    """The write that the guest tried to make, by @line, is decoded in the
    log."""
    target = re.search(r"write to 0x([0-9a-f]+) refused", line)
    if not target:
        return "the guest's blocked DMA line names no address"
    for line in re.findall(r"^.*vtd-fault.*$", log, re.M):
        address = re.search(r"\baddress=0x([0-9a-f]+)", line)
        if (address and int(address[1], 16) >> 12 == int(target[1], 16) >> 12
                and "access=write" in line):
            return None
    return f"the log has no vtd-fault line for a write to 0x{target[1]}"


def check_drive(lines, image):
    """What the guest says it wrote stands in the drive's image."""
    said = re.match(r"(\d+) bytes, SHA-256 ([0-9a-f]+)",
                    lines["NVMe write and read"])
    with open(image, "rb") as file:
        there = hashlib.sha256(file.read(int(said[1]))).hexdigest()
    if there != said[2]:
        return f"the guest wrote {said[2]}, the drive holds {there}"
    return None


def check_mailbox_reads(machine):
    """Only under KVM a VF's mailbox page cannot be mapped to be read.  The
    counters at the end have all reads, also those outside of the traffic."""
    accel, _ = choose_accel(machine.options.accel)
    if accel != "kvm" and "PF mailbox page read" in machine.log:
        return "reads of a VF's mailbox page exit, and need not"
    return None


def check_guest_errors(errors):
    """No VM entry failed a check, no VMX instruction was refused, and VT-d and
    PCI functions were used as hardware wants it."""
    refused = [line for line in errors.splitlines()
               if line.startswith(("vmx:", "vtd:", "pci:"))]
    if refused:
        return f"the emulator complains: {refused[0]}"
    return None


def problems_of_devices(machine):
    """What failed of devices.sh, or that it did not come to its end."""
    failed = [f"{name}: {value}" for word, name, value
              in LINE.findall(machine.console) if word == "FAIL"]
    if not failed and not re.search(r"^DEMO: [1-9]\d* passed, 0 failed$",
                                    machine.console, re.M):
        failed = ["the guest did not show its devices to the end"]
    return failed


def problems_of(machine):
    """What is wrong with a run that ended: a list of sentences."""
    found = {name: (word, value)
             for word, name, value in LINE.findall(machine.console)}
    shows = machine.options.shows
    problems = [f"{name}: {found[name][1] if name in found else 'no line'}"
                for show in shows for name in LINES[show]
                if found.get(name, ("", ""))[0] != "PASS"]
    if not problems:
        lines = {name: value for name, (_, value) in found.items()}
        if "demo" in shows:
            problems += [check_mac(lines, machine.log),
                         check_fault(lines["blocked DMA"], machine.log)]
        if "nvme" in shows:
            problems += [check_drive(lines, machine.work / "nvme.img"),
                         check_fault(lines["NVMe blocked DMA"], machine.log)]
        if "rdma" in shows:
            problems.append(check_fault(lines["RDMA blocked DMA"], machine.log))
        if "devices" in shows:
            problems += problems_of_devices(machine)
    if not re.search(r"gangway: guest powered off", machine.log):
        problems.append("the hypervisor did not say that the guest powered off")
    problems += [check_mailbox_reads(machine),
                 check_guest_errors(machine.guest_errors)]
    return list(filter(None, problems))


def judge(machine, ended):
    """The verdict on @machine; @ended: not by time running out."""
    if not ended:
        return Verdict(TROUBLE, [
            f"nothing more for {machine.options.timeout:g} s in all; the last "
            f"line was: {machine.last_line()}"])
    stopped = re.search(r"gangway: (stopped:|panic).*", machine.log)
    if stopped:
        return Verdict(FAILED, [stopped[0].strip()])
    if not machine.console.strip():
        return Verdict(TROUBLE, ["QEMU ended at once: "
                                 + machine.qemu_messages.strip()])
    if "No DMAR table" in machine.log:
        refused = check_guest_errors(machine.guest_errors)
        return Verdict(NO_DEVICE, ["the guest ran without its device: this "
                                   "machine has no VT-d"]
                       + ([refused] if refused else []))
    problems = problems_of(machine)
    return Verdict(FAILED if problems else PASSED, problems)


def demonstrate(options, echo=None):
    """Boot a machine, wait for its end, judge."""
    with Machine(options, echo) as machine:
        ended = machine.wait_end(options.timeout)
        return judge(machine, ended)
