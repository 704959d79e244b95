"""A pad: bounces, noise, a hand that leans on it; a house calls at the first strike, the post's own at the second."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.codebook_files import load_codebook, load_rules
from bridge.domain.pad import CONFIRM_MS, LONGEST_MS, OVER_MS, Pad
from tests.rhythm.strikers import Hand

Act = tuple[str, str]


def play(pad: Pad, times: list[int], held_ms: int = 40, until_ms: int | None = None) -> list[tuple[int, Act]]:
    """Strikes at `times`; the pad is ticked when it asks to be. Each act with its moment."""
    edges = sorted([(at, True) for at in times] + [(at + held_ms, False) for at in times])
    acts: list[tuple[int, Act]] = []
    for at, closed in [*edges, ((until_ms or times[-1] + 6000), None)]:
        while (due := pad.next_ms()) is not None and due < at:
            acts += [(due, act) for act in pad.tick(due)]
        acts += [(at, act) for act in (pad.tick(at) if closed is None else pad.edge(closed, at))]
    return acts


def names(acts: list[tuple[int, Act]]) -> list[Act]:
    return [act for _, act in acts]


@pytest.fixture
def house() -> Pad:
    return Pad(load_codebook("a"))


@pytest.fixture
def post() -> Pad:
    return Pad(load_codebook("b"), at_post=True)


def test_a_house_calls_at_the_first_strike_and_says_what_it_is_at_the_second_group(house: Pad) -> None:
    acts = play(house, [1000, 1300, 1600, 3100, 3400, 3700])
    assert names(acts) == [("PRESS", "PANIC"), ("KIND", "FIRE")]
    assert acts[0][0] <= 1005
    assert acts[1][0] < 3700 + 1500  # when the second group is over, not after the whole silence


def test_one_group_and_silence(house: Pad) -> None:
    acts = play(house, [1000, 1300])
    assert acts == [(1004, ("PRESS", "PANIC")), (1300 + OVER_MS, ("KIND", "THEFT"))]


def test_titir_says_danger_and_nothing_more_unless_the_book_does(house: Pad, post: Pad) -> None:
    beats = [1000 + 200 * beat for beat in range(12)]
    assert names(play(house, beats)) == [("PRESS", "PANIC")]
    assert names(play(post, beats)) == [("LONE", ""), ("PRESS", "PANIC"), ("KIND", "MURDER")]


def test_what_cannot_be_read_is_unknown(house: Pad) -> None:
    assert names(play(house, [1000, 1300, 2800, 3100, 3400, 5000]))[-1] == ("KIND", "UNKNOWN")


def test_the_next_sequence_is_a_new_press(house: Pad) -> None:
    acts = names(play(house, [1000, 1300, 1300 + OVER_MS + 100, 1600 + OVER_MS + 100]))
    assert acts.count(("PRESS", "PANIC")) == 2


def test_that_all_is_well_is_said_only_after_the_whole(house: Pad) -> None:
    acts = play(house, [1000, *[2500 + 300 * beat for beat in range(7)], 5800])
    assert acts[1:] == [(5800 + OVER_MS, ("KIND", "AMAN"))]


def test_danger_is_not_talked_down(house: Pad) -> None:
    """Fire, and then doro muluk within the same sequence."""
    fire = [1000, 1300, 1600, 3100, 3400, 3700]
    safe = [5300, *[6800 + 300 * beat for beat in range(7)], 10_200]
    assert ("KIND", "AMAN") not in names(play(house, fire + safe))


def test_what_was_danger_is_not_made_unknown_by_what_follows(house: Pad) -> None:
    """Two and two, and then five: nobody can read the whole, but a thief was told."""
    five = [5000 + 300 * beat for beat in range(5)]
    assert house._codebook.hear([1000, 1300, 2800, 3100, *five]).kind == "UNKNOWN"
    assert names(play(house, [1000, 1300, 2800, 3100, *five])) == [("PRESS", "PANIC"), ("KIND", "THEFT")]


def test_bounces_are_one_strike(house: Pad) -> None:
    chance, acts = random.Random(1), []
    for strike in (1000, 1300):
        at, closed = strike, True
        for _ in range(9):
            acts += house.edge(closed, at)
            at, closed = at + chance.randint(1, 3), not closed
        acts += house.edge(True, at)
        acts += house.tick(at + 5)
        acts += house.edge(False, at + 60)
        acts += house.edge(True, at + 63)  # the spring of the opening contact
        acts += house.edge(False, at + 66)
    acts += house.tick(1300 + 5000)
    assert acts == [("PRESS", "PANIC"), ("KIND", "THEFT")]


def test_single_spikes_of_noise_are_nothing(house: Pad) -> None:
    acts: list[Act] = []
    for at in range(1000, 60_000, 137):
        acts += house.edge(True, at) + house.edge(False, at + 1)
    assert acts == [] and house.next_ms() is None


def test_a_tap_that_only_chatters_is_a_strike_where_it_began(house: Pad) -> None:
    acts: list[Act] = []
    for at in (1000, 1003, 1006):  # closed for two milliseconds and open for one, three times over
        acts += house.edge(True, at) + house.edge(False, at + 2)
    assert acts == [("PRESS", "PANIC")]
    assert house.tick(1000 + OVER_MS) == [("KIND", "MURDER")]


def test_what_no_hand_can_strike_twice_is_one_strike(post: Pad) -> None:
    """The stick bounces on the wood after the hourly beat."""
    acts = play(post, [1000, 1045], held_ms=10)
    assert names(acts) == [("LONE", ""), ("AMAN", "")]


def test_a_pad_that_is_held_is_one_press_then_a_fault_then_well(house: Pad) -> None:
    acts = play(house, [1000], held_ms=60_000, until_ms=70_000)
    assert names(acts) == [("PRESS", "PANIC"), ("KIND", "MURDER"), ("STUCK", ""), ("FREED", "")]


def test_the_posts_hourly_beat_is_a_chirp_and_no_alarm(post: Pad) -> None:
    assert names(play(post, [1000])) == [("LONE", ""), ("AMAN", "")]


def test_the_posts_second_strike_is_an_alarm(post: Pad) -> None:
    acts = play(post, [1000, 1300, 2800, 3100])
    assert acts[:2] == [(1004, ("LONE", "")), (1304, ("PRESS", "PANIC"))]
    assert names(acts)[-1] == ("KIND", "THEFT")


def test_a_lone_strike_that_the_book_does_not_know_as_safe_is_an_alarm_after_four_seconds() -> None:
    acts = play(Pad(load_codebook("a"), at_post=True), [1000])
    assert acts == [(1004, ("LONE", "")), (1000 + OVER_MS, ("PRESS", "PANIC")), (1000 + OVER_MS, ("KIND", "MURDER"))]


def test_the_posts_pad_that_is_leant_on_is_no_hourly_beat(post: Pad) -> None:
    acts = names(play(post, [1000], held_ms=20_000, until_ms=30_000))
    assert acts.count(("PRESS", "PANIC")) == 1 and ("AMAN", "") not in acts


def test_who_strikes_on_is_heard_again(house: Pad) -> None:
    beats = list(range(1000, 1000 + 3 * LONGEST_MS, 250))
    acts = names(play(house, beats))
    assert 3 <= acts.count(("PRESS", "PANIC")) <= 4


@pytest.mark.parametrize("name", ["a", "a-gunungkidul", "b", "c", "d"])
def test_no_striking_of_a_house_is_lost(name: str) -> None:
    """Every book, every rhythm, uneven hands with faults: each begins with a press at its first strike."""
    chance, counts = random.Random(name), Counter[str]()
    for pattern in load_rules(name):
        for _ in range(60):
            times = Hand(faults=0.05).strike(pattern, 2, chance)
            acts = play(Pad(load_codebook(name)), times, held_ms=25)
            assert acts[0] == (times[0] + 4, ("PRESS", "PANIC"))
            counts["presses"] += 1
    assert counts["presses"] == 60 * len(load_rules(name))


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 8)), max_size=12), st.integers(4, 300))
def test_whatever_bounces_the_first_closing_that_lasts_is_a_press_of_a_house(
    bounces: list[tuple[int, int]], held_ms: int
) -> None:
    """Random bounces, then contact for as long as the shortest tap: a press, at once and once."""
    pad, at, acts = Pad(load_codebook("d")), 1000, []
    for closed_ms, open_ms in bounces:
        acts += pad.edge(True, at) + pad.edge(False, at + closed_ms)
        at += closed_ms + open_ms
    acts += pad.edge(True, at) + pad.tick(at + CONFIRM_MS)
    assert acts == [("PRESS", "PANIC")]
    assert ("PRESS", "PANIC") not in pad.edge(False, at + held_ms) + pad.tick(at + held_ms + OVER_MS)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=60), st.booleans())
def test_whatever_the_contact_does_time_never_runs_backwards_and_a_real_closing_is_a_press(
    edges: list[tuple[bool, int]], at_post: bool
) -> None:
    pad, at, acts = Pad(load_codebook("c"), at_post), 1000, []
    for closed, gap in edges:
        at += gap
        acts += pad.edge(closed, at)
        assert (due := pad.next_ms()) is None or due >= 0
    acts += pad.edge(True, at + 5000) + pad.tick(at + 5010)
    acts += pad.edge(False, at + 5100) + pad.edge(True, at + 5400) + pad.tick(at + 5410)
    whats = [what for what, _ in acts]
    assert "PRESS" in whats
    assert whats.count("STUCK") - whats.count("FREED") in (0, 1)
