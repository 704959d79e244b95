"""`kentongan post`: the whole post in one sealed file, and back from it onto an empty folder."""

import base64
import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import POST_TOML, AsJson, ConfigFile, Lang
from cli.register import plainly
from cli.register_words import RegisterVoice
from cli.settings import read_config
from cli.words import fail, voice

if TYPE_CHECKING:
    from bridge.config import Config
    from firmware_config.locks import Lock

post_app = typer.Typer(
    help="Pos ini sendiri: cadangan, pemulihan (the post itself: backup, restore).", no_args_is_help=True
)

PUBLIC = "backup.pub"
KEY_BYTES = 32


@post_app.command("backup-key")
def backup_key(
    config: ConfigFile = POST_TOML,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Juga sebagai lembar untuk dicetak. (Also as a sheet to print.)")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Kunci baru untuk cadangan berikutnya. (A new key from now on.)")
    ] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Buat kunci cadangan untuk disimpan di kertas (make the backup key, to be kept on paper).

    Pos hanya menyimpan separuh yang menutup. (The post keeps only the half that closes.)
    """
    with plainly(lang) as say:
        from firmware_config.faults import Refused
        from firmware_config.paper_key import PaperKey
        from firmware_config.qr import Qr
        from firmware_config.whole_file import write_whole

        public = _public_file(read_config(config, voice(lang)))
        if public.exists() and not replace:
            raise Refused("backup_has_key", file=public)
        key = PaperKey.new()
        if svg is not None:
            from firmware_config.label_sheet import key_sheet

            write_whole(svg, key_sheet(key.text, say("backup_sheet")).encode())
        write_whole(public, base64.b64encode(key.public) + b"\n")
        if as_json:
            typer.echo(json.dumps({"key": key.text, "public": str(public)}))
            return
        typer.echo(say("backup_key"))
        typer.echo(f"\n{Qr(key.text).for_terminal()}\n\n  {key.text}\n")
        if svg is not None:
            typer.echo(say("backup_key_svg", file=svg))


@post_app.command("backup")
def backup(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder di stik USB. (A folder on a USB stick.)")],
    keep: Annotated[int, typer.Option(min=1, help="Simpan sekian yang terbaru. (Keep so many of the newest.)")] = 14,
    same_disk: Annotated[
        bool, typer.Option("--same-disk", help="Boleh di disk pos sendiri. (The post's own disk will do.)")
    ] = False,
    config: ConfigFile = POST_TOML,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Seluruh pos ke satu berkas terkunci; jembatan tetap berjalan (the whole post in one sealed file; it runs on)."""
    with plainly(lang) as say:
        from cli.post_files import gather
        from firmware_config.backup import next_path, pack, turn
        from firmware_config.erasing import erasures
        from firmware_config.faults import Refused
        from firmware_config.whole_file import same_disk as is_same_disk

        settings = read_config(config, voice(lang))
        if not to.is_dir():
            raise Refused("no_folder", folder=to)
        if not same_disk and is_same_disk(to, settings.journal.path):
            raise Refused("backup_same_disk", folder=to)
        lock, post = _closing(settings, config), str(settings.post_id)
        gathered = gather(settings, config.absolute().parent, to)
        erased = erasures(settings.sources.parent)
        path, number = next_path(to, post)
        said = {"post": post, "number": number, "erasures": erased, "at": _now()}
        pack(path, lock, said, gathered.manifest, gathered.pieces)
        gone = [] if gathered.why_no_journal else turn(to, keep, erased, post)
        _tell_backup(path, len(gathered.pieces), gone, as_json, say)
        if gathered.why_no_journal:
            raise fail(say("backup_journal", why=gathered.why_no_journal))


@post_app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Cadangan. (The backup.)")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder pos yang baru, kosong. (The post's new folder.)")
    ],
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Berkas berisi kunci kertas; tanpa ini: ditanya. (A file with the paper key.)"
        ),
    ] = None,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Pos yang lama di folder atau kartu yang baru, dari satu berkas (the old post on a new card, from one file).

    Tidak ada node yang disentuh; meja polisi mengenalinya. (No node is touched; the police desk knows it.)
    """
    with plainly(lang) as say:
        from cli.post_restore import restored

        told = restored(file, folder.absolute(), _opening(key, say), voice(lang))
        if as_json:
            typer.echo(json.dumps(told))
            return
        typer.echo(say("restore_done", post=told["post"], folder=folder, at=told["at"]))
        typer.echo(say("restore_again", count=told["again"]))
        typer.echo(say("restore_once"))
        typer.echo(f"  chown -R kentongan: {folder}    # {say('restore_owner')}")
        typer.echo(f"  kentongan siren test --config {folder / 'post.toml'}    # {say('restore_siren')}")


def _public_file(settings: "Config") -> Path:
    """The half of the key that closes lies with the post's own keys."""
    return settings.identity.key.with_name(PUBLIC)


def _closing(settings: "Config", config: Path) -> "Lock":
    from firmware_config.faults import Refused
    from firmware_config.locks import PublicLock

    file = _public_file(settings)
    try:
        public = base64.b64decode(file.read_text("ascii").strip(), validate=True)
    except FileNotFoundError as error:
        raise Refused("backup_no_key", config=config) from error
    except (OSError, ValueError) as error:
        raise Refused("damaged", file=file) from error
    if len(public) != KEY_BYTES:
        raise Refused("damaged", file=file)
    return PublicLock(public)


def _opening(key: Path | None, say: RegisterVoice) -> "Lock":
    """The paper key, from a file or typed: it never stands on the command line, whose history stays on the disk."""
    from firmware_config.faults import Refused
    from firmware_config.locks import PaperLock
    from firmware_config.paper_key import PaperKey

    try:
        text = key.read_text("utf-8") if key is not None else typer.prompt(say("ask_paper"), err=True)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("unreadable", file=key, why=error) from error
    return PaperLock(PaperKey.read(text))


def _tell_backup(path: Path, count: int, gone: list[Path], as_json: bool, say: RegisterVoice) -> None:
    size = path.stat().st_size
    if as_json:
        typer.echo(
            json.dumps({"file": str(path), "files": count, "bytes": size, "removed": [str(old) for old in gone]})
        )
        return
    typer.echo(say("backup_done", file=path, count=count, kb=round(size / 1000)))
    for old in gone:
        typer.echo(say("backup_dropped", file=old))


def _now() -> str:
    """For people; nothing goes by it."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
