"""A survey as one HTML page with a picture; nothing is fetched from outside. Pure."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from firmware_config.survey import Standing, Verdict

COLOURS = {Verdict.GOOD: "#1a7f37", Verdict.WEAK: "#b35900", Verdict.SILENT: "#b00020", Verdict.UNASKED: "#777"}
SIZE, EDGE, RING = 640, 70, 75
_STYLE = (
    "body{font:16px sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse}"
    "td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left}svg{max-width:100%;height:auto}"
)


def page(title: str, words: Mapping[str, str], standings: Sequence[Standing]) -> str:
    """`words`: the headings of the table (`name`, `share`, …) and each verdict's own word."""
    rows = "\n".join(_row(standing, words) for standing in standings)
    heads = "".join(f"<th>{escape(words[key])}</th>" for key in ("name", "verdict", "share", "snr", "hops", "took"))
    return (
        f'<!doctype html>\n<html lang="{escape(words["lang"])}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{escape(words['intro'])}</p>\n{picture(standings, words)}\n"
        f"<table><tr>{heads}</tr>\n{rows}\n</table></body></html>\n"
    )


def picture(standings: Sequence[Standing], words: Mapping[str, str]) -> str:
    """Where coordinates are known, a map; else rings by hops around the post."""
    places = _on_the_map(standings) or _in_rings(standings)
    marks = "\n".join(_mark(standing, *places[standing.target.node]) for standing in standings)
    centre = "" if _on_the_map(standings) else f'<text x="{SIZE / 2}" y="{SIZE / 2}">{escape(words["post"])}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" font-size="13" '
        f'text-anchor="middle" role="img">\n{centre}\n{marks}\n</svg>'
    )


def _mark(standing: Standing, x: float, y: float) -> str:
    colour, name = COLOURS[standing.verdict], escape(standing.target.name)
    radius = 6 + 8 * standing.share
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{colour}"/>'
        f'<text x="{x:.0f}" y="{y + radius + 13:.0f}">{name}</text>'
    )


def _on_the_map(standings: Sequence[Standing]) -> dict[int, tuple[float, float]]:
    """Only when every node has a place: half a map would mislead."""
    known = {standing.target.node: standing.target.at for standing in standings}
    places = {node: at for node, at in known.items() if at is not None}
    if not places or len(places) < len(known):
        return {}
    squeeze = math.cos(math.radians(next(iter(places.values()))[0]))
    flat = {node: (lon * squeeze, -lat) for node, (lat, lon) in places.items()}
    left, top = (min(point[axis] for point in flat.values()) for axis in (0, 1))
    span = max(max(point[axis] for point in flat.values()) - low for axis, low in ((0, left), (1, top))) or 1.0
    scale = (SIZE - 2 * EDGE) / span
    return {node: (EDGE + (x - left) * scale, EDGE + (y - top) * scale) for node, (x, y) in flat.items()}


def _in_rings(standings: Sequence[Standing]) -> dict[int, tuple[float, float]]:
    """Direct neighbours inside, who needs relays farther out, the silent at the edge."""
    places: dict[int, tuple[float, float]] = {}
    for number, standing in enumerate(standings):
        ring = 3 if standing.hops is None else min(standing.hops, 2)
        angle = 2 * math.pi * number / max(1, len(standings))
        radius = RING * (ring + 0.8)
        places[standing.target.node] = (SIZE / 2 + radius * math.cos(angle), SIZE / 2 + radius * math.sin(angle))
    return places


def _row(standing: Standing, words: Mapping[str, str]) -> str:
    cells = (
        escape(standing.target.name),
        f'<b style="color:{COLOURS[standing.verdict]}">{escape(words[standing.verdict])}</b>',
        f"{standing.answered}/{standing.asked}",
        "" if standing.snr_db is None else f"{standing.snr_db:g} dB",
        "" if standing.hops is None else str(standing.hops),
        "" if standing.took_s is None else f"{standing.took_s:.1f} s",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
