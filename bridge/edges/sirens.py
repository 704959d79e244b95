"""From `[siren]` and `[[output]]` to what sounds."""

import datetime
from collections.abc import Callable, Mapping

from bridge.config_siren import COMMAND, Output, SirenRing
from bridge.edges.siren import NoSiren, command_siren
from bridge.edges.siren_bank import SirenBank
from bridge.edges.siren_worker import SirenWorker


def build_sirens(
    ring: SirenRing, outputs: tuple[Output, ...], rules: Mapping[str, str], local: Callable[[], datetime.time | None]
) -> SirenBank | NoSiren:
    """All sirens of a post as one. `rules`: the village's rhythms. `local`: the time of day, None if unknown."""

    def is_quiet() -> bool:
        return (at := local()) is not None and ring.is_quiet(at)

    sirens = each_siren(ring, outputs, rules)
    return SirenBank(sirens, is_quiet) if sirens else NoSiren()


def each_siren(ring: SirenRing, outputs: tuple[Output, ...], rules: Mapping[str, str]) -> dict[str, SirenWorker]:
    """By name; what `[siren] command` runs is called "command"."""
    command = {COMMAND: command_siren(ring.command, chirp=ring.chirp, limit_s=ring.limit_s)} if ring.command else {}
    return command | {output.name: _siren(output, ring.limit_s, rules) for output in outputs}


def _siren(output: Output, limit_s: float, rules: Mapping[str, str]) -> SirenWorker:
    """One `[[output]]`."""
    from bridge.edges.siren_relay import GpioRelay, SerialRelay, relay_siren  # memory that most posts need not pay

    name, sound_s = output.name, min(output.sound_s, limit_s)
    match output.driver:
        case "gpio":
            return relay_siren(name, GpioRelay(output.pin, output.active_low), sound_s)
        case "serial":
            return relay_siren(name, SerialRelay(output.url, *output.octets, output.baud), sound_s)
        case "audio":
            from bridge.edges.siren_audio import audio_siren

            return audio_siren(name, rules, player=output.player, device=output.device, sound_s=sound_s)
        case _:
            return command_siren(output.command, chirp=output.chirp, name=name, limit_s=limit_s)
