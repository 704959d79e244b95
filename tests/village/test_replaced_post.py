"""The post's card dies; from last night's backup the same post stands again, and no node is touched."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.store.reader import JournalReader
from tests.patience import until
from tests.village.presses import press_id, text_packet
from tests.village.scene import Scene, kentongan

pytestmark = pytest.mark.mosquitto

STRANGER, PACKET = 0x2000_0001, 0x0100_0001


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def backed_up(stage: Scene, stick: Path) -> tuple[Path, Path]:
    """The newest backup, and the paper with its key. The tests' disk is one, so the stick lies on the post's."""
    config = ("--config", str(stage.post_toml))
    paper = stick / "paper"
    paper.write_text(json.loads(kentongan("post", "backup-key", *config, "--json").stdout)["key"])
    done = json.loads(kentongan("post", "backup", "--to", str(stick), "--same-disk", *config, "--json").stdout)
    return Path(done["file"]), paper


def replace_card(stage: Scene, backup: Path, paper: Path) -> None:
    """Everything that was on the old one is gone."""
    stage.post.kill()
    shutil.rmtree(stage.post_toml.parent)
    kentongan("post", "restore", str(backup), str(stage.post_toml.parent), "--key", str(paper))
    stage.post.start()


def stages(stage: Scene) -> dict[str, str]:
    reader = JournalReader(stage.post_toml.with_name("journal.db"))
    return {row["id"]: row["stage"] for row in reader.alarms(100)}


def waiting(stage: Scene) -> int:
    return JournalReader(stage.post_toml.with_name("journal.db")).pending()


def named(stage: Scene) -> str:
    with closing(sqlite3.connect(stage.post_toml.with_name("journal.db"))) as journal:
        (uuid,) = journal.execute("SELECT uuid FROM journal").fetchone()
    return str(uuid)


def listed(stage: Scene) -> list[dict[str, Any]]:
    told = kentongan("desk", "list", "--all", "--json", "--config", str(stage.folder / "desk")).stdout
    return list(json.loads(told))


def test_a_post_replaced_from_its_backup_loses_nothing_and_doubles_nothing(evening: Scene, stick: Path) -> None:
    panic, closed = evening.press("RT01-01", "tolong"), evening.press("RT01-02")
    evening.wait_stored([panic, closed])
    backup, paper = backed_up(evening, stick)
    old = named(evening)

    # After the backup life goes on: what the new card cannot know.
    again = [evening.press("RT01-01", f"tolong {number}") for number in range(3)]  # the old journal's revisions 2 to 4
    later = press_id(STRANGER, PACKET)
    evening.pressed[later] = ""
    evening.gateway.deliver(text_packet(STRANGER, PACKET))
    evening.wait_stored([*again, later])
    evening.officer("close", closed)
    evening.officer("take", later)
    until(lambda: stages(evening)[closed] == "CLOSED", "the old post knows that it was closed", 20)

    replace_card(evening, backup, paper)
    until(lambda: stages(evening)[closed] == "CLOSED", "the new card learns what the old one was told", 20)
    assert named(evening) != old

    # A head without an answer says it again: new to the new card, not to the desk. And the first house strikes on; a
    # revision 3 under the old journal's name would be receipted as known, and its fire forgotten.
    evening.gateway.deliver(text_packet(STRANGER, PACKET))
    fire = evening.press("RT01-01", "kebakaran")
    evening.wait_stored([fire])
    until(lambda: stages(evening).get(later) == "ACKNOWLEDGED", "what the officer said of it comes too", 20)
    until(lambda: waiting(evening) == 0, "every receipt", 20)
    evening.account([panic, closed, *again, later, fire])
    (case,) = (case for case in listed(evening) if panic in case["ids"])
    assert {panic, *again, fire} <= set(case["ids"])
    assert case["kind"] == "FIRE"
