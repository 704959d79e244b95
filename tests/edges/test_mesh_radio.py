"""Stories of one radio: found, lost and found again."""

import itertools
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from meshtastic.protobuf import admin_pb2

from bridge.domain.errors import ConfigError
from bridge.domain.events import PressHeard, RadioDown, RadioUp, TextDelivered, TextSent
from bridge.edges.mesh_timing import Timing
from simulator.village import Village
from tests.edges.mesh_frames import PORTS
from tests.edges.radio_post import QUICK, RESTARTED, Post, dm, post
from tests.edges.scripted import OWN, ScriptedNode
from tests.patience import until

# Lost and found again


def test_a_press_and_its_answer(village: Village) -> None:
    gateway, house = village.gateway("gw"), village.house("h1")
    with post(gateway.serve_tcp()) as here:
        up = here.inbox.until(RadioUp)
        assert (up.own, [channel.name for channel in up.channels]) == (gateway.num, ["", "SiagaDesa"])
        before = time.monotonic()
        house.text("tolong maling")
        heard = here.inbox.until(PressHeard)
        assert before <= heard.mono_s <= time.monotonic()
        here.radio.say(dm(7, house.num, "pos menerima"))
        here.inbox.until(TextSent)
        assert here.inbox.until(TextDelivered) == TextDelivered(7)
        assert house.wait_for(lambda received: received.text == "pos menerima", 5).text == "pos menerima"


@pytest.mark.parametrize("how", ["eof", "rst"])
def test_a_broken_connection_is_built_anew(village: Village, how: str) -> None:
    gateway, house = village.gateway("gw"), village.house("h1")
    with post(gateway.serve_tcp()) as here:
        for round_ in range(3):
            here.inbox.until(RadioUp)
            house.text(f"tolong {round_}")
            here.hears(f"tolong {round_}")
            gateway.close_client(how)
            assert here.inbox.until(RadioDown).why
        here.inbox.until(RadioUp)
    assert here.presses() == ["tolong 0", "tolong 1", "tolong 2"]


def test_a_refused_connection_is_told_once_and_tried_on(village: Village) -> None:
    gateway = village.gateway("gw")
    url = gateway.serve_tcp()
    gateway.refuse()
    with post(url) as here:
        down = here.inbox.until(RadioDown)
        assert url.removeprefix("tcp://") in down.why
        until(lambda: here.radio.picture()["tries"] >= 4, "it is tried again")
        assert here.inbox.all() == [down]
        gateway.refuse(False)
        here.inbox.until(RadioUp)


def test_a_half_open_connection_is_seen(village: Village) -> None:
    assert Timing().silence_s + Timing().look_up_s <= 30
    gateway = village.gateway("gw")
    with post(gateway.serve_tcp()) as here:
        here.inbox.until(RadioUp)
        began = time.monotonic()
        gateway.mute()
        assert "diam" in here.inbox.until(RadioDown).why
        assert time.monotonic() - began < QUICK.silence_s + Timing().look_up_s + 1
        gateway.mute(False)
        here.inbox.until(RadioUp)


def test_heartbeats_keep_a_quiet_radio_alive() -> None:
    with ScriptedNode() as node, post(node.url) as here:
        here.inbox.until(RadioUp)
        node.client.wait(lambda: node.client.heartbeats >= 12)  # twice the time of silence that would be death
        assert [type(event) for event in here.inbox.all()] == [RadioUp]
        assert here.radio.picture()["sign_of_life_s"] < QUICK.silence_s


def test_a_radio_that_accepts_and_never_answers() -> None:
    timing = replace(QUICK, handshake_s=0.3)
    with ScriptedNode(answers=False) as node, post(node.url, timing) as here:
        assert "jabat tangan" in here.inbox.until(RadioDown).why
        until(lambda: node.connections >= 3, "it is tried again")
        assert len(here.inbox.all()) == 1


def test_a_reboot_over_tcp(village: Village) -> None:
    gateway, house = village.gateway("gw"), village.house("h1")
    with post(gateway.serve_tcp()) as here:
        here.inbox.until(RadioUp)
        gateway.restart(down_s=0.2)
        here.inbox.until(RadioDown)
        here.inbox.until(RadioUp)
        house.text("tolong")
        here.hears("tolong")


def test_a_reboot_on_the_serial_line(village: Village, tmp_path: Path) -> None:
    gateway, house = village.gateway("gw"), village.house("h1")
    with post(gateway.serve_pty(log_text=True)) as here:
        here.inbox.until(RadioUp)
        gateway.restart()
        assert here.inbox.until(RadioDown).why == RESTARTED
        here.inbox.until(RadioUp)
        house.text("tolong")
        here.hears("tolong")


def test_an_unplugged_radio_comes_back_under_another_port(village: Village, tmp_path: Path) -> None:
    by_id = tmp_path / "usb-RAK_node"
    gateway, house = village.gateway("gw"), village.house("h1")
    gateway.serve_pty(by_id)
    first = by_id.resolve()
    with post(f"serial://{by_id}") as here:
        here.inbox.until(RadioUp)
        gateway.stop_serving()
        here.inbox.until(RadioDown)
        taken = [os.openpty() for _ in range(2)]  # others get the freed number
        gateway.serve_pty(by_id)
        assert by_id.resolve() != first
        here.inbox.until(RadioUp)
        house.text("tolong")
        here.hears("tolong")
        for fd in itertools.chain(*taken):
            os.close(fd)


def test_a_missing_port_is_one_clear_line(tmp_path: Path) -> None:
    with post(f"serial://{tmp_path}/usb-RAK_node") as here:
        why = here.inbox.until(RadioDown).why
        until(lambda: here.radio.picture()["tries"] >= 4, "it is tried again")
        assert len(here.inbox.all()) == 1
    port = f"{tmp_path}/usb-RAK_node"
    assert why == f"tidak ada radio di {port}: periksa kabel USB (no radio at {port}: check the USB cable)"


@pytest.mark.parametrize("url", ["", "gw", "http://gw", "tcp://", "tcp://gw:x", "tcp://gw:0", "serial://dev/ttyUSB0"])
def test_a_url_that_names_no_radio_is_a_mistake(url: str) -> None:
    with pytest.raises(ConfigError, match="serial:///dev/serial/by-id"):
        Post(url)


def test_back_off_grows_to_its_limit_and_starts_over_after_a_handshake() -> None:
    assert Timing().backoff_s == (1.0, 15.0)
    timing = replace(QUICK, handshake_s=0.01, silence_s=30.0, backoff_s=(0.1, 0.4))
    with ScriptedNode(answers=False) as node, post(node.url, timing) as here:
        came = [wait_for_connection(node, number) for number in range(1, 8)]
        waits = [later - earlier for earlier, later in itertools.pairwise(came)]
        assert all(wait >= least for wait, least in zip(waits, [0.1, 0.2, 0.4, 0.4, 0.4, 0.4], strict=True))
        assert min(waits[3:]) < 0.8
        node.answers = True
        here.inbox.until(RadioUp)
        node.answers = False
        node.hang_up()
        again = [wait_for_connection(node, node.connections + number) for number in (0, 1, 2)]
        assert min(later - earlier for earlier, later in itertools.pairwise(again)) < 0.4


def wait_for_connection(node: ScriptedNode, number: int) -> float:
    until(lambda: node.connections >= number, f"connection {number}")
    return time.monotonic()


def test_goodbye_keeps_what_comes_meanwhile(village: Village) -> None:
    """Firmware queues for a client that said disconnect; without it, it would write to a dead socket."""
    gateway, house = village.gateway("gw"), village.house("h1")
    url = gateway.serve_tcp()
    with post(url) as here:
        here.inbox.until(RadioUp)
    for number in range(8):
        house.text(f"tolong {number}")
    until(lambda: gateway.phone.waiting >= 8, "the node keeps them")
    with post(url) as here:
        until(lambda: len(here.presses()) >= 8, "all are handed over")
        assert sorted(here.presses()) == [f"tolong {number}" for number in range(8)]


def test_the_clock_of_the_radio_is_set_only_when_ours_is_trusted(village: Village) -> None:
    trusted: list[bool] = []
    with ScriptedNode() as node, post(node.url, clock_trusted=lambda: bool(trusted)) as here:
        here.inbox.until(RadioUp)
        node.client.wait(lambda: node.client.heartbeats >= 2)
        assert node.client.others == []
        trusted.append(True)
        node.client.wait(lambda: len(node.client.others) == 1)
        order = node.client.others[0]
        admin = admin_pb2.AdminMessage.FromString(order.decoded.payload)
        assert (order.to, order.decoded.portnum) == (OWN, PORTS.ADMIN_APP)
        assert abs(admin.set_time_only - time.time()) < 5
        node.hang_up()
        here.inbox.until(RadioDown)
        here.inbox.until(RadioUp)
        node.client.wait(lambda: len(node.client.others) == 1)


def test_every_handshake_asks_by_another_number() -> None:
    numbers = set()
    with ScriptedNode() as node, post(node.url) as here:
        for _ in range(4):
            here.inbox.until(RadioUp)
            numbers |= set(node.client.wants)
            node.hang_up()
    assert len(numbers) == 4
