"""A box at a port, as the commands of `kentongan node` meet it: what goes wrong is a sentence and exit code 1."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.domain.ids import node_id
from cli.node_words import NodeVoice
from cli.register_words import RegisterVoice
from cli.words import fail, voice

if TYPE_CHECKING:
    from firmware_config.device import Device, Progress
    from firmware_config.village import Village

FLASHING = ("flash_1", "flash_2", "flash_3", "flash_4")


@contextlib.contextmanager
def plainly(lang: str, port: str = "", file: Path | str = "", name: str = "") -> Iterator[NodeVoice]:
    """`port`, `file`, `name`: what sentences about a fault speak of. Raises typer.Exit."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the answer says it all
    say = NodeVoice(voice(lang).language)
    try:
        yield say
    except KeyboardInterrupt:
        raise fail(say("interrupted")) from None
    except expected() as error:
        raise fail(said_of(error, say, port, file, name)) from error


def expected() -> tuple[type[Exception], ...]:
    """What may go wrong with a village's file or with a box."""
    from bridge.domain.said import Wrong
    from cli.node_setup import NodeFault
    from firmware_config.device import DeviceError
    from firmware_config.faults import Refused
    from firmware_config.village import VillageWrong

    return (NodeFault, Wrong, Refused, VillageWrong, DeviceError)


def said_of(error: Exception, say: NodeVoice, port: str, file: Path | str = "", name: str = "") -> str:
    """The sentence for one of the `expected`."""
    from bridge.domain.said import Wrong
    from cli.node_setup import NodeFault
    from firmware_config.faults import Refused
    from firmware_config.village import VillageWrong

    match error:
        case NodeFault(key="old_firmware"):
            found = error.facts["found"] or say("no_version")
            return "\n".join((say("old_firmware", found=found), *map(say, FLASHING)))
        case NodeFault():
            return say(error.key, **{"port": port} | error.facts)
        case VillageWrong():
            return error.said(say.language)
        case Wrong():
            return error.said.said(say.language)
        case Refused():
            return RegisterVoice(say.language)(error.key, **error.facts)
        case _:
            return _said_of_device(error, say, port, file, name)


def _said_of_device(error: Exception, say: NodeVoice, port: str, file: Path | str, name: str) -> str:
    from firmware_config import device as faults

    match error:
        case faults.DeviceManaged():
            return say("managed", file=file, name=name)
        case faults.DeviceBusy():
            return say("busy", port=port, why=error)
        case faults.DeviceUnknown():
            return say("unheard", port=port, number=node_id(error.number))
        case faults.DeviceLost():
            return say("lost", port=port, why=error)
        case faults.DeviceRefused():
            return say("refused", reason=error.reason)
        case faults.OnlyAtTheCable():
            return say("at_the_cable", paths=", ".join(error.paths))
        case faults.BadSetting():
            return say("bad_setting", paths=", ".join(error.paths))
        case _:
            return say("fault", port=port, why=error)


def read_village(file: Path) -> "Village":
    """Raises VillageWrong."""
    from firmware_config.village_file import load_village

    return load_village(file)


def open_box(port: str, remote: int | None = None) -> "Device":
    """Raises DeviceError, NodeFault."""
    from cli.node_setup import NodeFault
    from firmware_config.device import open_device

    if "://" not in port:
        raise NodeFault("no_url", port=port, url=f"serial://{port}" if port.startswith("/") else "serial:///dev/…")

    return open_device(port, remote=remote)


class Bar:
    """How far a box has got, on one line of a terminal; nothing where nobody looks."""

    WIDTH = 24

    def __init__(self, say: NodeVoice, is_quiet: bool = False) -> None:
        self._say = say
        self._is_seen = not is_quiet and sys.stderr.isatty()
        self._full = 0

    def __call__(self, progress: "Progress") -> None:
        if progress.total:
            self._full = self.WIDTH * (progress.done + 1) // progress.total
        if self._is_seen:
            step = self._say(f"step_{progress.step.value}")
            line = f"[{'#' * self._full:.<{self.WIDTH}}] {step} {progress.section}".rstrip()
            typer.echo(f"\r\033[K{line}", err=True, nl=False)

    def clear(self) -> None:
        """The line is free for what is said next, and the next box begins anew."""
        self._full = 0
        if self._is_seen:
            typer.echo("\r\033[K", err=True, nl=False)
