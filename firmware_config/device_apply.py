"""Settings into a node, in the order that real firmware needs, read back until they are there.

A node keeps what is written between begin and commit in memory only, and cannot say whether it was committed: whoever
was interrupted in between would find everything as wanted, and a power cut would undo it all. So one section, the seal,
is left different until everything else was committed and the node has restarted; it is then written alone, which the
firmware saves at once. A node without differences is therefore a node that keeps them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from meshtastic.protobuf import admin_pb2

from firmware_config.device_errors import DeviceLost, DeviceManaged, DeviceRefused, OnlyAtTheCable
from firmware_config.device_node import Device
from firmware_config.device_values import Sections, check, closing_surplus, order, section_of
from firmware_config.diff import plan
from firmware_config.settings import Difference, Setting

AdminMessage = admin_pb2.AdminMessage
_ROUNDS = 6  # one is the rule; the rest is for what a restart takes back, and for what does not take at all
_LOSSES = 5
_NOT_SO = "BAD_REQUEST"  # the firmware checks some values itself
_TRIES = 2  # of a setting that does not move at all
_SEAL = "config.security"  # last in any case: a managed node listens to nobody at the cable
_LOCK = "config.security.is_managed"
_SAVED_WITHOUT_RESTART = ("config.security", "channel")
# These bring others with them (the keys, intervals, a rebroadcast mode), so what follows is read anew between.
_LEADING = ("config.lora.region", "config.device.role")
_FIRST = ("config.lora", "config.device", "owner", "config", "channel", "module", _SEAL)
_OFF_THE_AIR = (
    *(f"config.lora.{name}" for name in ("region", "use_preset", "modem_preset", "bandwidth", "spread_factor")),
    *(f"config.lora.{name}" for name in ("coding_rate", "channel_num", "override_frequency", "frequency_offset")),
    *("config.lora.tx_enabled", "channel.0.role", "channel.0.name", "channel.0.psk"),
)


class Step(Enum):
    """What is being done with a node."""

    READING = "reading"
    WRITING = "writing"
    RESTARTING = "restarting"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has got: `done` of `total` sections; `section` is the one at hand."""

    step: Step
    done: int = 0
    total: int = 0
    section: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was different at first, what still is after everything was tried, and how often the node restarted."""

    written: tuple[Difference, ...]
    left: tuple[Difference, ...]
    restarts: int = 0

    @property
    def is_right(self) -> bool:
        """The node is as wanted, and keeps it."""
        return not self.left


def verify(device: Device, wanted: Sequence[Setting]) -> tuple[Difference, ...]:
    """Read everything back; what is not as wanted."""
    wanted = closing_surplus(wanted)
    check(wanted)
    return plan(device.tell(_sections(wanted)).values(), wanted)


def apply(device: Device, wanted: Sequence[Setting], tell: Callable[[Progress], None] = lambda _: None) -> Report:
    """Make a node as wanted. Nothing is written to one that already is. After an interruption, run it again.

    Raises DeviceError (BadSetting, DeviceManaged, DeviceRefused, DeviceLost, OnlyAtTheCable); what a node did not take
    stands in the report.
    """
    wanted = closing_surplus(wanted)
    check(wanted)
    return _Applying(device, wanted, tell).run()


class _Applying:
    def __init__(self, device: Device, wanted: Sequence[Setting], tell: Callable[[Progress], None]) -> None:
        self._device, self._wanted, self._progress = device, wanted, tell
        self._at_first: tuple[Difference, ...] | None = None
        self._told = Sections()
        self._unmoved: Counter[str] = Counter()
        self._restarts_before = device.restarts

    def run(self) -> Report:
        """Rounds until nothing differs or nothing moves any more; a lost connection is taken up again."""
        losses = 0
        while True:
            try:
                return self._rounds()
            except DeviceLost:
                losses += 1
                if losses > _LOSSES:
                    raise
                self._device.come_back()

    def _rounds(self) -> Report:
        left = self._compare()
        for _ in range(_ROUNDS):
            if not (movable := self._movable(left)):
                break
            left = self._write(movable)
        return Report(self._at_first or (), left, self._device.restarts - self._restarts_before)

    def _compare(self, tried: Sequence[Difference] = ()) -> tuple[Difference, ...]:
        """What differs now; what was just `tried` and did not move at all is counted."""
        self._progress(Progress(Step.READING))
        self._told = self._device.tell(_sections(self._wanted))
        left = plan(self._told.values(), self._wanted)
        self._at_first = left if self._at_first is None else self._at_first
        self._unmoved.update(each.setting.path for each in tried if each in left)
        return left

    def _movable(self, left: Sequence[Difference]) -> list[Difference]:
        """Once is no proof: a new role takes other settings back to where they were. A section that was not told is
        not written: the rest of it would be lost. A node with anything amiss is not closed: it must be mended first."""
        movable = [each for each in left if each.now is not None and self._unmoved[each.setting.path] < _TRIES]
        return movable if len(movable) == len(left) else [each for each in movable if not _locks(each)]

    def _write(self, left: Sequence[Difference]) -> tuple[Difference, ...]:
        """One round; what differs after it."""
        self._refuse_what_must_not_be(left)
        parts = _parts(left)
        seal = _seal(parts)
        self._commit(parts, seal)
        still = self._compare([each for each in left if section_of(each.setting.path) != seal])
        for is_locking in (False, True):  # the cable is closed only when the admin keys were read back
            if sealing := self._sealing(still, seal, is_locking):
                self._write_alone(seal, [each.setting for each in sealing])
                still = self._compare(sealing)
        return still

    def _sealing(self, still: Sequence[Difference], seal: str, is_locking: bool) -> list[Difference]:
        """What of the seal is written now; nothing while another section differs, for that takes another round."""
        movable = self._movable(still)
        is_early = is_locking and not all(map(_locks, still))
        if is_early or any(section_of(each.setting.path) != seal for each in movable):
            return []
        return [each for each in movable if _locks(each) is is_locking]

    def _refuse_what_must_not_be(self, left: Sequence[Difference]) -> None:
        if not self._device.is_near:
            off_the_air = tuple(each.setting.path for each in left if each.setting.path in _OFF_THE_AIR)
            if off_the_air:
                raise OnlyAtTheCable(off_the_air)
        elif self._told.configs["security"].is_managed:  # type: ignore[attr-defined]
            raise DeviceManaged(f"!{self._device.node:08x} takes orders only over the mesh, by its admin key")

    def _commit(self, parts: Mapping[str, Sequence[Setting]], seal: str) -> None:
        """All but the seal, and wait out the restart."""
        self._device.give(AdminMessage(begin_edit_settings=True))
        leading = {name: part for name, part in parts.items() if any(each.path in _LEADING for each in part)}
        if leading and seal not in leading:
            self._give_all(leading)
            parts = _parts(self._movable(self._compare()))
        self._give_all({name: part for name, part in parts.items() if name != seal})
        for _ in range(2):  # the order itself may be lost behind its acknowledgement
            self._device.give(AdminMessage(commit_edit_settings=True))
            self._progress(Progress(Step.RESTARTING))
            if self._device.await_restart(self._device.timing.restart_s):
                return
        raise DeviceLost("the node does not restart after a commit")

    def _give_all(self, parts: Mapping[str, Sequence[Setting]]) -> None:
        for done, (section, settings) in enumerate(parts.items()):
            self._progress(Progress(Step.WRITING, done, len(parts), section))
            self._give(section, settings)

    def _write_alone(self, section: str, settings: Sequence[Setting]) -> None:
        self._progress(Progress(Step.WRITING, 0, 1, section))
        self._give(section, settings)
        if not section.startswith(_SAVED_WITHOUT_RESTART):
            self._progress(Progress(Step.RESTARTING))
            self._device.await_restart(self._device.timing.quiet_s)

    def _give(self, section: str, settings: Sequence[Setting]) -> None:
        try:
            self._device.give(order(self._told, section, settings))
        except DeviceRefused as refused:
            if refused.reason != _NOT_SO:
                raise  # else the section stays different, and the report says so


def _locks(difference: Difference) -> bool:
    """Whether this is what makes a node deaf to its own cable."""
    return difference.setting.path == _LOCK and difference.setting.value is True


def _sections(wanted: Sequence[Setting]) -> list[str]:
    """What must be read; the security section always, for it says whether the node is managed."""
    return sorted({section_of(setting.path) for setting in wanted} | {_SEAL})


def _parts(left: Sequence[Difference]) -> dict[str, list[Setting]]:
    """What differs, by section, in the order in which it is to be written."""
    parts: dict[str, list[Setting]] = {}
    for each in sorted(left, key=lambda each: _rank(section_of(each.setting.path))):
        parts.setdefault(section_of(each.setting.path), []).append(each.setting)
    return parts


def _rank(section: str) -> tuple[int, str]:
    exact = [number for number, name in enumerate(_FIRST) if name == section]
    by_kind = [number for number, name in enumerate(_FIRST) if name == section.partition(".")[0]]
    return (exact or by_kind)[0], section


def _seal(parts: Mapping[str, Sequence[Setting]]) -> str:
    """The section to be written last and alone; best one that is saved without a restart."""
    quiet = [section for section in parts if section.startswith(_SAVED_WITHOUT_RESTART)]
    return (quiet or list(parts))[-1]
