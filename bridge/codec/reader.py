"""What a mesh packet says: a stock node's press, a head's lines, another post's answers."""

from bridge.codec.line import Heard, LineCodec, is_a_heads
from bridge.codec.stock import StockCodec
from bridge.domain.events import Event, HeadCalled, LampsHeard, PressHeard
from bridge.domain.head import HeadCall
from bridge.domain.press import MeshPacket, Port, Sighting


class Reader:
    """Both codecs behind one door. Never raises."""

    def __init__(self, stock: StockCodec, lines: LineCodec) -> None:
        self._stock, self._lines = stock, lines

    def read(self, packet: MeshPacket, mono_s: float) -> tuple[Event, ...]:
        """The events in a packet whose last byte came in at `mono_s`; none in what is no press."""
        text = _text(packet)
        if text is not None and _is_lines(text):
            if packet.is_reaction or not self._stock.may_speak(packet):
                return ()
            return tuple(_event(said, mono_s) for said in self._lines.read(text, _heard(packet)))
        press = self._stock.read(packet)
        return () if press is None else (PressHeard(press, mono_s),)


def _is_lines(text: str) -> bool:
    return is_a_heads(text) or text.startswith("\nP1 ")


def _text(packet: MeshPacket) -> str | None:
    if packet.port != Port.TEXT_MESSAGE:
        return None
    try:
        return packet.payload.decode("ascii")
    except UnicodeDecodeError:
        return None  # a head writes ASCII; a splice, or people's words


def _heard(packet: MeshPacket) -> Heard:
    channel = packet.channel
    return Heard(
        route=packet.radio,
        channel="" if channel is None else channel.name,
        is_open=channel is not None and not channel.is_private,
        sighting=Sighting(packet.radio, packet.snr_db, packet.rssi_dbm, packet.hops, packet.heard_at),
    )


def _event(said: HeadCall | LampsHeard, mono_s: float) -> Event:
    return HeadCalled(said, mono_s) if isinstance(said, HeadCall) else said
