"""`kentongan node`: a village's radios, set up from its file and checked by reading back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.node_backup import add_to as add_backup_to
from cli.node_box import Bar, open_box, plainly, read_village
from cli.node_words import NodeVoice
from cli.options import AsJson, Lang
from cli.words import fail

if TYPE_CHECKING:
    from firmware_config.device import Device
    from firmware_config.settings import Difference
    from firmware_config.village import Village, VillageNode

node_app = typer.Typer(help="Radio warga: dari profil, diperiksa kembali (villagers' radios).", no_args_is_help=True)
add_backup_to(node_app)

BY_ID = Path("/dev/serial/by-id")
VillageYaml = Annotated[Path, typer.Argument(metavar="village.yaml", help="Berkas desa. (The village's file.)")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Nama kotak, RT03-12. (The box's name.)")]
Port = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="serial:///dev/serial/by-id/…, tcp://host:4403, control+unix:///…/kentongan.sock. (Where the box is.)",
    ),
]
Remote = Annotated[
    bool,
    typer.Option("--remote", help="Lewat udara, melalui radio di --port. (Over the air, through the radio at --port.)"),
]


@node_app.command("new")
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder baru desa. (The village's new folder.)")],
    village: Annotated[
        str, typer.Option(metavar="PP.KK.CC.DDDD", help="Kode desa Kemendagri. (The village's code.)")
    ] = "PP.KK.CC.DDDD",
    channel: Annotated[
        str, typer.Option(metavar="NAMA", help="Nama kanal, paling panjang 11 huruf. (The channel's name.)")
    ] = "SiagaDesa",
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Siapkan berkas desa, kunci kanal dan kunci admin (make a village's file and keys).

    Tanpa bertanya; kunci tidak pernah ditampilkan. (Asks nothing; keys are never shown.)
    """
    with plainly(lang) as say:
        from cli.node_new import make_village

        typer.echo(make_village(folder, village, channel, say, as_json))


@node_app.command("check")
def check(file: VillageYaml, lang: Lang = "", as_json: AsJson = False) -> None:
    """Periksa berkas desa: frekuensi dan semua kesalahan sekaligus (check the file: frequency, every mistake)."""
    with plainly(lang) as say:
        village = read_village(file)
        if as_json:
            sending, boxes = village.sending, village.nodes
            told = {"village": village.code, "nodes": len(boxes), "done": sum(node.is_done for node in boxes)}
            typer.echo(json.dumps(told | {"centre_hz": sending.centre_hz, "edges_hz": sending.edges_hz}))
            return
        _tell_village(village, file, say)


def _tell_village(village: "Village", file: Path, say: NodeVoice) -> None:
    from firmware_config.band import mhz

    sending, done = village.sending, sum(node.is_done for node in village.nodes)
    low, high = map(mhz, sending.edges_hz)
    band = {"channel": sending.channel, "region": sending.region, "preset": sending.preset, "slot": sending.slot_used}
    power, antenna = sending.power_dbm, sending.antenna_dbi
    typer.echo(say("check_village", code=village.code, nodes=len(village.nodes), done=done))
    typer.echo(say("check_band", **band, centre=mhz(sending.centre_hz), low=low, high=high))
    typer.echo(say("check_power", power=power, antenna=antenna, eirp=power + antenna))
    if done < len(village.nodes):
        typer.echo(say("check_next", file=file))


@node_app.command("plan")
def plan(
    file: VillageYaml, name: Name, port: Port, remote: Remote = False, lang: Lang = "", as_json: AsJson = False
) -> None:
    """Apa yang berbeda: sekarang, seharusnya, sebabnya; tidak menulis (what differs and why; writes nothing)."""
    with plainly(lang, port, file, name) as say:
        if _tell_compared(file, name, port, remote, say, as_json) and not as_json:
            where = f"{port} --remote" if remote else port
            typer.echo(say("plan_next", file=file, name=name, port=where))


@node_app.command("apply")
def apply(
    file: VillageYaml, name: Name, port: Port, remote: Remote = False, lang: Lang = "", as_json: AsJson = False
) -> None:
    """Tulis, baca kembali, catat nomor dan kuncinya (write, read back, enter its number and key).

    Bila terputus, ulangi; kotak yang sudah benar tidak ditulisi. (If it breaks off, run it again.)
    """
    with plainly(lang, port, file, name) as say:
        from cli.node_setup import claim, set_up

        village, node = _named(file, name)
        bar = Bar(say, as_json)
        with _box(village, node, port, remote) as device:
            village, node = claim(file, device, name)
            try:
                done = set_up(village, node, device, say.language, bar)
            finally:
                bar.clear()
        report = done.report
        if as_json:
            typer.echo(json.dumps({"name": name, "written": len(report.written), "left": len(report.left)}))
        if report.left:
            if not as_json:
                _tell_differences(name, report.left, say)
            raise fail(say("not_taken", name=name, count=len(report.left)))
        if not as_json:
            typer.echo(done.said(say))
        if not done.is_admin:
            raise fail(say("admins_full", file=village.admin_file, name=name))


@node_app.command("verify")
def verify(
    file: VillageYaml, name: Name, port: Port, remote: Remote = False, lang: Lang = "", as_json: AsJson = False
) -> None:
    """Baca kembali semuanya; keluar 1 bila ada yang berbeda (read everything back; exit 1 when something differs)."""
    with plainly(lang, port, file, name) as say:
        if count := _tell_compared(file, name, port, remote, say, as_json):
            raise fail(say("wrong_box", name=name, count=count))


@node_app.command("provision")
def provision(
    file: VillageYaml,
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Hanya kotak-kotak ini, berurutan; boleh banyak. (Only these, in order.)"),
    ] = None,
    watch: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder port yang diawasi. (The folder of ports to watch.)")
    ] = BY_ID,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Siapkan kotak satu per satu saat dicolokkan; tabel di akhir (set boxes up as they are plugged in).

    Kotak yang tidak dikenal tidak ditulisi; Ctrl-C mengakhiri. (A stranger's box is not written to; Ctrl-C ends.)
    """
    with plainly(lang, file=file) as say:
        from cli.node_provision import Provision, plugged_in

        read_village(file)
        tell = (lambda _line: None) if as_json else typer.echo
        run = Provision(file, say, tell, Bar(say, as_json), is_watching=not port)
        try:
            urls = iter(port) if port else plugged_in(watch)
            while port or run.announce():
                url = next(urls, None)
                if url is None:
                    break
                run.take(url)
        except KeyboardInterrupt:
            tell("")
        for line in run.report():
            tell(line)
        if as_json:
            typer.echo(json.dumps({"nodes": run.rows(), "others": run.others, "well": run.is_well}, ensure_ascii=False))
        if not run.is_well:
            raise typer.Exit(1)


def _named(file: Path, name: str) -> tuple["Village", "VillageNode"]:
    from cli.node_setup import NodeFault

    village = read_village(file)
    node = village.find(name)
    if node is None:
        raise NodeFault("no_name", name=name, file=file, known=", ".join(node.name for node in village.nodes) or "-")
    return village, node


def _box(village: "Village", node: "VillageNode", port: str, remote: bool) -> "Device":
    """At the cable, or over the air; there it must be known already."""
    from cli.node_setup import NodeFault

    if remote and node.number is None:
        raise NodeFault("no_number", name=node.name)
    return open_box(port, node.number if remote else None)


def _tell_compared(file: Path, name: str, port: str, remote: bool, say: NodeVoice, as_json: bool) -> int:
    """How much differs on that box; its number and key are noted, it itself is not written to."""
    from firmware_config.device import verify as compare

    village, node = _named(file, name)
    with _box(village, node, port, remote) as device:
        _must_be(village, node, device)
        differences = compare(device, village.wanted(node, say.language))
    _tell_differences(name, differences, say, as_json)
    return len(differences)


def _must_be(village: "Village", node: "VillageNode", device: "Device") -> None:
    """The box that answers is that node, or a new one where that node has none. Raises NodeFault, Wrong."""
    from bridge.domain.ids import node_id
    from cli.node_setup import NodeFault, known_as, new_enough, note

    note(village, device)
    new_enough(device)
    known = known_as(village, device)
    if known is not None and known.name != node.name:
        raise NodeFault("other_box", found=f"{known.name} ({node_id(device.node)})", name=node.name)
    if known is None and node.number is not None:
        raise NodeFault("name_taken", name=node.name, number=node_id(node.number))


def _tell_differences(name: str, differences: Sequence["Difference"], say: NodeVoice, as_json: bool = False) -> None:
    from cli.node_show import json_of, lines_of

    if as_json:
        told = {"name": name, "differences": json_of(differences, say.language)}
        typer.echo(json.dumps(told, ensure_ascii=False))
    elif not differences:
        typer.echo(say("plan_same", name=name))
    else:
        typer.echo(
            "\n".join((say("plan_head", name=name, count=len(differences)), *lines_of(differences, say.language)))
        )
