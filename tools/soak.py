"""make soak N=50: that many boots in a row, each with the demonstration."""

import sys
import time

import demo
import machine


def main():
    count = int(sys.argv[1])
    options = machine.Options.from_environment()
    failed = 0
    for number in range(1, count + 1):
        start = time.monotonic()
        verdict = demo.demonstrate(options)
        failed += verdict.status != demo.PASSED
        print(f"boot {number} of {count}: "
              f"{'; '.join(verdict.problems) or 'passed'}, "
              f"{time.monotonic() - start:.0f} s", flush=True)
    print(f"{count - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
