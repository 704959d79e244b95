"""`kentongan doctor`: every part of a post, and for each that is not well what it means and what to do next."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.doctor_words import DoctorVoice
from cli.options import POST_TOML, AsJson, ConfigFile, Lang
from cli.settings import read_config
from cli.status import Finding, State, table
from cli.words import fail, voice

if TYPE_CHECKING:
    from cli.doctor_case import Check

PARTS = (
    *("bridge", "ports", "radio", "channel", "airtime", "clock", "broker", "tls", "desk"),
    *("journal", "disk", "siren", "inputs", "heads"),
)


def doctor(
    parts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BAGIAN]", help=f"Hanya bagian ini: {', '.join(PARTS)}. (Only these parts.)"),
    ] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", min=1, max=120, help="Tunggu broker sekian detik. (Wait for the broker.)")
    ] = 10.0,
    config: ConfigFile = POST_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Periksa setiap bagian pos: apa artinya dan apa yang harus dilakukan (check every part, and what to do).

    Jembatan yang berjalan ditanya, tidak diganggu. (A running bridge is asked, never disturbed.)
    """
    from cli.doctor_case import Case

    settings = read_config(config, voice(lang))
    say = DoctorVoice(voice(lang, settings.post.language).language)
    for part in parts or ():
        if part not in PARTS:
            raise fail(say("bad_part", part=part, known=", ".join(PARTS)), 2)
    _be_quiet()
    case = Case(settings, config.absolute(), say, wait_s)
    findings = [found for part, check in _checks().items() if part in (parts or PARTS) for found in check(case)]
    is_well = all(finding.state is not State.FAULT for finding in findings)
    _tell(findings, is_well, say, as_json)
    raise typer.Exit(0 if is_well else 1)


def _checks() -> "dict[str, Check]":
    from cli import doctor_desk, doctor_post, doctor_radio

    rooms = (doctor_post, doctor_radio, doctor_desk)
    return {part: next(getattr(room, part) for room in rooms if hasattr(room, part)) for part in PARTS}


def _tell(findings: list[Finding], is_well: bool, say: DoctorVoice, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"well": is_well, "findings": [asdict(each) for each in findings]}, ensure_ascii=False))
        return
    for finding in findings:
        for line in table([finding], say):
            typer.echo(line)


def _be_quiet() -> None:
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the answer says it all
