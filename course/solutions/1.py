"""Lab 1: both addresses are in the log of the same machine."""


def answers(lab):
    run = lab.run("weakened", victim=None, offset=None)
    return {"offset": "0x" + run.match(r"guest: RAM .* at host 0x(\w+)")[0],
            # The head of the image, which nobody needs any more
            "victim": "0x" + run.match(r"image at 0x(\w+)-")[0],
            "fault_lines": 0, "minutes": 40}
