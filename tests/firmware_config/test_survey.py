"""A village is asked house by house: who is heard with something to spare, at a pace that the law allows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.domain.airtime import DUTY, HOUR_S, packet_s
from cli.survey import Pace, ask_all
from firmware_config.device_survey import Asker
from firmware_config.survey import ANSWER_TRIES, QUESTION_BYTES, Target, Try, Verdict, is_done, standings
from firmware_config.survey_page import page
from simulator.air import Air
from simulator.village import Village

WORDS = {key: key for key in ("name", "verdict", "share", "snr", "hops", "took", "post", "intro", *Verdict)} | {
    "lang": "id"
}
QUICK = Pace(wait_s=1.5, gap_s=0.0, sleep=lambda _s: None)


def answers(*snr_db: float | None) -> list[Try]:
    return [Try(1, None if snr is None else 0.5, snr, 0) for snr in snr_db]


@pytest.mark.parametrize(
    ("tries", "preset", "verdict"),
    [
        ([], "MEDIUM_FAST", Verdict.UNASKED),
        (answers(None, None), "MEDIUM_FAST", Verdict.SILENT),
        (answers(-6.5, -6.5, -6.5), "MEDIUM_FAST", Verdict.GOOD),
        (answers(-6.75, -6.75, -6.75), "MEDIUM_FAST", Verdict.WEAK),
        (answers(-6.75), "LONG_FAST", Verdict.GOOD),
        (answers(-2.0), "SHORT_FAST", Verdict.WEAK),
        (answers(5, None, 5), "MEDIUM_FAST", Verdict.WEAK),
        (answers(*[5] * 9, None), "MEDIUM_FAST", Verdict.GOOD),
        (answers(-20, 5, 5), "MEDIUM_FAST", Verdict.GOOD),
        ([Try(1, 0.5)], "MEDIUM_FAST", Verdict.GOOD),
    ],
)
def test_who_has_something_to_spare(tries: list[Try], preset: str, verdict: Verdict) -> None:
    (standing,) = standings([Target("RT03-12", 1)], tries, preset)
    assert standing.verdict is verdict


def test_a_lossy_village_is_asked_and_every_question_accounted_for() -> None:
    air = Air(seed=5, loss=0.25, delay_s=0.005, retry_s=0.1)
    with Village(seed=5, air=air) as village:
        gateway = village.gateway("gw")
        houses = [village.house(f"RT01-{number}") for number in range(4)]
        far, stranger = village.house("RT02-1"), village.house("RT02-2", stranger=True)
        village.cut(far)
        nodes = [*houses, far, stranger]
        targets = [Target(node.name, node.num) for node in nodes]
        with Asker(gateway.serve_tcp()) as asker:
            tries = [one for _, one in ask_all(asker, targets, 3, (), QUICK)]
        asked = [sent.to for sent in gateway.sent if sent.to != gateway.num]
    found = {standing.target.name: standing for standing in standings(targets, tries, asker.preset)}
    assert [standing.asked for standing in found.values()] == [3] * 6
    assert sorted(asked) == sorted(node.num for node in nodes[:-1] for _ in range(3)), "each once, none in vain"
    assert found["RT02-1"].verdict is Verdict.SILENT and found["RT02-1"].why in ("TIMEOUT", "MAX_RETRANSMIT")
    assert (found["RT02-2"].verdict, found["RT02-2"].why) == (Verdict.SILENT, "NO_KEY")
    heard = [found[house.name] for house in houses]
    assert sum(standing.answered for standing in heard) >= 5
    assert all(standing.snr_db is not None and 5 <= standing.snr_db <= 8 for standing in heard if standing.answered)
    assert not [text for node in nodes for text in node.inbox], "nobody's screen shows a survey"


def test_a_survey_goes_on_where_it_was_broken_off() -> None:
    targets = [Target(f"h{node}", node) for node in (1, 2, 3)]
    done = [Try(1, 0.5), Try(2, None), Try(1, 0.5)]
    asker = Counting()
    rest = [one.node for _, one in ask_all(asker, targets, 2, done, QUICK)]  # type: ignore[arg-type]
    assert rest == [3, 2, 3]
    assert is_done(standings(targets, [*done, *map(Try, rest, [1.0] * 3)], "MEDIUM_FAST"), 2)


class Counting:
    """Answers nobody, at a time of its own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.asked: list[float] = []

    def ask(self, node: int, wait_s: float) -> Try:
        self.asked.append(self.now_s)
        self.now_s += 1.0
        return Try(node, None)

    def sleep(self, s: float) -> None:
        self.now_s += s


def test_no_hour_has_more_than_its_share_of_the_air() -> None:
    asker, waits = Counting(), list[float]()
    pace = Pace(sleep=asker.sleep, now=lambda: asker.now_s)
    targets = [Target(str(node), node) for node in range(1, 61)]
    list(ask_all(asker, targets, 3, (), pace, waits.append))  # type: ignore[arg-type]
    assert len(asker.asked) == 180
    assert min(b - a for a, b in zip(asker.asked, asker.asked[1:], strict=False)) >= 2.0
    cost_s = packet_s(QUESTION_BYTES) * ANSWER_TRIES
    busiest = max(sum(at <= other < at + HOUR_S for other in asker.asked) for at in asker.asked)
    assert busiest * cost_s <= 0.75 * DUTY * HOUR_S
    assert waits[0] > 0, "sixty houses do not fit into one hour when none of them answers"


@pytest.fixture
def told() -> Iterator[str]:
    targets = [Target("RT01-1 <b>", 1, (-8.17, 113.7)), Target("RT01-2", 2, (-8.18, 113.71))]
    tries = [Try(1, 0.5, 6.0, 0), Try(2, None)]
    yield page("Survei & radio", WORDS, standings(targets, tries, "MEDIUM_FAST"))


def test_the_page_needs_nothing_from_outside_and_takes_names_as_text(told: str) -> None:
    assert not re.findall(r"(?:src|href)=|url\(|@import|<script", told)
    assert set(re.findall(r"https?://[^\"]+", told)) == {"http://www.w3.org/2000/svg"}, "a name, never fetched"
    assert "RT01-1 &lt;b&gt;" in told and "<b>" not in told.replace("<b style", "")
    assert "Survei &amp; radio" in told


@pytest.mark.parametrize("places", [[None, None, None], [(-8.1, 113.7), None, None], [(-8.1, 113.7)] * 3])
def test_every_house_stands_in_the_picture(places: list[tuple[float, float] | None], tmp_path: Path) -> None:
    targets = [Target(f"h{node}", node, at) for node, at in enumerate(places)]
    tries = [Try(0, 0.5, 6.0, 0), Try(1, 0.5, 6.0, 2)]
    picture = page("t", WORDS, standings(targets, tries, "MEDIUM_FAST"))
    spots = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.-]+)" cy="([\d.-]+)"', picture)]
    assert len(spots) == 3 and all(0 < x < 640 and 0 < y < 640 for x, y in spots)


def test_what_was_spoken_before_counts() -> None:
    asker, waits = Counting(), list[float]()
    pace = Pace(sleep=asker.sleep, now=lambda: asker.now_s)
    list(ask_all(asker, [Target("h", 1)], 1, (), pace, waits.append, spoken_s=30.0))  # type: ignore[arg-type]
    assert waits == [HOUR_S] and asker.asked == [HOUR_S]
