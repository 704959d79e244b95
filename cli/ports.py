"""`kentongan ports`: what is plugged in, what it is, who holds it, and how to be allowed to use it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.doctor_words import DoctorVoice
from cli.options import POST_TOML, AsJson, ConfigFile, Lang
from cli.words import fail, voice

if TYPE_CHECKING:
    from bridge.config import Config
    from cli.ports_found import Candidate


def ports(
    config: ConfigFile = POST_TOML,
    udev: Annotated[
        bool, typer.Option("--udev", help="Tampilkan aturan udev untuk semua papan. (Show a udev rule for all boards.)")
    ] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Port USB: nama tetapnya, perangkat apa, siapa pemegangnya (USB ports: what they are, who holds them).

    Tidak membuka port mana pun. Keluar 1 bila tidak ada. (Opens none. Exit 1 when there is none.)
    """
    from cli.ports_found import candidates

    say = DoctorVoice(voice(lang).language)
    if udev:
        typer.echo(say("udev_how"))
        typer.echo(udev_rule())
        return
    found = candidates(_used(config))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False))
    else:
        for each in found:
            typer.echo("\n".join(_said(each, say)))
    if not found:
        raise fail(say("ports_none"))


def udev_rule() -> str:
    """Whoever sits at the machine, and group dialout, may use these boards."""
    from cli.ports_found import KNOWN

    vendors = sorted({key for key in KNOWN if isinstance(key, int)})
    rule = 'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{:04x}", GROUP="dialout", MODE="0660", TAG+="uaccess"'
    return "\n".join(rule.format(vendor) for vendor in vendors)


def serial_ports(settings: "Config") -> dict[str, str]:
    """The ports that a post uses, each with what it is for."""
    named = {settings.radio.url: "radio"} | {wired.url: wired.name for wired in settings.input}
    prefix = "serial://"
    return {url.removeprefix(prefix): word for url, word in named.items() if url.startswith(prefix)}


def _used(config: Path) -> dict[str, str]:
    """Nothing where there is no post, or one whose settings are wrong: ports are looked at before it is set up."""
    from bridge.config import load_config
    from bridge.domain.errors import ConfigError

    try:
        return serial_ports(load_config(config))
    except ConfigError:
        return {}


def _said(port: "Candidate", say: DoctorVoice) -> list[str]:
    lines = [port.path, f"    {port.what}" + (f"  ({port.device})" if port.device != port.path else "")]
    if port.used_for:
        lines.append(f"    {say('port_used', word=port.used_for)}")
    for holder in port.holders:
        lines.append(f"    {say('port_bridge' if holder.is_bridge else 'port_held', **asdict(holder))}")
    if not port.is_allowed:
        lines.append(f"    {say('port_refused', group=port.group)}")
    elif not port.holders:
        lines.append(f"    {say('port_free')}")
    return lines
