"""A TOML file that people edit, changed by a program: one entry at a time, comments and all else left as they are.

Each change is made on the text and then read back: unless the file says exactly what it said before, and the change,
it is refused and people are asked to do it by hand.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firmware_config.faults import Refused

Value = str | float
_TABLE = re.compile(r"\s*\[")
_VALUE = r"(\s*{key}\s*=\s*)(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[-+0-9.eE_]+)(.*)"


@dataclass(frozen=True, slots=True)
class TomlText:
    """The text of a TOML file whose tables are `[[name]]`, counted from 0."""

    text: str

    def parsed(self) -> dict[str, Any]:
        """Raises Refused."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise Refused("by_hand", why=error) from error

    def put(self, name: str, turn: int, key: str, value: Value) -> "TomlText":
        """The entry with that value, in place of an old one or behind its first line."""
        wanted = self.parsed()
        self._entry(wanted, name, turn)[key] = value
        lines = self._lines()
        begin, end = self._body(lines, name, turn)
        pattern = re.compile(_VALUE.format(key=re.escape(key)), re.DOTALL)
        for number in range(begin, end):
            if (found := pattern.fullmatch(lines[number])) is not None:
                lines[number] = f"{found[1]}{_written(value)}{found[3]}"
                break
        else:
            lines.insert(min(begin + 1, end), f"{key} = {_written(value)}\n")
        return self._changed(lines, wanted)

    def take(self, name: str, turn: int, key: str) -> "TomlText":
        """The entry without that key; unchanged where it has none."""
        wanted = self.parsed()
        if self._entry(wanted, name, turn).pop(key, None) is None:
            return self
        lines = self._lines()
        begin, end = self._body(lines, name, turn)
        pattern = re.compile(rf"\s*{re.escape(key)}\s*=")
        kept = [line for at, line in enumerate(lines) if not (begin <= at < end and pattern.match(line))]
        return self._changed(kept, wanted)

    def drop(self, name: str, turn: int) -> "TomlText":
        """Without the entry and the comments that stand right above it."""
        wanted = self.parsed()
        self._entry(wanted, name, turn)
        del wanted[name][turn]
        if not wanted[name]:
            del wanted[name]
        lines = self._lines()
        begin, end = self._body(lines, name, turn)
        begin -= 1
        while begin and lines[begin - 1].lstrip().startswith("#"):
            begin -= 1
        while begin and not lines[begin - 1].strip() and end < len(lines) and not lines[end].strip():
            begin -= 1  # of two blank lines one is enough
        return self._changed(lines[:begin] + lines[end:], wanted)

    def add(self, name: str, fields: Mapping[str, Value]) -> "TomlText":
        """With one more entry at the end."""
        wanted = self.parsed()
        wanted.setdefault(name, []).append(dict(fields))
        lines = self._lines()
        told = [f"{key} = {_written(value)}\n" for key, value in fields.items()]
        return self._changed([*lines, *["\n"] * bool(lines), f"[[{name}]]\n", *told], wanted)

    def _lines(self) -> list[str]:
        lines = self.text.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return lines

    def _body(self, lines: list[str], name: str, turn: int) -> tuple[int, int]:
        """The lines behind the entry's heading, up to what belongs to the next."""
        heading = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]\s*(#.*)?")
        starts = [number for number, line in enumerate(lines) if heading.fullmatch(line.rstrip("\r\n"))]
        if turn >= len(starts):
            raise Refused("by_hand", why=f"[[{name}]]")
        begin = starts[turn] + 1
        end = next((number for number in range(begin, len(lines)) if _TABLE.match(lines[number])), len(lines))
        last = end
        while last > begin and _is_aside(lines[last - 1]):
            last -= 1
        after = next((at for at in range(last, end) if not lines[at].strip()), end)
        # A comment right below the values is this entry's; one right above the next heading is the next entry's.
        return begin, last if after == end < len(lines) else after

    def _entry(self, parsed: dict[str, Any], name: str, turn: int) -> dict[str, Any]:
        entries = parsed.get(name)
        if not isinstance(entries, list) or turn >= len(entries) or not isinstance(entries[turn], dict):
            raise Refused("by_hand", why=f"[[{name}]]")
        return entries[turn]

    def _changed(self, lines: list[str], wanted: dict[str, Any]) -> "TomlText":
        changed = TomlText("".join(lines))
        if changed.parsed() != wanted:
            raise Refused("by_hand", why="TOML")
        return changed


def _is_aside(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _written(value: Value) -> str:
    """A TOML basic string is JSON's, but for DEL; numbers are the same."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
