"""YAML as people write it: every value is text and knows its line. What YAML does behind one's back is refused.

`rt: 03` stays "03" (not the number 3), `no` stays "no", a key written twice is a mistake, and `&x`/`*x` are not taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from bridge.domain.said import Said

Where = tuple[str | int, ...]

# Every value is text to it. libyaml's is ten times faster, where PyYAML was built with it.
LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a file, with the line to look at (0: the whole file)."""

    line: int
    what: Said
    where: str = ""

    def said(self, file: str, language: str) -> str:
        at = f" {'line' if language == 'en' else 'baris'} {self.line}" if self.line else ""
        return f"{file}{at}: {self.where + ': ' if self.where else ''}{self.what.said(language)}"


@dataclass(frozen=True, slots=True)
class YamlText:
    """What a file says: dicts, lists and texts. A key without a value is left out."""

    data: Any = None
    lines: Mapping[Where, int] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def line(self, where: Where) -> int:
        """The line of a place, or of the nearest place around it that is there."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 0)


def read_yaml(text: str) -> YamlText:
    """Never raises: what is wrong stands in `mistakes`."""
    try:
        wrong = list(_refused(text))
        root = None if wrong else yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        return YamlText(mistakes=(_unreadable(error),))
    if wrong or root is None:
        return YamlText(mistakes=tuple(wrong) or (Mistake(0, Said("kosong", "empty")),))
    reader = _Reader()
    data = reader.read(root, ())
    return YamlText(data, reader.lines, tuple(reader.mistakes))


def _refused(text: str) -> Iterator[Mistake]:
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            yield Mistake(
                event.start_mark.line + 1, Said("rujukan (*) tidak dipakai di sini", "no references (*) here")
            )


def _unreadable(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    what = Said(
        f"bukan YAML: {problem}. Periksa spasi di awal baris (bukan tab) dan titik dua di baris ini atau sebelumnya",
        f"not YAML: {problem}. Look at the spaces that begin the line (no tabs) and the colons here or just before",
    )
    return Mistake(mark.line + 1 if mark else 0, what)


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Where, int] = {(): 0}
        self.mistakes: list[Mistake] = []

    def read(self, node: yaml.Node, where: Where) -> Any:
        self.lines.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*where, number)) for number, item in enumerate(node.value)]
        return node.value

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.mistakes.append(Mistake(line, Said("nama kunci harus teks", "a key's name must be text")))
                continue
            if key.value in table:
                what = Said(f"kunci {key.value!r} ditulis dua kali", f"key {key.value!r} is written twice")
                self.mistakes.append(Mistake(line, what))
            self.lines[(*where, key.value)] = line
            table[key.value] = self.read(value, (*where, key.value))
        return {name: value for name, value in table.items() if value != ""}
