"""`post.toml`: what a technician writes, what he is told when it is wrong, and what is in force."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.config import Config, cautions, load_config
from bridge.config_show import described, show
from bridge.domain.errors import ConfigError
from bridge.domain.ids import PostId

KEY = "A" * 42 + "E"  # 32 bytes of base64url
BENCH = '[post]\nvillage = "35.09.14.2005"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    for name in ("keys/post.pem", "ca.pem", "post.crt", "post.key", "password"):
        (tmp_path / name).write_text("not looked into\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "keys" / "desk.pub").write_text(KEY + "\n")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "post.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text))
    lines = str(caught.value).splitlines()
    assert all(line.startswith("post.toml: ") for line in lines)
    return [line.removeprefix("post.toml: ") for line in lines]


WHOLE = f"""
sources = "village/sources.toml"
[post]
village = "35.09.14.2005"
id = "pos-2"
name = "Poskamling RT 03 \\"Siaga\\""
language = "en"
phones = ["110", "0331-484567"]
[radio]
url = "serial:///dev/serial/by-id/usb-RAK"
channels = ["SiagaRT", "SiagaDesa"]
allow_public_key = true
[[uplink]]
url = "mqtts://mqtt.polres.example:8883"
ca = "ca.pem"
cert = "post.crt"
key = "post.key"
username = "pos-2"
password_file = "password"
[[uplink]]
url = "mqtt://192.168.1.5"
[journal]
path = "/var/lib/kentongan/journal.db"
[desk]
keys = ["{KEY}", "keys/desk.pub"]
[siren]
command = "/usr/bin/aplay '/etc/kentongan/{{kind}}.wav'"
[[input]]
name = "kentongan"
driver = "gpio"
pin = "GPIO27"
[[output]]
name = "horn"
driver = "gpio"
pin = "GPIO17"

[control]
socket = "/run/kentongan/control.sock"
[identity]
key = "keys/post.pem"
"""


def test_a_bench_needs_the_village_only(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, BENCH))
    assert config.post_id == PostId("35.09.14.2005", "pos-1")
    assert (config.post.language, config.post.phones) == ("id", ("110",))
    assert (config.radio.url, config.radio.channels, config.radio.allow_public_key) == ("", (), False)
    assert (config.uplink, config.desk.keys, config.siren.command) == ((), (), "")
    assert config.journal.path == tmp_path / "journal.db"
    assert config.sources == tmp_path / "sources.toml"
    assert config.control.socket == tmp_path / "kentongan.sock"
    assert config.identity.key == tmp_path / "keys" / "post.pem"


def test_everything_that_can_be_set(folder: Path) -> None:
    config = load_config(write(folder, WHOLE))
    assert config.post_id == PostId("35.09.14.2005", "pos-2")
    assert config.post.name == 'Poskamling RT 03 "Siaga"'
    assert config.sources == folder / "village" / "sources.toml"
    assert config.radio.channels == ("SiagaRT", "SiagaDesa")
    first, second = config.uplink
    assert (first.ca, first.cert, first.key) == (folder / "ca.pem", folder / "post.crt", folder / "post.key")
    assert (first.username, first.password_file) == ("pos-2", folder / "password")
    assert (second.url, second.ca, second.password_file) == ("mqtt://192.168.1.5", None, None)
    assert config.journal.path == Path("/var/lib/kentongan/journal.db")
    assert config.desk.keys == (KEY, KEY)


def test_paths_start_at_the_files_folder_wherever_we_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, BENCH)
    monkeypatch.chdir(folder.parent)
    config = load_config(Path(folder.name) / "post.toml")
    assert config.journal.path == folder / "journal.db"


def test_the_folder_that_setup_made_stands_for_its_file(folder: Path) -> None:
    path = write(folder, BENCH)
    assert load_config(folder) == load_config(path)


def test_settings_are_frozen(folder: Path) -> None:
    config = load_config(write(folder, WHOLE))
    with pytest.raises(ValidationError):
        config.post.village = "35.09.14.2006"
    with pytest.raises(ValidationError):
        config.sources = Path("/elsewhere")


def test_nothing_is_read_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES", "/elsewhere")
    monkeypatch.setenv("POST", '{"village": "11.01.01.2001"}')
    config = load_config(write(folder, BENCH))
    assert (config.post.village, config.sources) == ("35.09.14.2005", folder / "sources.toml")


def test_every_mistake_is_told_at_once_one_a_line(tmp_path: Path) -> None:
    text = """
        sorces = "x"
        [post]
        vilage = "35.09.14.2005"
        id = "Pos 1"
        phones = "110"
        language = "jv"
        [radio]
        url = "http://radio"
        channels = ["a", 1]
        allow_public_key = "yes"
        [[uplink]]
        url = "mqtt://pos:secret-word@broker:99999"
        [[uplink]]
        url = "mqtt://broker"
        pasword = "secret-word"
        cert = "nope.crt"
        [journal]
        path = 3
        [desk]
        keys = ["abc"]
        [siren]
        command = "play 'x"
        [uplinks]
    """
    found = mistakes(tmp_path, text)
    assert found == [
        "[post] village: missing",
        "[post] id: 'Pos 1' may hold only a-z, 0-9 and '-', at most 32, for example pos-1",
        "[post] language: must be 'id' or 'en'",
        '[post] phones: must be a list, for example ["one", "two"]',
        '[post] vilage: unknown key; did you mean "village"?',
        "[radio] url: must begin serial:// or tcp://, for example serial:///dev/serial/by-id/... or tcp://host:4403",
        "[radio] channels item 2: must be text in quotes",
        "[radio] allow_public_key: must be true or false",
        "[[uplink]] 1 url: not a URL (Port out of range 0-65535); write for example mqtts://host:8883 "
        "(user and password have keys of their own)",
        f"[[uplink]] 2 cert: no file {tmp_path}/nope.crt",
        '[[uplink]] 2 pasword: unknown key; did you mean "password_file"?',
        "[journal] path: must be a path in quotes",
        "[desk] keys item 1: neither a key (43 letters of base64url, see `kentongan desk key`) "
        "nor a file that holds one",
        "[siren] command: cannot be split into words (No closing quotation); look at its quotes",
        'sorces: unknown key; did you mean "sources"?',
        'uplinks: unknown key; did you mean "uplink"?',
        f"[identity] key: no file {tmp_path}/keys/post.pem; `kentongan setup` makes one",
    ]
    assert "secret-word" not in "\n".join(found)


def bench(rest: str) -> str:
    return BENCH + rest


SINGLE = [
    ("", "[post] village: missing"),
    ('[post]\nvillage = "35.09.14"\n', "[post] village: '35.09.14' is not PP.KK.CC.DDDD, for example 35.09.14.2005"),
    ("[post]\nvillage = 3509142005\n", "[post] village: must be text in quotes"),
    ('post = "pos-1"\n', "post: must be a table of keys"),
    (bench("phones = ['satu satu nol']"), "[post] phones item 1: 'satu satu nol' is not a telephone number"),
    (bench("[radio]\nurl = 'serial:/dev/ttyACM0'\nurls = 1\n"), '[radio] urls: unknown key; did you mean "url"?'),
    (bench("[radio]\nurl = 'serial://ttyACM0'\n"), "[radio] url: needs three slashes and a device"),
    (bench("[radio]\nurl = 'tcp://'\n"), "[radio] url: needs a host and nothing after it"),
    (bench("[radio]\nxyz = 1\n"), "[radio] xyz: unknown key; known here: allow_public_key, channels, url"),
    (bench("[[uplink]]\nurl = 'mqtts://a/b'\n"), "[[uplink]] 1 url: needs a host and nothing after it"),
    (bench("[[uplink]]\nurl = 'mqtt://me@a'\n"), "[[uplink]] 1 url: holds more than where to go"),
    (bench("[[uplink]]\n"), "[[uplink]] 1 url: missing"),
    (bench("[[uplink]]\nurl = 'mqtts://a'\ncert = 'post.crt'\n"), "[[uplink]] 1: cert and key go together"),
    (bench("[[uplink]]\nurl = 'mqtts://a'\npassword_file = 'password'\n"), "[[uplink]] 1: password_file needs a user"),
    (bench("[[uplink]]\nurl = 'mqtt://a'\nca = 'ca.pem'\n"), "[[uplink]] 1: ca, cert and key need TLS"),
    (bench("[uplink]\nurl = 'mqtt://a'\n"), "uplink: must be written [[uplink]], once for each"),
    (bench("[desk]\nkeys = ['ca.pem']\n"), "[desk] keys item 1: neither a key"),
    (bench("[siren]\ncommand = '  '\n"), "[siren] command: holds no program"),
    (bench("[siren]\ncommand = ['play', 'x']\n"), "[siren] command: must be text in quotes"),
]


@pytest.mark.parametrize("text", [text for text, _ in SINGLE])
def test_each_mistake_is_told_in_indonesian_too(folder: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text))
    indonesian, english = caught.value.said("id"), caught.value.said("en")
    assert english == str(caught.value)
    where, _, what = indonesian.removeprefix("post.toml: ").partition(": ")
    assert english.startswith(f"post.toml: {where}: ")
    assert what not in english
    english_words = {"must", "missing", "needs", "unknown", "neither", "holds", "not", "cannot", "for"}
    assert not english_words & set(what.split()), what


@pytest.mark.parametrize(("text", "says"), SINGLE)
def test_one_mistake_is_one_clear_line(folder: Path, text: str, says: str) -> None:
    (found,) = mistakes(folder, text)
    assert found.startswith(says)


def test_no_file_and_no_toml_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; `kentongan setup` writes one$"):
        load_config(tmp_path / "post.toml")
    with pytest.raises(ConfigError, match=r"cannot be read: .*line 1") as caught:
        load_config(write(tmp_path, "[post\n"))
    assert "\n" not in str(caught.value)
    (tmp_path / "post.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="cannot be read: "):
        load_config(tmp_path / "post.toml")


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("text", [BENCH, WHOLE])
def test_what_is_shown_reads_back_as_the_same_settings(folder: Path, text: str, language: str) -> None:
    config = load_config(write(folder, text))
    shown = show(config, "id" if language == "id" else "en")
    assert load_config(write(folder, shown)) == config


def test_what_is_shown_names_every_key_and_holds_no_secret(folder: Path) -> None:
    (folder / "password").write_text("very-secret")
    shown = show(load_config(write(folder, WHOLE)), "en")
    assert "very-secret" not in shown
    assert f'password_file = "{folder}/password"' in shown
    assert "# the post's name on the wire: a-z, 0-9, '-'\nid = \"pos-2\"" in shown
    tables = tomllib.loads(shown)
    assert set(tables) == set(Config.model_fields)


def test_every_key_is_described_in_both_languages() -> None:
    meanings = described()
    assert {"sources", "[post] village", "[[uplink]] password_file", "[siren] command"} <= set(meanings)
    assert len(meanings) == 49
    for key, (indonesian, english) in meanings.items():
        assert indonesian, key
        assert english, key
        assert indonesian != english, key
        assert "\n" not in indonesian + english, key


def test_a_password_that_everybody_may_read_is_a_caution(folder: Path) -> None:
    config = load_config(write(folder, WHOLE))
    assert cautions(config) == []
    (folder / "password").chmod(0o644)
    assert [caution.english for caution in cautions(config)] == [
        f"{folder}/password: everybody may read this secret; type: chmod 600 {folder}/password"
    ]


def test_a_bench_is_cautioned_about_what_it_lacks(folder: Path) -> None:
    text = bench("[[uplink]]\nurl = 'mqtt://a'\n")
    assert [caution.english for caution in cautions(load_config(write(folder, text)))] == [
        "[desk] keys is empty: no answer of the police can be verified, the post will say 'not connected'",
        "[radio] url is empty: this post hears no node",
    ]
    assert [caution.english for caution in cautions(load_config(write(folder, BENCH)))] == [
        "no [[uplink]]: no alarm gets to the police",
        "[radio] url is empty: this post hears no node",
    ]
