"""Lab 10: igb_vf_mac(): bit 1 of byte 0 says "local", which 52h has already;
n + 1 goes into the high half of byte 3.  Known addresses stay in the card's
switch, broadcasts do not."""


def answers(lab):
    pf = [0x52, 0x54, 0x00, 0xaa, 0xbb, 0x01]
    macs = {f"mac{n}": ":".join(f"{byte ^ (n + 1) << 4 if at == 3 else byte:02x}"
                                for at, byte in enumerate(pf)) for n in (0, 1)}
    return {**macs, "domains": 1, "tcp_frames": 0, "rdma_frames": 0,
            "arp": "yes", "exits": 0, "minutes": 50}
