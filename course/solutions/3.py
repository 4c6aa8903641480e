"""Lab 3: the guest's RAM is one piece, so every walk adds the same."""

from lab_runs import TRANSLATED


def answers(lab):
    run = lab.run("attack")
    end, host = (int(word, 16) for word in run.match(
        r"guest: RAM 0x0+-0x(\w+) at host 0x(\w+)"))
    found = {f"address_{number}": hex(address + host) if address <= end
             else "none" for number, address in enumerate(TRANSLATED, 1)}
    # One of level 4, one of level 3, and one of level 2 for each GiB
    return {**found, "kib": 4 * (2 + (end >> 30) + 1), "minutes": 75}
