"""A session at the genuine broker: users, TLS, rights, and a broker that freezes."""

import ssl
import time
from pathlib import Path

import pytest
import trustme

from mqtt.session import SessionConfig, SessionTiming, Subscription
from tests.brokers import Mosquitto, Tls, mosquitto_broker
from tests.mqtt.people import password_file
from tests.mqtt.sessions import TOPIC, Story, has_no_traceback, story
from tests.patience import until


@pytest.mark.mosquitto
def test_a_wrong_password_is_one_clear_line_and_a_corrected_file_needs_no_restart(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path, users={"pos-1": "benar"}) as broker:
        secret = password_file(tmp_path, "salah")
        with story(broker.url, config={"username": "pos-1", "password_file": secret}) as told:
            why = told.wait_down()
            assert has_no_traceback(why) and "username" in why and "password_file" in why
            assert "salah" not in why and not told.ups
            secret.unlink()
            assert "password_file" in told.wait_down("cannot be read")
            secret.write_text("benar\n")
            told.wait_up()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def tls_files(folder: Path, authority: trustme.CA, ask_client: bool = False) -> Tls:
    issued = authority.issue_cert("localhost", "127.0.0.1")
    files = Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", ask_client)
    authority.cert_pem.write_to_path(files.ca)
    files.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files.key)
    return files


@pytest.mark.mosquitto
def test_tls_with_our_own_ca(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    with mosquitto_broker(tmp_path, tls=tls) as broker, story(broker.url, config={"ca": tls.ca}) as told:
        told.wait_up()
        assert told.code() in (0x00, 0x10)
        big = b"x" * 300_000
        assert told.code(payload=big) in (0x00, 0x10)


@pytest.mark.mosquitto
def test_an_unknown_ca_is_one_clear_line(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    with mosquitto_broker(tmp_path, tls=tls) as broker:
        for config in ({"ca": stranger}, {}):
            with story(broker.url, config=config) as told:
                assert has_no_traceback(told.wait_down("certificate not trusted"))
                assert not told.ups


@pytest.mark.mosquitto
def test_a_certificate_for_another_host_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    issued = authority.issue_cert("broker.example")
    tls.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(tls.key)
    with mosquitto_broker(tmp_path, tls=tls) as broker, story(broker.url, config={"ca": tls.ca}) as told:
        told.wait_down("certificate not trusted")
        assert not told.ups


@pytest.mark.mosquitto
def test_a_broker_that_wants_our_certificate_gets_it(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority, ask_client=True)
    own = authority.issue_cert("pos-1")
    cert, key = tmp_path / "own.pem", tmp_path / "own.key"
    cert.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    own.private_key_pem.write_to_path(key)
    with mosquitto_broker(tmp_path, tls=tls) as broker:
        with story(broker.url, config={"ca": tls.ca, "cert": cert, "key": key}) as told:
            told.wait_up()
        with story(broker.url, config={"ca": tls.ca}) as told:
            assert has_no_traceback(told.wait_down())
            assert not told.ups


@pytest.mark.parametrize("name", ["ca", "cert"])
def test_a_file_that_is_missing_or_nonsense_is_named(tmp_path: Path, name: str) -> None:
    nonsense = tmp_path / "nonsense.pem"
    for text in (None, "bukan pem"):
        if text is not None:
            nonsense.write_text(text)
        with story("mqtts://127.0.0.1:1", config={name: nonsense}) as told:
            why = told.wait_down(str(nonsense))
            assert has_no_traceback(why) and why.startswith(name)


@pytest.mark.mosquitto
def test_plain_talk_to_a_tls_port_and_tls_to_a_plain_one_are_clear_lines(tmp_path: Path, authority: trustme.CA) -> None:
    tls = tls_files(tmp_path, authority)
    with mosquitto_broker(tmp_path, tls=tls) as broker, story(f"mqtt://127.0.0.1:{broker.port}") as told:
        assert has_no_traceback(told.wait_down())
    config = {"ca": tls.ca}
    with mosquitto_broker(tmp_path) as broker, story(f"mqtts://127.0.0.1:{broker.port}", config=config) as told:
        assert has_no_traceback(told.wait_down("mqtt atau mqtts"))


@pytest.mark.mosquitto
def test_mosquitto_says_when_nobody_subscribes_and_when_it_denies(tmp_path: Path) -> None:
    acl = "topic readwrite kentongan/v1/35/09/14/2005/pos-1/#\n"
    with mosquitto_broker(tmp_path, acl=acl) as broker, story(broker.url) as told:
        assert told.session.publish is not None
        assert told.code() == 0x10
        assert told.code(TOPIC.replace("pos-1", "pos-2")) == 0x87
        with story(broker.url, client_id="reader", subscriptions=[Subscription(TOPIC, 1)]) as reader:
            reader.wait_up()
            until(lambda: told.code() == 0x00, "somebody subscribes now")


@pytest.mark.mosquitto
@pytest.mark.soak
def test_a_frozen_broker_is_noticed_within_thirty_seconds(tmp_path: Path) -> None:
    with mosquitto_broker(tmp_path) as broker, story(broker.url, timing=SessionTiming()) as told:
        told.wait_up()
        broker.freeze()
        took_s = _time_until_down(broker, told)
        print(f"measured: frozen broker noticed after {took_s:.1f} s")
        assert took_s <= 30.0


def _time_until_down(broker: Mosquitto, told: Story) -> float:
    began = time.monotonic()
    try:
        until(lambda: told.downs, within_s=60)
        return time.monotonic() - began
    finally:
        broker.thaw()


def test_our_tls_is_at_least_1_2() -> None:
    context = SessionConfig("mqtts://h", "x").tls_context()
    assert context is not None and context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
