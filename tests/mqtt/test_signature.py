"""The envelope, byte by byte: what other people's backends must produce and accept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mqtt.signature import Envelope, Keyring, NotVerified, Signer, from_text, key_id, signed_bytes, to_text

SEED = bytes(range(32))
TOPIC = "kentongan/v1/35/09/14/2005/pos-1/alarm"
BODY = '{"batch":"00112233445566ff","teks":"kebakaran – \\"tolong\\""}'
PUBLIC = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
KID = "56475aa75463474c"
SIGNED = (
    b"kentongan/v1\x00kentongan/v1/35/09/14/2005/pos-1/alarm\x00"
    b'{"batch":"00112233445566ff","teks":"kebakaran \xe2\x80\x93 \\"tolong\\""}'
)
SIG = "cIeSusTsonfIpcwRwiPiGx5aNrVZsQI_B77y3nIZpg8JHQC1kQXodLInK3uxKq_wyRxQb1IVnAGr3wcLo1QRCQ"
PAYLOAD = (
    '{"v":1,"kid":"56475aa75463474c","sig":"' + SIG + '",'
    '"body":"{\\"batch\\":\\"00112233445566ff\\",\\"teks\\":\\"kebakaran – \\\\\\"tolong\\\\\\"\\"}"}'
).encode()


@pytest.fixture
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(SEED))


@pytest.fixture
def ring() -> Keyring:
    return Keyring.of([PUBLIC])


def test_the_key_has_these_names(signer: Signer) -> None:
    assert (signer.public_text, signer.kid) == (PUBLIC, KID)


def test_these_bytes_are_signed() -> None:
    assert signed_bytes(TOPIC, BODY) == SIGNED


def test_the_payload_is_exactly_this(signer: Signer) -> None:
    assert signer.seal(TOPIC, BODY).encode() == PAYLOAD


def test_the_payload_opens_to_the_same_body(ring: Keyring) -> None:
    assert ring.open(TOPIC, PAYLOAD) == Envelope(KID, SIG, BODY)


def test_spaces_and_order_around_the_body_do_not_matter(ring: Keyring) -> None:
    fields = json.loads(PAYLOAD)
    loose = json.dumps(dict(reversed(fields.items())), indent=2).encode()
    assert ring.open(TOPIC, loose).body == BODY


@pytest.mark.parametrize("topic", [TOPIC.replace("pos-1", "pos-2"), TOPIC.replace("alarm", "receipt"), TOPIC + "/", ""])
def test_another_topic_does_not_verify(ring: Keyring, topic: str) -> None:
    with pytest.raises(NotVerified, match="does not fit"):
        ring.open(topic, PAYLOAD)


@pytest.mark.parametrize(
    "body",
    [BODY.replace("tolong", "Tolong"), BODY + " ", BODY[:-1], BODY.replace("00", "01", 1), BODY.replace("–", "-"), ""],
)
def test_another_body_does_not_verify(signer: Signer, ring: Keyring, body: str) -> None:
    envelope = replace(signer.seal(TOPIC, BODY), body=body)
    assert body != BODY
    with pytest.raises(NotVerified, match="does not fit"):
        ring.open(TOPIC, envelope.encode())


def test_every_altered_byte_of_the_signature_is_noticed(signer: Signer, ring: Keyring) -> None:
    envelope = signer.seal(TOPIC, BODY)
    raw = from_text(envelope.sig)
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(NotVerified):
            ring.open(TOPIC, replace(envelope, sig=to_text(altered)).encode())


def test_an_unknown_key_is_named(ring: Keyring) -> None:
    stranger = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(NotVerified, match=f"unknown key '{stranger.kid}'"):
        ring.open(TOPIC, stranger.seal(TOPIC, BODY).encode())


def test_a_strangers_signature_under_our_name_does_not_verify(ring: Keyring) -> None:
    stranger = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(NotVerified, match="does not fit"):
        ring.open(TOPIC, replace(stranger.seal(TOPIC, BODY), kid=KID).encode())


def test_the_spare_key_is_as_good_as_the_first(signer: Signer) -> None:
    spare = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    ring = Keyring.of([PUBLIC, spare.public_text])
    assert ring.open(TOPIC, spare.seal(TOPIC, BODY).encode()).body == BODY
    assert ring.open(TOPIC, PAYLOAD).body == BODY


def test_an_empty_ring_opens_nothing() -> None:
    with pytest.raises(NotVerified):
        Keyring(()).open(TOPIC, PAYLOAD)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "version None"),
        (PAYLOAD.replace(b'"v":1', b'"v":2'), "version 2 is not 1"),
        (PAYLOAD.replace(b'"v":1', b'"v":"1"'), "version '1'"),
        (b'{"v":1,"kid":1,"sig":"","body":""}', "must be text"),
        (b'{"v":1,"kid":"x","sig":"x"}', "must be text"),
        (PAYLOAD.replace(SIG.encode(), b"!!!"), "does not fit"),
        (PAYLOAD.replace(SIG.encode(), b""), "does not fit"),
        (b'{"v":1,"kid":"' + KID.encode() + b'","sig":"AA","body":"\\ud800"}', "does not fit"),
    ],
)
def test_what_is_no_envelope_says_why(ring: Keyring, payload: bytes, why: str) -> None:
    with pytest.raises(NotVerified, match=why):
        ring.open(TOPIC, payload)


def test_a_new_key_is_for_its_owner_only_and_comes_back(tmp_path: Path) -> None:
    made = Signer.create(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert Signer.load(tmp_path / "key.pem").kid == made.kid
    with pytest.raises(FileExistsError):
        Signer.create(tmp_path / "key.pem")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("kunci")
    with pytest.raises(ValueError, match=r"key\.pem holds no usable private key"):
        Signer.load(tmp_path / "key.pem")


def test_key_ids_differ() -> None:
    ids = {key_id(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32).public_key()) for n in range(50)}
    assert len(ids) == 50
