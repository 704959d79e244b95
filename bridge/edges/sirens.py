"""From `[siren]` and `[[output]]` to what sounds."""

import datetime
from collections.abc import Callable, Mapping

from bridge.config_siren import Output, SirenRing
from bridge.domain.ports import Siren
from bridge.edges.siren import CommandSiren, NoSiren
from bridge.edges.siren_audio import audio_siren
from bridge.edges.siren_bank import SirenBank
from bridge.edges.siren_relay import GpioRelay, RelaySiren, SerialRelay


def build_sirens(
    ring: SirenRing, outputs: tuple[Output, ...], rules: Mapping[str, str], local: Callable[[], datetime.time | None]
) -> Siren:
    """All sirens of a post as one. `rules`: the village's rhythms. `local`: the time of day, None if unknown."""
    sirens = tuple(each_siren(ring, outputs, rules).values())

    def is_quiet() -> bool:
        return (at := local()) is not None and ring.is_quiet(at)

    return SirenBank(sirens or (NoSiren(),), is_quiet)


def each_siren(ring: SirenRing, outputs: tuple[Output, ...], rules: Mapping[str, str]) -> dict[str, Siren]:
    """By name; what `[siren] command` runs is called "command"."""
    sirens: dict[str, Siren] = {"command": CommandSiren(ring.command, limit_s=ring.limit_s)} if ring.command else {}
    return sirens | {output.name: _siren(output, ring.limit_s, rules) for output in outputs}


def _siren(output: Output, limit_s: float, rules: Mapping[str, str]) -> Siren:
    """One `[[output]]`."""
    sound_s = min(output.sound_s, limit_s)
    match output.driver:
        case "gpio":
            return RelaySiren(output.name, GpioRelay(output.pin, output.active_low), sound_s=sound_s)
        case "serial":
            relay = SerialRelay(output.url, bytes.fromhex(output.on), bytes.fromhex(output.off))
            return RelaySiren(output.name, relay, sound_s=sound_s)
        case "audio":
            player, device = output.player, output.device
            return audio_siren(output.name, rules, player=player, device=device, sound_s=sound_s, limit_s=limit_s)
        case _:
            return CommandSiren(output.command, name=output.name, limit_s=limit_s)
