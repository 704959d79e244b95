"""What sounds: `[siren]` with its command, and `[[output]]` for relays and loudspeakers beside it."""

import datetime
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bridge import config_kinds as kinds
from bridge.config_kinds import TABLE, told

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _quiet(text: str) -> str:
    if text and not _QUIET.fullmatch(text):
        raise ValueError(f"{text!r} is no span of hours; write for example 22:00-04:30")
    return text


def _octets(text: str) -> str:
    try:
        bytes.fromhex(text)
    except ValueError as error:
        raise ValueError("not bytes in hex; write for example A00101A2") from error
    return text


Seconds = Annotated[float, Field(ge=1, le=3600)]


class SirenRing(BaseModel):
    """What sounds."""

    model_config = TABLE
    command: kinds.CommandLine = told(
        "perintah yang membunyikan sirene, misalnya: /usr/bin/aplay /etc/kentongan/{kind}.wav; kosong: tanpa perintah",
        "the command that sounds the siren, for example: /usr/bin/aplay /etc/kentongan/{kind}.wav; empty: no command",
        "",
    )
    limit_s: Seconds = told(
        "sirene dihentikan sesudah sekian detik", "a siren is silenced after so many seconds", 120.0
    )
    quiet: Annotated[str, AfterValidator(_quiet)] = told(
        "jam tenang, misalnya 22:00-04:30: bunyi pendek ditiadakan; alarm selalu berbunyi",
        "quiet hours, for example 22:00-04:30: no chirps then; an alarm always sounds",
        "",
    )

    def is_quiet(self, at: datetime.time) -> bool:
        """Whether `at`, local time, lies in the quiet hours; they may pass midnight."""
        if (found := _QUIET.fullmatch(self.quiet)) is None:
            return False
        begin, end = datetime.time(int(found[1]), int(found[2])), datetime.time(int(found[3]), int(found[4]))
        return begin <= at < end if begin <= end else at >= begin or at < end


class Output(BaseModel):
    """One siren more."""

    model_config = TABLE
    name: kinds.PostName = told("nama sirene ini: a-z, 0-9, '-'", "this siren's name: a-z, 0-9, '-'")
    driver: Literal["command", "gpio", "serial", "audio"] = told(
        "jenis: command, gpio (relai pada pin), serial (papan relai), audio (pengeras suara)",
        "its kind: command, gpio (a relay on a pin), serial (a relay board), audio (a loudspeaker)",
    )
    command: kinds.CommandLine = told("untuk command: perintahnya", "for command: the command", "")
    pin: str = told("untuk gpio: pin, misalnya GPIO17", "for gpio: the pin, for example GPIO17", "")
    active_low: kinds.YesNo = told("untuk gpio: relai menyala pada 0 V", "for gpio: the relay is on at 0 V", False)
    url: kinds.RadioUrl = told(
        "untuk serial: serial:///dev/serial/by-id/...", "for serial: serial:///dev/serial/by-id/...", ""
    )
    on: Annotated[str, AfterValidator(_octets)] = told(
        "untuk serial: byte untuk menyalakan, heksadesimal", "for serial: the bytes that switch on, in hex", "A00101A2"
    )
    off: Annotated[str, AfterValidator(_octets)] = told(
        "untuk serial: byte untuk mematikan, heksadesimal", "for serial: the bytes that switch off, in hex", "A00100A1"
    )
    player: kinds.CommandLine = told("untuk audio: pemutar suara", "for audio: the player", "aplay -q")
    device: str = told("untuk audio: perangkat ALSA, misalnya plughw:1", "for audio: ALSA device, like plughw:1", "")
    sound_s: Seconds = told("lama bunyi tiap alarm, detik", "how long each alarm sounds, seconds", 60.0)

    @model_validator(mode="after")
    def _complete(self) -> "Output":
        needs = {"command": "command", "gpio": "pin", "serial": "url"}.get(self.driver)
        if needs and not getattr(self, needs):
            raise ValueError(f"driver {self.driver} needs {needs}")
        if self.driver == "serial" and not self.url.startswith("serial://"):
            raise ValueError("a relay board is at serial:///dev/serial/by-id/...")
        return self
