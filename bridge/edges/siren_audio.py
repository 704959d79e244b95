"""A siren that is heard: the kind's rhythm as people strike it, made here and played by ALSA."""

import array
import math
import random
import shlex
import tempfile
import wave
from collections.abc import Mapping
from pathlib import Path

from bridge.domain.codebook import parse
from bridge.domain.errors import ConfigError
from bridge.domain.press import Kind
from bridge.edges.siren import CommandSiren

RATE = 8000
BEAT_S, SHORT_STOP_S, LONG_STOP_S = 0.30, 0.75, 1.5
KNOCK_S = 0.14
PITCH_HZ = 410.0  # a slit drum of jackfruit wood, roughly
TITIR_BEATS = 16
CHIRP = "CHIRP"
MEMORY = Path("/dev/shm")  # a full or dying disk must not silence the siren


def audio_siren(
    name: str, rules: Mapping[str, str], *, player: str, device: str, sound_s: float, limit_s: float
) -> CommandSiren:
    """A command siren whose command plays our own sounds. Raises ConfigError where they cannot be written."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="kentongan-", dir=MEMORY if MEMORY.is_dir() else None)
        for kind in Kind:
            write_wave(Path(folder.name) / f"{kind}.wav", rhythm(pattern_of(kind, rules), sound_s))
        write_wave(Path(folder.name) / f"{CHIRP}.wav", [*knock()])
    except OSError as error:
        raise ConfigError(f"[[output]] {name}: its sounds cannot be written: {error}") from error
    play = f"{player} -D {shlex.quote(device)}" if device else player
    command, chirp = (f"{play} {shlex.quote(folder.name)}/{sound}.wav" for sound in ("{kind}", CHIRP))
    return CommandSiren(command, chirp=chirp, name=name, limit_s=limit_s, on_stop=folder.cleanup)


def pattern_of(kind: Kind, rules: Mapping[str, str]) -> str:
    """How this village strikes a kind; titir for what has no rhythm here."""
    return next((pattern for pattern, known in rules.items() if known == kind.value), "titir")


def rhythm(pattern: str, sound_s: float) -> list[int]:
    """Samples of `pattern`, over and over for about `sound_s`; whole figures only."""
    once = _figure(pattern)
    times = max(1, round(sound_s * RATE / len(once)))
    return once * times


def knock() -> list[int]:
    """One knock on wood: a short, dying tone with a click at its beginning; 16 bits."""
    chance = random.Random(0)
    return [_sample(at, chance) for at in range(int(KNOCK_S * RATE))]


def write_wave(path: Path, samples: list[int]) -> None:
    """Mono, 16 bits, 8 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", samples).tobytes())


def _figure(pattern: str) -> list[int]:
    if pattern == "titir":
        return _beats([BEAT_S * 0.6] * TITIR_BEATS)
    pauses: list[float] = []
    for phrase in parse(pattern):
        for count in phrase:
            pauses += [BEAT_S] * (count - 1) + [SHORT_STOP_S]
        pauses[-1] = LONG_STOP_S
    return _beats(pauses)


def _beats(pauses: list[float]) -> list[int]:
    """A knock before each pause; the pause counts from the knock's beginning."""
    sound, samples = knock(), []
    for pause_s in pauses:
        samples += sound + [0] * (int(pause_s * RATE) - len(sound))
    return samples


def _sample(at: int, chance: random.Random) -> int:
    time_s = at / RATE
    tone = math.sin(2 * math.pi * PITCH_HZ * time_s) + 0.5 * math.sin(2 * math.pi * 2.76 * PITCH_HZ * time_s)
    click = chance.uniform(-1, 1) * math.exp(-time_s / 0.004)
    return int(20_000 * (0.6 * tone * math.exp(-time_s / 0.035) + 0.5 * click) / 1.4)
