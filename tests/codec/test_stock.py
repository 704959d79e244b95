"""Packets of stock nodes and phones, as a gateway radio gives them to us: which are presses, and whose."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.codec.stock import WORDS_BYTES, ChannelRule, StockCodec
from bridge.domain.press import BROADCAST, Channel, ChannelKey, Kind, MeshPacket, Port, Press, Remark, Sighting, Via

SIAGA_RT = Channel(0, "SiagaRT", ChannelKey.PRIVATE)
SIAGA_DESA = Channel(1, "SiagaDesa", ChannelKey.PRIVATE)
UNNAMED = Channel(2, "", ChannelKey.PRIVATE)
LONG_FAST = Channel(3, "LongFast", ChannelKey.PUBLIC)
KEY = bytes(range(32))

CODEC = StockCodec(ChannelRule())


def packet(
    payload: bytes | str, port: int = Port.TEXT_MESSAGE, channel: Channel | None = SIAGA_DESA, **more: Any
) -> MeshPacket:
    raw = payload.encode() if isinstance(payload, str) else payload
    return MeshPacket(
        sender=0x0A01, to=more.pop("to", BROADCAST), packet_id=0x1234, port=port, payload=raw, channel=channel, **more
    )


def read(payload: bytes | str, port: int = Port.TEXT_MESSAGE, **more: Any) -> Press | None:
    return CODEC.read(packet(payload, port, **more))


def said(press: Press | None) -> tuple[Kind, Via, str]:
    assert press is not None
    return press.kind, press.via, press.words


# --- what a press holds ----------------------------------------------------------------------------------------------


def test_a_press_tells_who_when_and_how_well_it_was_heard() -> None:
    heard = packet("maling", snr_db=6.5, rssi_dbm=-91, hops=2, heard_at=1_800_000_000.0, radio="gw1")
    assert CODEC.read(heard) == Press(
        id="node:00000a01/00001234",
        source="node:00000a01",
        kind=Kind.THEFT,
        via=Via.TEXT,
        words="maling",
        channel="SiagaDesa",
        sighting=Sighting("gw1", 6.5, -91, 2, 1_800_000_000.0),
    )


def test_the_same_packet_is_the_same_press_at_every_post() -> None:
    one, other = (CODEC.read(packet("maling", radio=radio, hops=hops)) for radio, hops in (("gw1", 0), ("gw2", 3)))
    assert one is not None
    assert other is not None
    assert one.id == other.id


def test_a_pki_message_carries_its_key_and_no_channel() -> None:
    press = read("tolong", channel=None, pki_key=KEY, to=0x0B02)
    assert press is not None
    assert (press.pki_key, press.channel, press.trusted) == (KEY, "", False)


# --- ALERT, Detection Sensor, bell -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("ALERT lewat C", (Kind.PANIC, Via.ALERT, "ALERT lewat C")),
        ("ALARM serial", (Kind.PANIC, Via.ALERT, "ALARM serial")),
        ("antre alert", (Kind.PANIC, Via.ALERT, "antre alert")),
        ("ada apa? kebakaran di RT 2?", (Kind.FIRE, Via.ALERT, "ada apa? kebakaran di RT 2?")),
        ("", (Kind.PANIC, Via.ALERT, "")),
        (b"\xff\xfe tabrakan \xff", (Kind.ACCIDENT, Via.ALERT, "\ufffd\ufffd tabrakan \ufffd")),
        ("P1 pos-1 X", (Kind.PANIC, Via.ALERT, "P1 pos-1 X")),
    ],
)
def test_an_alert_is_always_an_alarm(payload: bytes | str, expected: tuple[Kind, Via, str]) -> None:
    press = read(payload, Port.ALERT)
    assert said(press) == expected
    assert press is not None
    assert press.remarks == frozenset()


@pytest.mark.parametrize("payload", ["Tombol Panik detected", "Tombol RT03 detected\x07", "Sirene Poskamling detected"])
def test_a_detection_is_a_panic(payload: str) -> None:
    assert said(read(payload, Port.DETECTION_SENSOR)) == (Kind.PANIC, Via.DETECTION, payload.rstrip("\x07"))


def test_a_sensor_name_cut_within_a_letter_is_still_heard() -> None:
    assert said(read(b"Pos \xe2\x9c detected", Port.DETECTION_SENSOR)) == (
        Kind.PANIC,
        Via.DETECTION,
        "Pos \ufffd detected",
    )


@pytest.mark.parametrize(
    "payload", ["Tombol RT03 state: 0", "Tombol RT03 state: 1", "", "detected nothing", "undetected"]
)
def test_a_sensor_that_reports_its_state_is_no_alarm(payload: str) -> None:
    assert read(payload, Port.DETECTION_SENSOR) is None


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("\x07TOLONG maling di RT 03!", (Kind.THEFT, Via.BELL, "TOLONG maling di RT 03!")),
        ("\x07lewat serial", (Kind.PANIC, Via.BELL, "lewat serial")),
        ("\x07", (Kind.PANIC, Via.BELL, "")),
        ("rapat malam ini\x07", (Kind.PANIC, Via.BELL, "rapat malam ini")),
        ("di seberang kali itu, ada banjir?\x07", (Kind.DISASTER, Via.BELL, "di seberang kali itu, ada banjir?")),
    ],
)  # fmt: skip
def test_a_bell_is_an_alarm_whatever_it_says(payload: str, expected: tuple[Kind, Via, str]) -> None:
    press = read(payload)
    assert said(press) == expected
    assert press is not None
    assert press.remarks == frozenset()


TAUGHT = StockCodec(
    ChannelRule(),
    sensors={"kandang barat": Kind.LIVESTOCK},
    texts={"merah": Kind.FIRE, "rapat malam ini": Kind.MEDICAL},
)


@pytest.mark.parametrize(
    ("payload", "port", "expected"),
    [
        ("Kandang  Barat detected\x07", Port.DETECTION_SENSOR, (Kind.LIVESTOCK, Via.DETECTION)),
        ("kandang timur detected", Port.DETECTION_SENSOR, (Kind.PANIC, Via.DETECTION)),
        (" MERAH\x07", Port.TEXT_MESSAGE, (Kind.FIRE, Via.TEXT)),
        ("rapat malam ini", Port.TEXT_MESSAGE, (Kind.MEDICAL, Via.TEXT)),
    ],
)
def test_a_village_teaches_what_its_sensors_and_canned_texts_mean(
    payload: str, port: int, expected: tuple[Kind, Via]
) -> None:
    press = TAUGHT.read(packet(payload, port))
    assert press is not None
    assert (press.kind, press.via) == expected


@pytest.mark.parametrize("payload", ["merah putih", "P1 merah"])
def test_a_canned_text_counts_word_for_word_and_never_from_a_post(payload: str) -> None:
    assert TAUGHT.read(packet(payload)) is None


# --- text ------------------------------------------------------------------------------------------------------------


def test_a_keyword_is_an_alarm_and_a_question_is_perhaps_talk() -> None:
    plain, asked = read("Tolong! 🚨 kebakaran — RT 05"), read("maling ya?")
    assert plain is not None
    assert asked is not None
    assert (plain.kind, plain.words, plain.remarks) == (Kind.FIRE, "Tolong! 🚨 kebakaran — RT 05", frozenset())
    assert (asked.kind, asked.words, asked.remarks) == (Kind.THEFT, "maling ya?", {Remark.PERHAPS_TALK})


@pytest.mark.parametrize(
    "payload",
    [
        "P1 pos-1 H3F2.7QXD.12=JS.AB12CD",
        "\nP1 pos-1 H3F2.7QXD.12=N.AB12CD\n",
        "\r\nP1 pos-1 .",
        "P1",
        "P1 pos-1 POLISI: kebakaran di RT 3",
        "P1 pos-1 maling\x07",
    ],
)
def test_what_posts_say_is_never_a_press(payload: str) -> None:
    assert read(payload) is None


def test_only_a_whole_p1_is_a_post() -> None:
    assert said(read("P1kebakaran, kebakaran!"))[0] is Kind.FIRE


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe\x07abc", b"maling \xc3", "rapat jam 8", "👍"])
def test_empty_broken_and_plain_texts_are_no_presses(payload: bytes | str) -> None:
    assert read(payload) is None


@pytest.mark.parametrize("port", [0, Port.ROUTING, Port.TELEMETRY, 3, 4, 6, 8, 9, 12, 70, 256, 511])
def test_other_ports_are_no_presses(port: int) -> None:
    assert read("maling", port) is None
    assert read(b"\x18\x05", port) is None


@pytest.mark.parametrize("port", [Port.TEXT_MESSAGE, Port.ALERT, Port.DETECTION_SENSOR])
def test_a_reaction_is_no_press(port: int) -> None:
    assert read("tolong detected", port, is_reaction=True) is None
    assert read("tolong detected", port) is not None


# --- channels --------------------------------------------------------------------------------------------------------

EVERY_PRIVATE = ChannelRule()
ONLY_RT = ChannelRule(frozenset({"SiagaRT"}))
PUBLIC_NAMED = ChannelRule(frozenset({"SiagaRT", "LongFast"}))
PUBLIC_ALLOWED = ChannelRule(frozenset({"SiagaRT", "LongFast"}), allow_public=True)
PUBLIC_NOT_NAMED = ChannelRule(allow_public=True)


@pytest.mark.parametrize(
    ("rule", "heard"),
    [
        (EVERY_PRIVATE, {SIAGA_RT, SIAGA_DESA, UNNAMED}),
        (ONLY_RT, {SIAGA_RT}),
        (PUBLIC_NAMED, {SIAGA_RT}),
        (PUBLIC_ALLOWED, {SIAGA_RT, LONG_FAST}),
        (PUBLIC_NOT_NAMED, {SIAGA_RT, SIAGA_DESA, UNNAMED}),
    ],
)
@pytest.mark.parametrize("to", [BROADCAST, 0x0B02])
@pytest.mark.parametrize("port", [Port.TEXT_MESSAGE, Port.ALERT, Port.DETECTION_SENSOR])
def test_only_the_named_channels_are_heard(rule: ChannelRule, heard: set[Channel], to: int, port: int) -> None:
    codec = StockCodec(rule)
    presses = {
        c: codec.read(packet("tolong detected", port, c, to=to)) for c in (SIAGA_RT, SIAGA_DESA, UNNAMED, LONG_FAST)
    }
    assert {channel for channel, press in presses.items() if press is not None} == heard
    assert {press.channel for press in presses.values() if press is not None} == {channel.name for channel in heard}


@pytest.mark.parametrize(
    ("rule", "on_radio", "says"),
    [
        (EVERY_PRIVATE, [LONG_FAST, SIAGA_DESA], ""),
        (EVERY_PRIVATE, [LONG_FAST], "no private channel, nobody is heard; it has: LongFast"),
        (EVERY_PRIVATE, [Channel(0, "", ChannelKey.PUBLIC)], 'nobody is heard; it has: ""'),
        (ONLY_RT, [SIAGA_DESA, SIAGA_RT], ""),
        (
            ONLY_RT,
            [LONG_FAST, SIAGA_DESA],
            "SiagaRT tidak ada di radio (SiagaRT not on the radio; it has: LongFast, SiagaDesa)",
        ),
        (PUBLIC_NAMED, [SIAGA_RT, LONG_FAST], "LongFast berkunci umum"),
        (PUBLIC_ALLOWED, [SIAGA_RT, LONG_FAST], ""),
    ],
)
def test_a_radio_on_which_nobody_or_somebody_named_is_not_heard_is_told(
    rule: ChannelRule, on_radio: list[Channel], says: str
) -> None:
    told = rule.trouble(on_radio)
    assert says in told
    assert bool(told) == bool(says)


def test_a_packet_of_no_channel_and_no_key_is_not_heard() -> None:
    assert read("tolong", channel=None) is None


@pytest.mark.parametrize("rule", [EVERY_PRIVATE, ONLY_RT, PUBLIC_NAMED])
@pytest.mark.parametrize("channel", [None, LONG_FAST, SIAGA_DESA])
def test_a_pki_message_is_heard_whatever_the_channels(rule: ChannelRule, channel: Channel | None) -> None:
    press = StockCodec(rule).read(packet("tolong", channel=channel, pki_key=KEY, to=0x0B02))
    assert press is not None
    assert press.remarks == frozenset()


def test_on_a_public_channel_a_sender_only_claims_its_place() -> None:
    press = StockCodec(PUBLIC_ALLOWED).read(packet("maling?", channel=LONG_FAST))
    assert press is not None
    assert press.remarks == {Remark.PLACE_CLAIMED, Remark.PERHAPS_TALK}


# --- words as heard --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("tolong\x1b[2J\x00 maling", "tolong [2J  maling"),
        ("tolong\nmaling", "tolong\nmaling"),
        ("  tolong \r\n", "tolong"),
        ("tolong \u202egnilam", "tolong  gnilam"),
        ("tolong " + "é" * 200, "tolong " + "é" * 116),
    ],
)
def test_words_are_kept_as_heard_but_safe_to_show(payload: str, words: str) -> None:
    press = read(payload)
    assert press is not None
    assert press.words == words
    assert len(press.words.encode()) <= WORDS_BYTES


PORTS = st.sampled_from([*Port, 0, 3, 67, 256]) | st.integers(0, 600)
PAYLOADS = (
    st.binary(max_size=240)
    | st.text(max_size=80).map(str.encode)
    | st.lists(st.sampled_from(["tolong", "maling", "P1", "\n", "\x07", " ", "?", "detected", "api", "unggun"])).map(
        lambda parts: " ".join(parts).encode()
    )
)


@given(PORTS, PAYLOADS, st.sampled_from([None, SIAGA_RT, LONG_FAST]), st.sampled_from([b"", KEY]), st.booleans())
def test_any_packet_is_a_press_or_nothing(
    port: int, payload: bytes, channel: Channel | None, key: bytes, react: bool
) -> None:
    press = CODEC.read(packet(payload, port, channel, pki_key=key, is_reaction=react))
    if press is None:
        assert port != Port.ALERT or react or (channel is not SIAGA_RT and not key)
        return
    assert not react
    assert channel is SIAGA_RT or key
    assert len(press.words.encode()) <= WORDS_BYTES
    assert all(letter.isprintable() or letter == "\n" for letter in press.words)


def test_reading_keeps_nothing_between_packets() -> None:
    first = packet("maling di RT 03")
    assert CODEC.read(first) == CODEC.read(replace(first)) == StockCodec(ChannelRule()).read(first)
