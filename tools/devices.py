"""Devices that the guest can be given whole, beside the demonstration's VF:
make run DEVICE=e1000e,nvme."""

import os

# The guest reads the first 8 MiB and writes one of the next, by its function's
# number
READ_SIZE, DISK_SIZE = 8 << 20, 256 << 20


def on_root_port(number, device, bus="pcie.0"):
    """@device behind a root port of its own, device @number of a root bus."""
    return ["-device", f"pcie-root-port,id=rp{number},bus={bus},"
            f"addr={number:#x},slot={number},chassis={number}",
            "-device", f"{device},bus=rp{number}"]


def disk(work, name):
    """A drive called @name; what is read of it are random bytes."""
    path = work / f"{name}.img"
    with open(path, "wb") as image:
        image.write(os.urandom(READ_SIZE))
        image.truncate(DISK_SIZE)
    return ["-drive", f"if=none,id={name},format=raw,file={path}"]


def e1000e(number, _):
    """MSI-X; reset by power state."""
    return ["-netdev", f"user,id=n{number}"] + on_root_port(
        number, f"e1000e,netdev=n{number},mac=52:54:00:aa:cc:{number:02x},"
        "romfile=")


def igb(number, _):
    """A PF with all its VFs: MSI-X; function-level reset."""
    return ["-netdev", f"user,id=n{number}"] + on_root_port(
        number, f"igb,netdev=n{number},mac=52:54:00:aa:cc:{number:02x},"
        "romfile=")


def nvme(number, work):
    """MSI-X with more vectors than the guest is given; function-level reset."""
    return disk(work, "nvme") + on_root_port(
        number, "nvme,drive=nvme,serial=one")


def xhci(number, work):
    """A USB controller and a stick: MSI-X; reset by the bus."""
    return on_root_port(number, "qemu-xhci,id=usb1") + disk(work, "usb") + [
        "-device", "usb-storage,bus=usb1.0,drive=usb"]


def display(number, _):
    """No interrupt; a large prefetchable BAR; reset by the bus."""
    return on_root_port(number, "bochs-display,id=display1")


def edu(number, _):
    """MSI; no reset."""
    return ["-device", f"edu,bus=pcie.0,addr={number:#x},"
            "dma_mask=0xffffffffffffffff"]


def ahci(number, work):
    """MSI; no reset."""
    return ["-device", f"ahci,id=sata1,bus=pcie.0,addr={number:#x}"] + disk(
        work, "sata") + ["-device", "ide-hd,bus=sata1.0,drive=sata"]


BEHIND_PORT = {"e1000e": e1000e, "nvme": nvme, "xhci": xhci,
               "display": display, "igb": igb}
ON_ROOT_BUS = {"edu": edu, "ahci": ahci}
KINDS = {**BEHIND_PORT, **ON_ROOT_BUS}


def places(names):
    """(name, device number on bus 0, address) of each.  Number 1 and bus 1 are
    the demonstration's; firmware numbers the buses in the order of ports."""
    bus = 1
    for number, name in enumerate(names, 2):
        if name in BEHIND_PORT:
            bus += 1
            yield name, number, f"0000:{bus:02x}:00.0"
        else:
            yield name, number, f"0000:00:{number:02x}.0"


def arguments(names, work):
    """For QEMU; disks are made in @work."""
    return [argument for name, number, _ in places(names)
            for argument in KINDS[name](number, work)]


def assign(names):
    """The value of assign= that gives them to the guest, in this order."""
    return ",".join(address for _, _, address in places(names))
