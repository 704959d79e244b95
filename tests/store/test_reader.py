"""Looking into the journal: pages for the uplink, lists for people."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain.alarm import Outcome, Stage
from bridge.domain.commands import SaveReply, SaveWord
from bridge.domain.desk import Answer, Fate, OrderKind, Word
from bridge.domain.errors import JournalFailed
from bridge.domain.step import Step
from bridge.store import Journal, JournalReader
from tests.store.village import TODAY_S, alarm, heard, press_id, receipt, row, saved


def test_pages_show_each_waiting_row_once_newest_first(path: Path, journal: Journal) -> None:
    journal.write([saved(alarm(number)) for number in range(1, 101)])
    journal.write([receipt(*(alarm(number) for number in range(1, 101, 3)))])
    reader, before, seen = JournalReader(path), None, []
    while page := reader.page(before, 7):
        seen += page
        before = page[-1].sequence
    assert seen == [row(alarm(number)) for number in range(100, 0, -1) if number % 3 != 1]
    assert reader.pending() == len(seen)


def test_alarms_are_listed_newest_first(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), saved(alarm(2, stage=Stage.CLOSED)), *heard(3), receipt(alarm(3))])
    reader = JournalReader(path)
    assert [(line["sequence"], line["desk"]) for line in reader.alarms(10)] == [
        (3, "stored"), (2, "waiting"), (1, "waiting"),
    ]  # fmt: skip
    assert [line["sequence"] for line in reader.alarms(10, open_only=True)] == [3, 1]
    assert [line["sequence"] for line in reader.alarms(1)] == [3]


def test_one_alarm_is_shown_with_all_that_hangs_on_it(path: Path, journal: Journal) -> None:
    word = Word("polsek", 5, OrderKind.STAGE, press_id(1), "", Stage.DISPATCHED, "Bripka Sari")
    reply = SaveReply(press_id(1), Step.STORED, Outcome.TOLD, TODAY_S)
    journal.write([*heard(1), reply, SaveWord(word, Answer("polsek", 5, Fate.TOLD, TODAY_S))])
    shown = JournalReader(path).alarm(press_id(1))
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["place"], shown["heard"], shown["desk"]) == ("RT03-1, RT 3/RW 5", ["kebakaran"], "waiting")
    assert [(seen["radio"], seen["hops"]) for seen in shown["sightings"]] == [("gw", 1)]
    assert [(told["step"], told["outcome"]) for told in shown["replies"]] == [("S", "told")]
    assert [(said["by"], said["fate"]) for said in shown["words"]] == [("Bripka Sari", "told")]


def test_it_reads_while_no_bridge_runs(path: Path, journal: Journal) -> None:
    journal.write(heard(1))
    journal.close()
    assert JournalReader(path).alarm(press_id(1))["id"] == press_id(1)
    assert JournalReader(path).pending() == 1


@pytest.mark.parametrize("look", ["page", "alarm"])
def test_what_is_not_there_is_one_clear_line(path: Path, journal: Journal, look: str) -> None:
    with pytest.raises(JournalFailed) as failed:
        if look == "alarm":
            JournalReader(path).alarm("nobody")
        else:
            JournalReader(path.with_name("none.db")).page(None, 1)
    assert "\n" not in str(failed.value)


def test_readers_on_other_threads_see_whole_commits_only(path: Path, journal: Journal) -> None:
    """Every commit here holds ten alarms; a reader that saw seven would be reading in the middle of one."""
    counts: list[int] = []
    is_done = threading.Event()

    def look() -> None:
        reader = JournalReader(path)
        while not is_done.is_set():
            counts.append(reader.pending())

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for tens in range(40):
        journal.write([fact for number in range(1, 11) for fact in heard(tens * 10 + number)])
    is_done.set()
    for reader in readers:
        reader.join()
    assert len(counts) > 2 and [count for count in counts if count % 10] == []
    assert JournalReader(path).pending() == 400


def test_a_row_that_was_receipted_comes_back_with_its_next_revision(path: Path, journal: Journal) -> None:
    journal.write([*heard(1), receipt(alarm(1))])
    journal.write([saved(replace(alarm(1), revision=2))])
    assert [each.revision for each in JournalReader(path).page(None, 10)] == [2]
