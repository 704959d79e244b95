"""A desk that runs: database, key, broker and thread put together, until a signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from bridge.domain.errors import BridgeError, ConfigError
from desk.config import DeskConfig, load_key, plan, write
from desk.run import Desk
from desk.store import Store
from mqtt.contract import Leaf, desk_filter
from mqtt.session import Session, SessionConfig, Subscription
from mqtt.signature import Signer

log = structlog.get_logger()

HEARD = (Leaf.ALARM, Leaf.ANSWER, Leaf.HELLO, Leaf.STATUS)
WATCH_S = 1.0


class Service:
    """Raises ConfigError or StoreFailed while it is made; afterwards everything to be expected is only logged."""

    def __init__(self, config: DeskConfig) -> None:
        signer = load_key(config)
        self.store = Store(config.database_url, config.desk.id)
        self.store.open()
        self.desk = Desk(self.store, signer)
        self.session = Session(
            session_config(config),
            on_up=self.desk.came_up,
            on_down=lambda why: log.warning("broker away", why=why),
            on_message=self.desk.hear,
            on_fault=lambda why: log.error("broker denies", why=why),
            subscriptions=[Subscription(desk_filter(leaf), leaf.qos) for leaf in HEARD],
        )
        self.desk.voice = self.session

    def start(self) -> None:
        self.desk.start()
        self.session.start()
        log.info("desk runs", desk=self.store.desk, database=self.store.database, commit=self.store.mark().commit)

    def stop(self) -> None:
        """The group in hand is finished and receipted; then the connection ends."""
        self.desk.stop()
        self.session.stop()
        self.store.close()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises BridgeError when the desk's thread has died."""
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        self.start()
        while not stopping.wait(WATCH_S):
            if not self.desk.is_alive:
                raise BridgeError("the desk's thread has ended; see the log, then start it again")
        self.stop()
        log.info("desk stopped")


def found(folder: Path, url: str, name: str, database: str = "") -> tuple[DeskConfig, Signer]:
    """Make a new desk: database first, then key and desk.toml. Raises ConfigError or StoreFailed; then none is made."""
    config = plan(folder, url, name, database)
    session_config(config)
    store = Store(config.database_url, config.desk.id)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # calls for help are nobody else's business
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}") from error
    store.open()
    store.close()
    return config, write(config)


@contextmanager
def opened(config: DeskConfig) -> Iterator[Store]:
    """The database, for a command beside (or without) the running desk. Raises StoreFailed."""
    store = Store(config.database_url, config.desk.id)
    try:
        store.open()
        with store.plainly():
            yield store
    finally:
        store.close()


def session_config(config: DeskConfig) -> SessionConfig:
    """How this desk reaches its broker. Raises ConfigError."""
    mqtt = config.mqtt
    return SessionConfig(
        url=mqtt.url,
        client_id=f"kentongan-{config.desk.id}",
        username=mqtt.username,
        password_file=config.path(mqtt.password_file),
        ca=config.path(mqtt.ca),
        cert=config.path(mqtt.cert),
        key=config.path(mqtt.key),
    )
