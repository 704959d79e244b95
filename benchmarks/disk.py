"""What one durable commit costs on this disk, without anything of ours around it."""

import os
import sqlite3
import time
from pathlib import Path

ROW_BYTES = 900  # about an alarm, its frozen report and its press


def commits(folder: Path, count: int, gap_s: float) -> list[float]:
    """Milliseconds of each of `count` one-row commits, WAL and synchronous=FULL, `gap_s` apart."""
    path = folder / f"commits-{time.monotonic_ns()}.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE alarm (id INTEGER PRIMARY KEY, body BLOB)")
    took_ms = []
    due = time.monotonic()
    for _ in range(count):
        time.sleep(max(0.0, due - time.monotonic()))
        body = os.urandom(ROW_BYTES)
        began = time.monotonic_ns()
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO alarm (body) VALUES (?)", (body,))
        database.execute("COMMIT")
        took_ms.append((time.monotonic_ns() - began) / 1e6)
        due += gap_s
    database.close()
    return took_ms
