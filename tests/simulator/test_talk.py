"""One node and its client: what waits, what is dropped, what is refused, and every way a connection ends."""

import socket
import time

import pytest
from meshtastic.protobuf import mesh_pb2, portnums_pb2

from simulator.air import Air
from simulator.frames import FrameReader, frame
from simulator.links import BOOT
from simulator.village import Village
from tests.patience import until
from tests.simulator.lab import Client, connect, kind

TEXT, ALERT, DETECTION = portnums_pb2.TEXT_MESSAGE_APP, portnums_pb2.ALERT_APP, portnums_pb2.DETECTION_SENSOR_APP
PRIVATE = portnums_pb2.PRIVATE_APP
TOO_LARGE = mesh_pb2.Routing.Error.TOO_LARGE


@pytest.fixture
def village():
    with Village(seed=7, air=Air(7, delay_s=0.002, retry_s=0.05)) as running:
        yield running


@pytest.fixture
def gateway(village):
    return village.gateway("GW1")


def packet(portnum, words):
    made = mesh_pb2.MeshPacket(to=0xFFFFFFFF, channel=1, id=abs(hash(words)) % 2**31 + 1)
    made.decoded.portnum, made.decoded.payload = portnum, words.encode()
    setattr(made, "from", 0x0A01)
    return made


def settled(node):
    client = connect(node)
    client.handshake()
    client.everything()
    return client


def words(told):
    return [t.packet.decoded.payload.decode() for t in told if kind(t) == "packet"]


def drained(node):
    with connect(node) as client:
        client.handshake()
        return words(client.everything())


@pytest.mark.parametrize("limit", [8, 32])
def test_a_full_queue_drops_alerts_and_lets_a_new_text_push_out_the_oldest(village, limit):
    gateway = village.gateway("GW8", queue_limit=limit)
    for number in range(limit):
        gateway.deliver(packet(DETECTION, f"sensor {number}"))
    for port in (ALERT, DETECTION, PRIVATE):
        gateway.deliver(packet(port, f"dropped {port}"))
    gateway.deliver(packet(TEXT, "teks 1"))
    gateway.deliver(packet(TEXT, "teks 2"))
    assert gateway.waiting == limit
    assert drained(gateway) == [f"sensor {number}" for number in range(2, limit)] + ["teks 1", "teks 2"]


def test_a_client_gets_nothing_before_it_asks(gateway):
    with connect(gateway) as client:
        client.heartbeat()
        gateway.deliver(packet(TEXT, "sabar"))
        assert gateway.waiting == 1
        assert kind(client.handshake()[0]) == "my_info"
        assert words(client.everything()) == ["sabar"]


def test_without_a_limit_everything_waits(village):
    gateway = village.gateway("GW0", queue_limit=None)
    for number in range(500):
        gateway.deliver(packet(ALERT, f"{number}").SerializeToString())
    assert drained(gateway) == [f"{number}" for number in range(500)]


def test_what_was_drained_is_not_told_again(gateway):
    gateway.deliver(packet(TEXT, "sekali"))
    assert drained(gateway) == ["sekali"]
    assert drained(gateway) == []


def test_a_client_that_vanishes_without_goodbye_loses_what_follows(gateway):
    with settled(gateway):
        pass
    until(lambda: not gateway.has_client, "the node sees the end")
    gateway.deliver(packet(TEXT, "ke soket mati"))
    assert drained(gateway) == []


def test_after_goodbye_packets_wait_even_with_the_connection_open(gateway):
    with settled(gateway) as client:
        client.goodbye()
        until(lambda: not gateway.has_client, "the goodbye is heard")
        gateway.deliver(packet(TEXT, "menunggu"))
        client.handshake()
        assert words(client.everything()) == ["menunggu"]


def test_silence_for_too_long_ends_the_talk_and_packets_wait(village):
    gateway = village.gateway("GW1", idle_s=0.2)
    with settled(gateway) as client:
        began = time.monotonic()
        assert client.until_end() == []
        assert 0.1 < time.monotonic() - began < 2
    gateway.deliver(packet(TEXT, "disimpan"))
    assert drained(gateway) == ["disimpan"]


def test_heartbeats_keep_the_talk_alive(village):
    gateway = village.gateway("GW1", idle_s=0.3)
    with settled(gateway) as client:
        until = time.monotonic() + 0.7
        while time.monotonic() < until:
            client.heartbeat()
            assert kind(client.told(bool)[0]) == "queueStatus"
            time.sleep(0.05)


def test_wake_bytes_garbage_and_broken_messages_are_skipped(gateway):
    with settled(gateway) as client:
        client.write(b"\xc3" * 32 + b"\x94\x94\xc3\xff\xff" + b"ketok" + b"\x94")
        client.write(frame(b"\xff\xff\xff"))
        client.heartbeat()
        assert kind(client.told(bool)[0]) == "queueStatus"
        client.write(frame(mesh_pb2.ToRadio(heartbeat=mesh_pb2.Heartbeat()).SerializeToString())[:3])
        client.write(frame(mesh_pb2.ToRadio(heartbeat=mesh_pb2.Heartbeat()).SerializeToString())[3:])
        assert kind(client.told(bool)[0]) == "queueStatus"


def test_the_reader_finds_frames_byte_by_byte():
    bodies = [b"", b"\x94\xc3", b"x" * 512, b"\x94"]
    stream = b"noise\x94" + b"\xc3\x94".join(frame(body) for body in bodies)
    reader = FrameReader()
    assert [body for at in range(len(stream)) for body in reader.feed(stream[at : at + 1])] == bodies


@pytest.mark.parametrize(("portnum", "second_reaches"), [(TEXT, False), (ALERT, False), (PRIVATE, True)])
def test_what_comes_too_fast_vanishes_behind_a_friendly_status(village, gateway, portnum, second_reaches):
    house = village.house("RT01-01")
    with settled(gateway) as client:
        ids = [client.send(portnum, b"satu", channel=1), client.send(portnum, b"dua", channel=1)]
        told = client.told(lambda told: len(told) >= 2)
    assert [(t.queueStatus.mesh_packet_id, t.queueStatus.res) for t in told] == [(ids[0], 0), (ids[1], 0)]
    assert [packet.id for packet in gateway.sent] == ids
    until(lambda: house.phone.waiting >= 1 + second_reaches, "the house hears")
    assert house.phone.waiting == 1 + second_reaches


def test_a_text_of_233_bytes_is_too_large_and_one_of_232_is_not(village, gateway):
    house = village.house("RT01-01")
    with settled(gateway) as client:
        too_long = client.send(TEXT, b"x" * 233, channel=1)
        told = client.told(lambda told: any(kind(t) == "packet" for t in told))
    assert [(t.queueStatus.res, t.queueStatus.mesh_packet_id) for t in told[:-1]] == [(TOO_LARGE, too_long)]
    answer = told[-1].packet
    assert (getattr(answer, "from"), answer.to, answer.decoded.request_id) == (gateway.num, gateway.num, too_long)
    assert mesh_pb2.Routing.FromString(answer.decoded.payload).error_reason == TOO_LARGE
    gateway.text("y" * 232)
    assert house.wait_for(lambda received: True, 5).text == "y" * 232


def test_the_seventeenth_packet_finds_no_place_to_wait():
    with Village(seed=7, air=Air(7, airtime_s=30)) as village:
        gateway = village.gateway("GW1")
        with settled(gateway) as client:
            for _ in range(17):
                client.send(PRIVATE, b"x", channel=1)
            told = client.told(lambda told: len(told) == 17)
    assert [(t.queueStatus.res, t.queueStatus.free) for t in told] == [(0, 15 - n) for n in range(16)] + [(32, 0)]


def test_a_restart_empties_the_queue_and_closes_the_port_for_a_moment(gateway):
    url = gateway.serve_tcp()
    gateway.deliver(packet(TEXT, "hilang"))
    gateway.restart(down_s=0.3)
    with pytest.raises(ConnectionRefusedError):
        Client(url)
    gateway.deliver(packet(TEXT, "sesudah"))
    assert drained(gateway) == ["sesudah"]


def test_a_refused_client_may_come_back_later(gateway):
    url = gateway.serve_tcp()
    gateway.refuse(True)
    with pytest.raises(ConnectionRefusedError):
        Client(url)
    gateway.refuse(False)
    with Client(url) as client:
        assert client.handshake()


@pytest.mark.parametrize("how", ["eof", "rst"])
def test_a_connection_ends_by_fin_or_by_reset(gateway, how):
    with settled(gateway) as client:
        gateway.close_client(how)
        sock = client._socket
        sock.settimeout(5)
        if how == "eof":
            assert sock.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                sock.recv(1)


def test_a_mute_node_stands_there_and_says_nothing(gateway):
    with settled(gateway) as client:
        gateway.mute(True)
        client.heartbeat()
        gateway.deliver(packet(TEXT, "hilang"))
        with socket.create_connection(("127.0.0.1", int(gateway.serve_tcp().rpartition(":")[2]))) as second:
            second.sendall(frame(mesh_pb2.ToRadio(want_config_id=1).SerializeToString()))
            second.settimeout(0.2)
            with pytest.raises(TimeoutError):
                second.recv(1)
    gateway.mute(False)
    assert drained(gateway) == []


def test_injected_bytes_stand_in_the_stream_as_they_are(gateway):
    with settled(gateway) as client:
        gateway.inject(b"\x94\xc3\x00\x05sampah")
        gateway.deliver(packet(TEXT, "sesudahnya"))
        client.until_received(b"sesudahnya")
        assert b"\x94\xc3\x00\x05sampah\x94\xc3" in client.received


def test_a_serial_line_shows_a_reboot_and_its_name_goes_with_it(gateway, tmp_path):
    name = tmp_path / "usb-RAK"
    url = gateway.serve_pty(name)
    assert url == f"serial://{name}" and name.is_symlink()
    with Client(url) as client:
        client.handshake()
        gateway.reboot()
        told = client.told(lambda told: any(t.rebooted for t in told), "rebooted")
        assert BOOT in client.received
        assert kind(told[-1]) == "rebooted"
        assert client.handshake(2)
    gateway.stop_serving()
    assert not name.is_symlink()


def test_a_pty_never_takes_the_place_of_a_file(gateway, tmp_path):
    precious = tmp_path / "post.toml"
    precious.write_text("[post]")
    with pytest.raises(FileExistsError):
        gateway.serve_pty(precious)
    assert precious.read_text() == "[post]"
