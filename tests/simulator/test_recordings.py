"""The same stimuli, the same answers: simulated radios beside what real ones said, field by field."""

import itertools

from meshtastic.protobuf import admin_pb2, portnums_pb2

from simulator.channels import Channel
from tests.patience import until
from tests.simulator.lab import DESA, PRIMARY, Client, Laboratory, kind, plain, recording

TEXT, ALERT, DETECTION = portnums_pb2.TEXT_MESSAGE_APP, portnums_pb2.ALERT_APP, portnums_pb2.DETECTION_SENSOR_APP
PRIVATE, ADMIN = portnums_pb2.PRIVATE_APP, portnums_pb2.ADMIN_APP


def packets(told):
    return [t for t in told if kind(t) == "packet"]


def some_packets(count):
    return lambda told: len(packets(told)) >= count


def both_ends(stimulus, arrivals, word):
    """B's and A's streams after A's client did something to which `arrivals` packets reach B and `word` ones A."""
    with Laboratory() as lab, lab.client(lab.b) as b, lab.client(lab.a) as a:
        return exchange(a, b, stimulus, arrivals, word)


def exchange(a, b, stimulus, arrivals, word):
    stimulus(a)
    at_b = b.told(some_packets(arrivals))
    at_a = a.told(lambda told: len(packets(told)) >= word and any(kind(t) == "queueStatus" for t in told))
    return plain(at_b), plain(at_a)


def recorded_ends(name):
    """The same two streams as recorded; what A's first client found waiting is another story."""
    at_a = recording(f"{name}_senderA").after_handshake()
    first = next(at for at, told in enumerate(at_a) if told.queueStatus.mesh_packet_id)
    return plain(recording(name).after_handshake()), plain(at_a[first:])


def test_the_handshake_is_told_in_the_recorded_order_and_words():
    with Laboratory() as lab:
        lab.c.announce()
        with Client(lab.b.serve_tcp()) as client:
            client.say(want_config_id=424242)
            told = client.told(some_packets(1))
            client.heartbeat()
            told += client.told(bool)
    assert plain(told) == plain(recording("01_handshake").told)
    assert [kind(t) for t in told] == [kind(t) for t in recording("01_handshake").told]


def test_a_first_client_finds_the_greetings_of_the_neighbours():
    with Laboratory() as lab:
        lab.b.announce()
        with lab.client(lab.b) as b:  # B's own greeting is on the air before C's
            b.everything()
        lab.c.announce()
        with lab.client(lab.a, fresh=True) as a:
            told = a.told(some_packets(2))
    recorded = recording("02a_text_bell_ch1_senderA").after_handshake()[:3]
    assert sorted(plain(told)) == sorted(plain(recorded))


def test_a_broadcast_text_with_a_bell():
    ends = both_ends(lambda a: a.send(TEXT, b"\x07TOLONG maling di RT 03!", channel=1, want_ack=True), 1, 1)
    assert ends == recorded_ends("02a_text_bell_ch1")


def test_an_alert():
    ends = both_ends(lambda a: a.send(ALERT, b"DARURAT: kebakaran RT 02", channel=1, want_ack=True), 1, 1)
    assert ends == recorded_ends("02b_alert_ch1")


def test_a_detection_without_hops_is_relayed_by_nobody():
    ends = both_ends(lambda a: a.send(DETECTION, b"Tombol Panik detected"), 1, 0)
    assert ends == recorded_ends("02c_detection_ch0")


def test_a_direct_text_and_then_a_direct_alert_on_the_way_that_was_learned():
    with Laboratory() as lab, lab.client(lab.b) as b, lab.client(lab.a) as a:
        text = exchange(
            a, b, lambda a: a.send(TEXT, b"DM rahasia ke poskamling", to=lab.b.num, want_ack=True), arrivals=2, word=1
        )
        alert = exchange(a, b, lambda a: a.send(ALERT, b"PANIK", to=lab.b.num, want_ack=True), arrivals=2, word=1)
    assert text == recorded_ends("02d_dm_pki")
    assert alert == recorded_ends("02e_alert_dm_pki")


def test_a_plain_text_on_the_public_channel_gets_no_acknowledgement():
    ends = both_ends(lambda a: a.send(TEXT, "tes kanal umum ✓".encode()), 1, 0)
    assert ends == recorded_ends("02f_text_ack_broadcast_ch0")


def test_the_detection_sensor_module():
    with Laboratory() as lab, lab.client(lab.b) as b:
        for _ in range(3):
            lab.a.detect("Tombol RT03", channel="", bell=True)
        told = b.told(some_packets(3))
    assert plain(told) == plain(recording("04_detection_sensor_module").after_handshake())


def test_the_second_client_ends_the_first():
    with Laboratory(PRIMARY) as lab, lab.client(lab.b) as settled:
        settled.goodbye()
        with Client(lab.b.serve_tcp()) as first:
            at_first = first.handshake(11)
            with Client(lab.b.serve_tcp()) as second:
                assert first.until_end() == []
                at_second = second.handshake(12)
    assert skeleton(at_first) == skeleton(recording("05a_two_clients_first").told)
    assert skeleton(at_second) == skeleton(recording("05a_two_clients_second").told)
    assert recording("05a_two_clients_first").ended == "stream closed: EOF"


def test_packets_wait_for_a_client_that_said_goodbye():
    with Laboratory(PRIMARY) as lab:
        with lab.client(lab.b) as leaver:
            leaver.goodbye()
            until(lambda: not lab.b.has_client, "the goodbye is heard")
        calls = [lambda n=n: lab.a.text(f"antre {n}", want_ack=False) for n in range(4)]
        calls.append(lambda: lab.a.detect("Tombol RT03", channel=PRIMARY.name, state=0))
        calls.append(lambda: lab.a.text("antre 4", want_ack=False))
        calls.append(lambda: lab.a.alert("antre alert", want_ack=False))
        calls.append(lambda: lab.a.detect("antre sensor"))
        for waiting, call in enumerate(calls, 1):
            call()
            until(lambda n=waiting: lab.b.waiting == n, f"{waiting} packets wait")
        with Client(lab.b.serve_tcp()) as client:
            client.handshake(14)
            told = client.told(some_packets(8))
            again = client.handshake(16)
            assert packets(client.everything()) == []
    whole = recording("05b_offline_queue")
    assert plain(told) == plain(whole.after_handshake()[:8])
    assert skeleton(again) == skeleton(whole.after_handshake()[8:])


def test_a_serial_console_boots_greets_and_carries_packets():
    with Laboratory(PRIMARY) as lab:
        url = lab.b.serve_pty(log_text=True)
        with Client(url) as client:
            lab.b.restart()
            told = client.told(lambda told: any(t.rebooted for t in told), "rebooted")
            client.write(b"\xc3" * 32)
            client.say(want_config_id=51)
            told += client.told(lambda told: any(kind(t) == "queueStatus" for t in told))
            told += _serial_calls(lab, client)
            lab.b.restart()
            told += client.told(lambda told: any(t.rebooted for t in told), "second rebooted")
            client.say(want_config_id=54)
            told += client.told(lambda told: any(kind(t) == "queueStatus" for t in told))
            lab.a.detect("Tombol RT03", channel=PRIMARY.name, state=0)
            told += client.told(some_packets(1))
            assert b"[SerialConsole]" in client.received and b"Booting" in client.received
    assert skeleton(told) == skeleton(_serial_recording())
    assert plain(packets(told)) == plain(packets(_serial_recording()))


def _serial_calls(lab, client):
    lab.a.text("lewat serial", bell=True)
    told = client.told(some_packets(1))
    lab.a.alert("ALARM serial")
    told += client.told(some_packets(1))
    lab.a.text("DM serial", to=lab.b.num)
    return told + client.told(some_packets(2))


def _serial_recording():
    """Up to the local admin, and again from the reboot on."""
    told = recording("06_serial_boot_text_then_api").told
    admin = next(at for at, t in enumerate(told) if t.queueStatus.mesh_packet_id)
    reboots = [at for at, t in enumerate(told) if t.rebooted]
    return told[:admin] + told[reboots[1] :]


def test_a_reboot_ends_the_stream():
    with Laboratory(PRIMARY) as lab, lab.client(lab.b) as b:
        order = admin_pb2.AdminMessage(reboot_seconds=0).SerializeToString()
        b.send(ADMIN, order, to=lab.b.num)
        told = b.until_end()
        with lab.client(lab.b) as again:  # refused for 0.05 s at most, then welcome
            assert again.everything() == []
    assert plain(told) == plain(recording("10a_local_admin_reboot").after_handshake())
    assert recording("10a_local_admin_reboot").ended == "stream closed: EOF"


def test_two_hops():
    with Laboratory(PRIMARY) as lab, lab.client(lab.b) as b, lab.client(lab.a) as a:
        set_clock(b, lab.b)
        lab.village.cut(lab.a, lab.b)
        calls = [
            lambda: a.send(TEXT, b"lewat C", channel=1, want_ack=True),
            lambda: lab.a.detect("Tombol RT03", channel=PRIMARY.name, state=0),
            lambda: a.send(ALERT, b"ALERT lewat C", channel=1, want_ack=True),
            lambda: lab.a.text("DM lewat C", to=lab.b.num),
        ]
        told = []
        for call in calls:
            call()
            told += b.told(some_packets(1))[:1]
    recorded = [t for t in packets(recording("10b_two_hop").told) if t.packet.rx_rssi]
    assert plain(told) == plain(recorded)
    assert all(t.packet.rx_time > 1_700_000_000 for t in [*told, *recorded])


def test_a_direct_text_through_a_relay_and_then_to_nobody():
    with Laboratory(PRIMARY, retry_s=0.2) as lab, lab.client(lab.b) as b, lab.client(lab.a) as a:
        set_clock(b, lab.b)
        lab.village.cut(lab.a, lab.b)
        a.send(TEXT, b"DM dua hop", to=lab.b.num, want_ack=True)
        at_a = a.told(some_packets(2))
        at_b = b.told(some_packets(2))
        lab.village.cut(lab.a)
        a.send(ALERT, b"ke siapa", to=lab.b.num, want_ack=True)
        cut_off = a.told(some_packets(1))
        a.send(PRIVATE, b"ke semua", channel=1, want_ack=True)
        cut_off += a.told(some_packets(1))
    recorded_a = recording("11_dm_two_hop_A").after_handshake()
    own = {0x0D71EA3F, 225589848, 225610873}  # the recorded A pressed its detection sensor between these
    recorded_a = [t for t in recorded_a if kind(t) != "queueStatus" or t.queueStatus.mesh_packet_id in own]
    assert plain(at_a + cut_off) == plain(recorded_a)
    recorded_b = [t for t in packets(recording("11_dm_two_hop_B").told) if t.packet.decoded.portnum != DETECTION]
    assert sorted(plain(at_b)) == sorted(plain(recorded_b))


def test_what_b_cannot_open_stays_shut_and_odd_texts_pass():
    stranger = Channel("lain", DESA.psk[:-1] + bytes([_last_byte("lain", 65)]))
    with Laboratory(PRIMARY) as lab, lab.client(lab.b) as b:
        lab.a.radio.channels[2] = stranger
        calls = [
            lambda: lab.a.text("tidak terbaca", channel=stranger.name, want_ack=False),
            lambda: lab.a.text("P" * 200, want_ack=False),
            lambda: lab.a.text("P" * 233, want_ack=False),
            lambda: lab.a.text("Tolong! 🚨 kebakaran — RT 05", want_ack=False),
            lambda: lab.a.raw(TEXT, b"\xff\xfe\x07abc"),
            lambda: lab.a.raw(TEXT, b""),
            lambda: lab.a.raw(TEXT, "👍".encode(), reply_id=225819348, emoji=1, id=0x7ABC),
            lambda: lab.a.raw(PRIVATE, bytes((1, 2, 3))),
        ]
        told = []
        for number, call in enumerate(calls):
            call()
            told += b.told(some_packets(0 if number == 2 else 1))
    recorded = packets(recording("16_unknown_channel_B").told)[1:]  # the first had waited
    assert plain(told) == plain(recorded)
    assert stranger.hash == 65


def _last_byte(name, wanted):
    """The last key byte with which a channel of that name has the recorded hash."""
    return next(n for n in range(256) if Channel(name, DESA.psk[:-1] + bytes([n])).hash == wanted)


def set_clock(client, node):
    client.send(ADMIN, admin_pb2.AdminMessage(set_time_only=1_800_000_000).SerializeToString(), to=node.num)
    client.everything()


def skeleton(told):
    """The kinds in order; how many neighbours a node knew is its history."""
    return [name for name, _ in itertools.groupby(kind(t) for t in told if _is_simulated(t))]


def _is_simulated(told):
    return told.packet.decoded.portnum != portnums_pb2.TELEMETRY_APP
