"""Listens at the broker to everything and notes when each press was first seen on which topic."""

import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

_PRESS = re.compile(rb"node:[0-9a-f]{8}/[0-9a-f]{8}")


class Ear:
    """`seen[leaf][press id]` is a monotonic nanosecond; a leaf is a topic's last level (alarm, receipt, plain).

    Presses are found by their ids in the bytes as they come, so that listening costs little and the same for both.
    """

    def __init__(self, port: int) -> None:
        self.seen: dict[str, dict[str, int]] = defaultdict(dict)
        self.publishes: dict[str, int] = defaultdict(int)
        self.unsafe = 0
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.on_socket_open = _at_once
        self._client.connect("127.0.0.1", port, keepalive=600)
        self._client.loop_start()
        self._ready.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def count(self, leaf: str, presses: Iterable[str]) -> int:
        """How many of these presses were seen there."""
        seen = self.seen[leaf]
        return sum(press in seen for press in presses)

    def _connected(self, client: Client, *_: Any) -> None:
        client.subscribe("#", options=SubscribeOptions(qos=0))

    def _heard(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        at = time.monotonic_ns()
        leaf = message.topic.rpartition("/")[2]
        seen = self.seen[leaf]
        for press in set(_PRESS.findall(message.payload)):
            seen.setdefault(press.decode(), at)
        self.publishes[leaf] += 1
        if leaf == "alarm":
            self.unsafe += message.payload.count(b'unsafe\\":true')


def _at_once(_client: Client, _userdata: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
