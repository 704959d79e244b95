"""The one paho session, used by both ends: lost and found again, with a client of its own for every connection."""

import contextlib
import itertools
import queue
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTErrorCode, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.domain.errors import ConfigError
from mqtt.broker import (
    WINDOW,
    Message,
    SessionConfig,
    SessionTiming,
    Subscription,
    why_refused,
    why_unreachable,
    why_unsubscribed,
)

__all__ = ["Message", "Session", "SessionConfig", "SessionTiming", "Subscription"]

log = structlog.get_logger()

TURN_S = 1.0
_MID_BITS = 16


class Session:
    """Keeps one connection to a broker alive; `number` counts attempts and names the connection.

    Callbacks come on the life cycle thread and must return soon: `on_up(number)` after CONNACK (the subscriptions are
    already on their way), `on_down(why)` after every lost connection and every failed attempt, `on_message(topic,
    payload)`, `on_published(token, reason code)` for each PUBACK, `on_fault(why)` for a denied subscription.
    """

    def __init__(
        self,
        config: SessionConfig,
        *,
        on_up: Callable[[int], object],
        on_down: Callable[[str], object],
        on_message: Callable[[str, bytes], object],
        on_published: Callable[[int, int], object] | None = None,
        on_fault: Callable[[str], object] | None = None,
        subscriptions: Iterable[Subscription | str] = (),
        will: Callable[[int], Message] | None = None,
        timing: SessionTiming | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.config = config
        self.timing = timing or SessionTiming()
        self.subscriptions = tuple(Subscription(s) if isinstance(s, str) else s for s in subscriptions)
        self.will, self.on_up, self.on_message = will, on_up, on_message
        self.on_published = on_published or _ignore
        self.on_fault = on_fault or _ignore
        self._on_down = on_down
        self._chance = chance or random.Random()
        self._connection: _Connection | None = None
        self._was_up = False
        self._stopping = threading.Event()
        self._acked: queue.SimpleQueue[int] | None = None  # kept while a farewell waits for its PUBACK
        self._thread = threading.Thread(target=self._live, name=f"mqtt-{config.place}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, farewell: Message | None = None) -> None:
        """Says `farewell` (waiting shortly for its PUBACK) and DISCONNECT; from any thread but the callbacks'."""
        if farewell is not None and not self._stopping.is_set():
            self._say_farewell(farewell)
        self._stopping.set()
        if (connection := self._connection) is not None:
            connection.wake()
        if self._thread.ident is not None:
            self._thread.join(self.timing.farewell_s)

    @property
    def is_up(self) -> bool:
        return self._connection is not None

    @property
    def window(self) -> int:
        """How many publishes of QoS 1 the broker lets us have without PUBACK; the caller must obey, paho does not."""
        connection = self._connection
        return connection.window if connection is not None else WINDOW

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> int | None:
        """A token that `on_published` will name (it may come before this returns), or None when not connected."""
        connection = self._connection
        return connection.publish(Message(topic, payload, qos, retain)) if connection is not None else None

    def renew(self, why: str) -> None:
        """Drop the connection, if there is one, and build a new one."""
        if (connection := self._connection) is not None:
            connection.renounce(why)

    # --- the life cycle thread ----------------------------------------------------------------------------------

    def _live(self) -> None:
        failures = 0
        for number in itertools.count(1):
            if self._stopping.is_set():
                return
            began = time.monotonic()
            why = self._connect_once(number)
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began >= self.timing.steady_s and self._was_up else failures
            self.guard(self._on_down, why)
            self._stopping.wait(self._wait_s(failures))
            failures += 1

    def _connect_once(self, number: int) -> str:
        """One connection from birth to grave; why it ended."""
        self._was_up = False
        connection = None
        try:
            connection = _Connection(self, number)
            connection.run(self._stopping)
            return connection.why
        except ConfigError as error:
            return str(error)
        except OSError as error:
            return why_unreachable(self.config.place, error)
        except Exception as error:  # the top of this thread: a client that broke is built anew
            log.exception("mqtt client failed", broker=self.config.place)
            return f"broker {self.config.place}: kesalahan dalam program ({error})"
        finally:
            self._connection = None
            if connection is not None:
                connection.close()

    def _wait_s(self, failures: int) -> float:
        """1, 2, 4, 8, 15 s, each up to a quarter shorter or longer: posts must not come back all at once."""
        shortest, longest = self.timing.shortest_wait_s, self.timing.longest_wait_s
        wait_s = min(longest, shortest * 2 ** min(failures, 10)) * self._chance.uniform(0.75, 1.25)
        return min(max(wait_s, shortest), longest)

    # --- what a connection tells --------------------------------------------------------------------------------

    def is_connected(self, connection: "_Connection") -> None:
        self._connection, self._was_up = connection, True
        log.info("broker connected", broker=self.config.place, number=connection.number, window=connection.window)
        self.guard(self.on_up, connection.number)

    def is_published(self, token: int, code: int) -> None:
        if (acked := self._acked) is not None:
            acked.put(token)
        self.guard(self.on_published, token, code)

    def guard(self, callback: Callable[..., object], *args: Any) -> None:
        """An exception in a callback would end paho's loop while it still claims to be connected."""
        try:
            callback(*args)
        except Exception:
            log.exception("mqtt callback failed", callback=getattr(callback, "__name__", str(callback)))

    def _say_farewell(self, farewell: Message) -> None:
        self._acked = queue.SimpleQueue()
        connection = self._connection
        token = connection.publish(farewell) if connection is not None else None
        deadline = time.monotonic() + self.timing.farewell_s / 2
        with contextlib.suppress(queue.Empty):
            while token is not None and self._acked.get(timeout=max(0.0, deadline - time.monotonic())) != token:
                pass  # another publish's


class _Connection:
    """One paho client from CONNECT to the closed socket, turned by the life cycle thread; never used twice."""

    def __init__(self, session: Session, number: int) -> None:
        self.number, self.window = number, WINDOW
        self.why = f"broker {session.config.place} memutus sambungan (connection lost)"
        self._session, self._timing = session, session.timing
        self._is_up = self._is_reading = self._is_renounced = False
        self._silent_s = session.timing.silent_s
        self._subscribed: dict[int, tuple[Subscription, ...]] = {}
        self._socket: Any = None
        self._tls = session.config.tls_context()
        self._client = self._build(session.config)
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    def _build(self, config: SessionConfig) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            config.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = self._timing.connect_s
        if config.username:
            client.username_pw_set(config.username, config.password())
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._session.will is not None:
            self._leave_will(client, self._session.will(self.number))
        client.on_socket_open = self._when_open
        # Having this callback keeps paho from writing on the publisher's thread beside ours.
        client.on_socket_register_write = _ignore
        client.on_connect = self._when_answered
        client.on_disconnect = self._when_lost
        client.on_subscribe = self._when_subscribed
        client.on_message = self._when_message
        client.on_publish = self._when_published
        return client

    def _leave_will(self, client: Client, will: Message) -> None:
        properties = Properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = self._timing.will_delay_s
        client.will_set(will.topic, will.payload, will.qos, will.retain, properties)

    # --- turning ------------------------------------------------------------------------------------------------

    def run(self, stopping: threading.Event) -> None:
        """Until lost, silent or told to stop. Raises OSError when nothing answers at all."""
        self._connect()
        answer_due = self._heard_at = time.monotonic()
        answer_due += self._timing.connect_s
        while self._client.socket() is not None and not self._is_renounced:
            if stopping.is_set():
                self._take_leave()
                return
            self._turn()
            now = time.monotonic()
            if not self._is_up and now >= answer_due:
                raise TimeoutError("no CONNACK")
            if self._is_up and now - self._heard_at >= self._silent_s:
                self.why = f"broker {self._session.config.place} diam {self._silent_s:g} s: disambung baru (silent)"
                return

    def _connect(self) -> None:
        config = self._session.config
        properties = Properties(PacketTypes.CONNECT)
        if self._session.will is not None:
            # A session that ends at once would send its will at once (MQTT 5, 3.1.3.2.2). Nothing relies on it.
            properties.SessionExpiryInterval = self._timing.will_delay_s
        self._client.connect(
            config.host, config.port, self._timing.keepalive_s, clean_start=True, properties=properties
        )

    def _turn(self) -> None:
        """Wait for the socket or for a publisher, read, write, ping."""
        wire: Any = self._client.socket()
        has_more = isinstance(wire, ssl.SSLSocket) and wire.pending() > 0
        wants = [wire] if self._client.want_write() else []
        readable, _, _ = select.select([wire, self._woken], wants, [], 0.0 if has_more else self._turn_s())
        if self._woken in readable:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        if wire in readable or has_more:
            self._heard_at = time.monotonic()
            self._is_reading = True
            self._client.loop_read()
            self._is_reading = False
        if self._client.want_write():
            self._client.loop_write()
        if self._is_up:  # before CONNACK paho would give up after one keepalive; a bad link needs longer
            self._client.loop_misc()

    def _turn_s(self) -> float:
        return min(TURN_S, self._timing.connect_s / 4, self._silent_s / 4)

    def _take_leave(self) -> None:
        if not self._is_up:
            return
        self._client.disconnect()
        deadline = time.monotonic() + self._timing.farewell_s / 2
        while self._client.socket() is not None and time.monotonic() < deadline:
            self._turn()

    def close(self) -> None:
        """Without DISCONNECT: the broker then sends our will, unless we took leave."""
        for wire in (self._socket, self._tls.wrapped if self._tls is not None else None):
            if wire is not None:
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)
                wire.close()
        self._woken.close()
        self._waker.close()

    # --- the publisher's thread ---------------------------------------------------------------------------------

    def publish(self, message: Message) -> int | None:
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        self.wake()
        return self._token(info.mid)

    def renounce(self, why: str) -> None:
        self.why, self._is_renounced = why, True
        self.wake()

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake already; closed: nobody to wake
            self._waker.send(b".")

    def _token(self, mid: int) -> int:
        return self.number << _MID_BITS | mid

    # --- paho's callbacks, all on the life cycle thread ---------------------------------------------------------

    def _when_open(self, _client: Client, _userdata: Any, wire: Any) -> None:
        self._socket = wire
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # paho does not; without it 40 ms tails

    def _when_answered(
        self, client: Client, _userdata: Any, _flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self.why = why_refused(self._session.config.place, code.value, str(code))
            return
        self._is_up = True
        self.window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))
        server_keepalive_s = getattr(properties, "ServerKeepAlive", 0)
        if server_keepalive_s > self._timing.keepalive_s:  # paho will ping no more often than this
            self._silent_s = max(self._silent_s, 2.5 * server_keepalive_s)
        self._session.guard(self._subscribe, client)
        self._session.is_connected(self)

    def _subscribe(self, client: Client) -> None:
        wanted = self._session.subscriptions
        if wanted:
            options = [(s.topic, SubscribeOptions(qos=s.qos, retainHandling=0 if s.retained else 2)) for s in wanted]
            _, mid = client.subscribe(options)
            if mid is not None:
                self._subscribed[mid] = wanted

    def _when_subscribed(
        self, _client: Client, _userdata: Any, mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        for wanted, code in zip(self._subscribed.pop(mid, ()), codes, strict=False):
            if code.is_failure:
                self._session.guard(self._session.on_fault, why_unsubscribed(wanted.topic, code.value))

    def _when_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._session.guard(self._session.on_message, topic, bytes(message.payload))

    def _when_published(
        self, _client: Client, _userdata: Any, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._is_reading:  # while writing, paho calls this for QoS 0, which nobody acknowledges
            self._session.is_published(self._token(mid), code.value)

    def _when_lost(
        self, _client: Client, _userdata: Any, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._is_up = False
        if flags.is_disconnect_packet_from_server:
            self.why = why_refused(self._session.config.place, code.value, str(code))


def _ignore(*_: Any) -> None:
    """Nobody asked for this news."""
