"""Lab 13: a port without ACS takes what is below it into its group; functions
of one device are together without ACS of their own; an old bus has one ID."""


def answers(lab):
    return {"two_closed_ports": "apart", "open_port": "together",
            "switch": "apart", "one_device": "together", "old_bus": "together",
            "two_closed_ports_now": "apart", "port_of_pf_now": "together",
            "switch_now": "together", "pf_assignable_now": "yes",
            "minutes": 45}
