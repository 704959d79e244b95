"""Lines of heads: what counts, what proves, and what no cut, splice or forger can make of them."""

import base64
import hashlib
import hmac
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.codec.line import UNKEYED, Heard, LineCodec, answer_line, beacon_line, mac
from bridge.codec.reader import Reader
from bridge.codec.stock import ChannelRule, StockCodec
from bridge.domain.events import Event, HeadCalled, LampsHeard, PressHeard
from bridge.domain.head import HeadCall, HeadWord, Lamp, pack
from bridge.domain.place import Place, Source
from bridge.domain.press import BROADCAST, Channel, ChannelKey, Kind, MeshPacket, Port, Remark, Trust
from bridge.sources import Register

KEY = bytes(range(16))
PAGE = Path(__file__).parents[2] / "docs" / "lines.md"
REGISTER = Register(
    [
        Source("head:RT03-12", Place(house="RT03-12"), head_key=KEY),
        Source("head:RT01-02", Place(house="RT01-02"), head_key=KEY[::-1]),
        Source("head:NEW", Place(house="NEW")),
    ]
)
CODEC = LineCodec(REGISTER, "pos-1")
AIR = Heard("gw1", "SiagaDesa")


def line(said: str, key: bytes = KEY) -> str:
    """With the MAC computed by other means than the codec's."""
    digest = hmac.new(key, said.encode(), hashlib.sha256).digest()
    return f"{said} {base64.b32encode(digest).decode()[:6]}"


def read(text: str, heard: Heard = AIR) -> list[HeadCall]:
    return [said for said in CODEC.read(text, heard) if isinstance(said, HeadCall)]


def one(text: str, heard: Heard = AIR) -> HeadCall:
    (said,) = read(text, heard)
    return said


def packet(text: bytes, channel: Channel | None = None, **more: object) -> MeshPacket:
    private = Channel(1, "SiagaDesa", ChannelKey.PRIVATE)
    return MeshPacket(0x0A01, BROADCAST, 7, Port.TEXT_MESSAGE, text, channel or private, radio="gw1", **more)


READER = Reader(StockCodec(ChannelRule()), CODEC)


def events(text: str) -> list[Event]:
    return list(READER.read(packet(text.encode()), 0.0))


def test_a_proved_press() -> None:
    call = one("\n" + line("K1 RT03-12 ABCD.17 FIRE") + "\n")
    assert (call.by.id, call.by.proved, call.press.kind, call.can_be_told) == (
        "head:RT03-12/ABCD.17",
        True,
        Kind.FIRE,
        True,
    )
    assert (call.press.words, call.press.channel, call.shows) == ("K1 RT03-12 ABCD.17 FIRE", "SiagaDesa", "")
    assert REGISTER.trust(call.press) is Trust.VERIFIED


def test_an_echo_is_under_the_mac() -> None:
    assert one("\n" + line("K1 RT03-12 ABCD.17 FIRE=S") + "\n").shows == "S"
    forged = line("K1 RT03-12 ABCD.17 FIRE").replace("FIRE", "FIRE=D")
    assert not one(f"\n{forged}\n").can_be_told


@pytest.mark.parametrize("given", [UNKEYED, "AAAAAA"])
def test_a_wrong_or_missing_mac_is_an_alarm_of_its_own_with_a_claimed_place(given: str) -> None:
    call = one(f"\nK1 RT03-12 ABCD.17 FIRE {given}\n")
    assert call.by.id == "head:RT03-12/ABCD.17/unproved"
    assert REGISTER.trust(call.press) is Trust.CHANNEL
    assert Remark.PLACE_CLAIMED in call.press.remarks and not call.can_be_told


def test_a_head_that_nobody_knows_is_unknown_and_still_a_press() -> None:
    call = one("\nK1 FARAWAY ABCD.1 THEFT " + UNKEYED + "\n")
    assert (call.by.id, REGISTER.trust(call.press)) == ("head:FARAWAY/ABCD.1", Trust.UNKNOWN)


def test_a_known_head_without_a_key_is_on_the_channel() -> None:
    assert REGISTER.trust(one(f"\nK1 NEW ABCD.1 PANIC {UNKEYED}\n").press) is Trust.CHANNEL


def test_on_a_channel_that_anybody_can_join_only_the_mac_proves() -> None:
    is_open = Heard("gw1", "LongFast", is_open=True)
    assert REGISTER.trust(one(f"\nK1 NEW ABCD.1 PANIC {UNKEYED}\n", is_open).press) is Trust.UNKNOWN
    assert REGISTER.trust(one("\n" + line("K1 RT03-12 ABCD.17 FIRE") + "\n", is_open).press) is Trust.VERIFIED


def test_a_wire_proves_without_a_mac_but_lamps_need_it() -> None:
    call = one(f"\nK1 RT03-12 ABCD.17 FIRE {UNKEYED}\n", Heard("usb", wired=True))
    assert (call.by.proved, call.can_be_told, REGISTER.trust(call.press)) == (True, False, Trust.VERIFIED)


def test_a_kind_from_the_future_is_an_unknown_alarm() -> None:
    assert one("\n" + line("K1 RT03-12 ABCD.17 TSUNAMI") + "\n").press.kind is Kind.UNKNOWN


@pytest.mark.parametrize("word", HeadWord)
def test_what_is_no_kind_is_a_word(word: HeadWord) -> None:
    call = one("\n" + line(f"K1 RT03-12 ABCD.17 {word}") + "\n")
    assert call.word is word
    assert (Remark.DRILL in call.press.remarks) == (word is HeadWord.TEST)
    assert (Remark.PERHAPS_NO_DANGER in call.press.remarks) == (word in (HeadWord.AMAN, HeadWord.NOTICE))


def test_several_lines_in_one_text_and_half_lines_dropped() -> None:
    whole = "\n" + line("K1 RT03-12 ABCD.1 PANIC") + "\n\n" + line("K1 RT03-12 ABCD.1 FIRE") + "\r\n"
    assert [call.press.kind for call in read(whole)] == [Kind.PANIC, Kind.FIRE]
    assert [call.press.kind for call in read(whole[10:])] == [Kind.FIRE]
    assert [call.press.kind for call in read(whole[:-5])] == [Kind.PANIC]


@pytest.mark.parametrize(
    "text",
    [
        "K1 RT03-12 ABCD.17 FIRE ------",
        "\nK1 RT03-12 ABCD.17 FIRE\n",
        "\nK1 RT03-12 ABCD.0 FIRE ------\n",
        "\nK1 RT03-12 ABCD.100000 FIRE ------\n",
        "\nK1 rt03-12 ABCD.17 FIRE ------\n",
        "\nK1 RT03-1234 ABCD.17 FIRE ------\n",
        "\nK1 RT03-12 AB1D.17 FIRE ------\n",
        "\nK1  RT03-12 ABCD.17 FIRE ------\n",
        "\nK2 RT03-12 ABCD.17 FIRE ------\n",
        "\nK1 RT03-12 ABCD.١٧ FIRE ------\n",
    ],
)
def test_what_is_no_line(text: str) -> None:
    assert read(text) == []


def test_the_reader_gives_lines_to_the_heads_and_words_to_the_village() -> None:
    (called,) = READER.read(packet(b"\n" + line("K1 RT03-12 ABCD.17 FIRE").encode() + b"\n"), 5.0)
    assert isinstance(called, HeadCalled) and called.mono_s == 5.0
    assert READER.read(packet(b"\nK1 RT03-12 ABCD.17 FI"), 5.0) == ()  # a cut line is not a villager's "fire"
    for tail in (b".17 FIRE PMZ2WF\n", b"BCD.17 FIRE=S ------\n", b"T03-12 ABCD.17 FIRE PMZ2WF\n"):
        assert READER.read(packet(tail), 5.0) == ()
    assert READER.read(packet(b"\nP1 pos-1 RT03-12.ABCD.17=D.AAAAAA\n"), 5.0) == ()
    for words in (b"K1 kebakaran di RT 3", b"JAM 20.17 MALING TOLONG\n", b"20.17 FIRE TOLONG", b"FIRE TOLONG\n"):
        (heard,) = READER.read(packet(words), 5.0)
        assert isinstance(heard, PressHeard)
    public = Channel(0, "", ChannelKey.PUBLIC)
    assert READER.read(packet(b"\n" + line("K1 RT03-12 ABCD.17 FIRE").encode() + b"\n", public), 5.0) == ()


def test_another_posts_answers_are_heard_only_under_their_mac() -> None:
    lamps = (Lamp("RT03-12", "ABCD", 17, "S"), Lamp("RT01-02", "WXYZ", 3, "J"), Lamp("NEW", "AAAA", 1, "D"))
    text = answer_line("pos-2", lamps, REGISTER)
    assert CODEC.read(text, AIR) == (LampsHeard("pos-2", lamps[:2]),)
    assert CODEC.read(text.replace("=S.", "=D."), AIR) == (LampsHeard("pos-2", lamps[1:2]),)
    assert CODEC.read(text.replace("pos-2", "pos-3"), AIR) == ()  # the post's name is under the MAC too
    assert LineCodec(REGISTER, "pos-2").read(text, AIR) == ()
    assert CODEC.read(beacon_line("pos-2"), AIR) == ()
    assert answer_line("pos-2", lamps[2:], REGISTER) == beacon_line("pos-2") == "\nP1 pos-2 .\n"


def test_an_answer_line_has_at_most_200_bytes_and_holds_six_heads_at_least() -> None:
    lamps = [Lamp(f"RT03-{number:02}", "ABCD", 99_999, "LS") for number in range(10, 40)]
    lines = [
        answer_line("pos-1", packed, Register([Source(f"head:{lamp.head}", head_key=KEY) for lamp in lamps]))
        for packed in pack("pos-1", lamps)
    ]
    assert max(len(text) for text in lines) <= 200
    assert min(text.count("=") for text in lines[:-1]) >= 6


def test_the_vectors_on_the_page_hold() -> None:
    """docs/lines.md shows a key, a K1 line and a P1 line; whoever builds a head compares with them."""
    page = PAGE.read_text(encoding="utf-8")
    key = bytes.fromhex(re.search(r"key `([0-9a-f]{32})`", page)[1])
    assert base64.b32encode(key).decode().rstrip("=") == re.search(r"`([A-Z2-7]{26})`", page)[1]
    asks, answers = re.findall(r"^    (K1 .*)$", page, re.M), re.findall(r"^    (P1 \S+ \S+=\S+)$", page, re.M)
    assert len(asks) >= 2 and len(answers) >= 1
    for shown in asks:
        said, _, given = shown.rpartition(" ")
        assert given == mac(key, said)
    for shown in answers:
        said, _, given = shown.rpartition(".")
        assert given == mac(key, said)


def test_a_forger_who_counts_ahead_swallows_nothing() -> None:
    forged, real = one("\nK1 RT03-12 ABCD.18 TEST AAAAAA\n"), one("\n" + line("K1 RT03-12 ABCD.18 FIRE") + "\n")
    assert (forged.by.proved, real.by.proved) == (False, True)
    assert forged.press.id != real.press.id
    assert (forged.press.source, REGISTER.trust(real.press)) == (real.press.source, Trust.VERIFIED)


def test_a_text_that_begins_as_a_posts_is_never_a_press_but_may_hold_answers() -> None:
    press = "\n" + line("K1 RT03-12 ABCD.17 FIRE") + "\n"
    answer = answer_line("pos-2", [Lamp("RT03-12", "ABCD", 17, "S")], REGISTER)
    for begin in ("P1 pos-2 maling", "\nP1 pos-2 .\n", "\r\nP1", "P1 \x07"):
        assert events(begin + press) == []
        assert [type(event) for event in events(begin + press + answer)] == [LampsHeard]
    assert [type(event) for event in events(press + answer)] == [HeadCalled, LampsHeard]


def test_noise_beside_a_whole_line_does_not_spoil_it() -> None:
    whole = b"\n" + line("K1 RT03-12 ABCD.17 FIRE").encode() + b"\n"
    (called,) = READER.read(packet(b"\xff\xfe" + whole + b"\x80 tolong"), 5.0)
    assert isinstance(called, HeadCalled) and called.call.press.trusted


def test_a_direct_message_proves_no_more_than_an_open_channel() -> None:
    """Any node in the world may write to ours; only the MAC says that it is the village's head."""
    direct = {"pki_key": bytes(32)}
    (claimed,) = READER.read(packet(f"\nK1 NEW ABCD.1 PANIC {UNKEYED}\n".encode(), **direct), 0.0)
    (proved,) = READER.read(packet(b"\n" + line("K1 RT03-12 ABCD.17 FIRE").encode() + b"\n", **direct), 0.0)
    assert isinstance(claimed, HeadCalled) and isinstance(proved, HeadCalled)
    assert (REGISTER.trust(claimed.call.press), claimed.call.press.channel) == (Trust.UNKNOWN, "")
    assert REGISTER.trust(proved.call.press) is Trust.VERIFIED


@pytest.mark.parametrize("head", ["RT03-12", "MALING", "FIRE"])
@pytest.mark.parametrize("given", ["", UNKEYED])
def test_a_line_cut_at_either_end_is_nobodys_words(head: str, given: str) -> None:
    """A node cuts a head's line at a silence; the halves are no second alarm of that node."""
    said = f"K1 {head} ABCD.17 FIRE"
    whole = f"\n{said} {given}\n" if given else f"\n{line(said)}\n"
    ends_at_kind = whole.index("17 FIRE") if not given else len(whole)  # from there on it might be a villager's "fire"
    for at in range(1, len(whole) - 1):
        assert events(whole[:at]) == [], whole[:at]
        if at < ends_at_kind:
            assert events(whole[at:]) == [], whole[at:]


def test_the_longest_line_has_44_bytes_at_most() -> None:
    longest = max((*Kind, *HeadWord), key=lambda kind: len(kind.value))
    text = f"\nK1 RT03-12 ABCD.99999 {longest}=S {UNKEYED}\n"
    assert one(text).press.words and len(text) <= 44


def test_the_bytes_on_the_page_hold() -> None:
    page = PAGE.read_text(encoding="utf-8")
    (first, *_), (begin, letters) = (
        re.findall(r"^    (K1 .*)$", page, re.M),
        re.search(r"begins `(\w+)`, which is `(\w+)`", page).groups(),
    )
    digest = hmac.digest(KEY, first.rpartition(" ")[0].encode(), hashlib.sha256)
    assert digest.hex().startswith(begin)
    assert base64.b32encode(digest).decode().startswith(letters) and letters.startswith(first[-6:])
    sizes = [int(size) for size in re.search(r"^\| bytes \|(.*)\|$", page, re.M)[1].split("|")]
    parts = (
        re.search(r"^\| \|(.*)\|$", page, re.M)[1].replace("space", "` `").replace("mac", f"`{first[-6:]}`").split("|")
    )
    shown = [part.strip().strip("`").replace("\\n", "\n") or " " for part in parts]
    assert [len(part) for part in shown] == sizes
    assert "".join(shown) == f"\n{first}\n" and sum(sizes) == 32


GENUINE = [
    "\n" + line(f"K1 RT03-12 ABCD.{number} {kind}") + "\n" for number, kind in ((1, "PANIC"), (1, "FIRE"), (2, "THEFT"))
]
TRUE = {(call.by.id, call.press.words) for text in GENUINE for call in read(text)}


@given(st.lists(st.sampled_from(GENUINE), min_size=1, max_size=3), st.data())
def test_no_cut_flip_or_splice_is_proved_unless_it_was_sent(sent: list[str], data: st.DataObject) -> None:
    text = "".join(sent)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        match data.draw(st.sampled_from(["cut", "double", "flip", "merge", "splice"])):
            case "cut":
                text = text[:at] + text[data.draw(st.integers(at, len(text))) :]
            case "double":
                text = text[:at] + text[max(0, at - 9) : at] + text[at:]
            case "flip":
                text = text[:at] + data.draw(st.characters(max_codepoint=127)) + text[at + 1 :]
            case "merge":
                text = text.replace("\n\n", data.draw(st.sampled_from(["", "\n", " "])), 1)
            case _:
                other = data.draw(st.sampled_from(GENUINE))
                text = text[:at] + other[data.draw(st.integers(0, len(other))) :]
    for call in read(text):
        if call.press.trusted:
            assert (call.by.id, call.press.words) in TRUE


@given(
    st.from_regex(r"[A-Z0-9-]{1,7}", fullmatch=True),
    st.from_regex(r"[A-Z2-7]{4}", fullmatch=True),
    st.integers(1, 99_999),
    st.sampled_from([kind.value for kind in Kind]) | st.from_regex(r"[A-Z]{1,12}", fullmatch=True),
    st.from_regex(r"[A-Z2-7]{6}", fullmatch=True) | st.just(UNKEYED),
)
def test_any_head_anywhere_is_heard_once_and_never_verified_by_luck(
    head: str, epoch: str, number: int, kind: str, given: str
) -> None:
    said = f"K1 {head} {epoch}.{number} {kind}"
    (called,) = events(f"\n{said} {given}\n")
    assert isinstance(called, HeadCalled)
    press = called.call.press
    assert (press.source, press.words) == (f"head:{head}", said)
    is_proved = any(f"{said} {given}" == line(said, key) for key in (REGISTER.head_key(head),) if key)
    assert (REGISTER.trust(press) is Trust.VERIFIED) == is_proved
    assert called.call.by.proved or REGISTER.head_key(head)


def test_a_line_with_any_byte_changed_is_verified_nowhere() -> None:
    whole = GENUINE[1].encode()
    for at, was in enumerate(whole):
        for octet in range(256):
            if octet == was:
                continue
            for event in READER.read(packet(whole[:at] + bytes([octet]) + whole[at + 1 :]), 0.0):
                assert not isinstance(event, LampsHeard)
                press = event.call.press if isinstance(event, HeadCalled) else event.press
                assert REGISTER.trust(press) is not Trust.VERIFIED


@given(st.binary(max_size=233), st.sampled_from([b"P1 ", b"\nP1 ", b"P1\n"]))
def test_whatever_comes_the_reader_does_not_raise_and_p1_is_never_a_press(payload: bytes, post: bytes) -> None:
    READER.read(packet(payload), 0.0)
    for text in (post + payload, post + payload + GENUINE[0].encode()):
        assert not any(isinstance(event, PressHeard | HeadCalled) for event in READER.read(packet(text), 0.0))
