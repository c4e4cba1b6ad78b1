"""The tables, how the file is opened, and what SQLite's errors mean to a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagittal.errors import StoreError

LAYOUT = 2
BUSY_S = 20.0

TABLES = """
CREATE TABLE IF NOT EXISTS posture (
    wearer TEXT NOT NULL, t_ns INTEGER NOT NULL, posture TEXT NOT NULL, detail TEXT, since_ns INTEGER NOT NULL,
    confidence REAL NOT NULL, flexion_deg REAL, flexion_min_deg REAL, flexion_max_deg REAL, lateral_deg REAL,
    lateral_min_deg REAL, lateral_max_deg REAL, angle_reason TEXT, slouch_percent REAL, lumbar_flexion_deg REAL,
    lumbar_lateral_deg REAL, cadence_spm REAL, version TEXT NOT NULL, lumbar_rotation_deg REAL,
    lumbar_rotation_error_deg REAL, lumbar_rotation_reason TEXT,
    PRIMARY KEY (wearer, t_ns)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS document (
    wearer TEXT NOT NULL, kind TEXT NOT NULL, t_ns INTEGER NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (wearer, kind, t_ns, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, wearer TEXT NOT NULL, site TEXT, json TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS position (
    reader TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (
    wearer TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state_part (
    wearer TEXT NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL, UNIQUE (wearer, digest)) STRICT;
CREATE TABLE IF NOT EXISTS stream (
    wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL, seq INTEGER NOT NULL, end_ns INTEGER NOT NULL,
    samples INTEGER NOT NULL, blocks INTEGER NOT NULL, PRIMARY KEY (wearer, site)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boot (
    wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL,
    PRIMARY KEY (wearer, site, boot)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device (
    wearer TEXT NOT NULL, site TEXT NOT NULL, json TEXT NOT NULL, seen_ns INTEGER NOT NULL,
    PRIMARY KEY (wearer, site)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS command (
    id TEXT PRIMARY KEY, wearer TEXT NOT NULL, t_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recording (
    path TEXT PRIMARY KEY, wearer TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erasure (
    id INTEGER PRIMARY KEY AUTOINCREMENT, wearer TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

_SINCE = {
    2: """
ALTER TABLE posture ADD COLUMN lumbar_rotation_deg REAL;
ALTER TABLE posture ADD COLUMN lumbar_rotation_error_deg REAL;
ALTER TABLE posture ADD COLUMN lumbar_rotation_reason TEXT;
"""
}
"""What every layout brought to a store of the one before."""

OF_A_WEARER = (
    "posture",
    "document",
    "outbox",
    "state",
    "state_part",
    "stream",
    "boot",
    "device",
    "command",
    "recording",
)
"""Every table with a column `wearer` that holds something of a wearer's."""


def explain(path: Path, error: Exception) -> StoreError:
    """What an error of SQLite or of the system means, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == 28:
        return StoreError(f"store {path} can't grow, the disk is full: free some space and start again")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(f"store {path} is damaged or no store of ours ({error}): move it away, a new one is made")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"store {path} is held by another program: stop that one first")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) or isinstance(error, OSError):
        return StoreError(f"store {path} can't be opened or written ({error}): check the folder and its rights")
    return StoreError(f"store {path} failed ({error}): check the disk")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the system into `StoreError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise explain(path, error) from None


def connect_writing(path: Path) -> sqlite3.Connection:
    """Open for writing, making file and tables where they are absent.

    Raises
    ------
    StoreError
        Where the file can't be opened or written, is damaged, or was laid out by a later version.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                " PRAGMA journal_size_limit=16000000; PRAGMA cache_size=-2000;"
            )
            found = _check_layout(db, path)
            later = "".join(_SINCE[layout] for layout in range(found + 1, LAYOUT + 1)) if found else ""
            db.executescript(f"BEGIN IMMEDIATE; {TABLES} {later} PRAGMA user_version={LAYOUT}; COMMIT;")
        except BaseException:
            db.close()
            raise
    return db


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open for reading beside a worker.

    Raises
    ------
    StoreError
        Where there is no store, or it can't be read.
    """
    if not path.is_file():
        raise StoreError(f"there is no store at {path} yet: start `sagittal run`, or set data_dir")
    with explained(path):
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _check_layout(db, path, made=True)
        except BaseException:
            db.close()
            raise
    return db


def _check_layout(db: sqlite3.Connection, path: Path, *, made: bool = False) -> int:
    """The layout found, 0 for a new file."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > LAYOUT:
        raise StoreError(f"store {path} was laid out by a later version ({found}): update this program")
    if made and found == 0:
        raise StoreError(f"store {path} is still being made: try again in a moment")
    if made and found < LAYOUT:
        raise StoreError(f"store {path} was laid out by an earlier version ({found}): start `sagittal run` once")
    return found
