"""Where a post's bridge can be asked, and how its journal is read when nobody answers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.control_client import NoBridge, ask
from cli.settings import read_config
from cli.words import Voice, fail, voice

if TYPE_CHECKING:
    from bridge.store.reader import JournalReader


@dataclass(frozen=True, slots=True)
class Post:
    """One post as a technician meets it. `journal` is None when only a socket was named."""

    socket: Path
    config: Path
    journal: Path | None
    say: Voice

    def ask(self, question: str, **facts: Any) -> dict[str, Any]:
        """Raises NoBridge, NotAnswered."""
        return ask(self.socket, question, **facts)

    def no_bridge(self) -> str:
        """Two lines: what is so, and what to do."""
        lines = ("no_bridge", "no_bridge_advice")
        return "\n".join(self.say(line, socket=self.socket, config=self.config) for line in lines)

    def look(self, question: str, read: Callable[["JournalReader"], Any], **facts: Any) -> Any:
        """Through the bridge where one runs, else straight from the file. Raises BridgeError, typer.Exit."""
        try:
            (answer,) = self.ask(question, **facts).values()
        except NoBridge:
            if self.journal is None:
                raise fail(self.no_bridge()) from None
            from bridge.store.reader import JournalReader

            return read(JournalReader(self.journal))
        return answer


def find_post(config: Path, socket: Path | None, lang: str) -> Post:
    """From post.toml, or from a socket alone. Raises typer.Exit when the settings cannot be read."""
    if socket is not None:
        return Post(socket, config, None, voice(lang))
    settings = read_config(config, voice(lang))
    return Post(settings.control.socket, config, settings.journal.path, voice(lang, settings.post.language))
