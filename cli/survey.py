"""`kentongan survey`: which houses are heard well, asked one after another at the pace that the law allows."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.control_client import NoBridge, NotAnswered, ask
from cli.options import POST_TOML, AsJson, ConfigFile, Lang
from cli.settings import read_config
from cli.survey_words import SurveyVoice
from cli.words import fail, voice

if TYPE_CHECKING:
    from bridge.config import Config
    from firmware_config.device_survey import Asker
    from firmware_config.survey import Standing, Target, Try

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`wait_s`: for one answer; `gap_s`: between two questions; `sleep` and `now` so that a test need not wait."""

    wait_s: float = 30.0
    gap_s: float = 2.2
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


def survey(
    village: Annotated[
        Path | None, typer.Option("--village", metavar="village.yaml", help="Nama dari berkas desa. (Names from it.)")
    ] = None,
    tries: Annotated[int, typer.Option("--tries", min=1, max=50, help="Berapa kali masing-masing. (Tries each.)")] = 3,
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="Catatan, untuk dilanjutkan. (The record, to go on with.)")
    ] = Path("survey.jsonl"),
    html: Annotated[
        Path, typer.Option("--html", metavar="FILE", help="Laporan bergambar. (The report with its picture.)")
    ] = Path("survey.html"),
    again: Annotated[bool, typer.Option("--again", help="Mulai dari awal. (Begin anew.)")] = False,
    config: ConfigFile = POST_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Tanya semua node satu per satu: SNR, lompatan, jawaban, waktu (ask every node: SNR, hops, answers, time).

    Lewat jembatan bila berjalan; keluar 1 bila ada yang lemah. (Through a running bridge; exit 1 when one is weak.)
    """
    from firmware_config.device import DeviceError
    from firmware_config.device_survey import Asker
    from firmware_config.survey import is_done, standings

    settings = read_config(config, voice(lang))
    say = SurveyVoice(voice(lang, settings.post.language).language)
    _be_quiet()
    targets = _targets(settings, village)
    if not targets:
        raise fail(say("nothing"))
    record = Record(file, say, again)
    preset = record.preset
    try:
        with Asker(radio_url(settings, say)) as asker:
            preset = record.begin(asker.preset)
            targets = [target for target in targets if target.node != asker.own]  # it cannot ask itself
            _begin(targets, tries, record, say, as_json)
            said_s = _spoken_s(settings)
            for target, one in ask_all(asker, targets, tries, record.tries, Pace(), _waits(say, as_json), said_s):
                record.keep(one)
                _tell(target, one, say, as_json)
    except DeviceError as error:
        raise fail(say("radio_away", why=error)) from error
    except KeyboardInterrupt:
        pass  # what is known is reported
    found = standings(targets, record.tries, preset)
    _report(html, found, settings, say)
    _end(found, is_done(found, tries), html, say, as_json)


def ask_all(
    asker: "Asker",
    targets: "Sequence[Target]",
    tries: int,
    done: "Sequence[Try]",
    pace: Pace,
    tell_wait: Callable[[float], None] = lambda _s: None,
    spoken_s: float = 0.0,
) -> "Iterator[tuple[Target, Try]]":
    """In rounds, so that a stop leaves a picture of all; at most three quarters of 1 % of an hour on the air.

    `spoken_s`: what our radio has spoken in this hour already.
    """
    from bridge.domain.airtime import Airtime, packet_s
    from firmware_config.survey import ANSWER_TRIES, QUESTION_BYTES

    airtime, cost_s = Airtime(), packet_s(QUESTION_BYTES)
    airtime.spend(spoken_s, pace.now())
    asked = {target.node: sum(one.node == target.node for one in done) for target in targets}
    for round_ in range(tries):
        for target in (target for target in targets if asked[target.node] <= round_):
            now = pace.now()
            if (free_at := airtime.free_at(cost_s * ANSWER_TRIES, now, is_urgent=False)) > now:
                tell_wait(free_at - now)
                pace.sleep(free_at - now)
            one = asker.ask(target.node, pace.wait_s)
            asked[target.node] += 1
            if one.why != "NO_KEY":
                airtime.spend(cost_s if one.took_s is not None else cost_s * ANSWER_TRIES, pace.now())
                pace.sleep(pace.gap_s)
            yield target, one


def radio_url(settings: "Config", say: SurveyVoice) -> str:
    """The bridge's lease where one runs, else the radio itself. Raises typer.Exit."""
    socket = settings.control.socket
    try:
        ask(socket, "status")
    except NotAnswered:
        raise fail(say("held")) from None
    except NoBridge:
        return settings.radio.url
    return f"control+unix://{socket}"


def _spoken_s(settings: "Config") -> float:
    """What the radio says it has sent in the last hour, by the bridge's word; without one nobody has counted."""
    try:
        parts = ask(settings.control.socket, "status")["parts"].values()
    except (NoBridge, NotAnswered):
        return 0.0
    return sum(part.get("air_util_tx") or 0.0 for part in parts) / 100 * HOUR_S


class Record:
    """What was asked so far, a line each, so that a survey of hours can be broken off and go on."""

    def __init__(self, file: Path, say: SurveyVoice, again: bool) -> None:
        self.file, self.preset = file, "MEDIUM_FAST"
        self.tries: list[Try] = []
        if again:
            file.unlink(missing_ok=True)
        elif file.exists():
            self._read(say)

    def begin(self, preset: str) -> str:
        self.preset = preset
        if not self.tries:
            self.file.write_text(json.dumps({"survey": 1, "preset": preset}) + "\n", encoding="utf-8")
        return preset

    def keep(self, one: "Try") -> None:
        self.tries.append(one)
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(one)) + "\n")

    def _read(self, say: SurveyVoice) -> None:
        from firmware_config.survey import Try

        try:
            text = self.file.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]  # the last line may have been cut by a power cut
            head, *lines = [json.loads(line) for line in whole.splitlines()]
            if whole != text:
                self.file.write_text(whole, encoding="utf-8")
            self.preset, self.tries = head["preset"], [Try(**line) for line in lines]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise fail(say("bad_file", file=self.file)) from error


def _targets(settings: "Config", village: Path | None) -> "list[Target]":
    """Raises ConfigError."""
    from bridge.domain.ids import node_of
    from bridge.sources import load_sources
    from firmware_config.survey import Target

    if village is not None:
        from firmware_config.village_file import load_village

        nodes = load_village(village).nodes
        return [Target(node.name, node.number, _at(node.place)) for node in nodes if node.number is not None]
    found = []
    for source in load_sources(settings.sources, settings.post.id):
        if (number := node_of(source.id)) is not None:
            name = source.place.house if source.place and source.place.house else source.label or source.id
            found.append(Target(name, number, _at(source.place)))
    return found


def _at(place: object) -> tuple[float, float] | None:
    lat, lon = getattr(place, "lat", None), getattr(place, "lon", None)
    return (lat, lon) if lat is not None and lon is not None else None


def _begin(targets: "Sequence[Target]", tries: int, record: Record, say: SurveyVoice, as_json: bool) -> None:
    if as_json:
        return
    if record.tries:
        typer.echo(say("resumed", file=record.file, count=len(record.tries)))
    typer.echo(say("begin", count=len(targets), tries=tries, gap=Pace().gap_s))


def _waits(say: SurveyVoice, as_json: bool) -> Callable[[float], None]:
    def tell(wait_s: float) -> None:
        if not as_json:
            typer.echo(say("waits", min=max(1, round(wait_s / 60))))

    return tell


def _tell(target: "Target", one: "Try", say: SurveyVoice, as_json: bool) -> None:
    if as_json:
        return
    if one.took_s is None:
        why = say("no_key") if one.why == "NO_KEY" else one.why
        typer.echo(say("unanswered", name=target.name, why=why))
    else:
        snr = "" if one.snr_db is None else f"{one.snr_db:g} dB"
        hops = "?" if one.hops is None else one.hops
        typer.echo(say("answered", name=target.name, took=one.took_s, snr=snr, hops=hops))


def _report(html: Path, found: "list[Standing]", settings: "Config", say: SurveyVoice) -> None:
    from firmware_config.survey_page import page

    keys = ("name", "verdict", "share", "snr", "hops", "took", "post", "intro", "good", "weak", "silent", "unasked")
    words = {key: say(key) for key in keys} | {"lang": say.language}
    try:
        html.write_text(page(say("title", post=settings.post_id), words, found), encoding="utf-8")
    except OSError as error:
        raise fail(say("no_report", file=html, why=error.strerror)) from error


def _end(found: "list[Standing]", is_done: bool, html: Path, say: SurveyVoice, as_json: bool) -> None:
    from firmware_config.survey import Verdict

    below = [standing.target.name for standing in found if standing.verdict is not Verdict.GOOD]
    if as_json:
        told = [asdict(standing) | {"share": standing.share} for standing in found]
        typer.echo(json.dumps({"done": is_done, "below": below, "nodes": told}, ensure_ascii=False))
        raise typer.Exit(1 if below else 0)
    typer.echo(say("report", file=html))
    if not is_done:
        raise fail(say("unfinished"))
    if below:
        raise fail(say("below", names=", ".join(below)))
    typer.echo(say("all_good", count=len(found)))


def _be_quiet() -> None:
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the answer says it all
