"""What stands in a packet, a channel and a handshake, in the domain's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meshtastic.protobuf import channel_pb2, mesh_pb2

from bridge.domain.press import Channel, ChannelKey
from bridge.edges import mesh_radio_packets as packets
from tests.edges.mesh_frames import GATEWAY, PINNED, packet, pki_text
from tests.edges.replay import Recording, names

ALICE = next(iter(PINNED))
DEFAULT = bytes.fromhex("d4f1bb3a20290759f0bcffabcf4e6901")
STATION = packets.Station(own=GATEWAY, channels={1: Channel(1, "SiagaDesa", ChannelKey.PRIVATE)})


@pytest.mark.parametrize("psk", [b"", b"\x00", b"\x01", b"\x09", b"\xff", DEFAULT, DEFAULT[:-1] + b"\x0a"])
def test_a_key_that_everybody_knows_is_public(psk: bytes) -> None:
    assert packets.key(psk) is ChannelKey.PUBLIC


@pytest.mark.parametrize("psk", [bytes(range(16)), bytes(range(32)), DEFAULT + bytes(16), b"\x02" + DEFAULT[1:]])
def test_any_other_key_is_private(psk: bytes) -> None:
    assert packets.key(psk) is ChannelKey.PRIVATE


def station(*told: channel_pb2.Channel) -> packets.Station:
    made = packets.Station()
    for channel in told:
        made = made.learn(mesh_pb2.FromRadio(channel=channel))
    return made


def channel_of(index: int, psk: bytes, role: str = "SECONDARY") -> channel_pb2.Channel:
    settings = channel_pb2.ChannelSettings(name=f"c{index}", psk=psk)
    return channel_pb2.Channel(index=index, settings=settings, role=channel_pb2.Channel.Role.Value(role))


@pytest.mark.parametrize(("primary", "is_private"), [(bytes(range(32)), True), (b"\x01", False), (b"", False)])
def test_a_secondary_channel_without_a_key_has_the_primarys(primary: bytes, is_private: bool) -> None:
    """Firmware seals it with that key; it is as secret as the first one is, no more and no less."""
    told = station(channel_of(0, primary, "PRIMARY"), channel_of(1, b""), channel_of(2, b"\x00"))
    assert [told.channel(index).is_private for index in (0, 1, 2)] == [is_private, is_private, False]


def heard(body: bytes) -> packets.MeshPacket:
    return packets.mesh_packet(packets.parse(body).packet, STATION, "gw1", 1_795_520_000.5)


def test_a_text_on_a_channel() -> None:
    found = heard(packet(ALICE, 7, b"tolong", hop_limit=1))
    assert (found.sender, found.packet_id, found.payload, found.port) == (ALICE, 7, b"tolong", 1)
    assert (found.channel, found.pki_key, found.is_direct) == (STATION.channels[1], b"", False)
    assert (found.snr_db, found.rssi_dbm, found.hops) == (6.25, -80, 2)
    assert (found.heard_at, found.radio) == (1_795_520_000.5, "gw1")


def test_a_proof_is_a_key_that_the_radio_itself_checked() -> None:
    proven = heard(pki_text(ALICE, 7, b"tolong"))
    assert (proven.channel, proven.pki_key, proven.is_direct, proven.want_ack) == (None, PINNED[ALICE], True, True)
    claimed = heard(packet(ALICE, 7, b"tolong", public_key=PINNED[ALICE]))
    assert (claimed.channel, claimed.pki_key) == (STATION.channels[1], b"")


def test_what_the_sender_did_not_say_is_not_known() -> None:
    plain = heard(packet(ALICE, 7, b"tolong", hop_start=0, hop_limit=3, rx_snr=0, rx_rssi=0))
    assert (plain.hops, plain.snr_db, plain.rssi_dbm) == (None, None, None)
    assert heard(packet(ALICE, 7, b"tolong", hop_start=2, hop_limit=3)).hops is None


def test_a_reaction_says_what_it_reacts_to() -> None:
    message = mesh_pb2.FromRadio.FromString(packet(ALICE, 7, "👍".encode()))
    message.packet.decoded.emoji, message.packet.decoded.reply_id = 1, 6
    found = heard(message.SerializeToString())
    assert (found.is_reaction, found.reply_id) == (True, 6)


def test_firmwares_own_frames_are_sound_to_the_last_byte() -> None:
    """What the reader asks in doubt must never refuse what a real radio wrote."""
    bodies = [
        octets[4:] for name in names() for line, octets in Recording.load(name).pieces() if line["kind"] != "text"
    ]
    assert len(bodies) > 1_500
    assert [body for body in bodies if not packets.is_sound(body)] == []


@given(st.integers(1, 70), st.binary(min_size=1, max_size=8))
def test_a_sound_body_grown_or_repeated_is_not_sound(at: int, odd: bytes) -> None:
    body = packet(ALICE, 7, b"TOLONG maling di RT 03!")
    assert packets.is_sound(body)
    assert not packets.is_sound(body + body)
    changed = body[:at] + odd + body[at:]
    if packets.is_sound(changed):  # then it is another message, whole and in order, not an accident of parsing
        assert packets.parse(changed).SerializeToString() == changed


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_raise_a_frame_error(body: bytes) -> None:
    try:
        message = packets.parse(body)
    except packets.FrameError:
        return
    STATION.learn(message)
    packets.acknowledgement(message.packet)
    packets.airtime(message.packet)


def test_the_number_of_a_wish_for_everything_is_never_one_for_a_part() -> None:
    class Walk(packets.Numbers):
        def next(self) -> int:
            return next(walk)

    walk = iter((69420, 69421, 5))
    assert Walk().next_want() == 5
