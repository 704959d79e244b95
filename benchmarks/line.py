"""A helper process: lines to the broker that can be cut and may be slow."""

from benchmarks.helpers import serve
from simulator.wire import Wire


class Lines:
    """By name."""

    def __init__(self) -> None:
        self._wires: dict[str, Wire] = {}

    def open(self, name: str, far_port: int, delay_s: float) -> int:
        """The near port; `delay_s` each way."""
        self._wires[name] = Wire(("127.0.0.1", far_port), delay_s)
        return self._wires[name].port

    def cut(self, name: str) -> bool:
        self._wires[name].cut()
        return True

    def heal(self, name: str) -> bool:
        self._wires[name].heal()
        return True


def main() -> None:
    lines = Lines()
    serve({"open": lines.open, "cut": lines.cut, "heal": lines.heal})


if __name__ == "__main__":
    main()
