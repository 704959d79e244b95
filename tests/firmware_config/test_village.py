"""A village's file: what it becomes, every mistake at once with its line, and entries made as a careful hand would."""

import os
import stat
from pathlib import Path

import pytest

from bridge.domain.place import Place
from bridge.domain.said import Wrong
from firmware_config.device_values import check
from firmware_config.faults import Refused
from firmware_config.settings import Setting
from firmware_config.village import Village, VillageWrong
from firmware_config.village_enter import enter_node, with_node
from firmware_config.village_file import load_village
from firmware_config.yaml_text import read_yaml
from tests.firmware_config.villages import NODES, TOP, village_file

KEY = bytes(range(32))


def wanted(village: Village, name: str) -> dict[str, Setting]:
    node = village.find(name)
    assert node is not None
    return {setting.path: setting for setting in village.wanted(node)}


def test_a_node_is_told_what_its_profile_and_its_village_say(tmp_path: Path) -> None:
    village = load_village(village_file(tmp_path))
    button = wanted(village, "RT03-12")
    told = {path: button[path].value for path in button}
    assert (
        told.items()
        >= {
            "owner.long_name": "RT03-12",
            "owner.short_name": "0312",
            "config.lora.region": "KR",
            "config.lora.channel_num": 4,
            "config.lora.tx_power": 17,
            "config.lora.hop_limit": 3,
            "module.detection_sensor.name": "RT03-12",
            "module.detection_sensor.monitor_pin": 4,
            "channel.0.name": "SiagaSuci",
            "channel.0.psk": village.channel_key,
            "config.security.admin_key": village.admin_keys,
        }.items()
    )
    assert all(setting.why for setting in button.values())
    assert wanted(village, "RT03-13")["module.serial.txd"].value == 16
    assert wanted(village, "TIANG-1")["config.device.role"].value == "ROUTER"
    assert wanted(village, "POS-1")["config.security.is_managed"].value is False


def test_a_slot_that_the_channels_name_chose_is_written_down(tmp_path: Path) -> None:
    """Else whoever renames the channel on a node moves its frequency, perhaps out of the band."""
    village = load_village(village_file(tmp_path, (TOP + NODES).replace("slot: 4", "slot: 0")))
    assert wanted(village, "RT03-12")["config.lora.channel_num"].value == village.sending.slot_used > 0


def test_every_node_of_a_village_is_told_only_what_a_node_can_be(tmp_path: Path) -> None:
    village = load_village(village_file(tmp_path))
    for node in village.nodes:
        settings = village.wanted(node)
        check(settings)
        assert len({setting.path for setting in settings}) == len(settings)


def test_where_a_node_is_comes_from_its_house_and_place(tmp_path: Path) -> None:
    village = load_village(village_file(tmp_path))
    places = [node.place for node in village.nodes[1:3]]
    assert places == [Place("RT03-12", "03", "01", "depan musala", -8.25, 113.64), Place("RT03-13")]


def test_the_reasons_are_told_in_the_language_asked_for(tmp_path: Path) -> None:
    village = load_village(village_file(tmp_path))
    whys = [{s.path: s.why for s in village.wanted(village.nodes[1], language)} for language in ("id", "en")]
    assert all(whys[0][path] != whys[1][path] for path in whys[0])


def test_the_channels_key_is_shown_nowhere(tmp_path: Path) -> None:
    village = load_village(village_file(tmp_path))
    assert repr(village.channel_key) not in repr(village)
    assert wanted(village, "RT03-12")["channel.0.psk"].is_secret


WRONG = """\
village: 35.09
radio:
  region: SG_923
  preset: LONG_FAST
  slot: 0
  power_dbm: 18
  antena_dbi: 3
  antenna_dbi: 3
chanel: {name: x, key: keys/channel.key}
channel: {name: SiagaSuci, key: keys/none.key}
pins: {buton: 4}
places:
  - {name: musala, lat: 8}
nodes:
  - {name: RT03-12, profile: buton, place: muesala}
  - name: RT03-12
    profile: siren
    hause: RT03
    node: "!a01"
  - {name: RT03-13, profile: gateway, node: "!00000a01", public_key: abc}
  - {name: RT03-14, profile: siren, node: 00000A01}
  - {name: RT3-14, profile: gateway, short: "0314"}
  - {name: RT03-15678, profile: head}
"""


def test_every_mistake_is_told_at_once_with_its_line_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(VillageWrong) as told:
        load_village(village_file(tmp_path, WRONG))
    for language in ("id", "en"):
        said = told.value.said(language).splitlines()
        assert len(said) == len(told.value.mistakes)
        assert sorted({mistake.line for mistake in told.value.mistakes}) == [
            *(0, 1, 2, 7, 9, 10, 11, 13, 15, 16, 18, 19, 20, 21, 22, 23)
        ]
    english = told.value.said("en")
    for part in (
        'line 7: radio antena_dbi: unknown key "antena_dbi"; did you mean "antenna_dbi"?',
        'line 9: chanel: unknown key "chanel"; did you mean "channel"?',
        "line 2: radio: SG_923 slot 31 (from the channel's name 'SiagaSuci') sends at 924.625 MHz",
        "line 2: radio: 18 dBm with an antenna of 3 dBi exceeds 20 dBm EIRP",
        'line 15: nodes 1 (RT03-12) profile: "buton" is not known; did you mean "button"?',
        'line 15: nodes 1 (RT03-12) place: "muesala" is not known; did you mean "musala"?',
        "line 16: nodes 2 name: RT03-12 is there already",
        "line 21: nodes 4 (RT03-14): profile siren needs pins.siren",
        "line 21: nodes 4 node: 00000A01 is there already",
        "line 22: nodes 5 (RT3-14) short: short name 0314 is taken",
        "line 23: nodes 6 (RT03-15678): a head's name has at most 7 letters",
        "admin keys: missing",
    ):
        assert part in english


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("- a\n- b\n", "must hold keys and values"),
        ("village: [1\n", "line 2: not YAML"),
        ("a:\n\t- b\n", "line 2: not YAML"),
        (TOP + "nodes: &x\n  - *x\n", "no references"),
        (TOP + "nodes: {a: b}\n", "must be a list"),
        (TOP + "nodes:\n  - RT03-12\n", "must hold keys and values"),
        (TOP + "village: 35.09.14.2005\n", "line 18: key 'village' is written twice"),
        (TOP + "? [a]\n: b\n", "a key's name must be text"),
        (TOP.replace("slot: 4", "slot: four"), "must be a whole number"),
        (TOP.replace("slot: 4", "slot:"), "radio slot: missing"),
        (TOP.replace("power_dbm: 17", "power_dbm: 0"), "23 dBm"),
        (TOP.replace("antenna_dbi: 3", "antenna_dbi: nan"), "0 to 30 dBi"),
        (TOP.replace("antenna_dbi: 3", "antenna_dbi: 3,5"), "a number with a point"),
        (TOP.replace("button: 4", "button: 0"), "a pin's number is 1 to 127"),
        (TOP.replace("SiagaSuci", "SiagaDesaSuci"), "1 to 11 letters"),
    ],
)
def test_what_is_no_village_is_said_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(VillageWrong) as told:
        load_village(village_file(tmp_path, text))
    assert said in told.value.said("en")


def test_yaml_does_not_turn_what_people_write_into_something_else(tmp_path: Path) -> None:
    text = (
        TOP
        + "places:\n  - {name: no, rt: 010, landmark: 12:30}\nnodes:\n  - {name: RT03-12, profile: button, place: no}"
    )
    (node,) = load_village(village_file(tmp_path, text)).nodes
    assert (node.place.rt, node.place.landmark) == ("010", "12:30")


def test_a_key_that_others_may_read_is_refused_and_never_shown(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    (tmp_path / "keys/channel.key").chmod(0o640)
    with pytest.raises(VillageWrong, match="chmod 600") as told:
        load_village(file)
    assert (tmp_path / "keys/channel.key").read_text().strip() not in str(told.value)


def test_a_short_or_spoilt_key_is_refused_and_never_shown(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    (tmp_path / "keys/channel.key").write_text("AQ==\n")
    (tmp_path / "keys/admin.pub").write_text("AQIDBA==\n")
    with pytest.raises(VillageWrong) as told:
        load_village(file)
    assert [mistake.line for mistake in told.value.mistakes] == [4, 12]
    assert "AQ==" not in str(told.value)


def test_a_box_is_entered_without_touching_anything_else(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    file.chmod(0o664)
    village = load_village(file)
    for number, name in enumerate(("RT03-13", "POS-1", "SIR-1"), start=0xA01):
        village = enter_node(village, name, number)
        village = enter_node(village, name, number, number.to_bytes(32, "big"))
    known = {node.name: (node.number, node.public_key) for node in load_village(file).nodes if node.is_done}
    assert known == {name: (n, n.to_bytes(32, "big")) for n, name in enumerate(("RT03-13", "POS-1", "SIR-1"), 0xA01)}
    kept = [line for line in file.read_text().splitlines() if "node:" not in line and "public_key" not in line]
    assert kept == [line for line in (TOP + NODES).splitlines() if "RT03-13" not in line]
    assert '  - name: POS-1      # di pos\n    node: "!00000a02"\n    public_key:' in file.read_text()
    assert "profile: head}   # satu baris" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o664
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "village.yaml"]


def test_entering_twice_writes_nothing(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    village = enter_node(load_village(file), "POS-1", 0xA01, KEY)
    before = file.stat()
    assert enter_node(village, "POS-1", 0xA01, KEY) == village
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "entry",
    [
        "  - name: A",
        "  - name: A\n",
        "  -   name: A # x\n      node:\n",
        "  - {node: , name: A}\n",
        "  - {name: A}",
        "  - 'name': \"A\"\n    node: '!00000001'\n",
        "  - profile: relay\n    name: A\n\n  # next\n",
        "  # di rumah Bu Sartiyé, pojok \U0001f33e\n  - {name: A}  # é\n",
    ],
)
def test_wherever_a_hand_wrote_the_name_the_number_finds_its_place(entry: str) -> None:
    text = f"x: 1\nnodes:\n{entry}"
    (node,) = read_yaml(with_node(text, "A", 0xA01, KEY)).data["nodes"]
    assert (node["name"], node["node"]) == ("A", "!00000a01")
    assert node["public_key"].endswith("=")


def test_a_file_written_with_windows_is_read_and_entered_into(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    file.write_bytes(b"\xef\xbb\xbf" + (TOP + NODES).replace("\n", "\r\n").encode())
    enter_node(load_village(file), "POS-1", 0xA01, KEY)
    node = load_village(file).find("POS-1")
    assert node is not None and node.is_done


def test_a_number_that_another_box_has_is_not_entered(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    village = enter_node(load_village(file), "POS-1", 0xA01, KEY)
    before = file.read_bytes()
    with pytest.raises(Wrong):
        enter_node(village, "SIR-1", 0xA01)
    assert file.read_bytes() == before


def test_a_file_that_cannot_be_written_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = village_file(tmp_path)
    village, before = load_village(file), file.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="No space left"):
        enter_node(village, "POS-1", 0xA01)
    assert file.read_bytes() == before
