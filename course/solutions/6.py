"""Lab 6: the log has the seven steps; the device is where devices.py puts it."""


def answers(lab):
    return {"assign": "0000:00:02.0", "firmware": "vtd: dmar0: 0x",
            "on": "vtd: all DMA is blocked",
            "find": "preflight: 0000:00:02.0",
            "unbind": "pci: bus mastering was on", "bind":
            "assign: 0000:00:02.0: 1234:11e8",
            "tables": "vtd: 0000:00:02.0: attached",
            "start": "gangway: first instruction", "reset": "no reset",
            "minutes": 50}
