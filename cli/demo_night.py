"""The demo's village: a head and a stock node, a post, a desk and a broker, and what was seen of them."""

import contextlib
import json
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cli.demo_parts import Program, ask, broker, internet, run, siren_command, wait
from simulator.air import Air
from simulator.head import Head
from simulator.node import Node
from simulator.village import Village
from simulator.wire import Wire

VILLAGE, POST = "35.09.14.2005", "pos-1"
TEXTS = {"RT01-04": "TOLONG ada maling"}
HEAD, RHYTHM, BEAT_S, MEANT = "RT03-12", "000=000", 0.25, "FIRE"
ECHO_S = (0.2, 0.6)  # alone on the air, a head need not wait to say what it shows


@dataclass(slots=True)
class Night:
    """Everything that runs, and what was seen so far."""

    folder: Path
    village: Village
    gateway: Node
    head: Head
    radio: str
    wire: Wire
    desk_config: str
    rang: Path
    programs: tuple[Program, ...]
    say: Callable[..., None]
    told: threading.Event
    seconds: dict[str, float] = field(default_factory=dict)
    pressed: dict[str, str] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)

    def desk(self, *words: str) -> str:
        return run("desk", *words, "--config", self.desk_config)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The desk's alarms by the press that began them, from its own database."""
        rows = ask("desk", "list", "--config", self.desk_config) or []
        return {press: row for row in rows for press in row["ids"]}

    def status(self) -> dict[str, Any]:
        return ask("status", "--config", str(self.folder / "post/post.toml")) or {}

    def rings(self) -> list[str]:
        """What the siren said, in order: kind and place."""
        return self.rang.read_text().split("\n")[:-1] if self.rang.exists() else []

    def wait(self, what: str, true: Callable[[], Any]) -> Any:
        """Until it is true; what the siren says and the lamps show meanwhile is told as it happens."""

        def look() -> Any:
            found = true()
            self._tell_news("siren", [{"words": ring} for ring in self.rings()])
            self._tell_news("lamps", [{"house": HEAD, "letter": c, "lamps": lamps} for c, lamps in self.head.history])
            return found

        return wait(what, look, self.programs, self.told.is_set)

    def step(self, name: str, since: float) -> None:
        self.seconds[name] = round(max(self.seconds.get(name, 0.0), time.monotonic() - since), 2)

    def hear_answer(self, name: str, letter: str, since: float) -> None:
        """The head's lamps show `letter`, and every other striker's own node has received one more answer."""
        self.wait(f"{name}: the lamps at {HEAD}", lambda: letter in self.head.letters)
        for house in TEXTS:
            expected = self.answers.get(house, 0) + 1
            self.wait(f"{name}: an answer at {house}", partial(self._has_heard, house, expected))
            inbox = self._answers(house)
            self.answers[house] = len(inbox)
            self.say("told", house=house, text=inbox[-1])
        self.step(f"told_{name}", since)

    def is_answered(self, house: str) -> bool:
        """Whether a striker was told everything, to the end."""
        return "C" in self.head.letters if house == HEAD else self.answers.get(house, 0) == 5

    def _tell_news(self, what: str, so_far: list[dict[str, Any]]) -> None:
        for facts in so_far[self.shown.get(what, 0) :]:
            self.say(what, **facts)
        self.shown[what] = len(so_far)

    def _has_heard(self, house: str, count: int) -> bool:
        return len(self._answers(house)) >= count

    def _answers(self, house: str) -> list[str]:
        texts = self.village.nodes[house].inbox
        return [text.text for text in texts if text.sender == self.gateway.num and text.pki]


@contextlib.contextmanager
def night(say: Callable[..., None], told: threading.Event) -> Iterator[Night]:
    """A village, a post, a broker and a desk, all on loopback and in a folder that vanishes."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kentongan-demo-")))
        port = stack.enter_context(broker(folder))
        wire = stack.enter_context(internet(port))
        village = stack.enter_context(Village(seed=2016, air=Air(2016, delay_s=0.05)))
        gateway = village.gateway("Pos 1")
        for house in TEXTS:
            village.house(house)
        head = village.head(HEAD, secrets.token_bytes(16), echo_s=ECHO_S)
        radio = gateway.serve_tcp()
        desk_config, rang = _set_up(folder, village, head, radio, port, wire.port)
        desk = stack.enter_context(Program(folder / "desk.log", "desk", "run", "--config", desk_config))
        post = stack.enter_context(Program(folder / "post.log", "run", "--config", str(folder / "post/post.toml")))
        yield Night(folder, village, gateway, head, radio, wire, desk_config, rang, (desk, post), say, told)


def _set_up(
    folder: Path, village: Village, head: Head, radio: str, broker_port: int, wire_port: int
) -> tuple[str, Path]:
    """The same commands a technician types; the desk's configuration and the siren's file."""
    siren, rang = siren_command(folder)
    desk, post = folder / "desk", folder / "post"
    made = json.loads(run("desk", "init", str(desk), "--mqtt", f"mqtt://127.0.0.1:{broker_port}", "--json"))
    words = ["--village", VILLAGE, "--post", POST, "--radio", radio, "--mqtt", f"mqtt://127.0.0.1:{wire_port}"]
    keys = json.loads(
        run("setup", str(post), *words, "--desk-key", made["public_key"], "--siren-command", siren, "--json")
    )
    config = str(desk / "desk.toml")
    run("desk", "post", "add", VILLAGE, POST, keys["public_key"], "--config", config)
    sources = [_source(house, f'node = "!{village.nodes[house].num:08x}"') for house in TEXTS]
    sources.append(_source(HEAD, f'head = "{HEAD}"\nhead_key = "{head.flash.key.hex()}"'))
    register = post / "sources.toml"
    register.touch(mode=0o600)
    register.chmod(0o600)  # it holds the head's key
    register.write_text("\n".join(sources))
    return config, rang


def _source(house: str, who: str) -> str:
    return f'[[source]]\n{who}\nlabel = "{house}"\nhouse = "{house}"\nrt = "{house[2:4]}"\n'
