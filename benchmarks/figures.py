"""Rows of the table: what was measured, in which conditions, against which goal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank. ValueError when there are no values."""
    if not values:
        raise ValueError("no samples")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `goal` is a floor or a ceiling by `at_most`; None: nothing was promised. `plain`: the plain script's."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = True
    plain: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """None where nothing was promised."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def table(figures: Iterable[Figure]) -> list[str]:
    """Lines of text, columns aligned."""
    head = ("what", "ours", "goal", "", "plain", "note")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _row(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"{'≤' if figure.at_most else '≥'} {_number(figure.goal)}"
    verdict = {None: "", True: "ok", False: "MISSED"}[figure.reached]
    plain = "" if figure.plain is None else _number(figure.plain)
    return figure.what, f"{_number(figure.value)} {figure.unit}", goal, verdict, plain, figure.note


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"
