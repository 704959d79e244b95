"""The tables that the migrations make are the tables that the program means."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import desk.migrating
from desk.store import REVISION, Store
from desk.tables import Row


def test_models_and_migrations_agree(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/desk.sqlite3", "d")
    store.open()
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []
    store.close()


def test_the_program_knows_its_newest_migration() -> None:
    script = ScriptDirectory(str(Path(desk.migrating.__file__).parent / "migrations"))
    assert script.get_current_head() == REVISION


def test_each_database_has_an_id_of_its_own_that_a_copy_keeps(tmp_path: Path) -> None:
    def opened(name: str) -> str:
        store = Store(f"sqlite:///{tmp_path}/{name}", "d")
        store.open()
        store.close()
        return store.database

    first, second = opened("a"), opened("b")
    (tmp_path / "copy").write_bytes((tmp_path / "a").read_bytes())
    assert opened("copy") == first != second


def test_old_commits_are_forgotten_after_90_days_but_never_the_newest(tmp_path: Path) -> None:
    now = [1_700_000_000.0]
    store = Store(f"sqlite:///{tmp_path}/desk.sqlite3", "d", wall=lambda: now[0])
    store.open()
    marks = []
    for _ in range(3):
        with store.changing() as change:
            change.touch()
        marks.append(store.mark())
        now[0] += 50 * 86400
    assert [mark.commit for mark in marks] == [1, 2, 3]
    store.forget_old_commits()
    assert [store.holds(mark) for mark in marks] == [False, True, True]
    now[0] += 500 * 86400
    store.forget_old_commits()
    assert [store.holds(mark) for mark in marks] == [False, False, True]
    store.close()
