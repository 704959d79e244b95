"""How a sealed file is opened at a screen: a key on a USB stick, or what a person remembers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.words import fail

if TYPE_CHECKING:
    from firmware_config.locks import Lock

SHORTEST = 12  # letters of a passphrase

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="KENTONGAN_KEY",
        metavar="FILE",
        help="Kunci di stik USB; tanpa ini: kata sandi. (The key on a USB stick; without it: a passphrase.)",
    ),
]
SameDisk = Annotated[
    bool, typer.Option("--same-disk", help="Kunci boleh di disk yang sama. (The key may lie on the same disk.)")
]


def lock_of(file: Path, key: Path | None, same_disk: bool, say: Callable[[str], str]) -> "Lock":
    """Raises Refused, typer.Exit."""
    from firmware_config.faults import Refused
    from firmware_config.locks import PassphraseLock
    from firmware_config.people import read_key_file

    if key is not None:
        return read_key_file(key, file, same_disk)
    if not sys.stdin.isatty():
        raise fail(say("key_needed"))
    again = False if file.exists() else say("ask_again")
    passphrase = typer.prompt(say("ask_passphrase"), hide_input=True, confirmation_prompt=again, err=True)
    if len(passphrase) < SHORTEST:
        raise Refused("short_passphrase")
    return PassphraseLock(passphrase)
