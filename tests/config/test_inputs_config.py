"""`[[input]]`: what a technician may write, and what is said of a mistake."""

from pathlib import Path

import pytest

from bridge.config import load_config
from bridge.config_show import show
from bridge.domain.errors import ConfigError

POST = '[post]\nvillage = "35.09.14.2005"\n'
PAD = '[[input]]\nname = "kentongan"\n'
CTS = PAD + 'driver = "cts"\nurl = "serial:///dev/serial/by-id/a"\n'
PIN = PAD + 'driver = "gpio"\npin = "GPIO27"\n'
HEAD = PAD + 'driver = "line"\nurl = "serial:///dev/serial/by-id/b"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "post.toml"
    path.write_text(POST + text)
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_config(write(folder, text))
    return [line.removeprefix("post.toml: ") for line in str(refused.value).splitlines()]


@pytest.mark.parametrize("language", ["id", "en"])
def test_everything_at_once_reads_back_as_it_is_shown(tmp_path: Path, language: str) -> None:
    text = CTS + 'at = "house"\nnotice = true\n'
    text += PIN.replace("kentongan", "bel") + 'notice_pin = "GPIO22"\nactive_low = false\n'
    text += PIN.replace("kentongan", "tombol").replace("27", "5") + 'role = "silence"\n'
    text += HEAD.replace("kentongan", "kepala")
    text += CTS.replace("kentongan", "jauh").replace("serial:///dev/serial/by-id/a", "rfc2217://10.0.0.7:4000")
    config = load_config(write(tmp_path, text))
    assert [wired.name for wired in config.input] == ["kentongan", "bel", "tombol", "kepala", "jauh"]
    shown = show(config, "id" if language == "id" else "en")
    (tmp_path / "again.toml").write_text(shown)
    assert load_config(tmp_path / "again.toml") == config


def test_a_post_strikes_like_a_post_unless_told_otherwise(tmp_path: Path) -> None:
    (wired,) = load_config(write(tmp_path, PIN)).input
    assert (wired.at, wired.role, wired.active_low, wired.notice_pin) == ("post", "kentongan", True, "")


MISTAKES = [
    (PAD, "[[input]] 1 driver: missing"),
    (PAD + 'driver = "usb"\n', "[[input]] 1 driver: must be 'cts', 'gpio' or 'line'"),
    (PAD + 'driver = "gpio"\n', "[[input]] 1: driver gpio needs pin"),
    (PAD + 'driver = "cts"\n', "[[input]] 1: driver cts needs url"),
    (CTS + 'pin = "GPIO5"\nnotice_pin = "GPIO6"\n', "[[input]] 1: driver cts has no pin and no notice_pin"),
    (PIN + "notice = true\n", "[[input]] 1: driver gpio has no notice"),
    (PIN + 'notice_pin = "GPIO27"\n', "[[input]] 1: pin and notice_pin are the same"),
    (HEAD + 'role = "silence"\n', "[[input]] 1: a head is no silence button; use cts or gpio"),
    (CTS.replace("serial:///dev/serial/by-id/a", "tcp://a:1"), "[[input]] 1: driver cts wants serial:// or rfc2217://"),
    (HEAD.replace("serial:///dev/serial/by-id/b", "rfc2217://a:1"), "[[input]] 1: driver line wants serial:// or tcp:"),
    (CTS.replace("serial:///", "serial://"), "[[input]] 1 url: needs three slashes and a device"),
    (CTS.replace("serial:///dev/serial/by-id/a", "rfc2217://a"), "[[input]] 1 url: needs a host, a port and nothing"),
    (CTS.replace("serial:///dev/serial/by-id/a", "rfc2217://a:x"), "[[input]] 1 url: not a URL (Port could not be"),
    (CTS.replace("serial:///dev/serial/by-id/a", "rfc2217://a:1?logging=debug"), "[[input]] 1 url: holds more than"),
    (CTS.replace("serial:///dev/serial/by-id/a", "/dev/ttyUSB0"), "[[input]] 1 url: must begin serial://, rfc2217://"),
    (PIN.replace("kentongan", "drill"), "[[input]] 1 name: 'drill' is the name of something else here"),
    (PIN.replace("kentongan", "Pos 1"), "[[input]] 1 name: 'Pos 1' may hold only a-z, 0-9 and '-'"),
    (PIN + PIN.replace("27", "5"), "input: the name kentongan is given twice"),
    (PIN + PIN.replace("kentongan", "bel"), "input: GPIO27 is given to two inputs"),
    (
        CTS + HEAD.replace("kentongan", "bel").replace("by-id/b", "by-id/a"),
        "input: serial:///dev/serial/by-id/a is given to two",
    ),
    (PIN + 'active_low = "yes"\n', "[[input]] 1 active_low: must be true or false"),
    (PIN + "actve_low = true\n", '[[input]] 1 actve_low: unknown key; did you mean "active_low"?'),
    ("[input]\n", "input: must be written [[input]], once for each"),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_one_mistake_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(says)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = PAD + 'driver = "usb"\n' + PAD + 'driver = "gpio"\n' + PIN + "pul = 1\n"
    assert len(mistakes(tmp_path, text)) == 3
