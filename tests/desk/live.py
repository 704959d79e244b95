"""The desk as a process of its own, a post on a real broker, and the commands that officers type."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner

from cli.desk import app
from desk.config import load, load_key
from desk.service import found
from desk.store import Store
from mqtt.contract import Leaf, OrderBody, ReceiptBody, WordBody
from mqtt.session import Session, SessionConfig
from mqtt.signature import Keyring
from tests.cli.kentongan import ENVIRONMENT, run
from tests.desk.post import Post
from tests.patience import until

Found = TypeVar("Found")


@dataclass
class LiveDesk:
    """`kentongan desk …` with its own folder; `before` stands in front of the running one (strace)."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, folder: Path, url: str) -> "LiveDesk":
        found(folder, url, "Polsek Ajung")
        return cls(folder)

    def type(self, *words: str, exit_code: int = 0) -> str:
        """One command to its end, in this process (but `run`); its output, or what it said was wrong."""
        words = (*words, "--config", str(self.folder))
        if words[0] == "run":
            done = run("desk", *words)
            code, out, err = done.returncode, done.stdout, done.stderr
        else:
            result = CliRunner().invoke(app, words, prog_name="kentongan desk")
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            code, out, err = result.exit_code, result.stdout, result.stderr
        assert code == exit_code, f"{words}: {code} {out}{err}"
        assert "Traceback" not in err
        return err if exit_code else out

    def know(self, *posts: Post) -> None:
        with self.store() as store:
            for post in posts:
                store.add_post(post.id, post.signer.public_text)

    def start(self, *before: str) -> "LiveDesk":
        command = [*before, sys.executable, "-m", "cli", "desk", "run", "--config", str(self.folder)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, how: signal.Signals) -> int:
        """Signal it and reap it; the exit code."""
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        return self.process.wait(20)

    def cases(self) -> list[dict[str, Any]]:
        return list(json.loads(self.type("list", "--all", "--json")))

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """The desk's own database, read beside it."""
        config = load(self.folder)
        store = Store(config.database_url, config.desk.id)
        try:
            yield store
        finally:
            store.close()

    def stored(self) -> dict[str, int]:
        with self.store() as store:
            return store.accounting()

    @property
    def id(self) -> str:
        return load(self.folder).desk.id

    @property
    def public_text(self) -> str:
        return load_key(load(self.folder)).public_text


@dataclass
class LivePost:
    """A post on the broker: it sends what it is told and keeps what the desk has signed."""

    post: Post
    desk: LiveDesk
    receipts: dict[str, ReceiptBody] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    words: list[WordBody] = field(default_factory=list)
    orders: list[WordBody] = field(default_factory=list)

    def connect(self, url: str) -> "LivePost":
        self.ring = Keyring.of([self.desk.public_text])
        self.session = Session(
            SessionConfig(url, f"post-{self.post.seed}"),
            on_up=lambda _: None,
            on_down=lambda _: None,
            on_message=self._hear,
            subscriptions=[self.post.topic(Leaf.RECEIPT), self.post.topic(Leaf.ORDER)],
        )
        self.session.start()
        until(lambda: self.session.is_up, "the post's connection")
        return self

    def _hear(self, topic: str, payload: bytes) -> None:
        body = self.ring.open(topic, payload).body
        if topic == self.post.topic(Leaf.ORDER):
            self.orders += OrderBody.model_validate_json(body).orders
            return
        receipt = ReceiptBody.model_validate_json(body)
        self.words += receipt.words
        if receipt.re:
            self.receipts[receipt.re] = receipt
            self.copies.append(receipt.re)

    def send(self, message: tuple[str, bytes]) -> None:
        until(lambda: self.session.publish(*message, qos=1) is not None, "the broker to take it")

    def greet(self) -> None:
        """Until the desk answers: it is up, subscribed, and knows us."""
        nonces = []

        def asked() -> bool:
            nonces.append(self.post.batch())
            self.send(self.post.hello(nonce=nonces[-1]))
            time.sleep(0.05)
            return any(nonce in self.receipts for nonce in nonces)

        until(asked, "the desk to answer hello")

    def report(self, message: tuple[str, bytes], batch: str) -> ReceiptBody:
        self.send(message)
        return until(lambda: self.receipts.get(batch), f"receipt {batch}")
