"""The account of the whole path: spool, a pipe that loses and delays, and the worker's order, whatever fails when.

Every sample that was measured is stored once or stands behind a mark that counts it. A mark without number must have a
reason: a gap without number lies in it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from analytics.worker._order import StreamOrder
from sagittal.blocks import Block, Cursor, Gap, GapReason
from sagittal.codec import decode_block, encode_block
from sagittal.messages import Watermark
from sagittal.names import Site
from sensor_bridge import _losses
from sensor_bridge._spool import Spool

STREAM = ("w", Site.WAIST)
PERIOD_NS = 10**7
MEMORY = Path("/dev/shm")  # without the disk, which SQLite would wait for at every step
ROOM = 6 * 450


@dataclass
class Truth:
    """Where in the sequence of all measured samples a block begins, and whether its own gap has a number."""

    first: int
    n: int
    counted: bool


class Account(RuleBasedStateMachine):
    remembered = 1000

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        _losses.MAX_GONE = self.remembered
        self.spool = Spool(self.folder / "s", max_bytes=ROOM)
        self.measured = 0
        self.truth: dict[Cursor, Truth] = {}
        self.live = 0
        self.online = True
        self.to_worker: deque[bytes] = deque()
        self.to_bridge: deque[Watermark] = deque()
        self.stored: list[Block] = []
        self.pending: list[Block] = []
        self.boots: set[bytes] = set()
        self.order = StreamOrder()
        self.run: Cursor | None = None
        self.worker_died = False
        self.boot()

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.heal()
            self.judge()
            self.spool.close()
            shutil.rmtree(self.folder)

    # -- the bridge ---------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        self.boot_id, self.follows = self.spool.start(*STREAM)
        self.seq = 0

    @rule(count=st.integers(1, 9), missing=st.sampled_from([0, 5, 51]), counted=st.integers(0, 5))
    def measure(self, count: int, missing: int, counted: int) -> None:
        """Some blocks; before the second there is a gap, mostly one with a number."""
        for index in range(count):
            self.block(50 - index, missing if index == 1 else 0, counted > 0)

    def block(self, n: int, missing: int, counted: bool) -> None:
        first = self.seq == 0
        gap = Gap(GapReason.RECONNECT, missing if counted else None, missing * PERIOD_NS) if missing else None
        if first:
            gap = Gap(GapReason.START, None, 0)
        self.measured += missing
        block = Block(
            wearer=STREAM[0],
            site=STREAM[1],
            device="d",
            boot_id=self.boot_id,
            seq=self.seq,
            t0_ns=10**18 + self.measured * PERIOD_NS,
            dt_ns=PERIOD_NS,
            n=n,
            acc=bytes(6 * n),
            acc_scale=0.01,
            gap_before=gap,
            follows=self.follows if first else None,
        )
        self.truth[block.cursor] = Truth(self.measured, n, gap is None or gap.samples is not None)
        self.measured += n
        self.seq += 1
        self.spool.append(block)
        self.send_live()

    def send_live(self) -> None:
        if self.online:
            self.live = self.send(self.live, 50)

    def send(self, behind: int, limit: int) -> int:
        rows = self.spool.after(*STREAM, behind, limit)
        self.to_worker.extend(encode_block(row.block) for row in rows)
        return rows[-1].id if rows else behind

    @rule(limit=st.integers(1, 6))
    def send_again(self, limit: int) -> None:
        if self.online:
            self.send(0, limit)

    @rule()
    def bridge_dies(self) -> None:
        self.spool.close()
        self.spool = Spool(self.folder / "s", max_bytes=ROOM)
        self.live = self.spool.newest(*STREAM)
        self.boot()

    # -- the broker ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.online)
    @rule(loses=st.booleans())
    def broker_goes(self, loses: bool) -> None:
        self.online = False
        if loses:
            self.to_worker.clear()
            self.to_bridge.clear()

    @precondition(lambda self: not self.online)
    @rule()
    def broker_comes(self) -> None:
        self.online = True
        self.live = self.spool.newest(*STREAM)
        self.tell()

    @precondition(lambda self: self.to_bridge)
    @rule()
    def mark_arrives(self) -> None:
        self.spool.cover(*STREAM, self.to_bridge.popleft())

    # -- the worker ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.to_worker)
    @rule(count=st.integers(1, 8))
    def blocks_arrive(self, count: int) -> None:
        for _ in range(min(count, len(self.to_worker))):
            self.pending += self.order.offer(decode_block(self.to_worker.popleft()))

    @precondition(lambda self: self.pending)
    @rule()
    def commit(self) -> None:
        self.stored += self.pending
        self.boots |= {one.boot_id for one in self.pending}
        self.pending, self.run = [], self.order.run
        self.tell()

    def tell(self) -> None:
        if self.online:
            cursor = self.stored[-1].cursor if self.stored else None
            self.to_bridge.append(Watermark.at(cursor, self.run if cursor else None, "one"))

    @rule()
    def all_is_well(self) -> None:
        """Everything arrives, and so do the marks."""
        if self.online:
            while self.to_worker:
                self.blocks_arrive(8)
            self.commit()
            while self.to_bridge:
                self.mark_arrives()

    @precondition(lambda self: self.stored or self.pending)
    @rule()
    def worker_dies(self) -> None:
        last = self.stored[-1] if self.stored else None
        self.pending = []
        self.order = StreamOrder(last.cursor if last else None, last.end_ns if last else 0, self.boots)
        self.run, self.worker_died = self.order.run, True

    # -- the account --------------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Nothing fails any more: soon all is stored."""
        self.online = True
        for _ in range(6):
            self.commit()
            while self.to_bridge:
                self.mark_arrives()
            if self.spool.ledger(*STREAM).blocks == 0:
                return
            self.send(0, 1000)
            while self.to_worker:
                self.blocks_arrive(8)
        raise AssertionError(f"blocks wait for ever: {self.spool.ledger(*STREAM)}")

    def judge(self) -> None:
        last = None
        for block in self.stored:
            truth = self.truth[block.cursor]
            assert truth.n == block.n
            if last is not None:
                missing = truth.first - last
                assert missing >= 0, "stored twice"
                self.judge_gap(block, missing, last)
            last = truth.first + truth.n
        ledger = self.spool.ledger(*STREAM)
        assert ledger.samples == sum(one.n for one in self.truth.values())
        lost = ledger.samples - sum(one.n for one in self.stored)
        self.judge_dropped(ledger.dropped, lost)

    def judge_gap(self, block: Block, missing: int, last: int) -> None:
        gap = block.gap_before
        if gap is None:
            assert missing == 0
        elif gap.samples is not None:
            assert gap.samples == missing, gap
        else:
            here = [one for one in self.truth.values() if last <= one.first <= self.truth[block.cursor].first]
            assert not all(one.counted for one in here), "a mark without number, though all of it is known"

    def judge_dropped(self, dropped: int, lost: int) -> None:
        assert dropped >= lost if self.worker_died else dropped == lost


class Forgetful(Account):
    """So many blocks are dropped that not all are remembered: a mark may be without number, but never wrong."""

    remembered = 2

    def judge_gap(self, block: Block, missing: int, last: int) -> None:
        if block.gap_before is not None and block.gap_before.samples is None:
            return
        super().judge_gap(block, missing, last)

    def judge_dropped(self, dropped: int, lost: int) -> None:
        assert dropped >= lost or self.worker_died


_LIMITS = settings(max_examples=80, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestAccount = Account.TestCase
TestAccount.settings = _LIMITS
TestForgetful = Forgetful.TestCase
TestForgetful.settings = _LIMITS
