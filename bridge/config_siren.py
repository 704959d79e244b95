"""What sounds: `[siren]` with its command, and `[[output]]` for relays and loudspeakers beside it."""

import datetime
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bridge import config_kinds as kinds
from bridge.config_kinds import TABLE, told
from bridge.domain.said import Wrong

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _quiet(text: str) -> str:
    if text and not _QUIET.fullmatch(text):
        raise Wrong(
            f"{text!r} bukan rentang jam; tulis misalnya 22:00-04:30",
            f"{text!r} is no span of hours; write for example 22:00-04:30",
        )
    return text


def _octets(text: str) -> str:
    try:
        bytes.fromhex(text)
    except ValueError as error:
        raise Wrong(
            "bukan byte heksadesimal; tulis misalnya A00101A2", "not bytes in hex; write for example A00101A2"
        ) from error
    return text


COMMAND = "command"  # the name of what `[siren] command` runs
Seconds = Annotated[float, Field(ge=1, le=3600)]


class SirenRing(BaseModel):
    """What sounds."""

    model_config = TABLE
    command: kinds.CommandLine = told(
        "perintah yang membunyikan sirene, misalnya: /usr/bin/aplay /etc/kentongan/{kind}.wav; kosong: tanpa perintah",
        "the command that sounds the siren, for example: /usr/bin/aplay /etc/kentongan/{kind}.wav; empty: no command",
        "",
    )
    chirp: kinds.CommandLine = told(
        "perintah untuk bunyi pendek; kosong: tanpa bunyi pendek", "the command for a chirp; empty: no chirps", ""
    )
    limit_s: Seconds = told(
        "sirene dihentikan sesudah sekian detik", "a siren is silenced after so many seconds", 180.0
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
    chirp: kinds.CommandLine = told("untuk command: perintah bunyi pendek", "for command: the command for a chirp", "")
    pin: str = told("untuk gpio: pin, misalnya GPIO17", "for gpio: the pin, for example GPIO17", "")
    active_low: kinds.YesNo = told("untuk gpio: relai menyala pada 0 V", "for gpio: the relay is on at 0 V", False)
    url: kinds.RadioUrl = told(
        "untuk serial: serial:///dev/serial/by-id/...", "for serial: serial:///dev/serial/by-id/...", ""
    )
    board: Literal["lcus", "kmtronic", "bytes"] = told(
        "untuk serial: jenis papan; bytes: lihat on dan off",
        "for serial: the board's make; bytes: see on and off",
        "lcus",
    )
    relay: Annotated[int, Field(ge=1, le=8)] = told("untuk serial: relai ke berapa", "for serial: which relay", 1)
    on: Annotated[str, AfterValidator(_octets)] = told(
        "untuk board bytes: byte untuk menyalakan, heksadesimal", "for board bytes: what switches on, in hex", ""
    )
    off: Annotated[str, AfterValidator(_octets)] = told(
        "untuk board bytes: byte untuk mematikan, heksadesimal", "for board bytes: what switches off, in hex", ""
    )
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = told(
        "untuk serial: kecepatan", "for serial: the speed", 9600
    )
    player: kinds.CommandLine = told("untuk audio: pemutar suara", "for audio: the player", "aplay -q")
    device: str = told("untuk audio: perangkat ALSA, misalnya plughw:1", "for audio: ALSA device, like plughw:1", "")
    sound_s: Seconds = told("lama bunyi tiap alarm, detik", "how long each alarm sounds, seconds", 60.0)

    @model_validator(mode="after")
    def _complete(self) -> "Output":
        needs = {"command": "command", "gpio": "pin", "serial": "url"}.get(self.driver)
        if needs and not getattr(self, needs):
            raise Wrong(f"driver {self.driver} perlu {needs}", f"driver {self.driver} needs {needs}")
        if self.driver == "serial" and not self.url.startswith("serial://"):
            raise Wrong(
                "papan relai ada di serial:///dev/serial/by-id/...",
                "a relay board is at serial:///dev/serial/by-id/...",
            )
        if self.driver == "serial" and not all(self.octets):
            raise Wrong("board bytes perlu on dan off", "board bytes needs on and off")
        return self

    @property
    def octets(self) -> tuple[bytes, bytes]:
        """What switches the relay on, and off."""
        match self.board:
            case "lcus":  # a sum of the three bytes before it ends each
                return bytes((0xA0, self.relay, 1, 0xA1 + self.relay)), bytes((0xA0, self.relay, 0, 0xA0 + self.relay))
            case "kmtronic":
                return bytes((0xFF, self.relay, 1)), bytes((0xFF, self.relay, 0))
            case _:
                return bytes.fromhex(self.on), bytes.fromhex(self.off)


def _apart(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    names = [COMMAND, *(output.name for output in outputs)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Wrong(
            f"nama {twice[0]} dipakai dua kali; {COMMAND} ialah yang dijalankan [siren] command",
            f"the name {twice[0]} is given twice; {COMMAND} is what [siren] command runs",
        )
    return outputs


Outputs = Annotated[tuple[Output, ...], AfterValidator(_apart)]
