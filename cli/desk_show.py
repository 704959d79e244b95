"""The desk's cases and posts as lines of text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.desk_words import DeskVoice, clock, span

if TYPE_CHECKING:
    from desk.views import Account, CaseView, Delivery, PostView


def line(case: "CaseView", say: DeskVoice) -> str:
    """One case in one line: number, when, kind, place, stage, and what must not be missed."""
    struck = clock(case.struck_at) if case.struck_at is not None else say("age_unknown")
    stage = say.stage(case.stage) + (f" {say('by', by=case.by)}" if case.by else "")
    parts = [f"#{case.case}", struck, say.kind(case.kind), case.place or say("place_unknown"), stage]
    if case.told:
        parts.append(_told(case.told, case.told_at, None, say))
    return "  ".join([*parts, *_flags(case, say), case.alarm])


def _flags(case: "CaseView", say: DeskVoice) -> list[str]:
    flags = [say(name) for name in ("drill", "unreadable", "unsafe") if getattr(case, name)]
    if case.again_at is not None:
        flags.append(say("again"))
    if case.late and case.age_s is not None:
        flags.append(say("late", age=span(case.age_s)))
    return [*flags, *(remark for remark in case.remarks if remark not in ("drill", "late"))]


def _told(fate: str, told_at: float | None, answered_at: float | None, say: DeskVoice) -> str:
    """A post's clock that cannot be right is not repeated."""
    if fate != "told":
        return say(fate)
    if told_at is not None:
        return say("told", at=clock(told_at))
    return say("told_before", at=clock(answered_at)) if answered_at is not None else say("told", at="?")


def page(
    case: "CaseView", reports: "list[Account]", acts: list[dict[str, Any]], words: "list[Delivery]", say: DeskVoice
) -> Iterator[str]:
    """Everything about one case."""
    yield line(case, say)
    facts = {
        "source": case.source,
        "trust": case.trust,
        "words": " | ".join(case.words),
        "remarks": ", ".join(case.remarks),
        "ids": ", ".join(case.ids),
        "struck": clock(case.struck_at) if case.struck_at is not None else say("age_unknown"),
        "arrived": clock(case.arrived_at),
    }
    for name, value in facts.items():
        if value:
            yield f"  {say(name):<15} {value}"
    yield say("reports")
    for report in reports:
        fault = f"  {say('unreadable')}: {report.reason}" if report.reason else ""
        yield f"  {report.post}  {report.alarm}  {say('revision', revision=report.revision)}{fault}"
    if acts:
        yield say("acts")
    for act in acts:
        yield f"  {clock(act['at'])}  {say.stage(act['what'])}  {act['by']}".rstrip()
    if words:
        yield say("deliveries")
    for word in words:
        yield f"  {_delivery(word, say)}"


def _delivery(word: "Delivery", say: DeskVoice) -> str:
    what = say.stage(word.stage) if word.stage else f"{word.kind} {word.text}".rstrip()
    fate = _told(word.fate or "waiting", word.told_at, word.answered_at, say)
    return f"{clock(word.said_at)}  {word.post}  {what}: {fate}" + (f" ({word.detail})" if word.detail else "")


def post_line(post: "PostView", say: DeskVoice) -> str:
    if post.online is None or post.since is None:
        return f"{post.post}  {say('never')}"
    state = say("online" if post.online else "offline", at=clock(post.since))
    return f"{post.post}  {state}  {post.version or ''}".rstrip()
