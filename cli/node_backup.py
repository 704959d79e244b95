"""`kentongan node backup|restore|diff`: one box in a sealed file, and another box made of it."""

import datetime
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.node_backup_words import BackupVoice
from cli.node_box import Bar, open_box, plainly
from cli.options import AsJson, Lang
from cli.register_words import RegisterVoice
from cli.sealed import KeyFile, SameDisk, lock_of
from cli.words import fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_config.device import Report
    from firmware_config.device_backup import NodeBackup
    from firmware_config.settings import Difference

File = Annotated[Path, typer.Argument(metavar="FILE", help="Berkas cadangan. (The backup's file.)")]
Port = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="serial:///dev/serial/by-id/…, tcp://host:4403, control+unix:///…/kentongan.sock. (Where the box is.)",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Tanpa bertanya. (Without asking.)")]


def add_to(app: typer.Typer) -> None:
    """Mount the three commands."""
    for name, command in (("backup", backup), ("restore", restore), ("diff", diff)):
        app.command(name)(command)


def backup(
    file: File, port: Port, key: KeyFile = None, same_disk: SameDisk = False, lang: Lang = "", as_json: AsJson = False
) -> None:
    """Simpan semua setelan kotak, terkunci, juga kunci pribadinya (keep a box's settings, sealed, its key too)."""
    with plainly(lang, port, file) as node_say:
        from bridge.domain.ids import node_id
        from firmware_config.device_backup import NodeBackup, keep
        from firmware_config.faults import Refused

        say = BackupVoice(node_say.language)
        if file.exists():
            raise Refused("key_exists", file=file)
        lock = lock_of(file, key, same_disk, say)
        with open_box(port) as device:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            kept = NodeBackup(device.node, device.firmware, now, device.read())
        if not kept.public_key:
            raise fail(say("no_region", node=node_id(kept.node)))
        keep(kept, file, lock)
        if as_json:
            typer.echo(json.dumps({"node": node_id(kept.node), "at": kept.at, "settings": len(kept.values)}))
        else:
            typer.echo(say("kept", node=node_id(kept.node), file=file, count=len(kept.values)))


def restore(
    file: File,
    port: Port,
    key: KeyFile = None,
    same_disk: SameDisk = False,
    own_key: Annotated[
        bool,
        typer.Option(
            "--own-key",
            help="Kotak tetap memakai kuncinya sendiri: perangkat baru. (It keeps its own key: a new node.)",
        ),
    ] = False,
    yes: Yes = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Jadikan kotak ini pengganti kotak di cadangan (make this box the replacement of the one in the backup).

    Bila terputus, ulangi. (If it breaks off, run it again.)
    """
    with plainly(lang, port, file) as node_say:
        from bridge.domain.ids import node_id
        from firmware_config.device import apply, verify
        from firmware_config.device_backup import load

        say = BackupVoice(node_say.language)
        kept = load(file, lock_of(file, key, same_disk, say))
        wanted = kept.settings(with_key=not own_key)
        _refuse_unlawful(kept, say)
        bar = Bar(node_say, as_json)
        with open_box(port) as device:
            box = node_id(device.node)
            if differing := verify(device, wanted):
                question = "sure_restore_own" if own_key else "sure_restore"
                facts = {"box": box, "node": node_id(kept.node), "at": kept.at, "count": len(differing)}
                _ask(say(question, **facts), yes, say)
            try:
                report = apply(device, wanted, bar)
            finally:
                bar.clear()
        _tell_restored(box, report, say, as_json)


def _refuse_unlawful(kept: "NodeBackup", say: BackupVoice) -> None:
    """A box that sent out of the band is not made anew. Raises typer.Exit."""
    from firmware_config.band import refusals_of

    if reasons := refusals_of(kept.values):
        why = "; ".join(both.said(say.language) for both in reasons)
        raise fail(say("unlawful", why=why))


def _ask(sentence: str, yes: bool, say: BackupVoice) -> None:
    """Raises typer.Exit when it is not meant, or when there is nobody to ask."""
    if yes:
        return
    typer.echo(sentence, err=True)
    also = RegisterVoice(say.language)
    if not sys.stdin.isatty() or not typer.confirm(also("sure"), err=True):
        raise fail(also("not_sure"))


def _tell_restored(box: str, report: "Report", say: BackupVoice, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"node": box, "written": len(report.written), "left": _json(report.left, say)}))
    if report.left:
        if not as_json:
            _tell(report.left, say)
        raise fail(say("not_taken", box=box, count=len(report.left)))
    if not as_json:
        typer.echo(say("restored" if report.written else "restored_none", box=box, count=len(report.written)))


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Cadangan lama. (The older backup.)")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Cadangan baru. (The newer backup.)")],
    key: KeyFile = None,
    same_disk: SameDisk = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Apa yang berubah di antara dua cadangan; rahasia tidak ditampilkan (what changed between two backups).

    Keduanya terkunci dengan kunci yang sama. (Both are sealed with the same key.)
    """
    with plainly(lang, file=old) as node_say:
        from firmware_config.device_backup import changes, load

        say = BackupVoice(node_say.language)
        lock = lock_of(old, key, same_disk, say)
        older, newer = load(old, lock), load(new, lock)
        found = changes(older, newer)
        if as_json:
            typer.echo(json.dumps(_json(found, say, "old", "new"), ensure_ascii=False))
            return
        _tell_whether_other(older, newer, say)
        _tell(found, say)
        if not found:
            typer.echo(say("same"))


def _tell_whether_other(older: "NodeBackup", newer: "NodeBackup", say: BackupVoice) -> None:
    from bridge.domain.ids import node_id

    if older.node != newer.node:
        typer.echo(say("other_nodes", old=node_id(older.node), new=node_id(newer.node)))


def _tell(found: "Sequence[Difference]", say: BackupVoice) -> None:
    for each in _json(found, say):
        typer.echo(f"  {each['what']}: {each['now']} -> {each['wanted']}")


def _json(
    found: "Sequence[Difference]", say: BackupVoice, now: str = "now", wanted: str = "wanted"
) -> list[dict[str, str]]:
    """What, and from what to what under these names; secrets are hidden."""
    from firmware_config.diff import shown

    return [
        {
            "what": each.setting.path,
            now: shown(each.setting, each.now, say.language),
            wanted: shown(each.setting, each.setting.value, say.language),
        }
        for each in found
    ]
