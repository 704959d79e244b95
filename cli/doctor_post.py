"""The doctor's look at the machine of the post: bridge, ports, clock, journal, disk, sirens, wired inputs, heads."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.domain.errors import ConfigError, JournalFailed
from cli.doctor_case import Bridge, Case
from cli.ports import serial_ports
from cli.status import Finding, State, span

LITTLE_BYTES = 200_000_000
SOME_BYTES = 1_000_000_000
NAMED = 6


def bridge(case: Case) -> Iterator[Finding]:
    match case.bridge:
        case Bridge.RUNS:
            up = span(case.picture["up_s"], case.say)
            yield Finding("bridge", State.OK, case.say("bridge_runs", up=up, version=case.picture["version"]))
        case Bridge.MUTE:
            yield Finding("bridge", State.FAULT, case.say("bridge_mute", why=case.why), case.say("bridge_mute_advice"))
        case Bridge.NONE:
            facts = {"socket": case.settings.control.socket, "config": case.config}
            advice = case.say("no_bridge_advice", **facts)
            yield Finding("bridge", State.FAULT, case.say("no_bridge", **facts), advice)


def ports(case: Case) -> Iterator[Finding]:
    from cli.ports_found import group_of

    used = serial_ports(case.settings)
    if not used:
        yield Finding("ports", State.OK, case.say("ports_unneeded"))
    for path, word in used.items():
        if not os.path.exists(path):
            text = case.say("ports_gone", path=path, word=word)
            yield Finding("ports", State.FAULT, text, case.say("ports_gone_advice"))
        elif case.bridge is Bridge.NONE and not os.access(path, os.R_OK | os.W_OK):  # a bridge has rights of its own
            text = case.say("ports_refused", path=path, word=word)
            yield Finding("ports", State.FAULT, text, case.say("ports_refused_advice", group=group_of(Path(path))))
        else:
            yield Finding("ports", State.OK, case.say("ports_well", path=path))


def clock(case: Case) -> Iterator[Finding]:
    from bridge.edges.clock import synchronised

    is_trusted = case.picture["clock_trusted"] if case.bridge is Bridge.RUNS else synchronised()
    if is_trusted:
        yield Finding("clock", State.OK, case.say("clock_ok"))
    else:
        yield Finding("clock", State.NOTE, case.say("clock_unsure"), case.say("clock_advice"))


def journal(case: Case) -> Iterator[Finding]:
    path = case.settings.journal.path
    if why := case.faults.get("journal", ""):
        yield Finding("journal", State.FAULT, why, case.say("journal_advice"))
    elif not path.exists():
        yield Finding("journal", State.NOTE, case.say("journal_new", path=path))
    else:
        yield _readable(case, path)
    copies = sorted({copy.name for copy in path.parent.glob(f"{path.name}.corrupt-*") if not copy.suffix})
    copies = copies or sorted(copy.name for copy in path.parent.glob(f"{path.name}.corrupt-*"))
    if copies:
        text = case.say("journal_copies", count=len(copies), names=", ".join(copies[:NAMED]))
        yield Finding("journal", State.NOTE, text, case.say("journal_copies_advice"))


def _readable(case: Case, path: Path) -> Finding:
    from bridge.store.reader import JournalReader

    if case.bridge is not Bridge.RUNS and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        advice = case.say("journal_shut_advice", folder=path.parent)
        return Finding("journal", State.FAULT, case.say("journal_shut", path=path), advice)
    facts: dict[str, Any]
    try:
        facts = case.picture["journal"] if case.bridge is Bridge.RUNS else {"waiting": JournalReader(path).pending()}
    except JournalFailed as error:
        facts = {"error": str(error)}
    if "error" in facts:
        return Finding("journal", State.FAULT, facts["error"], case.say("journal_advice"))
    return Finding("journal", State.OK, case.say("journal_well", path=path, **facts))


def disk(case: Case) -> Iterator[Finding]:
    folder = next(folder for folder in case.settings.journal.path.parents if folder.exists())
    space = shutil.disk_usage(folder)
    text = case.say("disk_well", free=_size(space.free), total=_size(space.total))
    if space.free < SOME_BYTES:
        state = State.FAULT if space.free < LITTLE_BYTES else State.NOTE
        yield Finding("disk", state, text, case.say("disk_advice"))
    else:
        yield Finding("disk", State.OK, text)


def siren(case: Case) -> Iterator[Finding]:
    names = case.settings.siren_names
    if not names:
        yield Finding("siren", State.NOTE, case.say("siren_none"), case.say("siren_none_advice"))
        return
    silent = {what: why for what, why in case.faults.items() if what.partition(":")[0] == "siren"}
    for what, why in silent.items():
        text = f"{what.partition(':')[2]}: {why}".removeprefix(": ")
        advice = case.say("siren_advice" if len(silent) >= len(names) else "siren_others")
        yield Finding("siren", State.FAULT, text, advice)
    if not silent:
        yield Finding("siren", State.OK, case.say("siren_try", names=", ".join(names)))


def inputs(case: Case) -> Iterator[Finding]:
    if not case.settings.input:
        yield Finding("inputs", State.OK, case.say("inputs_none"))
    for wired in case.settings.input:
        if why := case.faults.get(f"input:{wired.name}", ""):
            yield Finding("inputs", State.FAULT, f"{wired.name}: {why}", case.say("input_advice"))
        elif case.bridge is Bridge.RUNS:
            part = case.picture["parts"].get(wired.name, {})
            times = part.get("closings", part.get("lines"))
            yield Finding("inputs", State.OK, case.say("input_ok", name=wired.name, times=times))
        else:
            yield Finding("inputs", State.NOTE, case.say("inputs_named", name=wired.name, driver=wired.driver))


def heads(case: Case) -> Iterator[Finding]:
    try:
        known = [source for source in case.register if source.id.startswith("head:")]
    except ConfigError as error:
        yield Finding("heads", State.FAULT, case.say("sources_wrong", why=error))
        return
    if not known:
        yield Finding("heads", State.OK, case.say("heads_none"))
        return
    if keyless := [source.id.removeprefix("head:") for source in known if not source.head_key]:
        text = case.say("heads_open", count=len(known), names=", ".join(keyless[:NAMED]))
        yield Finding("heads", State.NOTE, text, case.say("heads_advice"))
    else:
        yield Finding("heads", State.OK, case.say("heads_well", count=len(known)))


def _size(octets: int) -> str:
    return f"{octets / 1e9:.1f} GB" if octets >= 1e9 else f"{octets / 1e6:.0f} MB"
