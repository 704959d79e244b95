"""Where a node sends, computed as firmware 2.7 does, and whether Indonesian law lets it. Pure.

The formula is `RadioInterface::applyModemConfig` of Meshtastic 2.7: the region is cut into slots as wide as the preset;
`channel_num` names one, from 1; 0 leaves it to the primary channel's name. Everything is in whole hertz: the firmware's
single-precision numbers give the same slots wherever a region is a multiple of the bandwidth, as all of these are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bridge.domain.said import Said

MHZ, KHZ = 1_000_000, 1_000

# Indonesia (short range devices and LPWAN, 920-923 MHz): at most 250 kHz and 20 dBm EIRP for a node. Read in drafts and
# tables quoted second-hand; ask Komdigi before selling.
BAND_HZ = (920 * MHZ, 923 * MHZ)
WIDEST_HZ = 250 * KHZ
EIRP_DBM = 20
ANTENNA_DBI = 3  # what a stick antenna has; a weaker one buys no more power, for antennas are changed
POWER_DBM = EIRP_DBM - ANTENNA_DBI


@dataclass(frozen=True, slots=True)
class Region:
    """A row of the firmware's table of regions. `power_dbm`: what tx_power 0 means there."""

    start_hz: int
    end_hz: int
    power_dbm: int


@dataclass(frozen=True, slots=True)
class Preset:
    """A modem preset: how wide it is, and the name of a primary channel that has none."""

    width_hz: int
    name: str


# Source: `regions[]` in src/mesh/RadioInterface.cpp, Meshtastic 2.7. Those that touch 920-923 MHz, and what people try.
REGIONS: Mapping[str, Region] = MappingProxyType(
    {
        "KR": Region(920 * MHZ, 923 * MHZ, 23),
        "SG_923": Region(917 * MHZ, 925 * MHZ, 20),
        "MY_919": Region(919 * MHZ, 924 * MHZ, 27),
        "TH": Region(920 * MHZ, 925 * MHZ, 27),
        "TW": Region(920 * MHZ, 925 * MHZ, 27),
        "JP": Region(920_500 * KHZ, 923_500 * KHZ, 13),
        "PH_915": Region(915 * MHZ, 918 * MHZ, 24),
        "ANZ": Region(915 * MHZ, 928 * MHZ, 30),
        "US": Region(902 * MHZ, 928 * MHZ, 30),
        "MY_433": Region(433 * MHZ, 435 * MHZ, 20),
    }
)

# Source: `modemPresetToParams` (RadioInterface.cpp) and `getModemPresetDisplayName` (DisplayFormatters.cpp).
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "SHORT_TURBO": Preset(500 * KHZ, "ShortTurbo"),
        "SHORT_FAST": Preset(250 * KHZ, "ShortFast"),
        "SHORT_SLOW": Preset(250 * KHZ, "ShortSlow"),
        "MEDIUM_FAST": Preset(250 * KHZ, "MediumFast"),
        "MEDIUM_SLOW": Preset(250 * KHZ, "MediumSlow"),
        "LONG_TURBO": Preset(500 * KHZ, "LongTurbo"),
        "LONG_FAST": Preset(250 * KHZ, "LongFast"),
        "LONG_MODERATE": Preset(125 * KHZ, "LongMod"),
        "LONG_SLOW": Preset(125 * KHZ, "LongSlow"),
    }
)


@dataclass(frozen=True, slots=True)
class Sending:
    """How a village's nodes send. `slot`: channel_num, 0 for the one that the channel's name falls on."""

    region: str
    preset: str
    slot: int
    channel: str
    power_dbm: int
    antenna_dbi: float = ANTENNA_DBI

    @property
    def width_hz(self) -> int:
        return PRESETS[self.preset].width_hz

    @property
    def slots(self) -> int:
        """How many slots the region has at this width."""
        region = REGIONS[self.region]
        return (region.end_hz - region.start_hz) // self.width_hz

    @property
    def slot_used(self) -> int:
        """The slot in use, from 1."""
        if self.slot:
            return self.slot
        return djb2(self.channel or PRESETS[self.preset].name) % self.slots + 1

    @property
    def centre_hz(self) -> int:
        return REGIONS[self.region].start_hz + self.width_hz // 2 + (self.slot_used - 1) * self.width_hz

    @property
    def edges_hz(self) -> tuple[int, int]:
        """The whole of what it occupies."""
        return self.centre_hz - self.width_hz // 2, self.centre_hz + self.width_hz // 2


_WAYS_AROUND: Mapping[str, object] = MappingProxyType(
    {
        "config.lora.use_preset": True,
        "config.lora.override_frequency": 0.0,
        "config.lora.frequency_offset": 0.0,
        "owner.is_licensed": False,
    }
)
_AROUND = Said(
    "frekuensi, geseran atau lebar pita sendiri, atau mode radio amatir: tidak dapat diperiksa terhadap 920-923 MHz",
    "a frequency, offset or bandwidth of its own, or ham mode: it cannot be checked against 920-923 MHz",
)


def djb2(name: str) -> int:
    """Bernstein's hash in 32 bits, as the firmware takes it of a channel's name."""
    value = 5381
    for octet in name.encode():
        value = (value * 33 + octet) & 0xFFFFFFFF
    return value


def refusals(sending: Sending) -> tuple[Said, ...]:
    """Every reason why nodes may not send so, a sentence each; none: it is allowed."""
    unknown = _unknown(sending)
    return unknown or (*_place(sending), *_power(sending))


def refusals_of(values: Mapping[str, object]) -> tuple[Said, ...]:
    """Every reason why a node with these settings (of a backup, say) may not send: also by ways around the table."""
    region, power = str(values.get("config.lora.region")), values.get("config.lora.tx_power")
    slot, channel = values.get("config.lora.channel_num"), str(values.get("channel.0.name", ""))
    is_numbered = isinstance(slot, int) and isinstance(power, int)
    if any(values.get(path, lawful) != lawful for path, lawful in _WAYS_AROUND.items()) or not is_numbered:
        return (_AROUND,)
    assert isinstance(slot, int) and isinstance(power, int)
    return refusals(Sending(region, str(values.get("config.lora.modem_preset")), slot, channel, power))


def mhz(hertz: int) -> str:
    return f"{hertz / MHZ:.3f} MHz"


def _unknown(sending: Sending) -> tuple[Said, ...]:
    found = []
    if sending.region not in REGIONS:
        found.append(
            Said(
                f"wilayah {sending.region!r} tidak dikenal di sini; untuk Indonesia tulis KR (920-923 MHz)",
                f"region {sending.region!r} is not known here; for Indonesia write KR (920-923 MHz)",
            )
        )
    if sending.preset not in PRESETS:
        known = ", ".join(PRESETS)
        found.append(
            Said(
                f"preset {sending.preset!r} tidak dikenal; yang ada: {known}",
                f"preset {sending.preset!r} is not known; there are: {known}",
            )
        )
    return tuple(found)


def _place(sending: Sending) -> tuple[Said, ...]:
    """Too wide, no such slot, or out of the band."""
    if sending.width_hz > WIDEST_HZ:
        return (_too_wide(sending),)
    if not 0 <= sending.slot <= sending.slots:
        return (_no_slot(sending),)
    low, high = sending.edges_hz
    if not (BAND_HZ[0] <= low and high <= BAND_HZ[1]):
        return (_out_of_band(sending),)
    return ()


def _too_wide(sending: Sending) -> Said:
    width = sending.width_hz // KHZ
    return Said(
        f"preset {sending.preset} selebar {width} kHz, aturan Indonesia paling lebar 250 kHz; pakai MEDIUM_FAST",
        f"preset {sending.preset} is {width} kHz wide, Indonesian rules allow 250 kHz; use MEDIUM_FAST",
    )


def _no_slot(sending: Sending) -> Said:
    return Said(
        f"slot {sending.slot} tidak ada: {sending.region} dengan {sending.preset} punya slot 1 sampai {sending.slots}",
        f"there is no slot {sending.slot}: {sending.region} with {sending.preset} has slots 1 to {sending.slots}",
    )


def _out_of_band(sending: Sending) -> Said:
    low, high = map(mhz, sending.edges_hz)
    at, name = f"{sending.region} slot {sending.slot_used}", sending.channel or PRESETS[sending.preset].name
    whence = ("", "") if sending.slot else (f" (dari nama kanal {name!r})", f" (from the channel's name {name!r})")
    return Said(
        f"{at}{whence[0]} memancar di {mhz(sending.centre_hz)} ({low} - {high}), di luar 920-923 MHz yang diizinkan "
        "di Indonesia; pakai region KR, slot 4",
        f"{at}{whence[1]} sends at {mhz(sending.centre_hz)} ({low} - {high}), outside the 920-923 MHz that Indonesia "
        "allows; use region KR, slot 4",
    )


def _power(sending: Sending) -> tuple[Said, ...]:
    if sending.power_dbm < 1:
        return (_no_power(sending),)
    counted_dbi = max(float(ANTENNA_DBI), sending.antenna_dbi)
    if sending.power_dbm + counted_dbi > EIRP_DBM:
        return (_too_strong(sending, counted_dbi),)
    limit = REGIONS[sending.region].power_dbm
    return () if sending.power_dbm <= limit else (_over_the_regions(sending, limit),)


def _over_the_regions(sending: Sending, limit: int) -> Said:
    return Said(
        f"wilayah {sending.region} sendiri membatasi {limit} dBm; perangkat tidak menerima {sending.power_dbm} dBm",
        f"region {sending.region} itself allows {limit} dBm; a node will not take {sending.power_dbm} dBm",
    )


def _no_power(sending: Sending) -> Said:
    limit = REGIONS[sending.region].power_dbm
    return Said(
        f"daya {sending.power_dbm} dBm berarti batas wilayah {sending.region}, yaitu {limit} dBm; "
        f"tulis dayanya, paling tinggi {POWER_DBM}",
        f"a power of {sending.power_dbm} dBm means the limit of region {sending.region}, {limit} dBm; "
        f"write the power itself, at most {POWER_DBM}",
    )


def _too_strong(sending: Sending, counted_dbi: float) -> Said:
    power, highest = sending.power_dbm, math.floor(EIRP_DBM - counted_dbi)
    return Said(
        f"daya {power} dBm dengan antena {counted_dbi:g} dBi melebihi 20 dBm EIRP; paling tinggi {highest} dBm "
        f"(antena dihitung paling sedikit {ANTENNA_DBI} dBi, karena antena sering diganti)",
        f"{power} dBm with an antenna of {counted_dbi:g} dBi exceeds 20 dBm EIRP; at most {highest} dBm "
        f"(an antenna counts as {ANTENNA_DBI} dBi at least, for antennas are changed)",
    )
