"""The spool's account: what was taken waits, is stored, or is marked lost; never two of them, never none."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sagittal.blocks import Block, GapReason
from sagittal.codec import encode_block
from sagittal.messages import Watermark
from sagittal.names import Site
from sensor_bridge._spool import Spool

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


class Worker:
    """Takes the next block or a head; its mark comes at once, or, where the broker has gone away, when it is back."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.stored: list[int] = []
        self.lost = 0

    def store(self) -> None:
        for row in self._spool.after("w", Site.WAIST, 0, 10):
            seq, gap = row.block.seq, row.block.gap_before
            missing = seq - (self.stored[-1] + 1 if self.stored else 0)
            if missing == 0 or (row.block.head and missing > 0):
                assert (gap.samples if gap else 0) == missing * N
                self.lost += missing
                self.stored.append(seq)
                return

    def mark(self) -> None:
        if self.stored:
            self._spool.cover("w", Site.WAIST, mark(self.stored[-1]))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["take", "take", "take", "store", "cut", "heal"]), max_size=60))
def test_the_account_balances_over_outages(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "s", max_bytes=4.5 * SIZE)
        worker = Worker(spool)
        taken, online = 0, True
        for step in [*steps, "heal", *["store"] * 6]:
            if step == "take":
                spool.append(block(taken))
                taken += 1
            elif step == "heal":
                worker.mark()
                online = True
            elif online:
                worker.store()
                online = step == "store"
                if online:
                    worker.mark()
        ledger = spool.ledger("w", Site.WAIST)
        spool.close()
    assert ledger.samples == taken * N
    assert ledger.dropped == worker.lost * N
    assert taken == len(worker.stored) + worker.lost + ledger.blocks
