"""Nothing lost, nothing doubled, nothing invented: every press of the run against the desk's own database."""

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.helpers import BenchFailed, until
from benchmarks.stage import Stage
from desk.store import Store


def account(stage: Stage) -> Iterator[Figure]:
    """Raises BenchFailed unless each press that a bridge was given is in exactly one case at the desk."""
    (database,) = (stage.folder / "desk").glob("*.sqlite3")
    store = Store(f"sqlite:///{database}", "bench")
    store.open()
    try:
        until(lambda: len(store.accounting()) >= len(stage.given), 60, "every press is at the desk", every_s=0.5)
        held = store.accounting()
    finally:
        store.close()
    lost, doubled = stage.given - held.keys(), [press for press, cases in held.items() if cases != 1]
    invented = held.keys() - stage.given
    if lost or doubled or invented:
        raise BenchFailed(f"{len(lost)} lost, {len(doubled)} doubled, {len(invented)} that nobody pressed")
    yield Figure("lost, doubled or invented", 0, "", 0, note=f"of {len(stage.given):,} presses, by the desk's database")
