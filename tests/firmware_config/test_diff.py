"""A node's settings against the wanted ones: what differs, and that no secret is shown."""

import struct

import pytest

from firmware_config.diff import plan, shown
from firmware_config.settings import Difference, Found, Setting, Value

KEY = bytes(range(32))


def test_a_node_that_is_right_has_no_differences() -> None:
    wanted = (Setting("config.lora.hop_limit", 3), Setting("channel.0.psk", KEY, is_secret=True))
    assert plan({"config.lora.hop_limit": 3, "channel.0.psk": KEY, "config.lora.region": "KR"}, wanted) == ()


def test_what_differs_stands_in_the_order_wanted_with_what_is_there_now() -> None:
    wanted = (Setting("config.lora.region", "KR"), Setting("owner.long_name", "RT03-12"), Setting("config.x.y", 1))
    found: dict[str, Value] = {"owner.long_name": "Meshtastic 1a2b", "config.lora.region": "UNSET"}
    assert plan(found, wanted) == (
        Difference(wanted[0], "UNSET"),
        Difference(wanted[1], "Meshtastic 1a2b"),
        Difference(wanted[2], None),
    )


@pytest.mark.parametrize(
    ("now", "wanted", "same"),
    [
        (struct.unpack("<f", struct.pack("<f", 920.875))[0], 920.875, True),
        (struct.unpack("<f", struct.pack("<f", 0.1))[0], 0.1, True),
        (0.0, 0, True),
        (-0.0, 0.0, True),
        (920.875, 920.625, False),
        (1, True, False),
        (False, 0, False),
        ("3", 3, False),
        ((KEY,), (KEY,), True),
        ((KEY,), (KEY, KEY), False),
        ((KEY,), (KEY, b""), True),
        ((), (KEY,), False),
    ],
)
def test_values_are_compared_as_the_wire_carries_them(now: Value, wanted: Value, same: bool) -> None:
    assert (plan({"p": now}, (Setting("p", wanted),)) == ()) is same


def test_a_secret_is_never_shown() -> None:
    secret = Setting("channel.0.psk", KEY, is_secret=True)
    (difference,) = plan({"channel.0.psk": bytes(32)}, (secret,))
    said = [shown(secret, value, language) for value in (KEY, difference.now) for language in ("id", "en")]
    assert said == ["(rahasia)", "(secret)", "(rahasia)", "(secret)"]
    assert shown(secret, b"", "id") == "(kosong)"


def test_what_a_traceback_or_a_log_shows_has_no_secret_in_it() -> None:
    secret = Setting("channel.0.psk", KEY, "its reason", is_secret=True)
    found = Found({"channel.0.psk": bytes(31) + b"x"})
    assert repr((secret, *plan(found, (secret,)), found)) == (
        "(Setting(channel.0.psk=...), Difference(Setting(channel.0.psk=...), now=...), <1 settings>)"
    )
    assert repr(Setting("config.lora.region", "KR")) == "Setting(config.lora.region='KR')"


def test_what_is_not_secret_is_shown_as_people_write_it() -> None:
    setting = Setting("p", 0)
    values: tuple[Value | None, ...] = (True, 17, 920.875, "KR", (KEY,), None)
    assert [shown(setting, value, "id") for value in values] == [
        "true",
        "17",
        "920.875",
        "KR",
        "AAECAwQFBgcI...",
        "(tidak dijawab)",
    ]


def test_a_traceback_with_a_setting_in_it_shows_no_secret() -> None:
    secret = Setting("channel.0.psk", b"geheim", is_secret=True)
    told = repr([secret, Difference(secret, b"vorher"), Difference(secret, None)])
    assert "geheim" not in told and "vorher" not in told and told.count("channel.0.psk=...") == 3
    assert "KR" in repr(Setting("config.lora.region", "KR"))
