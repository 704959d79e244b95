"""The first tables, and this database's own id."""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def col(name: str, kind: Any, of: str = "", null: bool = False) -> "sa.Column[Any]":
    references = [sa.ForeignKey(of)] if of else []
    return sa.Column(name, kind, *references, nullable=null, autoincrement=False)


def upgrade() -> None:
    _books()
    _posts()
    _cases()
    _words()
    ledger = sa.table("ledger", sa.column("id"), sa.column("database"), sa.column("last"))
    op.bulk_insert(ledger, [{"id": 1, "database": str(uuid.uuid4()), "last": 0}])


def _books() -> None:
    op.create_table(
        "ledger", col("id", sa.Integer), col("database", sa.String), col("last", BIG), sa.PrimaryKeyConstraint("id")
    )
    op.create_table(
        "commits", col("number", BIG), col("token", sa.String), col("at", sa.Float), sa.PrimaryKeyConstraint("number")
    )


def _posts() -> None:
    op.create_table("posts", col("post", sa.String), col("added_at", sa.Float), sa.PrimaryKeyConstraint("post"))
    op.create_table(
        "post_keys",
        col("post", sa.String, "posts.post"),
        col("kid", sa.String),
        col("public", sa.String),
        col("added_at", sa.Float),
        col("revoked_at", sa.Float, null=True),
        sa.PrimaryKeyConstraint("post", "kid"),
    )
    op.create_table(
        "presence",
        col("post", sa.String, "posts.post"),
        col("journal", sa.String),
        col("number", BIG),
        col("start", BIG),
        col("connection", BIG),
        col("state", sa.Integer),
        col("version", sa.String),
        col("since", sa.Float),
        sa.PrimaryKeyConstraint("post", "journal"),
    )
    op.create_table(
        "envelopes",
        col("id", BIG),
        col("post", sa.String, "posts.post"),
        col("topic", sa.String),
        col("kid", sa.String),
        col("sig", sa.String),
        col("body", sa.LargeBinary),
        col("at", sa.Float),
        sa.PrimaryKeyConstraint("id"),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        col("number", BIG),
        col("opened_at", sa.Float),
        col("stage", sa.Integer),
        col("by", sa.String),
        col("again_at", sa.Float, null=True),
        col("joined_to", BIG, null=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_cases_stage", "cases", ["stage"])
    op.create_table(
        "reports",
        col("id", BIG),
        col("key", sa.String),
        col("post", sa.String, "posts.post"),
        col("journal", sa.String),
        col("alarm", sa.String),
        col("start", BIG),
        col("revision", BIG),
        col("sha", sa.String),
        col("body", sa.LargeBinary),
        col("reason", sa.String),
        col("source", sa.String),
        col("kind", sa.String),
        col("place", sa.String),
        col("unsafe", sa.Boolean),
        col("arrived_at", sa.Float),
        col("updated_at", sa.Float),
        col("age_s", sa.Float, null=True),
        col("case_number", BIG, "cases.number"),
        col("envelope", BIG, "envelopes.id"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", "post", "journal"),
    )
    op.create_index("ix_reports_case_number", "reports", ["case_number"])
    op.create_table(
        "presses",
        col("press", sa.Text),
        col("report", BIG, "reports.id"),
        sa.PrimaryKeyConstraint("press", "report"),
    )
    op.create_table(
        "acts",
        col("id", BIG),
        col("case_number", BIG, "cases.number"),
        col("what", sa.String),
        col("by", sa.String),
        col("at", sa.Float),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_acts_case_number", "acts", ["case_number"])


def _words() -> None:
    op.create_table(
        "words",
        col("number", BIG),
        col("post", sa.String, "posts.post"),
        col("kind", sa.String),
        col("case_number", BIG, "cases.number", null=True),
        col("alarm", sa.String),
        col("source", sa.String),
        col("stage", sa.Integer, null=True),
        col("by", sa.String),
        col("text", sa.Text),
        col("at", sa.Float),
        col("fate", sa.String),
        col("is_final", sa.Boolean),
        col("fate_at", sa.Float, null=True),
        col("answered_at", sa.Float, null=True),
        col("detail", sa.String),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_words_is_final", "words", ["is_final"])
    op.create_index("ix_words_case_number", "words", ["case_number"])
