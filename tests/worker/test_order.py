"""Order and uniqueness: whatever a broker does to a stream, its blocks are taken once each and in order."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.worker._order import StreamOrder
from sagittal.blocks import Block, Cursor, Gap, GapReason
from tests.worker.fakes import BOOT_A, BOOT_B, BOOT_C, block


def places(blocks: list[Block]) -> list[tuple[bytes, int]]:
    return [(one.boot_id, one.seq) for one in blocks]


def test_the_next_block_is_taken_and_a_repetition_dropped() -> None:
    order = StreamOrder()
    assert places(order.offer(block(0, head=True))) == [(BOOT_A, 0)]
    assert order.offer(block(0, head=True)) == []
    assert places(order.offer(block(1))) == [(BOOT_A, 1)]
    assert order.offer(block(0)) == []
    assert order.repeats == 2


def test_without_a_head_nothing_is_begun() -> None:
    order = StreamOrder()
    assert order.offer(block(3)) == []
    assert order.offer(block(4)) == []
    assert places(order.offer(block(2, head=True))) == [(BOOT_A, 2), (BOOT_A, 3), (BOOT_A, 4)]


def test_a_new_boot_is_taken_when_the_one_before_is_complete() -> None:
    order = StreamOrder(Cursor(BOOT_A, 4), 0, {BOOT_A})
    assert order.offer(block(1, BOOT_B)) == []
    assert order.offer(block(0, BOOT_B, follows=Cursor(BOOT_A, 5))) == []
    assert places(order.offer(block(5))) == [(BOOT_A, 5), (BOOT_B, 0), (BOOT_B, 1)]
    assert order.offer(block(6)) == [], "a boot that is over does not go on"
    assert order.waiting == 0


def test_a_head_beyond_a_hole_is_taken_with_the_hole_marked() -> None:
    order = StreamOrder(Cursor(BOOT_A, 4), block(4).end_ns, {BOOT_A})
    (taken,) = order.offer(block(8, head=True))
    assert taken.gap_before is not None
    assert taken.gap_before.reason is GapReason.LOST
    assert taken.gap_before.duration_ns == block(8).t0_ns - block(4).end_ns
    (taken,) = order.offer(block(0, BOOT_B, head=True))
    assert taken.gap_before is not None


def dropped(since: int, samples: int | None = 150) -> Gap:
    return Gap(GapReason.OVERRUN, samples, 1_500_000_000, Cursor(BOOT_A, since))


def test_a_head_that_counts_what_was_taken_is_refused_until_it_counts_right() -> None:
    order = StreamOrder(Cursor(BOOT_A, 4), block(4).end_ns, {BOOT_A})
    assert order.offer(replace(block(8, head=True), gap_before=dropped(since=4))) == []
    assert order.offer(replace(block(5, head=True), gap_before=dropped(since=4))) == []
    assert order.stale
    (taken,) = order.offer(replace(block(8, head=True), gap_before=dropped(since=5)))
    assert taken.gap_before == dropped(since=5)
    assert not order.stale
    assert order.run == Cursor(BOOT_A, 8)
    assert order.offer(replace(block(2, BOOT_B, head=True), gap_before=dropped(since=7))) == []


def test_who_can_t_ask_takes_such_a_head_without_its_number() -> None:
    order = StreamOrder(Cursor(BOOT_A, 4), block(4).end_ns, {BOOT_A}, asks=False)
    for seq in (5, 8):
        (taken,) = order.offer(replace(block(seq, head=True), gap_before=dropped(since=2)))
        assert taken.gap_before is not None
        assert (taken.gap_before.reason, taken.gap_before.samples) == (GapReason.OVERRUN, None)


def test_a_gap_that_begins_behind_what_is_here_has_no_number() -> None:
    order = StreamOrder(Cursor(BOOT_A, 4), block(4).end_ns, {BOOT_A})
    (taken,) = order.offer(replace(block(20, head=True), gap_before=dropped(since=17)))
    assert taken.gap_before is not None
    assert (taken.gap_before.reason, taken.gap_before.samples) == (GapReason.OVERRUN, None)
    assert taken.gap_before.duration_ns == block(20).t0_ns - block(4).end_ns
    own = Gap(GapReason.RECONNECT, 7, 70_000_000)
    (taken,) = order.offer(replace(block(30, head=True), gap_before=own))
    assert taken.gap_before is not None
    assert taken.gap_before.samples is None, "7 is not all that is missing"
    assert [one.gap_before for one in order.offer(replace(block(31), gap_before=own))] == [own]


def test_a_head_is_taken_though_the_same_block_waits() -> None:
    order = StreamOrder(Cursor(BOOT_A, 4), block(4).end_ns, {BOOT_A})
    assert order.offer(block(8)) == order.offer(block(9)) == []
    assert places(order.offer(replace(block(8, head=True), gap_before=dropped(since=5)))) == [(BOOT_A, 8), (BOOT_A, 9)]
    assert order.waiting == 0


def test_a_restart_knows_every_boot_it_went_through() -> None:
    order = StreamOrder(Cursor(BOOT_C, 1), 0, {BOOT_A, BOOT_B, BOOT_C})
    assert order.offer(block(99, BOOT_A, head=True)) == []
    assert order.offer(block(0, BOOT_B, head=True, follows=Cursor(BOOT_A, 9))) == []
    assert order.repeats == 2


def test_what_waits_is_bounded() -> None:
    order = StreamOrder(Cursor(BOOT_A, 0), 0, {BOOT_A}, max_held=3)
    for seq in (2, 3, 4, 5, 6):
        assert order.offer(block(seq)) == []
    assert (order.waiting, order.refused) == (3, 2)
    assert places(order.offer(block(1))) == [(BOOT_A, seq) for seq in (1, 2, 3, 4)]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 2**32))
def test_any_shuffling_and_repeating_gives_the_same_sequence(count: int, boots: int, seed: int) -> None:
    chance = random.Random(seed)
    ids = [bytes([number]) * 8 for number in range(boots)]
    wanted: list[Block] = []
    for number, boot in enumerate(ids):
        follows = Cursor(ids[number - 1], count - 1) if number else None
        wanted += [
            block(seq, boot, head=not wanted and seq == 0, follows=follows if seq == 0 else None)
            for seq in range(count)
        ]
    arriving = wanted + chance.choices(wanted, k=len(wanted) // 2)
    chance.shuffle(arriving)
    order = StreamOrder()
    taken = [one for arrived in arriving for one in order.offer(arrived)]
    assert places(taken) == places(wanted)
    assert all(one.gap_before is None for one in taken)
    assert order.waiting == 0
