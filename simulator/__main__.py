"""`python -m simulator --port 4403 --houses 5`: the village for people without hardware."""

import argparse
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from simulator.serve import main_village


def main() -> int:
    """Run until interrupted; 1 when the port or the pty's name is taken."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A village without hardware.")
    parser.add_argument("--port", type=int, default=None, help="TCP port on loopback; 0: any (4403 unless --pty)")
    parser.add_argument("--pty", type=Path, default=None, help="serve on a pty too, under this name")
    parser.add_argument("--houses", type=int, default=5, help="how many houses (5)")
    parser.add_argument("--seed", type=int, default=0, help="seed of all chance (0)")
    asked = parser.parse_args()
    port = 4403 if asked.port is None and asked.pty is None else asked.port
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    try:
        main_village(port, asked.houses, asked.seed, stop, pty=asked.pty, tell=partial(print, flush=True))
    except OSError as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
