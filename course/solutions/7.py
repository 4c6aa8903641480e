"""Lab 7: external-interrupt exiting, HLT exiting and the timer are off; each
processor but the first is started once.  Programs ask CPUID when they start;
the kernel's console and its PCI scan are ports."""


def answers(lab):
    return {"traffic": 0, "interrupts": 0, "halts": 0, "timers": 0, "sipi": 1,
            "most": "CPUID", "second": "I/O port", "most_access": "UART",
            "minutes": 45}
