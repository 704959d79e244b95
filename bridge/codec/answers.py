"""What a post says back to strikers with a stock node, and aloud to the village. Only what is true at that step.

Every text begins with `P1 <post>`: people see who speaks, and no post takes it for a press (docs: On the air).
"""

from dataclasses import dataclass
from typing import Literal, assert_never

from bridge.codec.line import Keys, answer_line, beacon_line
from bridge.codec.stock import as_heard, cut
from bridge.domain.commands import Announce, Beacon, Light, Tell, Words
from bridge.domain.step import Step

Language = Literal["id", "en"]

TEXT_BYTES = 200  # a line on air; the firmware refuses 233
BY_BYTES = 40


@dataclass(frozen=True, slots=True)
class _Saying:
    """One step in one language: to a striker, to a striker when we know who acts, and aloud after the names."""

    plain: str
    by: str
    aloud: str


_INDONESIAN = {
    Step.JOURNALED: _Saying(
        "Pos sudah menerima panggilan Anda dan meneruskannya. Polisi belum menjawab.", "", "pos sudah menerima."
    ),
    Step.NOT_CONNECTED: _Saying(
        "POLISI BELUM TERSAMBUNG. Pos sudah menerima panggilan Anda. Telepon {phones}, terus pukul kentongan.",
        "",
        "POLISI BELUM TERSAMBUNG, telepon {phones}, terus pukul kentongan.",
    ),
    Step.STORED: _Saying(
        "Polisi sudah menerima panggilan Anda, belum dibaca petugas.", "", "polisi sudah menerima, belum dibaca."
    ),
    Step.ACKNOWLEDGED: _Saying(
        "Petugas polisi sudah membaca panggilan Anda.", "{by} sudah membaca panggilan Anda.", "sudah dibaca petugas."
    ),
    Step.DISPATCHED: _Saying(
        "Petugas sedang menuju ke tempat Anda.", "{by} sedang menuju ke tempat Anda.", "petugas sedang menuju ke sana."
    ),
    Step.GUARDS: _Saying("Penjaga sedang menuju ke tempat Anda.", "", "penjaga sedang menuju ke sana."),
    Step.ON_SCENE: _Saying("Petugas sudah tiba di lokasi.", "{by} sudah tiba di lokasi.", "petugas sudah tiba."),
    Step.WITHDRAWN: _Saying(
        "Petugas batal datang. Bila masih perlu, telepon {phones} atau pukul lagi.",
        "{by} batal datang. Bila masih perlu, telepon {phones} atau pukul lagi.",
        "petugas batal datang; bila masih perlu, pukul lagi.",
    ),
    Step.CLOSED: _Saying("Panggilan Anda sudah ditutup.", "Panggilan Anda sudah ditutup oleh {by}.", "sudah ditutup."),
    Step.DRILL: _Saying("LATIHAN. Pos sudah menerima panggilan latihan Anda.", "", "LATIHAN, pos sudah menerima."),
}

_ENGLISH = {
    Step.JOURNALED: _Saying(
        "The post has your call and passes it on. The police have not answered yet.", "", "the post has it."
    ),
    Step.NOT_CONNECTED: _Saying(
        "POLICE NOT CONNECTED. The post has your call. Phone {phones}, keep striking.",
        "",
        "POLICE NOT CONNECTED, phone {phones}, keep striking.",
    ),
    Step.STORED: _Saying("The police have your call; no officer has read it yet.", "", "the police have it, not read."),
    Step.ACKNOWLEDGED: _Saying("An officer has read your call.", "{by} has read your call.", "an officer has read it."),
    Step.DISPATCHED: _Saying("Officers are on their way to you.", "{by}: on the way to you.", "officers on the way."),
    Step.GUARDS: _Saying("Guards are on their way to you.", "", "guards on the way."),
    Step.ON_SCENE: _Saying("Officers are on scene.", "{by}: on scene.", "officers on scene."),
    Step.WITHDRAWN: _Saying(
        "The officers are not coming. If you still need them, phone {phones} or strike again.",
        "{by}: not coming. If you still need them, phone {phones} or strike again.",
        "not coming; strike again if still needed.",
    ),
    Step.CLOSED: _Saying("Your call is closed.", "Your call is closed, by {by}.", "closed."),
    Step.DRILL: _Saying("DRILL. The post has your practice call.", "", "DRILL, the post has it."),
}

_SAYINGS: dict[Language, dict[Step, _Saying]] = {"id": _INDONESIAN, "en": _ENGLISH}
_POLICE: dict[Language, str] = {"id": "POLISI", "en": "POLICE"}
_OR: dict[Language, str] = {"id": " atau ", "en": " or "}
_OTHERS: dict[Language, str] = {"id": "dan {count} lainnya", "en": "and {count} more"}


class Answers:
    """A post's sentences, and its lines for lamps. `post` is its name on air (PostId.post); two phones are named."""

    def __init__(self, language: Language, phones: tuple[str, ...], post: str, keys: Keys) -> None:
        self._post, self._keys = post, keys
        self._sayings = _SAYINGS[language]
        self._police, self._others = _POLICE[language], _OTHERS[language]
        self._phones = _OR[language].join(phones[:2]) or "110"
        self._mark = f"P1 {post} "

    def compose(self, words: Words) -> str:
        """One text of at most 200 bytes."""
        match words:
            case Light(lamps=lamps):
                return answer_line(self._post, lamps, self._keys)
            case Beacon():
                return beacon_line(self._post)
            case Tell(text="", step=step, by=by):
                return self._mark + self._step(step, by)
            case Announce(called=called, step=Step() as step) if called:
                return self._mark + self._aloud(called, step)
            case Announce(text="", step=Step() as step, by=by):
                return self._mark + self._step(step, by)
            case Tell(text=text, by=by):
                return self._message(text, by)
            case Announce(text=text, by=by, called=called):
                return self._message(", ".join([*called, text]), by)
            case _:
                assert_never(words)

    def fit(self, names: tuple[str, ...], step: Step) -> int:
        """How many of `names` can be called in one text about `step`."""
        return max(count for count in range(len(names) + 1) if self._fits(names[:count], step))

    def _step(self, step: Step, by: str) -> str:
        saying = self._sayings[step]
        name = cut(_one_line(by), BY_BYTES)
        return (saying.by if name and saying.by else saying.plain).format(by=name, phones=self._phones)

    def _aloud(self, names: tuple[str, ...], step: Step) -> str:
        """Whole names only; those that do not fit are counted."""
        for count in range(len(names), 0, -1):
            left = len(names) - count
            shown = names[:count] if not left else (*names[:count], self._others.format(count=left))
            if self._fits(shown, step):
                return self._calling(shown, step)
        return self._calling((self._others.format(count=len(names)),), step)

    def _fits(self, names: tuple[str, ...], step: Step) -> bool:
        return len((self._mark + self._calling(names, step)).encode()) <= TEXT_BYTES

    def _calling(self, names: tuple[str, ...], step: Step) -> str:
        saying = self._sayings[step].aloud.format(phones=self._phones)
        return f"{', '.join(_one_line(name) for name in names)}: {saying}"

    def _message(self, text: str, by: str) -> str:
        """An officer's own words, with who says them; cut between characters."""
        name = cut(_one_line(by), BY_BYTES)
        speaker = f"{self._police} ({name})" if name else self._police
        return cut(f"{self._mark}{speaker}: {_one_line(text)}", TEXT_BYTES)


def _one_line(text: str) -> str:
    return " ".join(as_heard(text).split())
