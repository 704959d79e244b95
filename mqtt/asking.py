"""Is the desk there? Hellos, their nonces, and how long nothing has come back. Pure: time is a parameter."""

from collections import OrderedDict
from dataclasses import dataclass, field

from mqtt.contract import DESK_AWAY_AFTER_S, HELLO_EVERY_S, HELLO_TIMEOUT_S

NONCES = 16
AGAIN_S = 2.0  # doubled up to the time-out: after a broker's restart the desk may be back a little later than we


@dataclass(slots=True)
class Asking:
    """One connection's questions. All times are monotonic seconds."""

    every_s: float = HELLO_EVERY_S
    timeout_s: float = HELLO_TIMEOUT_S
    away_after_s: float = DESK_AWAY_AFTER_S
    _due_s: float = 0.0
    _since_s: float | None = None  # when the first of our unanswered questions was asked
    _in_vain: int = 0
    _nonces: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def begin(self) -> None:
        """A new connection: ask at once; nothing that was asked before can be answered any more."""
        self._due_s, self._since_s, self._in_vain = 0.0, None, 0
        self._nonces.clear()

    def is_due(self, now_s: float) -> bool:
        return now_s >= self._due_s

    def asked(self, nonce: str, now_s: float) -> None:
        self._nonces[nonce] = now_s
        while len(self._nonces) > NONCES:
            self._nonces.popitem(last=False)
        self._due_s = now_s + min(self.timeout_s, AGAIN_S * 2**self._in_vain)
        self._in_vain = min(self._in_vain + 1, 10)
        if self._since_s is None:
            self._since_s = now_s

    def doubt(self, now_s: float, since_s: float) -> None:
        """An alarm got no receipt in time: that was a question too. Ask plainly, now."""
        if self._since_s is None:
            self._since_s, self._due_s = since_s, now_s

    def asked_at(self, nonce: str) -> float | None:
        """When this was asked; None if it was not, or was answered already."""
        return self._nonces.pop(nonce, None)

    def answered(self, now_s: float) -> None:
        self._due_s, self._since_s, self._in_vain = now_s + self.every_s, None, 0

    def is_in_vain(self, now_s: float) -> bool:
        """No answer for so long that the desk must be called away."""
        return self._since_s is not None and now_s - self._since_s >= self.away_after_s
