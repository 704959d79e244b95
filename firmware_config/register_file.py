"""`sources.toml` on the disk: changed alone, checked as the bridge would read it, replaced whole."""

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware_config.faults import Refused
from firmware_config.register import Register
from firmware_config.toml_text import TomlText
from firmware_config.whole_file import alone_in, write_whole

Check = Callable[[Path], object]  # reads a register as the bridge does; raises what it raises for a mistake


class RegisterFile:
    """Comments and all that is not changed stay as they are; everything raises Refused."""

    def __init__(self, path: Path, check: Check) -> None:
        self.path = path.resolve()
        self._check = check

    def read(self) -> Register:
        try:
            return Register(TomlText(self.path.read_text("utf-8")))
        except FileNotFoundError:
            return Register(TomlText(""))
        except (OSError, UnicodeDecodeError) as error:
            raise Refused("unreadable", file=self.path, why=error) from error

    @contextlib.contextmanager
    def changing(self) -> Iterator["Change"]:
        """Nobody else changes it meanwhile; what the bridge would not read is not written."""
        with alone_in(self.path.parent):
            refuse_anothers(self.path)
            change = Change(self.read())
            before = change.register.toml.text
            yield change
            if change.register.toml.text != before:
                write_whole(self.path, change.register.toml.text.encode(), self._check)


class Change:
    """The register as it is to be when the block ends."""

    def __init__(self, register: Register) -> None:
        self.register = register


def refuse_anothers(path: Path) -> None:
    """A register of another's would become ours, and the bridge could no longer read it."""
    with contextlib.suppress(FileNotFoundError):
        owner = path.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise Refused("not_owner", file=path, owner=_name(owner))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
