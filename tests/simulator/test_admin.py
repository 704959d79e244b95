"""A node's administrator: what real firmware did with orders (recordings 03, 07, 10a), and its rules."""

import threading

import pytest
from meshtastic.protobuf import admin_pb2, channel_pb2, config_pb2, mesh_pb2, module_config_pb2, portnums_pb2

from simulator.air import Air
from simulator.village import Village
from tests.patience import until
from tests.simulator.lab import PRIMARY, Client, Laboratory, connect, kind, plain, recording

ADMIN, ALERT, ROUTING = portnums_pb2.ADMIN_APP, portnums_pb2.ALERT_APP, portnums_pb2.ROUTING_APP
AdminMessage, Error = admin_pb2.AdminMessage, mesh_pb2.Routing.Error
Device = config_pb2.Config.DeviceConfig
DETECTION_SENSOR = AdminMessage(get_module_config_request=AdminMessage.ModuleConfigType.DETECTIONSENSOR_CONFIG)
SIREN = module_config_pb2.ModuleConfig.DetectionSensorConfig(
    enabled=True,
    minimum_broadcast_secs=60,
    name="Sirene Poskamling",
    monitor_pin=11,
    detection_trigger_type="LOGIC_HIGH",
)


@pytest.fixture
def village():
    with Village(seed=5, air=Air(5, delay_s=0.005, retry_s=0.2)) as running:
        yield running


def give(client, node, order, **fields):
    """One order from a node's own client, or through it."""
    return client.send(ADMIN, order.SerializeToString(), to=node.num, **fields)


def packets(told):
    return [t for t in told if kind(t) == "packet"]


def reads(client, count):
    """The stream up to so many packets that answer something."""
    return client.told(lambda told: len([t for t in packets(told) if t.packet.decoded.request_id]) >= count)


def ask(client, node, order, **fields):
    """What a node answers to its own client, or through it."""
    packet_id = give(client, node, order, want_response=True, **fields)
    told = client.told(lambda told: any(_is_answer(t, packet_id, node) for t in told), "an answer")
    decoded = told[-1].packet.decoded
    if decoded.portnum == ROUTING:
        return Error.Name(mesh_pb2.Routing.FromString(decoded.payload).error_reason)
    return AdminMessage.FromString(decoded.payload)


def _is_answer(told, packet_id, node):
    """The node's own word: a radio on the way also tells what it relayed."""
    return told.packet.decoded.request_id == packet_id and getattr(told.packet, "from") == node.num


def without_passkeys(told):
    """Messages as text; a session's pass key is chance."""
    return plain(_without_passkey(t) for t in told)


def _without_passkey(told):
    if told.packet.decoded.portnum == ADMIN:
        order = AdminMessage.FromString(told.packet.decoded.payload)
        assert len(order.session_passkey) in (0, 8)
        order.session_passkey = bytes(len(order.session_passkey))
        told.packet.decoded.payload = order.SerializeToString()
    return told


def told_to(name, *foreign):
    """What a recorded client read after its handshake, without the words about these foreign packets."""
    told = recording(name).after_handshake()
    return [t for t in told if t.queueStatus.mesh_packet_id not in foreign and t.packet.id not in foreign]


# As recorded


def test_a_question_and_a_write_by_the_nodes_own_client_then_the_restart():
    with Laboratory() as lab, lab.client(lab.a) as a:
        give(a, lab.a, DETECTION_SENSOR, want_response=True)
        told = reads(a, 1)
        give(a, lab.a, AdminMessage(set_module_config=module_config_pb2.ModuleConfig(detection_sensor=SIREN)))
        told += a.until_end()
    assert without_passkeys(told) == without_passkeys(told_to("03_local_admin_detection_sensor"))
    assert recording("03_local_admin_detection_sensor").ended == "stream closed: EOF"


def test_after_its_restart_it_shows_what_was_written_and_leaves_out_what_is_default():
    with Laboratory(PRIMARY) as lab:
        with lab.client(lab.b) as b:
            give(b, lab.b, with_admin_key(lab.b, lab.a.public_key), want_ack=True)
            reads(b, 1)
            give(b, lab.b, AdminMessage(set_module_config=module_config_pb2.ModuleConfig(detection_sensor=SIREN)))
            b.until_end()
        with connect(lab.b) as b:
            told = b.handshake(nonce=100)
            b.everything()
            give(b, lab.b, AdminMessage(set_module_config=module_config_pb2.ModuleConfig(detection_sensor={})))
            told += b.until_end()
    assert plain(told) == plain(recording("10a_local_admin_reboot").told)


def with_admin_key(node, *keys):
    security = config_pb2.Config.SecurityConfig(admin_key=keys)
    security.MergeFrom(node.kept.config.security)
    return AdminMessage(set_config=config_pb2.Config(security=security))


def test_a_stranger_is_refused_over_the_mesh():
    with Laboratory(PRIMARY) as lab, lab.client(lab.b) as b, lab.client(lab.a) as a:
        knows_the_way(a, b, lab.b)
        give(a, lab.b, DETECTION_SENSOR, want_response=True, want_ack=True)
        at_a, at_b = reads(a, 1), b.told(lambda told: len(packets(told)) >= 2)
    detections = (3586245990,)  # the recorded A pressed by itself meanwhile
    assert plain(at_a) == plain(told_to("07_remote_admin_A", *detections)[:2])
    recorded = [t for t in told_to("07_remote_admin_B", *detections) if t.queueStatus.mesh_packet_id != 225025744]
    assert plain(at_b) == plain(recorded[1:])  # the first status stood there before


def test_the_holder_of_the_admin_key_reads_and_writes_over_the_mesh():
    with Laboratory(PRIMARY) as lab, lab.client(lab.b) as b, lab.client(lab.a) as a:
        give(b, lab.b, with_admin_key(lab.b, lab.a.public_key), want_ack=True)
        reads(b, 1)
        knows_the_way(a, b, lab.b)
        knows_the_way(b, a, lab.a, arrivals=2)
        give(a, lab.b, DETECTION_SENSOR, want_response=True, want_ack=True)
        at_a = reads(a, 1)
        at_b = b.told(lambda told: len(packets(told)) >= 2)
        order = AdminMessage(set_module_config=module_config_pb2.ModuleConfig(detection_sensor=SIREN))
        order.session_passkey = AdminMessage.FromString(at_a[-1].packet.decoded.payload).session_passkey
        give(a, lab.b, order, want_ack=True)
        at_a += reads(a, 1)
        at_b += b.until_end()
        assert lab.b.flash.modules.detection_sensor == SIREN
    refused = (225017743, 3586245990, 2659431844)
    assert without_passkeys(at_a) == without_passkeys(told_to("07_remote_admin_A", *refused))
    assert without_passkeys(at_b) == without_passkeys(told_to("07_remote_admin_B2"))


def knows_the_way(sender, reader, node, arrivals=1):
    """The sender has had a word from that node, so it names it as the next hop. A node that knows the way back has
    its acknowledgement acknowledged: two packets arrive."""
    sender.send(ALERT, b"PANIK", to=node.num, want_ack=True)
    reads(sender, 1)
    reader.told(lambda told: len(packets(told)) >= arrivals)
    reader.everything()


# The rules, as AdminModule and NodeDB of 2.7.26 have them


@pytest.fixture
def node(village):
    return village.gateway("GW1", reboot_s=0.03, down_s=0.01)


@pytest.fixture
def client(node):
    with Client(node.serve_tcp()) as ready:
        ready.handshake()
        yield ready


def set_device(**fields):
    return AdminMessage(set_config=config_pb2.Config(device=Device(**fields)))


def acknowledged(client, node, order):
    """Give an order and wait until the node has carried it out."""
    packet_id = give(client, node, order, want_ack=True)
    client.told(lambda told: any(_is_answer(t, packet_id, node) for t in told), "an acknowledgement")


def restarted(node, times=1):
    until(lambda: node.reboots == times, f"{times} restarts")


BEGIN, COMMIT = AdminMessage(begin_edit_settings=True), AdminMessage(commit_edit_settings=True)


def test_every_section_can_be_read_and_carries_a_pass_key(node, client):
    assert ask(client, node, AdminMessage(get_owner_request=True)).get_owner_response.long_name == "GW1"
    for number in AdminMessage.ConfigType.values():
        told = ask(client, node, AdminMessage(get_config_request=number))
        assert told.get_config_response.WhichOneof("payload_variant") and len(told.session_passkey) == 8
    for number in AdminMessage.ModuleConfigType.values()[:13]:
        told = ask(client, node, AdminMessage(get_module_config_request=number))
        assert told.get_module_config_response.WhichOneof("payload_variant")
    for number in range(1, 9):
        assert ask(client, node, AdminMessage(get_channel_request=number)).get_channel_response.index == number - 1
    assert ask(client, node, AdminMessage(get_channel_request=9)) == "BAD_REQUEST"
    told = ask(client, node, AdminMessage(get_device_metadata_request=True)).get_device_metadata_response
    assert told.firmware_version == "2.7.26.54e0d8d"


def test_a_transaction_is_lost_unless_committed(node, client):
    acknowledged(client, node, BEGIN)
    acknowledged(client, node, set_device(tzdef="WIB-7", node_info_broadcast_secs=7200))
    assert (node.kept.config.device.tzdef, node.flash.config.device.tzdef) == ("WIB-7", "")
    node.restart()
    with connect(node) as again:
        told = again.handshake()
        assert next(t.config.device.tzdef for t in told if t.config.HasField("device")) == ""
        acknowledged(again, node, BEGIN)
        acknowledged(again, node, set_device(tzdef="WIB-7", node_info_broadcast_secs=7200))
        acknowledged(again, node, COMMIT)
        again.until_end()
    restarted(node, 2)
    assert node.kept.config.device.tzdef == node.flash.config.device.tzdef == "WIB-7"


def test_some_single_writes_need_no_restart(node, client):
    acknowledged(client, node, set_device(tzdef="WIB-7", node_info_broadcast_secs=60))
    acknowledged(client, node, AdminMessage(set_channel=channel_pb2.Channel(index=2, role="SECONDARY")))
    acknowledged(client, node, with_admin_key(node, bytes(range(32))))
    assert node.flash.config.device.node_info_broadcast_secs == 3600, "too often is refused"
    acknowledged(client, node, AdminMessage(set_owner=mesh_pb2.User(long_name="Pos 1")))
    client.until_end()
    restarted(node)
    assert node.identity.long_name == "Pos 1"


def test_the_router_role_takes_the_rebroadcast_mode_with_it(node, client):
    acknowledged(client, node, set_device(role="ROUTER", rebroadcast_mode="LOCAL_ONLY"))
    client.until_end()
    restarted(node)
    assert node.kept.config.device.rebroadcast_mode == Device.CORE_PORTNUMS_ONLY
    assert node.kept.owner.is_unmessagable
    with connect(node) as again:
        again.handshake()
        acknowledged(again, node, set_device(role="ROUTER", rebroadcast_mode="LOCAL_ONLY"))
        again.until_end()
    assert node.kept.config.device.rebroadcast_mode == Device.LOCAL_ONLY


def test_a_node_out_of_the_box_has_keys_only_after_its_region(village):
    node = village.factory_new("baru", reboot_s=0.03)
    neighbour, witness = village.gateway("GW1"), village.gateway("GW2")
    village.air.cut("GW2", "baru")  # it would say again what it hears
    assert not node.public_key and node.kept.open_channels()[0].psk == b"\x01"
    with Client(node.serve_tcp()) as client:
        client.handshake()
        acknowledged(client, node, with_admin_key(node, neighbour.public_key))
        assert not node.public_key and not node.flash.config.security.private_key
        neighbour.text("siapa di sana", channel="", want_ack=False)  # said once, so never again after the region
        witness.wait_for(lambda text: text.text == "siapa di sana", 20)
        passed = threading.Event()
        village.air.later(0.1, passed.set)  # the agenda keeps its order: by then it has passed everybody
        assert passed.wait(20)
        lora = config_pb2.Config.LoRaConfig(region="KR", use_preset=True, hop_limit=3, tx_power=27)
        acknowledged(client, node, AdminMessage(set_config=config_pb2.Config(lora=lora)))
        client.until_end()
    assert len(node.public_key) == 32 and node.kept.modules.mqtt.root == "msh/KR"
    assert node.kept.config.lora.tx_power == 23, "the region's limit"
    assert not node.inbox, "without a region nothing is heard"
    neighbour.text("sekarang terdengar", channel="")
    node.wait_for(lambda text: text.text == "sekarang terdengar", 5)


def test_its_own_private_key_is_kept_and_an_empty_one_is_made_anew(node, client):
    before = node.public_key
    acknowledged(client, node, with_admin_key(node, bytes(range(32))))
    assert node.public_key == before
    acknowledged(client, node, AdminMessage(set_config=config_pb2.Config(security={"serial_enabled": True})))
    assert len(node.public_key) == 32 and node.public_key != before


def test_a_managed_node_hears_its_own_client_no_longer(node, client):
    no_key = with_admin_key(node)
    no_key.set_config.security.is_managed = True
    acknowledged(client, node, no_key)
    assert not node.kept.config.security.is_managed, "nobody could ever change it again"
    order = with_admin_key(node, bytes(range(32)))
    order.set_config.security.is_managed = True
    acknowledged(client, node, order)
    acknowledged(client, node, set_device(tzdef="WIB-7"))
    assert node.kept.config.security.is_managed and not node.kept.config.device.tzdef


@pytest.mark.parametrize(("order", "keeps_key"), [("factory_reset_device", False), ("factory_reset_config", True)])
def test_an_emptied_node_is_as_out_of_the_box(node, client, order, keeps_key):
    private = node.kept.config.security.private_key
    acknowledged(client, node, AdminMessage(**{order: 1}))
    client.until_end()
    restarted(node)
    assert not node.kept.has_region and not node.public_key and node.kept.open_channels()[0].psk == b"\x01"
    assert (node.flash.config.security.private_key == private) is keeps_key


@pytest.fixture
def far(village, node):
    """A node that takes orders from the holder of GW1's key."""
    made = village.gateway("JAUH", reboot_s=0.03)
    made.kept.config.security.admin_key.append(node.public_key)
    made.settings_changed(is_kept=True)
    return made


def test_over_the_mesh_writes_need_the_pass_key_of_this_session(node, client, far):
    order = set_device(tzdef="WIB-7", node_info_broadcast_secs=7200)
    assert ask(client, far, order, want_ack=True) == "ADMIN_BAD_SESSION_KEY"
    acknowledged(client, far, order)  # who does not ask for a response learns nothing of the refusal
    assert not far.admin_writes
    order.session_passkey = ask(client, far, AdminMessage(get_owner_request=True), want_ack=True).session_passkey
    assert ask(client, far, order, want_ack=True) == "NONE"
    assert far.flash.config.device.tzdef == "WIB-7"
    far.restart()
    assert ask(client, far, order, want_ack=True) == "ADMIN_BAD_SESSION_KEY"


def test_a_pass_key_is_renewed_and_ends():
    now = [1000.0]
    with Village(seed=5, air=Air(5, delay_s=0.0), clock=lambda: now[0]) as village:
        node = village.gateway("GW1")
        admin, key = node._admin, bytes(range(32))
        node.kept.config.security.admin_key.append(key)
        owner = AdminMessage(get_owner_request=True).SerializeToString()
        first = admin.remote(owner, True, key).session_passkey
        order = set_device(tzdef="WIB-7")
        order.session_passkey = first
        now[0] += 299
        assert admin.remote(order.SerializeToString(), True, key) == Error.NONE
        now[0] += 2
        assert admin.remote(order.SerializeToString(), True, key) == Error.ADMIN_BAD_SESSION_KEY
        assert admin.remote(owner, True, key).session_passkey != first


def test_an_order_over_a_channel_is_not_from_an_administrator(village, node, client):
    stranger = village.house("ASING", stranger=True)
    order = AdminMessage(get_owner_request=True).SerializeToString()
    stranger.raw(ADMIN, order, channel="SiagaDesa", to=node.num, want_response=True, want_ack=True)
    until(lambda: any(o.error == "NOT_AUTHORIZED" for o in stranger.outcomes), "a refusal")


def test_a_setting_that_the_firmware_refuses(node, client):
    serial = {"override_console_serial_port": True, "mode": "TEXTMSG"}
    order = AdminMessage(set_module_config=module_config_pb2.ModuleConfig(serial=serial))
    assert ask(client, node, order) == "BAD_REQUEST"
    assert not node.kept.modules.serial.override_console_serial_port
    assert ask(client, node, AdminMessage(set_channel=channel_pb2.Channel(index=8))) == "BAD_REQUEST"
    assert ask(client, node, AdminMessage(set_owner=mesh_pb2.User(long_name="  "))) == "BAD_REQUEST"
    assert node.admin_writes and node.reboots == 0


def test_the_restart_comes_seven_seconds_after_the_last_write_that_needs_it():
    now = [1000.0]
    with Village(seed=5, clock=lambda: now[0]) as village:
        node = village.gateway("GW1")

        def write_at(seconds, **fields):
            now[0] = 1000.0 + seconds
            village.run_due()
            node._admin.local(set_device(**fields).SerializeToString(), False)

        write_at(0.0, role="CLIENT_MUTE")
        write_at(5.0, role="CLIENT")  # a later order puts it off
        write_at(11.9, role="CLIENT", tzdef="WIB-7")  # needs none
        assert node.reboots == 0
        now[0] = 1012.1
        village.run_due()
        assert node.reboots == 1 and node.kept.config.device.tzdef == "WIB-7"
        now[0] = 1100.0
        village.run_due()
        assert node.reboots == 1
