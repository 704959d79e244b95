"""How to reach a broker, and plain sentences for why it cannot be reached. Indonesian first, English beside it."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bridge.domain.errors import ConfigError
from mqtt.contract import CONNECT_TIMEOUT_S, KEEPALIVE_S, WILL_DELAY_S

WINDOW = 20  # publishes without PUBACK; a broker may allow less, more gains little and delays live alarms
NO_SUBSCRIBER = 0x10
FAILURE = 0x80
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """`retained`: whether the retained messages are wanted at once. Plain topic strings are taken as QoS 0."""

    topic: str
    qos: int = 0
    retained: bool = True


@dataclass(frozen=True, slots=True)
class SessionTiming:
    """Shrunk by tests. `silent_s`: no byte from the broker for so long, though pinged, means half-open."""

    keepalive_s: int = KEEPALIVE_S
    connect_s: float = CONNECT_TIMEOUT_S
    silent_s: float = 25.0
    shortest_wait_s: float = 1.0
    longest_wait_s: float = 15.0
    steady_s: float = 10.0  # a connection that lived so long was no failure: waits begin anew
    will_delay_s: int = WILL_DELAY_S
    farewell_s: float = 3.0


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """`url`: mqtt://host[:port] or mqtts://…; `ca`: the only CA that is believed. Raises ConfigError."""

    url: str
    client_id: str
    username: str = ""
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0
        except ValueError:
            usable = None
        if not usable:
            raise ConfigError(
                f"{self.url!r} is not a broker: write mqtt://host:1883 or mqtts://host:8883",
                f"{self.url!r} bukan broker: tulis mqtt://host:1883 atau mqtts://host:8883",
            )

    @property
    def is_tls(self) -> bool:
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    def password(self) -> str | None:
        """Read anew for every connection, so that a corrected file needs no restart. Raises ConfigError."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(_unreadable("password_file", self.password_file, error)) from error

    def tls_context(self) -> "TlsContext | None":
        """None for plain TCP. Raises ConfigError naming the file that is wrong."""
        if not self.is_tls:
            return None
        context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
        try:
            context.load_verify_locations(self.ca) if self.ca else context.load_default_certs()
        except OSError as error:  # SSLError is one
            raise ConfigError(_unreadable("ca", self.ca, error)) from error
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key)
            except OSError as error:
                raise ConfigError(_unreadable("cert/key", self.cert, error)) from error
        return context


class TlsContext(ssl.SSLContext):
    """Remembers the socket that it wrapped: paho leaves it open when the handshake fails."""

    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        self.wrapped = super().wrap_socket(*args, **kwargs)
        return self.wrapped


def is_delivered(code: int) -> bool:
    """Whether a PUBACK's reason code means that somebody was there to be given it."""
    return code < FAILURE and code != NO_SUBSCRIBER


def why_refused(place: str, code: int, name: str) -> str:
    """A CONNACK or DISCONNECT that says no."""
    match code:
        case 0x86:
            return (
                f"broker {place} menolak nama atau kata sandi: periksa username dan password_file"
                " (bad user name or password: check username and password_file)"
            )
        case 0x87:
            return (
                f"broker {place} tidak mengizinkan kami: periksa username, password_file, cert dan hak di broker"
                " (not authorized: check username, password_file, cert and the rights at the broker)"
            )
        case 0x85:
            return f"broker {place} menolak client id kami (client identifier not valid)"
        case 0x8E:
            return (
                f"broker {place} memutus: ada program lain dengan client id yang sama; matikan salah satu"
                " (session taken over: another program has the same client id; stop one of the two)"
            )
        case 0x88 | 0x89 | 0x8B | 0x97 | 0x9F:
            return f"broker {place} sedang sibuk atau berhenti: dicoba lagi ({name.lower()})"
        case _:
            return f"broker {place} menolak: kode 0x{code:02x} ({name.lower()})"


def why_undelivered(topic: str, code: int) -> str:
    """A PUBACK that is no delivery."""
    if code == NO_SUBSCRIBER:
        return (
            "meja polisi tidak mendengarkan di broker: alarm disimpan, dicoba lagi"
            " (the desk does not subscribe at the broker: alarms are kept and tried again)"
        )
    return (
        f"broker menolak pesan ke {topic}: kode 0x{code:02x}; periksa ACL di broker"
        f" (publishing to {topic} was denied: code 0x{code:02x}; check the broker's ACL)"
    )


def why_unsubscribed(topic: str, code: int) -> str:
    return (
        f"broker menolak langganan {topic}: kode 0x{code:02x}; periksa ACL di broker"
        f" (subscribing to {topic} was denied: code 0x{code:02x}; check the broker's ACL)"
    )


def why_unreachable(place: str, error: OSError) -> str:
    """What the socket or TLS complained of."""
    match error:
        case ssl.SSLCertVerificationError():
            said = error.verify_message
            return (
                f"sertifikat broker {place} tidak dipercaya: periksa ca dan jam"
                f" (certificate not trusted: check ca and the clock: {said})"
            )
        case ssl.SSLError():
            said = (error.reason or str(error)).replace("_", " ").lower()
            return (
                f"TLS dengan broker {place} gagal: periksa url, ca, cert dan key"
                f" (TLS failed: check url, ca, cert and key: {said})"
            )
        case ConnectionRefusedError():
            return f"tidak ada broker di {place}: periksa url dan broker (connection refused: check url and broker)"
        case ConnectionResetError() | BrokenPipeError():
            return (
                f"broker {place} memutus saat menyambung: periksa url (mqtt atau mqtts) dan port"
                " (connection reset: check the url, mqtt or mqtts, and the port)"
            )
        case socket.gaierror():
            return (
                f"nama broker {place} tidak ditemukan: periksa internet dan url"
                " (name not found: check the internet and the url)"
            )
        case TimeoutError():
            return f"broker {place} tidak menjawab: periksa internet (no answer: check the internet)"
    return f"broker {place} tidak tercapai: periksa internet ({error.strerror or error})"


def _unreadable(what: str, path: Path | None, error: Exception) -> str:
    match error:
        case ssl.SSLError():
            said = "not a PEM file, or the key does not fit"
        case OSError():
            said = error.strerror or str(error)
        case _:
            said = "not text"
    name = f"{what} {path or ''}"
    return f"{name} tidak dapat dibaca: periksa isi dan haknya ({name} cannot be read: {said})"
