"""What a post says, sealed: one method for each topic it writes."""

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.domain.alarm import Moment
from bridge.domain.commands import Relay
from bridge.domain.desk import Answer, Mark
from bridge.domain.ids import PostId, Run
from bridge.domain.ports import Clock
from mqtt import contract
from mqtt.broker import Message
from mqtt.contract import Leaf, topic
from mqtt.signature import Signer


class Letters:
    """Safe from any thread. Ages and times are those of the moment of writing."""

    def __init__(self, post: PostId, run: Run, version: str, signer: Signer, clock: Clock) -> None:
        self._signer, self._version, self._clock = signer, version, clock
        self._run = contract.RunBody(journal=run.journal, start=run.start, bits=run.bits)
        self.topics = {leaf: topic(post, leaf) for leaf in Leaf}

    def status(self, connection: int, online: bool) -> Message:
        """The will is the offline one, written before anybody knows when."""
        at = _moment(self._clock.now()) if online else None
        return self._seal(
            Leaf.STATUS,
            contract.StatusBody(online=online, version=self._version, run=self._run, connection=connection, at=at),
        )

    def hello(self, nonce: str, seen: Iterable[Mark]) -> Message:
        return self._seal(Leaf.HELLO, contract.HelloBody(nonce=nonce, run=self._run, seen=_marks(seen)))

    def alarms(self, batch: str, relays: Iterable[Relay], seen: Iterable[Mark]) -> Message:
        now = self._clock.now()
        items = [_item(relay, now) for relay in relays]
        body = contract.AlarmBody(batch=batch, run=self._run, now=_moment(now), items=items, seen=_marks(seen))
        return self._seal(Leaf.ALARM, body)

    def answers(self, answers: Iterable[Answer]) -> Message:
        items = [
            contract.AnswerItem(desk=a.desk, number=a.number, fate=a.fate, at=round(a.at, 3), detail=a.detail[:200])
            for a in answers
        ]
        return self._seal(Leaf.ANSWER, contract.AnswerBody(answers=items))

    def health(self, waiting: int, faults: Mapping[str, str], radio: Mapping[str, Any]) -> Message:
        now = _moment(self._clock.now())
        body = contract.HealthBody(run=self._run, now=now, waiting=waiting, faults=dict(faults), radio=dict(radio))
        return self._seal(Leaf.HEALTH, body)

    def _seal(self, leaf: Leaf, body: contract.Model) -> Message:
        name = self.topics[leaf]
        return Message(name, self._signer.seal(name, body.to_body()).encode(), leaf.qos, leaf.is_retained)


def _marks(seen: Iterable[Mark]) -> dict[str, contract.MarkBody]:
    return {mark.desk: contract.MarkBody(database=mark.database, commit=mark.commit, token=mark.token) for mark in seen}


def _moment(now: Moment) -> contract.MomentBody:
    return contract.MomentBody(at=round(now.wall_s, 3), trusted=now.trusted)


def _item(relay: Relay, now: Moment) -> contract.AlarmItem:
    age_s = relay.row.first.age_s(now)
    return contract.AlarmItem(
        alarm=relay.row.body, age_s=None if age_s is None else round(age_s, 3), unsafe=relay.unsafe
    )
