"""The recessed button: short means that it was nothing, long is a self-test. Nothing else cancels."""

DEBOUNCE_MS = 30
LONG_MS = 3000


class Button:
    """`look` at every step; gives "short", "long" or ''. One that is held while the head starts says nothing."""

    def __init__(self) -> None:
        self._is_down = True
        self._is_spent = True
        self._raw = True
        self._since_ms = None  # type: int | None
        self._down_ms = 0

    def look(self, is_down: bool, now_ms: int) -> str:
        if self._since_ms is None or is_down != self._raw:
            self._raw, self._since_ms = is_down, now_ms
        if self._raw != self._is_down and now_ms - self._since_ms >= DEBOUNCE_MS:
            self._is_down = self._raw
            if self._is_down:
                self._down_ms, self._is_spent = self._since_ms, False
            elif not self._is_spent:
                self._is_spent = True
                return "short"
        if self._is_down and not self._is_spent and now_ms - self._down_ms >= LONG_MS:
            self._is_spent = True
            return "long"
        return ""
