"""One session and what it told: what the session's stories share."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mqtt.session import Session, SessionConfig
from tests.mqtt.people import QUICK
from tests.patience import until

TOPIC = "kentongan/v1/35/09/14/2005/pos-1/status"


@dataclass
class Story:
    """A session and all that it told."""

    session: Session = field(init=False)
    ups: list[int] = field(default_factory=list)
    downs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    published: list[tuple[int, int]] = field(default_factory=list)

    def wait_up(self, times: int = 1) -> None:
        until(lambda: len(self.ups) >= times, lambda: f"up {times} times; {self.downs}")

    def wait_down(self, text: str = "") -> str:
        until(lambda: any(text in why for why in self.downs), lambda: f"down with {text!r} among {self.downs}")
        return next(why for why in self.downs if text in why)

    def code(self, topic: str = TOPIC, payload: bytes = b"x") -> int:
        """The reason code of one publish."""
        token = until(lambda: self.session.publish(topic, payload))
        return until(lambda: [code for named, code in self.published if named == token], "PUBACK")[0]


@contextmanager
def story(url: str, *, client_id: str = "s1", config: dict[str, Any] | None = None, **more: Any) -> Iterator[Story]:
    told = Story()
    told.session = Session(
        SessionConfig(url, client_id, **(config or {})),
        on_up=more.pop("on_up", told.ups.append),
        on_down=told.downs.append,
        on_message=more.pop("on_message", lambda topic, payload: told.messages.append((topic, payload))),
        on_published=lambda token, code: told.published.append((token, code)),
        on_fault=told.faults.append,
        timing=more.pop("timing", QUICK),
        chance=random.Random(7),
        **more,
    )
    told.session.start()
    try:
        yield told
    finally:
        told.session.stop()


def has_no_traceback(line: str) -> bool:
    return "\n" not in line and "Traceback" not in line and len(line) < 400
