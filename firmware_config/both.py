"""A sentence for people in both languages, and the error that carries one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Both:
    """The same sentence in Indonesian and English."""

    indonesian: str
    english: str

    def said(self, language: str) -> str:
        return self.english if language == "en" else self.indonesian


class Wrong(ValueError):
    """A value that cannot stand; says why. A ValueError, so that a schema's validators may raise it."""

    def __init__(self, indonesian: str, english: str) -> None:
        super().__init__(english)
        self.both = Both(indonesian, english)
