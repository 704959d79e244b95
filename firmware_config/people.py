"""Who lives at a house and how to call them: one sealed file beside `sources.toml`, its key on another disk."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from firmware_config.faults import Refused
from firmware_config.locks import KeyLock, Lock
from firmware_config.paper_key import PaperKey
from firmware_config.vault import seal, unseal
from firmware_config.whole_file import alone_in, remove, same_disk, write_whole

VAULT = "people.vault"
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Person:
    """Never logged, never on the air, never on MQTT."""

    name: str = field(repr=False)
    phone: str = field(default="", repr=False)

    @classmethod
    def read(cls, line: str) -> "Person":
        """`Name; telephone`, the telephone where there is one. Raises Refused; the line is not repeated."""
        name, _, phone = (part.strip() for part in line.partition(";"))
        if not name or len(line) > LONGEST or not line.isprintable():
            raise Refused("bad_person")
        if phone and not phone.replace(" ", "").replace("-", "").removeprefix("+").isdecimal():
            raise Refused("bad_phone")
        return cls(name, phone)


@dataclass(frozen=True, slots=True)
class People:
    """By house."""

    houses: Mapping[str, tuple[Person, ...]]

    def of(self, house: str) -> tuple[Person, ...]:
        return self.houses.get(house, ())

    def put(self, house: str, people: Sequence[Person]) -> "People":
        """These and no others live there; nobody: the house goes."""
        others = {name: lived for name, lived in self.houses.items() if name != house}
        return replace(self, houses=others | ({house: tuple(people)} if people else {}))

    def move(self, house: str, to: str) -> "People":
        """The house has another name now."""
        return self.put(house, ()).put(to, (*self.of(to), *self.of(house)))


class PeopleFile:
    """The vault. Everything raises Refused."""

    def __init__(self, path: Path, lock: Lock) -> None:
        self.path = path
        self._lock = lock

    def read(self) -> People:
        """Nobody where there is no file yet."""
        try:
            sealed = self.path.read_bytes()
        except FileNotFoundError:
            return People({})
        except OSError as error:
            raise Refused("unreadable", file=self.path, why=error.strerror) from error
        plain = unseal(sealed, self._lock, self.path)
        try:
            houses = json.loads(plain)["houses"]
            return People({house: tuple(Person(**person) for person in lived) for house, lived in houses.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("damaged", file=self.path) from error

    def change(self, change: Callable[[People], People]) -> People:
        """Read, changed and written with nobody between; a file in which nobody is left goes."""
        with alone_in(self.path.parent):
            people = change(self.read())
            if people.houses:
                write_whole(self.path, seal(_encode(people), self._lock, {"what": "people"}))
            else:
                remove(self.path)
            return people


def read_key_file(path: Path, vault: Path, may_be_same_disk: bool) -> KeyLock:
    """The key on a stick. Raises Refused, also when whoever takes the vault takes the key with it."""
    try:
        text = path.read_text("ascii")
    except FileNotFoundError as error:
        raise Refused("no_key_file", file=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("unreadable", file=path, why=error) from error
    refuse_same_disk(path, vault, may_be_same_disk)
    return KeyLock(PaperKey.read(text))


def refuse_same_disk(path: Path, vault: Path, may_be_same_disk: bool) -> None:
    """Raises Refused."""
    if not may_be_same_disk and same_disk(path, vault):
        raise Refused("same_disk", file=path, vault=vault)


def _encode(people: People) -> bytes:
    houses = {
        house: [{"name": person.name, "phone": person.phone} for person in lived]
        for house, lived in sorted(people.houses.items())
    }
    return json.dumps({"houses": houses}, ensure_ascii=False).encode()
