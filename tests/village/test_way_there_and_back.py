"""A press goes all the way and every step comes back, whatever is away in between."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.patience import until
from tests.village.presses import strangers
from tests.village.scene import VILLAGE, Program, Scene, kentongan

pytestmark = pytest.mark.mosquitto


def hears(stage: Scene, house: str, count: int, limit_s: float = 40.0) -> list[str]:
    until(lambda: len(stage.answers(house)) >= count, f"{count} answers at {house}", limit_s)
    return stage.answers(house)


def test_one_press_and_every_step_of_the_answer(evening: Scene) -> None:
    press = evening.press("RT03-12", "kebakaran dapur!")
    until(lambda: evening.rings() == ["FIRE"], "the siren", 5)
    evening.wait_stored([press])
    hears(evening, "RT03-12", 1)
    for verb in ("take", "dispatch", "on-scene", "close"):
        until(lambda: evening.status().get("telling") == 0, "the earlier answer arrived", 20)
        before = len(evening.answers("RT03-12"))
        evening.officer(verb, press)
        hears(evening, "RT03-12", before + 1)
    assert "Polsek Ajung" in evening.answers("RT03-12")[-1]
    evening.account([press])


def test_an_officers_word_waits_for_a_post_that_is_away(evening: Scene) -> None:
    press = evening.press("RT03-12")
    evening.wait_stored([press])
    hears(evening, "RT03-12", 1)
    evening.post.stop()
    heard = len(evening.answers("RT03-12"))
    evening.officer("take", press)
    evening.officer("dispatch", press)
    evening.post.start()
    until(lambda: any("Polsek Ajung" in text for text in evening.answers("RT03-12")[heard:]), "the officer's word", 60)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("count", [50, 2000])
def test_a_broker_that_is_away_costs_no_alarm(evening: Scene, broker: Mosquitto, count: int) -> None:
    evening.wait_radio()
    broker.kill()
    presses = strangers(evening, count)
    until(lambda: evening.status().get("unwritten") == 0 and len(evening.rings()) > 0, "the journal has all", 60)
    broker.start()
    evening.wait_stored(presses, 90)
    evening.account(presses)


def test_a_desk_restored_from_yesterdays_copy_gets_everything_again(evening: Scene, tmp_path: Path) -> None:
    first = evening.press("RT01-01")
    evening.wait_stored([first])
    evening.desk.stop()
    database = evening._database()
    copy = tmp_path / "yesterday.sqlite3"
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as sink:
        source.backup(sink)
    source.close()
    sink.close()
    evening.desk.start()
    evening.wait_desk()
    today = [evening.press(f"RT02-{n:02}") for n in range(5)]
    evening.wait_stored(today)
    evening.desk.stop()
    for leftover in database.parent.glob(database.name + "*"):
        leftover.unlink()
    shutil.copy(copy, database)
    assert set(evening.stored()) == {first}
    evening.desk.start()
    evening.wait_stored(today, 60)
    evening.account([first, *today])


def test_two_posts_that_hear_one_packet_make_one_case(evening: Scene, tmp_path: Path, broker: Mosquitto) -> None:
    second = evening.village.gateway("Pos 2")
    radio = second.serve_tcp()
    desk_toml = str(tmp_path / "desk/desk.toml")
    desk_key = (tmp_path / "post/post.toml").read_text().split("keys = [")[1].split('"')[1]
    words = ["--village", VILLAGE, "--post", "pos-2", "--radio", radio, "--mqtt", broker.url, "--desk-key", desk_key]
    made = json.loads(kentongan("setup", str(tmp_path / "post2"), *words, "--json").stdout)
    kentongan("desk", "post", "add", VILLAGE, "pos-2", made["public_key"], "--config", desk_toml)
    other = Program(tmp_path / "post2.log", ("run", "--config", str(tmp_path / "post2/post.toml"))).start()
    try:
        until(lambda: evening.json("status", "--config", str(tmp_path / "post2/post.toml")).get("radios"), "pos-2", 20)
        press = evening.press("RT03-12")
        evening.wait_stored([press])
        until(lambda: "pos-2" in str(evening.json("desk", "list", "--config", desk_toml)), "the second post's copy", 20)
        evening.account([press])
    finally:
        other.kill()
