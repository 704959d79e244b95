"""The yardstick: what most people would write. The meshtastic library's interface, paho at QoS 1, no journal.

`python -m benchmarks.plain NODE_PORT BROKER_PORT`; each text becomes one message on the topic `plain`.
"""

import json
import sys
import threading
from typing import Any

from meshtastic.tcp_interface import TCPInterface
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from pubsub import pub

TOPIC = "plain"


def main(node_port: int, broker_port: int) -> None:
    """Until killed."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker_port, keepalive=10)
    client.loop_start()

    def relay(packet: dict[str, Any], interface: object) -> None:
        press = f"node:{packet['from']:08x}/{packet['id']:08x}"
        told = {
            "press": press,
            "text": packet["decoded"]["text"],
            "snr": packet.get("rxSnr"),
            "at": packet.get("rxTime"),
        }
        client.publish(TOPIC, json.dumps(told), qos=1)

    pub.subscribe(relay, "meshtastic.receive.text")
    TCPInterface("127.0.0.1", portNumber=node_port)
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
