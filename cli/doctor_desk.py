"""The doctor's look at the way to the police: broker, certificates, the desk's key, and whether the desk answers."""

import secrets
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.domain.errors import BridgeError, ConfigError
from cli.doctor_case import Bridge, Case, day
from cli.status import Finding, State
from cli.tongues import fault_in

if TYPE_CHECKING:
    from bridge.config import Config, Uplink
    from mqtt.broker import SessionConfig

SOON_S = 30 * 86_400
TLS_S = 10.0


def broker(case: Case) -> Iterator[Finding]:
    """Through the bridge where one runs; else TCP, TLS and CONNECT by ourselves, under a name of our own."""
    if not case.settings.uplink:
        yield Finding("broker", State.NOTE, case.say("desk_none"), case.say("desk_none_advice"))
    for number, uplink in enumerate(case.settings.uplink):
        place, why = _session(case, uplink).place, _reached(case, number).why
        if why:
            text = case.say("broker_down", place=place, why=fault_in(why, case.say.language))
            yield Finding("broker", State.FAULT, text, case.say("broker_advice"))
        else:
            yield Finding("broker", State.OK, case.say("broker_up", place=place))


def desk(case: Case) -> Iterator[Finding]:
    if not case.settings.uplink:
        return
    if not case.settings.desk.keys:
        yield Finding("desk", State.FAULT, case.say("desk_no_key"), case.say("desk_no_key_advice"))
        return
    for number, uplink in enumerate(case.settings.uplink):
        name, reached = _session(case, uplink).place, _reached(case, number)
        if reached.is_answered:
            yield Finding("desk", State.OK, case.say("desk_well", name=name))
        elif not reached.why:
            text = fault_in(reached.why_mute, case.say.language) or case.say("desk_mute", name=name, s=case.wait_s)
            yield Finding("desk", State.FAULT, text, case.say("desk_mute_advice"))


def tls(case: Case) -> Iterator[Finding]:
    """A handshake beside the bridge disturbs nobody: no MQTT is spoken."""
    for uplink in case.settings.uplink:
        session = _session(case, uplink)
        if not session.is_tls:
            yield Finding("tls", State.NOTE, case.say("tls_none", place=session.place), case.say("tls_none_advice"))
            continue
        for path in (uplink.cert, uplink.ca):
            if path is not None:
                yield from _file_dates(case, path)
        yield _handshake(case, session)


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far we got: `why` the broker is not reached; `why_mute`: the bridge's own word for a desk that is silent."""

    why: str = ""
    is_answered: bool = False
    why_mute: str = ""


def _reached(case: Case, number: int) -> _Reached:
    if case.bridge is not Bridge.RUNS:
        if number not in case.probes:
            case.probes[number] = _probe(case.settings, number, case.wait_s)
        reached: _Reached = case.probes[number]
        return reached
    pictures = [part for part in case.picture["parts"].values() if "desk_reachable" in part]
    picture = pictures[number]
    if not picture["connected"]:
        return _Reached(why=picture["why_away"] or case.say("radio_starting", url=picture["broker"]))
    return _Reached("", picture["desk_reachable"], picture["why_away"])


def _probe(settings: "Config", number: int, wait_s: float) -> _Reached:
    """A signed hello and its verified receipt, without a bridge. It changes nothing at the desk."""
    from bridge.domain.ids import Run
    from bridge.edges.clock import SystemClock
    from cli.settings import read_signer
    from cli.version import program_version
    from mqtt.broker import SessionTiming, Subscription
    from mqtt.contract import Leaf
    from mqtt.downlink import Downlink, Receipt, Unreadable
    from mqtt.letters import Letters
    from mqtt.session import Session
    from mqtt.signature import Keyring, NotVerified

    run = Run(str(uuid.uuid4()), 0, secrets.token_hex(8))
    letters = Letters(settings.post_id, run, program_version(), read_signer(settings), SystemClock(0))
    downlink = Downlink(settings.post_id, Keyring.of(settings.desk.keys))
    nonce, ended, heard = secrets.token_hex(8), threading.Event(), []
    whys: list[str] = []

    def greet(_number: int) -> None:
        hello = letters.hello(nonce, ())
        session.publish(hello.topic, hello.payload, hello.qos)

    def listen(topic: str, payload: bytes) -> None:
        try:
            said = downlink.read(topic, payload)
        except (NotVerified, Unreadable):
            return
        if isinstance(said, Receipt) and said.re == nonce:
            heard.append(said)
            ended.set()

    def lost(why: str) -> None:
        whys.append(why)
        ended.set()

    try:
        session = Session(
            _session_of(settings.uplink[number], f"kentongan-{settings.post.village}-{settings.post.id}-doctor"),
            on_up=greet,
            on_down=lost,
            on_message=listen,
            subscriptions=(Subscription(letters.topics[Leaf.RECEIPT]),),
            timing=SessionTiming(connect_s=wait_s, silent_s=wait_s),
        )
    except BridgeError as error:
        return _Reached(why=str(error))
    session.start()
    ended.wait(wait_s)
    is_up = session.is_up
    session.stop()
    return _Reached("" if is_up else (whys or ["tidak ada jawaban (no answer)"])[0], bool(heard))


def _session(case: Case, uplink: "Uplink") -> "SessionConfig":
    return _session_of(uplink, "kentongan-doctor")


def _session_of(uplink: "Uplink", client: str) -> "SessionConfig":
    from mqtt.broker import SessionConfig

    return SessionConfig(client_id=client, **uplink.model_dump())


def _handshake(case: Case, session: "SessionConfig") -> Finding:
    from mqtt.broker import why_unreachable

    try:
        context = session.tls_context()
        assert context is not None
        with (
            socket.create_connection((session.host, session.port), timeout=TLS_S) as wire,
            context.wrap_socket(wire, server_hostname=session.host) as sealed,
        ):
            about = sealed.getpeercert() or {}
    except ConfigError as error:
        return Finding("tls", State.FAULT, str(error), case.say("tls_advice"))
    except OSError as error:
        said = fault_in(why_unreachable(session.place, error), case.say.language)
        why = case.say("tls_bad", what=session.place, why=said)
        return Finding("tls", State.FAULT, why, case.say("tls_advice"))
    since, until = (ssl.cert_time_to_seconds(str(about[name])) for name in ("notBefore", "notAfter"))
    return _dates(case, session.place, since, until)


def _file_dates(case: Case, path: Path) -> Iterator[Finding]:
    from cryptography import x509

    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        yield Finding("tls", State.FAULT, case.say("tls_bad", what=path, why=error), case.say("tls_advice"))
        return
    for one in certificates:
        yield _dates(case, path.name, one.not_valid_before_utc.timestamp(), one.not_valid_after_utc.timestamp())


def _dates(case: Case, what: str, since: float, until: float) -> Finding:
    now = _now()
    facts = {"what": what, "since": day(since), "until": day(until)}
    if not since <= now < until:
        return Finding("tls", State.FAULT, case.say("tls_over", **facts), case.say("tls_advice"))
    if until - now < SOON_S:
        return Finding("tls", State.NOTE, case.say("tls_soon", **facts), case.say("tls_advice"))
    return Finding("tls", State.OK, case.say("tls_well", **facts))


def _now() -> float:
    return time.time()
