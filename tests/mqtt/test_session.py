"""The session alone: found again after every fault, and a clear line for each."""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain.errors import ConfigError
from mqtt.session import Message, Session, SessionConfig
from simulator.wire import Wire
from tests.brokers import free_port, iotcore_broker, mosquitto_broker
from tests.mqtt.people import QUICK
from tests.mqtt.sessions import TOPIC, has_no_traceback, story
from tests.mqtt.tiny_broker import Habits, TinyBroker
from tests.patience import until

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
