"""What strikers are told: true, short, plain, in two languages, and never mistaken for a press by any post."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.codec.answers import TEXT_BYTES, Answers, Language
from bridge.codec.stock import ChannelRule, StockCodec
from bridge.domain.commands import Announce, Beacon, Light, Tell
from bridge.domain.head import Lamp
from bridge.domain.place import Source
from bridge.domain.press import BROADCAST, Channel, ChannelKey, MeshPacket, Port
from bridge.domain.step import Step
from bridge.sources import Register

NODE = 0x0A01
LANGUAGES: tuple[Language, ...] = ("id", "en")
LONGEST = ("+62 331 123 456 789", "+62 331 987 654 321")
EVIL = "maling! kebakaran\x07\n tolong {phones} {by} " + "é" * 300


def answers(
    language: Language = "id", phones: tuple[str, ...] = ("110", "0331-484567"), post: str = "pos-1"
) -> Answers:
    return Answers(language, phones, post, Register())


def tell(step: Step, by: str = "", text: str = "") -> Tell:
    return Tell(1, NODE, "SiagaDesa", step, by, text)


def aloud(step: Step, *called: str) -> Announce:
    return Announce(1, "SiagaDesa", called=called, step=step)


INDONESIAN = {
    Step.JOURNALED: "Pos sudah menerima panggilan Anda dan meneruskannya. Polisi belum menjawab.",
    Step.NOT_CONNECTED: "POLISI BELUM TERSAMBUNG. Pos sudah menerima panggilan Anda. "
    "Telepon 110 atau 0331-484567, terus pukul kentongan.",
    Step.STORED: "Polisi sudah menerima panggilan Anda, belum dibaca petugas.",
    Step.ACKNOWLEDGED: "Petugas polisi sudah membaca panggilan Anda.",
    Step.DISPATCHED: "Petugas sedang menuju ke tempat Anda.",
    Step.GUARDS: "Penjaga sedang menuju ke tempat Anda.",
    Step.ON_SCENE: "Petugas sudah tiba di lokasi.",
    Step.WITHDRAWN: "Petugas batal datang. Bila masih perlu, telepon 110 atau 0331-484567 atau pukul lagi.",
    Step.CLOSED: "Panggilan Anda sudah ditutup.",
    Step.DRILL: "LATIHAN. Pos sudah menerima panggilan latihan Anda.",
}


@pytest.mark.parametrize("step", Step)
def test_each_step_in_indonesian(step: Step) -> None:
    assert answers().compose(tell(step)) == f"P1 pos-1 {INDONESIAN[step]}"


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step.NOT_CONNECTED, "POLICE NOT CONNECTED. The post has your call. Phone 110 or 0331-484567, keep striking."),
        (Step.STORED, "The police have your call; no officer has read it yet."),
        (Step.DISPATCHED, "Officers are on their way to you."),
        (Step.DRILL, "DRILL. The post has your practice call."),
    ],
)
def test_some_steps_in_english(step: Step, text: str) -> None:
    assert answers("en").compose(tell(step)) == f"P1 pos-1 {text}"


@pytest.mark.parametrize("step", [Step.ACKNOWLEDGED, Step.DISPATCHED, Step.ON_SCENE, Step.WITHDRAWN, Step.CLOSED])
@pytest.mark.parametrize("language", LANGUAGES)
def test_who_acts_is_named(step: Step, language: Language) -> None:
    assert "Polsek Patrang" in answers(language).compose(tell(step, by="Polsek Patrang"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_step_promises_more_than_its_stage(language: Language) -> None:
    """Who comes is said only when somebody comes; that it was read only when it was read."""
    coming = re.compile(r"menuju|on the way|on their way")
    has_been_read = re.compile(r"sudah membaca|sudah dibaca|(?<!no officer )has read")
    say = {s: answers(language).compose(tell(s)) + answers(language).compose(aloud(s, "RT03-12")) for s in Step}
    assert {step for step, text in say.items() if coming.search(text)} == {Step.DISPATCHED, Step.GUARDS}
    assert {step for step, text in say.items() if has_been_read.search(text)} == {Step.ACKNOWLEDGED}


def test_without_a_phone_in_the_settings_110_is_named() -> None:
    assert "Telepon 110, terus" in answers(phones=()).compose(tell(Step.NOT_CONNECTED))


def test_an_officers_own_words_say_who_speaks() -> None:
    assert answers().compose(tell(Step.ACKNOWLEDGED, "Aipda Sri", "Kunci pintu,\n kami datang")) == (
        "P1 pos-1 POLISI (Aipda Sri): Kunci pintu, kami datang"
    )
    assert answers("en").compose(Announce(-1, "SiagaDesa", "Road closed")) == "P1 pos-1 POLICE: Road closed"


def test_several_strikers_are_called_by_name() -> None:
    assert answers().compose(aloud(Step.STORED, "RT03-12", "RT04-2")) == (
        "P1 pos-1 RT03-12, RT04-2: polisi sudah menerima, belum dibaca."
    )


def test_lamps_and_the_beacon_are_lines_whatever_the_language() -> None:
    lamps = (Lamp("RT03-12", "ABCD", 17, "S"), Lamp("NEW", "AAAA", 1, "J"))
    keys = Register([Source("head:RT03-12", head_key=bytes(range(16))), Source("head:NEW")])
    for language in LANGUAGES:
        speaker = Answers(language, (), "pos-1", keys)
        assert speaker.compose(Light(1, "", "SiagaDesa", lamps)) == "\nP1 pos-1 RT03-12.ABCD.17=S.YAD6DU\n"
        assert speaker.compose(Light(1, "", "SiagaDesa", lamps[1:])) == speaker.compose(Beacon(2, "", "SiagaDesa"))
        assert speaker.compose(Beacon(2, "", "SiagaDesa")) == "\nP1 pos-1 .\n"


def test_names_that_do_not_fit_are_counted_and_none_is_cut() -> None:
    names = tuple(f"RT{number:02}-rumah-{number:03}" for number in range(40))
    text = answers().compose(aloud(Step.STORED, *names))
    shown = text.removeprefix("P1 pos-1 ").partition(": ")[0].split(", ")
    assert shown[:-1] == list(names[: len(shown) - 1])
    assert len(shown) > 3
    assert shown[-1] == f"dan {40 - len(shown) + 1} lainnya"
    assert len(text.encode()) <= TEXT_BYTES


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("language", LANGUAGES)
def test_fit_says_how_many_names_go_into_one_text(step: Step, language: Language) -> None:
    speaker = answers(language)
    names = tuple(f"RT{number:02}-{number:03}" for number in range(60))
    count = speaker.fit(names, step)
    assert 0 < count < 60
    assert all(name in speaker.compose(aloud(step, *names[:count])) for name in names[:count])
    assert names[count] not in speaker.compose(aloud(step, *names[: count + 1]))


WORDS = st.sampled_from(["", EVIL, "Polsek Patrang / Aipda Sutrisno"]) | st.text(max_size=300)


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(list(Step)),
    WORDS,
    WORDS,
    st.lists(WORDS, max_size=12).map(tuple),
    st.sampled_from(["pos-1", "p" * 32]),
)
def test_every_text_fits_the_air_and_is_a_press_at_no_post(
    language: Language, step: Step, by: str, text: str, called: tuple[str, ...], post: str
) -> None:
    speaker = answers(language, LONGEST, post)
    for words in (
        tell(step, by, text),
        Announce(1, "x", text, called, step, by),
        Announce(1, "x", text or "a", (), None, by),
    ):
        composed = speaker.compose(words)
        assert composed.startswith(f"P1 {post} ")
        assert len(composed.encode()) <= TEXT_BYTES
        assert composed.isprintable()
        assert is_no_press(composed)


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_sentences_are_ascii(step: Step, language: Language) -> None:
    assert answers(language, LONGEST).compose(tell(step)).isascii()
    assert answers(language, LONGEST).compose(aloud(step, "RT03-12")).isascii()


def is_no_press(text: str) -> bool:
    channel = Channel(1, "SiagaDesa", ChannelKey.PRIVATE)
    packet = MeshPacket(NODE, BROADCAST, 1, Port.TEXT_MESSAGE, text.encode(), channel)
    return StockCodec(ChannelRule()).read(packet) is None
