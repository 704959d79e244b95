"""What differs on a box, and what became of many, for people and for scripts."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cli.node_words import NodeVoice

if TYPE_CHECKING:
    from firmware_config.settings import Difference


def lines_of(differences: Iterable["Difference"], language: str) -> list[str]:
    """What, now, wanted, and below it why."""
    from firmware_config.diff import shown

    found = []
    for difference in differences:
        setting = difference.setting
        now, wanted = (shown(setting, value, language) for value in (difference.now, setting.value))
        found += [f"  {setting.path}: {now} -> {wanted}", f"      {setting.why}"]
    return found


def json_of(differences: Iterable["Difference"], language: str) -> list[dict[str, Any]]:
    """For scripts; secrets are hidden here, too."""
    from firmware_config.diff import shown

    return [
        {
            "what": difference.setting.path,
            "now": shown(difference.setting, difference.now, language),
            "wanted": shown(difference.setting, difference.setting.value, language),
            "why": difference.setting.why,
        }
        for difference in differences
    ]


def table(rows: Sequence[Sequence[str]], say: NodeVoice) -> list[str]:
    """Columns as wide as they must be, under their names."""
    head = [say(f"table_{name}") for name in ("name", "profile", "box", "result")]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
