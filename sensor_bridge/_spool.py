"""The disk spool: every block lies here from before it is sent until a worker's watermark covers it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sagittal.blocks import Block, Cursor, new_boot_id
from sagittal.codec import decode_block, encode_block
from sagittal.errors import StoreError
from sagittal.messages import Watermark
from sagittal.names import Site
from sensor_bridge._losses import SCHEMA, Losses
from sensor_bridge._reserve import Reserve

_T = TypeVar("_T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS block (
    id INTEGER PRIMARY KEY AUTOINCREMENT, wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL,
    seq INTEGER NOT NULL, samples INTEGER NOT NULL, end_ns INTEGER NOT NULL, spooled_s REAL NOT NULL,
    data BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS block_stream ON block (wearer, site, id);
CREATE TABLE IF NOT EXISTS stream (
    wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL, seq INTEGER NOT NULL,
    samples INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (wearer, site)) STRICT;
"""
_FROM_LAYOUT_0 = """
INSERT OR IGNORE INTO loss (wearer, site, samples, uncounted, ns, boot, seq)
    SELECT wearer, site, lost_samples, 1, lost_ns, boot, seq FROM block WHERE lost_samples > 0
    UNION ALL SELECT wearer, site, lost_samples, 1, lost_ns, boot, seq FROM stream WHERE lost_samples > 0;
ALTER TABLE block DROP COLUMN lost_samples; ALTER TABLE block DROP COLUMN lost_ns;
ALTER TABLE stream DROP COLUMN lost_samples; ALTER TABLE stream DROP COLUMN lost_ns;
DROP TABLE dropped;
"""
"""An older spool's losses lack the gaps of what was dropped: they go on without number."""


_WALL_STEP_S = 60.0
RESERVE_BYTES = 8_000_000
"""Twice what SQLite's log usually grows to: so much is set aside for a disk that is full."""
FULL_S, FULL_BYTES, FULL_TRIES = 60.0, 1e6, 5
"""On a full disk the spool holds so much less than when it hit the end, and after so long tries to hold more."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """One block in the spool, by its place in the spool's order, as it is sent."""

    id: int
    data: bytes

    @property
    def block(self) -> Block:
        """The block itself."""
        return decode_block(self.data)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a stream's spool has seen: samples taken in, samples dropped for want of room, blocks waiting."""

    samples: int
    dropped: int
    blocks: int
    bytes: int


class Spool:
    """Blocks on disk in the order in which they were taken, safe against the death of the process.

    Parameters
    ----------
    path
        The SQLite file; its folder is made.
    max_bytes, max_age_s
        Beyond either, the oldest blocks are dropped, counted, and marked as a gap (`overrun`) of the next one. The same
        happens on a disk that is full, for which some space is set aside beside the file.

    Raises
    ------
    StoreError
        Where the file can't be opened or written.
    """

    def __init__(self, path: Path, max_bytes: float = 2e9, max_age_s: float = 14 * 86400.0) -> None:
        self.path = path
        self._max_bytes = self._limit_bytes = max_bytes
        self._full = False
        self._full_at = -FULL_S
        self._reserve = Reserve(path.with_name(path.name + ".reserve"), int(min(RESERVE_BYTES, max_bytes / 4)))
        self._max_age_s = max_age_s
        self._lock = threading.RLock()
        self._ahead_s = time.time() - time.monotonic()
        self._own: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            try:
                self._begin()
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"spool {path} can't be opened ({error}): check the folder's rights and space") from None
        self._reserve.hold()

    def _begin(self) -> None:
        try:
            self._lay_out()
        except sqlite3.OperationalError:
            self._reserve.release()
            self._lay_out()
        self._losses = Losses(self._db)
        self._recount()

    def _lay_out(self) -> None:
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA + SCHEMA)
        if self._db.execute("SELECT 1 FROM pragma_table_info('block') WHERE name='lost_samples'").fetchone():
            self._db.executescript(f"BEGIN IMMEDIATE; {_FROM_LAYOUT_0} COMMIT;")

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._db.close()

    def start(self, wearer: str, site: Site) -> tuple[bytes, Cursor | None]:
        """A new boot_id for a stream, and the last block of the boot before, if there was one."""
        with self._transaction():
            row = self._db.execute("SELECT boot, seq FROM stream WHERE wearer=? AND site=?", (wearer, site)).fetchone()
            return new_boot_id(), Cursor(row[0], row[1]) if row else None

    def append(self, block: Block) -> None:
        """Take a block; on disk when this returns.

        Raises
        ------
        StoreError
            Where it can't be written, not even in the place of the oldest ones: it is not taken.
        """
        data = encode_block(block)
        self._write(lambda: self._append(block, data))

    def _append(self, block: Block, data: bytes) -> None:
        stream = (block.wearer, block.site)
        self._watch_wall()
        self._make_room(len(data))
        place = self._db.execute(
            "INSERT INTO block (wearer, site, boot, seq, samples, end_ns, spooled_s, data) VALUES (?,?,?,?,?,?,?,?)",
            (*stream, block.boot_id, block.seq, block.n, block.end_ns, time.time(), data),
        ).lastrowid
        self._own = self._own or place
        self._db.execute(
            "INSERT INTO stream (wearer, site, boot, seq, samples) VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET"
            " boot=excluded.boot, seq=excluded.seq, samples=samples+excluded.samples",
            (*stream, block.boot_id, block.seq, block.n),
        )
        self._count(*stream, 1, len(data))

    def after(self, wearer: str, site: Site, spool_id: int, limit: int) -> list[Spooled]:
        """Blocks of a stream behind a place, oldest first; what was dropped before one stands in its gap."""
        stream = (wearer, site)
        with self._locked():
            (oldest,) = self._db.execute("SELECT min(id) FROM block WHERE wearer=? AND site=?", stream).fetchone()
            rows = self._db.execute(
                "SELECT id, data FROM block WHERE wearer=? AND site=? AND id>? ORDER BY id LIMIT ?",
                (*stream, spool_id, limit),
            ).fetchall()
            found = [Spooled(*row) for row in rows]
            if not found or found[0].id != oldest:
                return found
            head = found[0].block
            loss = self._losses.of(stream)
            if loss is not None:
                head = loss.before(head)
                self._write(lambda: self._losses.tell(stream, oldest))
            found[0] = Spooled(oldest, encode_block(head.with_head()))
        return found

    def cover(self, wearer: str, site: Site, mark: Watermark) -> int:
        """Forget everything up to a watermark; the number of blocks forgotten."""
        cursor = mark.cursor
        if cursor is None:
            return 0
        return self._write(lambda: self._cover((wearer, site), cursor, mark.run))

    def _cover(self, stream: tuple[str, Site], cursor: Cursor, run: Cursor | None) -> int:
        (last,) = self._db.execute(
            "SELECT max(id) FROM block WHERE wearer=? AND site=? AND boot=? AND seq<=?",
            (*stream, cursor.boot_id, cursor.seq),
        ).fetchone()
        stored = self._losses.cover(stream, cursor, run, last)
        self._db.execute("UPDATE stream SET dropped=dropped-? WHERE wearer=? AND site=?", (stored, *stream))
        return 0 if last is None else self._delete("wearer=? AND site=? AND id<=?", (*stream, last))

    def newest(self, wearer: str, site: Site) -> int:
        """The place of the newest block of a stream; 0 where none waits."""
        with self._locked():
            row = self._db.execute("SELECT max(id) FROM block WHERE wearer=? AND site=?", (wearer, site)).fetchone()
        return int(row[0] or 0)

    def streams(self) -> list[tuple[str, Site]]:
        """Every stream of which blocks wait or were taken."""
        with self._locked():
            rows = self._db.execute("SELECT wearer, site FROM stream ORDER BY wearer, site").fetchall()
        return [(wearer, Site(site)) for wearer, site in rows]

    def ledger(self, wearer: str, site: Site) -> Ledger:
        """The counts of a stream."""
        with self._locked():
            taken = self._db.execute(
                "SELECT samples, dropped FROM stream WHERE wearer=? AND site=?", (wearer, site)
            ).fetchone() or (0, 0)
            return Ledger(taken[0], taken[1], *self._waiting.get((wearer, site), (0, 0)))

    @property
    def empty(self) -> bool:
        """Whether no block waits."""
        with self._lock:
            return not any(blocks for blocks, _ in self._waiting.values())

    def erase(self, wearer: str) -> None:
        """Delete everything of a wearer."""
        with self._transaction():
            self._delete("wearer=?", (wearer,))
            self._db.execute("DELETE FROM stream WHERE wearer=?", (wearer,))
            self._losses.erase(wearer)
        with self._locked():
            self._db.execute("VACUUM")

    def _write(self, work: Callable[[], _T]) -> _T:
        """Do it in one transaction; on a full disk again, with what is set aside, and less and less of the oldest."""
        for left in reversed(range(FULL_TRIES)):
            try:
                with self._transaction():
                    return work()
            except StoreError:
                if not left or not self._give_way():
                    raise
        raise AssertionError("unreachable")

    def _give_way(self) -> bool:
        with self._lock:
            if self._full:
                self._full_at = time.monotonic()
                self._limit_bytes = min(self._limit_bytes, self._bytes - min(FULL_BYTES, self._bytes / 5))
                self._reserve.release()
            return self._full

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._locked():
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._recount()
                raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                self._full = (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL
                raise StoreError(
                    f"spool {self.path} can't be read or written ({error}): free space or mend its rights"
                ) from None

    def _delete(self, where: str, values: tuple[object, ...]) -> int:
        gone = self._db.execute(
            f"SELECT wearer, site, count(*), sum(length(data)) FROM block WHERE {where} GROUP BY wearer, site",  # noqa: S608  # own constants
            values,
        ).fetchall()
        for wearer, site, blocks, size in gone:
            self._count(wearer, site, -blocks, -size)
        return self._db.execute(f"DELETE FROM block WHERE {where}", values).rowcount  # noqa: S608  # own constants

    def _count(self, wearer: str, site: str, blocks: int, size: int) -> None:
        """Keep the sums of what waits, which would take the longer to make the more waits."""
        before = self._waiting.get((wearer, site), (0, 0))
        self._waiting[wearer, site] = (before[0] + blocks, before[1] + size)
        self._bytes += size

    def _recount(self) -> None:
        waiting = self._db.execute("SELECT wearer, site, count(*), sum(length(data)) FROM block GROUP BY wearer, site")
        self._waiting = {(row[0], row[1]): (int(row[2]), int(row[3])) for row in waiting}
        self._bytes = sum(size for _, size in self._waiting.values())

    def _watch_wall(self) -> None:
        """A machine without a clock of its own learns the time late: what it spooled before has not aged by that."""
        ahead_s = time.time() - time.monotonic()
        if abs(ahead_s - self._ahead_s) < _WALL_STEP_S:
            return
        step_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if self._own is not None:
            self._db.execute("UPDATE block SET spooled_s=spooled_s+? WHERE id>=?", (step_s, self._own))

    def _make_room(self, size: int) -> None:
        now_s, limit_s = time.monotonic(), time.time() - self._max_age_s
        if self._limit_bytes < self._max_bytes and now_s - self._full_at > FULL_S:
            self._full_at = now_s
            if self._reserve.hold():
                self._limit_bytes = self._max_bytes
        while True:
            row = self._db.execute("SELECT id, spooled_s, data FROM block ORDER BY id LIMIT 1").fetchone()
            if row is None or (self._bytes + size <= self._limit_bytes and row[1] >= limit_s):
                return
            block = decode_block(row[2])
            self._delete("id=?", (row[0],))
            self._losses.drop(row[0], block)
            self._db.execute(
                "UPDATE stream SET dropped=dropped+? WHERE wearer=? AND site=?", (block.n, block.wearer, block.site)
            )
