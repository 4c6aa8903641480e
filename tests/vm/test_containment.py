"""What goes wrong around the hypervisor: NMIs at any moment, a link that is
lost, a function that vanishes, a guest that ends by a triple fault in the
middle of its traffic.  The guest's device is stopped, and the log says what
happened."""

import contextlib
import re
import threading

import machine
import outside

PF = "0000:01:00.0"
VF = "0000:01:10.0"
VF_DEVFN = 0x80


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
    """One boot: an NMI flood while the guest boots and has its traffic, NMIs
    from CPU to CPU, a link that goes and comes, then the card vanishes."""
    # loglevel=0: what Linux says of NMIs would cut our lines in two
    options = machine.Options(shell=True, guest_cmdline="loglevel=0")
    with machine.Machine(options, print) as m:
        assert m.wait_for(r"^gangway: first instruction", options.timeout)
        with nmi_flood(m) as count:
            assert m.wait_for(r"^DEMO: ", options.timeout)
            assert m.wait_for(r"^/ # ", 30)
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
        outside.pull_card(m)
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
        assert m.wait_for(r"^/ # ", options.timeout)
        m.send("ping -i 0.01 10.0.2.2 >/tmp/pings &\n")
        ask(m, "until grep -q seq=20 /tmp/pings; do usleep 10000; done; "
            "echo under $((1 + 1)) way", r"^under 2 way$")
        m.send("reboot -f\n")
        assert m.wait_end(60), m.last_line()
        assert re.search(
            rf"gangway: guest crashed \(triple fault on cpu \d at rip "
            rf"0x[0-9a-f]+\)\n(.*\n)*?assign: {VF} stopped and reset\n"
            rf"(.*\n)*gangway: end: poweroff$", m.log, re.M)
