"""The journal: SQLite, one writer, read by many."""

from bridge.store.journal import Journal, Loaded, without_disk
from bridge.store.reader import JournalReader
from bridge.store.worker import JournalWorker, Progress

__all__ = ["Journal", "JournalReader", "JournalWorker", "Loaded", "Progress", "without_disk"]
