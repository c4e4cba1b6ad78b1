"""What the spool dropped for want of room: how much, since where, and what of it turns out to be stored after all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sagittal.blocks import Block, Cursor, Gap, GapReason

SCHEMA = """
CREATE TABLE IF NOT EXISTS loss (
    wearer TEXT NOT NULL, site TEXT NOT NULL, samples INTEGER NOT NULL, uncounted INTEGER NOT NULL, ns INTEGER NOT NULL,
    boot BLOB NOT NULL, seq INTEGER NOT NULL, hole INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (wearer, site)) STRICT;
CREATE TABLE IF NOT EXISTS gone (
    id INTEGER PRIMARY KEY, wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL, seq INTEGER NOT NULL,
    samples INTEGER NOT NULL, before INTEGER NOT NULL, uncounted INTEGER NOT NULL, ns INTEGER NOT NULL,
    hole INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS gone_stream ON gone (wearer, site, boot, seq);
"""
MAX_GONE = 1000
"""Dropped blocks of a stream that are remembered, besides the first of each boot: only those sent before an outage may
turn out to be stored."""

Stream = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Loss:
    """What is missing before the oldest block of a stream; `uncounted` gaps in it have no number of samples."""

    samples: int
    uncounted: int
    ns: int
    since: Cursor

    @classmethod
    def of(cls, block: Block) -> Loss:
        """The loss of one block, with the gap before it."""
        own = block.gap_before
        samples, uncounted = _count(block)
        ns = block.end_ns - block.t0_ns + (own.duration_ns if own else 0)
        return cls(block.n + samples, uncounted, ns, own.since if own and own.since else block.cursor)

    def before(self, block: Block) -> Block:
        """The block with this loss, and its own gap, before it."""
        own = block.gap_before
        samples, uncounted = _count(block)
        whole = None if self.uncounted + uncounted else self.samples + samples
        ns = max(0, self.ns + (own.duration_ns if own else 0))
        return replace(block, gap_before=Gap(GapReason.OVERRUN, whole, ns, self.since))


def after_loss(lost: Block, block: Block) -> Block:
    """A block before which another is lost."""
    return Loss.of(lost).before(block)


@dataclass(frozen=True, slots=True)
class _Gone:
    """A dropped block that is remembered; `hole`: another before it is not."""

    id: int
    seq: int
    told: int
    hole: int


def _count(block: Block) -> tuple[int, int]:
    """Samples in a block's own gap, and 1 where they have no number; before the first block of all there are none."""
    own = block.gap_before
    if own is None or (own.reason is GapReason.START and block.follows is None):
        return 0, 0
    return own.samples or 0, int(own.samples is None)


class Losses:
    """The dropped blocks of every stream, in the spool's own database and transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def of(self, stream: Stream) -> Loss | None:
        """What is missing before the stream's oldest block, or before its next one where none waits."""
        row = self._db.execute(
            "SELECT samples, uncounted, ns, boot, seq FROM loss WHERE wearer=? AND site=?", stream
        ).fetchone()
        return Loss(row[0], row[1], row[2], Cursor(row[3], row[4])) if row else None

    def drop(self, spool_id: int, block: Block) -> None:
        """The oldest block of a stream is dropped, and with it the gap before it."""
        stream = (block.wearer, str(block.site))
        loss, place = Loss.of(block), (block.boot_id, block.seq)
        self._db.execute(
            "INSERT INTO loss (wearer, site, samples, uncounted, ns, boot, seq) VALUES (?,?,?,?,?,?,?) ON CONFLICT DO"
            " UPDATE SET samples=samples+excluded.samples, uncounted=uncounted+excluded.uncounted, ns=ns+excluded.ns",
            (*stream, loss.samples, loss.uncounted, loss.ns, loss.since.boot_id, loss.since.seq),
        )
        known, here = self._db.execute(
            "SELECT count(*), coalesce(sum(boot=?), 0) FROM gone WHERE wearer=? AND site=?", (block.boot_id, *stream)
        ).fetchone()
        if known < MAX_GONE or not here:
            self._db.execute(
                "INSERT INTO gone (id, wearer, site, boot, seq, samples, before, uncounted, ns, hole)"
                " SELECT ?,?,?,?,?,?,?,?,?,hole FROM loss WHERE wearer=? AND site=?",
                (spool_id, *stream, *place, block.n, loss.samples - block.n, loss.uncounted, loss.ns, *stream),
            )
        else:
            self._db.execute("UPDATE loss SET hole=1 WHERE wearer=? AND site=?", stream)

    def tell(self, stream: Stream, head_id: int) -> None:
        """The loss is told by this head: what it counts is lost if the head is stored."""
        self._db.execute("UPDATE gone SET told=? WHERE wearer=? AND site=? AND told=0", (head_id, *stream))

    def cover(self, stream: Stream, cursor: Cursor, run: Cursor | None, spool_id: int | None) -> int:
        """A mark has come; the samples that were dropped and are stored after all.

        `spool_id` is the place of the marked block, or of the newest before it in its boot, where it still waits: then
        nothing is missing any more. Else the mark may name a dropped block, and those behind it stay missing.
        """
        if spool_id is not None:
            stored = self._restore(stream, spool_id, 0, run)[0]
            self._db.execute("DELETE FROM loss WHERE wearer=? AND site=?", stream)
            return stored
        loss, row = self.of(stream), self._nearest(stream, cursor)
        if loss is None or not (row or (cursor.boot_id == loss.since.boot_id and cursor.seq >= loss.since.seq)):
            return 0
        known = row is not None and row.seq == cursor.seq
        stored, missing, uncounted, ns = self._restore(stream, row.id, row.told * known, run) if row else (0, 0, 0, 0)
        unknown = 0 if known and row and not row.hole else 1  # a block at or before the mark is not remembered
        self._db.execute(
            "UPDATE loss SET samples=samples-?, uncounted=uncounted-?+?, ns=ns-?, boot=?, seq=?"
            " WHERE wearer=? AND site=?",
            (missing, uncounted, unknown, ns, cursor.boot_id, cursor.seq + 1, *stream),
        )
        self._db.execute("DELETE FROM loss WHERE wearer=? AND site=? AND samples<=0 AND uncounted<=0", stream)
        return stored

    def erase(self, wearer: str) -> None:
        """Forget everything of a wearer."""
        for table in ("loss", "gone"):
            self._db.execute(f"DELETE FROM {table} WHERE wearer=?", (wearer,))  # noqa: S608  # own constants

    def _nearest(self, stream: Stream, cursor: Cursor) -> _Gone | None:
        """The dropped block at a place, or the last one remembered before it in its boot."""
        row = self._db.execute(
            "SELECT id, seq, told, hole FROM gone WHERE wearer=? AND site=? AND boot=? AND seq<=?"
            " ORDER BY seq DESC LIMIT 1",
            (*stream, cursor.boot_id, cursor.seq),
        ).fetchone()
        return _Gone(*row) if row else None

    def _restore(self, stream: Stream, last: int, told: int, run: Cursor | None) -> Sequence[int]:
        """Forget the dropped blocks up to a place; samples of those that are stored, and samples, gaps, ns of all.

        Stored are those of the unbroken run that ends there. Before it, where a worker that has started anew does not
        know its run, those that a head told as missing are lost, unless the last was told together with them.
        """
        unbroken = self._place(stream, run) if run else last + 1
        covered = (*stream, last)
        row: Sequence[int] = self._db.execute(
            "SELECT coalesce(sum(samples * (id >= ? OR told IN (0, ?))), 0), coalesce(sum(samples + before), 0),"
            " coalesce(sum(uncounted), 0), coalesce(sum(ns), 0) FROM gone WHERE wearer=? AND site=? AND id<=?",
            (unbroken, told, *covered),
        ).fetchone()
        self._db.execute("DELETE FROM gone WHERE wearer=? AND site=? AND id<=?", covered)
        return row

    def _place(self, stream: Stream, run: Cursor) -> int:
        """The place from which on dropped blocks are part of a run."""
        waiting = self._db.execute(
            "SELECT id FROM block WHERE wearer=? AND site=? AND boot=? AND seq=?", (*stream, run.boot_id, run.seq)
        ).fetchone()
        if waiting:
            return int(waiting[0])
        row = self._nearest(stream, run)
        return 0 if row is None else row.id + (row.seq != run.seq)
