"""The SQLite store, the truth: results, pipeline states, watermarks and the outbox, committed together."""

from analytics.store._reader import SqliteReader, open_reader
from analytics.store._writer import (
    Commit,
    Erased,
    Mark,
    Store,
    StreamRecord,
    erase_wearer,
    forget_erasure,
)

__all__ = [
    "Commit",
    "Erased",
    "Mark",
    "SqliteReader",
    "Store",
    "StreamRecord",
    "erase_wearer",
    "forget_erasure",
    "open_reader",
]
