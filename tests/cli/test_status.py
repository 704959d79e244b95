"""`kentongan status`: what is wrong is said with what it means and what to do, and shown in the exit code."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cli.status import Finding, State, look, table
from cli.words import Voice
from mqtt.broker import why_unreachable
from tests.cli.posts import Post, make_post

ENGLISH = Voice("en")
WELL: dict[str, Any] = {
    "post": "35.09.14.2005/pos-1",
    "version": "1.0",
    "up_s": 200.0,
    "clock_trusted": True,
    "desk_away": False,
    "uplinks": {"polsek:8883": ""},
    "radios": {"gw1": {"own": 2561, "firmware": "2.7.26"}},
    "radio_url": "tcp://radio:4403",
    "siren": "aplay x.wav",
    "faults": {},
    "alarms": [],
    "journal": {"waiting": 0},
}


def findings(**change: Any) -> dict[str, Finding]:
    """By part; what is wrong wins."""
    by_gravity = sorted(look(WELL | change, ENGLISH), key=lambda finding: list(State).index(finding.state))
    return {finding.part: finding for finding in by_gravity}


def test_a_post_that_is_well() -> None:
    lines = list(table(list(look(WELL, ENGLISH)), ENGLISH))
    assert lines == [
        "post       ok       35.09.14.2005/pos-1, up 3 min, version 1.0",
        "radio      ok       gw1 !00000a01, firmware 2.7.26",
        "police     ok       connected through polsek:8883",
        "journal    ok       0 alarms waiting to be sent",
        "siren      ok       aplay x.wav",
        "clock      ok       set by a time service",
        "alarms     ok       none is open",
    ]


@pytest.mark.parametrize(
    ("part", "change", "says", "advises"),
    [
        (
            "radio",
            {"radios": {}, "faults": {"radio:gw1": "connection refused"}},
            "connection refused",
            "Check the radio",
        ),
        ("radio", {"faults": {"channels:gw1": "no private channel"}}, "no private channel", "Correct [radio] channels"),
        ("desk", {"uplinks": {"b:1": "no answer"}, "faults": {"desk:b:1": "no answer"}}, "b:1: no answer", "are kept"),
        ("desk", {"uplinks": {"b:1": "starting"}, "desk_away": True}, "has not answered yet", "Check the modem"),
        ("journal", {"faults": {"journal": "the disk is full"}}, "the disk is full", "The siren still sounds"),
        ("journal", {"journal": {"error": "damaged"}}, "damaged", "The siren still sounds"),
        ("siren", {"faults": {"siren": "exit 1"}}, "exit 1", "The guards do not hear"),
        ("signature:b:1", {"faults": {"signature:b:1": "3 messages ignored"}}, "3 messages ignored", ""),
    ],
)
def test_a_fault_is_told_with_what_to_do(part: str, change: dict[str, Any], says: str, advises: str) -> None:
    found = findings(**change)
    assert found[part].state is State.FAULT
    assert says in found[part].text
    assert advises in found[part].advice
    others = {name for name, finding in found.items() if finding.state is State.FAULT}
    assert others == {part}


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("radio", {"radios": {}, "radio_url": ""}),
        ("radio", {"radios": {}}),
        ("radio", {"radios": {"gw1": {"own": 2561, "firmware": "2.7.9.abc1234"}}}),
        ("desk", {"uplinks": {}}),
        ("desk", {"uplinks": {"b:1": "starting"}}),
        ("siren", {"siren": ""}),
        ("clock", {"clock_trusted": False}),
    ],
)
def test_what_is_perhaps_not_meant_is_a_note_and_no_fault(part: str, change: dict[str, Any]) -> None:
    found = findings(**change)
    assert found[part].state is State.NOTE
    assert State.FAULT not in {finding.state for finding in found.values()}


@pytest.mark.parametrize("firmware", ["2.7.15.567b8ea", "2.7.26.54e0d8d", "2.10.0", "3.0.1", "", "dev"])
def test_firmware_that_is_new_enough_or_cannot_be_read_is_not_called_old(firmware: str) -> None:
    assert findings(radios={"gw1": {"own": 2561, "firmware": firmware}})["radio"].state is State.OK


@pytest.mark.parametrize(
    ("voice", "says"),
    [
        (ENGLISH, "b:1: name not found: check the internet and the url"),
        (Voice("id"), "b:1: nama broker b:1 tidak ditemukan: periksa internet dan url (name not found: check the int"),
    ],
)
def test_what_the_broker_said_is_told_in_the_readers_language(voice: Voice, says: str) -> None:
    why = why_unreachable("b:1", socket.gaierror("Name or service not known"))
    picture = WELL | {"uplinks": {"b:1": why}, "faults": {"desk:b:1": why}}
    (desk,) = [finding for finding in look(picture, voice) if finding.part == "desk"]
    assert desk.text.startswith(says)


def test_two_ways_to_the_desk_are_told_apart() -> None:
    picture = WELL | {"uplinks": {"a:1": "", "b:1": "refused"}, "faults": {"desk:b:1": "refused"}}
    desk = [(finding.state, finding.text) for finding in look(picture, ENGLISH) if finding.part == "desk"]
    assert desk == [(State.OK, "connected through a:1"), (State.FAULT, "b:1: refused")]


def test_open_alarms_are_named_with_their_place() -> None:
    alarms = [{"id": "node:00000a01/1", "kind": "FIRE", "stage": "STORED", "place": ""}]
    assert "node:00000a01/1  FIRE  STORED  place unknown" in findings(alarms=alarms)["alarms"].text


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return make_post(tmp_path / "pos", "--siren-command", "true", radio="tcp://127.0.0.1:1")


def test_no_bridge_is_a_fault_and_the_journal_is_read_all_the_same(post: Post) -> None:
    with post.bridge():
        assert post.run("press").returncode == 0
    told = post.run("status", "--lang", "en")
    assert told.returncode == 1
    assert f"no bridge runs (no answer at {post.socket})" in told.stdout
    assert f"Type: kentongan run --config {post.toml}" in told.stdout
    assert "1 alarms waiting to be sent" in told.stdout
    picture = json.loads(post.run("status", "--json").stdout)
    assert (picture["running"], picture["well"], picture["journal"]) == (False, False, {"waiting": 1})


def test_a_post_that_never_ran_is_told_so(post: Post) -> None:
    told = post.run("status")
    assert told.returncode == 1
    assert "the bridge makes it when it first runs" in told.stdout


def test_the_socket_alone_is_enough(post: Post) -> None:
    from tests.cli.kentongan import run

    with post.bridge():
        assert json.loads(run("status", "--socket", post.socket, "--json").stdout)["running"]
    gone = run("status", "--socket", post.socket)
    assert (gone.returncode, gone.stderr) == (1, "")
    assert "jembatan tidak berjalan" in gone.stdout


def test_a_post_without_radio_is_well_in_itself(post: Post) -> None:
    post.change('url = "tcp://127.0.0.1:1"', 'url = ""')
    with post.bridge():
        told = post.run("status", "--json")
    assert told.returncode == 0
    states = {found["part"]: found["state"] for found in json.loads(told.stdout)["findings"]}
    assert {part: state for part, state in states.items() if part != "clock"} == {
        "post": "ok",
        "radio": "note",
        "desk": "note",
        "journal": "ok",
        "siren": "ok",
        "alarms": "ok",
    }
