"""Everything that a measurement needs around the bridge: broker, desk, radio, lines, ears; and posts on demand."""

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.broker import Broker, mosquitto
from benchmarks.ear import Ear
from benchmarks.helpers import BenchFailed, Helper, until
from benchmarks.presses import Numbers, crowd, press_id, probes
from benchmarks.programs import Program, kentongan
from benchmarks.siren import SirenEar
from cli.control_client import NoBridge, NotAnswered, ask

VILLAGE = "35.09.14.2005"
POSTS = ("start", "pace", "burst", "drain", "far", "siren", "stall")
FAR_DELAY_S = 0.1  # each way: 200 ms there and back
STALL = (
    "strace", "--seccomp-bpf", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
    "-e", "inject=fdatasync,fsync:delay_enter=5000000",
)  # fmt: skip


@dataclass(slots=True)
class Stage:
    """`quick`: fewer samples. All presses that went to a bridge of ours are remembered for the accounting."""

    folder: Path
    quick: bool
    broker: Broker
    radio: Helper
    lines: Helper
    ear: Ear
    siren: SirenEar
    desk: Program
    radio_urls: dict[str, str]
    numbers: Numbers = field(default_factory=Numbers)
    given: set[str] = field(default_factory=set)

    # --- programs ---

    @contextlib.contextmanager
    def post(self, name: str, before: tuple[str, ...] = (), limit_s: float = 30.0) -> Iterator[Program]:
        """The bridge of one post, ready: its radio and its desk answer."""
        with self.start(name, before) as bridge:
            until(lambda: bridge.check() and self.is_ready(name), limit_s, f"post {name} is ready", every_s=0.05)
            yield bridge

    def start(self, name: str, before: tuple[str, ...] = ()) -> Program:
        """The bridge of one post, just started."""
        config = str(self.folder / name / "post.toml")
        return Program(self.folder / f"{name}.log", "cli", "run", "--config", config, before=before)

    @contextlib.contextmanager
    def plain(self) -> Iterator[Program]:
        """The plain script, ready on the gateway `plain`."""
        with self.start_plain() as script:
            if not self.radio.ask("ready", gateway="plain"):
                raise BenchFailed("the plain script did not reach its node")
            yield script

    def start_plain(self, url: str = "") -> Program:
        port = (url or self.radio_urls["plain"]).rpartition(":")[2]
        return Program(self.folder / "plain.log", "benchmarks.plain", port, str(self.broker.port))

    # --- what can be asked ---

    def status(self, name: str) -> dict[str, Any]:
        """The bridge's own picture; empty while it does not answer."""
        try:
            return ask(self.folder / name / "kentongan.sock", "status")
        except (NoBridge, NotAnswered):
            return {}

    def is_ready(self, name: str) -> bool:
        picture = self.status(name)
        return bool(picture.get("radios")) and "" in picture.get("uplinks", {}).values()

    def waiting(self, name: str) -> int:
        """Alarms in the journal that the desk has not receipted."""
        return int(self.status(name).get("journal", {}).get("waiting", -1))

    # --- presses ---

    def crowd(self, gateway: str, count: int) -> list[tuple[str, int, str]]:
        """Orders for `count` presses of as many sources, remembered unless they are for the plain script."""
        return self._remember(gateway, crowd(gateway, self.numbers.take(count)))

    def probes(self, gateway: str, count: int) -> list[tuple[str, int, str]]:
        """The same, of kinds that ring a siren of their own."""
        return self._remember(gateway, list(probes(gateway, self.numbers.take(count))))

    def _remember(self, gateway: str, orders: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
        if gateway != "plain":
            self.given |= ids(orders)
        return orders

    def hear(self, leaf: str, orders: Iterable[tuple[str, int, str]], limit_s: float = 60.0) -> list[int]:
        """When each of these presses was first seen at the broker; BenchFailed when one is not."""
        presses = [press_id(number) for _, number, _ in orders]
        count = len(presses)
        try:
            until(lambda: self.ear.count(leaf, presses) == count, limit_s, "")
        except BenchFailed:
            raise BenchFailed(f"{self.ear.count(leaf, presses)} of {count} seen at {leaf} within {limit_s} s") from None
        return [self.ear.seen[leaf][press] for press in presses]


def ids(orders: Iterable[tuple[str, int, str]]) -> set[str]:
    """The press ids of orders for the radio."""
    return {press_id(number) for _, number, _ in orders}


@contextlib.contextmanager
def stage(quick: bool) -> Iterator[Stage]:
    """Set up by the commands that a technician types, in a folder that vanishes."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kentongan-bench-")))
        broker = stack.enter_context(mosquitto(folder))
        radio, lines = stack.enter_context(Helper("radio")), stack.enter_context(Helper("line"))
        siren = SirenEar(folder)
        stack.callback(siren.close)
        urls = {name: radio.ask("open", gateway=name) for name in (*POSTS, "plain")}
        near = lines.ask("open", name="drain", far_port=broker.port, delay_s=0.0)
        far = lines.ask("open", name="far", far_port=broker.port, delay_s=FAR_DELAY_S)
        ways = {"drain": f"mqtt://127.0.0.1:{near}", "far": f"mqtt://127.0.0.1:{far}"}
        made = json.loads(kentongan("desk", "init", str(folder / "desk"), "--mqtt", broker.url, "--json"))
        for name in POSTS:
            _add_post(folder, name, urls[name], ways.get(name, broker.url), made["public_key"], siren.command)
        ear = Ear(broker.port)
        stack.callback(ear.close)
        config = str(folder / "desk/desk.toml")
        desk = stack.enter_context(Program(folder / "desk.log", "cli", "desk", "run", "--config", config))
        until(lambda: desk.check() and "broker connected" in desk.log.read_text(), 30, "the desk reaches its broker")
        yield Stage(folder, quick, broker, radio, lines, ear, siren, desk, urls)


def _add_post(folder: Path, name: str, radio: str, mqtt: str, desk_key: str, siren: str) -> None:
    words = ("--village", VILLAGE, "--post", name, "--radio", radio, "--mqtt", mqtt, "--desk-key", desk_key)
    made = json.loads(kentongan("setup", str(folder / name), *words, "--siren-command", siren, "--json"))
    config = str(folder / "desk/desk.toml")
    kentongan("desk", "post", "add", VILLAGE, name, made["public_key"], "--config", config)
