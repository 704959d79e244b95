"""A cable's worth of bytes: what the simulated line lets through, and how fast."""

import socket
import time

from simulator.wire import Wire


def test_a_narrow_line_lets_all_through_and_none_too_soon() -> None:
    sent = bytes(range(250)) * 8
    with socket.create_server(("127.0.0.1", 0)) as far:
        wire = Wire(far.getsockname(), bytes_s=10_000)
        near = socket.create_connection(("127.0.0.1", wire.port))
        served, _ = far.accept()
        with near, served:
            began = time.monotonic()
            near.sendall(sent)
            got = served.recv(len(sent), socket.MSG_WAITALL)
            took_s = time.monotonic() - began
        wire.stop()
    assert got == sent
    assert took_s >= 0.19, "2,000 bytes at 10,000 bytes/s"
