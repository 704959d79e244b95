"""What survives a power cut: records with a sequence number and a CRC, appended to files in turn.

The newest whole record counts. A record that the power cut short is passed over, and the file that holds the newest
is never written over, so there is no byte at which everything could be lost. `files` is the flash (board.py).
"""

import binascii

MOST_BYTES = 4096  # of one file; then the next in turn is begun


class Log:
    """One fact and its history, kept in `count` files called name.0, name.1 … Raises OSError when the flash is sick."""

    def __init__(self, files, name: str, count: int, most_bytes: int = MOST_BYTES) -> None:
        self._files = files
        self._names = [f"{name}.{turn}" for turn in range(count)]
        self._most_bytes = most_bytes
        self._turn = count - 1
        self._sequence = 0
        self._size = most_bytes  # so that an empty flash begins a file
        self.newest = ""
        self._load()

    def _load(self) -> None:
        for turn, name in enumerate(self._names):
            written = self._files.read(name)
            for record in written.split(b"\n"):
                sequence, said = _parse(record)
                if sequence > self._sequence:
                    self._sequence, self.newest = sequence, said
                    self._turn, self._size = turn, len(written)

    def add(self, said: str) -> None:
        """When this returns, `said` is what a head finds after a power cut."""
        body = f"{self._sequence + 1} {said}"
        # A newline first: what was cut short before it must not swallow it.
        record = f"\n{body} {_crc(body)}\n".encode()
        if self._size + len(record) <= self._most_bytes:
            self._files.append(self._names[self._turn], record)
        else:
            following = (self._turn + 1) % len(self._names)
            self._files.write(self._names[following], record)
            self._turn, self._size = following, 0
        self._size += len(record)
        self._sequence += 1
        self.newest = said


def _parse(record: bytes) -> tuple[int, str]:
    """Sequence and text of one record; 0 for what is none."""
    try:
        body, _, crc = record.decode().rpartition(" ")
    except ValueError:  # UnicodeError is one
        return 0, ""
    sequence, _, said = body.partition(" ")
    if not sequence.isdigit() or crc != _crc(body):
        return 0, ""
    return int(sequence), said


def _crc(body: str) -> str:
    return f"{binascii.crc32(body.encode()) & 0xFFFFFFFF:08x}"
