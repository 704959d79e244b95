"""What a mesh packet says: a stock node's press, a head's lines, another post's answers."""

from bridge.codec.line import Heard, LineCodec, is_a_heads
from bridge.codec.stock import StockCodec, is_a_posts
from bridge.domain.events import Event, HeadCalled, LampsHeard, PressHeard
from bridge.domain.head import HeadCall
from bridge.domain.press import MeshPacket, Port, Sighting


class Reader:
    """Both codecs behind one door. Never raises."""

    def __init__(self, stock: StockCodec, lines: LineCodec) -> None:
        self._stock, self._lines = stock, lines

    def read(self, packet: MeshPacket, mono_s: float) -> tuple[Event, ...]:
        """The events in a packet whose last byte came in at `mono_s`; none in what is no press."""
        if packet.port == Port.TEXT_MESSAGE:
            text = packet.payload.decode(errors="replace")  # noise beside a whole line does not spoil the line
            if is_a_posts(text):
                return tuple(said for said in self._said(packet, text) if isinstance(said, LampsHeard))
            if is_a_heads(text):
                return tuple(_event(said, mono_s) for said in self._said(packet, text))
        press = self._stock.read(packet)
        return () if press is None else (PressHeard(press, mono_s),)

    def _said(self, packet: MeshPacket, text: str) -> tuple[HeadCall | LampsHeard, ...]:
        if packet.is_reaction or not self._stock.may_speak(packet):
            return ()
        return self._lines.read(text, _heard(packet))


def _heard(packet: MeshPacket) -> Heard:
    """A direct message may come from any node in the world: it proves no more than an open channel."""
    channel = None if packet.pki_key else packet.channel
    return Heard(
        route=packet.radio,
        channel="" if channel is None else channel.name,
        is_open=channel is None or not channel.is_private,
        sighting=Sighting(packet.radio, packet.snr_db, packet.rssi_dbm, packet.hops, packet.heard_at),
    )


def _event(said: HeadCall | LampsHeard, mono_s: float) -> Event:
    return HeadCalled(said, mono_s) if isinstance(said, HeadCall) else said
