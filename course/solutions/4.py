"""Lab 4: VT-d 9.3 and 7.1.3."""


def answers(lab):
    return {"aw": 2, "domain": 1, "reason_at_start": "3h",
            "minutes": 60}
