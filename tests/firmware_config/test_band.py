"""Where a village sends: the firmware's own numbers, and every reason to refuse."""

import pytest

from firmware_config.band import PRESETS, REGIONS, Sending, djb2, refusals, refusals_of

VILLAGE = Sending("KR", "MEDIUM_FAST", 4, "SiagaDesa", 17)


def sending(**changes: object) -> Sending:
    told: dict[str, object] = {name: getattr(VILLAGE, name) for name in VILLAGE.__slots__}
    return Sending(**(told | changes))  # type: ignore[arg-type]


def test_our_default_is_920_875_and_allowed() -> None:
    assert (VILLAGE.centre_hz, VILLAGE.width_hz, VILLAGE.edges_hz) == (920_875_000, 250_000, (920_750_000, 921_000_000))
    assert refusals(VILLAGE) == ()


@pytest.mark.parametrize(
    ("region", "preset", "slot", "channel", "centre_hz"),
    [
        ("SG_923", "LONG_FAST", 0, "", 917_875_000),  # what Indonesian hobbyists use, out of band
        ("KR", "LONG_FAST", 0, "", 922_875_000),
        ("US", "LONG_FAST", 0, "", 906_875_000),  # slot 20, as every Meshtastic page tells
        ("US", "MEDIUM_FAST", 0, "", 913_125_000),  # slot 45
        ("KR", "LONG_SLOW", 1, "x", 920_062_500),
        ("KR", "MEDIUM_FAST", 12, "x", 922_875_000),
    ],
)
def test_the_firmwares_numbers(region: str, preset: str, slot: int, channel: str, centre_hz: int) -> None:
    assert Sending(region, preset, slot, channel, 17).centre_hz == centre_hz


def test_another_channel_name_moves_the_slot_only_where_none_is_named() -> None:
    assert sending(region="SG_923", slot=0, channel="Suci").centre_hz != sending(region="SG_923", slot=0).centre_hz
    assert sending(channel="Suci").centre_hz == VILLAGE.centre_hz


def test_the_hash_is_bernsteins() -> None:
    assert (djb2(""), djb2("a"), djb2("LongFast") % 104 + 1) == (5381, 177670, 20)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"region": "SG_923", "preset": "LONG_FAST", "slot": 0, "channel": ""}, "917.875 MHz"),
        ({"region": "SG_923", "slot": 25}, "923.125 MHz"),
        ({"region": "US"}, "902.875 MHz"),
        ({"preset": "SHORT_TURBO"}, "500 kHz"),
        ({"preset": "LONG_TURBO"}, "500 kHz"),
        ({"slot": 13}, "slot 13"),
        ({"slot": -1}, "slot -1"),
        ({"power_dbm": 18}, "18 dBm"),
        ({"power_dbm": 15, "antenna_dbi": 5.8}, "14 dBm"),
        ({"power_dbm": 1, "antenna_dbi": 24}, "24 dBi"),
        ({"power_dbm": 18, "antenna_dbi": 0.0}, "17 dBm"),
        ({"power_dbm": 0}, "23 dBm"),
        ({"region": "JP", "slot": 1}, "13 dBm"),  # the firmware would clamp it, and no node ever be right
        ({"region": "ID"}, "'ID'"),
        ({"preset": "FAST"}, "'FAST'"),
    ],
)
def test_what_is_not_allowed_is_refused_in_one_sentence(wrong: dict[str, object], said: str) -> None:
    (why,) = refusals(sending(**wrong))
    for language in ("id", "en"):
        assert said in why.said(language)
        assert "\n" not in why.said(language)
    assert why.said("id") != why.said("en")


def test_everything_wrong_is_told_at_once() -> None:
    assert len(refusals(sending(region="SG_923", slot=1, power_dbm=30))) == 2
    assert len(refusals(sending(region="ID", preset="FAST"))) == 2


def test_whatever_is_not_refused_lies_within_the_law() -> None:
    """Every region, preset and slot there is: the whole occupied width, not the centre alone, stays in the band."""
    allowed = 0
    for region, preset in ((region, preset) for region in REGIONS for preset in PRESETS):
        for slot in range(130):
            one = sending(region=region, preset=preset, slot=slot)
            if refusals(one):
                continue
            allowed += 1
            assert 920_000_000 <= one.edges_hz[0] < one.edges_hz[1] <= 923_000_000
            assert one.edges_hz[1] - one.edges_hz[0] <= 250_000
    assert allowed > 100


LAWFUL = {"region": "KR", "modem_preset": "MEDIUM_FAST", "channel_num": 4, "tx_power": 17, "use_preset": True}


@pytest.mark.parametrize(
    "wrong",
    [
        {"config.lora.override_frequency": 917.875},
        {"config.lora.frequency_offset": 0.5},
        {"config.lora.use_preset": False},
        {"owner.is_licensed": True},
        {"config.lora.tx_power": 0},
        {"config.lora.tx_power": 23},
        {"config.lora.modem_preset": "SHORT_TURBO"},
        {"config.lora.region": "UNSET"},
        {"config.lora.region": "LORA_24"},
        {"config.lora.region": "SG_923", "config.lora.modem_preset": "LONG_FAST", "config.lora.channel_num": 0},
        {"config.lora.channel_num": None},
    ],
)
def test_the_settings_of_a_node_are_held_against_the_law(wrong: dict[str, object]) -> None:
    found: dict[str, object] = {f"config.lora.{name}": value for name, value in LAWFUL.items()}
    assert refusals_of(found) == ()
    assert refusals_of(found | wrong) != ()
