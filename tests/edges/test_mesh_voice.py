"""What a radio is asked to say: paced, bounded, and every ticket with one true fate."""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from meshtastic.protobuf import mesh_pb2

from bridge.domain.commands import Announce, Tell
from bridge.domain.errors import FrameError
from bridge.domain.events import PressHeard, RadioDown, RadioUp, TextDelivered, TextFailed, TextSent
from bridge.domain.press import BROADCAST
from bridge.domain.step import Step
from bridge.edges.mesh_radio_packets import Numbers, text
from bridge.edges.mesh_timing import Timing
from simulator.village import Village
from tests.edges.listening import Inbox
from tests.edges.mesh_frames import PORTS, frame, packet
from tests.edges.radio_post import ALICE, QUICK, Post, dm, post
from tests.edges.scripted import OWN, ScriptedNode, queue_status
from tests.patience import until

BOB = ALICE + 1
ERROR = mesh_pb2.Routing.Error


def routing(sender: int, request_id: int, error: int = ERROR.NONE) -> bytes:
    payload = mesh_pb2.Routing(error_reason=error).SerializeToString() or b"\x18\x00"
    return frame(packet(sender, 0x7000_0000 + error, payload, PORTS.ROUTING_APP, to=OWN, request_id=request_id))


def fates(inbox: Inbox) -> list[TextSent | TextDelivered | TextFailed]:
    return [event for event in inbox.all() if isinstance(event, TextSent | TextDelivered | TextFailed)]


def settled(here: Post, node: ScriptedNode, last: str = "selesai") -> list[TextSent | TextDelivered | TextFailed]:
    """The fates once everything sent so far was read."""
    node.send(frame(packet(BOB, int(time.monotonic_ns() % 2**32) or 1, last.encode())))
    here.inbox.until(PressHeard, lambda event: event.press.words == last)
    return fates(here.inbox)


def spoken(node: ScriptedNode, count: int) -> list[mesh_pb2.MeshPacket]:
    node.client.wait(lambda: len(node.client.texts) >= count)
    return node.client.texts[:count]


@pytest.fixture
def node() -> Iterator[ScriptedNode]:
    with ScriptedNode() as made:
        yield made


@pytest.fixture
def here(node: ScriptedNode) -> Iterator[Post]:
    with post(node.url) as listening:
        listening.inbox.until(RadioUp)
        yield listening


def test_what_stands_in_a_text(here: Post, node: ScriptedNode) -> None:
    here.radio.say(dm(1, ALICE, "pos menerima ✓"))
    here.radio.say(Announce(2, "SiagaRT", text="semua"))
    here.radio.say(dm(3, ALICE, "tanpa kanal", channel=""))
    direct, loud, plain = spoken(node, 3)
    assert (direct.to, direct.channel, direct.want_ack, direct.hop_limit) == (ALICE, 1, True, 3)
    assert direct.decoded == mesh_pb2.Data(portnum=PORTS.TEXT_MESSAGE_APP, payload="pos menerima ✓".encode())
    assert (loud.to, loud.channel, loud.want_ack) == (BROADCAST, 0, True)
    assert (plain.to, plain.channel) == (ALICE, 0)
    assert len({0, direct.id, loud.id, plain.id}) == 4


def test_only_the_destination_can_acknowledge(here: Post, node: ScriptedNode) -> None:
    here.radio.say(dm(1))
    number = spoken(node, 1)[0].id
    node.send(queue_status(number) + routing(OWN, number) + routing(BOB, number) + routing(ALICE, number + 1))
    assert settled(here, node) == [TextSent(1)]
    node.send(routing(ALICE, number) * 2)
    assert settled(here, node, "lagi") == [TextSent(1), TextDelivered(1)]


@pytest.mark.parametrize(
    ("sender", "error"), [(OWN, "MAX_RETRANSMIT"), (ALICE, "NO_CHANNEL"), (OWN, "RATE_LIMIT_EXCEEDED")]
)
def test_a_nak_of_our_radio_or_of_the_destination_is_a_failure(
    here: Post, node: ScriptedNode, sender: int, error: str
) -> None:
    here.radio.say(dm(1))
    number = spoken(node, 1)[0].id
    node.send(queue_status(number) + routing(BOB, number, ERROR.NO_ROUTE) + routing(sender, number, ERROR.Value(error)))
    assert settled(here, node) == [TextSent(1), TextFailed(1, error)]


def test_a_broadcast_is_delivered_when_somebody_relayed_it(here: Post, node: ScriptedNode) -> None:
    here.radio.say(Announce(1, "SiagaDesa", text="semua"))
    number = spoken(node, 1)[0].id
    node.send(queue_status(number) + routing(BOB, number))
    assert settled(here, node) == [TextSent(1)]
    node.send(routing(OWN, number))
    assert settled(here, node, "lagi") == [TextSent(1), TextDelivered(1)]


def test_what_the_radio_refuses_or_never_takes_has_failed(here: Post, node: ScriptedNode) -> None:
    here.radio.say(dm(1))
    node.send(queue_status(spoken(node, 1)[0].id, res=32))
    assert here.inbox.until(TextFailed) == TextFailed(1, "radio menolak teks, kode 32")
    here.radio.say(dm(2))
    assert here.inbox.until(TextFailed) == TextFailed(2, "radio tidak menjawab")
    assert fates(here.inbox) == [TextFailed(1, "radio menolak teks, kode 32"), TextFailed(2, "radio tidak menjawab")]


def test_texts_are_paced() -> None:
    assert Timing().text_gap_s >= 2.0
    with ScriptedNode() as node, post(node.url, replace(QUICK, text_gap_s=0.2)) as here:
        here.inbox.until(RadioUp)
        came = []
        for ticket in range(1, 5):
            here.radio.say(dm(ticket))
        for count in range(1, 5):
            spoken(node, count)
            came.append(time.monotonic())
        assert min(later - earlier for earlier, later in itertools.pairwise(came)) > 0.15


def test_a_full_radio_is_waited_for(here: Post, node: ScriptedNode) -> None:
    node.send(queue_status(free=0))
    until(lambda: here.radio.picture()["queue_free"] == 0, "the radio is full")
    node.answers = False  # its heartbeats would tell of room
    here.radio.say(dm(1))
    beats = node.client.heartbeats
    node.client.wait(lambda: node.client.heartbeats >= beats + 3)
    assert node.client.texts == []
    node.send(queue_status(free=3))
    spoken(node, 1)


def test_a_full_queue_is_told_and_nobody_waits() -> None:
    with ScriptedNode() as node, post(node.url, replace(QUICK, text_gap_s=30.0)) as here:
        here.inbox.until(RadioUp)
        here.radio.say(dm(0))
        spoken(node, 1)
        began = time.monotonic()
        for ticket in range(1, 101):
            here.radio.say(dm(ticket))
        assert time.monotonic() - began < 0.5
        assert here.radio.picture()["waiting"] == 64
        full = [fate for fate in fates(here.inbox) if fate.ticket > 0]
        assert full == [TextFailed(ticket, "antrean radio penuh") for ticket in range(65, 101)]
        node.hang_up()
        here.inbox.until(TextFailed, lambda fate: fate.ticket == 64)
        lost = [fate for fate in fates(here.inbox) if fate.why == "radio tidak tersambung"]
        assert sorted(fate.ticket for fate in lost) == [*range(65)]


def test_without_a_radio_a_text_fails_at_once(here: Post, node: ScriptedNode) -> None:
    node.hang_up()
    here.inbox.until(RadioDown)
    node.answers = False
    here.radio.say(dm(1))
    assert here.inbox.until(TextFailed) == TextFailed(1, "radio tidak tersambung")


def test_an_acknowledgement_may_come_over_the_next_connection(here: Post, node: ScriptedNode) -> None:
    here.radio.say(dm(1))
    number = spoken(node, 1)[0].id
    node.send(queue_status(number))
    here.inbox.until(TextSent)
    node.hang_up()
    here.inbox.until(RadioDown)
    here.inbox.until(RadioUp)
    node.send(routing(ALICE, number))
    here.inbox.until(TextDelivered)
    assert fates(here.inbox) == [TextSent(1), TextDelivered(1)]


def test_a_channel_that_the_radio_does_not_have(here: Post, node: ScriptedNode) -> None:
    here.radio.say(Tell(1, ALICE, "Lain", Step.JOURNALED, text="halo"))
    assert "Lain" in here.inbox.until(TextFailed).why


def test_a_sentence_that_cannot_be_made_silences_nobody() -> None:
    def compose(words: Tell | Announce) -> str:
        return f"{100 // len(words.text)}" if len(words.text) < 9 else words.text

    with ScriptedNode() as node, post(node.url, compose=compose) as here:
        here.inbox.until(RadioUp)
        here.radio.say(dm(1, text=""))
        here.radio.say(dm(2, text="x" * 600))
        here.radio.say(dm(3, text="halo"))
        assert spoken(node, 1)[0].decoded.payload == b"25"
        assert {fate.ticket for fate in fates(here.inbox)} >= {1, 2}


def test_a_radio_that_takes_no_bytes_does_not_block_who_speaks() -> None:
    with ScriptedNode() as node, post(node.url, replace(QUICK, write_s=0.2, text_gap_s=0.0)) as here:
        here.inbox.until(RadioUp)
        began = time.monotonic()
        for ticket in range(50):
            here.radio.say(dm(ticket, text="x" * 200))
        assert time.monotonic() - began < 0.5


def test_many_may_speak_at_once(here: Post, node: ScriptedNode) -> None:
    threads = [threading.Thread(target=here.radio.say, args=(dm(ticket),)) for ticket in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({text.id for text in spoken(node, 8)}) == 8


def test_numbers_do_not_return() -> None:
    numbers = Numbers()
    assert len({numbers.next() for _ in range(100_000)} - {0}) == 100_000
    assert max(Numbers().next() for _ in range(50)) > 2**31 > min(Numbers().next() for _ in range(50))


def test_a_text_too_long_for_a_frame_is_refused_here() -> None:
    with pytest.raises(FrameError):
        text("x" * 600, to=ALICE, channel=0, packet_id=1, hops=3)


def test_two_texts_at_the_real_pace_both_arrive() -> None:
    """Firmware drops a text less than 2 s after the last and says nothing: the simulated node does the same."""
    with Village(seed=5) as village:
        gateway, houses = village.gateway("gw"), [village.house("h1"), village.house("h2")]
        with post(gateway.serve_tcp(), replace(QUICK, text_gap_s=Timing().text_gap_s, taken_s=10.0)) as here:
            here.inbox.until(RadioUp)
            for ticket, house in enumerate(houses):
                here.radio.say(dm(ticket, house.num, f"halo {house.name}"))
            for house in houses:
                house.wait_for(lambda received, house=house: received.text == f"halo {house.name}", 10)
            until(lambda: len([f for f in fates(here.inbox) if isinstance(f, TextDelivered)]) == 2, "acknowledged")
            assert not [fate for fate in fates(here.inbox) if isinstance(fate, TextFailed)]
