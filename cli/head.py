"""`kentongan head`: a technician's hand on the kentongan itself, over USB (docs/head.md)."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.domain.errors import ConfigError
from bridge.domain.head import is_head
from cli.head_words import HeadVoice
from cli.options import AsJson, Lang
from cli.words import fail, voice

if TYPE_CHECKING:
    from bridge.sources import Register
    from cli.head_link import HeadInfo, HeadLink

head_app = typer.Typer(help="Kepala kentongan di USB (a kentongan's head on USB).", no_args_is_help=True)

FACTORY = "H-"  # how a head calls itself that nobody has named
BOARDS = ("", "pico", "esp32")
PLACES = ("", "house", "post")
SETTLE_S = 5.0  # a rhythm is read after 4 s of silence
LONGEST_BOOK = 980  # a head takes lines of at most 1,000 bytes

Port = Annotated[
    str,
    typer.Option(metavar="FILE", help="Port USB, /dev/serial/by-id/…. (The USB port, /dev/serial/by-id/….)"),
]
Sources = Annotated[Path, typer.Option(metavar="FILE", help="Berkas sources.toml pos. (The post's sources.toml.)")]
SOURCES_TOML = Path("sources.toml")


@head_app.command("flash")
def flash(
    port: Port,
    board: Annotated[str, typer.Option(metavar="pico|esp32", help="Jenis papan. (The kind of board.)")] = "",
    codebook: Annotated[
        str, typer.Option(metavar="NAMA", help="Irama desa: nama atau berkas. (The codebook: a name or a file.)")
    ] = "",
    name: Annotated[str, typer.Option(metavar="NAMA", help="Nama kepala, RT03-12. (The head's name, RT03-12.)")] = "",
    at: Annotated[
        str, typer.Option(metavar="house|post", help="Tempatnya: rumah atau pos. (Where it is: house or post.)")
    ] = "",
    piezo: Annotated[
        bool | None,
        typer.Option(help="Bantalan berupa cakram piezo; bawaan: seperti sebelumnya. (The pad is a piezo disc.)"),
    ] = None,
    beeps: Annotated[
        bool | None, typer.Option(help="Pakai bunyi; bawaan: seperti sebelumnya. (With a beeper; default: as before.)")
    ] = None,
    wipe: Annotated[
        bool,
        typer.Option(
            "--wipe",
            help="Hapus juga nama, kunci dan nomor pukulan: menjadi kepala baru. "
            "(Erase name, key and press numbers too: a new head.)",
        ),
    ] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Isi program kepala kentongan, baca kembali, mulai (write a head's program, read it back, start it).

    Nama, kunci dan nomor pukulan tetap ada. (Name, key and press numbers stay.)
    """
    with _plainly(port, lang) as say:
        from cli.head_flash import Flasher, program
        from cli.head_link import HeadLink

        book = _codebook(codebook)
        _chosen(board in BOARDS, "bad_board", say)
        _chosen(at in PLACES, "bad_place", say)
        _chosen(not name or is_head(name), "bad_name", say, name=name)
        flasher = Flasher(port)
        found = flasher.stop(board)
        wishes = {"PIEZO": piezo, "BEEPS": beeps}
        options = {name for name, wish in wishes.items() if wish or (wish is None and name in found.options)}
        files = program(options)
        _tell(as_json, say("flash_found", found=found))
        flasher.write(files, wipe)
        _tell(as_json, say("flash_same", count=len(files)))
        flasher.restart()
        flasher.wait()
        with HeadLink(port) as link:
            for word, rest in (("name", name), ("codebook", book), ("at", at)):
                if rest:
                    link.order(word, rest)
            info = link.info()
    if as_json:
        typer.echo(
            json.dumps(
                {"board": str(found), "files": len(files), "options": sorted(options), "wiped": wipe} | asdict(info)
            )
        )
    else:
        if options:
            typer.echo(say("flash_options", options=", ".join(sorted(options))))
        _tell_flashed(info, wipe, port, say)
    _well(info, say)


def _tell_flashed(info: "HeadInfo", wipe: bool, port: str, say: HeadVoice) -> None:
    if wipe:
        typer.echo(say("flash_wiped"))
    typer.echo(_said(info, say))
    if info.codebook in ("", "none"):
        typer.echo(say("next_codebook", port=port))
    if not info.keyed:
        typer.echo(say("next_key", port=port, name=info.name))


@head_app.command("key")
def key(
    port: Port,
    head: Annotated[str, typer.Option(metavar="NAMA", help="Nama kepala, RT03-12. (The head's name, RT03-12.)")],
    sources: Sources = SOURCES_TOML,
    house: Annotated[str, typer.Option(help="Kode rumah, untuk entri baru. (The house, for a new entry.)")] = "",
    rt: Annotated[str, typer.Option(help="RT, untuk entri baru. (The RT, for a new entry.)")] = "",
    rw: Annotated[str, typer.Option(help="RW, untuk entri baru. (The RW, for a new entry.)")] = "",
    home: Annotated[str, typer.Option(help="Pos yang menjawab, untuk entri baru. (Home post, for a new entry.)")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Ganti kunci yang ada. (Replace the key.)")] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Beri kepala kentongan kunci, dan catat di sources.toml (give a head its key, and enter it in sources.toml).

    Kunci tidak pernah ditampilkan; bila terputus, ulangi. (The key is never shown; if it breaks off, run it again.)
    """
    with _plainly(port, lang) as say:
        from cli.head_link import HeadFault, HeadLink
        from cli.head_register import EntryPlace, RegisterFile

        _chosen(is_head(head), "bad_name", say, name=head)
        _read_register(sources)
        register = RegisterFile(sources, head)
        with register.alone(), HeadLink(port) as link:
            info = link.info()
            if info.name != head and not info.name.startswith(FACTORY):
                raise HeadFault("other_head", found=info.name, wanted=head, port=port)
            place = EntryPlace(house, rt, rw, home, "post" if info.at == "post" else "")
            secret, was_begun = register.prepare(place, replace)
            if was_begun:
                _tell(as_json, say("key_resumed"))
            with _unfinished(str(register.pending), say):
                _give(link, head, secret)
                register.enter(secret, place)
    if as_json:
        typer.echo(json.dumps({"head": head, "keyed": True, "sources": str(sources), "resumed": was_begun}))
        return
    typer.echo(say("key_done", head=head, file=sources))
    typer.echo(say("key_next", port=port, file=sources))


def _give(link: "HeadLink", head: str, secret: bytes) -> None:
    from cli.head_link import HeadFault

    link.order("name", head)
    link.order("key", secret.hex())
    info = link.info()
    if not info.keyed or info.name != head:
        raise HeadFault("not_keyed")


@contextlib.contextmanager
def _unfinished(pending: str, say: HeadVoice) -> Iterator[None]:
    """Whatever breaks it off, Ctrl-C too, the technician learns that the key is safe and what to do."""
    is_done = False
    try:
        yield
        is_done = True
    finally:
        if not is_done:
            typer.echo(f"kentongan: {say('key_unfinished', file=pending)}", err=True)


@head_app.command("test")
def test(
    port: Port,
    sources: Sources = SOURCES_TOML,
    strike: Annotated[
        bool,
        typer.Option(
            "--strike",
            help="Tunggu pukulan tangan; alarm SUNGGUHAN bila nodenya menyala. (Wait for a hand: a REAL alarm.)",
        ),
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=1, max=600, help="Tunggu sekian detik. (Wait for so many seconds.)")
    ] = 30.0,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Nyalakan lampu, dengarkan barisnya, periksa kuncinya (run the lamps, hear its lines, check its key).

    Tanpa --strike ia mengirim LATIHAN. (Without --strike it sends a DRILL.)
    """
    with _plainly(port, lang) as say:
        from cli.head_link import HeadLink
        from cli.head_trial import close, heard_of, judge

        register = _read_register(sources)
        with HeadLink(port) as link:
            info = link.info()
            _tell(as_json, _said(info, say))
            link.order("lamps")
            _tell(as_json, say("test_lamps"))
            is_begun = _begin(link, strike, wait_s, as_json, say)
            lines = heard_of(link, wait_s, SETTLE_S if strike else 0.0)
            for line in lines:
                _tell(as_json, f"  {line}")
            verdict = judge(lines, info, register)
            if verdict == "silent" and not is_begun:
                verdict = "open"
            if verdict == "right" and not strike and not close(link, lines[-1], register):
                verdict = "deaf"
    if as_json:
        told = {"well": verdict == "right" and not info.fault, "verdict": verdict, "lines": lines}
        typer.echo(json.dumps(told | asdict(info)))
    sentence = say(f"test_{verdict}", head=info.name, port=port, file=sources, s=wait_s)
    if verdict != "right":
        raise fail(sentence)
    _tell(as_json, sentence)
    _well(info, say)


def _begin(link: "HeadLink", strike: bool, wait_s: float, as_json: bool, say: HeadVoice) -> bool:
    """False when the head still waits for an answer to a call of before; that one is said again, so it may do."""
    from cli.head_link import HeadFault

    if strike:
        _tell(as_json, say("test_strike", s=wait_s))
        return True
    try:
        link.order("test")
    except HeadFault as fault:
        if fault.key != "refused" or "open" not in str(fault.facts["why"]):
            raise
        _tell(as_json, say("test_waiting", s=wait_s))
        return False
    return True


@contextlib.contextmanager
def _plainly(port: str, lang: str) -> Iterator[HeadVoice]:
    """What goes wrong with a head is a sentence and exit code 1."""
    import logging

    import structlog

    from cli.head_link import HeadFault

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the answer says it all
    say = HeadVoice(voice(lang).language)
    try:
        yield say
    except HeadFault as fault:
        facts = fault.facts
        if "board" in facts:
            facts = facts | {"how": _how_to_begin(str(facts["board"]), port, say)}
        raise fail(say(fault.key, **facts)) from fault


def _how_to_begin(board: str, port: str, say: HeadVoice) -> str:
    """How MicroPython comes onto a board, without the internet; for both when we were not told which."""
    return " ".join(say(f"how_{known}", port=port) for known in BOARDS if known and board in ("", known))


def _chosen(is_right: object, sentence: str, say: HeadVoice, **facts: object) -> None:
    if not is_right:
        raise fail(say(sentence, **facts), 2)


def _codebook(name: str) -> str:
    """As the head takes it, in one line; '' for none. Raises ConfigError."""
    if not name:
        return ""
    from bridge.codebook_files import load_codebook, load_rules

    load_codebook(name)  # the head refuses what cannot be told apart, too, but later
    book = json.dumps({"name": Path(name).stem, "rules": load_rules(name)})
    if len(book) > LONGEST_BOOK:
        raise ConfigError(
            f"codebook {name}: too long for a head: {len(book)} bytes, at most {LONGEST_BOOK}",
            f"kode {name}: terlalu panjang untuk kepala kentongan: {len(book)} bita, paling banyak {LONGEST_BOOK}",
        )
    return book


def _read_register(sources: Path) -> "Register":
    """Every mistake in it is told before a head is touched. Raises ConfigError."""
    from bridge.sources import load_sources

    return load_sources(sources)


def _said(info: "HeadInfo", say: HeadVoice) -> str:
    facts: dict[str, object] = asdict(info)
    return say("info", **facts | {"keyed": say("yes" if info.keyed else "no"), "at": say(info.at)})


def _well(info: "HeadInfo", say: HeadVoice) -> None:
    if info.fault:
        raise fail(say("faulty", why=info.fault))


def _tell(is_quiet: bool, sentence: str) -> None:
    if not is_quiet:
        typer.echo(sentence)
