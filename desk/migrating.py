"""Bringing an older, or an empty, database up to date. Alembic is imported here and nowhere else."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from desk.store import StoreFailed


def migrate(engine: Engine) -> None:
    """To the newest revision. Raises StoreFailed for a database that a newer desk has written."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise StoreFailed(f"the database is newer than this program ({current}); upgrade kentongan")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
