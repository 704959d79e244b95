"""A drawing for paper, in millimetres: text, rules, dots and QR codes. No fonts or pictures from elsewhere."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from firmware_config.qr import Qr

A4_MM = (210, 297)
LETTER, BOLD_LETTER = 0.56, 0.7  # how wide a letter of the widest of these fonts is, of its size
STYLE = "text{font-family:'DejaVu Sans','Noto Sans',Arial,sans-serif;fill:#000}"


def page(parts: Iterable[str]) -> str:
    """One A4 sheet, to be printed at 100 %."""
    wide, high = A4_MM
    size = f'width="{wide}mm" height="{high}mm" viewBox="0 0 {wide} {high}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{STYLE}</style>\n'
    return f'{head}<rect width="{wide}" height="{high}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"


def text(x: float, y: float, said: str, size: float, bold: bool = False, wide: float = 0.0) -> str:
    """`wide`: what there is room for; a longer text is written smaller, never cut."""
    weight = ' font-weight="bold"' if bold else ""
    if wide and said:
        size = min(size, wide / len(said) / (BOLD_LETTER if bold else LETTER))
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:.3g}"{weight}>{escape(said)}</text>'


def frame(x: float, y: float, wide: float, high: float) -> str:
    """Where to cut."""
    box = f'x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"'
    return f'<rect {box} fill="none" stroke="#999" stroke-width="0.2" stroke-dasharray="2 1"/>'


def rule(x: float, y: float, wide: float) -> str:
    return f'<path d="M{x:g} {y:g}h{wide:g}" stroke="#000" stroke-width="0.3"/>'


def dots(x: float, y: float, phrases: Iterable[Iterable[int]], size: float) -> str:
    """A rhythm as hands strike it: a dot for each strike, a small gap for a short stop, a wide one for a long one."""
    drawn = []
    for phrase in phrases:
        for count in phrase:
            for _ in range(count):
                drawn.append(f'<circle cx="{x + size / 2:g}" cy="{y:g}" r="{size / 2:g}"/>')
                x += size * 1.25
            x += size * 0.7
        x += size * 1.1
    return "".join(drawn)


def qr(x: float, y: float, side: float, code: str) -> str:
    """A QR code with its quiet zone inside `side`."""
    count, path = Qr(code).squares()
    unit = side / (count + 8)
    return f'<path transform="translate({x + 4 * unit:g} {y + 4 * unit:g}) scale({unit:g})" d="{path}"/>'
