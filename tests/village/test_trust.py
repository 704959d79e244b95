"""Who is believed, and how far: keys decide, never numbers or the broker. What is no call for help rings nothing."""

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from meshtastic.protobuf import mesh_pb2, portnums_pb2

from bridge.domain.desk import OrderKind
from bridge.domain.ids import PostId
from mqtt.contract import OrderBody, ReceiptBody, StoredBody, WordBody
from mqtt.session import Session, SessionConfig, SessionTiming
from mqtt.signature import Envelope, Signer
from simulator.air import EVERYBODY
from simulator.node import Node
from tests.brokers import Mosquitto
from tests.patience import until
from tests.village.scene import POST, VILLAGE, Program, Scene, kentongan, scene

pytestmark = pytest.mark.mosquitto

TOPICS = PostId(VILLAGE, POST).topic
HOUSES = ("RT03-12", "RT03-13", "RT03-14")  # what the register names
LOUD = """#!/bin/sh
echo "$1 $(date +%s%N)" >> "{file}"
trap 'echo "SILENCED $(date +%s%N)" >> "{file}"; exit 0' TERM
sleep 60 & wait
"""


@pytest.fixture
def registered(tmp_path: Path, broker: Mosquitto) -> Iterator[Scene]:
    """An evening whose post knows three houses: their places, and the keys of their nodes."""
    with scene(tmp_path, broker.url) as stage:
        stage.post.kill()
        register(stage)
        stage.post.start()
        stage.wait_desk()
        stage.wait_radio()
        yield stage


def register(stage: Scene) -> None:
    entries = [(name, stage.house(name)) for name in HOUSES]
    (stage.folder / "post/sources.toml").write_text(
        "\n".join(
            f'[[source]]\nnode = "!{node.num:08x}"\nhouse = "{name}"\nrt = "03"\n'
            f'public_key = "{base64.b64encode(node.public_key).decode()}"'
            for name, node in entries
        )
    )


def says(stage: Scene, node: Node, words: str, **how: Any) -> str:
    """A text that must become an alarm; its id."""
    return pressed(stage, node, node.text(words, **how))


def pressed(stage: Scene, node: Node, packet_id: int) -> str:
    press = f"node:{node.num:08x}/{packet_id:08x}"
    stage.pressed[press] = node.name
    return press


def direct(stage: Scene, node: Node, words: str) -> str:
    """A direct message to the gateway, encrypted with keys if both know each other's."""
    return says(stage, node, words, to=stage.gateway.num)


def cases(stage: Scene) -> dict[str, dict[str, Any]]:
    """The desk's list by the id of its first alarm."""
    return {case["alarm"]: case for case in stage.json("desk", "list", "--config", desk_toml(stage))}


def desk_toml(stage: Scene) -> str:
    return str(stage.folder / "desk/desk.toml")


def packet_as_heard(sender: int, words: str, key: bytes, number: int = 0x0B0B0001) -> mesh_pb2.MeshPacket:
    """A direct text that the radio opened with a key of the sender's."""
    packet = mesh_pb2.MeshPacket(to=EVERYBODY, id=number, rx_snr=6.0, hop_limit=3, hop_start=3)
    setattr(packet, "from", sender)
    packet.pki_encrypted, packet.public_key = True, key
    packet.decoded.portnum, packet.decoded.payload = portnums_pb2.TEXT_MESSAGE_APP, words.encode()
    return packet


def test_a_pinned_key_is_verified_a_channel_is_not_and_an_impostor_never(registered: Scene) -> None:
    """All ring; the desk sees how far each may be believed."""
    stage, house, other = registered, registered.house("RT03-12"), registered.house("RT03-13")
    proved = direct(stage, house, "maling!")
    aloud = says(stage, house, "kebakaran!")
    stranger = says(stage, stage.village.house("tamu", stranger=True), "tolong!")
    liar = stage.village.impostor(other)
    borrowed = says(stage, liar, "banjir!")
    liar.announce()  # a radio that knows the house's key takes no other
    liar.text("sapi hilang", to=stage.gateway.num, want_ack=False)  # sealed with a key that is not the house's
    stage.gateway.deliver(packet_as_heard(other.num, "pembunuhan!", liar.public_key))  # a radio that was reset takes it
    forged = pressed(stage, other, 0x0B0B0001)
    said = [proved, aloud, stranger, borrowed, forged]
    stage.wait_stored(said)
    genuine = direct(stage, other, "kecelakaan!")
    stage.wait_stored([*said, genuine])
    stage.account([*said, genuine])
    seen = cases(stage)
    assert {press: seen[press]["trust"] for press in seen} == {
        proved: "VERIFIED",
        aloud: "CHANNEL",
        stranger: "UNKNOWN",
        borrowed: "CHANNEL",
        forged: "UNKNOWN",
        genuine: "VERIFIED",
    }
    assert seen[genuine]["words"] == ["kecelakaan!"], "a liar's words stand under a proved name"
    assert "RT03-12" in seen[proved]["place"] and seen[stranger]["place"] is None
    assert seen[forged]["remarks"] == seen[borrowed]["remarks"] == ["place_claimed"]
    assert seen[proved]["remarks"] == seen[genuine]["remarks"] == []
    until(lambda: len(stage.rings()) >= 6, "six sirens", 5)
    assert sorted(stage.rings()) == ["ACCIDENT", "DISASTER", "FIRE", "MURDER", "PANIC", "THEFT"]
    lines = kentongan("desk", "list", "--config", desk_toml(stage)).stdout.splitlines()
    line = {press: next(line for line in lines if press in line) for press in seen}
    assert "tempat tidak diketahui" in line[stranger] and "place_claimed" in line[forged]


def noise(stage: Scene) -> None:
    """What looks like a call for help and is none, each from a node of its own."""
    text = portnums_pb2.TEXT_MESSAGE_APP
    acts: list[Callable[[Node], object]] = [
        lambda node: node.text("kebakaran di kanal umum!", channel=""),
        lambda node: node.alert("TOLONG", channel=""),
        lambda node: node.detect("pintu", channel=""),
        lambda node: node.detect("pintu", state=0),
        lambda node: node.text("kebakaran", emoji=1, reply_id=7),
        lambda node: node.text(""),
        lambda node: node.raw(text, b"kebakaran \xff\xfe"),
        lambda node: node.text("P1 pos-9 kebakaran di RT 03!", bell=False),
        lambda node: node.text("P1 pos-9 TOLONG\x07"),
        lambda node: node.text("selamat malam, ronda jam berapa?"),
    ]
    for number, act in enumerate(acts):
        act(stage.house(f"RT09-{number:02}"))


@contextlib.contextmanager
def second_post(stage: Scene) -> Iterator[Path]:
    """A post in the next lane that hears the same village; its configuration."""
    radio = stage.village.gateway("Pos 2").serve_tcp()
    key = kentongan("desk", "key", "--config", desk_toml(stage)).stdout.strip()
    words = ["--village", VILLAGE, "--post", "pos-2", "--radio", radio, "--mqtt", stage.broker_url, "--desk-key", key]
    made = json.loads(kentongan("setup", str(stage.folder / "post2"), *words, "--json").stdout)
    kentongan("desk", "post", "add", VILLAGE, "pos-2", made["public_key"], "--config", desk_toml(stage))
    config = stage.folder / "post2/post.toml"
    program = Program(stage.folder / "post2.log", ("run", "--config", str(config))).start()
    try:
        until(lambda: stage.json("status", "--config", str(config)).get("radios"), "the second post's radio", 20)
        yield config
    finally:
        program.kill()


def journal_of(stage: Scene, config: Path) -> dict[str, Any]:
    return {row["id"]: row for row in stage.json("journal", "list", "--config", str(config))}


def test_only_a_call_for_help_is_an_alarm_at_either_post(registered: Scene) -> None:
    """Said aloud, each only claims its place: the village knows keys that would have proved it."""
    stage = registered
    with second_post(stage) as config:
        noise(stage)
        kentongan(
            "desk", "order", "village", VILLAGE, "pos-2", "Kebakaran di RT 03, jauhi!", "--config", desk_toml(stage)
        )
        until(lambda: any("jauhi" in text.text for text in stage.gateway.inbox), "the second post's words here", 30)
        heard = {received.text for received in stage.gateway.inbox}
        assert {"kebakaran di kanal umum!", "P1 pos-9 kebakaran di RT 03!", "kebakaran"} <= heard
        door, bell, alert = (stage.house(name) for name in HOUSES)
        found = {
            pressed(stage, door, door.detect("pintu", bell=True)): ("PANIC", ["place_claimed"]),
            says(stage, bell, "maling", bell=True): ("THEFT", ["place_claimed"]),
            pressed(stage, alert, alert.alert("kebakaran")): ("FIRE", ["place_claimed"]),
            says(stage, bell, "apa ada banjir?"): ("DISASTER", ["perhaps_talk", "place_claimed"]),
        }
        stage.wait_stored(list(found))
        until(lambda: set(found) <= set(journal_of(stage, config)), "the second post's journal", 10)
        stage.account(list(found))
        assert set(stage.journal()) == set(journal_of(stage, config)) == set(found)
        seen = cases(stage)
        assert {press: (seen[press]["kind"], seen[press]["remarks"]) for press in found} == found
        until(lambda: len(stage.rings()) >= len(found), "a siren for each", 5)
        assert sorted(stage.rings()) == ["DISASTER", "FIRE", "PANIC", "THEFT"]


def test_the_public_channel_counts_only_where_a_technician_says_so(registered: Scene) -> None:
    """The same words twice: refused, then allowed by name, and even then nobody's place is more than claimed."""
    stage, house = registered, registered.house("RT03-12")
    house.text("kebakaran!", channel="")
    said = says(stage, stage.house("RT03-13"), "maling!")
    stage.wait_stored([said])
    named = 'channels = [""]\nallow_public_key = true'
    allowed = stage.post_toml.read_text().replace('# channels = ["SiagaDesa"]', named)
    stage.post_toml.write_text(allowed)
    stage.post.stop()
    stage.post.start()
    stage.wait_radio()
    house.text("tolong!")  # on the village's own channel, which is no longer named
    public = says(stage, house, "kebakaran!", channel="")
    stage.wait_stored([public])
    stage.account([said, public])
    assert set(stage.journal()) == {said, public}
    seen = cases(stage)[public]
    assert (seen["trust"], seen["remarks"]) == ("UNKNOWN", ["place_claimed"])
    until(lambda: stage.rings() == ["THEFT", "FIRE"], "both sirens, and no other", 20)


class Rogue:
    """Somebody with a broker account and a key of his own: he hears everything and says what he likes."""

    def __init__(self, url: str, key: Path) -> None:
        self.signer = Signer.create(key)
        self.heard: list[tuple[str, bytes]] = []
        self._acked: set[int] = set()
        self._session = Session(
            SessionConfig(url, "rogue"),
            on_up=lambda _: None,
            on_down=lambda _: None,
            on_message=lambda topic, payload: self.heard.append((topic, payload)),
            on_published=lambda token, _: self._acked.add(token),
            subscriptions=("kentongan/v1/#",),
            timing=SessionTiming(shortest_wait_s=0.05),
        )

    def __enter__(self) -> "Rogue":
        self._session.start()
        until(lambda: self._session.is_up, "the rogue is connected", 10)
        until(lambda: self.bodies("status"), "the rogue hears what is retained", 10)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.stop()

    def publish(self, topic: str, payload: bytes) -> None:
        """Until the broker has it, so that what anybody says later comes later."""
        token = self._session.publish(topic, payload)
        until(lambda: token in self._acked, "PUBACK", 5)

    def payloads(self, leaf: str) -> list[bytes]:
        return [payload for topic, payload in list(self.heard) if topic == f"{TOPICS}/{leaf}"]

    def bodies(self, leaf: str) -> list[dict[str, Any]]:
        return [json.loads(Envelope.decode(payload).body) for payload in self.payloads(leaf)]


def ring_on(stage: Scene) -> None:
    """From now on the siren sounds until it is told to end, and notes that it was."""
    (stage.folder / "siren.sh").write_text(LOUD.format(file=stage.folder / "siren.txt"))


def receipt_for(alarm: str) -> StoredBody:
    """What the desk would say of an alarm's string."""
    report = json.loads(alarm)
    return StoredBody(alarm=report["id"], rev=report["rev"], sha=hashlib.sha256(alarm.encode()).hexdigest())


def forgeries(rogue: Rogue, desk: Signer, press: str) -> Iterator[tuple[str, bytes]]:
    """Everything a rogue can make of his own key, of what he heard, and of what the desk told another post."""
    receipts, orders, elsewhere = f"{TOPICS}/receipt", f"{TOPICS}/order", PostId(VILLAGE, "pos-2").topic
    true = ReceiptBody.model_validate(rogue.bodies("receipt")[-1])
    batch = rogue.bodies("alarm")[-1]
    stored = [receipt_for(item["alarm"]) for item in batch["items"]]
    number, by = int(time.time() * 1000), "Polisi Palsu"
    gone = WordBody(number=number, kind=OrderKind.STAGE, alarm=press, stage="DISPATCHED", by=by, at=time.time())
    off = WordBody(number=number, kind=OrderKind.SIREN_OFF, by=by, at=time.time())
    false = true.model_copy(update={"re": batch["batch"], "stored": stored, "words": [gone]}).to_body()
    order = OrderBody(desk=true.desk, orders=[off]).to_body()
    for topic, body, leaf in ((receipts, false, "receipt"), (orders, order, "order")):
        own = rogue.signer.seal(topic, body)
        yield topic, own.encode()
        yield topic, Envelope(desk.kid, own.sig, body).encode()  # under the desk's name
        yield topic, desk.seal(f"{elsewhere}/{leaf}", body).encode()  # true, and for another post
    altered = Envelope.decode(rogue.payloads("receipt")[-1])
    yield receipts, Envelope(altered.kid, altered.sig, false).encode()
    yield orders, rogue.payloads("receipt")[-1]  # on the wrong topic
    yield receipts, b"\xff not an envelope"


def order(stage: Scene, what: str) -> None:
    kentongan("desk", "order", what, VILLAGE, POST, "--config", desk_toml(stage))


def suspected(stage: Scene) -> int:
    """How many messages the post has refused to believe."""
    return sum(part.get("forged_or_replayed", 0) for part in stage.status().get("parts", {}).values())


def test_who_lacks_the_desks_key_moves_nothing(evening: Scene) -> None:
    stage = evening
    stage.wait_radio()
    ring_on(stage)
    desk = Signer.load(stage.folder / "desk/desk.key")
    with Rogue(stage.broker_url, stage.folder / "rogue.pem") as rogue:
        first = stage.press("RT01-01", "maling!")
        stage.wait_stored([first])
        until(lambda: any(body.get("stored") for body in rogue.bodies("receipt")), "a receipt to replay", 10)
        stage.desk.freeze()  # it says nothing more, and loses nothing
        press = stage.press("RT02-02")
        until(lambda: press in str(rogue.bodies("alarm")[-1]), "the alarm on the broker", 10)
        until(lambda: stage.rings() == ["THEFT", "FIRE"], "both sirens", 5)
        before = suspected(stage)
        false = list(forgeries(rogue, desk, press))
        replayed = [(f"{TOPICS}/receipt", payload) for payload in rogue.payloads("receipt")]
        junk = [(f"{TOPICS}/order", b"{}")] * (len(replayed) + 1)  # the last of it is refused after all the rest
        for topic, payload in (*false, *replayed, *junk):
            rogue.publish(topic, payload)
        refused = before + len(false) + len(replayed) + 1
        until(lambda: suspected(stage) >= refused, f"{refused} forgeries noticed", 10)
        assert stage.journal()[press]["desk"] == "waiting"
        assert "desk:signature" in stage.status()["faults"]
        assert stage.rings() == ["THEFT", "FIRE"], "a forged order reached the siren"
        assert not any("menuju" in text or "Palsu" in text for text in stage.answers("RT02-02"))

        stage.desk.thaw()
        stage.wait_stored([press])
        until(lambda: stage.journal()[press]["desk"] == "stored", "the true receipt", 10)
        stage.officer("dispatch", press)
        until(lambda: any("Polsek Ajung" in text for text in stage.answers("RT02-02")), "the true word", 30)
        order(stage, "siren-off")
        until(lambda: stage.rings().count("SILENCED") == 2, "the true order", 10)
        order(stage, "drill")
        until(lambda: drills(stage) == 1, "the drill", 10)

        stage.post.kill()
        stage.post.start()
        stage.wait_desk()
        stage.wait_radio()
        third = stage.press("RT03-03", "banjir!")
        until(lambda: stage.rings()[-1] == "DISASTER", "the siren after the restart", 5)
        for topic, payload in [(t, p) for t, p in rogue.heard if t.endswith(("/order", "/receipt"))]:
            rogue.publish(topic, payload)
        order(stage, "drill")  # true and new: when it is done, everything before it was read
        until(lambda: drills(stage) == 2, "the second drill", 10)
        assert stage.rings().count("SILENCED") == 2 and stage.rings()[-1] == "DISASTER"
        stage.wait_stored([third])
        assert {stage.stored()[press] for press in (first, press, third)} == {1}


def drills(stage: Scene) -> int:
    """How often a drill was held; two within two minutes are presses of one alarm, also over a restart."""
    return sum(len(row["presses"]) for row in stage.journal().values() if "drill" in row["remarks"])


MEANINGS = '[[sensor]]\nname = "Kandang Barat"\nkind = "LIVESTOCK"\n[[text]]\nwords = "Kode biru"\nkind = "MEDICAL"\n'


def test_the_villages_own_names_and_canned_texts_say_what_they_mean(tmp_path: Path, broker: Mosquitto) -> None:
    """A Detection Sensor and a phone's canned text, neither of which holds a word that the program knows."""
    with scene(tmp_path, broker.url, sources=lambda _village: MEANINGS) as stage:
        stage.wait_radio()
        said = {"RT01-01": "LIVESTOCK", "RT01-02": "PANIC", "RT01-03": "MEDICAL"}
        barn, door, phone = (stage.house(name) for name in said)
        packets = (barn.detect("Kandang Barat"), door.detect("Pintu"), phone.text("kode  BIRU"))
        houses = zip((barn, door, phone), packets, strict=True)
        presses = [f"node:{house.num:08x}/{packet:08x}" for house, packet in houses]
        stage.wait_stored(presses)
        kinds = {row["id"]: row["kind"] for row in stage.journal().values()}
        assert kinds == dict(zip(presses, said.values(), strict=True))
        until(lambda: sorted(stage.rings()) == sorted(said.values()), "a siren for each", 20)
