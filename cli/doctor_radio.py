"""The doctor's look at the radio: does it answer, is it lawful, is its channel private, does it speak too much?"""

from collections.abc import Generator, Iterator

from bridge.domain.ids import node_id
from cli.doctor_case import Bridge, Case, RadioAway, RadioFacts
from cli.status import Finding, State
from firmware_config.firmware import is_old

DUTY_PERCENT = 1.0
MUCH_PERCENT = 0.75


def radio(case: Case) -> Iterator[Finding]:
    facts = yield from _facts(case, "radio", is_told=True)
    if facts is None:
        return
    own = node_id(facts.own)
    if is_old(facts.firmware):
        text = case.say("radio_old", own=own, firmware=facts.firmware or "?")
        yield Finding("radio", State.FAULT, text, case.say("radio_old_advice"))
    else:
        yield Finding("radio", State.OK, f"{own}, firmware {facts.firmware}")
    yield _lawful(case, facts)


def channel(case: Case) -> Iterator[Finding]:
    facts = yield from _facts(case, "channel")
    if facts is None:
        return
    named, is_private = case.settings.radio.channels, dict(facts.channels)
    advice = case.say("channel_advice")
    for name in named:
        if name not in is_private:
            yield Finding("channel", State.FAULT, case.say("channel_missing", name=name), advice)
        elif not is_private[name]:
            state = State.NOTE if case.settings.radio.allow_public_key else State.FAULT
            yield Finding("channel", state, case.say("channel_public", name=name), advice)
    private = [name or "(primary)" for name, private in facts.channels if private and (not named or name in named)]
    if private:
        yield Finding("channel", State.OK, case.say("channel_well", names=", ".join(private)))
    elif not named:
        yield Finding("channel", State.FAULT, case.say("channel_none"), advice)


def airtime(case: Case) -> Iterator[Finding]:
    facts = yield from _facts(case, "airtime")
    if facts is None:
        return
    if facts.airtime is None:
        yield Finding("airtime", State.NOTE, case.say("air_unknown"))
    elif facts.airtime > DUTY_PERCENT:
        yield Finding("airtime", State.FAULT, case.say("air_much", air=facts.airtime), case.say("air_advice"))
    else:
        is_much = facts.airtime > MUCH_PERCENT
        text, advice = case.say("air_well", air=facts.airtime), case.say("air_advice") if is_much else ""
        yield Finding("airtime", State.NOTE if is_much else State.OK, text, advice)


def _facts(case: Case, part: str, is_told: bool = False) -> Generator[Finding, None, RadioFacts | None]:
    """The facts, or None after saying why there are none; the radio's own fault is told once, by `radio`."""
    if not case.settings.radio.url:
        if is_told:
            yield Finding(part, State.NOTE, case.say("radio_none"), case.say("radio_none_advice"))
        return None
    if case.bridge is Bridge.MUTE:
        yield Finding(part, State.NOTE, case.say("not_asked"))
        return None
    try:
        return case.radio
    except RadioAway as away:
        text = case.say("radio_lost", url=case.settings.radio.url, why=away)
        if is_told:
            yield Finding(part, State.FAULT, text, case.say("radio_advice"))
        else:
            yield Finding(part, State.NOTE, text)
    return None


def _lawful(case: Case, facts: RadioFacts) -> Finding:
    from firmware_config.band import Sending, mhz, refusals

    primary = facts.channels[0][0] if facts.channels else ""
    sending = Sending(facts.region, facts.preset, facts.slot, primary, facts.power_dbm)
    if wrong := refusals(sending):
        text = "\n".join(both.said(case.say.language) for both in wrong)
        return Finding("radio", State.FAULT, text, case.say("radio_unlawful_advice", port=_port(case)))
    said = {"region": facts.region, "preset": facts.preset, "slot": sending.slot_used, "power": facts.power_dbm}
    return Finding("radio", State.OK, case.say("radio_lora", mhz=mhz(sending.centre_hz), **said))


def _port(case: Case) -> str:
    if case.bridge is Bridge.RUNS:
        return f"control+unix://{case.settings.control.socket}"
    return case.settings.radio.url
