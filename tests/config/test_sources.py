"""The village's register: places and pinned keys, and how far each press may be trusted."""

import base64
from pathlib import Path
from typing import Any

import pytest

from bridge.domain.alarm import Moment
from bridge.domain.errors import ConfigError
from bridge.domain.ids import node_source
from bridge.domain.place import Place, Source
from bridge.domain.press import Kind, Press, Remark, Trust, Via
from bridge.ledger import Ledger, Memory
from bridge.sources import Register, cautions, load_sources

KEY_A, KEY_B, KEY_C = (bytes([number]) * 32 for number in (0xFB, 2, 3))
A, B, C, STRANGER = (node_source(number) for number in (0x0A01, 0x0B02, 0x0C03, 0x0D04))


def text_of(key: bytes) -> str:
    return base64.b64encode(key).decode()


def write(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


VILLAGE = f"""
[[source]]
node = "!00000a01"
public_key = "{text_of(KEY_A)}"
house = "RT03-12"
rt = "03"
rw = "02"
landmark = "depan mushola"
lat = -8.17
lon = 113.7
label = "RT03-12"

[[source]]
node = "00000B02"
public_key = "{base64.urlsafe_b64encode(KEY_B).decode()}"

[[source]]
node = "!00000c03"
house = "RT04-2"
"""


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return load_sources(write(tmp_path, VILLAGE))


def press(source: str, **more: Any) -> Press:
    return Press(f"{source}/00000001", source, Kind.PANIC, Via.TEXT, **more)


def test_a_source_has_a_place_and_a_key(register: Register) -> None:
    place = Place("RT03-12", "03", "02", "depan mushola", -8.17, 113.7)
    assert register.find(A) == Source(A, place, KEY_A, "RT03-12")
    assert register.find(B) == Source(B, None, KEY_B)
    assert register.find(C) == Source(C, Place("RT04-2"))
    assert register.find(STRANGER) is None
    assert len(register) == 3


@pytest.mark.parametrize(
    ("heard", "trust"),
    [
        (press(A, pki_key=KEY_A), Trust.VERIFIED),
        (press(A, pki_key=KEY_C), Trust.UNKNOWN),  # another key: an impostor, or a node that was reset
        (press(A, pki_key=KEY_B), Trust.UNKNOWN),  # B's key under A's number: not A, and A's place must not be B's
        (press(C, pki_key=KEY_C), Trust.UNKNOWN),  # no key is pinned for C: it proves nothing
        (press(STRANGER, pki_key=KEY_A), Trust.UNKNOWN),
        (press(STRANGER, pki_key=KEY_C), Trust.UNKNOWN),
        (press(A, channel="SiagaDesa"), Trust.CHANNEL),  # anybody with the channel's key can send as A
        (press(C, channel=""), Trust.CHANNEL),
        (press(STRANGER, channel="SiagaDesa"), Trust.UNKNOWN),
        (press(A, channel="LongFast", remarks=frozenset({Remark.PLACE_CLAIMED})), Trust.UNKNOWN),
        (press("wired:pos-1/post", trusted=True), Trust.VERIFIED),
    ],
)
def test_keys_decide_trust_and_numbers_never(register: Register, heard: Press, trust: Trust) -> None:
    assert register.trust(heard) is trust


def test_a_known_node_that_proves_nothing_only_claims_its_place(register: Register) -> None:
    """Whoever has the channel's key can send as any node; C has no key that it could prove itself with."""
    ledger, now = Ledger(Memory(), register), Moment(1, 0.0, 0.0, True)
    heard = {source: ledger.join(press(source, channel="SiagaDesa"), now)[0] for source in (A, B, C)}
    claimed = frozenset({Remark.PLACE_CLAIMED})
    assert {source: alarm.remarks for source, alarm in heard.items()} == {A: claimed, B: frozenset(), C: frozenset()}
    assert ledger.join(press(A, pki_key=KEY_A), now)[0].remarks == frozenset()


def test_another_key_is_told_to_the_technician(register: Register, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        register.trust(press(A, pki_key=KEY_C))
    assert capsys.readouterr().out.count("known node wrote with another key") == 1
    register.trust(press(STRANGER, pki_key=KEY_B))
    told = capsys.readouterr().out
    assert "a pinned key came from another node" in told
    assert B in told


def test_a_revoked_key_proves_nothing_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its owner is still heard: an alarm of an unknown place, not silence."""
    text = f'[[revoked]]\nnode = "!00000a01"\npublic_key = "{text_of(KEY_A)}"\nwhy = "hilang"\nday = "2026-11-26"\n'
    register = load_sources(write(tmp_path, text))
    assert register.trust(press(A, pki_key=KEY_A)) is Trust.UNKNOWN
    assert register.trust(press(A, channel="SiagaDesa")) is Trust.UNKNOWN
    assert capsys.readouterr().out.count("with a key that was revoked") == 1
    both = f'{text}[[source]]\nnode = "!00000c03"\npublic_key = "{text_of(KEY_A)}"\n'
    assert mistakes(tmp_path, both) == [
        "[[source]] node:00000c03 public_key: it was revoked; remove it here or under [[revoked]]"
    ]


def test_no_file_is_an_empty_register_and_a_caution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = load_sources(tmp_path / "sources.toml")
    assert len(register) == 0
    (caution,) = cautions(tmp_path / "sources.toml", register)
    assert "the place of every call is unknown" in caution.english
    assert capsys.readouterr().out == ""  # a command's output is its own


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_sources(write(folder, text))
    lines = str(caught.value).splitlines()
    assert all(line.startswith("sources.toml: ") for line in lines)
    return [line.removeprefix("sources.toml: ") for line in lines]


def test_every_mistake_is_told_at_once_with_its_entry(tmp_path: Path) -> None:
    text = f"""
        village = "Suci"
        [[source]]
        node = "!0a01"
        huose = "RT03-12"
        [[source]]
        house = "RT03-13"
        lat = 95.0
        lon = 113.7
        [[source]]
        node = "!00000a01"
        public_key = "c2hvcnQ="
        rt = 3
        [[source]]
        node = "!00000b02"
        public_key = "{text_of(KEY_B)}"
        [[source]]
        node = "!00000b02"
        lat = 1.0
        [[source]]
        node = "!00000c03"
        public_key = "{text_of(KEY_B)}"
        [[source]]
        node = "!00000B02"
    """
    assert mistakes(tmp_path, text) == [
        "village: unknown key; known here: revoked, sensor, source, text",
        "[[source]] 1 (!0a01) node: '!0a01' is no node number; write for example !00000a01",
        '[[source]] 1 (!0a01) huose: unknown key; did you mean "house"?',
        '[[source]] 2 (no node, head or input): needs one of node = "!00000a01", head = "RT03-12" '
        'or input = "kentongan"',
        "[[source]] 3 (!00000a01) public_key: holds 5 bytes, a public key has 32",
        "[[source]] 3 (!00000a01) rt: must be text in quotes",
        "[[source]] 5 (!00000b02): lat and lon go together; give both or neither",
        "[[source]] 6 public_key: already in [[source]] 4; remove one",
        "[[source]] 7 node: already in [[source]] 4; remove one",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[source]\nnode = "!00000a01"\n', "source: must be written [[source]], once for each"),
        ("sources = 1\n", 'sources: unknown key; did you mean "source"?'),
        ('[[source]]\nnode = "!00000a01"\nlat = 95.0\nlon = 1.0\n', "[[source]] 1 (!00000a01): lat is -90 to 90"),
        ('[[source]]\nnode = "!0000_a01"\n', "[[source]] 1 (!0000_a01) node: "),
        ('[[source]]\nnode = "!ffffffff"\n', "[[source]] 1 (!ffffffff) node: "),
        ('[[source]]\nnode = "!00000000"\n', "[[source]] 1 (!00000000) node: "),
        ('[[source]]\nnode = "!00000a01"\npublic_key = "kunci?"\n', "[[source]] 1 (!00000a01) public_key: not base64"),
        ('[[source]]\nnode = "!00000a01"\nlat = "x"\n', "[[source]] 1 (!00000a01) lat: must be a number"),
    ],
)
def test_one_mistake_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(says)


def test_broken_toml_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sources\.toml: cannot be read: .*line 1"):
        load_sources(write(tmp_path, "[[source\n"))


HEAD_KEY = "AAAQEAYEAUDAOCAJBIFQYDIOB4"  # 00 01 … 0f


def test_heads_inputs_sensors_and_canned_texts_stand_in_the_register(tmp_path: Path) -> None:
    text = f"""
        [[source]]
        head = "RT03-12"
        head_key = "{HEAD_KEY}"
        home = "pos-2"
        house = "RT03-12"
        [[source]]
        head = "POS"
        at = "post"
        [[source]]
        input = "kentongan"
        landmark = "poskamling"
        [[sensor]]
        name = "Kandang  Barat"
        kind = "LIVESTOCK"
        [[text]]
        words = "Butuh ambulans"
        kind = "MEDICAL"
    """
    path = tmp_path / "sources.toml"
    path.write_text(text)
    register = load_sources(path, "pos-1")
    assert register.has_heads
    assert register.head_key("RT03-12") == bytes(range(16))
    assert register.head_key("POS") == register.head_key("STRANGE") == b""
    known = register.find("head:RT03-12")
    assert known is not None and (known.home, known.is_post) == ("pos-2", False)
    assert register.find("head:POS").is_post
    assert str(register.find("wired:pos-1/kentongan").place) == "poskamling"
    assert register.sensors == {"kandang barat": Kind.LIVESTOCK}
    assert register.texts == {"butuh ambulans": Kind.MEDICAL}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[source]]\nhead = "rt03"\n', "[[source]] 1 (rt03) head: 'rt03' is no name of a head"),
        ('[[source]]\nhead = "RT03"\nhead_key = "AAAA"\n', "[[source]] 1 (RT03) head_key: "),
        ('[[source]]\nhead = "RT03"\nnode = "!00000a01"\n', "[[source]] 1 (!00000a01): needs one of"),
        (f'[[source]]\nnode = "!00000a01"\nhead_key = "{HEAD_KEY}"\n', "[[source]] 1 (!00000a01): head_key belongs"),
        ('[[source]]\nhead = "A"\n[[source]]\nhead = "A"\n', "[[source]] 2 head: already in [[source]] 1"),
        ('[[sensor]]\nname = "pintu"\nkind = "FIER"\n', "[[sensor]] 1 kind: "),
        ('[[text]]\nwords = " "\nkind = "FIRE"\n', "[[text]] 1: holds no words"),
        (
            '[[text]]\nwords = "a"\nkind = "FIRE"\n[[text]]\nwords = "A"\nkind = "THEFT"\n',
            "[[text]] 2: 'a' has another kind already",
        ),
    ],
)
def test_a_mistake_about_heads_or_words_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(says)
    assert HEAD_KEY not in found and "AAAA" not in found
