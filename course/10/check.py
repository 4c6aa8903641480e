"""Lab 10: what the PF decides, and which way frames between VFs take."""

import re

TITLE = "the PF manages, the card switches"
MACHINE = "rdma"
CRITERIA = {"machine": 0, "works": 0, "mac0": 1, "mac1": 1, "domains": 1,
            "tcp_frames": 2, "rdma_frames": 2, "arp": 1, "exits": 1}
IPERF_PORT, ROCE_PORT = 5201, 4791  # guest/initramfs/rdma.sh; RoCE v2


def is_ip(frame, protocol, port):
    """IPv4 without options, from or to @port"""
    return (frame[12:14] == b"\x08\x00" and frame[23] == protocol and
            port.to_bytes(2, "big") in (frame[34:36], frame[36:38]))


def check(lab):
    run = lab.run("rdma")
    done = run.line(r"^DEMO: \d+ passed, \d+ failed")
    lab.judge("works", " 0 failed" in done, done or "the guest did not end")
    for n in (0, 1):
        line = run.line(rf"^igb: .*: VF {n} of .* MAC ")
        mac = re.search(r"MAC ([0-9a-f:]+)", line)
        lab.predict(f"mac{n}", mac and mac[1], line)
    domains = set(re.findall(r"attached to domain (\d+)", run.console))
    lab.predict("domains", len(domains), run.line("attached to domain"))
    tcp = sum(is_ip(frame, 6, IPERF_PORT) for frame in run.wire)
    roce = sum(is_ip(frame, 17, ROCE_PORT) for frame in run.wire)
    arp = any(frame[12:14] == b"\x08\x06" for frame in run.wire)
    where = f"{run.folder.name}/wire-n0 is the capture"
    lab.predict("tcp_frames", tcp, where)
    lab.predict("rdma_frames", roce, where)
    lab.predict("arp", "yes" if arp else "no", where)
    line = run.line("(PASS|FAIL) TCP VM exits: ")
    lab.predict("exits", int(re.search(r"exits: (\d+)", line)[1]), line)
