"""A house that wants to be forgotten: gone from every file of the post, and from its backups at their next turn."""

import secrets
from pathlib import Path

from firmware_config.faults import Refused
from firmware_config.people import PeopleFile
from firmware_config.register_file import RegisterFile
from firmware_config.seen import forget_seen
from firmware_config.whole_file import remove, write_whole

ERASURES = "erasures"
MARKS_KEPT = 200  # a backup that lacks the newest of them lacks none before


def erase_house(file: RegisterFile, vault: PeopleFile | None, house: str) -> None:
    """People first: whatever breaks it off, the house can still be named to finish it. Raises Refused."""
    register = file.read()
    entries = [*register.of_house(house), *register.was_of_house(house)]
    if vault is not None:
        vault.change(lambda known: known.put(house, ()))
    forget_seen(file.path, entries)
    for entry in entries:
        if "head" in entry.fields:
            remove(file.path.with_name(f".{file.path.name}.{entry.name}.key"))  # a key that was begun to be given
    with file.changing() as change:
        change.register = change.register.erase(house)
    note_erasure(file.path.parent)


def note_erasure(folder: Path) -> None:
    """Backups that do not know of this one hold what was erased; the next backup removes them. Raises Refused."""
    marks = [*erasures(folder), secrets.token_hex(4)][-MARKS_KEPT:]
    write_whole(folder / ERASURES, "".join(f"{mark}\n" for mark in marks).encode())


def erasures(folder: Path) -> list[str]:
    """A mark for each time that something was erased here, oldest first. Raises Refused."""
    try:
        return (folder / ERASURES).read_text("ascii").split()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("unreadable", file=folder / ERASURES, why=error) from error
