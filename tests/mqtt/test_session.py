"""The session alone: found again after every fault, and a clear line for each."""

import random
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.domain.errors import ConfigError
from mqtt.session import Message, Session, SessionConfig, SessionTiming, Subscription
from simulator.wire import Wire
from tests.brokers import Mosquitto, Tls, free_port, iotcore_broker, mosquitto_broker
from tests.mqtt.people import QUICK, password_file, until
from tests.mqtt.tiny_broker import Habits, TinyBroker

TOPIC = "kentongan/v1/35/09/14/2005/pos-1/status"


@dataclass
class Story:
    """A session and all that it told."""

    session: Session = field(init=False)
    ups: list[int] = field(default_factory=list)
    downs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    published: list[tuple[int, int]] = field(default_factory=list)

    def wait_up(self, times: int = 1) -> None:
        until(lambda: len(self.ups) >= times, lambda: f"up {times} times; {self.downs}")

    def wait_down(self, text: str = "") -> str:
        until(lambda: any(text in why for why in self.downs), lambda: f"down with {text!r} among {self.downs}")
        return next(why for why in self.downs if text in why)

    def code(self, topic: str = TOPIC, payload: bytes = b"x") -> int:
        """The reason code of one publish."""
        token = until(lambda: self.session.publish(topic, payload))
        return until(lambda: [code for named, code in self.published if named == token], "PUBACK")[0]


@contextmanager
def story(url: str, *, client_id: str = "s1", config: dict[str, Any] | None = None, **more: Any) -> Iterator[Story]:
    told = Story()
    told.session = Session(
        SessionConfig(url, client_id, **(config or {})),
        on_up=more.pop("on_up", told.ups.append),
        on_down=told.downs.append,
        on_message=more.pop("on_message", lambda topic, payload: told.messages.append((topic, payload))),
        on_published=lambda token, code: told.published.append((token, code)),
        on_fault=told.faults.append,
        timing=more.pop("timing", QUICK),
        chance=random.Random(7),
        **more,
    )
    told.session.start()
    try:
        yield told
    finally:
        told.session.stop()


def has_no_traceback(line: str) -> bool:
    return "\n" not in line and "Traceback" not in line and len(line) < 400


# --- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "broker", "http://a", "mqtt://", "mqtt://:1883", "mqtt://a:0", "mqtt://a:99999"])
def test_a_url_that_is_no_broker_is_refused_before_anything_starts(url: str) -> None:
    with pytest.raises(ConfigError, match="is not a broker: write mqtt://host"):
        SessionConfig(url, "x")


@pytest.mark.parametrize(
    ("url", "place", "is_tls"),
    [
        ("mqtt://h", "h:1883", False),
        ("mqtts://h", "h:8883", True),
        ("mqtts://h:443", "h:443", True),
        ("mqtt://[::1]:7", "::1:7", False),
    ],
)
def test_ports_have_their_usual_numbers(url: str, place: str, is_tls: bool) -> None:
    config = SessionConfig(url, "x")
    assert (config.place, config.is_tls) == (place, is_tls)


# --- faults of the way -----------------------------------------------------------------------------------------------


def test_nobody_at_the_port_is_one_clear_line_and_is_tried_again() -> None:
    with story(f"mqtt://127.0.0.1:{free_port()}") as told:
        why = told.wait_down("connection refused")
        assert has_no_traceback(why)
        until(lambda: len(told.downs) >= 3, "tried again")
        assert not told.ups


def test_an_unknown_name_is_one_clear_line() -> None:
    with story("mqtt://tidak-ada.invalid:1883") as told:
        assert has_no_traceback(told.wait_down("tidak ditemukan"))


def test_a_broker_that_accepts_and_never_answers_is_left_after_the_connect_time_out() -> None:
    timing = replace(QUICK, connect_s=0.6)
    with TinyBroker(Habits(says_hello=False)) as tiny, story(tiny.url, timing=timing) as told:
        assert has_no_traceback(told.wait_down("no answer"))
        until(lambda: tiny.seen.connections >= 2, "tried again")
        until(lambda: tiny.seen.closed >= 1, "the first socket is really closed")
        tiny.habits.says_hello = True
        told.wait_up()


def test_the_time_out_for_a_slow_broker_is_longer_than_the_keepalive() -> None:
    """paho alone gives up after one keepalive; a bad link needs longer."""
    habits = Habits(says_hello=False)
    with TinyBroker(habits) as tiny, story(tiny.url, timing=replace(QUICK, connect_s=30.0)) as told:
        until(lambda: tiny.seen.connects)
        time.sleep(2.5 * QUICK.keepalive_s)
        assert tiny.seen.connections == 1 and not told.downs


def test_a_tls_broker_that_never_answers_is_left_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mqtts://127.0.0.1:{silent.getsockname()[1]}"
        with story(url, timing=replace(QUICK, connect_s=0.5)) as told:
            assert has_no_traceback(told.wait_down("no answer"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0x86, "username dan password_file"),
        (0x87, "not authorized"),
        (0x85, "client identifier not valid"),
        (0x88, "server unavailable"),
        (0x8A, "kode 0x8a (banned)"),
    ],
)
def test_a_refusal_is_told_in_plain_words(code: int, said: str) -> None:
    with TinyBroker(Habits(connack=code)) as tiny, story(tiny.url) as told:
        assert has_no_traceback(told.wait_down(said))
        assert not told.ups
        until(lambda: tiny.seen.connections >= 2, "tried again")


@pytest.mark.parametrize(("code", "said"), [(0x8E, "client id yang sama"), (0x8B, "server shutting down")])
def test_a_broker_that_sends_us_away_says_why(code: int, said: str) -> None:
    with TinyBroker(Habits()) as tiny, story(tiny.url) as told:
        told.wait_up()
        tiny.hang_up(code)
        assert has_no_traceback(told.wait_down(said))
        told.wait_up(2)


def test_a_frozen_broker_is_noticed_by_pings() -> None:
    with TinyBroker(Habits()) as tiny, story(tiny.url) as told:
        told.wait_up()
        tiny.habits.answers_pings = False
        began = time.monotonic()
        told.wait_down()
        assert time.monotonic() - began < 2.5 * QUICK.keepalive_s + 5
        until(lambda: tiny.seen.closed == 1, "the socket is really closed")
        told.wait_up(2)


def test_silence_is_noticed_even_when_pings_are_rare() -> None:
    timing = replace(QUICK, keepalive_s=60, silent_s=0.8)
    with TinyBroker(Habits()) as tiny, story(tiny.url, timing=timing) as told:
        told.wait_up()
        told.wait_down("diam 0.8 s")
        told.wait_up(2)


def test_a_half_open_line_is_noticed_while_we_keep_sending(tmp_path: Path) -> None:
    with (
        iotcore_broker(tmp_path) as broker,
        cut_line(broker.port) as wire,
        story(f"mqtt://127.0.0.1:{wire.port}") as told,
    ):
        told.wait_up()
        wire.freeze()
        began = time.monotonic()
        until(lambda: told.downs or (told.session.publish(TOPIC, b"x" * 100) and False), "down")
        assert time.monotonic() - began < QUICK.silent_s + 2


@contextmanager
def cut_line(port: int) -> Iterator[Wire]:
    wire = Wire(("127.0.0.1", port))
    try:
        yield wire
    finally:
        wire.stop()


def test_after_a_lost_connection_everything_is_built_anew(tmp_path: Path) -> None:
    with iotcore_broker(tmp_path) as broker, story(broker.url, subscriptions=[TOPIC]) as told:
        told.wait_up()
        assert told.code() == 0
        broker.kill()
        told.wait_down()
        assert told.session.publish(TOPIC, b"lost") is None
        assert not told.session.is_up
        broker.start()
        told.wait_up(2)
        assert told.code(payload=b"again") == 0
        until(lambda: (TOPIC, b"again") in told.messages, "the subscription was renewed")
        assert told.ups == sorted(set(told.ups))
        assert (TOPIC, b"lost") not in told.messages


def test_waits_grow_to_the_longest_and_differ_from_post_to_post() -> None:
    def waits(seed: int) -> list[float]:
        session = Session(
            SessionConfig("mqtt://h", "x"),
            on_up=print, on_down=print, on_message=print, chance=random.Random(seed),
        )  # fmt: skip
        return [session._wait_s(failures) for failures in range(8)]

    assert waits(1) == waits(1) != waits(2)
    assert all(1.0 <= wait_s <= 15.0 for seed in range(50) for wait_s in waits(seed))
    assert min(waits(3)[4:]) > max(waits(3)[:2])


# --- what must never end the loop ------------------------------------------------------------------------------------


def test_callbacks_that_fail_do_not_end_the_session() -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with TinyBroker(Habits(suback=0x87)) as tiny, story(tiny.url, on_up=fail, subscriptions=[TOPIC]) as told:
        until(lambda: told.session.is_up)
        told.session.on_published = fail
        told.session.on_fault = fail
        for _ in range(3):
            assert until(lambda: told.session.publish(TOPIC, b"x"))
        until(lambda: tiny.seen.publishes == 3)
        time.sleep(2 * QUICK.keepalive_s)
        assert told.session.is_up and tiny.seen.connections == 1


def test_a_message_handler_that_fails_hears_the_next_message(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def hear(_: str, payload: bytes) -> None:
        heard.append(payload)
        raise RuntimeError("a fault of ours")

    with iotcore_broker(tmp_path) as broker, story(broker.url, on_message=hear, subscriptions=[TOPIC]) as told:
        told.wait_up()
        for payload in (b"1", b"2"):
            told.code(payload=payload)
        until(lambda: heard == [b"1", b"2"])


# --- the window and the reason codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "window"), [(None, 20), (5, 5), (1, 1), (200, 20)])
def test_the_brokers_window_is_told_and_capped(given: int | None, window: int) -> None:
    with TinyBroker(Habits(receive_maximum=given)) as tiny, story(tiny.url) as told:
        told.wait_up()
        assert told.session.window == window


@pytest.mark.parametrize("code", [0x00, 0x10, 0x87, 0x97])
def test_reason_codes_of_publishes_are_passed_on(code: int) -> None:
    with TinyBroker(Habits(puback=code)) as tiny, story(tiny.url) as told:
        assert told.code() == code


def test_a_publish_without_acknowledgement_is_not_reported() -> None:
    with TinyBroker(Habits()) as tiny, story(tiny.url) as told:
        told.wait_up()
        assert told.session.publish(TOPIC, b"x", qos=0) is not None
        until(lambda: tiny.seen.publishes == 1)
        told.code()
        assert len(told.published) == 1


def test_a_denied_subscription_is_a_fault() -> None:
    with TinyBroker(Habits(suback=0x87)) as tiny, story(tiny.url, subscriptions=[TOPIC]) as told:
        until(lambda: told.faults)
        assert told.faults == [
            f"broker menolak langganan {TOPIC}: kode 0x87; periksa ACL di broker"
            f" (subscribing to {TOPIC} was denied: code 0x87; check the broker's ACL)"
        ]
        assert told.session.is_up


def test_tcp_nodelay_is_set() -> None:
    with TinyBroker(Habits()) as tiny, story(tiny.url) as told:
        told.wait_up()
        assert told.session._connection is not None
        wire = told.session._connection._client.socket()
        assert wire is not None and wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # type: ignore[attr-defined]


# --- will and farewell -----------------------------------------------------------------------------------------------


def last_word(number: int) -> Message:
    return Message(TOPIC, f"will {number}".encode(), 1, True)


def test_each_connection_leaves_a_will_of_its_own(tmp_path: Path) -> None:
    timing = replace(QUICK, will_delay_s=0)
    with (
        iotcore_broker(tmp_path) as broker,
        cut_line(broker.port) as wire,
        story(broker.url, client_id="watcher", subscriptions=[TOPIC]) as watcher,
        story(f"mqtt://127.0.0.1:{wire.port}", timing=timing, will=last_word) as told,
    ):
        for times in (1, 2):
            told.wait_up(times)
            watcher.wait_up()
            wire.cut()
            will = f"will {told.ups[-1]}".encode()
            until(lambda will=will: (TOPIC, will) in watcher.messages, f"{will!r}")  # type: ignore[misc]
            wire.heal()


@pytest.mark.parametrize("kind", ["iotcore", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def test_a_will_waits_for_its_delay(tmp_path: Path, kind: str) -> None:
    """A broker that follows the standard delays no will of a session that ends with its connection."""
    timing = replace(QUICK, will_delay_s=2, shortest_wait_s=30, longest_wait_s=30)
    make = iotcore_broker if kind == "iotcore" else mosquitto_broker
    with (
        make(tmp_path) as broker,
        cut_line(broker.port) as wire,
        story(broker.url, client_id="watcher", subscriptions=[TOPIC]) as watcher,
        story(f"mqtt://127.0.0.1:{wire.port}", timing=timing, will=last_word) as told,
    ):
        told.wait_up()
        watcher.wait_up()
        wire.cut()
        began = time.monotonic()
        until(lambda: watcher.messages)
        assert time.monotonic() - began > 1.5


def test_a_clean_stop_says_farewell_and_leaves_no_will(tmp_path: Path) -> None:
    timing = replace(QUICK, will_delay_s=0)
    with iotcore_broker(tmp_path) as broker, story(broker.url, client_id="watcher", subscriptions=[TOPIC]) as watcher:
        watcher.wait_up()
        with story(broker.url, timing=timing, will=last_word) as told:
            told.wait_up()
            told.session.stop(Message(TOPIC, b"farewell", 1, True))
        until(lambda: watcher.messages)
        watcher.code(payload=b"later")
        until(lambda: (TOPIC, b"later") in watcher.messages)
        assert watcher.messages == [(TOPIC, b"farewell"), (TOPIC, b"later")]


def test_stopping_is_quick_whatever_the_broker_does() -> None:
    for habits in (Habits(says_hello=False), Habits(puback_after_s=None)):
        with TinyBroker(habits) as tiny, story(tiny.url) as told:
            until(lambda: tiny.seen.connects)
            if habits.says_hello:
                told.wait_up()
            began = time.monotonic()
            told.session.stop(Message(TOPIC, b"farewell"))
            assert time.monotonic() - began < QUICK.farewell_s + 2
            assert not told.session._thread.is_alive()


def test_a_session_that_never_started_stops() -> None:
    Session(SessionConfig("mqtt://h", "x"), on_up=print, on_down=print, on_message=print).stop()


# --- mosquitto: users, TLS, rights -----------------------------------------------------------------------------------


@pytest.mark.mosquitto
def test_a_wrong_password_is_one_clear_line_and_a_corrected_file_needs_no_restart(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path, users={"pos-1": "benar"}) as broker:
        secret = password_file(tmp_path, "salah")
        with story(broker.url, config={"username": "pos-1", "password_file": secret}) as told:
            why = told.wait_down()
            assert has_no_traceback(why) and "username" in why and "password_file" in why
            assert "salah" not in why and not told.ups
            secret.unlink()
            assert "password_file" in told.wait_down("cannot be read")
            secret.write_text("benar\n")
            told.wait_up()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def tls_files(folder: Path, authority: trustme.CA, ask_client: bool = False) -> Tls:
    issued = authority.issue_cert("localhost", "127.0.0.1")
    files = Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", ask_client)
    authority.cert_pem.write_to_path(files.ca)
    files.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files.key)
    return files


@pytest.mark.mosquitto
def test_tls_with_our_own_ca(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    with mosquitto_broker(tmp_path, tls=tls) as broker, story(broker.url, config={"ca": tls.ca}) as told:
        told.wait_up()
        assert told.code() in (0x00, 0x10)
        big = b"x" * 300_000
        assert told.code(payload=big) in (0x00, 0x10)


@pytest.mark.mosquitto
def test_an_unknown_ca_is_one_clear_line(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    with mosquitto_broker(tmp_path, tls=tls) as broker:
        for config in ({"ca": stranger}, {}):
            with story(broker.url, config=config) as told:
                assert has_no_traceback(told.wait_down("certificate not trusted"))
                assert not told.ups


@pytest.mark.mosquitto
def test_a_certificate_for_another_host_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    issued = authority.issue_cert("broker.example")
    tls.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(tls.key)
    with mosquitto_broker(tmp_path, tls=tls) as broker, story(broker.url, config={"ca": tls.ca}) as told:
        told.wait_down("certificate not trusted")
        assert not told.ups


@pytest.mark.mosquitto
def test_a_broker_that_wants_our_certificate_gets_it(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority, ask_client=True)
    own = authority.issue_cert("pos-1")
    cert, key = tmp_path / "own.pem", tmp_path / "own.key"
    cert.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    own.private_key_pem.write_to_path(key)
    with mosquitto_broker(tmp_path, tls=tls) as broker:
        with story(broker.url, config={"ca": tls.ca, "cert": cert, "key": key}) as told:
            told.wait_up()
        with story(broker.url, config={"ca": tls.ca}) as told:
            assert has_no_traceback(told.wait_down())
            assert not told.ups


@pytest.mark.parametrize("name", ["ca", "cert"])
def test_a_file_that_is_missing_or_nonsense_is_named(tmp_path: Path, name: str) -> None:
    nonsense = tmp_path / "nonsense.pem"
    for text in (None, "bukan pem"):
        if text is not None:
            nonsense.write_text(text)
        with story("mqtts://127.0.0.1:1", config={name: nonsense}) as told:
            why = told.wait_down(str(nonsense))
            assert has_no_traceback(why) and why.startswith(name)


@pytest.mark.mosquitto
def test_plain_talk_to_a_tls_port_and_tls_to_a_plain_one_are_clear_lines(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    with mosquitto_broker(tmp_path, tls=tls) as broker, story(f"mqtt://127.0.0.1:{broker.port}") as told:
        assert has_no_traceback(told.wait_down())
    config = {"ca": tls.ca}
    with mosquitto_broker(tmp_path) as broker, story(f"mqtts://127.0.0.1:{broker.port}", config=config) as told:
        assert has_no_traceback(told.wait_down("mqtt atau mqtts"))


@pytest.mark.mosquitto
def test_mosquitto_says_when_nobody_subscribes_and_when_it_denies(tmp_path: Path) -> None:
    acl = "topic readwrite kentongan/v1/35/09/14/2005/pos-1/#\n"
    with mosquitto_broker(tmp_path, acl=acl) as broker, story(broker.url) as told:
        assert told.session.publish is not None
        assert told.code() == 0x10
        assert told.code(TOPIC.replace("pos-1", "pos-2")) == 0x87
        with story(broker.url, client_id="reader", subscriptions=[Subscription(TOPIC, 1)]) as reader:
            reader.wait_up()
            until(lambda: told.code() == 0x00, "somebody subscribes now")


@pytest.mark.mosquitto
@pytest.mark.soak
def test_a_frozen_broker_is_noticed_within_thirty_seconds(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path) as broker, story(broker.url, timing=SessionTiming()) as told:
        told.wait_up()
        broker.freeze()
        took_s = _time_until_down(broker, told)
        print(f"measured: frozen broker noticed after {took_s:.1f} s")
        assert took_s <= 30.0


def _time_until_down(broker: Mosquitto, told: Story) -> float:
    began = time.monotonic()
    try:
        until(lambda: told.downs, within_s=60)
        return time.monotonic() - began
    finally:
        broker.thaw()


def test_our_tls_is_at_least_1_2() -> None:
    context = SessionConfig("mqtts://h", "x").tls_context()
    assert context is not None and context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
