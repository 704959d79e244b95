"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "journal_0001"
down_revision = None


def col(name: str, kind: Any, null: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=null, autoincrement=False)


def of_alarm(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Integer, sa.ForeignKey("alarm.sequence", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    _identity()
    _alarms()
    _outbox()
    _desk()


def _identity() -> None:
    op.create_table(
        "journal", col("id", sa.Integer), col("uuid", sa.String), col("starts", sa.Integer),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_table(
        "run", col("start", sa.Integer), col("bits", sa.String), col("wall_s", sa.Float), col("trusted", sa.Boolean),
        sa.PrimaryKeyConstraint("start"),
    )  # fmt: skip


def _alarms() -> None:
    op.create_table(
        "alarm",
        col("sequence", sa.Integer),
        col("id", sa.Text),
        col("source", sa.String),
        col("kind", sa.String),
        col("stage", sa.Integer),
        col("latest_wall_s", sa.Float),
        col("kept_from_s", sa.Float, null=True),
        col("state", sa.Text),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_alarm_kept_from_s", "alarm", ["kept_from_s"])
    op.create_table(
        "press", col("id", sa.Text), of_alarm("alarm"), sa.PrimaryKeyConstraint("id"), sqlite_with_rowid=False
    )
    op.create_index("ix_press_alarm", "press", ["alarm"])
    op.create_table(
        "sighting",
        of_alarm("alarm"),
        col("press", sa.Text),
        col("radio", sa.String),
        col("at", sa.Float),
        col("snr_db", sa.Float, null=True),
        col("rssi_dbm", sa.Integer, null=True),
        col("hops", sa.Integer, null=True),
        sa.PrimaryKeyConstraint("alarm", "press", "radio", "at"),
        sqlite_with_rowid=False,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        of_alarm("sequence"),
        col("revision", sa.Integer),
        col("receipted", sa.Integer),
        col("body", sa.Text),
        col("sha256", sa.String),
        col("first_start", sa.Integer),
        col("first_mono_s", sa.Float),
        col("first_wall_s", sa.Float),
        col("first_trusted", sa.Boolean),
        col("first_boot", sa.String),
        col("reason", sa.String),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("outbox_pending", "outbox", ["sequence"], sqlite_where=sa.text("receipted < revision"))
    op.create_table(
        "reply",
        of_alarm("alarm"),
        col("step", sa.String),
        col("at", sa.Float),
        col("outcome", sa.String),
        sa.PrimaryKeyConstraint("alarm", "step", "at"),
        sqlite_with_rowid=False,
    )


def _desk() -> None:
    op.create_table(
        "word",
        col("desk", sa.String),
        col("number", sa.Integer),
        col("kind", sa.String),
        col("alarm", sa.String),
        col("source", sa.String),
        col("stage", sa.Integer, null=True),
        col("by", sa.String),
        col("text", sa.Text),
        col("fate", sa.String),
        col("at", sa.Float),
        col("detail", sa.String),
        sa.PrimaryKeyConstraint("desk", "number"),
    )
    op.create_table(
        "mark", col("desk", sa.String), col("database", sa.String), col("number", sa.Integer), col("token", sa.String),
        sa.PrimaryKeyConstraint("desk"),
    )  # fmt: skip
