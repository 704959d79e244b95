"""Frames out of a stream without a checksum: cut at every byte, twenty thousand times, embedded, interleaved.

Run with -s to see the numbers.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meshtastic.protobuf import mesh_pb2

from bridge.domain.errors import FrameError
from bridge.edges.mesh_radio_packets import is_sound, parse
from bridge.edges.stream import Frame, FrameReader
from bridge.edges.stream import frame as framed
from tests.edges.mesh_frames import (
    GATEWAY,
    PINNED,
    PORTS,
    frame,
    packet,
    pki_text,
    proven,
    sentence,
    twins,
    village_traffic,
)

GAP_S = 2.0
CUTS = 20_000
LATER = 3
ALICE = next(iter(PINNED))


def reader() -> FrameReader:
    return FrameReader(is_sound, GAP_S)


def read(*pieces: bytes, pause_s: float = 0.0) -> list[Frame]:
    """What a reader makes of these pieces and the silence after them."""
    fresh, frames = reader(), []
    for number, piece in enumerate(pieces):
        frames += fresh.feed(piece, number * pause_s)
    return frames + fresh.expire(len(pieces) * pause_s + 2 * GAP_S)


def bodies(frames: list[Frame]) -> list[bytes]:
    return [found.body for found in frames]


def is_text(body: bytes) -> bool:
    return mesh_pb2.FromRadio.FromString(body).packet.decoded.portnum == PORTS.TEXT_MESSAGE_APP


def score(frames: list[Frame], later: list[bytes]) -> Counter[str]:
    """What a cut did: later frames lost, texts nobody wrote, and of these how many would count as VERIFIED."""
    counts: Counter[str] = Counter()
    missing = list(later)
    for found in frames:
        if found.body in missing:
            missing.remove(found.body)
            continue
        try:
            heard = parse(found.body).packet
        except FrameError:
            continue
        if heard.decoded.portnum == PORTS.TEXT_MESSAGE_APP:
            counts["spliced"] += 1
            is_proof = heard.pki_encrypted and heard.public_key in PINNED.values()
            counts["with a pinned key"] += is_proof
            counts["VERIFIED"] += is_proof and found.certain
    counts["lost"] += len(missing)
    return counts


@pytest.mark.parametrize("traffic", [village_traffic, twins, proven])
def test_twenty_thousand_cuts_with_the_next_frame_at_once(traffic: Callable[[random.Random], bytes]) -> None:
    """A text cut anywhere, at once followed by three whole frames: 60,000 later frames."""
    counts: Counter[str] = Counter()
    for cut, later in cuts(traffic, CUTS):
        counts += score(read(cut + b"".join(map(frame, later))), later)
    judge(traffic.__name__, counts, CUTS, CUTS * LATER)


def judge(name: str, counts: Counter[str], cuts: int, later: int) -> None:
    """Print the numbers and hold them against the goals."""
    lost, spliced, verified = counts["lost"], counts["spliced"], counts["VERIFIED"]
    print(
        f"measured: {name}: {cuts} cuts; {lost} of {later} later frames lost ({lost / later:.2%}); {spliced} spliced "
        f"texts ({spliced / cuts:.2%}), {counts['with a pinned key']} of them with a pinned key, {verified} as VERIFIED"
    )
    assert lost <= 0.002 * later
    assert spliced <= 0.003 * cuts
    assert verified == 0


def test_twenty_thousand_cuts_in_ragged_pieces() -> None:
    """The same as a wire would bring it: the reader must decide before all is there."""
    counts: Counter[str] = Counter()
    chance = random.Random(3)
    for cut, later in cuts(village_traffic, CUTS):
        stream = cut + b"".join(map(frame, later))
        ends = sorted(chance.sample(range(1, len(stream)), 3))
        pieces = [stream[start:end] for start, end in itertools.pairwise([0, *ends, len(stream)])]
        counts += score(read(*pieces), later)
    judge("in ragged pieces", counts, CUTS, CUTS * LATER)


@pytest.mark.parametrize("traffic", [village_traffic, twins, proven])
def test_a_pause_after_the_cut_leaves_nothing_to_splice(traffic: Callable[[random.Random], bytes]) -> None:
    counts: Counter[str] = Counter()
    for cut, later in cuts(traffic, CUTS // 4):
        counts += score(read(cut, b"".join(map(frame, later)), pause_s=GAP_S), later)
    judge(f"{traffic.__name__} with a pause", counts, CUTS // 4, CUTS // 4 * LATER)
    assert (counts["lost"], counts["spliced"]) == (0, 0)


def cuts(traffic: Callable[[random.Random], bytes], count: int) -> Iterator[tuple[bytes, list[bytes]]]:
    chance = random.Random(20_000)
    pool = [traffic(chance) for _ in range(800)]
    texts = [frame(body) for body in pool if is_text(body)]
    for _ in range(count):
        whole = chance.choice(texts)
        yield whole[: chance.randrange(1, len(whole))], chance.choices(pool, k=LATER)


def test_every_cut_of_a_frame() -> None:
    """Each kind of frame, cut at each byte, each time before the three others."""
    kinds = [
        packet(0x1001, 0x1111_1111, b"\aTOLONG maling di RT 03!"),
        pki_text(ALICE, 0x2222_2222, b"kebakaran di rumah, cepat"),
        packet(0x1002, 0x3333_3333, b"x" * 200),
        packet(0x1003, 0x4444_4444, b"\x18\x00", PORTS.ROUTING_APP, to=GATEWAY, request_id=0x94C30010),
    ]
    counts: Counter[str] = Counter()
    for body in kinds:
        later = [other for other in kinds if other is not body]
        for length in range(1, len(frame(body))):
            counts += score(read(frame(body)[:length] + b"".join(map(frame, later))), later)
            counts["cuts"] += 1
    assert counts["cuts"] > 500
    judge("every cut", counts, counts["cuts"], counts["cuts"] * LATER)


def test_the_cut_frames_are_what_the_rules_are_for() -> None:
    """Without the rules the same cuts do harm: the experiment can fail."""
    counts: Counter[str] = Counter()
    for cut, later in cuts(village_traffic, 2_000):
        counts += score(trusting(cut + b"".join(map(frame, later))), later)
    assert counts["lost"] > 200
    assert counts["spliced"] > 20


def trusting(stream: bytes) -> list[Frame]:
    """A reader that believes every length."""
    frames, at = [], stream.find(b"\x94\xc3")
    while at >= 0 and at + 4 <= len(stream):
        end = at + 4 + int.from_bytes(stream[at + 2 : at + 4], "big")
        frames.append(Frame(stream[at + 4 : end]))
        at = stream.find(b"\x94\xc3", end)
    return frames


FORGED = frame(pki_text(ALICE, 0xBADBAD, b"TOLONG kebakaran, palsu"))
SMUGGLERS = [
    FORGED,
    b"a" + FORGED + b"z",
    FORGED + b"\x94\xc3",
    FORGED + b"\x94\xc3\x00\xff",
    FORGED + b"\x94\xc3\x01\x00abc",
]


@pytest.mark.parametrize("payload", SMUGGLERS)
@pytest.mark.parametrize(
    "after", [b"", b"INFO | phone downloads packet\r\n", frame(b"\x40\x01")], ids=("", "log", "frame")
)
def test_a_text_that_holds_a_frame_smuggles_nothing_in(payload: bytes, after: bytes) -> None:
    """Whatever the chunks: the text itself comes out, and not as a proof; the frame inside does not."""
    carrier = packet(0x6666, 0x77, payload)
    stream = frame(carrier) + after
    for split in range(len(stream)):
        found = read(stream[:split], stream[split:])
        assert bodies(found)[:1] == [carrier]
        assert FORGED[4:] not in bodies(found)
        assert not found[0].certain


def test_a_smuggled_frame_that_a_stall_sets_free_proves_nothing() -> None:
    """The wire stalls in the middle of the carrier, longer than a frame may take: then the frame inside is found."""
    stream = frame(packet(0x6666, 0x77, FORGED + b"a" * 40))
    for split in range(1, len(stream)):
        for found in read(stream[:split], stream[split:], pause_s=GAP_S):
            assert found.body != FORGED[4:] or not found.certain


def test_whole_frames_pass_in_any_pieces() -> None:
    chance = random.Random(5)
    sent = [village_traffic(chance) for _ in range(300)]
    stream = b"".join(map(frame, sent))
    for size in (1, 2, 3, 7, 64, 1000, len(stream)):
        found = read(*(stream[at : at + size] for at in range(0, len(stream), size)))
        assert bodies(found) == sent
        assert all(each.certain for each in found)


LOG = "\x1b[32mDEBUG\x1b[0m | 12:00:01 [Router] — id=0x94c3 „tolong“\r\n".encode()


def test_log_text_between_frames_costs_neither_frames_nor_their_proof() -> None:
    assert b"\x94" in LOG
    sent = [pki_text(ALICE, number + 1, sentence(random.Random(number))) for number in range(20)]
    found = read(LOG + LOG.join(map(frame, sent)) + LOG)
    assert bodies(found) == sent
    assert all(each.certain for each in found)


def test_after_lost_bytes_the_next_frame_is_read_but_proves_nothing() -> None:
    sent = [pki_text(ALICE, number, b"tolong") for number in (1, 2)]
    found = read(frame(sent[0])[20:] + frame(sent[0]) + frame(sent[1]))
    assert found == [Frame(sent[0], certain=False), Frame(sent[1], certain=True)]


def test_a_frame_that_ends_like_a_start_mark_waits_for_the_next_byte_only() -> None:
    fresh = reader()
    body = mesh_pb2.FromRadio(log_record=mesh_pb2.LogRecord(message="x")).SerializeToString() + b"\x94"
    assert fresh.feed(frame(body), 0.0) == []
    assert fresh.wait_s(0.5) == GAP_S - 0.5
    assert fresh.feed(b"\x94", 0.5) == [Frame(body)]


def test_silence_decides_what_bytes_did_not() -> None:
    fresh = reader()
    whole = pki_text(ALICE, 7, b"tolong")
    assert fresh.feed(frame(b"\x12" * 300)[:50] + frame(whole), 1.0) == []
    assert fresh.expire(2.9) == []
    assert bodies(fresh.expire(3.0)) == [whole]
    assert fresh.wait_s(3.0) is None


@pytest.mark.parametrize("length", [0, 513, 0x94C3, 0xFFFF])
def test_lengths_that_no_frame_has_are_passed_over(length: int) -> None:
    whole = packet(0x1001, 1, b"tolong")
    assert bodies(read(b"\x94\xc3" + length.to_bytes(2, "big") + frame(whole))) == [whole]


def test_nothing_longer_than_a_frame_is_written() -> None:
    assert framed(b"x" * 512)[:4] == b"\x94\xc3\x02\x00"
    with pytest.raises(FrameError):
        framed(b"x" * 513)


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(b"\x94\xc3"), st.just(b"\x94\xc3\x00\x05")), max_size=12))
def test_whatever_comes_in_the_reader_keeps_little_and_finds_the_next_frame(pieces: list[bytes]) -> None:
    fresh = reader()
    for number, piece in enumerate(pieces):
        fresh.feed(piece, number * 0.1)
        assert len(fresh._bytes) <= 4 + 512 + len(piece)
    whole = packet(0x1001, 1, b"tolong")
    found = fresh.feed(frame(whole), 100.0) + fresh.expire(200.0)
    assert bodies(found)[-1:] == [whole]


def test_a_burst_is_read_fast() -> None:
    """Printed, and asserted only far below what any machine does."""
    stream = b"".join(frame(packet(0x1000 + n, n + 1, b"TOLONG maling di RT 03!")) for n in range(2_000))
    fresh, began = reader(), time.perf_counter()
    found = [parse(each.body) for each in fresh.feed(stream, 0.0)]
    took_s = time.perf_counter() - began
    print(f"measured: read and parsed {len(found) / took_s:,.0f} frames/s")
    assert len(found) == 2_000
    assert took_s < 2.0
