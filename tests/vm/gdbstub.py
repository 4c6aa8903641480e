"""A client of QEMU's gdb stub: stops the machine where a test says, so that it
can act at that very moment."""

import contextlib
import re
import socket
import subprocess
import time

import machine

RSP, RIP = 7, 16  # their places in the answer to "g"


class Gdb:
    """One connection (GDB manual, "Remote Protocol").  The machine is stopped
    but for the time of run_to()."""

    def __init__(self, m):
        path = m.work / "gdb"
        m.hmp(f"gdbserver unix:{path},server=on,wait=off")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rb")
        self._machine = m
        self._gone = False
        m.wait_state("paused", 10)

    def _packet(self):
        """The next one; it is acknowledged."""
        while (byte := self._stream.read(1)) != b"$":
            assert byte == b"+", byte
        packet = b""
        while (byte := self._stream.read(1)) != b"#":
            assert byte
            packet += byte
        self._stream.read(2)
        self._socket.sendall(b"+")
        return packet.decode()

    @staticmethod
    def _framed(packet):
        return f"${packet}#{sum(packet.encode()) & 0xff:02x}".encode()

    def ask(self, packet):
        """Send @packet; returns the answer, which must be no error."""
        self._socket.sendall(self._framed(packet))
        answer = self._packet()
        assert not re.fullmatch("E..", answer), (packet, answer)
        return answer

    def run_to(self, address):
        """Let the machine run until a CPU is at @address."""
        assert self.ask(f"Z0,{address:x},1") == "OK"
        assert self.ask("c").startswith("T05")
        assert self.ask(f"z0,{address:x},1") == "OK"

    def run_alone(self, cpu, seconds):
        """Let CPU @cpu alone run for so long; the others stand still where they
        are, as a CPU does whose device lets the bus wait."""
        self._socket.sendall(self._framed(f"vCont;c:{cpu + 1:x}"))
        time.sleep(seconds)
        self._socket.sendall(b"\x03")
        assert self._packet().startswith("T")

    def register(self, number):
        """Of the CPU that stopped."""
        registers = bytes.fromhex(self.ask("g")[:16 * (RIP + 1)])
        return int.from_bytes(registers[8 * number:8 * number + 8], "little")

    def step(self):
        """One instruction; returns where the next one is."""
        assert self.ask("s").startswith("T05")
        return self.register(RIP)

    def run_over(self, function):
        """Let the machine run until the next call of @function comes back."""
        self.run_to(function)
        self.run_to(int.from_bytes(self.read(self.register(RSP), 8), "little"))

    def read(self, address, size):
        """Memory, as the stopped CPU sees it."""
        return bytes.fromhex(self.ask(f"m{address:x},{size:x}"))

    def write(self, address, data):
        """The same, whatever its page tables forbid."""
        assert self.ask(f"M{address:x},{len(data):x}:{data.hex()}") == "OK"

    def replace(self, address, size, old, new):
        """Write @new over @old, which is once in @size bytes of code."""
        code = self.read(address, size)
        assert code.count(old) == 1, code.hex()
        self.write(address + code.index(old), new)

    def let_go(self):
        """The machine runs on, on its own."""
        if not self._gone:
            assert self.ask("D") == "OK"
        self._gone = True

    def close(self):
        """The same, and no more of the stub."""
        self.let_go()
        self._machine.hmp("gdbserver none")
        self._stream.close()
        self._socket.close()


@contextlib.contextmanager
def attached(m):
    """Stop the machine; afterwards it runs on its own."""
    gdb = Gdb(m)
    try:
        yield gdb
    finally:
        if m.alive():
            gdb.close()


PAGE = 0x1000
NEAR = 512  # pages
# Where firmware puts programs on a machine of 4 GiB and more: near the end of
# what is below 2 GiB
LOADED, LOADED_SIZE = 0x60000000, 0x20000000


class Symbols:
    """Where functions and variables of the hypervisor lie, once its log says where it
    lies itself."""

    def __init__(self, m):
        where = re.search(r"^gangway: image at 0x([0-9a-f]+)-0x([0-9a-f]+)",
                          m.log, re.M)
        self.start, self.end = int(where[1], 16), int(where[2], 16)
        self._read_names()

    def _read_names(self):
        """{name: (offset in image and file, size)}"""
        run = subprocess.run(["nm", "-S", machine.BUILD / "gangway.so"],
                             check=True, stdout=subprocess.PIPE, text=True)
        names = {name: (int(offset, 16), int(size or "0", 16))
                 for offset, size, name in re.findall(
                     r"^([0-9a-f]+) (?:([0-9a-f]+) )?[tTbBdD] (\w+)$",
                     run.stdout, re.M)}
        self._offset = {name: offset for name, (offset, _) in names.items()}
        return names

    @classmethod
    def of_loaded(cls, m, name):
        """Before there is a log: @name's code is looked for where firmware puts
        programs, below 2 GiB.  The file that it was loaded from may lie there
        too, but not at a page."""
        symbols = cls.__new__(cls)
        names = symbols._read_names()
        offset, size = names[name]
        code = (machine.BUILD / "gangway.so").read_bytes()[offset:offset + size]
        dump = m.work / "firmware"
        m.qmp("pmemsave", val=LOADED, size=LOADED_SIZE, filename=str(dump))
        memory = dump.read_bytes()
        dump.unlink()
        found = [at.start() - offset
                 for at in re.finditer(re.escape(code), memory)
                 if (at.start() - offset) % PAGE == 0]
        assert len(found) == 1, found
        symbols.start = symbols.end = LOADED + found[0]
        return symbols

    def __getitem__(self, name):
        return self.start + self._offset[name]

    def find(self, gdb, name, code):
        """The firmware loaded the hypervisor again, not far from where it was:
        @code is the start of function @name."""
        there = [shift for shift in range(-NEAR * PAGE, NEAR * PAGE, PAGE)
                 if gdb.read(self[name] + shift, len(code)) == code]
        assert len(there) == 1, there
        self.start += there[0]
        self.end += there[0]

    def __contains__(self, address):
        return self.start <= address <= self.end
