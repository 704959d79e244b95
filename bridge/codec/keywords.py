"""Which words call for help, and how plainly: the reader's vocabulary, from `keywords*.toml`."""

import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from bridge.domain.press import Kind

LONG_SENTENCE = 12  # words; who needs more than these is telling a story
FEW = 1  # so many words beside a weak keyword and what may lead it

OURS = ("keywords.toml", "keywords_jv_mad.toml")

_WORD = re.compile(r"[^\W\d_]+")
_LONG_LETTER = re.compile(r"([^\W\d_])\1+")
_ENDINGS = ("nya", "lah", "kah")


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say it, as words without long letters. `kind` None: an innocent phrase."""

    words: tuple[str, ...]
    kind: Kind | None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A form found at word `at`."""

    at: int
    form: Form


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: the kind, and whether it is perhaps only talk."""

    kind: Kind
    is_talk: bool


def split(text: str) -> list[str]:
    """The words of a text: small letters without accents, each long letter once, digits and punctuation gone."""
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text).replace("\N{SQUARED SOS}", " sos ")
        text = "".join(letter for letter in spread if not unicodedata.combining(letter))
    return _WORD.findall(_LONG_LETTER.sub(r"\1", text.casefold()))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Forms by their first word, longest first; words of `lead` may stand before a keyword."""

    forms: dict[str, tuple[Form, ...]]
    lead: frozenset[str]
    known: frozenset[str]  # every word of both

    def kind_anywhere(self, text: str) -> Kind | None:
        """The plainest kind that any words of the text name; None without a keyword."""
        hits = self._hits(self._words(text))
        return _plainest(hits).form.kind if hits else None

    def read(self, text: str) -> Reading | None:
        """A free text as a call for help, or None.

        A keyword leads when only greetings, places and haste stand before it. One that does not lead is perhaps talk,
        however late it stands: who is frightened tells first where and whose house. An everyday word must lead.
        """
        words = self._words(text)
        hits = self._hits(words)
        if not hits:
            return None
        kind = _plainest(hits).form.kind or Kind.PANIC
        is_weak = all(hit.form.weak for hit in hits)
        if self.lead.issuperset(words[: hits[0].at]):
            is_everyday = is_weak and self._others(words, hits) > FEW
            return Reading(kind, is_everyday or "?" in text or len(words) > LONG_SENTENCE)
        return None if is_weak else Reading(kind, is_talk=True)

    def _others(self, words: list[str], hits: list[Hit]) -> int:
        return sum(word not in self.lead for word in words) - sum(len(hit.form.words) for hit in hits)

    def _words(self, text: str) -> list[str]:
        """The words of a text without the endings that our forms do not have."""
        words = split(text)
        return [word if word in self.known or not word.endswith(_ENDINGS) else word[:-3] for word in words]

    def _hits(self, words: list[str]) -> list[Hit]:
        """Every keyword in its place; innocent phrases are stepped over."""
        hits: list[Hit] = []
        at = 0
        while at < len(words):
            form = self._form_at(words, at) if words[at] in self.forms else None
            if form is not None and form.kind is not None:
                hits.append(Hit(at, form))
            at += len(form.words) if form is not None else 1
        return hits

    def _form_at(self, words: list[str], at: int) -> Form | None:
        for form in self.forms[words[at]]:
            size = len(form.words)
            if size == 1 or form.words == tuple(words[at : at + size]):
                return form
        return None


def _plainest(hits: list[Hit]) -> Hit:
    """The first that says what is happening; a strong form before a weak one; else the first cry for help."""
    return min(hits, key=lambda hit: (hit.form.kind is Kind.PANIC, hit.form.weak, hit.at))


def load_vocabulary(*paths: Path) -> Vocabulary:
    """Our own words, or those of files of the same shape. Raises OSError, ValueError or KeyError for a bad file."""
    tables = [tomllib.loads(source.read_text(encoding="utf-8")) for source in paths or _ours()]
    by_first: dict[str, dict[tuple[str, ...], Form]] = {}
    for form in _forms(tables):
        by_first.setdefault(form.words[0], {}).setdefault(form.words, form)
    lead = {word for table in tables for text in table["lead"]["forms"] for word in split(text)}
    in_forms = {word for forms in by_first.values() for form in forms.values() for word in form.words}
    return Vocabulary(
        {first: tuple(sorted(forms.values(), key=_longest)) for first, forms in by_first.items()},
        lead=frozenset(lead),
        known=frozenset(lead | in_forms),
    )


def _ours() -> list[Traversable]:
    return [files("bridge.codec") / name for name in OURS]


def _longest(form: Form) -> int:
    return -len(form.words)


def _forms(tables: list[dict[str, Any]]) -> Iterator[Form]:
    lists = {name: words for table in tables for name, words in table["lists"].items()}
    for table in tables:
        for text in _expanded(table["innocent"]["forms"], lists):
            yield Form(_form(text), None)
    for group in (group for table in tables for group in table["keywords"]):
        for text in _expanded(group["forms"], lists):
            yield Form(_form(text), Kind(group["kind"]), group.get("weak", False))


def _form(text: str) -> tuple[str, ...]:
    """Its words, each held once in memory: the same few make up most forms."""
    return tuple(map(sys.intern, split(text)))


def _expanded(patterns: list[str], lists: dict[str, list[str]]) -> Iterator[str]:
    for pattern in patterns:
        yield from _expand(pattern, lists)


def _expand(pattern: str, lists: dict[str, list[str]]) -> Iterator[str]:
    """`<animal> hilang` is one form for each animal."""
    before, opened, rest = pattern.partition("<")
    if not opened:
        yield pattern
        return
    name, _, after = rest.partition(">")
    for word in lists[name]:
        yield f"{before}{word}{after}"
