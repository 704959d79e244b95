"""Labels to print: every house, its rhythms, its numbers and its code; the channel's key in a file of its own."""

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from meshtastic.protobuf import admin_pb2, apponly_pb2, config_pb2
from typer.testing import CliRunner

from cli.app import app
from firmware_config.device_codes import CHANNEL, CONTACT, channel_code, contact_code
from firmware_config.keys import read_channel_key
from firmware_config.label_sheet import phrases_of
from firmware_config.svg import A4_MM
from firmware_config.village_file import load_village
from tests.firmware_config.villages import village_file

KEY = bytes(range(32))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    path = tmp_path / "sources.toml"
    nodes = (
        f'[[source]]\nnode = "!00000a{number:02}"\nhouse = "RT03-{number:02}"\nlandmark = "warung <Bu Ani> & musala"\n'
        f'public_key = "{base64.b64encode(KEY[:-1] + bytes([number])).decode()}"\n'
        for number in range(1, 8)
    )
    path.write_text("".join(nodes) + '[[source]]\nhead = "RT05-01"\nrt = "05"\nrw = "01"\n')
    return path


def printed(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["labels", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def texts(sheet: Path) -> list[str]:
    return [text.text or "" for text in ET.parse(sheet).iter(f"{SVG}text")]


def test_every_house_has_its_label_six_on_a_sheet(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.svg"
    assert "8 label, 2 lembar" in printed(sources, "--out", out)
    said = texts(out) + texts(tmp_path / "sheet-2.svg")
    houses = [house for house in said if house.startswith("RT0")]
    assert sorted(houses) == [*(f"RT03-{number:02}" for number in range(1, 8)), "RT05-01"]
    assert "RT 05/RW 01" in said and "warung <Bu Ani> & musala" in said
    assert {"110 polisi · 112 darurat", "Tekan tombolnya sekali."} <= set(said)


def test_a_head_shows_the_villages_own_rhythms_in_its_language(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.svg"
    printed(sources, "--out", out, "--codebook", "b", "--lang", "en")
    last = texts(tmp_path / "sheet-2.svg")
    assert [meaning for meaning in last if meaning in {"murder", "theft", "fire", "disaster", "accident", "brawl"}] == [
        "murder", "theft", "fire", "disaster", "accident", "brawl",
    ]  # fmt: skip
    dots = len(list(ET.parse(tmp_path / "sheet-2.svg").iter(f"{SVG}circle")))
    assert dots == 8 + 2 + 3 + 3 + 1 + 1 + 3 + 2 + 3
    assert (phrases_of("3-3"), phrases_of("2.3")) == (((3,), (3,)), ((2, 3),))


def test_nothing_is_drawn_beyond_the_paper(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.svg"
    printed(sources, "--out", out)
    root = ET.parse(out).getroot()
    assert root.get("width") == f"{A4_MM[0]}mm"
    for text in root.iter(f"{SVG}text"):
        wide = len(text.text or "") * float(text.get("font-size", "0")) * 0.56
        assert float(text.get("x", "0")) + wide <= A4_MM[0] - 10, text.text
        assert float(text.get("y", "0")) <= A4_MM[1] - 10


def test_a_nodes_code_is_its_contact_with_its_key_and_nothing_secret() -> None:
    code = contact_code(0xA01, "RT03-12", KEY)
    contact = admin_pb2.SharedContact.FromString(_raw(code, CONTACT))
    assert (contact.node_num, contact.user.id, contact.user.long_name) == (0xA01, "!00000a01", "RT03-12")
    assert contact.user.public_key == KEY


def test_a_channels_code_joins_the_village_and_is_told_as_a_secret(tmp_path: Path) -> None:
    village = village_file(tmp_path)
    out = tmp_path / "sheet.svg"
    said = printed(village, "--out", out, "--with-channel")
    secret = tmp_path / "sheet-channel.svg"
    assert "AWAS" in said and secret.stat().st_mode & 0o777 == 0o600
    assert "RT03-12" in texts(out) and "TIANG-1" not in texts(out), "a relay has no house to label"
    joined = apponly_pb2.ChannelSet.FromString(_raw(channel_code(load_village(village)), CHANNEL))
    key = read_channel_key(tmp_path / "keys/channel.key")
    assert (joined.settings[0].name, joined.settings[0].psk) == ("SiagaSuci", key)
    lora = joined.lora_config
    assert (lora.channel_num, lora.tx_power, lora.use_preset) == (4, 17, True)
    assert (lora.region, lora.modem_preset) == (
        config_pb2.Config.LoRaConfig.KR,
        config_pb2.Config.LoRaConfig.MEDIUM_FAST,
    )


def test_without_the_wish_no_channel_is_written_and_a_register_has_none(sources: Path, tmp_path: Path) -> None:
    printed(village_file(tmp_path / "v"), "--out", tmp_path / "v/sheet.svg")
    assert not list((tmp_path / "v").glob("*channel.svg"))
    assert "village.yaml" in printed(sources, "--with-channel", code=1)
    (tmp_path / "empty.toml").write_text("")
    assert "tidak ada rumah" in printed(tmp_path / "empty.toml", code=1)


def _raw(code: str, prefix: str) -> bytes:
    text = code.removeprefix(prefix)
    assert code.startswith(prefix) and re.fullmatch("[A-Za-z0-9_-]+", text)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
