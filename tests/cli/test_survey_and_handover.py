"""A technician's last day in a village: everybody is asked, everybody strikes once, and the list gets empty."""

import json
from pathlib import Path
from typing import Any

from bridge.domain.place import Place, Source
from cli.handover import House, tried
from simulator.air import Air
from simulator.village import Village
from tests.cli.posts import Post, make_post
from tests.patience import until


def alarm(source: str, at: float, outcome: str = "", told_at: float = 0.0) -> dict[str, object]:
    told = {"stage": "JOURNALED", "outcome": outcome, "at": told_at} if outcome else None
    return {"source": source, "latest_at": at, "told": told}


def houses(post: Post) -> list[dict[str, Any]]:
    return list(json.loads(post.typed("handover", "--json").stdout)["houses"])


def test_only_a_lamp_that_was_seen_is_done() -> None:
    sources = [Source(f"head:RT01-{number}", Place(house=f"RT01-{number}")) for number in range(4)]
    alarms = [
        alarm("head:RT01-0", 200.0, "told", 201.0),
        alarm("head:RT01-0", 100.0, "not_reached", 300.0),
        alarm("head:RT01-1", 100.0, "not_reached", 300.0),
        alarm("head:RT01-2", 100.0),
        alarm("head:UNKNOWN", 100.0, "told", 101.0),
    ]
    found = tried(sources, alarms)
    assert [house.state for house in found] == ["seen", "untold", "untold", "unstruck"]
    assert found[0] == House("head:RT01-0", "RT01-0", 200.0, 201.0)
    assert [house.state for house in tried(sources, alarms, since_s=150.0)] == ["seen", *["unstruck"] * 3]


def test_a_village_is_surveyed_through_its_bridge_and_handed_over(tmp_path: Path) -> None:
    with Village(seed=8, air=Air(seed=8, retry_s=0.3)) as village:
        gateway, near, far = village.gateway("gw"), village.house("RT01-1"), village.house("RT01-2")
        post = make_post(tmp_path / "post", radio=gateway.serve_tcp())
        entries = [f'[[source]]\nnode = "!{node.num:08x}"\nhouse = "{node.name}"\n' for node in (near, far)]
        (post.folder / "sources.toml").write_text("".join(entries))
        village.cut(far)
        page, record = tmp_path / "survey.html", tmp_path / "survey.jsonl"
        words = ("--tries", "1", "--html", str(page), "--file", str(record))
        with post.bridge() as bridge:
            until(lambda: post.picture()["radios"], why="the radio is up")
            own = f'[[source]]\nnode = "!{gateway.num:08x}"\nhouse = "POS"\n'
            (post.folder / "sources.toml").write_text("".join([*entries, own]))  # the radio does not ask itself
            surveyed = post.run("survey", *words, "--lang", "en")
            assert surveyed.returncode == 1, surveyed.stdout
            assert surveyed.stderr == (
                "kentongan: Below the margin: RT01-2. Raise the antenna or add a relay, then repeat with --again\n"
            )
            assert "RT01-1" in surveyed.stdout and "RT01-2" in page.read_text()
            with record.open("a") as torn:
                torn.write('{"node": 2562, "to')  # the power went
            questions = len(gateway.sent)
            again = json.loads(post.typed("survey", *words, "--json").stdout)
            assert (again["done"], again["below"], again["nodes"][0]["answered"]) == (True, ["RT01-2"], 1)
            assert not [sent for sent in gateway.sent[questions:] if sent.to != gateway.num], "nothing is asked twice"

            (post.folder / "sources.toml").write_text("".join(entries))
            left = post.typed("handover", "--lang", "en")
            assert left.exit_code == 1 and left.stdout.count("not struck yet") == 2
            near.text("tolong maling")
            until(lambda: houses(post)[0]["seen_at"], why="it is told")
            village.heal(far)
            far.text("kebakaran")
            until(lambda: post.typed("handover").exit_code == 0, why="both lamps were seen")
            report = tmp_path / "handover.html"
            done = post.typed("handover", "--report", str(report), "--lang", "en")
            assert done.stdout.splitlines()[-1] == "All 2 were tried and their lamps seen."
            assert report.read_text().count("its lamp was seen") == 2 and "Received by" in report.read_text()
            assert bridge.poll() is None
        log = post.log.read_text()
        assert (log.count("radio up"), log.count("radio down")) == (1, 0)


def test_nothing_to_ask_and_nothing_to_hand_over(tmp_path: Path) -> None:
    post = make_post(tmp_path / "post")
    (post.folder / "sources.toml").write_text("")
    assert "sources.toml" in post.typed("survey", "--lang", "en").stderr
    empty = post.typed("handover", "--lang", "en")
    assert (empty.exit_code, empty.stdout) == (1, "") and "nothing to hand over" in empty.stderr
    (post.folder / "sources.toml").write_text('[[source]]\nhead = "RT01-1"\n')
    assert post.typed("handover", "--since", "yesterday").exit_code == 2
    (tmp_path / "survey.jsonl").write_text("hello\n")
    (post.folder / "sources.toml").write_text('[[source]]\nnode = "!00000a01"\n')
    spoilt = post.typed("survey", "--file", str(tmp_path / "survey.jsonl"), "--lang", "en")
    assert spoilt.exit_code == 1 and "is no survey" in spoilt.stderr
    away = post.typed("survey", "--file", str(tmp_path / "new.jsonl"), "--lang", "en")
    assert away.exit_code == 1 and "kentongan doctor radio" in away.stderr and "Traceback" not in away.stderr
