"""What goes wrong around the hypervisor: NMIs at any moment, a link that is
lost, a function that vanishes, a guest that ends by a triple fault in the
middle of its traffic, a reset from which nothing comes back.  The guest's
device is stopped, and the log says what happened."""

import contextlib
import re
import threading

import gdbstub
import machine
import outside

PF = "0000:01:00.0"
VF = "0000:01:10.0"
VF_DEVFN = 0x80
UD2 = b"\x0f\x0b"
# The number in a MOV to EDX: the reset port, and one that nobody reads
RESET_PORT, POST_PORT = b"\xf9\x0c\x00\x00", b"\x80\x00\x00\x00"


@contextlib.contextmanager
def nmi_flood(m):
    """Push the machine's NMI button all the time; yields a list whose only
    element counts."""
    over, count = threading.Event(), [0]

    def push():
        while not over.is_set():
            m.hmp("nmi")
            count[0] += 1

    thread = threading.Thread(target=push)
    thread.start()
    try:
        yield count
    finally:
        over.set()
        thread.join()


def ask(m, command, pattern, timeout=60):
    """Type @command at the shell; returns the match of its answer."""
    start = len(m.console)
    m.send(command + "\n")
    match = m.wait_for(pattern, timeout, start)
    assert match, m.last_line()
    return match


def wait_carrier(m, value):
    """Wait until the guest's own driver has seen the cable, or its loss."""
    ask(m, f"until grep -q {value} /sys/class/net/eth0/carrier; do "
        f"usleep 100000; done; echo carrier $(({value}))", f"^carrier {value}$")


def test_nmis_link_and_loss():
    """One boot: an NMI flood while the guest starts its other CPU, boots and
    has its traffic, NMIs from CPU to CPU, a link that goes and comes, then the
    card vanishes."""
    # loglevel=0: what Linux says of NMIs would cut our lines in two
    options = machine.Options(shell=True, guest_cmdline="loglevel=0")
    with machine.Machine(options, print) as m:
        # Not before Linux has patched its code for this processor: an NMI that
        # finds half an instruction ends any kernel.  Performance counters are
        # what it looks for next.
        assert m.wait_for(r"^guest: read of MSR 0x186 refused",
                          options.timeout)
        with nmi_flood(m) as count:
            assert m.wait_for(r"^DEMO: ", options.timeout)
            assert m.wait_for(machine.SHELL, 30)
        # Each NMI exits, and Linux reads its reason from a port.
        assert set(re.findall(r"^FAIL ([^:]+):", m.console, re.M)) <= {
            "VM exits"}
        assert re.search(r"^DEMO: (9 passed, 1|10 passed, 0) failed$",
                         m.console, re.M)
        assert count[0] > 100
        # From CPU 0 to CPU 1, whether that waits in HLT or runs
        ask(m, "taskset 1 sh -c 'for i in $(seq 50); do "
            "echo l >/proc/sysrq-trigger; done'; echo sent $((50 + 0))",
            r"^sent 50$")
        nmis = ask(m, "grep NMI: /proc/interrupts", r"^ *NMI: +(\d+) +(\d+) ")
        assert int(nmis[1]) > 20 and int(nmis[2]) >= 40

        # The card is looked at in exits; an idle guest has none.
        m.send("while :; do usleep 100000; gangway-stat >/dev/null; done &\n")
        # Its first words may follow the shell's prompt in one line.
        start = len(m.console)
        m.hmp("set_link n0 off")
        assert m.wait_for(rf"igb: {PF}: link lost$", 30, start)
        wait_carrier(m, 0)
        m.hmp("set_link n0 on")
        assert m.wait_for(rf"igb: {PF}: link up$", 30, start)
        wait_carrier(m, 1)

        # The guest lives on, and finds all ones where its device was.
        assert outside.open_functions(m, 1) == [VF_DEVFN]
        outside.unplug_card(m)
        assert m.wait_for(rf"assign: {VF} stopped and NOT reset", 30, start)
        assert re.search(
            rf"assign: {VF} is lost: its PF does not answer any more.*\n"
            rf"(.*\n)*?pci: {VF}: its configuration space reads all ones: it "
            rf"is gone\n(.*\n)*?assign: {VF} stopped and NOT reset",
            m.log[start:], re.M)
        assert outside.open_functions(m, 1) == []
        ask(m, "hexdump -n 4 /sys/bus/pci/devices/0000:00:01.0/config",
            r"^0000000 ffff ffff *$")
        m.send("poweroff -f\n")
        assert m.wait_end(120), m.last_line()
        assert "gangway: end: poweroff" in m.log
        assert "timeout:" not in m.log[start:]
        # Some came while the hypervisor ran, or the guest served another.
        windows = re.search(r"^  NMI window +(\d+)", m.log, re.M)
        assert int(windows[1]) > 0


def test_triple_fault():
    """reboot=t: Linux ends itself by a triple fault, packets under way."""
    options = machine.Options(
        shell=True, guest_cmdline="reboot=t",
        settings={"on-crash": "poweroff"})
    with machine.Machine(options, print) as m:
        assert m.wait_for(machine.SHELL, options.timeout)
        m.send("ping -i 0.01 10.0.2.2 >/tmp/pings &\n")
        ask(m, "until grep -q seq=20 /tmp/pings; do usleep 10000; done; "
            "echo under $((1 + 1)) way", r"^under 2 way$")
        m.send("reboot -f\n")
        assert m.wait_end(60), m.last_line()
        assert re.search(
            rf"gangway: guest crashed \(triple fault on cpu \d at rip "
            rf"0x[0-9a-f]+\)\n(.*\n)*?assign: {VF} stopped and reset\n"
            rf"(.*\n)*  triple fault +1 .*\n(.*\n)*gangway: end: poweroff$",
            m.log, re.M)


def mount_all(m):
    """What a shell that is the first process has not."""
    ask(m, "/bin/busybox --install -s /bin; mount -t devtmpfs d /dev; "
        "mount -t proc p /proc; mount -t sysfs s /sys; echo mounted "
        "$((1 + 1))", r"^mounted 2$")


def nmis_of_guest(m):
    """How many its first CPU has had."""
    # The whole line, or the next answer could be taken for this one
    return int(ask(m, "grep NMI: /proc/interrupts",
                   r"^ *NMI: +(\d+) .*\n")[1])


def lose_in_reset(m, symbols):
    """The guest resets its VF, and the card vanishes before it is back."""
    start = len(m.console)
    with gdbstub.attached(m) as gdb:
        m.send("echo 1 >/sys/bus/pci/devices/0000:00:01.0/reset &\n")
        gdb.run_to(symbols["delay_us"])  # the 100 ms after its start
        outside.hide_card(m)
    # It has a minute to come back (PCIe 6.6.2 names no end)
    assert m.wait_for(rf"^assign: {VF} stopped and NOT reset", 120, start)
    assert re.search(
        rf"^pci: {VF}: did not come back from its reset: .*\n"
        rf"assign: {VF} is lost: it did not come back from its reset; ",
        m.console[start:], re.M)
    assert outside.open_functions(m, 1) == []


def reset_without_help(m, symbols):
    """The guest restarts the machine; the firmware's reset fails at its first
    instruction, and there is no reset port: what is left is a shutdown.  Then
    stop the next hypervisor before its firmware has loaded the guest."""
    start = len(m.console)
    with gdbstub.attached(m) as gdb:
        m.send("echo b >/proc/sysrq-trigger\n")
        gdb.run_to(symbols["machine_end"])
        code = gdb.read(symbols["hv_main"], 64)
        gdb.run_over(symbols["hv_log"])
        while (rip := gdb.step()) in symbols:
            pass
        gdb.write(rip, UD2)
        gdb.run_to(symbols["power_reset"])
        gdb.replace(symbols["power_reset"], 32, RESET_PORT, POST_PORT)
    assert m.wait_for(r"^Gangway [0-9.]+ \(build ", 60, start)
    gdb = gdbstub.Gdb(m)
    symbols.find(gdb, "hv_main", code)
    return gdb


# Before the hypervisor has an IDT; while it starts the other processor, which
# has none yet; before that one has its own
EARLY = ["host_paging_init", "smp_start", "ap_main", "cpu_load_tables"]
# About to enter the guest, behind the last look for requests; just out of it;
# in the handler of another NMI, which comes about to enter the guest
LATE = [["vmx_enter"], ["exit_dispatch"], ["vmx_enter", "nmi_in_root"]]


def wait_halted(m, symbols):
    """Wait until every CPU stands still in the hypervisor."""
    rips = re.findall(r"\bRIP=([0-9a-f]+)", outside.wait_halted(m))
    assert len(rips) == 2 and all(int(rip, 16) in symbols for rip in rips)


def panic_without_log(m, symbols):
    """An NMI in a panic; then the log fails, and what says so fails too."""
    start = len(m.console)
    with gdbstub.attached(m) as gdb:
        m.send("gangway-crash 0 1\n")
        gdb.run_to(symbols["cpu_stop_others"])
        m.hmp("nmi")
        gdb.run_to(symbols["console_log_write"])
        gdb.write(symbols["console_log_write"], UD2)
    wait_halted(m, symbols)
    with gdbstub.attached(m) as gdb:
        m.hmp("nmi")
        gdb.run_to(symbols["nmi_in_root"])
    wait_halted(m, symbols)
    assert "gangway:" not in m.console[start:]


def test_no_way_back_and_nmis():
    """A function that is lost in its reset, then a machine whose firmware and
    port do not reset it.  NMIs at chosen instructions of its next start."""
    options = machine.Options(
        # One CPU of the guest's, so that it is the one that has exits
        guest_cmdline="rdinit=/bin/sh maxcpus=1", reboot=True,
        settings={"on-reboot": "reset", "selftest": "panic"})
    with machine.Machine(options, print) as m:
        assert m.wait_for(machine.SHELL, options.timeout)
        symbols = gdbstub.Symbols(m)
        mount_all(m)
        lose_in_reset(m, symbols)

        start = len(m.console)
        gdb = reset_without_help(m, symbols)
        for name in EARLY:
            gdb.run_to(symbols[name])
            m.hmp("nmi")
        gdb.close()
        assert m.wait_for(machine.SHELL, options.timeout, start)
        assert re.search(
            r"^gangway: end: reset\npower: the firmware's ResetSystem\(\) "
            r"fails: invalid opcode exception at rip [0-9a-f]+\n(.*\n)*"
            r"smp: 2 CPUs\n", m.console[start:], re.M)

        mount_all(m)
        for names in LATE:
            before = nmis_of_guest(m)
            with gdbstub.attached(m) as gdb:
                m.send("\n")  # an exit, for the shell's answer
                for name in names:
                    gdb.run_to(symbols[name])
                    m.hmp("nmi")
            assert nmis_of_guest(m) > before

        panic_without_log(m, symbols)
