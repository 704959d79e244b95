"""Presses of stock nodes and phones: alert, bell, detection sensor, keywords. What is no press reads as None."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from bridge.codec.keywords import Vocabulary, load_vocabulary
from bridge.domain.ids import node_source, packet_press
from bridge.domain.press import Channel, Kind, MeshPacket, Port, Press, Remark, Sighting, Via

BELL = "\x07"
WORDS_BYTES = 240  # no mesh text is longer

NOTHING: Mapping[str, Kind] = MappingProxyType({})

_ANSWER = re.compile(r"\s*P1(?=\s|$)")  # what posts say: never a press, or posts would echo each other
_DETECTED = re.compile(r"\bdetected\s*$", re.IGNORECASE)
_NO_REMARKS: frozenset[Remark] = frozenset()
_TALK = frozenset({Remark.PERHAPS_TALK})
_CLAIMED = frozenset({Remark.PLACE_CLAIMED})


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Whose words count. No `names`: every private channel. A public one must be named, and allowed besides."""

    names: frozenset[str] = frozenset()
    allow_public: bool = False

    def allows(self, channel: Channel) -> bool:
        if not channel.is_private and not self.allow_public:
            return False
        return channel.name in self.names if self.names else channel.is_private

    def trouble(self, channels: Iterable[Channel]) -> str:
        """Why calls are not heard although the radio is well, in one line; '' when there is nothing to say."""
        on_radio = tuple(channels)
        heard = {channel.name for channel in on_radio if self.allows(channel)}
        known = ", ".join(channel.name or '""' for channel in on_radio)
        if deaf := sorted(self.names - heard - {channel.name for channel in on_radio}):
            names = ", ".join(deaf)
            return f"[radio] channels: {names} tidak ada di radio ({names} not on the radio; it has: {known})"
        if deaf := sorted(self.names - heard):
            names = ", ".join(deaf)
            return f"kanal {names} berkunci umum, tidak didengar ({names}: the key is public, it is not heard)"
        if not heard:
            return (
                f"radio tanpa kanal pribadi, tidak ada yang didengar; kanalnya: {known}"
                f" (the radio has no private channel, nobody is heard; it has: {known})"
            )
        return ""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one payload says."""

    kind: Kind
    via: Via
    text: str
    remarks: frozenset[Remark] = _NO_REMARKS


class StockCodec:
    """Reads packets of stock nodes. Holds no state: the same packet is the same press at every post.

    `sensors` and `texts`: what the names of the village's Detection Sensors and its canned texts mean, by `plainly`.
    """

    def __init__(
        self,
        allowed: ChannelRule,
        vocabulary: Vocabulary | None = None,
        sensors: Mapping[str, Kind] = NOTHING,
        texts: Mapping[str, Kind] = NOTHING,
    ) -> None:
        self._allowed, self._sensors, self._texts = allowed, sensors, texts
        self._vocabulary = vocabulary or default_vocabulary()

    def read(self, packet: MeshPacket) -> Press | None:
        """The press in a packet, or None. Never raises, whatever the payload holds."""
        if packet.is_reaction or not self.may_speak(packet):
            return None
        said = self._said(packet)
        if said is None:
            return None
        channel = packet.channel
        open_to_all = channel is not None and not channel.is_private and not packet.pki_key
        return Press(
            id=packet_press(packet.sender, packet.packet_id),
            source=node_source(packet.sender),
            kind=said.kind,
            via=said.via,
            words=as_heard(said.text),
            channel="" if channel is None or packet.pki_key else channel.name,
            pki_key=packet.pki_key,
            is_open=open_to_all,
            # On a channel that anybody can join, the sender's number only claims a place.
            remarks=said.remarks | _CLAIMED if open_to_all else said.remarks,
            sighting=Sighting(packet.radio, packet.snr_db, packet.rssi_dbm, packet.hops, packet.heard_at),
        )

    def may_speak(self, packet: MeshPacket) -> bool:
        """Whether words on this packet's channel count here."""
        if packet.pki_key:
            return True
        return packet.channel is not None and self._allowed.allows(packet.channel)

    def _said(self, packet: MeshPacket) -> _Said | None:
        match packet.port:
            case Port.TEXT_MESSAGE:
                return self._text(packet.payload)
            case Port.ALERT:
                text = packet.payload.decode(errors="replace")
                return _Said(self._kind(text), Via.ALERT, text)
            case Port.DETECTION_SENSOR:
                # A name cut in the middle of a letter is still a name: the firmware cuts at 20 bytes.
                text = packet.payload.decode(errors="replace")
                name, found, _ = _DETECTED.sub("\n", text.replace(BELL, "")).partition("\n")
                kind = self._sensors.get(plainly(name), Kind.PANIC)
                return _Said(kind, Via.DETECTION, text) if found else None
            case _:
                return None

    def _text(self, payload: bytes) -> _Said | None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return None  # two texts spliced by the stream look like this
        if is_a_posts(text):
            return None
        if (canned := self._texts.get(plainly(text))) is not None:
            return _Said(canned, Via.TEXT, text)
        if BELL in text:
            return _Said(self._kind(text), Via.BELL, text)
        reading = self._vocabulary.read(text)
        if reading is None:
            return None
        return _Said(reading.kind, Via.TEXT, text, _TALK if reading.is_talk else _NO_REMARKS)

    def _kind(self, text: str) -> Kind:
        """An alert or a bell is a call for help whatever it says."""
        return self._vocabulary.kind_anywhere(text) or Kind.PANIC


def is_a_posts(text: str) -> bool:
    """Whether a post says this: to heads, to strikers or to the village."""
    return _ANSWER.match(text) is not None


def plainly(text: str) -> str:
    """A name or a canned text as it is compared: small letters, single spaces, no bell."""
    return " ".join(text.replace(BELL, " ").casefold().split())


@cache
def default_vocabulary() -> Vocabulary:
    """The words that come with the program, read once."""
    return load_vocabulary()


def as_heard(text: str) -> str:
    """The words as heard, safe to show: what cannot be printed is a space, and nothing is longer than a mesh text."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
    return cut(text.strip(), WORDS_BYTES)


def cut(text: str, size: int) -> str:
    """At most `size` bytes of UTF-8, cut between characters."""
    raw = text.encode()
    return text if len(raw) <= size else raw[:size].decode(errors="ignore")
