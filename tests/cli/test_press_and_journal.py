"""`kentongan press` is always a drill; `kentongan journal` shows the same whether a bridge runs or not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.store import Journal
from tests.cli.kentongan import run
from tests.cli.posts import Post, make_post
from tests.store.village import BITS, NOW, alarm, saved


@pytest.fixture
def post(tmp_path: Path) -> Post:
    siren = tmp_path / "siren.sh"
    siren.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/rang\n')
    siren.chmod(0o700)
    return make_post(tmp_path / "pos", "--siren-command", f"{siren} {{kind}}")


def rows(post: Post, *words: str) -> list[dict[str, Any]]:
    done = post.run("journal", "list", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_press_from_the_keyboard_is_a_drill_and_rings_nothing(post: Post, tmp_path: Path) -> None:
    with post.bridge():
        pressed = post.run("press", "--kind", "fire")
        assert (pressed.returncode, pressed.stderr) == (0, "")
        first, second = pressed.stdout.splitlines()
        assert first.startswith("LATIHAN dipukul: wired:pos-1/command/")
        assert second.endswith("pos sudah menyimpannya")
        (row,) = rows(post)
    assert row["id"] == first.removeprefix("LATIHAN dipukul: ")
    assert (row["kind"], row["trust"], row["via"], row["stage"]) == ("FIRE", "VERIFIED", "command", "JOURNALED")
    assert (row["remarks"], row["desk"]) == (["drill"], "waiting")
    assert not (tmp_path / "rang").exists()


def test_two_presses_are_two_presses_of_one_drill(post: Post) -> None:
    with post.bridge():
        ids = [json.loads(post.run("press", "--json").stdout)["press"] for _ in range(2)]
        (row,) = rows(post)
    assert row["presses"] == ids
    assert len(set(ids)) == 2


def test_presses_of_two_runs_do_not_look_alike(post: Post) -> None:
    ids = []
    for _ in range(2):
        with post.bridge() as bridge:
            ids.append(json.loads(post.run("press", "--json").stdout)["press"])
            bridge.terminate()
            bridge.wait(15)
    assert len(set(ids)) == 2
    assert sorted(press for row in rows(post) for press in row["presses"]) == sorted(ids)


def test_an_unknown_kind_is_told_with_those_there_are(post: Post) -> None:
    with post.bridge():
        wrong = post.run("press", "--kind", "ufo")
        assert rows(post) == []
    assert wrong.returncode == 2
    assert "PANIC, THEFT, FIRE" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_without_a_bridge_nothing_can_be_struck(post: Post) -> None:
    lost = post.run("press", "--lang", "en")
    assert (lost.returncode, lost.stdout) == (1, "")
    assert lost.stderr.splitlines()[0] == f"kentongan: no bridge runs (no answer at {post.socket})"


def test_no_way_to_the_police_is_told_after_the_wait(post: Post) -> None:
    post.change("[journal]\n", '[[uplink]]\nurl = "mqtt://127.0.0.1:1"\n\n[journal]\n')
    with post.bridge():
        pressed = post.run("press", "--wait", "1", "--lang", "en")
    assert pressed.returncode == 1
    assert "the post has it on disk" in pressed.stdout
    assert "no answer of the police desk within 1 s; the alarm is kept" in pressed.stderr


def test_the_journal_is_the_same_with_and_without_a_bridge(post: Post) -> None:
    with post.bridge():
        post.run("press")
        through_bridge = rows(post)
        (row,) = through_bridge
        page = json.loads(post.run("journal", "show", row["id"], "--json").stdout)
    assert rows(post) == through_bridge
    assert json.loads(post.run("journal", "show", row["id"], "--json").stdout) == page
    assert page["outbox"]["revision"] == 1
    assert json.loads(page["outbox"]["body"])["remarks"] == ["drill"]


def test_people_see_columns_and_scripts_see_json(post: Post) -> None:
    with post.bridge():
        press = json.loads(post.run("press", "--json").stdout)["press"]
    (line,) = post.run("journal", "list", "--lang", "en").stdout.splitlines()
    assert line.split()[2:] == [press, "PANIC", "JOURNALED", "waiting", "place", "unknown", "drill"]
    shown = post.run("journal", "show", press).stdout
    assert f"id             {press}\n" in shown
    assert "outbox         revision=1  receipted=0" in shown


def test_an_alarm_nobody_knows_is_one_line(post: Post) -> None:
    with post.bridge():
        through_bridge = post.run("journal", "show", "node:0/0")
    alone = post.run("journal", "show", "node:0/0")
    for done in (through_bridge, alone):
        assert (done.returncode, done.stdout) == (1, "")
        assert "tidak ada (no alarm) 'node:0/0'; lihat (see): kentongan journal list" in done.stderr
        assert done.stderr.count("\n") == 1


def test_an_empty_journal_says_so(post: Post) -> None:
    with post.bridge():
        assert post.run("journal", "list").stdout == "Tidak ada alarm.\n"
        assert rows(post, "--open") == []


def test_a_press_after_a_restart_belongs_to_the_same_drill(post: Post) -> None:
    """Two minutes are two minutes, also where no clock is trusted: one boot has one monotonic clock."""
    for _ in range(2):
        with post.bridge() as bridge:
            post.run("press")
            bridge.terminate()
            bridge.wait(15)
    (row,) = rows(post)
    assert len(set(row["presses"])) == 2


def test_a_limit_is_kept_and_the_rest_is_announced(post: Post) -> None:
    journal = Journal.open(post.toml.parent / "journal.db", run_bits=BITS, moment=NOW)
    journal.write([saved(alarm(1)), saved(alarm(2))])
    journal.close()
    assert len(rows(post)) == 2
    newest, more = post.run("journal", "list", "--limit", "1").stdout.splitlines()
    assert rows(post)[0]["id"] in newest
    assert more == "… lebih banyak: --limit 2"
    assert post.run("journal", "list", "--limit", "0").returncode == 2


def test_with_a_socket_alone_there_is_no_file_to_fall_back_on(post: Post) -> None:
    lost = run("journal", "list", "--socket", post.socket)
    assert lost.returncode == 1
    assert "jembatan tidak berjalan" in lost.stderr
