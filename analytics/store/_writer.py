"""Writing the store: one worker at a time, one transaction a commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from analytics.store._rows import put_results
from analytics.store._schema import OF_A_WEARER, connect_writing, explained
from analytics.store._states import put_states, state_of
from sagittal.blocks import Cursor
from sagittal.errors import StoreError
from sagittal.names import Site
from sagittal.protocols import Row
from sagittal.results import Angles, GapMark, Result
from sagittal.schema import from_json, to_json
from sagittal.units import NS_PER_S

_DAY_NS = 86_400 * NS_PER_S
_COMMAND_DAYS = 30
_OUTBOX_ROWS = 2_000_000
"""A reader of the outbox that is this far behind has given up; the results stay in their tables."""


_NEWEST = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name='outbox'"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a stream has come: the last block taken, the time behind it, and what this commit adds."""

    wearer: str
    site: Site
    cursor: Cursor
    end_ns: int
    samples: int
    blocks: int


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """What the store knows of a stream: its watermark, sums over all commits, and every boot it has gone through."""

    wearer: str
    site: Site
    cursor: Cursor
    end_ns: int
    samples: int
    blocks: int
    boots: frozenset[bytes]


@dataclass(slots=True)
class Commit:
    """What goes into the store in one transaction; `results` in the order in which they came about."""

    results: list[tuple[str, Result]] = field(default_factory=list)
    states: dict[str, Sequence[bytes]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    devices: dict[tuple[str, str], tuple[bytes, int]] = field(default_factory=dict)
    commands: list[tuple[str, str, int]] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    recordings: dict[tuple[str, str], int] = field(default_factory=dict)


class Erased(StoreError):
    """Wearers were erased since the last commit: nothing was written; drop what you hold of them, and try again."""

    def __init__(self, wearers: frozenset[str]) -> None:
        super().__init__(f"erased meanwhile: {', '.join(sorted(wearers))}")
        self.wearers = wearers


class Store:
    """The one writer of the store.

    Parameters
    ----------
    path
        The SQLite file; made with its folder where absent.
    owner
        The worker's id. Whoever opened the store last owns it; an earlier owner can commit no more.

    Raises
    ------
    StoreError
        Where the file can't be opened or written, is damaged, or laid out by a later version.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self.path = path
        self._owner = owner
        self._lock = threading.RLock()
        self._db = connect_writing(path)
        try:
            with self._transaction():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES ('owner', ?)", (owner,))
                self._erasure = self._newest_erasure()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._db.close()

    def commit(self, commit: Commit) -> list[Row]:
        """Write everything or nothing; the rows as they now stand in the outbox.

        Raises
        ------
        StoreError
            Where the file can't be written, or another worker has taken the store over.
        Erased
            Where a wearer was erased since the last commit.
        """
        with self._transaction():
            self._check_owner()
            self._check_erasures()
            put_results(self._db, commit.results)
            rows = self._fill_outbox(commit.results)
            put_states(self._db, commit.states)
            for mark in commit.marks:
                self._advance(mark)
            self._db.executemany(
                "INSERT OR REPLACE INTO device VALUES (?,?,?,?)",
                [(*place, json.decode(), seen_ns) for place, (json, seen_ns) in commit.devices.items()],
            )
            self._db.executemany("INSERT OR IGNORE INTO command VALUES (?,?,?)", commit.commands)
            self._db.executemany("INSERT OR REPLACE INTO position VALUES (?,?)", commit.positions.items())
            self._db.executemany(
                "INSERT OR REPLACE INTO recording VALUES (?,?,?)",
                [(path, wearer, size) for (wearer, path), size in commit.recordings.items()],
            )
        return rows

    def streams(self) -> list[StreamRecord]:
        """Every stream with its watermark."""
        with self._reading():
            boots: dict[tuple[str, str], set[bytes]] = {}
            for wearer, site, boot in self._db.execute("SELECT wearer, site, boot FROM boot"):
                boots.setdefault((wearer, site), set()).add(boot)
            return [
                StreamRecord(
                    wearer=row[0],
                    site=Site(row[1]),
                    cursor=Cursor(row[2], row[3]),
                    end_ns=row[4],
                    samples=row[5],
                    blocks=row[6],
                    boots=frozenset(boots.get(row[:2], ())),
                )
                for row in self._db.execute(
                    "SELECT wearer, site, boot, seq, end_ns, samples, blocks FROM stream ORDER BY wearer, site"
                )
            ]

    def state(self, wearer: str) -> tuple[bytes, ...] | None:
        """The parts of a wearer's pipeline state, where there is one."""
        with self._reading():
            return state_of(self._db, wearer)

    def command_seen(self, command_id: str) -> bool:
        """Whether a command was carried out before."""
        with self._reading():
            return self._db.execute("SELECT 1 FROM command WHERE id=?", (command_id,)).fetchone() is not None

    def device_states(self) -> dict[tuple[str, str], bytes]:
        """The last known health of every device, as JSON, by wearer and site."""
        with self._reading():
            rows = self._db.execute("SELECT wearer, site, json FROM device").fetchall()
        return {(wearer, site): json.encode() for wearer, site, json in rows}

    def recording_bytes(self, path: str) -> int:
        """How much of a raw recording is committed."""
        with self._reading():
            row = self._db.execute("SELECT bytes FROM recording WHERE path=?", (path,)).fetchone()
        return 0 if row is None else int(row[0])

    def outbox(self, after: int, limit: int) -> list[Row]:
        """Rows of the outbox behind an id, in order."""
        with self._reading():
            found = self._db.execute(
                "SELECT id, wearer, site, json FROM outbox WHERE id>? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()
        return [Row(row[0], row[1], row[2], from_json(row[3])) for row in found]

    def newest(self) -> int:
        """The id that the newest row of the outbox has, or had."""
        with self._reading():
            return int(self._db.execute(_NEWEST).fetchone()[0])

    def position(self, reader: str) -> int:
        """How far a reader of the outbox has come; a new one begins with what comes next."""
        with self._transaction():
            row = self._db.execute("SELECT id FROM position WHERE reader=?", (reader,)).fetchone()
            if row is None:
                row = self._db.execute(_NEWEST).fetchone()
                self._db.execute("INSERT INTO position VALUES (?,?)", (reader, row[0]))
        return int(row[0])

    def forget(self, now_ns: int, posture_days: float, readers: Sequence[str]) -> int:
        """Delete what has had its time: old seconds, outbox rows that every reader has, commands long done.

        Returns how many rows went that some reader had not read: it was too far behind.
        """
        with self._transaction():
            self._db.execute("DELETE FROM posture WHERE t_ns < ?", (now_ns - round(posture_days * _DAY_NS),))
            self._db.execute("DELETE FROM command WHERE t_ns < ?", (now_ns - _COMMAND_DAYS * _DAY_NS,))
            marks = ",".join("?" * len(readers))
            self._db.execute(f"DELETE FROM position WHERE reader NOT IN ({marks})", tuple(readers))  # noqa: S608  # only ?
            newest = self._db.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0]
            read = self._db.execute("SELECT min(id) FROM position").fetchone()[0]
            keep = max(newest if read is None else read, newest - _OUTBOX_ROWS)
            self._db.execute("DELETE FROM outbox WHERE id <= ?", (keep,))
        return 0 if read is None else max(0, keep - int(read))

    def erased_meanwhile(self) -> bool:
        """Whether someone was erased since the last commit."""
        with self._reading():
            return self._newest_erasure() > self._erasure

    def _advance(self, mark: Mark) -> None:
        place = (mark.wearer, str(mark.site))
        self._db.execute(
            "INSERT INTO stream VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET boot=excluded.boot, seq=excluded.seq,"
            " end_ns=excluded.end_ns, samples=samples+excluded.samples, blocks=blocks+excluded.blocks",
            (*place, mark.cursor.boot_id, mark.cursor.seq, mark.end_ns, mark.samples, mark.blocks),
        )
        self._db.execute("INSERT OR IGNORE INTO boot VALUES (?,?,?)", (*place, mark.cursor.boot_id))

    def _fill_outbox(self, results: Sequence[tuple[str, Result]]) -> list[Row]:
        rows: list[Row] = []
        for wearer, result in results:
            if isinstance(result, Angles):
                raise StoreError("10 Hz angles go live only: they are not stored")
            site = str(result.site) if isinstance(result, GapMark) else None
            made = self._db.execute(
                "INSERT INTO outbox (wearer, site, json) VALUES (?,?,?)", (wearer, site, to_json(result).decode())
            )
            rows.append(Row(int(made.lastrowid or 0), wearer, site, result))
        return rows

    def _check_owner(self) -> None:
        owner = self._db.execute("SELECT value FROM meta WHERE name='owner'").fetchone()
        if owner is None or owner[0] != self._owner:
            raise StoreError(f"store {self.path} was taken over by another worker: run only one worker on a store")

    def _newest_erasure(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM erasure").fetchone()[0])

    def _check_erasures(self) -> None:
        found = self._db.execute("SELECT id, wearer FROM erasure WHERE id > ?", (self._erasure,)).fetchall()
        if found:
            self._erasure = max(row[0] for row in found)
            raise Erased(frozenset(row[1] for row in found))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, explained(self.path):
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, explained(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise


def erase_wearer(path: Path, wearer: str) -> dict[str, int]:
    """Delete everything of a wearer, overwrite its bytes in the file, and tell a running worker; rows by table.

    Raises
    ------
    StoreError
        Where the store can't be written, or something is left.
    """
    db = connect_writing(path)
    try:
        with explained(path):
            db.execute("BEGIN IMMEDIATE")
            gone = {table: _delete(db, table, wearer) for table in OF_A_WEARER}
            db.execute("INSERT INTO erasure (wearer) VALUES (?)", (wearer,))
            db.execute("COMMIT")
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()
    return gone


def forget_erasure(path: Path, wearer: str) -> None:
    """Strike an erased wearer's name from the list by which a running worker was told; it has had its time to see it.

    Raises
    ------
    StoreError
        Where the store can't be written.
    """
    db = connect_writing(path)
    try:
        with explained(path):
            db.execute("UPDATE erasure SET wearer='' WHERE wearer=?", (wearer,))
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def _delete(db: sqlite3.Connection, table: str, wearer: str) -> int:
    return db.execute(f"DELETE FROM {table} WHERE wearer=?", (wearer,)).rowcount  # noqa: S608  # own constants
