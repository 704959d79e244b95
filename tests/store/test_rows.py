"""What the journal gives back is what was put in, to the last bit."""

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.alarm import Alarm, Moment, Outcome, Stage, Told
from bridge.domain.desk import Answer, Fate, OrderKind, Word
from bridge.domain.place import Place
from bridge.domain.press import Kind, Remark, Sighting, Trust, Via
from bridge.store.rows import alarm_from_state, alarm_to_state, word_from_row, word_to_row
from bridge.store.tables import WordRow
from tests.store.village import alarm

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**53)
floats = st.floats(allow_nan=False, allow_infinity=False)
moments = st.builds(Moment, numbers, floats, floats, st.booleans())
places = st.builds(Place, texts, texts, texts, texts, st.none() | floats, st.none() | floats)
sightings = st.builds(
    Sighting, texts, st.none() | floats, st.none() | st.integers(-200, 0), st.none() | st.integers(0, 7), floats
)
stages = st.sampled_from(Stage)
alarms = st.builds(
    Alarm,
    id=texts,
    sequence=numbers,
    source=texts,
    kind=st.sampled_from(Kind),
    trust=st.sampled_from(Trust),
    via=st.sampled_from(Via),
    first=moments,
    latest=moments,
    presses=st.lists(texts, max_size=4).map(tuple),
    place=st.none() | places,
    words=st.lists(texts, max_size=4).map(tuple),
    remarks=st.frozensets(st.sampled_from(Remark)),
    channel=texts,
    sightings=st.lists(sightings, max_size=4).map(tuple),
    revision=numbers,
    stage=stages,
    by=texts,
    told=st.none() | st.builds(Told, stages, st.sampled_from(Outcome), floats),
)
words = st.builds(
    Word, texts, numbers, st.sampled_from(OrderKind), texts, texts, st.none() | stages, texts, texts
)  # fmt: skip


@given(alarms)
def test_an_alarm_comes_back_whole(call: Alarm) -> None:
    back = alarm_from_state(alarm_to_state(call), call.stage)
    assert back == call
    for field in fields(Alarm):
        assert type(getattr(back, field.name)) is type(getattr(call, field.name)), field.name


def test_the_rows_stage_may_be_ahead_and_never_behind() -> None:
    call = replace(alarm(1), stage=Stage.DISPATCHED)
    assert alarm_from_state(alarm_to_state(call), Stage.CLOSED).stage is Stage.CLOSED
    assert alarm_from_state(alarm_to_state(call), Stage.STORED).stage is Stage.DISPATCHED


@given(words, st.sampled_from(Fate), floats, texts)
def test_a_word_and_its_account_come_back_whole(word: Word, fate: Fate, at: float, detail: str) -> None:
    answer = Answer(word.desk, word.number, fate, at, detail)
    row = WordRow(**dict(zip(WordRow.model_fields, word_to_row(word, answer), strict=True)))
    assert word_from_row(row) == (word, answer)
