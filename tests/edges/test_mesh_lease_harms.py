"""A radio that is lent: what a tool may make of it, and that it costs no call whatever the tool does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from meshtastic.protobuf import admin_pb2, mesh_pb2

from bridge.control import ControlSocket
from bridge.domain.events import PressHeard, RadioUp
from bridge.edges import mesh_radio_lease
from bridge.edges.mesh_radio import BETWEEN_HANDSHAKES_S, MeshRadio
from bridge.edges.mesh_radio_lease import HELD_MAX, MeshLoan
from bridge.edges.stream import Frame
from bridge.lease import LONGEST_S, _span, _Talk
from bridge.wire import Wire
from tests.edges.listening import Inbox, RealClock, plainly, understand
from tests.edges.mesh_frames import PINNED, PORTS, frame, packet
from tests.edges.radio_post import QUICK
from tests.edges.scripted import OWN, ScriptedNode
from tests.patience import until

ALICE = next(iter(PINNED))
PATIENT = replace(QUICK, silence_s=120.0, handshake_s=120.0)


@contextmanager
def lent(node: ScriptedNode) -> Iterator[tuple[MeshLoan, Inbox]]:
    inbox = Inbox()
    radio = MeshRadio(node.url, name="gw1", clock=RealClock(), interpret=understand, compose=plainly, timing=PATIENT)
    radio.start(inbox.put)
    try:
        inbox.until(RadioUp)
        loan = radio.lend()
        yield loan, inbox
        loan.close()
    finally:
        radio.stop()


def ask(number: int) -> bytes:
    return mesh_pb2.ToRadio(want_config_id=number).SerializeToString()


def order(port: int = PORTS.ADMIN_APP, to: int = OWN, payload: bytes = b"", **fields: object) -> bytes:
    data = mesh_pb2.Data(portnum=port, payload=payload)
    sent = mesh_pb2.MeshPacket(to=to, id=77, decoded=data, **fields)
    return mesh_pb2.ToRadio(packet=sent).SerializeToString()


def admin(**fields: object) -> bytes:
    return admin_pb2.AdminMessage(**fields).SerializeToString()


def test_a_call_does_not_wait_for_a_handshake_that_a_tool_began() -> None:
    with ScriptedNode() as node, lent(node) as (loan, inbox):
        node.answers = False  # a slow radio: the handshake stands open
        loan.give(ask(4711))
        until(lambda: 4711 in node.client.wants, "the tool's handshake has begun")
        node.send(frame(packet(ALICE, 1, b"tolong")))
        assert inbox.until(PressHeard).press.words == "tolong"
        assert loan.ended == "", "and it was heard before anything else happened"


def test_a_tool_that_asks_again_and_again_leaves_the_radio_time_to_tell() -> None:
    """Firmware hands out no packet in the middle of a handshake: one that never ends would be a deaf post."""
    with ScriptedNode() as node, lent(node) as (loan, inbox):
        before, began = len(node.client.wants), time.monotonic()
        for number in range(1, 31):
            loan.give(ask(number))
            node.send(frame(packet(ALICE, number, f"tolong {number}".encode())))
            inbox.until(PressHeard, lambda event, said=f"tolong {number}": event.press.words == said)
        until(lambda: 30 in node.client.wants, "the last one is asked")
        asked, took_s = len(node.client.wants) - before, time.monotonic() - began
        assert asked <= took_s / BETWEEN_HANDSHAKES_S + 1


@pytest.mark.parametrize(
    "message",
    [
        order(PORTS.TEXT_MESSAGE_APP, ALICE, b"P1 00000000=D"),
        order(PORTS.PRIVATE_APP, ALICE, b"P1 00000000=D"),
        order(PORTS.ALERT_APP, ALICE, b"P1 00000000=D"),
        order(PORTS.ROUTING_APP, ALICE, b"\x18\x00"),
        order(payload=admin(shutdown_seconds=1)),
        order(payload=admin(factory_reset_device=1)),
        order(payload=admin(factory_reset_config=1)),
        order(payload=admin(enter_dfu_mode_request=True)),
        order(payload=admin(nodedb_reset=1)),
        order(payload=admin(set_ignored_node=ALICE)),
        order(payload=admin(remove_by_nodenum=ALICE)),
        order(payload=admin(set_ham_mode=admin_pb2.HamParameters(call_sign="YB1"))),
        order(payload=b"\xff"),
        mesh_pb2.ToRadio(disconnect=True).SerializeToString(),
        ask(69420),
    ],
)
def test_a_tool_cannot_speak_for_the_post_nor_put_its_radio_out(message: bytes) -> None:
    with ScriptedNode() as node, lent(node) as (loan, _):
        assert loan.give(message)
        assert loan.give(order(payload=admin(get_owner_request=True))) == ""
        until(lambda: len(node.client.others) > 0, "the question that may pass")
        assert [sent.decoded.payload for sent in node.client.others] == [admin(get_owner_request=True)]
        assert node.client.texts == [] and not node.client.said_goodbye and len(node.client.wants) == 1


def test_a_tools_packet_does_not_overtake_an_answer() -> None:
    with ScriptedNode() as node, lent(node) as (loan, _):
        loan.give(order(to=ALICE, payload=admin(get_owner_request=True), priority=mesh_pb2.MeshPacket.Priority.MAX))
        until(lambda: len(node.client.others) > 0, "it has passed")
        assert node.client.others[0].priority == mesh_pb2.MeshPacket.Priority.UNSET


def test_a_loud_tool_leaves_half_of_the_wire_to_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(mesh_radio_lease.time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(mesh_radio_lease.time, "sleep", waited.append)
    sent: list[bytes] = []
    loan = MeshLoan(OWN, lambda octets: sent.append(octets) or "", lambda _: None, lambda _: None)
    for _ in range(100):
        loan.give(order(payload=admin(get_owner_request=True)))
    assert waited[-1] >= sum(map(len, sent[:-1])) / 5_800 > 0
    loan.close()


@pytest.mark.parametrize("for_s", [10**400, -5, 0, "x", None, True, float("inf"), float("nan")])
def test_a_lease_is_asked_for_any_time_and_given_for_a_sound_one(for_s: object) -> None:
    assert 1.0 <= _span(for_s) <= LONGEST_S


def test_a_fault_of_ours_shows_nothing_of_what_a_tool_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(question: dict[str, object], _wire: Wire) -> None:
        secret = str(question["key"])
        raise ZeroDivisionError(secret)

    control = ControlSocket(tmp_path / "c", {}, talks={"lease": fail})
    control.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "c"))
        client.sendall(b'{"ask": "lease", "key": "geheim-1234"}\n')
        assert client.recv(100) == b""
    control.stop()
    shown = "".join(capfd.readouterr())
    assert "ZeroDivisionError" in shown and "geheim" not in shown


def test_a_tool_that_takes_its_messages_slowly_does_not_keep_the_radio() -> None:
    loan = MeshLoan(OWN, lambda _: "", lambda _: None, lambda _: None)
    for _ in range(HELD_MAX):
        loan.hear(Frame(b"x" * 500, True))
    ours, theirs = socket.socketpair()
    ended: list[str] = []
    with ours, theirs:
        talk = threading.Thread(target=lambda: ended.append(_Talk(loan, Wire(ours, 60.0), 1.0).run()))
        talk.start()
        taken = 0
        while talk.is_alive() and taken < HELD_MAX * 500:
            taken += len(theirs.recv(4096))
            talk.join(0.05)
    assert ended == ["the time is over"] and taken < HELD_MAX * 500
    loan.close()
