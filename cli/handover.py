"""`kentongan handover`: a village is handed over when every house has struck once and seen its lamp."""

import datetime
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.doctor_case import day
from cli.options import POST_TOML, AsJson, ConfigFile, Lang
from cli.post import find_post
from cli.settings import read_config
from cli.survey_words import SurveyVoice
from cli.words import fail, voice

if TYPE_CHECKING:
    from bridge.domain.place import Source

STYLE = "body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #999;padding:.3em}"
MOST = 10_000  # alarms that are looked through, the newest first


@dataclass(frozen=True, slots=True)
class House:
    """One source. Wall seconds of the latest press and of the latest answer that was seen; 0 for never."""

    source: str
    place: str
    struck_at: float = 0.0
    seen_at: float = 0.0

    @property
    def is_done(self) -> bool:
        return self.seen_at > 0

    @property
    def state(self) -> str:
        return "seen" if self.seen_at else "untold" if self.struck_at else "unstruck"


def handover(
    since: Annotated[
        str, typer.Option("--since", metavar="YYYY-MM-DD", help="Hanya pukulan sejak hari itu. (Presses since then.)")
    ] = "",
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Lembar untuk ditandatangani. (A page to sign.)")
    ] = None,
    config: ConfigFile = POST_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Rumah yang belum dicoba; selesai bila setiap lampu terlihat (houses not yet tried, until every lamp was seen).

    Keluar 1 bila ada yang belum. (Exit 1 while some are left.)
    """
    from bridge.sources import load_sources

    settings = read_config(config, voice(lang))
    say = SurveyVoice(voice(lang, settings.post.language).language)
    since_s = _since(since, say)
    sources = list(load_sources(settings.sources, settings.post.id))
    if not sources:
        raise fail(say("no_houses"))
    post = find_post(config, None, lang)
    alarms = post.look("journal list", lambda reader: reader.alarms(MOST), limit=MOST)
    houses = tried(sources, alarms, since_s)
    if report is not None:
        _write(report, houses, str(settings.post_id), say)
    _tell(houses, report, say, as_json)


def tried(sources: "Iterable[Source]", alarms: Iterable[dict[str, Any]], since_s: float = 0.0) -> list[House]:
    """Any press counts, a drill above all; an answer counts when the head has echoed or the node acknowledged it."""
    struck: dict[str, float] = {}
    seen: dict[str, float] = {}
    for alarm in alarms:
        source, at, told = alarm["source"], alarm["latest_at"], alarm["told"]
        if at < since_s:
            continue
        struck[source] = max(at, struck.get(source, 0.0))
        if told and told["outcome"] == "told":
            seen[source] = max(told["at"], seen.get(source, 0.0))
    return [
        House(source.id, str(source.place or source.label or ""), struck.get(source.id, 0.0), seen.get(source.id, 0.0))
        for source in sources
    ]


def _since(text: str, say: SurveyVoice) -> float:
    """The beginning of that day, by this machine's own clock."""
    if not text:
        return 0.0
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").timestamp()
    except ValueError as error:
        raise fail(say("bad_since", text=text), 2) from error


def _tell(houses: list[House], report: Path | None, say: SurveyVoice, as_json: bool) -> None:
    left = [house for house in houses if not house.is_done]
    if as_json:
        told = [asdict(house) | {"state": house.state} for house in houses]
        typer.echo(json.dumps({"done": not left, "houses": told}, ensure_ascii=False))
        raise typer.Exit(1 if left else 0)
    for house in left:
        typer.echo(f"{house.source:<18} {_state(house, say)}  {house.place}".rstrip())
    if report is not None:
        typer.echo(say("report", file=report))
    if left:
        raise fail(say("left", left=len(left), count=len(houses)))
    typer.echo(say("complete", count=len(houses)))


def _state(house: House, say: SurveyVoice) -> str:
    return say(f"house_{house.state}", day=day(house.seen_at or house.struck_at))


def _write(report: Path, houses: list[House], post: str, say: SurveyVoice) -> None:
    title = say("handover_title", post=post, day=datetime.date.today().isoformat())
    cells = [(house.source, house.place, _state(house, say)) for house in houses]
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    heads = "".join(f"<th>{escape(say(key))}</th>" for key in ("source", "house", "verdict"))
    text = (
        f'<!doctype html>\n<html lang="{say.language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>\n<table><tr>{heads}</tr>\n{rows}\n</table>\n"
        f'<p style="margin-top:5em;white-space:pre">{escape(say("signed"))}</p></body></html>\n'
    )
    try:
        report.write_text(text, encoding="utf-8")
    except OSError as error:
        raise fail(say("no_report", file=report, why=error.strerror)) from error
