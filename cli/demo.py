"""`kentongan demo`: one night in a village on this machine, without a radio; counted at both ends."""

import json
import signal
import threading
import time
from typing import Any

import typer
from rich.console import Console

from cli.demo_night import BEAT_S, HEAD, MEANT, RHYTHM, TEXTS, Night, night
from cli.demo_parts import DemoFailed, ask
from cli.demo_words import LAMPS, SAID, SIREN


def play(night: Night) -> None:
    """The night itself. Raises DemoFailed at the first step that does not come true."""
    start = time.monotonic()
    night.wait("the post and the desk know each other", lambda: _is_ready(night))
    night.step("ready", start)
    _press_offline(night)
    _come_back(night)
    for verb, name, letter in (("take", "read", "A"), ("dispatch", "dispatched", "D"), ("close", "closed", "C")):
        since = time.monotonic()
        for house, press in night.pressed.items():
            night.say(verb, house=house)
            night.desk(verb, press, "--by", "Polsek Ajung")
        night.hear_answer(name, letter, since)


def _is_ready(night: Night) -> bool:
    status = night.status()
    return bool(status.get("radios")) and status.get("desk_away") is False and "" in status.get("uplinks", {}).values()


def _press_offline(night: Night) -> None:
    night.say("cut")
    night.wire.cut()
    night.wait("the post notices the cut", lambda: night.status().get("desk_away"))
    since = time.monotonic()
    _strike(night)
    for house, words in TEXTS.items():
        night.say("press", house=house, words=words)
        node = night.village.nodes[house]
        night.pressed[house] = f"node:{node.num:08x}/{node.text(words):08x}"
    night.wait("the siren, for each striker", lambda: len(night.rings()) > len(TEXTS))
    night.step("siren", since)
    night.wait("the siren, for the rhythm", lambda: any(MEANT in ring for ring in night.rings()))
    night.step("rhythm", since)
    night.hear_answer("not_connected", "N", since)


def _strike(night: Night) -> None:
    """The siren must not wait for the rhythm: the first strike is an alarm."""
    night.say("strike", house=HEAD, rhythm=RHYTHM)
    night.head.play(RHYTHM, BEAT_S)
    night.wait("the first strike", lambda: night.head.pressed)
    night.pressed[HEAD] = night.head.press_id
    night.wait("the siren, at the first strike", lambda: any(HEAD in ring for ring in night.rings()))


def _come_back(night: Night) -> None:
    night.say("heal")
    since = time.monotonic()
    night.wire.heal()
    night.wait("the desk stores every alarm", lambda: set(night.pressed.values()) <= set(night.alarms()))
    night.step("stored", since)
    alarms = night.alarms()
    for press in night.pressed.values():
        night.say("stored", kind=alarms[press]["kind"], place=alarms[press]["place"])
    night.hear_answer("stored", "S", since)


def count(night: Night) -> dict[str, Any]:
    """From the desk's own database, the strikers' own inboxes and the head's own lamps, nothing else."""
    rows = ask("desk", "list", "--all", "--config", night.desk_config) or []
    holders = [press for row in rows for press in row["ids"]]
    presses = list(night.pressed.values())
    return {
        "pressed": len(presses),
        "stored": sum(press in holders for press in presses),
        "answered": sum(map(night.is_answered, night.pressed)),
        "lost": sum(press not in holders for press in presses),
        "doubled": sum(holders.count(press) > 1 for press in presses),
        "seconds": night.seconds,
    }


def hear_the_end() -> threading.Event:
    """Set by Ctrl-C and SIGTERM: the night ends, and everything is put away."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    return told


def demo(as_json: bool, stay: bool, lang: str) -> None:
    """The whole command. Raises typer.Exit(1) when a step did not come true or the count is not whole."""
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    lang = "en" if lang == "en" else "id"
    said = SAID[lang]
    began = time.monotonic()
    told = hear_the_end()

    def say(key: str, **facts: Any) -> None:
        if key == "lamps":
            facts["words"] = LAMPS[lang].get(facts["letter"], facts["letter"])
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {said[key].format(**facts)}", markup=True)

    result: dict[str, Any] = {"pressed": 0, "stored": 0, "answered": 0, "lost": 0, "doubled": 0, "seconds": {}}
    try:
        with night(say, told) as scene:
            say("ready", houses=len(TEXTS) + 1, siren=SIREN[lang])
            say("head", house=HEAD)
            try:
                play(scene)
            finally:
                result = count(scene)
            if stay:
                say("stay", radio=scene.radio)
                told.wait()
    except DemoFailed as fault:
        result["failed"] = str(fault)
        say("failed", why=fault)
    else:
        say("done", **{key: value for key, value in result.items() if key != "seconds"})
    if as_json:
        print(json.dumps(result))
    whole = result["pressed"] > 0 and result["pressed"] == result["stored"] == result["answered"]
    if "failed" in result or not whole or result["lost"] or result["doubled"]:
        raise typer.Exit(1)
