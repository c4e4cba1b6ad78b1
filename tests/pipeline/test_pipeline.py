"""The pipeline: the same results for every cutting into blocks and every restart, and honest about gaps."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.pipeline import dump_state, finish, initial_state, load_state, step, steps
from sagittal.blocks import Block, ClockKind, GapReason
from sagittal.errors import SagittalError
from sagittal.names import PostureLabel, Site
from sagittal.results import Day, Event, GapMark, Minute, Posture, Result, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from tests.simulated import ACC_SCALE, GYR_SCALE, chunks

START_NS = 1_700_000_000 * NS_PER_S + 4_321
SECONDS = 82


@cache
def wearing(rate_hz: float = 100.0, seconds: float = SECONDS) -> tuple[list[int], bytes, bytes]:
    found = list(islice(chunks(START_NS, START_NS, rate_hz), round(seconds * 10)))
    return (
        [t for chunk in found for t in chunk.t_ns],
        b"".join(chunk.acc for chunk in found),
        b"".join(chunk.gyr for chunk in found),
    )


def cut(sizes: Iterable[int], rate_hz: float = 100.0, seconds: float = SECONDS) -> Iterator[Block]:
    t_ns, acc, gyr = wearing(rate_hz, seconds)
    start = 0
    for seq, size in enumerate(sizes):
        end = min(start + size, len(t_ns))
        if start >= end:
            return
        yield Block(
            wearer="w1",
            site=Site.LOWER_BACK,
            device="d",
            boot_id=b"b" * 8,
            seq=seq,
            t0_ns=t_ns[start],
            dt_ns=round(NS_PER_S / rate_hz),
            n=end - start,
            acc=acc[6 * start : 6 * end],
            acc_scale=ACC_SCALE,
            gyr=gyr[6 * start : 6 * end],
            gyr_scale=GYR_SCALE,
            clock=ClockKind.TRUE,
        )
        start = end


def results(blocks: Iterable[Block], restarts: frozenset[int] = frozenset()) -> list[Result]:
    state, out = initial_state(Wearer(id="w1")), []
    for index, block in enumerate(blocks):
        state, found = step(state, block)
        out += found
        if index in restarts:
            state = load_state(dump_state(state))
    state, found = finish(state)
    return [*out, *found]


@cache
def whole() -> list[Result]:
    return results(cut([50] * 10_000))


@pytest.mark.parametrize("size", [1, 10, 100, 4096])
def test_the_size_of_blocks_changes_nothing(size: int) -> None:
    assert results(cut([size] * 10_000)) == whole()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=20, max_size=60), st.sets(st.integers(0, 59)))
def test_any_cutting_and_any_restart_change_nothing(sizes: list[int], restarts: set[int]) -> None:
    assert results(cut([*sizes, *[333] * 40]), frozenset(restarts)) == whole()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=10, max_size=40), st.sets(st.integers(0, 40)), st.integers(1, 90))
def test_blocks_taken_together_lead_to_what_they_lead_to_one_by_one(
    sizes: list[int], lost: set[int], together: int
) -> None:
    """With gaps, a clock that steps back, and a sensor on the thigh that comes and goes."""
    lead = [one for one in cut([*sizes, *[100] * 80]) if one.seq not in lost]
    back = [replace(one, t0_ns=one.t0_ns - 20 * NS_PER_S, boot_id=b"c" * 8) for one in lead[len(lead) // 2 :]]
    thigh = [replace(one, site=Site.THIGH_LEFT) for one in lead[3 : len(lead) // 3]]
    blocks = [*heapq.merge(lead[: len(lead) // 2], thigh, key=lambda one: one.end_ns), *back]
    state, out = initial_state(Wearer(id="w1")), []
    for some in batched(blocks, together):
        state, found = steps(state, some)
        out += found
    state, found = finish(state)
    assert [*out, *found] == results(blocks)


def batched(blocks: list[Block], size: int) -> Iterator[list[Block]]:
    return (blocks[at : at + size] for at in range(0, len(blocks), size))


def test_it_sees_what_the_simulated_wearer_does() -> None:
    rows = {(one.t_ns - START_NS) / NS_PER_S: one for one in whole() if isinstance(one, Posture)}
    assert next(one.posture for at, one in rows.items() if at < 5) is not PostureLabel.UNKNOWN

    def seen(start_s: float, end_s: float) -> set[PostureLabel]:
        return {one.posture for at, one in rows.items() if start_s <= at < end_s}

    assert seen(12, 28) == {PostureLabel.WALKING}
    assert PostureLabel.BENDING in seen(35, 41)
    assert seen(49, 69) == {PostureLabel.SITTING}
    assert {one.detail for at, one in rows.items() if 62 <= at < 69} == {"slouched"}
    deep = [one.flexion_deg for at, one in rows.items() if 36.5 <= at < 38]
    assert all(angle is not None and 50 < angle < 75 for angle in deep)
    (walk,) = [one for one in whole() if isinstance(one, Walk) and one.final]
    assert walk.cadence_spm == pytest.approx(111, abs=2)
    assert len(walk.initial_contacts) == walk.n_steps + 1
    (bend,) = [one for one in whole() if isinstance(one, Event) and one.event == "bend"]
    assert bend.values["flexion_max_deg"] == pytest.approx(60, abs=12)


def test_minutes_and_day_sum_up_the_seconds() -> None:
    rows = {one.t_ns for one in whole() if isinstance(one, Posture)}
    minutes = {one.t_ns: one.exposure for one in whole() if isinstance(one, Minute)}
    day = [one for one in whole() if isinstance(one, Day)][-1]
    assert sum(sum(one.posture_s.values()) for one in minutes.values()) == len(rows)
    assert sum(day.exposure.posture_s.values()) == len(rows)
    assert day.exposure.walks == 1
    assert all(t_ns % (60 * NS_PER_S) == 0 for t_ns in minutes)


@pytest.mark.parametrize("rate_hz", [25.0, 52.0, 200.0, 400.0])
def test_other_rates_give_the_same_walk(rate_hz: float) -> None:
    walks = [one for one in results(cut([25] * 10_000, rate_hz, 45)) if isinstance(one, Walk) and one.final]
    assert len(walks) == 1
    assert walks[0].cadence_spm == pytest.approx(111, abs=3)


def test_a_gap_is_marked_and_ends_the_bout() -> None:
    blocks = [block for block in cut([50] * 10_000) if not 30 <= block.seq < 36]
    found = results(blocks)
    (gap,) = [one for one in found if isinstance(one, GapMark)]
    assert (gap.reason, gap.end_ns - gap.t_ns) == (GapReason.LOST, 3 * NS_PER_S + NS_PER_S // 100)
    assert len({one.start_ns for one in found if isinstance(one, Walk) and one.final}) == 2


def test_time_that_steps_back_begins_anew_and_never_fails() -> None:
    blocks = list(cut([50] * 10_000))
    found = results([*blocks[:40], *blocks[20:60], *blocks[:3]])
    assert [one for one in found if isinstance(one, Posture)]


@pytest.mark.parametrize("data", [b"", b"rubbish", b"\xa0", b"\xa1gversioncold", b"\x80"])
def test_a_foreign_state_is_refused(data: bytes) -> None:
    for parts in ((), (data,), (data, data)):
        with pytest.raises(SagittalError):
            load_state(parts)


def test_a_damaged_state_is_refused() -> None:
    state, _ = step(initial_state(Wearer(id="w1")), next(cut([500])))
    saved = dump_state(state)
    assert load_state(saved) is not None
    for place, part in enumerate(saved):
        for damaged in (saved[:place], (*saved[:place], part[: len(part) // 2], *saved[place + 1 :])):
            with pytest.raises(SagittalError):
                load_state(damaged)


def test_a_second_changes_few_parts_of_a_saved_state() -> None:
    state, before, written, whole = initial_state(Wearer(id="w1")), set[bytes](), 0, 0
    for block in cut([100] * SECONDS):
        state, _ = step(state, block)
        parts = dump_state(state)
        written += sum(len(part) for part in set(parts) - before)
        whole += sum(map(len, parts))
        before = set(parts)
    assert written < whole / 3
