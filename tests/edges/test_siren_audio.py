"""The loudspeaker: the village's rhythm by ear, one sound at a time, and a sound card's faults. Stand-in players."""

import array
import queue
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.codebook_files import known_codebooks, load_codebook, load_rules
from bridge.domain.codebook import Codebook
from bridge.domain.commands import Chirp, Silence, Sound
from bridge.domain.events import Event, Fault
from bridge.domain.press import Kind
from bridge.domain.rhythm import phrases_of
from bridge.edges import siren_audio
from bridge.edges.siren_audio import audio_siren
from bridge.edges.siren_sounds import pattern_of, rhythm, seconds, wav
from bridge.edges.siren_worker import SirenWorker
from tests.patience import until

RULES = {"2": "THEFT", "3": "FIRE", "3.1": "DISASTER"}
BOOKS = tuple(known_codebooks())

Events = queue.SimpleQueue[Event]
Start = Callable[..., SirenWorker]


def player(folder: Path, *lines: str) -> Path:
    """A stand-in for aplay that notes each play and keeps the file it was given."""
    path = folder / "player"
    kept = f'cp "$2" "{folder}/$KENTONGAN_KIND.wav"'
    noted = f'echo "$1 ${{KENTONGAN_KIND:-chirp}}" >> "{folder}/log"'
    path.write_text("\n".join(["#!/bin/sh", kept, noted, *lines]) + "\n")
    path.chmod(0o755)
    return path


def log(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().split("\n")[:-1] if path.exists() else []


@pytest.fixture
def heard() -> Events:
    return queue.SimpleQueue()


@pytest.fixture
def start(heard: Events, tmp_path: Path) -> Iterator[Start]:
    """Starts a siren with a player that behaves as the shell's `lines` say, and stops it whatever happens."""
    sirens: list[SirenWorker] = []

    def go(*lines: str, sound_s: float = 1.0) -> SirenWorker:
        play = f"'{player(tmp_path, *lines)}' -q"
        sirens.append(audio_siren("speaker", RULES, player=play, device="", sound_s=sound_s))
        sirens[-1].start(heard.put)
        return sirens[-1]

    yield go
    for siren in sirens:
        siren.stop()


def sound(kind: Kind, alarm: str = "node:1/1") -> Sound:
    return Sound(alarm, kind, None)


SINGS = "exec sleep 30"


def knocks(path: Path) -> list[int]:
    """When the knocks of a WAV begin, in milliseconds: loud after silence."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples, rate = array.array("h", file.readframes(file.getnframes())), file.getframerate()
    found, quiet_since = [], -rate
    for at, sample in enumerate(samples):
        if abs(sample) > 5000:
            if at - quiet_since > 0.08 * rate:
                found.append(1000 * at // rate)
            quiet_since = at
    return found


@pytest.mark.parametrize("name", BOOKS)
def test_whoever_listens_hears_what_the_codebook_reads(tmp_path: Path, name: str) -> None:
    book, rules = load_codebook(name), load_rules(name)
    for kind in Kind:
        pattern = pattern_of(kind, rules)
        (tmp_path / "a.wav").write_bytes(wav(rhythm(pattern, 10)))
        times = knocks(tmp_path / "a.wav")
        if pattern == "titir":
            assert len(times) > 16, f"{kind}: titir does not stop"
            continue
        assert book.read(phrases_of(times, book.has_short), True).kind == kind


def test_an_alarm_of_no_known_kind_is_titir() -> None:
    assert {pattern_of(kind, RULES) for kind in (Kind.PANIC, Kind.UNKNOWN, Kind.MEDICAL)} == {"titir"}


def test_a_rhythm_is_whole_figures_and_no_longer_than_wanted() -> None:
    once = seconds(rhythm("3", 0))
    assert once == pytest.approx(2.1)
    assert seconds(rhythm("3", 10)) == pytest.approx(4 * once)


def test_the_player_is_given_the_rhythm(tmp_path: Path, start: Start, heard: Events) -> None:
    siren = start()
    for count, kind in enumerate((Kind.FIRE, Kind.THEFT), start=1):
        siren.do(sound(kind, f"node:{kind}/1"))
        until(lambda count=count: len(log(tmp_path)) == count)  # type: ignore[misc]
    siren.stop()
    book = Codebook("test", RULES)
    for kind in (Kind.FIRE, Kind.THEFT):
        assert book.read(phrases_of(knocks(tmp_path / f"{kind}.wav"), book.has_short), True).kind == kind
    assert log(tmp_path) == ["-q FIRE", "-q THEFT"] and heard.empty()


def test_the_sound_goes_on_for_a_set_time(
    tmp_path: Path, start: Start, heard: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_audio, "TURN_S", 0.1)  # one figure, 2.1 s
    siren = start("exec sleep 1", sound_s=4.0)
    siren.do(sound(Kind.FIRE))
    until(lambda: len(log(tmp_path)) == 2)
    time.sleep(3)
    assert log(tmp_path) == ["-q FIRE"] * 2 and heard.empty()


def test_a_kind_that_becomes_clear_takes_the_vague_ones_place_at_once(tmp_path: Path, start: Start) -> None:
    siren = start(SINGS, sound_s=30)
    siren.do(sound(Kind.PANIC))
    until(lambda: log(tmp_path) == ["-q PANIC"])
    siren.do(sound(Kind.FIRE))
    until(lambda: log(tmp_path) == ["-q PANIC", "-q FIRE"])


def test_another_alarm_waits_for_its_turn(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once nobody understands, and a plain sound card plays one only."""
    monkeypatch.setattr(siren_audio, "TURN_S", 0.1)
    siren = start("mkdir busy || exit 1", "sleep 0.2", "rmdir busy", sound_s=20)
    siren.do(sound(Kind.FIRE, "node:1/1"))
    siren.do(sound(Kind.THEFT, "node:2/1"))
    until(lambda: len(log(tmp_path)) == 3)
    assert log(tmp_path) == ["-q FIRE", "-q THEFT", "-q FIRE"]


def test_silence_ends_the_player_and_the_next_press_plays_again(tmp_path: Path, start: Start, heard: Events) -> None:
    siren = start(SINGS, sound_s=30)
    siren.do(sound(Kind.FIRE))
    until(lambda: len(log(tmp_path)) == 1)
    siren.do(Silence("pak RT"))
    siren.do(sound(Kind.FIRE, "node:2/1"))
    until(lambda: len(log(tmp_path)) == 2)
    assert heard.empty()


def test_a_chirp_is_one_knock_and_gives_way_to_an_alarm(tmp_path: Path, start: Start) -> None:
    siren = start(SINGS, sound_s=30)
    siren.do(Chirp("lone"))
    until(lambda: log(tmp_path) == ["-q chirp"])
    assert len(knocks(tmp_path / ".wav")) == 1
    siren.do(sound(Kind.FIRE))
    until(lambda: log(tmp_path) == ["-q chirp", "-q FIRE"])
    siren.do(Chirp("lone"))
    time.sleep(0.2)
    assert log(tmp_path) == ["-q chirp", "-q FIRE"]


def test_a_player_that_fails_is_tried_again_while_the_alarm_is_new(
    tmp_path: Path, start: Start, heard: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_audio, "AGAIN_S", 0.1)
    (tmp_path / "unplugged").touch()
    siren = start(f'test ! -e "{tmp_path}/unplugged" || exit 1', sound_s=30)
    siren.do(sound(Kind.FIRE))
    assert heard.get(timeout=15) == Fault(
        "siren:speaker", f"{tmp_path}/player ended with exit 1; run it by hand to see why"
    )
    until(lambda: len(log(tmp_path)) >= 3)
    (tmp_path / "unplugged").unlink()
    assert heard.get(timeout=15) == Fault("siren:speaker", "")


def test_a_player_that_is_not_installed_is_one_clear_fault(heard: Events) -> None:
    siren = audio_siren("speaker", RULES, player="/nowhere/aplay -q", device="plughw:1", sound_s=5)
    siren.start(heard.put)
    siren.do(sound(Kind.FIRE))
    fault = heard.get(timeout=15)
    assert isinstance(fault, Fault) and fault.what == "siren:speaker"
    assert fault.why.startswith("cannot start /nowhere/aplay") and fault.why.endswith("; correct [[output]] player")
    siren.stop()


def test_a_sound_card_that_hangs_is_told(
    tmp_path: Path, start: Start, heard: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_audio, "TURN_S", 0.1)
    monkeypatch.setattr(siren_audio, "LATE_S", 0.1)
    siren = start(SINGS, sound_s=30)
    siren.do(sound(Kind.THEFT))
    assert heard.get(timeout=15) == Fault(
        "siren:speaker", f"{tmp_path}/player does not come to the end of its sound; look at the sound card"
    )
    until(lambda: len(log(tmp_path)) == 2)


def test_a_stopped_siren_leaves_nothing_open(tmp_path: Path, start: Start) -> None:
    """The sounds have no name in any folder; they go with the process."""
    siren = start(SINGS, sound_s=30)
    siren.do(sound(Kind.FIRE))
    until(lambda: len(log(tmp_path)) == 1)
    assert sounds_held() > 0
    siren.stop()
    assert sounds_held() == 0


def sounds_held() -> int:
    links = []
    for file in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(file.readlink()))
        except FileNotFoundError:
            continue  # the listing's own
    return sum("kentongan.wav" in link for link in links)
