"""The radio may speak 36 s in an hour; whoever needs help is told before whoever waits for news."""

import pytest

from bridge.domain import commands as cmd
from bridge.domain import events as ev
from bridge.domain.airtime import Airtime, packet_s, text_s
from bridge.domain.alarm import Stage
from bridge.domain.ids import packet_press
from bridge.domain.step import Step
from tests.engine.stage import HOUSE, Everybody, Post, press, word


@pytest.mark.parametrize("seconds, of_table", [(text_s(20), 0.160), (packet_s(13), 0.130)])
def test_the_times_are_those_of_the_table_for_medium_fast(seconds: float, of_table: float) -> None:
    assert seconds == pytest.approx(of_table, abs=0.001)


def test_the_hour_rolls_and_a_quarter_is_kept_for_what_is_urgent() -> None:
    airtime = Airtime(budget_s=4.0)
    for second in range(3):
        airtime.spend(1.0, float(second))
    assert airtime.free_at(1.0, 10.0, is_urgent=True) == 10.0
    assert airtime.free_at(1.0, 10.0, is_urgent=False) == 3600.0
    assert airtime.free_at(2.0, 10.0, is_urgent=True) == 3600.0
    assert airtime.spent_s(3601.5) == pytest.approx(1.0)


def test_in_a_short_hour_help_on_its_way_is_told_and_news_must_wait() -> None:
    post = Post(register=Everybody())
    post.happen(ev.RadioUp("gw1", 1, (), ""))
    post.happen(ev.DeskReachable("police"))
    for n in range(400):
        post.hear(press(1, num=0x1000 + n))
    said = post.commit()
    for _ in range(2000):
        said += post.take(said.pop(0)) if said else post.happen(ev.Tick(), 1.0)
        if post.now.mono_s > 1500.0:
            break
    airtime = post.engine._strikers._tellings.airtime
    assert 0.7 * airtime.budget_s < airtime.spent_s(post.now.mono_s) <= 0.75 * airtime.budget_s
    assert len(post.engine._strikers) > 200
    urgent = post.happen(word(1, Stage.DISPATCHED, packet_press(HOUSE, 9)))
    assert [(type(c), c.step) for c in urgent] == [(cmd.Tell, Step.DISPATCHED)]
    before = len(post.of(cmd.Tell))
    while post.now.mono_s < 7000.0:
        for command in post.happen(ev.Tick(), max(1.0, post.engine.wait_s(post.now))):
            post.take(command)
        assert airtime.spent_s(post.now.mono_s) <= airtime.budget_s
    assert len(post.of(cmd.Tell)) > before  # an hour later there is room again
