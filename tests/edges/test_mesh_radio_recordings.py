"""Every recording of a real radio, through the whole edge: exactly the events that its notes tell, in any pieces."""

import time
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.domain.commands import Announce, Tell
from bridge.domain.events import PressHeard, RadioDown, RadioUp, TextDelivered, TextFailed, TextSent
from bridge.domain.press import Channel, ChannelKey
from bridge.domain.step import Step
from bridge.edges.mesh_radio import MeshRadio
from bridge.edges.mesh_timing import Timing
from tests.edges import replay
from tests.edges.listening import Inbox, RealClock, plainly, understand
from tests.edges.replay import Recording, Replay

ONCE = Timing(backoff_s=(30.0, 30.0), text_gap_s=0.05)
FIRMWARE = "2.7.26.54e0d8d"
VIAS = {"TEXT_MESSAGE_APP": "text", "ALERT_APP": "alert", "DETECTION_SENSOR_APP": "detection"}
BELOW = {"02": "", "01": "", "03": ""}  # recorded before the first channel was given its private key
EOF = "radio menutup sambungan (the radio closed the link)"

# What the notes tell of each recording, by hand: who we are, and what people said.
STATE = "Tombol RT03 state: 0"
QUEUED = ["antre 0", "antre 1", "antre 2", "antre 3", STATE, "antre 4", "antre alert", "antre sensor detected"]
ODD = ["P" * 200, "Tolong! 🚨 kebakaran — RT 05", "\\xff\\xfe\aabc", "", "👍"]
TOLD: dict[str, tuple[int, list[str]]] = {
    "01_handshake": (0xB02, []),
    "02a_text_bell_ch1": (0xB02, ["\aTOLONG maling di RT 03!"]),
    "02a_text_bell_ch1_senderA": (0xA01, []),
    "02b_alert_ch1": (0xB02, ["DARURAT: kebakaran RT 02"]),
    "02b_alert_ch1_senderA": (0xA01, []),
    "02c_detection_ch0": (0xB02, ["Tombol Panik detected"]),
    "02c_detection_ch0_senderA": (0xA01, []),
    "02d_dm_pki": (0xB02, ["DM rahasia ke poskamling"]),
    "02d_dm_pki_senderA": (0xA01, []),
    "02e_alert_dm_pki": (0xB02, ["PANIK"]),
    "02e_alert_dm_pki_senderA": (0xA01, []),
    "02f_text_ack_broadcast_ch0": (0xB02, ["tes kanal umum ✓"]),
    "02f_text_ack_broadcast_ch0_senderA": (0xA01, []),
    "03_local_admin_detection_sensor": (0xA01, []),
    "04_detection_sensor_module": (0xB02, ["Tombol RT03 detected\a"] * 3),
    "05a_two_clients_first": (0xB02, []),
    "05a_two_clients_second": (0xB02, []),
    "05b_offline_queue": (0xB02, QUEUED),
    "06_serial_boot_text_then_api": (0xB02, ["\alewat serial", "ALARM serial", "DM serial", "dengan log", STATE]),
    "07_remote_admin_A": (0xA01, []),
    "07_remote_admin_B": (0xB02, [STATE]),
    "07_remote_admin_B2": (0xB02, []),
    "10a_local_admin_reboot": (0xB02, []),
    "10b_two_hop": (0xB02, ["lewat C", STATE, "ALERT lewat C", "DM lewat C"]),
    "11_dm_two_hop_A": (0xA01, []),
    "11_dm_two_hop_B": (0xB02, [STATE, "DM dua hop", STATE]),
    "16_unknown_channel_B": (0xB02, [STATE, *ODD]),
}
LONG = "16_idle_timeout_c"  # fifteen minutes: 73 things said by others, see its notes


def test_the_table_names_every_recording() -> None:
    assert sorted([*TOLD, LONG]) == replay.names()


@pytest.mark.parametrize("cut", [replay.whole, replay.single, replay.ragged], ids=lambda cut: cut.__name__)
@pytest.mark.parametrize("name", replay.names())
def test_a_recording_yields_what_its_notes_tell(name: str, cut: replay.Cut) -> None:
    recording, inbox, began = Recording.load(name), Inbox(), time.time()
    with Replay(recording, cut) as node:
        radio = listen(node.url, inbox)
        inbox.until(RadioDown, lambda event: event.why == EOF)
        picture = radio.picture()
        radio.stop()
    notes = notes_of(recording)
    restarts = name.startswith("06")
    up = RadioUp("gw1", notes.own, channels(name), FIRMWARE)
    heard = [event for event in inbox.all() if isinstance(event, PressHeard)]
    assert [event for event in inbox.events if not isinstance(event, PressHeard)] == [
        up,
        *([RadioDown("gw1", "radio menyala ulang (the radio restarted)"), up] if restarts else []),
        RadioDown("gw1", EOF),
    ]
    assert [told(event) for event in heard] == notes.said
    assert all(began <= event.press.sighting.at <= time.time() for event in heard)
    if name in TOLD:
        assert (notes.own, [said["words"] for said in notes.said]) == TOLD[name]
    assert picture["bad_frames"] == 0
    assert picture["frames"] == sum(1 for line in recording.lines if line.get("kind") not in (None, "text"))


@dataclass(frozen=True)
class Notes:
    """What the recorder's own decoding says: our number, and all that others said."""

    own: int
    said: list[dict[str, Any]]


def notes_of(recording: Recording) -> Notes:
    lines = [line for line, _ in recording.pieces()]
    own = next(line["summary"]["my_info"]["my_node_num"] for line in lines if line["kind"] == "my_info")
    settings = [line["summary"]["channel"] for line in lines if line["kind"] == "channel"]
    names = {channel.get("index", 0): channel["settings"].get("name", "") for channel in settings}
    packets = [line["summary"] for line in lines if line["kind"] == "packet"]
    heard = [packet for packet in packets if packet["variant"] == "decoded" and int(packet["frm"], 16) != own]
    return Notes(own, [noted(packet, names) for packet in heard if packet["port"] in VIAS])


def noted(packet: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    is_pki = packet.get("pki_encrypted", False)
    has_hops = "hop_start" in packet
    return {
        "id": f"node:{packet['frm']}/{packet['id']}",
        "via": VIAS[packet["port"]],
        "words": bytes.fromhex(packet["payload_hex"]).decode(errors="backslashreplace"),
        "channel": "PKI" if is_pki else names[packet["ch"]],
        "key": packet["public_key"] if is_pki else "",
        "snr": packet["rx_snr"],
        "rssi": packet["rx_rssi"],
        "hops": packet["hop_start"] - packet.get("hop_limit", 0) if has_hops else None,
    }


def told(event: PressHeard) -> dict[str, Any]:
    press, sighting = event.press, event.press.sighting
    assert sighting is not None
    return {
        "id": press.id,
        "via": press.via.value,
        "words": press.words,
        "channel": press.channel,
        "key": press.pki_key.hex(),
        "snr": sighting.snr_db,
        "rssi": sighting.rssi_dbm,
        "hops": sighting.hops,
    }


def channels(name: str) -> tuple[Channel, ...]:
    """Until 03 the first channel was the public default one."""
    first = ("", ChannelKey.PUBLIC) if name[:2] in BELOW else ("SiagaRT", ChannelKey.PRIVATE)
    return Channel(0, *first), Channel(1, "SiagaDesa", ChannelKey.PRIVATE)


def listen(url: str, inbox: Inbox, timing: Timing = ONCE) -> MeshRadio:
    radio = MeshRadio(url, name="gw1", clock=RealClock(), interpret=understand, compose=plainly, timing=timing)
    radio.start(inbox.put)
    return radio


def test_the_long_recording_holds_what_its_notes_count() -> None:
    said = notes_of(Recording.load(LONG)).said
    assert len(said) == 73
    assert [each["words"] for each in said[-5:]] == ODD


# What became of a text that the recorded client sent: our own text in its place.
ALL = Announce(ticket=1, channel="SiagaDesa", text="halo")
B = 0xB02


def dm(ticket: int) -> Tell:
    return Tell(ticket, B, "", Step.JOURNALED, text="halo")


FATES = [
    ("02a_text_bell_ch1_senderA", (224267222,), [ALL], [TextSent(1), TextDelivered(1)]),  # relayed is all we can know
    ("02b_alert_ch1_senderA", (224274332,), [ALL], [TextSent(1), TextDelivered(1)]),
    ("02f_text_ack_broadcast_ch0_senderA", (224306777,), [ALL], [TextSent(1)]),
    ("02d_dm_pki_senderA", (224288558,), [dm(1)], [TextSent(1), TextDelivered(1)]),
    ("02e_alert_dm_pki_senderA", (224297668,), [dm(1)], [TextSent(1), TextDelivered(1)]),
    ("07_remote_admin_A", (225017743,), [dm(1)], [TextSent(1), TextFailed(1, "ADMIN_PUBLIC_KEY_UNAUTHORIZED")]),
    (
        "11_dm_two_hop_A",
        (225569343, 225589848, 225610873),
        [dm(1), dm(2), dm(3)],
        [
            TextSent(1),
            TextDelivered(1),
            TextSent(2),
            TextFailed(2, "MAX_RETRANSMIT"),
            TextSent(3),
            TextFailed(3, "MAX_RETRANSMIT"),
        ],
    ),
]


@pytest.mark.parametrize("cut", [replay.whole, replay.single, replay.ragged], ids=lambda cut: cut.__name__)
@pytest.mark.parametrize(("name", "answers", "said", "fates"), FATES, ids=[fate[0] for fate in FATES])
def test_our_texts_meet_the_recorded_answers(
    name: str, answers: tuple[int, ...], said: list[Tell | Announce], fates: list[object], cut: replay.Cut
) -> None:
    inbox = Inbox()
    with Replay(Recording.load(name), cut, answers) as node:
        radio = listen(node.url, inbox)
        inbox.until(RadioUp)
        for words in said:
            radio.say(words)
        inbox.until(RadioDown)
        radio.stop()
    assert [event for event in inbox.all() if isinstance(event, TextSent | TextDelivered | TextFailed)] == fates
    assert len({packet.id for packet in node.client.texts}) == len(said)


def test_relayed_is_not_delivered() -> None:
    """Recording 11 up to our own node's NONE; the destination's came 1.2 s later and is cut off here."""
    recording, inbox = Recording.load("11_dm_two_hop_A"), Inbox()
    with Replay(recording.until(1148), answers=(225569343,)) as node:
        radio = listen(node.url, inbox)
        inbox.until(RadioUp)
        radio.say(dm(1))
        inbox.until(RadioDown)
        radio.stop()
    assert [event for event in inbox.all() if isinstance(event, TextSent | TextDelivered | TextFailed)] == [TextSent(1)]


def test_a_serial_console_is_woken_and_read_through_its_boot() -> None:
    """Recording 06 over a pseudo terminal, where it was made: boot text, log lines, a restart without an end."""
    recording, inbox = Recording.load("06_serial_boot_text_then_api"), Inbox()
    with Replay(recording, replay.ragged, serial=True) as node:
        radio = listen(node.url, inbox)
        inbox.until(PressHeard, lambda event: event.press.words == STATE)
        radio.stop()
    heard = [event for event in inbox.all() if isinstance(event, PressHeard)]
    assert [told(event) for event in heard] == notes_of(recording).said
    assert next(event for event in heard if event.press.words == "DM serial").press.pki_key
    assert node.client.woke.startswith(b"\xc3" * 32)
    assert len(node.client.wants) == 3
    assert node.client.said_goodbye
