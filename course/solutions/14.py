"""Lab 14: without a DMAR table nothing is assigned, and the guest boots
alone."""


def answers(lab):
    return {"guest_on": "yes", "guest_off": "yes", "vf_on": "yes",
            "vf_off": "no", "rdma_on": "yes", "rdma_off": "no",
            "isolation_on": "yes", "isolation_off": "no",
            "why": "No DMAR table", "minutes": 45}
