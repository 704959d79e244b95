"""Settings into a node and back: order, restarts, losses, pulled cables; against a simulated node over real wires."""

import time
from dataclasses import replace

import pytest

from firmware_config.device import (
    BadSetting,
    DeviceLost,
    DeviceManaged,
    Progress,
    Step,
    apply,
    known_paths,
    open_device,
    verify,
)
from firmware_config.settings import Setting
from simulator import handshake
from simulator.air import Air
from simulator.village import Village
from tests.firmware_config.device_parts import ADMIN_KEY, LOSSY, PSK, QUICK, RELAY, Passing, Wire, kept


@pytest.fixture
def village():
    with Village(seed=9, air=Air(9, delay_s=0.005, retry_s=0.2)) as running:
        yield running


@pytest.fixture
def node(village):
    return village.factory_new("baru", reboot_s=0.02, down_s=0.01)


def applied(url, wanted=RELAY, timing=QUICK):
    with open_device(url, timing) as device:
        return apply(device, wanted)


def names(orders):
    """What was ordered, in short: `lora`, `detection_sensor`, `channel 0`, `begin` …"""
    return [_name(order) for order in orders]


def _name(order):
    kind = order.WhichOneof("payload_variant")
    if kind == "set_channel":
        return f"channel {order.set_channel.index}"
    section = getattr(order, kind)
    return kind.split("_")[0] if isinstance(section, bool) else _section(kind, section)


def _section(kind, section):
    return section.WhichOneof("payload_variant") if "config" in kind else kind.removeprefix("set_")


def test_a_node_out_of_the_box_becomes_what_is_wanted_and_keeps_it(node):
    with open_device(node.serve_tcp(), QUICK) as device:
        assert (device.node, device.firmware, device.public_key) == (node.num, "2.7.26.54e0d8d", b"")
        report = apply(device, RELAY)
        assert report.is_right and verify(device, RELAY) == ()
        assert device.public_key == node.public_key and len(node.public_key) == 32
    assert kept(node, RELAY)
    assert node.kept.config == node.flash.config and node.kept.channels == node.flash.channels


def test_the_order_is_the_one_that_real_firmware_needs(node):
    report = applied(node.serve_tcp())
    assert report.restarts == node.reboots == 1
    assert names(node.admin_writes) == [
        *("begin", "lora", "device"),  # region and role: what they brought with them is read before the rest is written
        *("device", "owner", "bluetooth", "display", "network", "position", "power", "channel 0"),
        *("detection_sensor", "mqtt", "telemetry", "commit"),  # and a restart
        "security",  # last, alone, saved at once
    ]


def test_what_region_and_role_bring_with_them_is_not_overwritten_with_what_was_before(node):
    applied(node.serve_tcp())
    assert node.flash.owner.is_unmessagable and node.flash.modules.mqtt.root == "msh/KR"


def test_what_only_the_restart_takes_back_is_written_once_more(node, monkeypatch):
    """A firmware that installs the router's rebroadcast mode while it boots."""
    forget = node._forget

    def boot():
        if node.reboots == 1:
            node._flash.config.device.rebroadcast_mode = "CORE_PORTNUMS_ONLY"
        forget()

    monkeypatch.setattr(node, "_forget", boot)
    report = applied(node.serve_tcp())
    assert report.is_right and report.restarts == 2 and kept(node, RELAY)
    assert names(node.admin_writes)[-5:] == ["commit", "begin", "device", "commit", "security"]


def test_a_second_time_writes_nothing(node):
    url = node.serve_tcp()
    applied(url)
    written = node.admin_writes
    report = applied(url)
    assert report.is_right and report.written == () and report.restarts == 0
    assert node.admin_writes == written


def test_what_was_found_is_told_with_every_default(node):
    with open_device(node.serve_tcp(), QUICK) as device:
        found = device.read()
    assert set(found) == known_paths()
    assert found["config.lora.region"] == "UNSET" and found["config.lora.tx_power"] == 0
    assert found["channel.0.psk"] == b"\x01" and found["channel.3.role"] == "DISABLED"
    assert found["config.security.admin_key"] == () and found["config.network.ipv4_config.ip"] == 0


def test_one_setting_of_a_settled_node_touches_its_section_alone(node):
    url = node.serve_tcp()
    applied(url)
    before, key = len(node.admin_writes), node.public_key
    wanted = [replace(each, value=5) if each.path == "config.lora.channel_num" else each for each in RELAY]
    report = applied(url, wanted)
    assert [(each.setting.path, each.now) for each in report.written] == [("config.lora.channel_num", 4)]
    assert names(node.admin_writes[before:]) == ["begin", "commit", "lora"] and kept(node, wanted)
    assert node.public_key == key


def test_surplus_channels_are_closed_and_their_keys_forgotten(village):
    node = village.gateway("GW1", reboot_s=0.02, down_s=0.01)
    assert node.kept.channels[1].settings.psk
    assert applied(node.serve_tcp()).is_right
    assert [channel.role for channel in node.flash.channels] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert not node.flash.channels[1].settings.psk


def test_what_a_node_does_not_take_is_named_and_the_rest_is_right(node):
    too_much = Setting("config.lora.tx_power", 27, "the mast is far")
    wanted = [too_much if each.path == too_much.path else each for each in RELAY]
    report = applied(node.serve_tcp(), wanted)
    assert [(each.setting, each.now) for each in report.left] == [(too_much, 23)] and not report.is_right
    assert kept(node, [each for each in RELAY if each.path != too_much.path])


def test_what_the_firmware_refuses_is_named_and_the_rest_is_right(node):
    """It takes no text mode on the console's own port."""
    console = Setting("module.serial.override_console_serial_port", True)
    wanted = [*RELAY, Setting("module.serial.mode", "TEXTMSG"), console]
    report = applied(node.serve_tcp(), wanted)
    assert {each.setting.path for each in report.left} == {"module.serial.mode", console.path}
    assert kept(node, RELAY)


def test_a_section_that_the_node_does_not_tell_is_never_written(node, monkeypatch):
    """Old firmware lacks modules: a section written unread would lose the rest of it."""
    sections = tuple(name for name in handshake.MODULES if name != "detection_sensor")
    monkeypatch.setattr(handshake, "MODULES", sections)
    report = applied(node.serve_tcp())
    untold = {each.setting.path for each in report.left}
    assert untold == {"module.detection_sensor.enabled", "module.detection_sensor.name"}
    assert "detection_sensor" not in names(node.admin_writes)
    assert kept(node, [each for each in RELAY if each.path not in untold])


def test_mistakes_are_found_before_anything_is_written_and_show_no_value(node):
    wrong = [
        Setting("config.lora.regoin", "KR"),
        Setting("config.lora.region", "INDONESIA"),
        Setting("channel.9.name", "x"),
        Setting("channel.0.psk", "rahasia sekali", is_secret=True),
        Setting("config.bluetooth.enabled", 1),
        Setting("config.lora.hop_limit", 2**40),
        Setting("owner.short_name", "R2"),  # RELAY wants another
    ]
    with pytest.raises(BadSetting) as error:
        applied(node.serve_tcp(), [*RELAY, *wrong])
    assert error.value.paths == tuple(each.path for each in wrong)
    assert "rahasia" not in str(error.value) and not node.admin_writes


def test_progress_is_told_section_by_section(node):
    told: list[Progress] = []
    with open_device(node.serve_tcp(), QUICK) as device:
        apply(device, RELAY, told.append)
    assert told[0].step is Step.READING and any(each.step is Step.RESTARTING for each in told)
    writing = [each for each in told if each.step is Step.WRITING]
    assert [each.done for each in writing[2:13]] == list(range(11)) and {each.total for each in writing[2:13]} == {11}


def test_a_managed_node_is_read_but_not_written_at_the_cable(node):
    url = node.serve_tcp()
    managed = [*RELAY, Setting("config.security.is_managed", True)]
    assert applied(url, managed).is_right, "its own last write still passes"
    assert applied(url, managed).is_right, "nothing to write"
    with pytest.raises(DeviceManaged):
        applied(url, [*managed, Setting("config.lora.hop_limit", 5)])
    assert kept(node, managed)


def test_the_cable_is_closed_only_after_the_admin_keys_were_read_back(node):
    """A key that was lost or spoilt on its way would else lock everybody out for ever."""
    managed = [*RELAY, Setting("config.security.is_managed", True)]
    assert applied(node.serve_tcp(), managed).is_right
    written = [order.set_config.security for order in node.admin_writes if _name(order) == "security"]
    assert [(list(each.admin_key), each.is_managed) for each in written] == [([ADMIN_KEY], False), ([ADMIN_KEY], True)]


def test_a_node_with_anything_amiss_is_not_closed(node):
    """It must be mended first, and that is done at its cable."""
    too_much = Setting("config.lora.tx_power", 27)
    wanted = [too_much if each.path == too_much.path else each for each in RELAY]
    managed = Setting("config.security.is_managed", True)
    report = applied(node.serve_tcp(), [*wanted, managed])
    assert {each.setting for each in report.left} == {too_much, managed} and node.reboots <= 3
    assert kept(node, [each for each in RELAY if each.path != too_much.path])
    assert applied(node.serve_tcp(), [*RELAY, managed]).is_right and kept(node, [*RELAY, managed])


def test_a_node_in_ham_mode_is_brought_back_under_the_law(node):
    """It has no encryption and no limit of power."""
    url, ham = node.serve_tcp(), Setting("owner.is_licensed", True)
    assert applied(url, [*RELAY, ham]).is_right and kept(node, [ham])
    lawful = [*RELAY, Setting("owner.is_licensed", False)]
    assert applied(url, lawful).is_right and kept(node, lawful)


def test_another_node_at_the_same_cable_is_not_written(village, node):
    other = village.factory_new("lain")
    with open_device(node.serve_tcp(), QUICK) as device:
        device.close()
        device.url = other.serve_tcp()
        with pytest.raises(Exception, match="another node answers"):
            device.come_back()
    assert not other.admin_writes


# On bad wires

ORDERS = 16  # of one whole run on a clean wire


def test_the_stories_below_break_the_wire_at_every_order(node):
    with Wire(node) as wire:
        applied(wire.url)
        assert len(wire.passing.orders) == ORDERS
        seconds = (wire.bytes_up + wire.bytes_down) / (115_200 / 10)
    assert seconds < 6, "60 s are promised at 115,200 baud; a slow node may need ten times the wire's share"


@pytest.mark.parametrize("lost", [*range(0, 44, 4), *range(90, 140, 3)])
def test_a_message_of_the_node_that_is_lost_is_asked_for_again(node, lost):
    """Some of what it tells about itself, some acknowledgements."""
    with Wire(node, Passing(deaf_to=lost)) as wire:
        assert applied(wire.url, timing=LOSSY).is_right and kept(node, RELAY)
        assert wire.messages_down > lost


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("at", range(ORDERS))
def test_a_cable_that_was_out_for_a_moment(node, at, share):
    with Wire(node, Passing(cut=at, share=share)) as wire:
        report = applied(wire.url)
        assert report.is_right and kept(node, RELAY)


@pytest.mark.parametrize("power", ["stays", "fails"])
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("at", range(ORDERS))
def test_a_run_that_was_broken_off_is_run_again(node, at, share, power):
    """Ctrl-C, kill or a pulled cable in the middle; whether the node's power held or not, the next run ends right."""
    with Wire(node, Passing(cut=at, share=share, stays_cut=True)) as wire:
        break_off(wire)
        if power == "fails":
            node.restart()
        wire.mend()
        assert eventually_applied(wire.url).is_right
        assert kept(node, RELAY), "nothing waits for a commit"
        assert applied(wire.url).written == ()


def break_off(wire):
    """Run until the wire is cut, and give up at once."""
    with open_device(wire.url, QUICK) as device:

        def give_up():
            device.timing = replace(QUICK, back_s=0.0)

        wire.passing.before_cut = give_up
        with pytest.raises(DeviceLost):
            apply(device, RELAY)


def eventually_applied(url):
    """What a technician does whose node is still starting: try again."""
    end = time.monotonic() + 10
    while True:
        try:
            return applied(url)
        except DeviceLost:
            assert time.monotonic() < end, "it never comes back"


def test_a_wire_that_stays_cut_is_told(node):
    with Wire(node, Passing(cut=3, stays_cut=True)) as wire, pytest.raises(DeviceLost):
        applied(wire.url, timing=replace(QUICK, back_s=0.1))


def test_nobody_is_there():
    with pytest.raises(DeviceLost):
        open_device("tcp://127.0.0.1:1", QUICK)


def test_no_key_shows_in_what_can_be_printed(node):
    with open_device(node.serve_tcp(), QUICK) as device:
        apply(device, RELAY)
        told = device.tell()
    assert PSK.hex() not in repr(told) and repr(told) == f"<settings of !{node.num:08x}>"
