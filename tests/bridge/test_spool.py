"""The spool's account: what was taken waits, is stored, or is marked lost; never two of them, never none."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sagittal.blocks import Block, Cursor, Gap, GapReason
from sagittal.codec import encode_block
from sagittal.messages import Watermark
from sagittal.names import Site
from sensor_bridge._spool import RESERVE_BYTES, Spool

N = 50
BOOT = b"b" * 8
SIZE = len(encode_block(Block(wearer="w", site=Site.WAIST, device="d", boot_id=BOOT, seq=200, t0_ns=10**18, dt_ns=10**7,
                              n=N, acc=bytes(6 * N), acc_scale=0.01)))  # fmt: skip


def block(seq: int) -> Block:
    return Block(
        wearer="w",
        site=Site.WAIST,
        device="d",
        boot_id=BOOT,
        seq=seq,
        t0_ns=10**18 + seq * N * 10**7,
        dt_ns=10**7,
        n=N,
        acc=bytes(6 * N),
        acc_scale=0.01,
    )


def mark(seq: int) -> Watermark:
    return Watermark(boot_id=BOOT.hex(), seq=seq, worker="one")


def test_beyond_its_bytes_it_drops_the_oldest_and_marks_the_gap(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", max_bytes=5.5 * SIZE)
    for seq in range(8):
        spool.append(block(seq))
    rows = spool.after("w", Site.WAIST, 0, 10)
    assert [row.block.seq for row in rows] == [3, 4, 5, 6, 7]
    gap = rows[0].block.gap_before
    assert gap is not None
    assert (gap.reason, gap.samples, gap.duration_ns) == (GapReason.OVERRUN, 3 * N, 3 * N * 10**7)
    assert rows[0].block.head
    assert spool.ledger("w", Site.WAIST).dropped == 3 * N
    spool.close()


def test_beyond_its_age_it_drops_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", max_age_s=0.2)
    spool.append(block(0))
    time.sleep(0.3)
    spool.append(block(1))
    assert [row.block.seq for row in spool.after("w", Site.WAIST, 0, 10)] == [1]
    spool.close()


def test_on_a_full_disk_it_drops_the_oldest_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    reserve = tmp_path / "s.reserve"
    assert reserve.stat().st_size == RESERVE_BYTES
    for seq in range(300):
        spool.append(block(seq))
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite then says what it says on a full disk
    for seq in range(300, 900):
        spool.append(block(seq))
    assert not reserve.exists()
    (first, *_), ledger = spool.after("w", Site.WAIST, 0, 1), spool.ledger("w", Site.WAIST)
    assert 100 < ledger.blocks < 400
    assert first.block.gap_before is not None
    assert first.block.gap_before.samples == ledger.dropped == (900 - ledger.blocks) * N
    assert spool.cover("w", Site.WAIST, mark(899)) == ledger.blocks
    spool.close()
    Spool(tmp_path / "s").close()
    assert reserve.exists()


def test_a_clock_that_is_set_late_ages_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "s")
    spool.append(block(0))
    right_s = time.time() + 20 * 86400
    monkeypatch.setattr("time.time", lambda: right_s)
    spool.append(block(1))
    assert [row.block.seq for row in spool.after("w", Site.WAIST, 0, 10)] == [0, 1]
    spool.close()


def test_what_was_dropped_but_had_been_stored_is_no_loss(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", max_bytes=5.5 * SIZE)
    for seq in range(9):
        spool.append(block(seq))
    spool.cover("w", Site.WAIST, mark(1))
    (row, *_) = spool.after("w", Site.WAIST, 0, 10)
    assert row.block.gap_before is not None
    assert row.block.gap_before.samples == 2 * N
    assert spool.ledger("w", Site.WAIST).dropped == 2 * N
    spool.close()


def test_all_that_was_dropped_was_stored(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", max_bytes=5.5 * SIZE)
    for seq in range(7):
        spool.append(block(seq))
    spool.cover("w", Site.WAIST, mark(1))
    assert spool.after("w", Site.WAIST, 0, 1)[0].block.gap_before is None
    assert spool.ledger("w", Site.WAIST).dropped == 0
    spool.close()


def test_the_gap_of_a_dropped_block_is_part_of_what_is_missing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", max_bytes=5.5 * SIZE)
    spool.append(block(0))
    spool.append(replace(block(1), gap_before=Gap(GapReason.LOST, 51, 51 * 10**7)))
    for seq in range(2, 7):
        spool.append(block(seq))
    (row, *_) = spool.after("w", Site.WAIST, 0, 10)
    assert row.block.gap_before == Gap(GapReason.OVERRUN, 2 * N + 51, (2 * N + 51) * 10**7, Cursor(BOOT, 0))
    spool.cover("w", Site.WAIST, mark(0))
    (row, *_) = spool.after("w", Site.WAIST, 0, 10)
    assert row.block.gap_before == Gap(GapReason.OVERRUN, N + 51, (N + 51) * 10**7, Cursor(BOOT, 1))
    spool.close()


def test_a_gap_without_number_leaves_the_whole_without_number(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", max_bytes=5.5 * SIZE)
    for seq in range(7):
        spool.append(replace(block(seq), gap_before=Gap(GapReason.STALL, None, 10**9) if seq == 1 else None))
    (row, *_) = spool.after("w", Site.WAIST, 0, 10)
    assert row.block.gap_before == Gap(GapReason.OVERRUN, None, 2 * N * 10**7 + 10**9, Cursor(BOOT, 0))
    spool.cover("w", Site.WAIST, mark(1))
    assert spool.after("w", Site.WAIST, 0, 1)[0].block.gap_before is None
    spool.close()


def test_what_was_told_as_missing_while_it_was_on_its_way_is_no_loss(tmp_path: Path) -> None:
    """Blocks 0 to 6 were sent, then 0 and 1 dropped, and 2 sent again as a head: a worker that had them all says so."""
    spool = Spool(tmp_path / "s", max_bytes=5.5 * SIZE)
    for seq in range(7):
        spool.append(block(seq))
    assert spool.after("w", Site.WAIST, 0, 1)[0].block.gap_before is not None
    spool.cover("w", Site.WAIST, Watermark.at(Cursor(BOOT, 5), Cursor(BOOT, 0), "one"))
    assert spool.ledger("w", Site.WAIST).dropped == 0
    spool.close()


def test_a_spool_of_the_layout_before_goes_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s", isolation_level=None)) as db:
        db.executescript(LAYOUT_0)
        for seq in (3, 4):
            row = ("w", "waist", BOOT, seq, N, 0, time.time(), 150 if seq == 3 else 0, 1500, encode_block(block(seq)))
            db.execute("INSERT INTO block VALUES (NULL,?,?,?,?,?,?,?,?,?,?)", row)
        db.execute("INSERT INTO stream VALUES ('w','waist',?,4,250,150,0,0)", (BOOT,))
    for _ in range(2):
        spool = Spool(tmp_path / "s")
        rows = spool.after("w", Site.WAIST, 0, 10)
        assert [row.block.seq for row in rows] == [3, 4]
        gap = rows[0].block.gap_before
        assert gap is not None
        assert (gap.reason, gap.samples, gap.duration_ns) == (GapReason.OVERRUN, None, 1500)
        assert spool.ledger("w", Site.WAIST).dropped == 150
        spool.close()


LAYOUT_0 = """
CREATE TABLE block (
    id INTEGER PRIMARY KEY AUTOINCREMENT, wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL,
    seq INTEGER NOT NULL, samples INTEGER NOT NULL, end_ns INTEGER NOT NULL, spooled_s REAL NOT NULL,
    lost_samples INTEGER NOT NULL DEFAULT 0, lost_ns INTEGER NOT NULL DEFAULT 0, data BLOB NOT NULL) STRICT;
CREATE TABLE stream (
    wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL, seq INTEGER NOT NULL,
    samples INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0, lost_samples INTEGER NOT NULL DEFAULT 0,
    lost_ns INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (wearer, site)) STRICT;
CREATE TABLE dropped (
    id INTEGER PRIMARY KEY, wearer TEXT NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL, seq INTEGER NOT NULL,
    samples INTEGER NOT NULL, ns INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0) STRICT;
"""
