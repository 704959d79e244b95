"""`kentongan status`: each part of the post, whether it is well, and if not what that means and what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol

import typer

from bridge.domain.errors import JournalFailed
from bridge.domain.ids import node_id
from cli.control_client import NoBridge
from cli.options import POST_TOML, AsJson, ConfigFile, Lang, Socket
from cli.post import Post, find_post
from cli.tongues import fault_in
from cli.words import Voice
from firmware_config.firmware import is_old, version

PARTS = (
    *("post", "bridge", "radio", "input", "desk", "journal", "siren", "clock", "alarms"),
    *("ports", "channel", "airtime", "broker", "tls", "disk", "inputs", "heads"),  # the doctor's
)


class Say(Protocol):
    """A voice that knows the sentences of the status."""

    def __call__(self, key: str, /, **facts: object) -> str: ...


class State(StrEnum):
    """FAULT: somebody must act. NOTE: true, and perhaps not meant."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `advice` is what it means and what to do."""

    part: str
    state: State
    text: str
    advice: str = ""


def status(config: ConfigFile = POST_TOML, socket: Socket = None, lang: Lang = "", as_json: AsJson = False) -> None:
    """Keadaan pos: radio, polisi, jurnal, sirene, jam (how the post is).

    Keluar 1 bila ada gangguan. (Exit 1 when something is wrong.)
    """
    post = find_post(config, socket, lang)
    say = post.say
    try:
        picture = {"running": True} | post.ask("status")
        findings = list(look(picture, say))
    except NoBridge:
        picture = {"running": False, "journal": _journal_facts(post)}
        findings = list(_look_at_disk(post, picture["journal"]))
    is_well = all(finding.state is not State.FAULT for finding in findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        typer.echo(json.dumps(picture | {"well": is_well, "findings": found}, ensure_ascii=False))
    else:
        for line in table(findings, say):
            typer.echo(line)
    raise typer.Exit(0 if is_well else 1)


def look(picture: dict[str, Any], say: Voice) -> Iterator[Finding]:
    """What the bridge says of itself, part by part."""
    faults = {what: fault_in(why, say.language) for what, why in picture["faults"].items()}
    yield Finding("post", State.OK, say("status_post", up=span(picture["up_s"], say), **picture))
    yield from _radio(picture, faults, say)
    yield from _inputs(picture, faults, say)
    yield from _desk(picture, faults, say)
    yield _journal(picture, faults, say)
    yield _siren(picture, faults, say)
    yield _clock(picture, say)
    for what, why in faults.items():
        yield Finding(what, State.FAULT, why)
    yield _alarms(picture["alarms"], say)


def _journal_facts(post: Post) -> dict[str, Any]:
    """Read from the file itself; {} when only a socket was named."""
    if post.journal is None:
        return {}
    from bridge.store.reader import JournalReader

    try:
        return {"waiting": JournalReader(post.journal).pending()}
    except JournalFailed as error:
        return {"error": str(error)}


def _look_at_disk(post: Post, facts: dict[str, Any]) -> Iterator[Finding]:
    text, advice = post.no_bridge().splitlines()
    yield Finding("bridge", State.FAULT, text, advice)
    if "error" in facts:
        yield Finding("journal", State.FAULT, facts["error"])
    elif facts:
        yield Finding("journal", State.OK, post.say("journal_ok", **facts))


def table(findings: list[Finding], say: Say) -> Iterator[str]:
    """Lines of three columns; advice stands below its finding."""
    for finding in findings:
        name = say(f"part_{finding.part}") if finding.part in PARTS else finding.part
        first, *more = finding.text.splitlines() or [""]
        yield f"{name:<10} {say(f'state_{finding.state.value}'):<8} {first}"
        yield from (f"{'':<20}{line}" for line in (*more, *finding.advice.splitlines()))


def _radio(picture: dict[str, Any], faults: dict[str, str], say: Voice) -> Iterator[Finding]:
    for name, radio in picture["radios"].items():
        text = say("radio_ok", name=name, own=node_id(radio["own"]), firmware=radio["firmware"])
        yield Finding("radio", State.OK, text)
        if version(radio["firmware"]) and is_old(radio["firmware"]):  # one that it does not tell is not called old
            yield Finding("radio", State.NOTE, say("firmware_old", name=name), say("firmware_advice"))
    for key in [key for key in faults if key.startswith("radio:")]:
        yield Finding("radio", State.FAULT, faults.pop(key), say("radio_advice"))
    for key in [key for key in faults if key.startswith("channels:")]:
        yield Finding("radio", State.FAULT, faults.pop(key), say("radio_deaf"))
    if not picture["radio_url"]:
        yield Finding("radio", State.NOTE, say("radio_none"), say("radio_none_advice"))
    elif not picture["radios"] and not any(key.startswith("radio:") for key in picture["faults"]):
        yield Finding("radio", State.NOTE, say("radio_starting", url=picture["radio_url"]))


def _inputs(picture: dict[str, Any], faults: dict[str, str], say: Voice) -> Iterator[Finding]:
    """Each wired kentongan; how often it was heard is what a technician watches as he taps."""
    for name in picture.get("inputs", ()):
        if why := faults.pop(f"input:{name}", ""):
            yield Finding("input", State.FAULT, f"{name}: {why}", say("input_advice"))
        else:
            part = picture["parts"].get(name, {})
            yield Finding("input", State.OK, say("input_ok", name=name, times=part.get("closings", part.get("lines"))))


def _desk(picture: dict[str, Any], faults: dict[str, str], say: Voice) -> Iterator[Finding]:
    for name, said in picture["uplinks"].items():
        why = faults.pop(f"desk:{name}", fault_in(said, say.language))
        if not why:
            yield Finding("desk", State.OK, say("desk_ok", name=name))
        elif why == "starting":
            state = State.FAULT if picture["desk_away"] else State.NOTE
            yield Finding("desk", state, say("desk_starting", name=name), say("desk_advice"))
        else:
            yield Finding("desk", State.FAULT, f"{name}: {why}", say("desk_advice"))
    if not picture["uplinks"]:
        yield Finding("desk", State.NOTE, say("desk_none"), say("desk_none_advice"))


def _journal(picture: dict[str, Any], faults: dict[str, str], say: Voice) -> Finding:
    facts = picture["journal"]
    if why := faults.pop("journal", ""):
        return Finding("journal", State.FAULT, why, say("journal_advice"))
    if "error" in facts:
        return Finding("journal", State.FAULT, facts["error"], say("journal_advice"))
    return Finding("journal", State.OK, say("journal_ok", **facts))


def _siren(picture: dict[str, Any], faults: dict[str, str], say: Voice) -> Finding:
    sounds = [sound for sound in (picture["siren"], *picture.get("outputs", ())) if sound]
    silent = {name: faults.pop(name) for name in list(faults) if name.partition(":")[0] == "siren"}
    if silent:
        why = "; ".join(f"{name.partition(':')[2]}: {why}".removeprefix(": ") for name, why in silent.items())
        return Finding("siren", State.FAULT, why, say("siren_advice" if len(silent) >= len(sounds) else "siren_others"))
    if not sounds:
        return Finding("siren", State.NOTE, say("siren_none"), say("siren_none_advice"))
    return Finding("siren", State.OK, say("siren_ok", command=", ".join(sounds)))


def _clock(picture: dict[str, Any], say: Voice) -> Finding:
    if picture["clock_trusted"]:
        return Finding("clock", State.OK, say("clock_ok"))
    return Finding("clock", State.NOTE, say("clock_unsure"), say("clock_advice"))


def _alarms(alarms: list[dict[str, Any]], say: Voice) -> Finding:
    lines = [say("alarms_open", count=len(alarms)) if alarms else say("alarms_none")]
    lines += [
        f"{alarm['id']}  {alarm['kind']}  {alarm['stage']}  {alarm['place'] or say('place_unknown')}"
        for alarm in alarms
    ]
    return Finding("alarms", State.OK, "\n".join(lines))


def span(seconds: float, say: Say) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return say("span_s", s=int(seconds))
    return say("span_min", min=minutes) if minutes < 120 else say("span_h", h=minutes // 60)
