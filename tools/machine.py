"""The emulated machine that Gangway boots on: its disk, its QEMU command line,
its console.  Used by run.py, soak.py and the whole-machine tests."""

import dataclasses
import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import devices
from qemu import choose_accel

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
FIRMWARE = pathlib.Path(os.environ.get("OVMF")
                        or "/usr/share/OVMF/OVMF_CODE_4M.fd")
# The file beside it with its variables
VARIABLES_OF_FIRMWARE = FIRMWARE.with_name(
    FIRMWARE.name.replace("CODE", "VARS"))
PF_MAC = "52:54:00:aa:bb:01"
PAYLOAD_SIZE = 32 << 20
GUEST_CMDLINE = "console=ttyS0,115200 quiet loglevel=4 panic=-1"

# What a run can show (guest/initramfs/NAME.sh), and the functions it is about;
# devices: those of DEVICE=
SHOWS = {"demo": "vf:8086:10c9/0", "nvme": "vf:1b36:0010/0",
         "rdma": "vf:8086:10c9/0,vf:8086:10c9/1", "devices": ""}
NVME_SIZE = 64 << 20
NVME_VFS = {"sriov_max_vfs": 1, "sriov_vq_flexible": 2, "sriov_vi_flexible": 2,
            "max_ioqpairs": 4, "msix_qsize": 5}
NVME_ISOLATION = {"isolated-vfs": "on", "nssr": "on"}
NVME_VFS |= NVME_ISOLATION

# After one of these lines nothing more comes from the hypervisor.
LAST_LINE = re.compile(r"gangway: (stopped:|panic|end:)", re.M)
# What terminals obey and people should not see (ECMA-48 control sequences)
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[@-Z\\-_=>])|[\x00\x07\x0e\x0f]")


class MachineError(Exception):
    """The machine could not be built or started; says what to do."""


@dataclasses.dataclass
class Options:
    """The variables of `make run`, and what the tests vary beside them."""

    smp: int = 2
    mem: str = "2G"
    accel: str = "auto"
    iommu: str = ""  # properties of intel-iommu, or "none"
    show: str = "demo"  # demonstrations, of SHOWS, separated by commas
    cpu: str = ""
    qemu_extra: str = ""
    guest_cmdline: str = ""
    config: str = ""  # a gangway.cfg, used as it is
    log: str = ""  # file for the hypervisor's log; empty: the console
    timeout: float = 240
    usb: str = ""  # image to boot as a USB disk
    untouched: bool = False  # that image as it lies
    shell: bool = False  # a shell after the demonstration
    reboot: bool = False  # let a reset boot the machine again
    settings: dict = dataclasses.field(default_factory=dict)  # of gangway.cfg;
                                                              # None: no such line
    efi: str = ""  # another hypervisor
    complaints: bool = False  # the emulator has reason to complain
    kernel: str = ""  # another guest kernel
    initrd: str = ""  # another initramfs.gz
    device: str = ""  # what the guest has instead of a VF: tools/devices.py
    devices: list = dataclasses.field(default_factory=list)  # more for QEMU
    namespace: str = "shared=on"  # properties of the NVMe drive's namespace
    nvme: dict = dataclasses.field(  # properties of the NVMe drive
        default_factory=lambda: dict(NVME_VFS))

    def __post_init__(self):
        unknown = [name for name in self.device_names
                   if name not in devices.KINDS]
        if unknown:
            raise MachineError(f"DEVICE={unknown[0]}: expected one or more of "
                               + ", ".join(devices.KINDS))
        if self.device:
            self.show = "devices"

    @property
    def device_names(self):
        return list(filter(None, self.device.split(",")))

    @classmethod
    def from_environment(cls):
        """Options from SMP, MEM, ...; unset or empty variables: the defaults."""
        given = {}
        for field in dataclasses.fields(cls):
            value = os.environ.get(field.name.upper(), "")
            if field.type in (int, float, str) and value:
                try:
                    given[field.name] = field.type(value)
                except ValueError:
                    raise MachineError(f"{field.name.upper()}={value}: expected "
                                       "a number") from None
        return cls(**{name: given[name] for name in given if name in VARIABLES})


    @property
    def shows(self):
        """The demonstrations, as a list."""
        shows = self.show.split(",")
        for show in shows:
            if show not in SHOWS:
                raise MachineError(f"SHOW={show}: expected {', '.join(SHOWS)}")
        return shows

    @property
    def functions(self):
        """What the guest is given for what is shown: entries of assign=, each
        once."""
        entries = ",".join([devices.assign(self.device_names),
                            *(SHOWS[show] for show in self.shows)])
        return list(dict.fromkeys(filter(None, entries.split(","))))

    @property
    def initramfs(self):
        """The file that the guest boots with."""
        if self.initrd:
            return pathlib.Path(self.initrd)
        name = "initramfs-rdma.gz" if "rdma" in self.shows else "initramfs.gz"
        return BUILD / "guest" / name


VARIABLES = ("smp", "mem", "accel", "iommu", "cpu", "qemu_extra", "show",
             "guest_cmdline", "config", "log", "timeout", "device")


def merge_properties(base, extra):
    """"a=1,b=2" and "b=3" give "a=1,b=3": QEMU refuses some doubled ones."""
    merged = dict(item.partition("=")[::2] for item in base.split(","))
    for item in filter(None, extra.split(",")):
        key, _, value = item.partition("=")
        merged[key] = value
    return ",".join(f"{key}={value}" if value else key
                    for key, value in merged.items())


def emulator():
    """The path of our QEMU, built if need be."""
    run = subprocess.run([ROOT / "tools/setup.sh", "emulator-path"],
                         stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise MachineError("the emulator cannot be built")
    return run.stdout.strip()


@functools.cache
def knows(device, name):
    """Has this emulator's @device the property @name?"""
    run = subprocess.run([emulator(), "-device", f"{device},help"], check=True,
                         stdout=subprocess.PIPE, text=True)
    return f"{name}=" in run.stdout


def knows_isolation():
    """Has it NVMe drives whose VFs keep to themselves?  Others', and their VFs
    reach beyond themselves."""
    return knows("nvme", "isolated-vfs")


def unit_properties(options):
    """Of the remapping unit.  Where a processor writes its caches back itself,
    by KVM, our emulator cannot see it."""
    given = "intel-iommu,intremap=on,eim=on"
    if choose_accel(options.accel)[0] == "kvm" and \
            knows("intel-iommu", "x-coherent"):
        given += ",x-coherent=on"
    return merge_properties(given, options.iommu)


class PayloadServer:
    """An HTTP server on the loopback that gives 32 MiB of random bytes."""

    def __init__(self):
        self.payload = payload = os.urandom(PAYLOAD_SIZE)
        self.sha256 = hashlib.sha256(payload).hexdigest()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # 10.0.2.2 is how QEMU's user network calls the host's loopback.
        self.url = f"http://10.0.2.2:{self.server.server_port}/payload"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def write_config(path, options, server):
    """The gangway.cfg of this run."""
    cmdline = " ".join(filter(None, (
        GUEST_CMDLINE, f"gangway.smp={options.smp}",
        f"gangway.url={server.url}", f"gangway.sha256={server.sha256}",
        f"gangway.show={options.show}",
        "" if options.shell else "gangway.demo=only", options.guest_cmdline)))
    settings = {
        "kernel": "\\vmlinuz", "initrd": f"\\{options.initramfs.name}",
        "cmdline": cmdline,
        "memory": "all", "cpus": "all",
        "assign": ",".join(options.functions) or "none",
        "log": "com2" if options.log else "com1",
        "allow-unsafe-commands": ("yes" if "nvme" in options.shows
                                  and not knows_isolation() else None),
        **options.settings}
    path.write_text("".join(f"{key}={value}\n"
                            for key, value in settings.items()
                            if value is not None))


def make_disk(path, options, config):
    """The disk to boot from: a new one, or a copy of the USB image with this
    run's gangway.cfg and initramfs in it."""
    if options.usb:
        shutil.copyfile(options.usb, path)
        if options.untouched:
            return
        into = ["mcopy", "-o", "-i", f"{path}@@1M"]
        commands = [[*into, config, "::/EFI/BOOT/gangway.cfg"],
                    [*into, options.initramfs, "::/"]]
    else:
        commands = [[ROOT / "tools/image.sh", path,
                     options.efi or BUILD / "gangway.efi", config,
                     options.kernel or BUILD / "guest/vmlinuz",
                     options.initramfs]]
    try:
        for command in commands:
            subprocess.run(command, check=True)
    except subprocess.CalledProcessError:
        raise MachineError("the boot disk cannot be made") from None


# All that QEMU emulates
PROCESSOR = "max,vendor=GenuineIntel,-svm"


def cpu_arguments(options):
    """The accelerator and the CPU that it offers."""
    accel, _ = choose_accel(options.accel)
    extra = "," + options.cpu if options.cpu else ""
    if accel == "kvm":
        return ["-machine", "q35,kernel-irqchip=split", "-accel", "kvm",
                "-cpu", "host" + extra]
    return ["-machine", "q35", "-accel", accel, "-cpu",
            f"{PROCESSOR},vmx=on{extra}"]


def nvme_arguments(options, image):
    """An NVMe drive with SR-IOV behind a root port of its own.  Its namespace
    belongs to the subsystem, if it is shared, so that its VFs have it too."""
    with open(image, "wb") as file:
        file.truncate(NVME_SIZE)
    properties = "".join(f",{key}={value}"
                         for key, value in options.nvme.items()
                         if knows_isolation() or key not in NVME_ISOLATION)
    return [
        "-device", "pcie-root-port,id=rp2,bus=pcie.0,slot=2,chassis=2",
        "-device", "nvme-subsys,id=subsystem",
        "-device", "nvme,id=nvme,serial=gangway,subsys=subsystem,bus=rp2"
        + properties,
        "-drive", f"if=none,id=namespace,format=raw,file={image}",
        "-device", "nvme-ns,drive=namespace,nsid=1," + options.namespace]


def device_arguments(options, disk):
    """The remapping unit, the boot disk, the PFs behind root ports, and the
    other devices."""
    arguments, more = [], [
        *devices.arguments(options.device_names, disk.parent),
        *options.devices]
    if options.iommu != "none":
        arguments += ["-device", unit_properties(options)]
    # The root port first: it is 00:01.0 whatever else there is.
    arguments += [
        "-device", "pcie-root-port,id=rp1,bus=pcie.0,slot=1,chassis=1",
        "-netdev", "user,id=n0",
        "-device", f"igb,bus=rp1,netdev=n0,mac={PF_MAC},romfile=",
        "-drive", f"if=none,id=disk,format=raw,file={disk}"]
    if "nvme" in options.shows:
        arguments += nvme_arguments(options, disk.with_name("nvme.img"))
    if options.usb:
        return arguments + more + [
            "-device", "qemu-xhci,id=xhci",
            "-device", "usb-storage,bus=xhci.0,drive=disk,bootindex=1"]
    return arguments + more + [
        "-device", "ide-hd,bus=ide.0,drive=disk,bootindex=1"]


def qemu_command(options, work, console):
    """The whole command line; @console: the arguments of the first serial
    port."""
    variables = work / "vars.fd"
    shutil.copyfile(VARIABLES_OF_FIRMWARE, variables)
    command = [
        emulator(), "-L", "/usr/share/seabios", "-L", "/usr/share/qemu",
        "-nodefaults", "-display", "none",
        *cpu_arguments(options), "-smp", str(options.smp), "-m", options.mem,
        "-drive", "if=pflash,format=raw,readonly=on,"
        f"file={FIRMWARE}",
        "-drive", f"if=pflash,format=raw,file={variables}",
        *device_arguments(options, work / "disk.img"), *console,
        "-d", "guest_errors", "-D", str(work / "guest-errors.log")]
    if options.log:
        pathlib.Path(options.log).write_text("")  # not an earlier run's
        command += ["-serial", f"file:{options.log}"]
    if not options.reboot:
        command += ["-no-reboot"]
    return command + shlex.split(options.qemu_extra)


# The prompt of the guest's shell: busybox 1.38 says ~ where HOME is /
PROMPTS = ("/ # ", "~ # ")
SHELL = f"^(?:{'|'.join(map(re.escape, PROMPTS))})"

# In front of a command: it ends with the thread that starts it, however that
# ends.
WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"]


class Machine:
    """One emulated machine, from power-on until close().  A context manager.

    `console` is all that the first serial port said, without terminal escapes;
    `echo`, if given, is called with each line as it comes.
    """

    LAST_WORDS = 5  # seconds

    def __init__(self, options, echo=None):
        self.options = options
        self.echo = echo
        self.console = ""
        self._partial = ""
        self._changed = threading.Condition()
        self._work = tempfile.TemporaryDirectory(prefix="gangway-")
        self.work = pathlib.Path(self._work.name)
        self.server = PayloadServer()
        self.qemu = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _prepare(self):
        config = pathlib.Path(self.options.config)
        if not self.options.config:
            config = self.work / "gangway.cfg"
            write_config(config, self.options, self.server)
        elif not config.is_file():
            raise MachineError(f"CONFIG={config}: no such file")
        make_disk(self.work / "disk.img", self.options, config)

    def _command(self, console):
        return qemu_command(self.options, self.work, console)

    def _start(self):
        self._prepare()
        self._monitor, monitor = socket.socketpair()
        command = self._command([
            "-serial", "stdio", "-chardev",
            f"socket,id=qmp,fd={monitor.fileno()}", "-mon",
            "chardev=qmp,mode=control"])
        with open(self.work / "qemu.log", "w") as errors:
            self.qemu = subprocess.Popen(
                WITH_US + command, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors,
                pass_fds=[monitor.fileno()], bufsize=0)
        monitor.close()
        self._monitor.settimeout(120)
        self._replies = self._monitor.makefile("r")
        self._reader = threading.Thread(target=self._read_console, daemon=True)
        self._reader.start()

    def _read_console(self):
        while chunk := os.read(self.qemu.stdout.fileno(), 65536):
            self._add(chunk.decode("latin-1"))
        self._add("\n")

    def _add(self, text):
        # An escape sequence may be cut by the end of a chunk, so whole lines
        # are cleaned, and what is left is looked at as it is.
        lines = (self._partial + text).split("\n")
        with self._changed:
            for line in lines[:-1]:
                # What a line was overwritten with, as on a terminal
                line = line.rstrip("\r").rpartition("\r")[2]
                clean = ESCAPES.sub("", line)
                if line and not clean.strip():
                    continue  # the firmware clearing its screen
                self.console += clean + "\n"
                if self.echo:
                    self.echo(clean)
            self._partial = lines[-1]
            self._changed.notify_all()

    @property
    def seen(self):
        """The console, with the line that is not complete yet."""
        return self.console + ESCAPES.sub("", self._partial.replace("\r", ""))

    @property
    def _said(self):
        """Complete lines, and the shell's prompt, which nothing completes.  A
        number in a line that is still coming may be cut anywhere."""
        seen = self.seen
        prompt = seen.startswith(PROMPTS, len(self.console))
        return seen if prompt else self.console

    @property
    def log(self):
        """What the hypervisor said, wherever its log goes."""
        if not self.options.log:
            return self.seen
        path = pathlib.Path(self.options.log)
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def guest_errors(self):
        """The emulator's own complaints about what its guest did."""
        path = self.work / "guest-errors.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def qemu_messages(self):
        """What QEMU printed for its user."""
        return (self.work / "qemu.log").read_text(errors="replace")

    def alive(self):
        return self.qemu.poll() is None

    def wait_for(self, pattern, timeout, start=0):
        """Wait until complete lines on the console, from offset @start, or the
        shell's prompt match.  Returns the match; None when time is up, or the
        machine ended without."""
        regex = re.compile(pattern, re.M)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                over = not self._reader.is_alive()
                left = deadline - time.monotonic()
                last = over or left <= 0
                said = self.seen if last else self._said
                match = regex.search(said, start)
                if match or last:
                    return match
                self._changed.wait(min(left, 0.5))

    def wait_for_output(self, timeout):
        """Wait until the console says anything, be it a terminal escape."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._partial or self.console, timeout)

    def wait_state(self, state, timeout):
        """Wait until QEMU's run state is @state, such as "paused"."""
        deadline = time.monotonic() + timeout
        while self.qmp("query-status")["status"] != state:
            if time.monotonic() > deadline:
                raise MachineError(f"QEMU does not become {state}")
            time.sleep(0.1)

    def wait_end(self, timeout):
        """Wait until the machine powered off or the hypervisor stopped.
        Returns False when time is up first."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.alive():
                self._reader.join(5)
                return True
            if LAST_LINE.search(self.log):
                # Its last words, or the machine's power-off, follow.
                try:
                    self.qemu.wait(self.LAST_WORDS)
                except subprocess.TimeoutExpired:
                    return True
            time.sleep(0.1)
        return False

    def last_line(self):
        """The last line that says something, for messages."""
        lines = [line for line in self.seen.splitlines() if line.strip()]
        return lines[-1].strip() if lines else "(nothing on the console)"

    def send(self, text):
        """Type on the console."""
        self.qemu.stdin.write(text.encode())

    def _qmp(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        self._monitor.sendall(json.dumps(request).encode() + b"\n")
        while reply := self._replies.readline():
            reply = json.loads(reply)
            if "error" in reply:
                raise MachineError(f"QMP {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise MachineError(f"QMP {command}: the monitor went away")

    def qmp(self, command, **arguments):
        """Run a QMP command and return its answer."""
        if not hasattr(self, "_negotiated"):
            self._qmp("qmp_capabilities")
            self._negotiated = True
        return self._qmp(command, **arguments)

    def hmp(self, line):
        """Run a command of the human monitor, such as "xp /4xw 0x1000"."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def close(self):
        """End the machine, whatever state it is in."""
        if self.qemu:
            if self.alive():
                self.qemu.send_signal(signal.SIGTERM)
                try:
                    self.qemu.wait(10)
                except subprocess.TimeoutExpired:
                    self.qemu.kill()
            self.qemu.wait()
            self._reader.join(5)
            for stream in (self.qemu.stdin, self.qemu.stdout, self._replies,
                           self._monitor):
                stream.close()
            self.qemu = None
        self.server.close()
        self._work.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run_on_terminal(options):
    """Give the machine the terminal (Ctrl-A X ends it).  Returns QEMU's exit
    status."""
    server = PayloadServer()
    with tempfile.TemporaryDirectory(prefix="gangway-") as name:
        work = pathlib.Path(name)
        config = work / "gangway.cfg"
        if options.config:
            shutil.copyfile(options.config, config)
        else:
            write_config(config, options, server)
        make_disk(work / "disk.img", options, config)
        command = qemu_command(options, work, ["-serial", "mon:stdio"])
        with open(work / "qemu.log", "w+") as errors:
            status = subprocess.run(command, stderr=errors,
                                    check=False).returncode
            errors.seek(0)
            if status:
                print(errors.read(), end="")
    server.close()
    return status
