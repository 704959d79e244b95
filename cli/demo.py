"""`kentongan demo`: one night in a village on this machine, without a radio; counted at both ends."""

import contextlib
import json
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from cli.demo_parts import DemoFailed, Program, ask, broker, internet, run, siren_command, wait
from simulator.air import Air
from simulator.node import Node
from simulator.village import Village
from simulator.wire import Wire

VILLAGE, POST = "35.09.14.2005", "pos-1"
PRESSES = {"RT03-12": "Kebakaran! Dapur Bu RT", "RT01-04": "TOLONG ada maling"}

SAID: dict[str, dict[str, str]] = {
    "id": {
        "ready": "Desa siap: {houses} rumah, satu pos, satu meja polisi. Sirene {siren}.",
        "cut": "Internet diputus.",
        "press": "{house} memukul kentongan: “{words}”",
        "siren": "  sirene berbunyi: {kind}",
        "heal": "Internet tersambung lagi.",
        "stored": "  meja polisi menyimpan: {kind} di {place}",
        "take": "Petugas membaca alarm {house}.",
        "dispatch": "Petugas mengirim mobil ke {house}.",
        "close": "Petugas menutup alarm {house}.",
        "told": "  {house} menerima: “{text}”",
        "done": "Selesai: {pressed} dipukul, {stored} tersimpan, {answered} dijawab, {lost} hilang, {doubled} ganda.",
        "stay": "Desa tetap berjalan. Radio pos: {radio} · berhenti dengan Ctrl-C.",
        "failed": "Demo gagal: {why}",
    },
    "en": {
        "ready": "The village is ready: {houses} houses, one post, one police desk. The siren {siren}.",
        "cut": "The internet is cut.",
        "press": "{house} strikes the kentongan: “{words}”",
        "siren": "  the siren sounds: {kind}",
        "heal": "The internet is back.",
        "stored": "  the police desk stores: {kind} at {place}",
        "take": "An officer reads the alarm of {house}.",
        "dispatch": "An officer sends a car to {house}.",
        "close": "An officer closes the alarm of {house}.",
        "told": "  {house} receives: “{text}”",
        "done": "Done: {pressed} pressed, {stored} stored, {answered} answered, {lost} lost, {doubled} doubled.",
        "stay": "The village keeps running. The post's radio: {radio} · stop with Ctrl-C.",
        "failed": "The demo failed: {why}",
    },
}
SIREN = {"id": "menulis kata (mesin ini tidak perlu bersuara)", "en": "writes its words (no sound is needed here)"}


@dataclass(slots=True)
class Night:
    """Everything that runs, and what was seen so far."""

    folder: Path
    village: Village
    gateway: Node
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

    def desk(self, *words: str) -> str:
        return run("desk", *words, "--config", self.desk_config)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The desk's alarms by the press that began them, from its own database."""
        rows = ask("desk", "list", "--config", self.desk_config) or []
        return {press: row for row in rows for press in row["ids"]}

    def wait(self, what: str, true: Callable[[], Any]) -> Any:
        return wait(what, true, self.programs, self.told.is_set)

    def step(self, name: str, since: float) -> None:
        self.seconds[name] = round(max(self.seconds.get(name, 0.0), time.monotonic() - since), 2)

    def hear_answer(self, name: str, since: float) -> None:
        """Every striker's own node has received one more answer than before."""
        for house in self.pressed:
            expected = self.answers.get(house, 0) + 1
            self.wait(f"{name}: an answer at {house}", partial(self._has_heard, house, expected))
            inbox = self._answers(house)
            self.answers[house] = len(inbox)
            self.say("told", house=house, text=inbox[-1])
        self.step(f"told_{name}", since)

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
        for house in PRESSES:
            village.house(house)
        radio = gateway.serve_tcp()
        desk_config, rang = _set_up(folder, village, radio, port, wire.port)
        desk = stack.enter_context(Program(folder / "desk.log", "desk", "run", "--config", desk_config))
        post = stack.enter_context(Program(folder / "post.log", "run", "--config", str(folder / "post/post.toml")))
        yield Night(folder, village, gateway, radio, wire, desk_config, rang, (desk, post), say, told)


def _set_up(folder: Path, village: Village, radio: str, broker_port: int, wire_port: int) -> tuple[str, Path]:
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
    (post / "sources.toml").write_text("\n".join(_source(name, village.nodes[name]) for name in PRESSES))
    return config, rang


def _source(house: str, node: Node) -> str:
    return f'[[source]]\nnode = "!{node.num:08x}"\nlabel = "{house}"\nhouse = "{house}"\nrt = "{house[2:4]}"\n'


def play(night: Night) -> None:
    """The night itself. Raises DemoFailed at the first step that does not come true."""
    start = time.monotonic()
    night.wait("the post and the desk know each other", lambda: _is_ready(night))
    night.step("ready", start)
    _press_offline(night)
    _come_back(night)
    for verb, name in (("take", "read"), ("dispatch", "dispatched"), ("close", "closed")):
        since = time.monotonic()
        for house, press in night.pressed.items():
            night.say(verb, house=house)
            night.desk(verb, press, "--by", "Polsek Ajung")
        night.hear_answer(name, since)


def _is_ready(night: Night) -> bool:
    status = ask("status", "--config", str(night.folder / "post/post.toml")) or {}
    return bool(status.get("radios")) and status.get("desk_away") is False and "" in status.get("uplinks", {}).values()


def _press_offline(night: Night) -> None:
    night.say("cut")
    night.wire.cut()
    night.wait("the post notices the cut", lambda: (_status(night) or {}).get("desk_away"))
    since = time.monotonic()
    for house, words in PRESSES.items():
        night.say("press", house=house, words=words)
        node = night.village.nodes[house]
        packet = node.text(words)
        night.pressed[house] = f"node:{node.num:08x}/{packet:08x}"
    kinds = night.wait("the siren", lambda: len(_rang(night)) >= len(PRESSES) and _rang(night))
    night.step("siren", since)
    for kind in kinds:
        night.say("siren", kind=kind)
    night.hear_answer("not_connected", since)


def _come_back(night: Night) -> None:
    night.say("heal")
    since = time.monotonic()
    night.wire.heal()
    night.wait("the desk stores both alarms", lambda: set(night.pressed.values()) <= set(night.alarms()))
    night.step("stored", since)
    for press in night.pressed.values():
        alarm = night.alarms()[press]
        night.say("stored", kind=alarm["kind"], place=alarm["place"])
    night.hear_answer("stored", since)


def _status(night: Night) -> Any:
    return ask("status", "--config", str(night.folder / "post/post.toml"))


def _rang(night: Night) -> list[str]:
    return night.rang.read_text().split() if night.rang.exists() else []


def count(night: Night) -> dict[str, Any]:
    """From the desk's own database and the strikers' own inboxes, nothing else."""
    rows = ask("desk", "list", "--all", "--config", night.desk_config) or []
    holders = [press for row in rows for press in row["ids"]]
    presses = list(night.pressed.values())
    return {
        "pressed": len(presses),
        "stored": sum(press in holders for press in presses),
        "answered": sum(night.answers.get(house, 0) == 5 for house in night.pressed),
        "lost": sum(press not in holders for press in presses),
        "doubled": sum(holders.count(press) > 1 for press in presses),
        "seconds": night.seconds,
    }


def hear_the_end() -> threading.Event:
    """Set by Ctrl-C and SIGTERM: the night ends, and everything is put away."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    return told


def demo(as_json: bool, stay: bool, lang: str) -> None:
    """The whole command. Raises typer.Exit(1) when a step did not come true or the count is not whole."""
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    said = SAID["en" if lang == "en" else "id"]
    began = time.monotonic()
    told = hear_the_end()

    def say(key: str, **facts: object) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {said[key].format(**facts)}", markup=True)

    result: dict[str, Any] = {"pressed": 0, "stored": 0, "answered": 0, "lost": 0, "doubled": 0, "seconds": {}}
    try:
        with night(say, told) as scene:
            say("ready", houses=len(PRESSES), siren=SIREN["en" if lang == "en" else "id"])
            try:
                play(scene)
            finally:
                result = count(scene)
            if stay:
                say("stay", radio=scene.radio)
                told.wait()
    except DemoFailed as fault:
        result["failed"] = str(fault)
        say("failed", why=fault)
    else:
        say("done", **{key: value for key, value in result.items() if key != "seconds"})
    if as_json:
        print(json.dumps(result))
    whole = result["pressed"] > 0 and result["pressed"] == result["stored"] == result["answered"]
    if "failed" in result or not whole or result["lost"] or result["doubled"]:
        raise typer.Exit(1)
