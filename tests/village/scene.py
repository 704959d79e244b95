"""A whole evening: real processes of ours, a real broker, a simulated village; exact accounting at both ends."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from desk.store import Store
from simulator.air import Air
from simulator.node import Node
from simulator.village import Village
from simulator.wire import Wire
from tests.patience import until

VILLAGE, POST = "35.09.14.2005", "pos-1"
T = TypeVar("T")


def kentongan(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    command = [sys.executable, "-m", "cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


@dataclass
class Program:
    """A command that goes on; it can be killed and started again. `before` stands in front (strace)."""

    log: Path
    words: tuple[str, ...]
    before: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Program":
        command = [*self.before, sys.executable, "-m", "cli", *self.words]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        return self

    def kill(self) -> None:
        """kill -9, the whole group; reaped."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It stands still, its connections stay."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stood."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise


@dataclass
class Scene:
    """One post, one desk, one village. `wire` is the internet between post and broker."""

    folder: Path
    village: Village
    gateway: Node
    radio: str
    wire: Wire
    broker_url: str
    post: Program
    desk: Program
    pressed: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # --- what people do ---

    def house(self, name: str) -> Node:
        return self.village.nodes.get(name) or self.village.house(name)

    def press(self, house: str, words: str = "Kebakaran!") -> str:
        """A villager's text; the press's id as everybody must call it."""
        node = self.house(house)
        press = f"node:{node.num:08x}/{node.text(words):08x}"
        self.pressed[press] = house
        return press

    def officer(self, verb: str, press: str) -> None:
        kentongan("desk", verb, press, "--by", "Polsek Ajung", "--config", str(self.folder / "desk/desk.toml"))

    # --- what can be seen ---

    def stored(self) -> dict[str, int]:
        """Press id → number of cases at the desk that hold it."""
        store = Store(f"sqlite:///{self._database()}", "reader")
        store.open()
        try:
            return store.accounting()
        finally:
            store.close()

    def journal(self) -> dict[str, Any]:
        return {row["id"]: row for row in self.json("journal", "list", "--config", str(self.post_toml))}

    def status(self) -> dict[str, Any]:
        return self.json("status", "--config", str(self.post_toml)) or {}

    def json(self, *words: str) -> Any:
        done = kentongan(*words, "--json", check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def answers(self, house: str) -> list[str]:
        """The direct texts that a house's own node received from the post."""
        return [t.text for t in self.house(house).inbox if t.sender == self.gateway.num]

    def rings(self) -> list[str]:
        """The kinds the siren was told, in order."""
        return [kind for kind, _ in self.rung()]

    def rung(self) -> list[tuple[str, float]]:
        """Kind and wall seconds of each start of the siren's command, by its own clock."""
        file = self.folder / "siren.txt"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        return [(kind, int(at) / 1e9) for kind, at in (line.split() for line in lines)]

    # --- waiting and accounting ---

    def wait_stored(self, presses: list[str], limit_s: float = 30.0) -> None:
        until(lambda: set(presses) <= set(self.stored()), f"{len(presses)} presses at the desk", limit_s)

    def wait_desk(self, limit_s: float = 20.0) -> None:
        """The post has had a verified answer from the desk."""
        until(lambda: self.status().get("desk_away") is False and self._reachable(), "the desk answers", limit_s)

    def wait_radio(self, limit_s: float = 20.0) -> None:
        until(lambda: self.status().get("radios"), "the post hears its radio", limit_s)

    def account(self, presses: list[str]) -> None:
        """Each press in exactly one case; nothing that nobody pressed."""
        stored = self.stored()
        assert {press: stored.get(press, 0) for press in presses} == dict.fromkeys(presses, 1)
        made_up = sorted(set(stored) - set(self.pressed))
        assert not made_up, f"the desk holds presses that nobody made: {made_up}"

    @property
    def post_toml(self) -> Path:
        return self.folder / "post/post.toml"

    def _reachable(self) -> bool:
        return "" in self.status().get("uplinks", {"": "?"}).values()

    def _database(self) -> Path:
        return next(iter(sorted((self.folder / "desk").glob("*.sqlite3"))))


@contextlib.contextmanager
def scene(
    folder: Path,
    broker_url: str,
    *,
    air: Air | None = None,
    post_before: tuple[str, ...] = (),
    wire_delay_s: float = 0.0,
    seed: int = 7,
    sources: Callable[[Village], str] | None = None,
) -> Iterator[Scene]:
    """Set up by the commands a technician types; post and desk run unless a story stops them.

    `sources` makes the text of the post's register, and the people in it.
    """
    host, port = broker_url.split("//")[1].split(":")
    wire = Wire((host, int(port)), wire_delay_s)
    with contextlib.ExitStack() as stack:
        stack.callback(wire.stop)
        village = stack.enter_context(Village(seed=seed, air=air or Air(seed)))
        gateway = village.gateway("Pos 1", queue_limit=None)  # thousands at once are the story's, not the radio's
        radio = gateway.serve_tcp()
        _set_up(folder, radio, broker_url, f"mqtt://127.0.0.1:{wire.port}")
        if sources is not None:
            (folder / "post/sources.toml").write_text(sources(village))
        post = Program(folder / "post.log", ("run", "--config", str(folder / "post/post.toml")), post_before)
        desk = Program(folder / "desk.log", ("desk", "run", "--config", str(folder / "desk/desk.toml")))
        for program in (desk, post):
            stack.callback(program.kill)
            program.start()
        yield Scene(folder, village, gateway, radio, wire, broker_url, post, desk)


def _set_up(folder: Path, radio: str, broker_url: str, uplink_url: str) -> None:
    script = folder / "siren.sh"
    script.write_text(f'#!/bin/sh\necho "$1 $(date +%s%N)" >> "{folder}/siren.txt"\n')
    script.chmod(0o700)
    desk_toml = str(folder / "desk/desk.toml")
    made = json.loads(kentongan("desk", "init", str(folder / "desk"), "--mqtt", broker_url, "--json").stdout)
    words = ["--village", VILLAGE, "--post", POST, "--radio", radio, "--mqtt", uplink_url]
    siren = ["--siren-command", f"{script} {{kind}}", "--desk-key", made["public_key"], "--json"]
    post = json.loads(kentongan("setup", str(folder / "post"), *words, *siren).stdout)
    kentongan("desk", "post", "add", VILLAGE, POST, post["public_key"], "--config", desk_toml)


def slow_disk(delay_s: float, after: int = 1, calls: str = "fdatasync,fsync") -> tuple[str, ...]:
    """In front of a command: each of these system calls takes `delay_s` longer, from the one numbered `after` on."""
    return _sick_disk(calls, f"delay_enter={int(delay_s * 1e6)}:when={after}+")


def refusing_disk(error: str, after: int = 1) -> tuple[str, ...]:
    """In front of a command: from that write on the disk answers with `error`, ENOSPC or EROFS."""
    return _sick_disk("pwrite64", f"error={error}:when={after}+")


def _sick_disk(calls: str, how: str) -> tuple[str, ...]:
    trace = ("-e", f"trace={calls}", "-e", f"inject={calls}:{how}")
    return ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", *trace)


def frozen_port() -> socket.socket:
    """A listener that accepts and never answers."""
    return socket.create_server(("127.0.0.1", 0), backlog=64)
