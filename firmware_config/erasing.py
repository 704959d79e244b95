"""A house that wants to be forgotten: gone from every file of the post, and from its backups at their next turn."""

from pathlib import Path

from firmware_config.faults import Refused
from firmware_config.people import PeopleFile
from firmware_config.register_file import RegisterFile
from firmware_config.seen import forget_seen
from firmware_config.whole_file import remove, write_whole

ERASURES = "erasures"


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
    """Backups made before this hold what was erased; the next one removes them. Raises Refused."""
    write_whole(folder / ERASURES, f"{erasures(folder) + 1}\n".encode())


def erasures(folder: Path) -> int:
    """How often something was erased here. Raises Refused."""
    path = folder / ERASURES
    try:
        return int(path.read_text("ascii"))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        raise Refused("damaged", file=path) from error
