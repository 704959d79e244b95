"""`kentongan doctor`: what is wrong, what it means, what to do; and the bridge is never disturbed by it."""

import datetime
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from meshtastic.protobuf import config_pb2

from bridge.control import ControlSocket
from cli.status import Finding, State
from simulator.node import Node
from simulator.village import Village
from tests.brokers import iotcore_broker
from tests.cli.kentongan import run, setup_words
from tests.cli.posts import UPLINK, Post, make_post
from tests.desk.live import LiveDesk
from tests.patience import until

LoRa = config_pb2.Config.LoRaConfig
HEARD = {
    "version": "1.0",
    "up_s": 200.0,
    "clock_trusted": True,
    "faults": {},
    "journal": {"waiting": 3},
    "radios": {"gw1": {"own": 2561, "firmware": "2.7.26.54e0d8d"}},
    "parts": {"gw1": {"air_util_tx": 0.3}},
    "stations": {
        "gw1": {
            "lora": {"region": "KR", "preset": "MEDIUM_FAST", "slot": 4, "power_dbm": 17},
            "channels": [{"index": 0, "name": "SiagaDesa", "is_private": True}],
        }
    },
}


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return make_post(tmp_path / "post")


def visit(post: Post, *parts: str) -> tuple[int, list[Finding]]:
    """Exit code and findings."""
    done = post.typed("doctor", *parts, "--json", "--lang", "en", "--wait", "5")
    told = json.loads(done.stdout)
    findings = [Finding(f["part"], State(f["state"]), f["text"], f["advice"]) for f in told["findings"]]
    assert told["well"] == (done.exit_code == 0) == all(f.state is not State.FAULT for f in findings)
    assert all(f.advice for f in findings if f.state is State.FAULT), "a fault without a way out"
    return done.exit_code, findings


@pytest.fixture(scope="module")
def plain_post(tmp_path_factory: pytest.TempPathFactory) -> Post:
    """For stories that leave it as it is."""
    return make_post(tmp_path_factory.mktemp("plain") / "post")


@contextmanager
def bridge_that_says(post: Post, **change: Any) -> Iterator[None]:
    server = ControlSocket(post.socket, {"doctor": lambda _: HEARD | change})
    server.start()
    try:
        yield
    finally:
        server.stop()


def lawful(gateway: Node) -> Node:
    lora = gateway.kept.config.lora
    lora.region, lora.modem_preset = LoRa.RegionCode.KR, LoRa.ModemPreset.MEDIUM_FAST
    lora.channel_num, lora.tx_power = 4, 17
    return gateway


def test_a_post_is_examined_before_its_bridge_runs_and_while_it_runs(tmp_path: Path) -> None:
    with Village(seed=4) as village, iotcore_broker(tmp_path) as broker:
        gateway = lawful(village.gateway("gw"))
        desk = LiveDesk.create(tmp_path / "desk", broker.url)
        made = run(*setup_words(tmp_path / "post", gateway.serve_tcp(), broker.url))
        assert made.returncode == 0, made.stderr
        post = Post(tmp_path / "post" / "post.toml")
        post.change("keys = []", f'keys = ["{desk.public_text}"]')
        public = json.loads(post.run("keys", "show", "--json").stdout)["public_key"]
        desk.type("post", "add", "35.09.14.2005", "pos-1", public)
        desk.start()
        try:
            until(lambda: visit(post, "desk")[0] == 0, why="the desk answers the doctor himself")
            code, before = visit(post, "radio", "channel", "broker", "desk")
            assert code == 0, before
            assert [f.text for f in before] == [
                "!67770001, firmware 2.7.26.54e0d8d",
                "KR MEDIUM_FAST slot 4: 920.875 MHz, 17 dBm",
                "private channels: SiagaDesa",
                f"127.0.0.1:{broker.port} connected",
                f"the police desk answers through 127.0.0.1:{broker.port}",
            ]
            with post.bridge():
                until(lambda: post.picture()["radios"], why="the radio is up")
                until(lambda: visit(post, "broker", "desk")[0] == 0, why="the desk answers the bridge")
                code, during = visit(post, "bridge", "radio", "channel", "broker", "desk", "journal")
                assert code == 0, during
                assert [f.text for f in during][1:6] == [f.text for f in before]
                assert gateway.has_client
            log = post.log.read_text()
            assert (log.count("radio up"), log.count("radio down")) == (1, 0), "the doctor knocked at the radio"
            assert log.count("broker connected") == 1, "the doctor knocked at the broker"
        finally:
            desk.end(signal.SIGKILL)


def lora(**change: Any) -> dict[str, Any]:
    station = HEARD["stations"]["gw1"]
    return {"stations": {"gw1": station | {"lora": station["lora"] | change}}}


def channels(*known: tuple[str, bool]) -> dict[str, Any]:
    station = HEARD["stations"]["gw1"]
    told = [{"index": at, "name": name, "is_private": private} for at, (name, private) in enumerate(known)]
    return {"stations": {"gw1": station | {"channels": told}}}


ILL = [
    ("radio", {"radios": {"gw1": {"own": 1, "firmware": "2.7.14.abc"}}}, "too old", "Update the radio"),
    ("radio", {"radios": {"gw1": {"own": 1, "firmware": ""}}}, "too old", "Update the radio"),
    ("radio", {"radios": {}, "faults": {"radio:gw1": "cable"}}, "cable", "power and cable"),
    ("radio", lora(region="SG_923", slot=4), "outside the 920-923 MHz", "node apply"),
    ("radio", lora(power_dbm=0), "0 dBm", "node apply"),
    ("radio", lora(preset="CUSTOM"), "not known", "node apply"),
    ("channel", channels(("", False)), "no private channel", "do not count"),
    ("airtime", {"parts": {"gw1": {"air_util_tx": 1.4}}}, "1.40 %", "telemetry"),
    ("journal", {"faults": {"journal": "read-only"}}, "read-only", "siren still sounds"),
]


@pytest.mark.parametrize(("part", "change", "says", "advises"), ILL)
def test_what_the_bridge_tells_is_judged(
    plain_post: Post, part: str, change: dict[str, Any], says: str, advises: str
) -> None:
    with bridge_that_says(plain_post):
        assert visit(plain_post, part)[0] == 0, "it was well before"
    with bridge_that_says(plain_post, **change):
        code, findings = visit(plain_post, part)
    (fault,) = [finding for finding in findings if finding.state is State.FAULT]
    assert code == 1 and says in fault.text and advises in fault.advice


def test_named_channels_must_be_there_and_private(post: Post) -> None:
    post.change("[radio]\n", '[radio]\nchannels = ["SiagaDesa", "Umum", "Hilang"]\n')
    with bridge_that_says(post, **channels(("Umum", False), ("SiagaDesa", True))):
        code, findings = visit(post, "channel")
    assert code == 1
    assert [(f.state, f.text.split("'")[1]) for f in findings[:2]] == [(State.FAULT, "Umum"), (State.FAULT, "Hilang")]
    assert findings[2].text == "private channels: SiagaDesa"


def test_a_bridge_that_runs_and_cannot_be_asked_keeps_its_radio(tmp_path: Path) -> None:
    """It may have lost its socket to a sick disk: whoever has the journal's lock has the radio."""
    with Village(seed=4) as village:
        gateway = lawful(village.gateway("gw"))
        post = make_post(tmp_path / "post", radio=gateway.serve_tcp())
        held = (
            "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); "
            "print('held', flush=True); sys.stdin.read()"
        )
        command = [sys.executable, "-c", held, str(post.folder / "journal.db.lock")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
            code, findings = visit(post, "bridge", "radio", "channel", "airtime")
            holder.communicate()
        assert (code, findings[0].state) == (1, State.FAULT)
        assert str(holder.pid) in findings[0].text
        assert all("not asked" in finding.text for finding in findings[1:])
        assert not gateway.sent and not gateway.has_client
        assert visit(post, "radio")[0] == 0, "the holder has gone: now it is asked"


def test_the_machine_is_looked_at(post: Post) -> None:
    (post.folder / "journal.db.corrupt-20260101T000000Z").touch()
    (post.folder / "sources.toml").write_text('[[source]]\nhead = "RT03-12"\nhouse = "RT03-12"\n')
    code, findings = visit(post, "journal", "disk", "siren", "inputs", "heads", "ports")
    assert code == 0
    said = {finding.text: finding.state for finding in findings}
    assert said["1 damaged copies beside it: journal.db.corrupt-20260101T000000Z"] is State.NOTE
    assert said["1 heads; without a key: RT03-12"] is State.NOTE
    assert said["this post uses no serial port"] is State.OK


def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    post = make_post(tmp_path / "post", radio="serial:///dev/serial/by-id/usb-RAK")
    code, (gone,) = visit(post, "ports")
    assert code == 1
    assert gone.text == "/dev/serial/by-id/usb-RAK is not there (radio)" and "kentongan ports" in gone.advice


@contextmanager
def tls_server(identity: trustme.LeafCert) -> Iterator[int]:
    """Shakes hands and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                    with client, context.wrap_socket(client, server_side=True) as sealed:
                        sealed.recv(1)
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize(("days", "state"), [(400, State.OK), (10, State.NOTE), (-1, State.FAULT)])
def test_the_dates_of_certificates_are_read(tmp_path: Path, days: int, state: State) -> None:
    ca = trustme.CA()
    until_ = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    identity = ca.issue_cert("127.0.0.1", not_after=until_)
    with tls_server(identity) as port:
        made = run(*setup_words(tmp_path / "post", mqtt=f"mqtts://127.0.0.1:{port}"))
        assert made.returncode == 0, made.stderr
        post = Post(tmp_path / "post" / "post.toml")
        ca.cert_pem.write_to_path(str(post.folder / "ca.pem"))
        identity.private_key_and_cert_chain_pem.write_to_path(str(post.folder / "own.pem"))
        files = 'ca = "ca.pem"\ncert = "own.pem"\nkey = "own.pem"\n'
        post.change("[[uplink]]\n", f"[[uplink]]\n{files}")
        code, findings = visit(post, "tls")
    assert code == (state is State.FAULT)
    own, of_ca, broker = findings[0], findings[-2], findings[-1]
    assert (own.state, of_ca.state, broker.state) == (state, State.OK, state)


def test_wrong_use_and_the_table(post: Post) -> None:
    wrong = post.run("doctor", "weather", "--lang", "en")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no part 'weather'; there are: bridge, ports, radio" in wrong.stderr
    told = post.run("doctor", "bridge", "disk", "--lang", "en")
    assert told.returncode == 1
    assert told.stdout.splitlines()[0].startswith("bridge     FAULT    no bridge runs")
    assert "Traceback" not in told.stderr
    assert UPLINK not in post.toml.read_text()
