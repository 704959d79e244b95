"""A box kept in a sealed file, and another made of it; typed as a technician types it, against simulated nodes."""

import base64
import json

import pytest

from firmware_config.device import apply, open_device
from firmware_config.device_backup import NodeBackup, changes, is_secret, keep, load
from firmware_config.faults import Refused
from firmware_config.locks import KeyLock, PassphraseLock
from firmware_config.paper_key import PaperKey
from firmware_config.settings import Setting
from simulator.village import Village
from tests.cli.kentongan import run
from tests.firmware_config.device_parts import PSK, QUICK, RELAY, kept

BOX = {"reboot_s": 0.05, "down_s": 0.01}


@pytest.fixture
def village():
    with Village(seed=12) as running:
        yield running


@pytest.fixture
def relay(village):
    """A box that was set up as RELAY says."""
    made = village.factory_new("relay", **BOX)
    with open_device(made.serve_tcp(), QUICK) as device:
        assert apply(device, RELAY).is_right
    return made


@pytest.fixture
def stick(tmp_path):
    path = tmp_path / "stick.key"
    path.write_text(PaperKey.new().text)
    return path


def node(*words, key=None):
    """The command in English, and in any case that it showed no key."""
    with_key = ("--key", key, "--same-disk") if key else ()
    done = run("node", *words, *with_key, "--lang", "en")
    assert "Traceback" not in done.stderr, done.stderr
    assert not any(shape in done.stdout + done.stderr for shape in shapes(PSK))
    return done


def shapes(secret):
    return (secret.hex(), base64.b64encode(secret).decode(), repr(secret)[2:-1])


def test_a_broken_box_is_replaced_from_its_backup(village, relay, stick, tmp_path):
    file = tmp_path / "relay.backup"
    made = node("backup", file, "--port", relay.serve_tcp(), key=stick)
    assert (made.returncode, made.stderr) == (0, "") and f"!{relay.num:08x} is kept" in made.stdout
    sealed = file.read_bytes()
    secrets = (PSK, relay.kept.config.security.private_key)
    assert not any(s in sealed for secret in secrets for s in (secret, *map(str.encode, shapes(secret))))
    assert b"Relai Masjid" not in sealed

    other = village.factory_new("spare", **BOX)
    unsure = node("restore", file, "--port", other.serve_tcp(), key=stick)
    assert unsure.returncode == 1 and "Never switch the old box on again" in unsure.stderr
    assert not other.admin_writes
    done = node("restore", file, "--port", other.serve_tcp(), "--yes", key=stick)
    assert done.returncode == 0 and "read back, right" in done.stdout
    assert kept(other, RELAY) and other.public_key == relay.public_key
    again = node("restore", file, "--port", other.serve_tcp(), "--yes", key=stick)
    assert "nothing was written" in again.stdout

    twin = tmp_path / "spare.backup"
    node("backup", twin, "--port", other.serve_tcp(), key=stick)
    compared = node("diff", file, twin, key=stick).stdout.splitlines()
    assert compared[0] == f"!{relay.num:08x} and !{other.num:08x} are not the same box"
    assert compared[1:] == ["both are the same"]


def test_a_replacement_that_keeps_its_own_key(village, relay, stick, tmp_path):
    file = tmp_path / "relay.backup"
    node("backup", file, "--port", relay.serve_tcp(), key=stick)
    other = village.gateway("spare", **BOX)
    before = other.public_key
    done = node("restore", file, "--port", other.serve_tcp(), "--own-key", "--yes", "--json", key=stick)
    assert json.loads(done.stdout)["left"] == []
    assert kept(other, RELAY) and other.public_key == before


def test_what_is_refused(village, relay, stick, tmp_path):
    file = tmp_path / "relay.backup"
    url = relay.serve_tcp()
    assert "name its key with --key" in node("backup", file, "--port", url).stderr
    blank = village.factory_new("kosong")
    assert "has no key of its own yet" in node("backup", file, "--port", blank.serve_tcp(), key=stick).stderr
    assert not file.exists()
    node("backup", file, "--port", url, key=stick)
    before = file.read_bytes()
    assert "is there already" in node("backup", file, "--port", url, key=stick).stderr
    stick.write_text(PaperKey.new().text)
    other = village.factory_new("spare", **BOX)
    stranger = node("restore", file, "--port", other.serve_tcp(), "--yes", key=stick)
    assert stranger.returncode == 1 and "is not the key of" in stranger.stderr
    assert file.read_bytes() == before and not other.admin_writes
    assert (
        "no Meshtastic radio answers" in node("backup", tmp_path / "x", "--port", "tcp://127.0.0.1:1", key=stick).stderr
    )


VALUES = {
    "owner.long_name": "Pos 1",
    "config.lora.tx_power": 17,
    "config.power.adc_multiplier_override": 1.5,
    "config.bluetooth.enabled": False,
    "config.position.gps_mode": "DISABLED",
    "config.security.admin_key": (b"a" * 32, b"b" * 32),
    "config.security.private_key": b"p" * 32,
    "config.security.public_key": b"q" * 32,
    "channel.0.role": "PRIMARY",
    "channel.0.psk": PSK,
    "channel.1.role": "DISABLED",
    "channel.1.psk": b"\x01",
}


def test_a_backup_comes_back_as_it_was_and_knows_what_to_write(tmp_path):
    backup, lock = NodeBackup(7, "2.7.26", "2026-11-26T05:00:00+00:00", VALUES), PassphraseLock("kata sandi panjang")
    keep(backup, tmp_path / "box", lock)
    assert load(tmp_path / "box", lock) == backup and backup.public_key == b"q" * 32
    written = [setting.path for setting in backup.settings()]
    assert set(VALUES) - set(written) == {"config.security.public_key", "channel.1.psk"}
    assert "config.security.private_key" not in [each.path for each in backup.settings(with_key=False)]
    assert PSK not in repr(backup).encode() and is_secret("channel.0.psk") and not is_secret("owner.long_name")


@pytest.mark.parametrize("at", [3, 60, 200, -1])
def test_a_damaged_backup_does_not_open(tmp_path, at):
    lock = KeyLock(PaperKey.new())
    keep(NodeBackup(7, "2.7.26", "", VALUES), tmp_path / "box", lock)
    octets = bytearray((tmp_path / "box").read_bytes())
    octets[at] ^= 1
    (tmp_path / "box").write_bytes(octets)
    with pytest.raises(Refused):
        load(tmp_path / "box", lock)


def test_what_changed_between_two_backups():
    old = NodeBackup(7, "2.7.26", "", VALUES)
    new = NodeBackup(7, "2.7.26", "", VALUES | {"config.lora.tx_power": 20, "channel.0.psk": bytes(32)})
    assert [(each.setting, each.now) for each in changes(old, new)] == [
        (Setting("channel.0.psk", bytes(32), is_secret=True), PSK),
        (Setting("config.lora.tx_power", 20), 17),
    ]
    assert changes(old, old) == ()


def test_a_box_that_sent_out_of_the_band_is_not_made_anew(village, stick, tmp_path):
    values = {each.path: each.value for each in RELAY} | {"config.lora.override_frequency": 917.875}
    keep(NodeBackup(0xA01, "2.7.26", "-", values), tmp_path / "x.backup", KeyLock(PaperKey.read(stick.read_text())))
    spare = village.factory_new("spare", **BOX)
    done = node("restore", tmp_path / "x.backup", "--port", spare.serve_tcp(), "--yes", key=stick)
    assert done.returncode == 1 and "920-923 MHz" in done.stderr and not spare.admin_writes
