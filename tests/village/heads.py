"""Heads for whole-village stories: made, registered, and asked what they show; and what the desk says of them."""

import contextlib
import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from desk.store import Store
from desk.views import CaseView, cases
from simulator.head import Head
from simulator.node import Node
from simulator.village import Village
from tests.patience import until
from tests.village.scene import Program, Scene, kentongan

ECHO_S = (0.2, 0.6)  # with so few on the air nobody need wait


def key_of(name: str) -> bytes:
    """A head's 16 bytes: the same in every run."""
    return random.Random(f"key {name}").randbytes(16)


def entry(name: str, key: bytes, more: str = "") -> str:
    """One head in `sources.toml`."""
    return f'[[source]]\nhead = "{name}"\nhead_key = "{key.hex()}"\nhouse = "{name}"\nrt = "{name[2:4]}"\n{more}\n'


def heads(names: Iterable[str], **how: object) -> Callable[[Village], str]:
    """Puts heads of these names into a village, each at a node of its own; what the register says of them."""

    def make(village: Village) -> str:
        made = [village.head(name, key_of(name), **({"echo_s": ECHO_S} | how)) for name in names]
        return "\n".join(entry(head.name, head.flash.key) for head in made)

    return make


@contextlib.contextmanager
def neighbour(stage: Scene, village: str, post: str, sources: Callable[[Village], str]) -> Iterator[tuple[Node, Path]]:
    """A post of the next village on the same mesh and the same desk; its radio and its configuration."""
    desk = str(stage.folder / "desk/desk.toml")
    radio = stage.village.gateway(post, queue_limit=None)
    key = kentongan("desk", "key", "--config", desk).stdout.strip()
    words = ["--village", village, "--post", post, "--mqtt", stage.broker_url, "--desk-key", key, "--json"]
    folder = stage.folder / post
    made = json.loads(kentongan("setup", str(folder), "--radio", radio.serve_tcp(), *words).stdout)
    kentongan("desk", "post", "add", village, post, made["public_key"], "--config", desk)
    (folder / "sources.toml").write_text(sources(stage.village))
    program = Program(stage.folder / f"{post}.log", ("run", "--config", str(folder / "post.toml"))).start()
    try:
        until(lambda: stage.json("status", "--config", str(folder / "post.toml")).get("radios"), f"{post}'s radio", 20)
        yield radio, folder / "post.toml"
    finally:
        program.kill()


def pressed(stage: Scene, head: Head, press: str = "") -> str:
    """Note the head's latest press as one that must be stored; its id."""
    press = press or head.press_id
    stage.pressed[press] = head.name
    return press


def strike(stage: Scene, head: Head, rhythm: str = "0") -> str:
    """One press by a rhythm; its id, noted at the first strike."""
    before = len(head.pressed)
    head.play(rhythm, beat_s=0.2)
    until(lambda: len(head.pressed) > before, "the first strike", 5)
    return pressed(stage, head)


def lit(*some: Head, letter: str = "", limit_s: float = 20.0) -> None:
    """Wait until the lamps of each have shown this letter, or any."""
    for head in some:
        until(lambda head=head: letter in head.letters and head.letters, f"{head.name} shows {letter or '?'}", limit_s)


def seen(stage: Scene) -> dict[str, CaseView]:
    """The desk's open cases by every press they hold, from its own database."""
    store = Store(f"sqlite:///{stage._database()}", "reader")
    store.open()
    try:
        with store.reading() as connection:
            return {press: case for case in cases(connection) for press in case.ids}
    finally:
        store.close()


def is_kind(stage: Scene, press: str, kind: str, limit_s: float = 15.0) -> CaseView:
    """Wait until the desk shows a press as that kind; its case."""
    until(lambda: press in seen(stage) and seen(stage)[press].kind == kind, f"{press} is {kind} at the desk", limit_s)
    return seen(stage)[press]
