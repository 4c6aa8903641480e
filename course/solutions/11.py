"""Lab 11: only what traps exits; the VF's driver is the same in both
machines."""


def answers(lab):
    return {"order": "emulated virtio vf", "emulated_more": "yes",
            "virtio_more": "no", "vf_more": "no", "virtio_kind": "notify",
            "vf_exits": 0, "vf_accesses": "yes", "same_as_bare": "yes",
            "minutes": 45}
