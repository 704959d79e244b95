"""QR codes as a terminal shows them, and as squares in a drawing."""

import io
from dataclasses import dataclass

import segno


@dataclass(frozen=True, slots=True)
class Qr:
    """One code. Level M: a scratch across a printed label does not matter."""

    text: str

    def for_terminal(self) -> str:
        out = io.StringIO()
        segno.make_qr(self.text, error="m").terminal(out, border=2, compact=True)
        return out.getvalue().rstrip("\n")

    def squares(self) -> tuple[int, str]:
        """How many modules a side has, and an SVG path that fills the dark ones, one unit each."""
        rows = [list(row) for row in segno.make_qr(self.text, error="m").matrix]
        return len(rows), "".join(
            f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
        )
