"""Files in the head's flash, as store.py wants them. Raises OSError when the flash is sick."""

import os

NOT_THERE = 2  # ENOENT


class Files:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        try:  # noqa: SIM105 - MicroPython brings no contextlib
            os.mkdir(folder)
        except OSError:
            pass  # it is there; or the flash is sick, which the first write will tell, and a head alarms all the same

    def read(self, name: str) -> bytes:
        """Empty when there is no such file."""
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except OSError as error:
            if error.args[0] != NOT_THERE:
                raise
            return b""

    def append(self, name: str, octets: bytes) -> None:
        self._put(name, "ab", octets)

    def write(self, name: str, octets: bytes) -> None:
        self._put(name, "wb", octets)

    def _put(self, name: str, mode: str, octets: bytes) -> None:
        """In flash when it returns: littlefs writes through at the end of a file."""
        with open(self._path(name), mode) as file:
            file.write(octets)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"
