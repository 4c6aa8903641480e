"""make run, make run-usb: boot Gangway on the emulated machine.

Exit status without a terminal: 0 if every line of the demonstration passed, 1
if one did not, 2 if the machine could not be run to its end, 3 if the guest ran
without its device."""

import argparse
import os
import sys

import demo
import machine
import qemu


def say(text):
    print(f"run: {text}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usb", default="", help="boot this image from USB")
    usb = parser.parse_args().usb
    try:
        options = machine.Options.from_environment()
        options.usb = usb
        options.shell = (sys.stdin.isatty() and sys.stdout.isatty()
                         and not os.environ.get("DEMO"))
        accel, why = qemu.choose_accel(options.accel)
        say(f"{options.smp} CPUs, {options.mem}, {accel} ({why})")
        program = machine.emulator()
        ours = "qemu-vmx" in program
        if not ours and (why := qemu.refuse(program, accel)):
            raise machine.MachineError(why)
        say(qemu.remark(program, ours))
        if options.shell:
            options.reboot = True
            say("Ctrl-A X ends the machine")
            return machine.run_on_terminal(options)
        verdict = demo.demonstrate(options, lambda line: print(line, flush=True))
    except machine.MachineError as error:
        say(str(error))
        return demo.TROUBLE
    for problem in verdict.problems:
        say(problem)
    say("passed" if verdict.status == demo.PASSED else "not passed")
    return verdict.status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
