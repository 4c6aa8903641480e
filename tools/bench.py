"""make bench: the same kernel, initramfs, device and work on the same emulated
machine, bare and under Gangway in turns.  For each work the ratio of the
instructions that the whole machine executes, in root operation and in the guest.
The machine's clock goes by instructions, too (-icount), so that a slow host makes
no more timer ticks than a fast one.

    bench.py [PAIRS]        writes the table of docs/performance.md

What a shell's line costs without any work is taken off."""

import json
import re
import socket
import statistics
import sys
import threading

import machine

RESULTS = machine.BUILD / "bench.json"
PAGE = machine.ROOT / "docs/performance.md"
INITRAMFS = machine.BUILD / "bench/initramfs.gz"
DEVICES = "igb,nvme"
DISK = "/dev/nvme0n1"
# Debian's kernel uses the remapping unit where it finds one, which costs it
# instructions that a guest, without one, has not
CMDLINE = "gangway.show=none intel_iommu=off"
NOTHING = "nothing"


def at_once(size, count):
    """Eight readers, each of its own part of the disk: a queue of depth 8."""
    return " & ".join(f"dd if={DISK} of=/dev/null bs={size} count={count} "
                      f"skip={part * count} iflag=direct 2>/dev/null"
                      for part in range(8)) + " & wait"


def one(size, count, way="read"):
    where = (f"if={DISK} of=/dev/null iflag=direct" if way == "read" else
             f"if=/dev/zero of={DISK} oflag=direct")
    return f"dd {where} bs={size} count={count} 2>/dev/null"


WORKS = {
    NOTHING: "true",
    "registers alone": "work loop",
    "system calls": "work system-calls",
    "page faults": "work page-faults",
    "memory, at random": "work memory",
    "fork": "work forks",
    "context switches": "work context-switches",
    "IPIs": "work ipis",
    "timer, 1 ms": "work timers",
    "1000 pings": "ping -q -A -c 1000 10.0.2.2 >/dev/null",
    "32 MiB down": "wget -q -O /dev/null {url}",
    "32 MiB up": "dd if=/dev/zero bs=64k count=512 2>/dev/null | "
                 "nc 10.0.2.2 {sink}",
    "NVMe read 4 KiB": one("4k", 4000),
    "NVMe read 128 KiB": one("128k", 500),
    "NVMe write 4 KiB": one("4k", 4000, "write"),
    "NVMe write 128 KiB": one("128k", 500, "write"),
    "NVMe read 4 KiB, depth 8": at_once("4k", 500),
    "NVMe read 128 KiB, depth 8": at_once("128k", 60),
}
NETWORK = ("i=$(ls /sys/class/net | grep -v lo | head -1); "
           "echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; "
           "ip link set $i up; sleep 3; "
           "udhcpc -n -q -t 10 -T 2 -i $i -s /etc/udhcpc.sh >/dev/null 2>&1; "
           "ping -c 1 -W 5 10.0.2.2 >/dev/null && echo 'network is' up")


class Sink:
    """Takes what is sent to it over TCP, and ends with who sends."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self.server.accept()
            with connection:
                while connection.recv(1 << 20):
                    pass


def options_of(bare):
    """Gangway's machine, or the same one that boots the kernel itself."""
    options = machine.Options(
        smp=2, mem="2G", device=DEVICES, shell=True, cpu="x-count=on",
        timeout=400, qemu_extra="-icount shift=1",
        iommu="x-delay=0",  # Linux does not wait that early
        initrd=str(INITRAMFS), guest_cmdline=CMDLINE)
    if bare:
        options.qemu_extra += (
            f" -kernel {machine.BUILD}/guest/vmlinuz -initrd {INITRAMFS} "
            f"-append '{machine.GUEST_CMDLINE} {CMDLINE}'")
    return options


def instructions(m):
    """All that were executed, root operation and guest, all CPUs."""
    return sum(int(number)
               for cpu in m.qmp("query-cpus-fast")
               for number in re.findall(
                   r"\b(?:root|guest)=(\d+)",
                   m.qmp("qom-get", path=cpu["qom-path"],
                         property="vmx-count")))


def run(m, command):
    """Instructions of a line of the shell."""
    start, before = len(m.console), instructions(m)
    m.send(command + "; echo end of $((1 + 1))\n")
    if not m.wait_for(r"^end of 2$", 240, start):
        raise machine.MachineError(f"{command}: no end")
    return instructions(m) - before


def run_all(bare, sink):
    """{work: instructions} of one boot."""
    with machine.Machine(options_of(bare)) as m:
        if not m.wait_for(machine.SHELL, m.options.timeout):
            raise machine.MachineError(f"no shell: {m.last_line()}")
        run(m, NETWORK)
        if "network is up" not in m.console:
            raise machine.MachineError("the guest has no network")
        results = {name: run(m, command.format(url=m.server.url,
                                               sink=sink.port))
                   for name, command in WORKS.items()}
    nothing = results.pop(NOTHING)
    return {name: count - nothing for name, count in results.items()}


def row(pairs, name):
    """Of the table: work, instructions bare, their ratio's median and range."""
    millions = statistics.median(bare[name] for bare, _ in pairs) / 1e6
    ratios = sorted(under[name] / bare[name] for bare, under in pairs)
    return (f"| {name} | {millions:,.0f} | {statistics.median(ratios):.3f} | "
            f"{ratios[0]:.3f} to {ratios[-1]:.3f} |")


def main():
    wanted, pairs, sink = int((sys.argv[1:] or ["3"])[0]), [], Sink()
    for number in range(wanted):
        # Who is first changes: a host is not the same at both times
        order = (True, False) if number % 2 == 0 else (False, True)
        done = {bare: run_all(bare, sink) for bare in order}
        pairs.append((done[True], done[False]))
        print(f"bench: pair {number + 1} of {wanted}", flush=True)
        for name in pairs[0][0]:
            print(row(pairs[-1:], name), flush=True)
    RESULTS.write_text(json.dumps(pairs, indent=1))
    rows = "".join(row(pairs, name) + "\n" for name in pairs[0][0])
    PAGE.write_text(re.sub(r"(?<=^(?:\|---){4}\|\n)(\|.*\n)*", rows,
                           PAGE.read_text(), count=1, flags=re.M))


if __name__ == "__main__":
    main()
