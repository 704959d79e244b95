"""What became of the desk's words, kept until the broker has taken it; the desk asks again for what is lost later."""

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

from bridge.domain.desk import Answer

KEPT = 1024
IN_ONE = 64


class Accounts:
    """The latest answer to each word, oldest first; bounded."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, int], Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def keep(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            key = (answer.desk, answer.number)
            self._answers[key] = answer
            self._answers.move_to_end(key)
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)

    def first(self) -> tuple[Answer, ...]:
        """For one publish."""
        return tuple(islice(self._answers.values(), IN_ONE))

    def taken(self, answers: Iterable[Answer]) -> None:
        """The broker has them; a newer answer to the same word stays."""
        for answer in answers:
            key = (answer.desk, answer.number)
            if self._answers.get(key) == answer:
                del self._answers[key]
