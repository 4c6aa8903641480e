"""The machines of the course's labs: booted, told what to do, and kept.

A run is kept in build/runs/ under the state of the sources that it booted, so
that answers are compared with the very run that the student has read, and labs
with the same machine share it."""

import collections
import dataclasses
import hashlib
import inspect
import json
import os
import pathlib
import re
import shlex
import shutil
import sys
import time

import machine

sys.path.append(str(machine.ROOT / "tests/vm"))
import commander  # noqa: E402
import outside  # noqa: E402

RUNS = machine.BUILD / "runs"
# What the machine is made of, beside the product's folders
PARTS = ("Makefile", "linker.ld", "tools/machine.py", "tools/devices.py",
         "tools/lab_runs.py", "tests/vm/commander.py")
PART_FOLDERS = ("guest", "tests/attack/kernel")
END = r"^gangway: end: .*\n"
STARTED = re.compile(r"^Gangway \d", re.M)


class Trouble(Exception):
    """The run has no result: says why, and what to do."""


@dataclasses.dataclass
class Run:
    """What a machine left."""

    folder: object
    console: str
    facts: dict

    def line(self, pattern):
        """The first line of the console that matches, or an empty one."""
        found = re.search(rf"^.*{pattern}.*$", self.console, re.M)
        return found[0] if found else ""

    def match(self, pattern):
        """The groups of the first match; Trouble if there is none."""
        found = re.search(pattern, self.console, re.M)
        if not found:
            raise Trouble(f"the log has no line like: {pattern}")
        return found.groups()

    def number(self, pattern):
        """A hexadecimal number of the log."""
        return int(self.match(pattern)[0], 16)

    @property
    def wire(self):
        """The Ethernet frames that left or reached the card."""
        return outside.frames(self.folder / "wire-n0")


def fault(line):
    """The key=value pairs of a vtd-fault line."""
    return dict(pair.split("=", 1) for pair in line.split() if "=" in pair)


# --- waiting, with the reason when it is in vain


def stat_of(path):
    """The fields behind the name (proc(5)): the state first."""
    return (path / "stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid):
    fields = stat_of(pathlib.Path(f"/proc/{pid}"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asleep(pid):
    """None of the threads would run if the host let it."""
    try:
        return all(stat_of(thread)[0] == "S" for thread in
                   pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # one that has just ended
        return False


class Patience:
    """Notices that a machine says nothing more.  While it works its own
    processor time counts, because a busy host gives it less; while it sleeps,
    all time.  Processors that have halted with interrupts off need less
    patience, because nothing but an NMI wakes these."""

    def __init__(self, m, quiet):
        self.m, self.quiet, self.size = m, quiet, -1
        self.silent = self.cpu = self.at = 0.0

    def hangs(self):
        pid, now = self.m.qemu.pid, time.monotonic()
        cpu = cpu_seconds(pid)
        if len(self.m.seen) != self.size:
            self.size, self.silent = len(self.m.seen), 0.0
        else:
            self.silent += now - self.at if asleep(pid) else cpu - self.cpu
        self.cpu, self.at = cpu, now
        limit = self.quiet if STARTED.search(self.m.console) else 60
        return self.silent > limit or self.silent > 8 and self.halted()

    def halted(self):
        try:
            said = self.m.hmp("info registers -a")
        except OSError:  # no answer in time: the host is busy
            return False
        flags = [int(word, 16) for word in re.findall(r"RFL=([0-9a-f]+)", said)]
        return (set(re.findall(r"\bHLT=(\d)", said)) == {"1"} and
                not any(flag & 0x200 for flag in flags))


def other_emulator():
    """What to suspect first, where QEMU= is set."""
    return (f" (QEMU={os.environ['QEMU']} is used, not the emulator of "
            "tools/qemu-vmx/)" if os.environ.get("QEMU") else "")


def stopped(m):
    """Why nothing more will come, or an empty text."""
    last = machine.LAST_LINE.search(m.log)
    if last:
        before = m.log[:last.start()].splitlines()[-1:]
        line = m.log[last.start():].splitlines()[0]
        return ("Gangway ended: " + " / ".join([*before, line])
                + other_emulator())
    if not m.alive():
        said = m.qemu_messages.strip() or m.last_line()
        return (f"the emulator ended with status {m.qemu.poll()}: {said}"
                + other_emulator())
    return ""


def wait(m, pattern, quiet=10, start=0):
    """Wait for a line; Trouble, within seconds, when it cannot come any more."""
    patience = Patience(m, quiet)
    while not (found := m.wait_for(pattern, 1, start)):
        why = stopped(m)
        found = why and m.wait_for(pattern, 0, start)
        if found:
            break
        if why:
            raise Trouble(why)
        if patience.hangs():
            raise Trouble("the machine hangs; its last line was: "
                          + m.last_line())
    return found


# --- the experiments: each takes a machine and returns facts


def attack_options(**settings):
    return commander.options("commands", **settings)


def nonzero(m, table):
    """The entries of a table of 512 that are not 0, by index."""
    return {index: entry for index, entry in
            enumerate(outside.xp(m, table, 512)) if entry}


def path(m, table, address):
    """An independent reader of a second-level table of four levels: the entries
    on the way, and how many bits of the address each leaves."""
    for shift in (39, 30, 21, 12):
        entry = outside.xp(m, table + 8 * (address >> shift & 511), 1)[0]
        yield shift, entry
        if not entry & 3 or entry & 0x80:
            return
        table = entry & 0x000ffffffffff000


def walk(m, table, address):
    """Where the address leads, or None."""
    *_, (shift, entry) = path(m, table, address)
    if not entry & 3:
        return None
    low = (1 << shift) - 1
    return (entry & 0x000ffffffffff000 & ~low) | (address & low)


# What the attack kernel says of a command that means nothing
NOT_KNOWN = "did: not know this"


class Device:
    """The attack kernel, and the acts of its VF that are to be judged."""

    def __init__(self, m):
        wait(m, r"^attack kernel: ready$")
        self.m, self.d, self.acts = m, commander.Commander(m), []

    def layout(self):
        names = ("ram", "root", "irt", "queue", "contexts", "table", "image",
                 "image_end", "host_tables", "pf", "bar3")
        return {name: getattr(self.d, name) for name in names}

    def tables(self):
        """The second-level tables of the VF, by their address."""
        found, todo = {}, [self.d.table]
        for level in (4, 3, 2):
            below = []
            for table in todo:
                found[f"{table:#x}"] = {"level": level,
                                        "entries": nonzero(self.m, table)}
                below += [entry & 0x000ffffffffff000 for entry in
                          found[f"{table:#x}"]["entries"].values()
                          if entry & 3 and not entry & 0x80]
            todo = below
        return found

    def act(self, name, command):
        """What is said to a command, and to one more that means nothing: by
        then the faults of the first are in the log."""
        start = len(self.m.console)
        self.m.notes.append((start, f"> {command}"))
        if self.m.echo:
            self.m.echo(f"> {command}")
        for line in (command, "and now"):
            done = len(self.m.console)
            self.m.send(line + "\n")
            wait(self.m, r"^did: .*\n", 10, done)
        said = self.m.console[start:]
        self.acts.append({
            "name": name, "command": command,
            "did": re.search(r"^did: (.*)$", said, re.M)[1],
            "faults": re.findall(r"^vtd-fault: .*$", said, re.M)})
        return self.acts[-1]

    def write(self, name, address, value, where=None):
        """The VF writes; the word at host address @where before and after."""
        before = outside.words(self.m, where, 1)[0] if where else None
        act = self.act(name, f"write {address:x} {value:x}")
        act["before"] = before
        act["after"] = outside.words(self.m, where, 1)[0] if where else None
        return act


def blocked_acts(device):
    """Lab 2: addresses that differ in where the walk ends."""
    end = device.d.ram[0] + 1
    device.write("beyond", end + (1 << 20), 0x5a)
    device.act("beyond_read", f"read {end + (1 << 20):x}")
    device.write("image", device.d.image + 0x2000, 0x5a,
                 device.d.image + 0x2000)
    device.write("eight_gib", 8 << 30, 0x5a)
    device.write("one_tib", 1 << 40, 0x5a)
    device.write("too_wide", 1 << 52, 0x5a)
    device.write("last_word", device.d.ram[0] - 3, 0x5a,
                 walk(device.m, device.d.table, device.d.ram[0] - 3))


# Lab 3: below RAM's end, and one that is not mapped
TRANSLATED = (0x300000, 0x1234560, 0x3ffffffc, 0x40000000, 0x5a5a5a50,
              0xc0000000)


def translated_acts(device):
    for number, address in enumerate(TRANSLATED, 1):
        where = walk(device.m, device.d.table, address)
        device.write(f"address_{number}", address, 0x60 + number,
                     where)["where"] = where


# Entries that the interrupt remapping table has room for
IRT_ENTRIES = 1024


def interrupt_entries(device):
    """The entries of the interrupt remapping table that are in use."""
    words = outside.xp(device.m, device.d.irt, 2 * IRT_ENTRIES)
    return {index: [words[2 * index + 1], words[2 * index]]
            for index in range(IRT_ENTRIES)
            if words[2 * index] or words[2 * index + 1]}


def remappable(index):
    """The address of a message in remappable format (VT-d 5.1.2.2)."""
    return 0xfee00010 | (index & 0x7fff) << 5 | index >> 15 << 2


def interrupt_acts(device):
    """Lab 8: messages that the VF forges.  Returns the entries then."""
    device.act("route", "route 60")
    entries = interrupt_entries(device)
    others = [index for index, (high, _) in entries.items()
              if high & 0xffff != 0x180]
    device.act("compatibility", "write fee00000 62")
    if others:
        device.act("of_another", f"write {remappable(others[0]):x} 1")
    device.act("not_present", f"write {remappable(200):x} 1")
    device.act("beyond_table", f"write {remappable(IRT_ENTRIES):x} 1")
    return entries


def attack(m):
    """Labs 2, 3, 4 and 8: one boot."""
    device = Device(m)
    blocked_acts(device)
    translated_acts(device)
    facts = {"layout": device.layout(), "tables": device.tables(),
             "context": outside.xp(m, device.d.contexts + 16 * 0x80, 2)}
    facts["entries"] = interrupt_acts(device)
    return facts | {"acts": {act["name"]: act for act in device.acts}}


def weakened(m, victim, offset):
    """Lab 1: no translation; the VF's own memory is at @offset.  Without a
    victim the machine is only looked at."""
    device = Device(m)
    if victim is None:
        return {}
    before = outside.words(m, victim, 16)
    device.act("offset", f"offset {offset:x}")
    return {"before": before,
            "read": device.act("read", f"read {victim:x}"),
            "write": device.write("write", victim, 0x5a, victim)}


def until(pattern, quiet=10):
    """A machine that is looked at no further than a line of its log."""
    def experiment(m):
        wait(m, pattern, quiet)
        return {}
    return experiment


# --- what a machine's devices are asked, by the emulator's own trace


def shell(m, command):
    """Let the guest's shell do a command."""
    start = len(m.seen)
    m.send(command + "\n")
    wait(m, machine.SHELL, 60, start)


def trace(m, *events):
    """From now on @events of QEMU's are in m.guest_errors."""
    m.hmp("log guest_errors," + ",".join(f"trace:{name}" for name in events))


def traffic_of(m, network, start=0, frames=0):
    """How many frames there were on a network, apart from the first @frames,
    and how many accesses to each group of registers, from offset @start of the
    trace on."""
    names = re.findall(r"^memory_region_ops_\w+ .* name '(.*)'$",
                       m.guest_errors[start:], re.M)
    return {"frames": len(outside.frames(m.wires[network])) - frames,
            "accesses": collections.Counter(names)}


ACCESSES = ("memory_region_ops_read", "memory_region_ops_write")


def demonstration(m):
    """Labs 0, 7 and 11: from the guest's first instruction on, the accesses."""
    wait(m, r"^gangway: first instruction of the guest")
    trace(m, *ACCESSES)
    wait(m, END, 60)
    return {"vf": traffic_of(m, "n0")}


# Lab 11: the cards of Linux alone, by their driver, and their networks
ROWS = {"e1000e": "n2", "virtio_net": "n3", "igbvf": "n0"}


def rows_options():
    """No Gangway: firmware starts Linux."""
    guest = machine.BUILD / "guest"
    return machine.Options(iommu="none", qemu_extra=shlex.join([
        "-netdev", "user,id=n2", "-device", "e1000e,netdev=n2,romfile=",
        "-netdev", "user,id=n3", "-device",
        "virtio-net-pci,netdev=n3,romfile=,ioeventfd=off",
        "-kernel", str(guest / "vmlinuz"),
        "-initrd", str(machine.BUILD / "course/initramfs.gz"),
        "-append", f"{machine.GUEST_CMDLINE} gangway.show=row"]) + " ")


def rows(m):
    """200 pings and 32 MiB by HTTP (guest/initramfs/traffic.sh) for each."""
    wait(m, machine.SHELL, 60)
    trace(m, *ACCESSES)
    facts = {}
    for driver, network in ROWS.items():
        shell(m, f"/etc/row.sh up {driver}")
        start = len(m.guest_errors)
        frames = len(outside.frames(m.wires[network]))
        shell(m, f"/etc/traffic.sh 10.0.2.2 {m.server.url}")
        facts[driver] = traffic_of(m, network, start, frames)
        shell(m, f"/etc/row.sh down {driver}")
    return facts


HIGH_RAM = 4 << 30  # where the guest's upper piece of RAM begins


def leaves(m):
    """Lab 12: a drive reads 32 MiB into as many pages."""
    wait(m, machine.SHELL, 60)
    trace(m, "vtd_iotlb_page_update")
    shell(m, "dd if=/dev/nvme0n1 of=/dev/null bs=32M count=1 iflag=direct")
    fills = m.guest_errors.count("vtd_iotlb_page_update")
    # The drive is 02:00.0: the first entry of its bus's table
    contexts = outside.root_table(m)[2] & ~0xfff
    table = outside.xp(m, contexts, 1)[0] & ~0xfff
    reads = len([*path(m, table, HIGH_RAM)])
    m.send("poweroff -f\n")
    wait(m, END, 60)
    return {"fills": fills, "reads": reads}


# Lab 13: behind ports of their own a card, a network card behind a port without
# ACS, a switch with two below it, two functions of one device, an old bus
BEHIND_PORTS = """
    -device pcie-root-port,id=rp2,addr=2,slot=2,chassis=2,disable-acs=on
    -device e1000e,bus=rp2,romfile=
    -device pcie-root-port,id=rp3,addr=3,slot=3,chassis=3
    -device x3130-upstream,bus=rp3,id=up
    -device xio3130-downstream,bus=up,id=down0,slot=10,chassis=10
    -device xio3130-downstream,bus=up,id=down1,slot=11,chassis=11
    -device nvme,serial=1,bus=down0
    -device e1000e,bus=down1,romfile=
    -device pcie-root-port,id=rp4,addr=4,slot=4,chassis=4
    -device e1000e,bus=rp4,addr=0.0,multifunction=on,romfile=
    -device qemu-xhci,bus=rp4,addr=0.1
    -device pcie-root-port,id=rp5,addr=5,slot=5,chassis=5
    -device pcie-pci-bridge,bus=rp5,id=old
    -device e1000,bus=old,addr=1,romfile=
    -device e1000,bus=old,addr=2,romfile= """
OPEN_PORTS = " ".join(f"-set device.{port}.disable-acs=on" for port in
                      ("rp1", "rp3"))


def only_check(more=""):
    """The list of functions, and no guest."""
    return lambda: machine.Options(settings={"mode": "check"}, qemu_extra=" "
                                   .join(BEHIND_PORTS.split()) + f" {more} ")


def whole_options(assign="none"):
    """Lab 6: QEMU's edu, given as the student says."""
    return machine.Options(device="edu", settings={"assign": assign})


ALL_VFS = ",".join(f"vf:8086:10c9/{n}" for n in range(8))

# name: (options, experiment)
MACHINES = {
    "attack": (attack_options, attack),
    "weakened": (lambda: attack_options(weaken="dma-isolation"), weakened),
    "demo": (machine.Options, demonstration),
    "rows": (rows_options, rows),
    "leaves": (lambda: machine.Options(device="nvme", mem="6G", shell=True),
               leaves),
    "whole": (whole_options, until(END, 60)),
    "rdma": (lambda: machine.Options(show="rdma"), until(END, 60)),
    "no-iommu": (lambda: machine.Options(show="rdma", iommu="none"),
                 until(END, 60)),
    "groups": (only_check(), until(r"^gangway: ready$")),
    "open-groups": (only_check(OPEN_PORTS), until(r"^gangway: ready$")),
    "vfs": (lambda: attack_options(assign=ALL_VFS),
            until(r"^attack kernel: ready$")),
}


# Whose frames on the wire are kept, and of which networks; of each the start
WIRED = {"weakened": ["n0"], "rdma": ["n0"], "demo": ["n0"],
         "rows": [*ROWS.values()]}
KEPT_BYTES = 256
KEPT = 30  # runs


# --- keeping runs


def parts_of(tree):
    """The files that a machine of @tree is made of."""
    folders = (*os.environ["HV_DIRS"].split(), *PART_FOLDERS)  # of the Makefile
    files = [tree / name for name in PARTS]
    for folder in folders:
        files += [file for file in sorted((tree / folder).glob("**/*"))
                  if file.suffix in (".c", ".h", ".asm", ".asl", ".sh", ".inc",
                                     "") and file.is_file()]
    return [file for file in dict.fromkeys(files) if file.is_file()]


def state_of(tree):
    digest = hashlib.sha256()
    for file in parts_of(tree):
        digest.update(f"{file.relative_to(tree)}\n".encode())
        digest.update(file.read_bytes())
    digest.update((machine.ROOT / "course/11/row.sh").read_bytes())
    return digest.hexdigest()[:12]


def with_notes(m):
    """The console, with what was typed where it was."""
    text, last = "", 0
    for at, note in m.notes:
        text += m.console[last:at] + note + "\n"
        last = at
    return (text + m.console[last:]).replace(NOT_KNOWN + "\n", "")


def boot(name, tree, folder, echo, **parameters):
    """Boot, do the experiment, keep what it left in @folder."""
    folder.mkdir(parents=True, exist_ok=True)
    wires = {network: folder / f"wire-{network}"
             for network in WIRED.get(name, ())}
    make_options, experiment = MACHINES[name]
    configured = inspect.signature(make_options).parameters
    options = make_options(**{key: parameters.pop(key) for key in configured
                              if key in parameters})
    options.efi = str(tree / "build/gangway.efi")
    for network, wire in wires.items():
        options.qemu_extra += shlex.join([
            "-object", f"filter-dump,id=wire-{network},netdev={network},"
            f"file={wire},maxlen={KEPT_BYTES}"]) + " "
    try:
        with machine.Machine(options, echo) as m:
            m.wires, m.notes = wires, []
            try:
                facts = experiment(m, **parameters)
            except (AssertionError, TypeError, OSError,
                    machine.MachineError) as error:
                raise Trouble(stopped(m) or "the machine did not do what the "
                              f"experiment asks: {error}") from error
            finally:
                (folder / "console.txt").write_text(with_notes(m))
    except machine.MachineError as error:
        raise Trouble(str(error)) from error
    (folder / "facts.json").write_text(json.dumps(facts, indent=1))


def prune():
    """Forget the oldest runs."""
    runs = sorted(RUNS.glob("*"), key=lambda folder: folder.stat().st_mtime)
    for folder in runs[:-KEPT]:
        shutil.rmtree(folder)


def get(name, tree, echo=None, **parameters):
    """The run of machine @name with the sources of @tree: the one that is kept,
    or a new one."""
    what = hashlib.sha256(repr(sorted(parameters.items())).encode())
    folder = RUNS / f"{name}-{state_of(tree)}-{what.hexdigest()[:6]}"
    if not (folder / "facts.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        prune()
        boot(name, tree, folder, echo, **parameters)
    return Run(folder, (folder / "console.txt").read_text(),
               json.loads((folder / "facts.json").read_text()))
