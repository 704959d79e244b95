"""The log's story of what came in: few lines, the same `alarm=` in each, no person's name."""

from collections import Counter
from collections.abc import Sequence

import structlog

from desk.filing import Filed
from desk.intake import Taken
from desk.reading import Alarms, Message

log = structlog.get_logger()

ONE_BY_ONE = 20  # alarms in one commit that are told singly; a backlog is told as a number


def tell(taken: Taken, messages: Sequence[Message]) -> None:
    """One group that was committed and receipted."""
    for message in messages:
        if isinstance(message, Alarms) and message.why:
            can = "read piece by piece" if message.batch else "no batch number: it cannot be receipted"
            log.error("alarm message not as agreed", post=message.post, why=message.why, then=can)
    if len(taken.news) <= ONE_BY_ONE:
        for filed in taken.news:
            _tell_alarm(filed)
    else:
        for post, count in Counter(filed.post for filed in taken.news).items():
            log.info("alarms stored", post=post, count=count)
        for filed in taken.news:
            if filed.item.reason:
                _tell_alarm(filed)
    for post, number, fate in taken.fates:
        log.info("word answered", post=post, number=number, fate=fate)
    for post, online in taken.turned:
        log.info("post online" if online else "post offline", post=post)
    for post in taken.resend:
        log.warning("post has seen commits that this database does not hold; it is asked for everything", post=post)


def _tell_alarm(filed: Filed) -> None:
    item = filed.item
    facts = {"alarm": item.alarm or item.key, "case": filed.case, "post": filed.post, "revision": item.revision}
    if item.reason:
        log.error("alarm cannot be understood; kept and shown", **facts, why=item.reason)
    elif filed.is_new_report:
        said = "alarm stored" if filed.is_new_case else "alarm stored, known from elsewhere"
        log.info(said, **facts, kind=item.kind, place=item.place, age_s=item.age_s)
    else:
        log.info("alarm grew", **facts, kind=item.kind, place=item.place)
