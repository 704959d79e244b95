"""Where a source is. No names of people: a place is enough to drive to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A house or post. `lat`, `lon` in degrees WGS 84, both or neither."""

    house: str = ""
    rt: str = ""
    rw: str = ""
    landmark: str = ""
    lat: float | None = None
    lon: float | None = None

    def __str__(self) -> str:
        area = "/".join(part for part in (self.rt and f"RT {self.rt}", self.rw and f"RW {self.rw}") if part)
        words = [part for part in (self.house, area, self.landmark) if part]
        if not words and self.lat is not None:
            return f"{self.lat:.5f}, {self.lon:.5f}"
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Source:
    """What the register knows of a source: `id` as in domain.ids, the pinned key (32 bytes or empty), the place.

    `head_key`: 16 bytes or empty. `home`: the post that answers it, '' for any. `is_post`: the post's own kentongan.
    """

    id: str
    place: Place | None = None
    public_key: bytes = b""
    label: str = ""
    head_key: bytes = b""
    home: str = ""
    is_post: bool = False
