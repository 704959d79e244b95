"""`kentongan simulate`: a village without hardware, for people: what is typed happens on its air."""

import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Lang
from cli.words import Voice, fail, voice

if TYPE_CHECKING:
    from simulator.node import Node
    from simulator.script import Strike
    from simulator.village import Village

LOOK_S = 0.1
HOUSES = 5


class NotUnderstood(Exception):
    """A typed line that means nothing; the message is for people."""


class Over(Exception):
    """`quit` was typed."""


@dataclass(slots=True)
class Hands:
    """Does on the village's air what people type, and shows what arrives at the houses."""

    village: "Village"
    gateway: "Node"
    say: Voice
    shown: dict[str, int] = field(default_factory=dict)

    def do(self, line: str) -> None:
        """One line. Raises NotUnderstood, Over."""
        match line.strip().split(maxsplit=2):
            case []:
                return
            case [first, *_] if first.startswith("#"):
                return
            case ["press" | "tekan", house, *words]:
                self._node(house).text(words[0] if words else "TOLONG")
            case ["alert", house, *words]:
                self._node(house).alert(words[0] if words else "TOLONG")
            case ["detect", house]:
                self._node(house).detect(house)
            case ["cut" | "putus", *who]:
                self.village.cut(self._node(who[0]) if who else self.gateway)
            case ["heal" | "sambung", *who]:
                self.village.heal(self._node(who[0]) if who else self.gateway)
            case ["reboot"]:
                self.gateway.reboot()
            case ["mute" | "unmute" as word]:
                self.gateway.mute(word == "mute")
            case ["wait" | "tunggu", seconds]:
                self._wait(seconds)
            case ["quit" | "keluar"]:
                raise Over
            case _:
                raise NotUnderstood(self.say("simulate_help"))

    def show(self) -> None:
        """Print what arrived since the last look: every text at the post, at the houses only what the post said."""
        for name, node in self.village.nodes.items():
            texts = node.inbox
            for received in texts[self.shown.get(name, 0) :]:
                if node is self.gateway or received.sender == self.gateway.num:
                    typer.echo(self.say("simulate_heard", name=name, text=received.text))
            self.shown[name] = len(texts)

    def _node(self, name: str) -> "Node":
        if name not in self.village.nodes:
            raise NotUnderstood(self.say("simulate_who", name=name, known=", ".join(self.village.nodes)))
        return self.village.nodes[name]

    def _wait(self, seconds: str) -> None:
        try:
            end = time.monotonic() + float(seconds)
        except ValueError as error:
            raise NotUnderstood(self.say("simulate_help")) from error
        while (left_s := end - time.monotonic()) > 0:
            time.sleep(min(LOOK_S, left_s))
            self.show()


def simulate(
    house: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Rumah; boleh diulang. (A house; may be repeated.)")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port TCP radio; 0: bebas. (TCP port; 0: any.)")] = 4403,
    pty: Annotated[
        Path | None,
        typer.Option(metavar="LINK", help="Layani lewat pty dengan tautan ini, bukan TCP. (Serve on a pty instead.)"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Benih kebetulan. (Seed of chance.)")] = 0,
    loss: Annotated[float, typer.Option(min=0, max=1, help="Bagian paket yang hilang. (Share of packets lost.)")] = 0.0,
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Kerjakan baris perintah dari berkas dahulu. (Do these lines first.)"),
    ] = None,
    evening: Annotated[
        float,
        typer.Option(metavar="MINUTES", min=0, help="Sepuluh panggilan dalam sekian menit. (Ten calls in so long.)"),
    ] = 0.0,
    once: Annotated[bool, typer.Option("--once", help="Berhenti bila masukan habis. (End with the input.)")] = False,
    lang: Lang = "",
) -> None:
    """Desa tiruan tanpa perangkat keras (a village without hardware).

    Cetak URL radio untuk post.toml, lalu kerjakan yang diketik: press RT01-03 kebakaran · cut · heal · quit.
    (Prints the radio's URL for post.toml, then does what is typed.)
    """
    from simulator.air import Air
    from simulator.serve import house_names
    from simulator.village import Village

    say = voice(lang)
    lines = _read_script(script, say)
    with Village(seed=seed, air=Air(seed, loss=loss, delay_s=0.2)) as village:
        hands = Hands(village, village.gateway("Pos 1"), say)
        for name in dict.fromkeys(house or house_names(HOUSES)):
            village.house(name)
        typer.echo(say("simulate_radio", url=_serve(hands.gateway, port, pty, say)))
        _print_sources(village, hands.gateway)
        typer.echo(say("simulate_help"))
        over = threading.Event()
        if evening:
            threading.Thread(target=_evening, args=(village, hands.gateway, seed, evening, over), daemon=True).start()
        try:
            _play(hands, lines, once)
        except (Over, KeyboardInterrupt):
            typer.echo(say("simulate_over"))
        finally:
            over.set()


def _read_script(script: Path | None, say: Voice) -> list[str]:
    try:
        return script.read_text(encoding="utf-8").splitlines() if script else []
    except (OSError, UnicodeDecodeError) as error:
        raise fail(say("unreadable", file=script, why=error)) from error


def _serve(gateway: "Node", port: int, pty: Path | None, say: Voice) -> str:
    try:
        return gateway.serve_pty(pty) if pty else gateway.serve_tcp(port)
    except OSError as error:
        raise fail(say("simulate_port", port=pty or port, why=error.strerror)) from error


def _print_sources(village: "Village", gateway: "Node") -> None:
    typer.echo("\n# sources.toml")
    for name, node in village.nodes.items():
        if node is not gateway:
            typer.echo(f'[[source]]\nnode = "!{node.num:08x}"\nlabel = "{name}"\nhouse = "{name}"\n')


def _evening(village: "Village", gateway: "Node", seed: int, minutes: float, over: threading.Event) -> None:
    from simulator.script import evening, play

    houses = [name for name, node in village.nodes.items() if node is not gateway]

    def tell(call: "Strike", _: int) -> None:
        typer.echo(f"{call.at_s:6.1f} s  {call.house}  {call.how.name.lower()}  {call.words}")

    play(evening(houses, seed, minutes), village.nodes, over, tell)


def _play(hands: Hands, script: list[str], once: bool) -> None:
    for number, line in enumerate(script, 1):
        try:
            hands.do(line)
        except NotUnderstood as error:
            raise fail(f"{number}: {line.strip()!r}: {error}", 2) from error
        hands.show()
    if once and script:
        return
    for typed in _typed():
        if typed is None and once:
            return
        try:
            hands.do(typed or "")
        except NotUnderstood as error:
            typer.echo(str(error))
        hands.show()


def _typed() -> Iterator[str | None]:
    """Lines from standard input, '' each time nothing was typed for a moment, and None for ever after its end."""
    source, waiting = sys.stdin.fileno(), b""
    while True:
        if not select.select([source], [], [], LOOK_S)[0]:
            yield ""
            continue
        received = os.read(source, 4096)
        if not received:
            break
        *whole, waiting = (waiting + received).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if waiting:
        yield waiting.decode(errors="replace")
    while True:
        yield None
        time.sleep(LOOK_S)
