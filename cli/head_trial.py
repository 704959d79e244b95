"""Whether a head on USB proves itself: its lines against the register's key, and an answer that it must believe."""

from bridge.codec.line import UNKEYED, Heard, LineCodec, answer_line
from bridge.domain.head import HeadCall, HeadWord, Lamp
from bridge.sources import Register
from cli.head_link import HeadInfo, HeadLink

ECHO_S = 12.0  # a head echoes a new letter within 5 s
DESK = "usb"  # how we call ourselves towards a head


def heard_of(link: HeadLink, wait_s: float, settle_s: float) -> list[str]:
    """The head's lines: until the first has come, and a little longer for the rhythm that refines it."""
    waiting = list(link.heard)
    return waiting + list(link.calls(settle_s if waiting else wait_s, settle_s))


def judge(lines: list[str], info: HeadInfo, register: Register) -> str:
    """right, wrong, no_key (the head has none), unknown (the register has none) or silent; the last line decides."""
    ours = [line for line in lines if line.startswith(f"K1 {info.name} ")]
    for line in reversed(ours):
        for call in _calls(line, register):
            if call.can_be_told:
                return "right"
            if line.endswith(UNKEYED):
                return "no_key"
            return "wrong" if register.head_key(info.name) else "unknown"
    return "silent"


def close(link: HeadLink, line: str, register: Register) -> bool:
    """Ends our own drill with an answer that only this head's key can make; whether the head believed it.

    An alarm of a hand is never closed from here: its lamps are the post's to light.
    """
    for call in _calls(line, register):
        if call.word is HeadWord.TEST:
            by = call.by
            link.say(answer_line(DESK, [Lamp(by.head, by.epoch, by.number, "LC")], register))
            echo = f"K1 {by.head} {by.epoch}.{by.number} TEST=C "
            return any(heard.startswith(echo) for heard in link.calls(ECHO_S, ECHO_S))
    return True


def _calls(line: str, register: Register) -> list[HeadCall]:
    read = LineCodec(register, "").read(f"\n{line}\n", Heard(DESK, wired=True))
    return [call for call in read if isinstance(call, HeadCall)]
