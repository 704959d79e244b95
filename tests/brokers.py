"""Real brokers as processes on free loopback ports: iotcore for quick tests, Debian's mosquitto otherwise."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cli.demo_parts import BROKER
from tests.patience import Patience

START_S = 10.0
SBIN = "/usr/sbin:/sbin:/usr/bin"

IOTCORE_PROGRAM = "import sys, json; from iotcore._serve import main; main()"


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files. `ask_client`: the broker wants a certificate of the same CA from its clients."""

    ca: Path
    cert: Path
    key: Path
    ask_client: bool = False


class Process:
    """A broker that is really killed, frozen and started again on its port."""

    def __init__(self, command: list[str], port: int, log: Path, scheme: str = "mqtt", host: str = "127.0.0.1") -> None:
        self._command, self.port, self.log = command, port, log
        self.url = f"{scheme}://{host}:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it accepts connections."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        patience = Patience(START_S)
        while not self._answers():
            if self._process.poll() is not None or not patience.left_s():
                self.kill()
                raise RuntimeError(f"broker did not start: {self.log.read_text(errors='replace')[-800:]}")
            time.sleep(0.01)

    def kill(self) -> None:
        """kill -9."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def freeze(self) -> None:
        """It holds its sockets and does nothing more: what a half-open link looks like."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
            return True
        return False


class Mosquitto(Process):
    """Debian's broker."""


class Iotcore(Process):
    """rumqttd in a wheel: memory only, no rights."""


AnyBroker = TypeVar("AnyBroker", bound=Process)


@contextlib.contextmanager
def iotcore_broker(tmp_path: Path, port: int | None = None) -> Iterator[Iotcore]:
    """Speaks MQTT 5; says Success also when nobody subscribes."""
    port = port or free_port()
    config = tmp_path / f"iotcore-{port}.toml"
    config.write_text(BROKER.format(port=port))
    options = f'{{"config_path": "{config}"}}'
    broker = Iotcore([sys.executable, "-P", "-c", IOTCORE_PROGRAM, options], port, tmp_path / f"iotcore-{port}.log")
    yield from _running(broker)


@contextlib.contextmanager
def mosquitto_broker(
    tmp_path: Path,
    *,
    acl: str = "",
    users: Mapping[str, str] | None = None,
    tls: Tls | None = None,
    more: str = "",
    port: int | None = None,
) -> Iterator[Mosquitto]:
    """Default persistence in `tmp_path`. `acl` is the text of an ACL file, `users` name → password (then no guests)."""
    port = port or free_port()
    folder = tmp_path / f"mosquitto-{port}"
    folder.mkdir(exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(_mosquitto_config(folder, port, acl, users, tls, more))
    program = shutil.which("mosquitto", path=SBIN)
    assert program is not None, "Debian's mosquitto is not installed: apt-get install mosquitto"
    scheme, host = ("mqtts", "localhost") if tls else ("mqtt", "127.0.0.1")
    broker = Mosquitto([program, "-c", str(config)], port, folder / "log", scheme, host)
    yield from _running(broker)


def _mosquitto_config(
    folder: Path, port: int, acl: str, users: Mapping[str, str] | None, tls: Tls | None, more: str
) -> str:
    lines = [
        f"listener {port} 127.0.0.1",
        f"allow_anonymous {'false' if users else 'true'}",
        "user root",
        "set_tcp_nodelay true",
        "persistence true",
        f"persistence_location {folder}/",
    ]
    if acl:
        (folder / "acl").write_text(acl)
        lines.append(f"acl_file {folder / 'acl'}")
    if users:
        passwords = folder / "passwords"
        passwords.touch()
        for name, password in users.items():
            subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, password], check=True, capture_output=True)
        lines.append(f"password_file {passwords}")
    if tls:
        lines += [f"cafile {tls.ca}", f"certfile {tls.cert}", f"keyfile {tls.key}"]
        lines.append(f"require_certificate {'true' if tls.ask_client else 'false'}")
    return "\n".join([*lines, more, ""])


def _running(broker: AnyBroker) -> Iterator[AnyBroker]:
    broker.start()
    try:
        yield broker
    finally:
        broker.thaw()
        broker.kill()
