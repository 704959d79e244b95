"""A technician's tool has the lease of the radio, and nobody in the village notices."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from meshtastic.protobuf import admin_pb2, channel_pb2, mesh_pb2, portnums_pb2

from bridge import lease
from bridge.domain.commands import Tell
from bridge.domain.events import PressHeard, RadioDown, RadioUp, TextDelivered, TextSent
from bridge.domain.press import BROADCAST
from bridge.domain.step import Step
from bridge.edges import mesh_radio_lease
from firmware_config.device import DeviceLost, apply, open_device
from firmware_config.settings import Setting
from simulator.channels import PUBLIC, Channel
from simulator.node import Node
from simulator.village import Village
from tests.edges.leasing import Tool, lending
from tests.edges.radio_post import Post, post
from tests.firmware_config.device_parts import QUICK as QUICK_DEVICE
from tests.patience import until

ADMIN = portnums_pb2.PortNum.ADMIN_APP
TEXT = portnums_pb2.PortNum.TEXT_MESSAGE_APP


@pytest.fixture
def village() -> Iterator[Village]:
    with Village(seed=11) as made:
        yield made


@pytest.fixture
def gateway(village: Village) -> Node:
    return village.gateway("gw")


@pytest.fixture
def here(gateway: Node) -> Iterator[Post]:
    with post(gateway.serve_tcp()) as listening:
        listening.inbox.until(RadioUp)
        yield listening


@pytest.fixture
def path(here: Post, tmp_path: Path) -> Iterator[Path]:
    with lending(here.radio, tmp_path / "control.sock") as served:
        yield served


def packet(to: int, portnum: int = ADMIN, payload: bytes = b"", **fields: object) -> mesh_pb2.MeshPacket:
    data = mesh_pb2.Data(portnum=portnum, payload=payload)  # type: ignore[arg-type]
    return mesh_pb2.MeshPacket(**({"to": to, "id": 77, "decoded": data, "want_ack": True} | fields))


def test_a_press_in_the_middle_of_a_lease_is_heard_and_answered(
    village: Village, gateway: Node, here: Post, path: Path
) -> None:
    house = village.house("h1")
    with open_device(f"control+unix://{path}") as device:
        assert device.read()["owner.long_name"] == "gw"
        house.text("tolong maling")
        here.hears("tolong maling")
        here.radio.say(Tell(7, house.num, "SiagaDesa", Step.JOURNALED, text="pos menerima"))
        here.inbox.until(TextSent)
        assert here.inbox.until(TextDelivered) == TextDelivered(7)
        assert device.read()["owner.long_name"] == "gw"
    assert house.wait_for(lambda received: received.text == "pos menerima", 5)
    assert not [event for event in here.inbox.all() if isinstance(event, RadioDown)]


def test_a_press_that_comes_with_the_tools_handshake_is_heard_once(
    village: Village, gateway: Node, here: Post, path: Path
) -> None:
    house = village.house("h1")
    with Tool(path) as tool:
        assert tool.lease() == {"leased": True, "for_s": 60}
        for number in range(20):
            tool.send(want_config_id=1_000 + number)
            house.text(f"tolong {number}")
            gateway.wait_for(lambda received, n=number: received.text == f"tolong {n}", 10)
        while tool.told("config_complete_id").config_complete_id != 1_019:
            pass
        until(lambda: len(here.presses()) >= 20, "every press is heard")
    assert here.presses() == [f"tolong {number}" for number in range(20)]


def test_answers_to_the_tool_are_no_events(village: Village, gateway: Node, here: Post, path: Path) -> None:
    house = village.house("h1")
    question = admin_pb2.AdminMessage(get_device_metadata_request=True).SerializeToString()
    with Tool(path) as tool:
        tool.lease()
        tool.send(packet=packet(gateway.num, payload=question, id=5))
        tool.send(packet=packet(house.num, payload=question, id=6, pki_encrypted=True, public_key=house.public_key))
        answered = set()
        while answered != {5, 6}:
            answered.add(tool.told("packet").packet.decoded.request_id)
    assert here.inbox.all() == here.inbox.events[:1], "only the radio's own RadioUp"


def test_one_lease_at_a_time_and_the_next_when_it_ends(here: Post, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SETTLE_S", 0.05)
    with Tool(path) as first, Tool(path) as second:
        assert first.lease()["leased"]
        assert here.radio.picture()["lent"]
        refused = second.lease()
        assert not refused["leased"] and "somebody else" in refused["why"]
        first.say(end=True)
        assert first.line() == {"ended": "the client has finished"}
    with Tool(path) as third:
        until(lambda: not here.radio.picture()["lent"], "taken back")
        assert third.lease()["leased"]
    until(lambda: not here.radio.picture()["lent"], "taken back when the client goes")


NOT_FOR_TOOLS = [
    ({"disconnect": True}, "only packets"),
    ({"want_config_id": 69420}, "only packets"),
    ({"packet": packet(BROADCAST)}, "one node"),
    ({"packet": packet(1, TEXT, b"tolong")}, "ADMIN"),
    ({"packet": packet(1, **{"from": 99})}, "somebody else"),
    ({"packet": packet(1, id=0)}, "needs an id"),
]


def test_what_could_harm_the_post_does_not_pass(gateway: Node, here: Post, path: Path) -> None:
    with Tool(path) as tool:
        tool.lease()
        for message, why in NOT_FOR_TOOLS:
            tool.send(**message)
            assert why in tool.until("refused")
        tool.say(to_radio="not base64!")
        assert tool.until("refused") == "not base64"
        tool.say(hello=1)
        assert "not understood" in tool.until("refused")
        tool.send(heartbeat=mesh_pb2.Heartbeat())
        assert tool.told("queueStatus")
    assert [sent for sent in gateway.sent if sent.to != gateway.num] == []
    assert gateway.has_client


def test_a_lease_ends_with_its_time_unless_it_is_renewed(here: Post, path: Path) -> None:
    with Tool(path) as tool:
        assert tool.lease(for_s=0.1)["for_s"] == 1.0
        tool.say(keep=60)
        tool.send(heartbeat=mesh_pb2.Heartbeat())
        assert tool.told("queueStatus")
        tool.say(keep=1)
        assert tool.until("ended") == "the time is over"
    for odd in ("soon", True, float("nan"), None):
        with Tool(path) as tool:
            assert tool.lease(odd)["for_s"] == 60.0


def test_a_lease_ends_with_the_radio_and_begins_anew_with_it(gateway: Node, here: Post, path: Path) -> None:
    with Tool(path) as tool:
        tool.lease()
        gateway.refuse()
        gateway.close_client("eof")
        assert tool.until("ended")
        here.inbox.until(RadioDown)
    with Tool(path) as tool:
        refused = tool.lease()
        assert (refused["leased"], refused["is_radio_down"]) == (False, True)
    with pytest.raises(DeviceLost):
        open_device(f"control+unix://{path}")
    gateway.refuse(False)
    here.inbox.until(RadioUp)
    with open_device(f"control+unix://{path}") as device:
        assert device.node == gateway.num


def test_a_channel_that_the_tool_made_is_heard_at_once(village: Village, gateway: Node, here: Post, path: Path) -> None:
    new = Channel("Baru", bytes(range(16)))
    house = village.house("h1", channels={0: PUBLIC, 2: new})
    made = channel_pb2.Channel(index=2, role=channel_pb2.Channel.Role.SECONDARY)
    made.settings.name, made.settings.psk = new.name, new.psk
    with Tool(path) as tool:
        tool.lease()
        order = admin_pb2.AdminMessage(set_channel=made)
        tool.send(packet=packet(gateway.num, payload=order.SerializeToString()))
        tool.told("queueStatus")
    up = here.inbox.until(RadioUp, lambda event: len(event.channels) == 3)
    assert "Baru" in [channel.name for channel in up.channels]
    house.text("tolong", channel="Baru")
    assert here.inbox.until(PressHeard).press.channel == "Baru"


def test_a_box_is_set_up_through_its_bridge_and_calls_are_heard_before_and_after(
    village: Village, tmp_path: Path
) -> None:
    gateway, house = village.gateway("gw", reboot_s=0.2), village.house("h1")
    wanted = (
        Setting("owner.long_name", "Pos RT 03"),
        Setting("config.lora.hop_limit", 4),
        Setting("module.detection_sensor.minimum_broadcast_secs", 30),
    )
    with post(gateway.serve_tcp()) as here, lending(here.radio, tmp_path / "s") as path:
        here.inbox.until(RadioUp)
        house.text("sebelum")
        here.hears("sebelum")
        with open_device(f"control+unix://{path}", QUICK_DEVICE) as device:
            report = apply(device, wanted, lambda _progress: None)
            assert (len(report.written), report.left, device.restarts > 0) == (3, (), True)
            house.text("di tengah")
            here.hears("di tengah")
            assert apply(device, wanted, lambda _progress: None).written == ()
        house.text("sesudah")
        here.hears("sesudah")
    assert gateway.kept.config.lora.hop_limit == 4


def test_a_tool_that_does_not_read_loses_the_lease_and_no_press(
    village: Village, gateway: Node, here: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh_radio_lease, "HELD_MAX", 50)
    house, slow = village.house("h1"), tmp_path / "slow.sock"
    with lending(here.radio, slow, patience_s=0.3), Tool(slow) as tool:
        tool.lease()
        for number in range(200):
            tool.send(want_config_id=number + 1)
        until(lambda: not here.radio.picture()["lent"], "the lease is taken back")
        house.text("tolong")
        here.hears("tolong")


def test_nothing_that_passes_is_logged(
    gateway: Node, here: Post, path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Tool(path) as tool:
        tool.lease()
        tool.send(want_config_id=9)
        keys = {tool.told("config").config.security.private_key for _ in range(10)} - {b""}
        assert keys, "the handshake hands out the private key"
        tool.say(end=True)
        tool.until("ended")
    said = "".join(capfd.readouterr())
    assert "radio lent" in said
    for key in keys:
        assert key.hex() not in said and repr(key)[2:-1] not in said


def test_a_post_that_stops_takes_its_radio_back(gateway: Node, tmp_path: Path) -> None:
    before = threading.active_count()
    with post(gateway.serve_tcp()) as here:
        here.inbox.until(RadioUp)
        with lending(here.radio, tmp_path / "s"), Tool(tmp_path / "s") as tool:
            tool.lease()
            here.radio.stop()
            assert "stops" in tool.until("ended")
    gateway.stop_serving()
    until(lambda: threading.active_count() <= before, "no thread is left")
