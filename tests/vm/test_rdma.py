"""RDMA between two VFs of one card in one guest."""

import re
import subprocess

import pytest

import demo
import machine
import outside

ARP = 0x0806
ROCE_PORT = 4791  # RoCE v2 is UDP to this port


def is_roce(frame):
    """IPv4 without options, UDP, that port"""
    return (frame[12:14] == b"\x08\x00" and frame[23] == 17
            and frame[36:38] == ROCE_PORT.to_bytes(2, "big"))


@pytest.fixture
def archive():
    """The initramfs with Debian's RDMA programs, which nothing else needs.
    What make says of a package that it cannot get is in the report."""
    subprocess.run(["make", "--no-print-directory", "guest", "SHOW=rdma"],
                   cwd=machine.ROOT, check=True)


@pytest.mark.long
@pytest.mark.usefixtures("archive")
def test_rdma_between_vfs(tmp_path):
    """TCP between namespaces, then RDMA WRITEs and READs, pass through the
    card's switch without an exit; of the packets none goes to the wire, which
    sees the requests for addresses."""
    wire = tmp_path / "wire.pcap"
    options = machine.Options(
        show="rdma",
        qemu_extra=f"-object filter-dump,id=wire,netdev=n0,file={wire}")
    with machine.Machine(options, print) as m:
        assert m.wait_end(options.timeout), m.last_line()
        assert demo.judge(m, True).problems == []
        for name in ("TCP", "RDMA", "RDMA read and write"):
            assert re.search(rf"^PASS {name} VM exits: 0 in ", m.console, re.M)
        assert len(re.findall(r"attached to domain 1 by", m.log)) == 2
        assert "vtd: requests blocked: 1\n" in m.log
    seen = outside.frames(wire)
    assert any(frame[12:14] == ARP.to_bytes(2, "big") for frame in seen)
    assert not any(map(is_roce, seen))
