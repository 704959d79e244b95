"""`kentongan node provision`: boxes set up one after another as they are plugged in, and a table at the end."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.domain.ids import node_id
from cli.node_box import Bar, expected, open_box, read_village, said_of
from cli.node_setup import SetUp, claim, set_up
from cli.node_show import lines_of, table
from cli.node_words import NodeVoice
from firmware_config.device import DeviceBusy
from firmware_config.profile import load_profile
from firmware_config.recognise import pending
from firmware_config.village import Village, VillageNode, VillageWrong

LOOK_S = 0.5
HEADS = "MicroPython"  # a kentongan head's own board is no radio


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one name in this run. `is_well`: it needs nobody's hand."""

    key: str
    is_well: bool = True
    why: str = ""


class Provision:
    """One run over many boxes. `tell` gets every line for people."""

    def __init__(
        self, file: Path, say: NodeVoice, tell: Callable[[str], None], bar: Bar, is_watching: bool = False
    ) -> None:
        self._file, self._say, self._tell, self._bar, self._is_watching = file, say, tell, bar, is_watching
        self.results: dict[str, Result] = {}
        self.others: list[str] = []

    def take(self, url: str) -> None:
        """Whatever is wrong with this box is told, and the next may come."""
        name = ""
        try:
            with open_box(url) as device:
                village, node = claim(self._file, device)
                name = node.name
                self._tell(self._say("taking", name=name, box=f"{node_id(device.node)} ({url})"))
                self._record(set_up(village, node, device, self._say.language, self._bar))
        except expected() as error:
            self._bar.clear()
            if self._is_watching and isinstance(error, DeviceBusy):  # what the bridge holds is no box of this run
                return self._tell(self._say("left_alone", port=url))
            self._fail(name, said_of(error, self._say, url, self._file, name))
        finally:
            self._bar.clear()

    def announce(self) -> bool:
        """Say which box comes next; False when there is none left. A file that became wrong is told, and waited for."""
        try:
            village = read_village(self._file)
        except VillageWrong as error:
            self._tell(f"{error.said(self._say.language)}\n{self._say('file_wrong', file=self._file)}")
            return True
        node = self._unfinished(village)
        if node is None:
            return False
        left = sum(not node.is_done for node in village.nodes)
        about = load_profile(node.profile).about.said(self._say.language)
        self._tell(self._say("next_box", name=node.name, about=about, left=left))
        return True

    def rows(self) -> list[dict[str, str]]:
        """Every box of the village, and what became of it."""
        return [self._row(node) for node in read_village(self._file).nodes]

    def report(self) -> list[str]:
        """The table, boxes that were not ours, and the sum."""
        rows = self.rows()
        lines = table([[row["name"], row["profile"], row["node"], _told(row)] for row in rows], self._say)
        if self.others:
            lines += ["", self._say("others"), *(f"  {line}" for said in self.others for line in said.splitlines())]
        done = sum(node.is_done for node in read_village(self._file).nodes)
        more = [self._say("total_next", file=self._file)] if done < len(rows) else []
        return [*lines, "", self._say("total", done=done, total=len(rows)), *more]

    @property
    def is_well(self) -> bool:
        return not self.others and all(result.is_well for result in self.results.values())

    def _record(self, done: SetUp) -> None:
        name, report = done.node.name, done.report
        self._bar.clear()
        if not report.is_right:
            said = self._say("not_taken", name=name, count=len(report.left))
            self._fail(name, "\n".join((said, *lines_of(report.left, self._say.language))))
            return
        self.results[name] = Result("result_done" if report.written else "result_same")
        self._tell(done.said(self._say))
        if not done.is_admin:
            self._tell(self._say("admins_full", file=read_village(self._file).admin_file, name=name))

    def _fail(self, name: str, said: str) -> None:
        self._tell(said)
        if name:
            self.results[name] = Result("result_failed", False, said.splitlines()[0])
        else:
            self.others.append(said)

    def _unfinished(self, village: Village) -> VillageNode | None:
        return pending(village) or next((node for node in village.nodes if not node.is_done), None)

    def _row(self, node: VillageNode) -> dict[str, str]:
        result = self.results.get(node.name) or Result(_without(node))
        box = "" if node.number is None else node_id(node.number)
        row = {"name": node.name, "profile": node.profile, "node": box, "result": self._say(result.key)}
        return row | {"why": result.why, "key": result.key.removeprefix("result_")}


def _without(node: VillageNode) -> str:
    """How a name stands that this run did not meet."""
    if node.is_done:
        return "result_before"
    return "result_waiting" if node.number is None else "result_begun"


def _told(row: dict[str, str]) -> str:
    return f"{row['result']}: {row['why']}" if row["why"] else row["result"]


def plugged_in(folder: Path, look_s: float = LOOK_S) -> Iterator[str]:
    """Ports as they appear, those that are there already first; without end. One that goes and comes back is new.

    A port is named when it was there at two looks: the system makes its link first and gives us leave to open it after.
    """
    seen: set[str] = set()
    before: set[str] = set()
    while True:
        now = {path.name for path in folder.iterdir() if HEADS not in path.name} if folder.is_dir() else set()
        seen &= now
        for name in sorted((now & before) - seen):
            seen.add(name)
            yield f"serial://{(folder / name).absolute()}"
        before = now
        time.sleep(look_s)
