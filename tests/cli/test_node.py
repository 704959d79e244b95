"""`kentongan node` as a technician types it, against the simulator's nodes: from an empty box to a checked one."""

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bridge.sources import load_sources
from cli.node_setup import claim, set_up
from cli.node_words import SAID
from firmware_config.device import Timing, open_device
from firmware_config.keys import read_admin_keys
from firmware_config.village_file import load_village
from simulator.identity import Identity
from simulator.node import Node
from simulator.village import Village
from tests.cli.kentongan import ENVIRONMENT, run
from tests.firmware_config.villages import NODES, TOP, village_file

QUICK = {"reboot_s": 0.05, "down_s": 0.0}
ROOM = TOP + "sources: sources.toml\n" + NODES


@pytest.fixture
def air() -> Iterator[Village]:
    with Village(seed=4) as village:
        yield village


def node(*words: str | Path, script: str = "", lang: str = "en") -> subprocess.CompletedProcess[str]:
    """The command, and in any case that no key was shown."""
    done = run("node", *words, "--lang", lang, script=script)
    assert "Traceback" not in done.stderr, done.stderr
    file = next((Path(word) for word in words if str(word).endswith("village.yaml")), None)
    if file is not None and (file.parent / "keys/channel.key").exists():
        key = (file.parent / "keys/channel.key").read_text().strip()
        raw = base64.b64decode(key + "=" * (-len(key) % 4))
        assert not any(secret in done.stdout + done.stderr for secret in (key, raw.hex(), repr(raw)))
    return done


def new_box(air: Village, name: str, **more: object) -> tuple[Node, str]:
    box = air.factory_new(name, **(QUICK | more))  # type: ignore[arg-type]
    return box, box.serve_tcp()


def test_a_new_village_needs_its_code_and_its_boxes_and_nothing_else(tmp_path: Path) -> None:
    made = node("new", tmp_path / "suci")
    file = tmp_path / "suci/village.yaml"
    assert (made.returncode, made.stderr) == (0, "")
    assert f"kentongan node check {file}" in made.stdout
    wrong = node("check", file)
    assert wrong.returncode == 1
    assert wrong.stderr.splitlines() == [
        "kentongan: village.yaml line 5: village: 'PP.KK.CC.DDDD' is no village code PP.KK.CC.DDDD, "
        "for example 35.09.14.2005"
    ]
    file.write_text(file.read_text().replace("PP.KK.CC.DDDD", "35.09.14.2005", 1))
    right = node("check", file)
    assert right.returncode == 0
    assert "920.875 MHz (920.750 MHz - 921.000 MHz), within 920-923 MHz" in right.stdout
    assert "17 dBm + antenna 3 dBi = 20 dBm EIRP" in right.stdout


def test_a_new_villages_keys_are_its_owners_alone_and_never_shown(tmp_path: Path) -> None:
    made = node("new", tmp_path / "suci", "--village", "35.09.14.2005", "--channel", "SiagaSuci", "--json")
    keys = tmp_path / "suci/keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == dict.fromkeys(
        ("admin.key", "admin.pub", "channel.key"), 0o600
    )
    private = (keys / "admin.key").read_text().strip()
    public = X25519PrivateKey.from_private_bytes(base64.b64decode(private)).public_key().public_bytes_raw()
    assert read_admin_keys(keys / "admin.pub") == (public,)
    assert json.loads(made.stdout) == {"village": str(tmp_path / "suci/village.yaml"), "keys": str(keys)}
    assert private not in made.stdout
    assert load_village(tmp_path / "suci/village.yaml").sending.channel == "SiagaSuci"


def test_a_village_is_not_made_over_another(tmp_path: Path) -> None:
    node("new", tmp_path / "suci")
    before = {path: path.read_bytes() for path in (tmp_path / "suci").rglob("*") if path.is_file()}
    again = node("new", tmp_path / "suci")
    assert again.returncode == 1 and "nothing was changed" in again.stderr
    assert {path: path.read_bytes() for path in (tmp_path / "suci").rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["suci"]


def test_an_out_of_band_slot_and_a_typo_are_refused_before_any_box_is_touched(tmp_path: Path, air: Village) -> None:
    text = ROOM.replace("region: KR", "region: SG_923").replace("profile: siren", "profle: siren")
    file = village_file(tmp_path, text)
    box, url = new_box(air, "box")
    for words in (["check", file], ["provision", file, "--port", url], ["apply", file, "POS-1", "--port", url]):
        refused = node(*words)
        assert refused.returncode == 1
        assert "SG_923 slot 4 sends at 917.875 MHz" in refused.stderr
        assert 'unknown key "profle"; did you mean "profile"?' in refused.stderr
    assert (box.admin_writes, file.read_text()) == ((), text)


def test_a_plan_says_what_is_now_what_is_wanted_and_why_and_writes_nothing(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path)
    box, url = new_box(air, "box")
    planned = node("plan", file, "RT03-12", "--port", url)
    assert planned.returncode == 0
    assert "  config.lora.region: UNSET -> KR\n      KR lies wholly in 920-923 MHz;" in planned.stdout
    assert "  channel.0.psk: (secret) -> (secret)\n" in planned.stdout
    assert "  module.detection_sensor.minimum_broadcast_secs: 45 -> 10\n" in planned.stdout
    told = json.loads(node("plan", file, "RT03-12", "--port", url, "--json", lang="id").stdout)
    by_path = {difference["what"]: difference for difference in told["differences"]}
    region, key = by_path["config.lora.region"], by_path["channel.0.psk"]
    assert (region["now"], region["wanted"], key["now"], key["wanted"]) == ("UNSET", "KR", "(rahasia)", "(rahasia)")
    assert "di luar pita Indonesia" in region["why"]
    assert (box.admin_writes, file.read_text()) == ((), TOP + NODES)


def test_a_box_is_set_up_checked_and_entered_and_a_second_time_nothing_is_written(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path, ROOM)
    box, url = new_box(air, "box")
    applied = node("apply", file, "RT03-12", "--port", url)
    assert (applied.returncode, applied.stderr) == (0, "")
    assert "Write RT03-12 on this box." in applied.stdout
    known = load_village(file).find("RT03-12")
    assert known is not None and (known.number, known.public_key) == (box.num, box.public_key)
    source = load_sources(tmp_path / "sources.toml").find(f"node:{box.num:08x}")
    assert source is not None and (source.public_key, source.label, source.home) == (box.public_key, "RT03-12", "pos-1")
    writes, kept = len(box.admin_writes), [path.read_bytes() for path in (file, tmp_path / "sources.toml")]
    again = node("apply", file, "RT03-12", "--port", url)
    assert (again.returncode, again.stdout) == (0, "RT03-12: right already, nothing was written\n")
    assert node("verify", file, "RT03-12", "--port", url).returncode == 0
    assert len(box.admin_writes) == writes
    assert [path.read_bytes() for path in (file, tmp_path / "sources.toml")] == kept


def test_what_somebody_changed_is_named_and_a_managed_box_tells_the_way(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path)
    box, url = new_box(air, "box")
    node("apply", file, "RT03-12", "--port", url)
    box.kept.config.lora.hop_limit = 7
    wrong = node("verify", file, "RT03-12", "--port", url)
    assert wrong.returncode == 1
    assert "config.lora.hop_limit: 7 -> 3" in wrong.stdout
    assert wrong.stderr == "kentongan: RT03-12: 1 settings are not as they should be\n"
    refused = node("apply", file, "RT03-12", "--port", url)
    assert refused.returncode == 1
    assert f"kentongan node apply {file} RT03-12 --port POST-RADIO --remote" in refused.stderr


def test_a_box_that_is_not_ours_or_not_that_one_is_not_written_to(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path)
    stranger = air.gateway("hobbyist")
    ours, url = new_box(air, "ours")
    node("apply", file, "POS-1", "--port", url)
    new, new_url = new_box(air, "new")
    text, writes = file.read_text(), len(ours.admin_writes)
    for name, port, said in (
        ("RT03-12", stranger.serve_tcp(), "is unknown and not empty; nothing was written"),
        ("RT03-12", url, "POS-1 (!67770002) is plugged in"),
        ("POS-1", new_url, "POS-1 is box !67770002, not this new one"),
        ("RT03-99", new_url, "there is no RT03-99"),
    ):
        refused = node("apply", file, name, "--port", port)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert (stranger.admin_writes, new.admin_writes, len(ours.admin_writes)) == ((), (), writes)
    assert file.read_text() == text


def test_old_firmware_is_refused_and_the_way_to_new_is_told(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path)
    box, url = new_box(air, "old", firmware="2.7.11.ee68575")
    refused = node("apply", file, "POS-1", "--port", url, lang="id")
    assert refused.returncode == 1
    for words in ("firmware 2.7.11.ee68575 terlalu lama", "stik USB", ".uf2", "device-install.sh", "factory-reset"):
        assert words in refused.stderr
    assert (box.admin_writes, file.read_text()) == ((), TOP + NODES)


def test_nothing_at_the_port_is_a_sentence(tmp_path: Path) -> None:
    lost = node("plan", village_file(tmp_path), "POS-1", "--port", "serial:///dev/none")
    assert lost.returncode == 1
    assert "/dev/none" in lost.stderr and "data cable" in lost.stderr


def test_a_port_without_its_kind_and_a_mistyped_file_are_told_what_to_type(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    port = node("plan", file, "POS-1", "--port", "/dev/ttyUSB0", lang="id")
    assert port.stderr == (
        "kentongan: --port /dev/ttyUSB0 bukan alamat kotak; tulis misalnya serial:///dev/ttyUSB0. "
        "Yang tersambung: kentongan ports\n"
    )
    absent = node("check", tmp_path / "village.yml", lang="id")
    assert absent.stderr == (
        "kentongan: village.yml: tidak ada di sini; periksa namanya. Desa baru: kentongan node new\n"
    )
    assert (port.returncode, absent.returncode) == (1, 1)


DIE_AT_ORDER = """
import os, signal
from firmware_config.device_node import NearDevice
left = [{n}]
def give(self, order, real=NearDevice.give):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, order)
NearDevice.give = give
"""


@pytest.mark.parametrize("n", [1, 5, 10])
def test_a_set_up_that_was_killed_finds_its_box_again(tmp_path: Path, air: Village, n: int) -> None:
    file = village_file(tmp_path, ROOM)
    box, url = new_box(air, "box")
    killed = run("node", "provision", file, "--port", url, script=DIE_AT_ORDER.format(n=n))
    assert killed.returncode == -9
    begun = load_village(file).find("POS-1")
    assert begun is not None and (begun.number, begun.is_done) == (box.num, False)
    done = node("provision", file, "--port", url)
    assert done.returncode == 0, done.stderr
    assert f"1 of 5 boxes ready\nGo on at any time: kentongan node provision {file}" in done.stdout
    known = load_village(file).find("POS-1")
    assert known is not None and (known.number, known.public_key) == (box.num, box.public_key)


def test_the_posts_radio_comes_first_and_becomes_an_admin_of_all_others(tmp_path: Path, air: Village) -> None:
    file = village_file(
        tmp_path, TOP + "nodes:\n  - {name: RT03-12, profile: button}\n  - {name: POS-1, profile: gateway}\n"
    )
    (gateway, first), (button, second) = new_box(air, "one"), new_box(air, "two")
    done = node("provision", file, "--port", first, "--port", second)
    assert done.returncode == 0, done.stderr
    told = {known.name: known.number for known in load_village(file).nodes}
    assert told == {"POS-1": gateway.num, "RT03-12": button.num}
    admins = read_admin_keys(tmp_path / "keys/admin.pub")
    assert admins[1:] == (gateway.public_key,)
    assert tuple(button.flash.config.security.admin_key) == admins
    assert tuple(gateway.flash.config.security.admin_key) == admins[:1]
    assert [box.flash.config.security.is_managed for box in (gateway, button)] == [False, True]


def test_sixty_boxes_in_one_run_with_a_stranger_and_old_firmware_among_them(tmp_path: Path, air: Village) -> None:
    names = [f"RT{1 + n // 20:02}-{1 + n % 20:02}" for n in range(59)]
    nodes = "".join(f"  - name: {name}\n    profile: button\n" for name in names)
    file = village_file(
        tmp_path, TOP + "sources: sources.toml\nnodes:\n" + nodes + "  - name: POS-1\n    profile: gateway\n"
    )
    boxes = [new_box(air, f"box {n}") for n in range(60)]
    stranger, (old, old_url) = air.gateway("hobbyist"), new_box(air, "old", firmware="2.6.4.b89355f")
    urls = [url for _box, url in boxes]
    urls[30:30] = [stranger.serve_tcp(), old_url]
    done = node("provision", file, *(word for url in urls for word in ("--port", url)))
    assert done.returncode == 1  # two boxes were refused, and every other was set up all the same
    assert "60 of 60 boxes ready" in done.stdout
    village = load_village(file)
    order = ["POS-1", *names]
    assert [(village.find(name).number, village.find(name).public_key) for name in order] == [  # type: ignore[union-attr]
        (box.num, box.public_key) for box, _url in boxes
    ]
    assert [box.flash.owner.long_name for box, _url in boxes] == order
    assert len(load_sources(tmp_path / "sources.toml")) == 59
    assert (stranger.admin_writes, old.admin_writes) == ((), ())
    assert done.stdout.count("is unknown and not empty") == done.stdout.count("firmware 2.6.4.b89355f is too old") == 2


def test_boxes_are_taken_as_they_are_plugged_in_and_a_table_ends_it(tmp_path: Path, air: Village) -> None:
    file = village_file(
        tmp_path, TOP + "nodes:\n  - {name: POS-1, profile: gateway}\n  - {name: TIANG-1, profile: relay}\n"
    )
    ports = tmp_path / "by-id"
    ports.mkdir()
    (ports / "usb-MicroPython_Board_in_FS_mode").symlink_to("/dev/null")
    boxes = [air.factory_new(name, **QUICK) for name in ("one", "two")]
    for number, box in enumerate(boxes):
        box.serve_pty(ports / f"usb-RAKwireless_{number}")
    done = node("provision", file, "--watch", ports)
    assert (done.returncode, done.stderr) == (0, "")
    said = [line.split(":")[0] for line in done.stdout.splitlines() if line.startswith(("Next", "POS-1:", "TIANG-1:"))]
    assert said == [
        "Next POS-1 (the post's radio), 2 left",
        *["POS-1"] * 2,
        "Next TIANG-1 (a relaying mast), 1 left",
        *["TIANG-1"] * 2,
    ]
    rows = [line.split() for line in done.stdout.splitlines()[-5:-2]]
    assert rows == [
        ["name", "profile", "box", "result"],
        ["POS-1", "gateway", f"!{boxes[0].num:08x}", "ready"],
        ["TIANG-1", "relay", f"!{boxes[1].num:08x}", "ready"],
    ]
    told = json.loads(node("provision", file, "--watch", ports, "--json").stdout)
    assert [(row["name"], row["key"]) for row in told["nodes"]] == [("POS-1", "before"), ("TIANG-1", "before")]


def test_two_boxes_with_one_key_are_told_apart_and_the_second_is_not_entered(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path)
    _first, url = new_box(air, "twin", num=0xA1)
    node("provision", file, "--port", url)
    with Village(seed=4) as elsewhere:  # the same chance makes the same key: CVE-2025-52464
        _second, url = new_box(elsewhere, "twin", num=0xA2)
        refused = node("provision", file, "--port", url)
    assert refused.returncode == 1
    assert "this box has the same key as POS-1" in refused.stdout
    known = load_village(file).find("RT03-12")
    assert known is not None and not known.is_done
    copied = air.gateway(
        "copy", identity=Identity(0xA3, "copy", "copy", b"\1" * 32, load_village(file).nodes[0].public_key)
    )
    assert "the same key as POS-1" in node("apply", file, "SIR-1", "--port", copied.serve_tcp()).stderr


def test_a_key_that_changed_since_and_old_firmware_are_flagged_by_the_register(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path, ROOM)
    box, url = new_box(air, "box")
    node("apply", file, "RT03-12", "--port", url)
    check = ("register", "check", "--sources", tmp_path / "sources.toml", "--lang", "en")
    assert run(*check).returncode == 0
    with Village(seed=5) as elsewhere:  # the same number, another key
        verified = node("verify", file, "RT03-12", "--port", elsewhere.gateway("emptied", box.num).serve_tcp())
    assert "its key has changed; nothing was written" in verified.stderr
    flagged = run(*check)
    assert (flagged.returncode, flagged.stdout.count("\n")) == (1, 1)
    assert f"RT03-12 (!{box.num:08x})" in flagged.stdout and "key" in flagged.stdout
    assert node("verify", file, "RT03-12", "--port", url).returncode == 0
    assert run(*check).returncode == 0
    with Village(seed=4) as before:
        old = before.gateway("old", identity=box.identity, firmware="2.7.14.e959000")
        assert "too old" in node("verify", file, "RT03-12", "--port", old.serve_tcp()).stderr
    assert "2.7.14.e959000" in run(*check).stdout


def test_over_the_air_the_posts_radio_mends_what_a_hand_at_the_box_may_not(tmp_path: Path, air: Village) -> None:
    file = village_file(
        tmp_path, TOP + "nodes:\n  - {name: POS-1, profile: gateway}\n  - {name: TIANG-1, profile: relay}\n"
    )
    (gateway, first), (mast, second) = new_box(air, "one"), new_box(air, "two")
    assert node("provision", file, "--port", first, "--port", second).returncode == 0
    unheard = node("plan", file, "TIANG-1", "--port", first, "--remote")
    assert (unheard.returncode, f"does not know !{mast.num:08x} or its key yet" in unheard.stderr) == (1, True)
    gateway.meet(mast)
    mast.meet(gateway)
    mast.kept.owner.short_name = "X"
    planned = node("plan", file, "TIANG-1", "--port", first, "--remote")
    assert planned.stdout.splitlines()[-1].endswith(f"TIANG-1 --port {first} --remote")
    mast.kept.owner.short_name = mast.flash.owner.short_name
    mast.kept.config.device.node_info_broadcast_secs = 3600
    with open_device(first, Timing(afar_s=0.5, quiet_s=0.5), remote=mast.num) as device:
        village, known = claim(file, device, "TIANG-1")
        report = set_up(village, known, device, "id", lambda _progress: None).report
    assert [difference.setting.path for difference in report.written] == ["config.device.node_info_broadcast_secs"]
    assert (report.is_right, mast.flash.config.device.node_info_broadcast_secs) == (True, 10800)


def test_ctrl_c_ends_a_run_with_its_table(tmp_path: Path) -> None:
    file = village_file(tmp_path)
    (tmp_path / "by-id").mkdir()
    words = ("node", "provision", str(file), "--watch", str(tmp_path / "by-id"), "--lang", "en")
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "Next POS-1 (the post's radio), 5 left: plug the box in.\n"
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=60)
    assert (process.returncode, wrong) == (0, "")
    assert "0 of 5 boxes ready" in said
    assert said.count("not yet") == 5


def test_at_a_terminal_a_bar_shows_how_far_a_box_has_got(tmp_path: Path, air: Village) -> None:
    file = village_file(tmp_path)
    _box, url = new_box(air, "box")
    master, slave = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "node", "apply", str(file), "POS-1", "--port", url, "--lang", "en"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=slave,
    ) as process:
        process.communicate(timeout=60)
    os.close(slave)
    seen = os.read(master, 65536).decode()
    os.close(master)
    assert process.returncode == 0
    assert re.search(r"\[#+\.+\] writing config\.", seen) and "waiting for its restart" in seen
    assert seen.endswith("\r\x1b[K")


def test_every_sentence_has_both_languages_and_the_same_facts() -> None:
    unlike = {key: said for key, said in SAID.items() if not all(said) or facts(said[0]) != facts(said[1])}
    assert unlike == {}


def facts(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", sentence))
