"""Lab 8: VT-d 5.1.4.1 for the reasons.  The source ID of the IOAPIC is that of
its scope in the DMAR table, which the emulated machine gives as ff:00.0."""


def answers(lab):
    return {"compatibility_reason": "25h", "of_another_reason": "26h",
            "not_present_reason": "22h", "beyond_table_reason": "21h",
            "vector": "60h", "source": "ff00h", "minutes": 75}
