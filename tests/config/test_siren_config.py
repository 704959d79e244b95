"""`[siren]` and `[[output]]`: what a technician may write, and what is said of a mistake."""

from pathlib import Path

import pytest

from bridge.config import load_config
from bridge.config_show import show
from bridge.domain.errors import ConfigError

POST = '[post]\nvillage = "35.09.14.2005"\n'
HORN = '[[output]]\nname = "horn"\n'
BOARD = HORN + 'driver = "serial"\nurl = "serial:///dev/serial/by-id/relay"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "post.toml"
    path.write_text(POST + text)
    return path


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load_config(write(folder, text))
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix("post.toml: ")


@pytest.mark.parametrize(
    ("keys", "on", "off"),
    [
        ("", "a00101a2", "a00100a1"),
        ("relay = 8\n", "a00801a9", "a00800a8"),
        ('board = "kmtronic"\nrelay = 2\n', "ff0201", "ff0200"),
        ('board = "bytes"\non = "AA"\noff = "bb 00"\n', "aa", "bb00"),
    ],
)
def test_boards_known_and_unknown(tmp_path: Path, keys: str, on: str, off: str) -> None:
    (board,) = load_config(write(tmp_path, BOARD + keys)).output
    assert [octets.hex() for octets in board.octets] == [on, off]


def test_everything_at_once_reads_back_as_it_is_shown(tmp_path: Path) -> None:
    text = '[siren]\ncommand = "ring {kind}"\nchirp = "ring short"\nlimit_s = 90\nquiet = "22:00-04:30"\n'
    text += BOARD + "".join(
        f'[[output]]\nname = "{name}"\ndriver = "{name}"\n{key}\n'
        for name, key in (("gpio", 'pin = "GPIO17"\nactive_low = true'), ("audio", 'device = "plughw:1"\nsound_s = 20'))
    )
    config = load_config(write(tmp_path, text))
    assert config.siren_names == ["command", "horn", "gpio", "audio"]
    shown = tmp_path / "shown.toml"
    shown.write_text(show(config))
    assert load_config(shown) == config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HORN + 'driver = "bell"\n', "[[output]] 1 driver: must be 'command', 'gpio', 'serial' or 'audio'"),
        (HORN + 'driver = "gpio"\n', "[[output]] 1: driver gpio needs pin"),
        (HORN + 'driver = "command"\n', "[[output]] 1: driver command needs command"),
        (HORN + 'driver = "serial"\n', "[[output]] 1: driver serial needs url"),
        (HORN + 'driver = "serial"\nurl = "tcp://10.0.0.1"\n', "a relay board is at serial:///dev/serial/by-id/..."),
        (BOARD + 'board = "bytes"\non = "AA"\n', "[[output]] 1: board bytes needs on and off"),
        (BOARD + 'board = "bytes"\non = "AB C"\noff = "BB"\n', "not bytes in hex; write for example A00101A2"),
        (BOARD + BOARD, "the name horn is given twice; command is what [siren] command runs"),
        (BOARD.replace("horn", "command"), "the name command is given twice"),
        ('[siren]\nquiet = "22-4"\n', "[siren] quiet: '22-4' is no span of hours; write for example 22:00-04:30"),
        ('[siren]\nquiet = "22:00-24:30"\n', "is no span of hours"),
        ("[siren]\nlimit_s = 0\n", "[siren] limit_s: "),
        ('[siren]\nchirp = "a \'b"\n', "[siren] chirp: cannot be split into words"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    assert says in mistake(tmp_path, text)
