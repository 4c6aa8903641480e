"""nx_compat.py FILE: marks an EFI application as one that needs no memory which
is both writable and executable (PE format, DllCharacteristics, NX_COMPAT).
Some firmware starts no other; objcopy has no option for it."""

import struct
import sys

PE_OFFSET = 0x3c
CHARACTERISTICS = 24 + 70  # of the optional header, behind signature and COFF
NX_COMPAT = 0x100

with open(sys.argv[1], "r+b") as file:
    data = file.read()
    header, = struct.unpack_from("<I", data, PE_OFFSET)
    assert data[header:header + 4] == b"PE\0\0"
    value, = struct.unpack_from("<H", data, header + CHARACTERISTICS)
    file.seek(header + CHARACTERISTICS)
    file.write(struct.pack("<H", value | NX_COMPAT))
