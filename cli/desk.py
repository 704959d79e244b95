"""`kentongan desk`: the police side. An officer's word goes into the desk's outbox; the running desk delivers it."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.domain.alarm import Stage
from bridge.domain.desk import OrderKind
from bridge.domain.errors import BridgeError, ConfigError
from bridge.domain.ids import PostId
from cli.desk_words import DeskVoice
from cli.options import AsJson, Lang
from cli.words import fail, voice

if TYPE_CHECKING:
    from desk.config import DeskConfig
    from desk.store import Store

app = typer.Typer(help="Meja polisi (the police desk).", no_args_is_help=True)
post_app = typer.Typer(help="Pos yang dipercaya meja ini (the posts this desk trusts).", no_args_is_help=True)
order_app = typer.Typer(help="Perintah kepada pos (orders to a post).", no_args_is_help=True)
app.add_typer(post_app, name="post")
app.add_typer(order_app, name="order")

DESK_TOML = Path("desk.toml")
Config = Annotated[
    Path,
    typer.Option(
        "--config", envvar="KENTONGAN_DESK", metavar="FILE", help="Berkas desk.toml. (The desk.toml or its folder.)"
    ),
]
Alarm = Annotated[
    str, typer.Argument(metavar="ALARM", help="Nomor panggilan atau id alarm. (A call's number, or an alarm's id.)")
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Siapa; bawaan: nama meja. (Who; default: the desk.)")]
Village = Annotated[str, typer.Argument(metavar="VILLAGE", help="Kode desa, 35.09.14.2005. (The village's code.)")]
Post = Annotated[str, typer.Argument(metavar="POST", help="Nama pos, pos-1. (The post's name.)")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="Kalimat yang disampaikan. (What to say.)")]


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder baru meja ini. (The desk's new folder.)")],
    mqtt: Annotated[str, typer.Option("--mqtt", metavar="URL", help="Broker, mqtt://host:1883. (The broker.)")],
    name: Annotated[str, typer.Option(help="Nama yang dibaca warga. (The name that people read.)")] = "Polisi",
    database: Annotated[
        str, typer.Option("--db", metavar="URL", help="Basis data; bawaan: SQLite di DIR. (Default: SQLite in DIR.)")
    ] = "",
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Siapkan meja polisi baru: kunci, setelan, basis data (make a new desk: key, settings, database)."""
    say = _voice(lang)
    with _plain_faults(say):
        from desk.service import found

        config, signer = found(folder, mqtt, name, database)
    file = folder / "desk.toml"
    if as_json:
        facts = {"desk": config.desk.id, "public_key": signer.public_text, "config": str(file)}
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    typer.echo(say("made", folder=folder))
    typer.echo(say("key", key=signer.public_text))
    typer.echo(say("next"))
    typer.echo(f"  kentongan setup DIR … --desk-key {signer.public_text}    # {say('next_post')}")
    typer.echo(f"  kentongan desk post add VILLAGE POST KEY --config {file}    # {say('next_add')}")
    typer.echo(f"  kentongan desk run --config {file}    # {say('next_run')}")


@app.command("key")
def key(config: Config = DESK_TOML, lang: Lang = "") -> None:
    """Kunci publik meja ini, untuk pos (this desk's public key, for the posts)."""
    with _plain_faults(_voice(lang)):
        from desk.config import load, load_key

        typer.echo(load_key(load(config)).public_text)


@app.command("run")
def run(
    config: Config = DESK_TOML,
    verbose: Annotated[bool, typer.Option("--verbose", help="Catat setiap langkah. (Log every small step.)")] = False,
    lang: Lang = "",
) -> None:
    """Jalankan meja polisi; berhenti dengan Ctrl-C (run the desk until Ctrl-C)."""
    say = _voice(lang)
    with _plain_faults(say):
        from cli.logs import set_up_logs
        from desk.config import load
        from desk.service import Service

        set_up_logs(verbose)
        Service(load(config)).run()


@app.command("list")
def list_cases(
    config: Config = DESK_TOML,
    everything: Annotated[bool, typer.Option("--all", help="Juga yang sudah ditutup. (The closed ones too.)")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Paling banyak sekian. (At most so many.)")] = 1000,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Panggilan yang terbuka, yang terbaru dahulu (open calls, newest first)."""
    with _desk(config, _voice(lang)) as desk:
        from cli.desk_show import line
        from desk.views import cases

        with desk.store.reading() as connection:
            found = cases(connection, everything, limit)
        if as_json:
            typer.echo(json.dumps([dataclasses.asdict(case) for case in found], ensure_ascii=False))
            return
        for case in found:
            typer.echo(line(case, desk.say))
        if not found:
            typer.echo(desk.say("nothing" if everything else "none"))


@app.command("show")
def show(alarm: Alarm, config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Semua tentang satu panggilan (everything about one call)."""
    with _desk(config, _voice(lang)) as desk:
        from cli.desk_show import page
        from desk.cases import find
        from desk.views import case

        with desk.store.reading() as connection:
            view, reports, acts, words = case(connection, find(connection, alarm))
        if as_json:
            whole: dict[str, Any] = dataclasses.asdict(view) | {"acts": acts}
            whole["reports"] = [dataclasses.asdict(report) for report in reports]
            whole["deliveries"] = [dataclasses.asdict(word) for word in words]
            typer.echo(json.dumps(whole, ensure_ascii=False))
            return
        for text in page(view, reports, acts, words, desk.say):
            typer.echo(text)


@app.command("take")
def take(alarm: Alarm, by: By = "", config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Petugas sudah membaca panggilan ini (an officer has read this call)."""
    _say_stage(alarm, Stage.ACKNOWLEDGED, by, config, lang, as_json)


@app.command("dispatch")
def dispatch(alarm: Alarm, by: By = "", config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Petugas berangkat ke tempat itu (officers are on their way)."""
    _say_stage(alarm, Stage.DISPATCHED, by, config, lang, as_json)


@app.command("on-scene")
def on_scene(alarm: Alarm, by: By = "", config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Petugas sudah tiba di lokasi (officers are on scene)."""
    _say_stage(alarm, Stage.ON_SCENE, by, config, lang, as_json)


@app.command("close")
def close(alarm: Alarm, by: By = "", config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Tutup panggilan ini (close this call)."""
    _say_stage(alarm, Stage.CLOSED, by, config, lang, as_json)


@post_app.command("add", context_settings={"ignore_unknown_options": True})  # a key may begin with "-"
def add_post(
    village: Village,
    post: Post,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Kunci publik pos, 43 huruf. (The post's public key.)")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Cabut kunci lama pos ini. (Revoke this post's old key.)")
    ] = False,
    config: Config = DESK_TOML,
    lang: Lang = "",
) -> None:
    """Daftarkan kunci publik sebuah pos (register a post's public key)."""
    say = _voice(lang)
    name = _post_id(village, post)
    from mqtt.signature import read_public

    try:
        read_public(key)
    except ValueError as error:
        raise typer.BadParameter("43 huruf dari `kentongan keys show` (43 letters of it)", param_hint="KEY") from error
    with _desk(config, say) as desk:
        from desk.views import posts

        with desk.store.reading() as connection:
            old = next((known.kid for known in posts(connection) if known.post == str(name)), None)
        is_new = desk.store.add_post(name, key, replace)
        said = "post_known" if not is_new else "post_replaced" if old else "post_added"
        typer.echo(say(said, post=name, old=old))


@post_app.command("list")
def list_posts(config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False) -> None:
    """Pos yang terdaftar, tersambung atau tidak (registered posts, online or not)."""
    with _desk(config, _voice(lang)) as desk:
        from cli.desk_show import post_line
        from desk.views import posts

        with desk.store.reading() as connection:
            found = posts(connection)
        if as_json:
            typer.echo(json.dumps([dataclasses.asdict(post) for post in found], ensure_ascii=False))
            return
        for post in found:
            typer.echo(post_line(post, desk.say))
        if not found:
            typer.echo(desk.say("no_posts"))


@order_app.command("message")
def order_message(
    alarm: Alarm, text: Text, by: By = "", config: Config = DESK_TOML, lang: Lang = "", as_json: AsJson = False
) -> None:
    """Kalimat petugas kepada pemukul (an officer's words to the striker)."""
    with _desk(config, _voice(lang)) as desk:
        from desk.cases import message

        case, numbers = message(desk.store, alarm, _sayable(text), _officer(desk, by))
        _tell_words(desk, case, OrderKind.MESSAGE.value, numbers, as_json)


@order_app.command("village")
def order_village(
    village: Village, post: Post, text: Text, by: By = "", config: Config = DESK_TOML, lang: Lang = ""
) -> None:
    """Kalimat petugas kepada seluruh desa (an officer's words to the whole village)."""
    _order(OrderKind.VILLAGE, _post_id(village, post), config, lang, by, _sayable(text))


@order_app.command("siren-off")
def order_siren_off(village: Village, post: Post, by: By = "", config: Config = DESK_TOML, lang: Lang = "") -> None:
    """Matikan sirene pos (silence the post's siren)."""
    _order(OrderKind.SIREN_OFF, _post_id(village, post), config, lang, by)


@order_app.command("drill")
def order_drill(village: Village, post: Post, by: By = "", config: Config = DESK_TOML, lang: Lang = "") -> None:
    """Adakan latihan di pos (hold a drill at the post)."""
    _order(OrderKind.DRILL, _post_id(village, post), config, lang, by)


@order_app.command("resend")
def order_resend(village: Village, post: Post, by: By = "", config: Config = DESK_TOML, lang: Lang = "") -> None:
    """Minta pos mengirim ulang semuanya (ask the post for everything again)."""
    _order(OrderKind.RESEND, _post_id(village, post), config, lang, by)


@dataclasses.dataclass(frozen=True, slots=True)
class Open:
    """A desk's database, its settings, and the language to speak."""

    config: "DeskConfig"
    store: "Store"
    say: DeskVoice


def _voice(lang: str) -> DeskVoice:
    return DeskVoice(voice(lang).language)


@contextmanager
def _desk(config: Path, say: DeskVoice) -> Iterator[Open]:
    with _plain_faults(say):
        from desk.config import load
        from desk.service import opened

        settings = load(config)
        with opened(settings) as store:
            yield Open(settings, store, say)


@contextmanager
def _plain_faults(say: DeskVoice) -> Iterator[None]:
    """What is to be expected is one line and exit code 1."""
    from desk.cases import NotHigher, UnknownAlarm, UnknownPost
    from desk.store import KeyRefused

    try:
        yield
    except UnknownAlarm as error:
        near = say("nearest", near=", ".join(error.near)) if error.near else say("see_list")
        raise fail(f"{say('unknown_alarm', said=error.said)} {near}") from error
    except NotHigher as error:
        by = f" ({say('by', by=error.by)})" if error.by else ""
        raise fail(say("not_higher", case=error.case, stage=say.stage(error.stage.name), by=by)) from error
    except KeyRefused as error:
        raise fail(say("key_in_force" if error.old else "key_revoked", post=error.post, old=error.old)) from error
    except UnknownPost as error:
        raise fail(say("unknown_post", post=error.post)) from error
    except ConfigError as error:
        raise fail(error.said(say.language)) from error
    except BridgeError as error:
        raise fail(str(error)) from error


def _post_id(village: str, post: str) -> PostId:
    try:
        return PostId(village, post)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="VILLAGE POST") from error


def _officer(desk: Open, by: str) -> str:
    return _sayable(by) if by else desk.config.desk.name


def _sayable(text: str) -> str:
    """What fits in the contract and can be printed."""
    if not text.strip() or not text.isprintable() or len(text) > 200:
        raise typer.BadParameter("1–200 huruf dalam satu baris (letters, in one line)")
    return text.strip()


def _say_stage(alarm: str, stage: Stage, by: str, config: Path, lang: str, as_json: bool) -> None:
    with _desk(config, _voice(lang)) as desk:
        from desk.cases import say_stage

        case, numbers = say_stage(desk.store, alarm, stage, _officer(desk, by))
        _tell_words(desk, case, stage.name, numbers, as_json)


def _tell_words(desk: Open, case: int, stage: str, numbers: list[int], as_json: bool) -> None:
    """What was put into the outbox, for whom, and who cannot hear it just now."""
    from desk.views import case as whole
    from desk.views import posts

    with desk.store.reading() as connection:
        told = sorted({word.post for word in whole(connection, case)[3] if word.number in numbers})
        away = [post.post for post in posts(connection) if post.post in told and not post.online]
    if as_json:
        typer.echo(json.dumps({"case": case, "stage": stage, "posts": told, "numbers": numbers, "away": away}))
        return
    shown = desk.say.stage(stage)
    if told:
        typer.echo(desk.say("said", case=case, stage=shown, posts=", ".join(told)))
    else:
        typer.echo(desk.say("said_nowhere", case=case, stage=shown))
    for post in away:
        typer.echo(desk.say("post_away", post=post))


def _order(kind: OrderKind, post: PostId, config: Path, lang: str, by: str, text: str = "") -> None:
    with _desk(config, _voice(lang)) as desk:
        from desk.cases import order

        number = order(desk.store, kind, post, _officer(desk, by), text)
        typer.echo(desk.say("ordered", number=number, post=post))
