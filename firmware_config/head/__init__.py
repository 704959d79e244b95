"""The kentongan head's firmware. Written in MicroPython's subset; the same files run on the head and in the tests."""
