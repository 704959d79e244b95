"""The ways to a node: a serial port that is numbered anew, a bridge's lease, and the mesh with an admin key."""

import base64
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from meshtastic.protobuf import admin_pb2, mesh_pb2, portnums_pb2

from firmware_config.device import (
    DeviceBusy,
    DeviceError,
    DeviceLost,
    DeviceRefused,
    OnlyAtTheCable,
    Step,
    apply,
    open_device,
    verify,
)
from firmware_config.device_errors import DeviceRestarted
from firmware_config.device_frames import FrameReader, frame
from firmware_config.device_lease import LeaseLink
from firmware_config.device_link import connect, lasting_url
from firmware_config.device_talk import LocalTalk
from firmware_config.settings import Setting
from simulator.air import Air
from simulator.village import Village
from tests.firmware_config.device_parts import ADMIN_KEY, LOSSY, QUICK, RELAY, kept
from tests.firmware_config.lending import Lender
from tests.patience import until


@pytest.fixture
def village():
    with Village(seed=9, air=Air(9, delay_s=0.003, retry_s=0.1)) as running:
        yield running


@pytest.fixture
def node(village):
    return village.factory_new("baru", reboot_s=0.02, down_s=0.01)


def test_an_address_of_no_known_kind():
    with pytest.raises(DeviceError, match="not serial"):
        open_device("http://pos", QUICK)


def test_the_genuine_command_line_reads_what_was_written(node):
    url = node.serve_tcp()
    with open_device(url, QUICK) as device:
        assert apply(device, RELAY).is_right
    words = [sys.executable, "-m", "meshtastic", "--host", url.removeprefix("tcp://"), "--export-config"]
    told = subprocess.run(
        words, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=True
    ).stdout
    lines = {line.strip() for line in told.splitlines()}
    assert lines >= {"owner: Relai Masjid", "owner_short: RM", "region: KR", "modemPreset: MEDIUM_FAST", "txPower: 17"}
    assert lines >= {"role: ROUTER", "rebroadcastMode: LOCAL_ONLY", "name: Tombol RT03", "adcMultiplierOverride: 1.1"}
    assert f"- base64:{base64.b64encode(ADMIN_KEY).decode()}" in lines


# A serial port


@pytest.mark.parametrize("log_text", [False, True], ids=["quiet", "console text between the frames"])
def test_over_a_serial_port(node, log_text):
    with open_device(node.serve_pty(log_text=log_text), QUICK) as device:
        report = apply(device, RELAY)
        assert report.is_right and report.restarts == 1 and kept(node, RELAY)
        assert apply(device, RELAY).written == ()


def test_a_port_that_gets_another_number_at_each_restart(node, tmp_path):
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    alias = by_id / "usb-RAK_WisBlock_RAK4631_0123-if00"
    node.serve_pty(alias=alias)
    ports = [os.readlink(alias)]

    def replug(progress):
        if progress.step is Step.RESTARTING:
            until(lambda: node.reboots == len(ports), "the restart")
            node.stop_serving()
            taken = os.open("/dev/ptmx", os.O_RDWR)  # somebody else gets the old number
            node.serve_pty(alias=alias)
            os.close(taken)
            ports.append(os.readlink(alias))

    with open_device(f"serial://{ports[0]}", QUICK, by_id=by_id) as device:
        assert apply(device, RELAY, replug).is_right and kept(node, RELAY)
    assert len(ports) == 2 and ports[0] != ports[1], "it has really changed"


def test_a_port_without_a_lasting_name_is_opened_as_it_is_called(tmp_path):
    assert lasting_url("serial:///dev/ttyUSB0", tmp_path / "none") == "serial:///dev/ttyUSB0"
    with pytest.raises(DeviceLost):
        open_device(f"serial://{tmp_path}/gone", QUICK)


def test_a_port_that_somebody_else_holds(node):
    url = node.serve_pty()
    with open_device(url, QUICK), pytest.raises(DeviceBusy):
        open_device(url, QUICK)


@pytest.mark.parametrize("back", [1, 2, 3, 5, 9, 20, 40, 60, 90, 130])
def test_half_a_key_on_the_line_is_never_taken_for_a_whole_one(village, back):
    """The cable was pulled in the middle of the security section, and the node waits for the rest of it."""
    node = village.gateway("GW1")
    order = admin_pb2.AdminMessage()
    order.set_config.security.CopyFrom(node.kept.config.security)
    order.set_config.security.admin_key.append(bytes(range(32)))
    packet = mesh_pb2.MeshPacket(to=node.num, id=77, want_ack=True)
    packet.decoded.portnum, packet.decoded.payload = portnums_pb2.ADMIN_APP, order.SerializeToString()
    octets = frame(mesh_pb2.ToRadio(packet=packet).SerializeToString())
    key = node.public_key
    url = node.serve_pty()
    half = os.open(url.removeprefix("serial://"), os.O_RDWR | os.O_NOCTTY)
    os.write(half, octets[:-back])
    os.close(half)
    with open_device(url, QUICK) as device:
        assert device.public_key == key
    assert not node.admin_writes and node.flash.config.security.public_key == key


class Startled:
    """A board that restarts when its port is opened: the first thing it says is that."""

    def __init__(self, link):
        self.send, self.close, self._link, self._is_calm = link.send, link.close, link, False

    def receive(self, until):
        if self._is_calm:
            return self._link.receive(until)
        self._is_calm = True
        raise DeviceRestarted("the node has restarted")


def test_a_board_that_restarts_when_its_port_is_opened(node):
    talk = LocalTalk(Startled(connect(node.serve_pty())), QUICK)
    assert talk.tell().num == node.num
    talk.close()


# A splice in the stream


def test_a_frame_with_a_start_mark_inside_is_not_certain():
    whole, cut = frame(b"seluruhnya"), frame(b"dipotong di tengah")[:9]
    assert [found.certain for found in FrameReader().feed(whole)] == [True]
    (spliced,) = FrameReader().feed(cut + whole)
    assert not spliced.certain


def test_what_silence_leaves_behind_is_searched_again():
    reader, cut = FrameReader(), frame(b"dipotong di tengah, jauh lebih panjang")[:9]
    assert reader.feed(cut + frame(b"utuh")) == []
    assert [found.body for found in reader.gap()] == [b"utuh"]
    assert reader.feed(b"teks log\r\n" + frame(b"lagi"))[0].body == b"lagi"


def test_settings_spliced_in_the_stream_are_asked_for_again(village):
    """A cut frame in front of the answer swallows its head: what was read then must not become what is written."""
    node = village.gateway("GW1")
    url = node.serve_tcp()
    with open_device(url, QUICK) as device:
        half = mesh_pb2.FromRadio()
        half.config.security.private_key = bytes(32)
        node.inject(frame(half.SerializeToString())[:20])
        assert device.read()["config.security.private_key"] == node.kept.config.security.private_key


def test_a_key_that_holds_a_start_mark_can_still_be_read(village):
    node = village.gateway("GW1", reboot_s=0.02)
    psk = b"\x94\xc3\x00\x10" + bytes(28)
    with open_device(node.serve_tcp(), QUICK) as device:
        channel = [Setting("channel.0.role", "PRIMARY"), Setting("channel.0.psk", psk)]
        assert apply(device, channel).is_right and node.flash.channels[0].settings.psk == psk


# A lease


def test_through_the_lease_of_a_running_bridge(node, tmp_path):
    with Lender(node, tmp_path / "control") as lender:
        with open_device(lender.url, QUICK) as device:
            report = apply(device, RELAY)
            assert report.is_right and report.restarts == 1 and kept(node, RELAY)
        until(lambda: lender.said[-1] == {"end": True}, "the lease given back")
    assert lender.said[0] == {"ask": "lease", "for_s": 60}
    assert not any(message.disconnect for message in lender.messages), "the radio stays the bridge's"


def test_a_lease_is_renewed_while_a_slow_node_is_waited_for(node, tmp_path):
    with Lender(node, tmp_path / "control") as lender:
        lease = LeaseLink(str(tmp_path / "control"), for_s=0.3)
        assert lease.receive(time.monotonic() + 0.5) is None
        lease.close()
        until(lambda: lender.said[-1] == {"end": True}, "the lease given back")
    assert {"keep": 0.3} in lender.said


def test_a_lease_that_is_not_given(node, tmp_path):
    with Lender(node, tmp_path / "control") as lender:
        node.refuse()
        with pytest.raises(DeviceLost, match="the radio does not answer"):
            open_device(lender.url, QUICK)
        lender.is_lending = False
        with pytest.raises(DeviceBusy, match="somebody else"):
            open_device(lender.url, QUICK)
    with pytest.raises(DeviceLost):
        open_device(f"control+unix://{tmp_path}/none", QUICK)


# Over the mesh

AFAR = (
    Setting("owner.long_name", "Relai Bukit"),
    Setting("config.device.role", "ROUTER"),
    Setting("config.device.rebroadcast_mode", "LOCAL_ONLY"),
    Setting("config.lora.hop_limit", 4),
    Setting("module.telemetry.device_update_interval", 7200),
)


@pytest.fixture
def gateway(village):
    return village.gateway("GW1")


@pytest.fixture
def far(village, gateway):
    """A node that takes orders from GW1's key."""
    made = village.gateway("BUKIT", reboot_s=0.02)
    made.kept.config.security.admin_key.append(gateway.public_key)
    made.settings_changed(is_kept=True)
    return made


def test_over_the_mesh_with_the_admin_key(gateway, far):
    with open_device(gateway.serve_tcp(), QUICK, remote=far.num) as device:
        assert (device.node, device.firmware, device.public_key) == (far.num, "2.7.26.54e0d8d", far.public_key)
        report = apply(device, AFAR)
        assert report.is_right and report.restarts == far.reboots and kept(far, AFAR)
        written = far.admin_writes
        assert apply(device, AFAR).written == () and far.admin_writes == written
    assert not gateway.admin_writes and len(far.public_key) == 32


def test_over_the_mesh_only_what_is_named_is_asked_for(gateway, far):
    with open_device(gateway.serve_tcp(), QUICK, remote=far.num) as device:
        before = len(gateway.sent)
        found = device.read(["owner.long_name", "config.lora.region", "config.lora.hop_limit"])
        assert len(gateway.sent) - before == 2
    assert found["config.lora.region"] == "KR" and not any(path.startswith("module.") for path in found)


def test_a_managed_node_still_listens_to_its_administrator(gateway, far):
    managed = (*AFAR, Setting("config.security.is_managed", True))
    with open_device(gateway.serve_tcp(), QUICK, remote=far.num) as device:
        assert apply(device, managed).is_right
        assert apply(device, [Setting("config.lora.hop_limit", 5)]).is_right
    assert kept(far, managed[:3]) and far.flash.config.lora.hop_limit == 5


def test_a_stranger_is_refused(village, far):
    stranger = village.gateway("ASING")
    with pytest.raises(DeviceRefused) as refused:
        open_device(stranger.serve_tcp(), QUICK, remote=far.num)
    assert refused.value.reason == "ADMIN_PUBLIC_KEY_UNAUTHORIZED" and not far.admin_writes


def test_a_restart_in_between_ends_the_session_and_a_new_one_is_made(gateway, far):
    with open_device(gateway.serve_tcp(), QUICK, remote=far.num) as device:

        def stumble(progress):
            if progress.step is Step.WRITING and not far.reboots:
                far.restart()

        assert apply(device, AFAR, stumble).is_right and kept(far, AFAR)


def test_what_would_take_it_off_the_air_is_refused(gateway, far):
    with open_device(gateway.serve_tcp(), QUICK, remote=far.num) as device:
        with pytest.raises(OnlyAtTheCable) as refused:
            apply(device, [*AFAR, Setting("config.lora.modem_preset", "MEDIUM_FAST")])
        assert refused.value.paths == ("config.lora.modem_preset",)
        assert verify(device, [Setting("config.lora.region", "KR")]) == ()
    assert not far.admin_writes


def test_settings_that_the_nodes_own_key_has_not_sealed_are_not_believed(village, gateway, far):
    """Who holds the channel's key hears the packets' ids; a private key of his in a forged answer would be written."""
    village.cut(gateway, far)
    forged = mesh_pb2.MeshPacket(to=gateway.num, id=1)
    setattr(forged, "from", far.num)
    reply = admin_pb2.AdminMessage(get_device_metadata_response={"firmware_version": "forged"})
    forged.decoded.portnum, forged.decoded.payload = portnums_pb2.ADMIN_APP, reply.SerializeToString()

    def forge():
        until(lambda: gateway.sent, "the question")
        forged.decoded.request_id = gateway.sent[-1].id
        gateway.deliver(forged)

    forger = threading.Thread(target=forge)
    forger.start()
    with pytest.raises(DeviceLost):
        open_device(gateway.serve_tcp(), replace(QUICK, tries=1), remote=far.num)
    forger.join(timeout=5)
    assert forged.decoded.request_id


def test_nobody_within_reach(village, gateway, far):
    village.cut(gateway, far)
    with pytest.raises(DeviceLost):
        open_device(gateway.serve_tcp(), replace(QUICK, hop_s=0.05, tries=2), remote=far.num)
    with pytest.raises(DeviceLost, match="not known"):
        open_device(gateway.serve_tcp(), QUICK, remote=0x0BAD)


def test_through_a_relay_and_each_hop_is_given_its_time():
    with Village(seed=9, air=Air(9, delay_s=0.005, retry_s=2.0)) as village:
        gateway, relay, far = village.gateway("GW1"), village.gateway("RELAI"), village.gateway("BUKIT")
        village.link(gateway, relay), village.link(relay, far)
        far.kept.config.security.admin_key.append(gateway.public_key)
        far.announce()
        until(lambda: _hops(gateway, far) == 1, "the far node's NodeInfo through the relay")
        patience = replace(QUICK, hop_s=2.0)
        with open_device(gateway.serve_tcp(), patience, remote=far.num) as device:
            assert verify(device, [Setting("config.lora.region", "KR")]) == ()
        village.cut(relay, far)
        started = time.monotonic()
        with pytest.raises(DeviceLost):
            open_device(gateway.serve_tcp(), replace(QUICK, hop_s=0.2, tries=1), remote=far.num)
        assert time.monotonic() - started >= 0.4, "two hops"


def _hops(gateway, far):
    return gateway._users[far.num].hops_away


def test_every_fifth_packet_is_lost_on_the_air():
    with Village(seed=4, air=Air(4, loss=0.2, delay_s=0.003, retry_s=0.05)) as village:
        gateway, far = village.gateway("GW1"), village.gateway("BUKIT", reboot_s=0.02)
        far.kept.config.security.admin_key.append(gateway.public_key)
        far.settings_changed(is_kept=True)
        with open_device(gateway.serve_tcp(), LOSSY, remote=far.num) as device:
            assert apply(device, AFAR).is_right and kept(far, AFAR)
