"""The technician's lines, from USB only (README.md)."""

import json

VERSION = "1"


def answer(head, line: str, now_ms: int) -> str:
    """What is said back to a line that begins with '!'."""
    word, _, rest = line.partition(" ")
    act = _ACTS.get(word)
    if act is None:
        return "!err unknown, try !info"
    try:
        return act(head, rest.strip(), now_ms)
    except ValueError as error:
        return f"!err {error}"
    except OSError as error:
        return f"!err flash: {error}"


def _info(head, rest: str, now_ms: int) -> str:
    said = {
        "name": head.settings.name,
        "epoch": head.calls.epoch,
        "press": head.calls.number,
        "keyed": head.is_keyed,
        "codebook": head.settings.codebook.name,
        "at": head.settings.place,
        "version": VERSION,
        "fault": head.fault or head.crash,
    }
    return "!info " + json.dumps(said)


def _name(head, rest: str, now_ms: int) -> str:
    head.settings.set_name(rest)
    return f"!ok name {rest}"


def _key(head, rest: str, now_ms: int) -> str:
    head.settings.set_key(rest)
    return "!ok key"


def _codebook(head, rest: str, now_ms: int) -> str:
    head.settings.set_codebook(rest)
    head.new_pad()
    return f"!ok codebook {head.settings.codebook.name}"


def _at(head, rest: str, now_ms: int) -> str:
    head.settings.set_place(rest)
    head.new_pad()
    return f"!ok at {rest}"


def _test(head, rest: str, now_ms: int) -> str:
    press = head.test(now_ms)
    return f"!ok test {press}" if press else "!err a call is open"


def _lamps(head, rest: str, now_ms: int) -> str:
    head.run_lamps(now_ms)
    return "!ok lamps"


_ACTS = {
    "!info": _info,
    "!name": _name,
    "!key": _key,
    "!codebook": _codebook,
    "!at": _at,
    "!test": _test,
    "!lamps": _lamps,
}
