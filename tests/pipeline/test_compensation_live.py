"""Compensation in the live path: per bout and day, from one sensor or several, whatever the order of arrival."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from analytics import SensorRecording, analyze
from analytics._window import FloatArray
from analytics.pipeline import dump_state, finish, initial_state, load_state, step
from sagittal.blocks import Block, ClockKind
from sagittal.names import Site
from sagittal.results import Day, Pattern, Result, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from tests.analytics.synthetic_walk import GRAVITY, Gait, walk
from tests.simulated import ACC_SCALE, GYR_SCALE

PAUSE_S = 12
LEGS = {Site.SHANK_LEFT: 0.6, Site.SHANK_RIGHT: 1.0}
DAY_NS = 86_400 * NS_PER_S
BASE_NS = 1_700_000_000 * NS_PER_S


def standing(seconds: float) -> FloatArray:
    rng = np.random.default_rng(5)
    return np.tile([GRAVITY, 0, 0, 0, 0, 0], (int(100 * seconds), 1)) + rng.normal(0, 0.01, (int(100 * seconds), 6))


@cache
def pelvis() -> SensorRecording:
    """Two walks of 45 and 25 s between standing."""
    parts = [standing(PAUSE_S)]
    for seed, seconds in enumerate((45.0, 25.0)):
        found = walk(Gait(seconds=seconds, seed=seed, asymmetry=0.9))
        parts += [np.hstack((found.acc, found.gyr)), standing(PAUSE_S)]
    samples = np.vstack(parts)
    return SensorRecording(np.arange(len(samples)) / 100, samples[:, :3], samples[:, 3:])


@cache
def shank(site: Site) -> SensorRecording:
    """Swings while the pelvis walks, less on the left."""
    n = len(pelvis().acc)  # type: ignore[arg-type]
    time_s = np.arange(n) / 100
    phase = time_s / (120 / 110) + (0.5 if site is Site.SHANK_RIGHT else 0.0)
    swing = np.maximum(np.cos(2 * np.pi * phase), -0.3) ** 3 * 5 - 0.4
    moving = np.linalg.norm(np.asarray(pelvis().gyr), axis=1) > 0.05
    moving = np.convolve(moving, np.ones(100) / 100, "same") > 0.2
    gyr = np.zeros((n, 3))
    gyr[:, 1] = LEGS[site] * swing * moving
    return SensorRecording(time_s, np.tile([GRAVITY, 0.0, 0.0], (n, 1)), gyr)


def stream(recording: SensorRecording, site: Site, size: int, base_ns: int = BASE_NS) -> list[Block]:
    samples = np.hstack((np.asarray(recording.acc) / ACC_SCALE, np.asarray(recording.gyr) / GYR_SCALE))
    counts = np.round(samples).astype("<i2")
    return [
        Block(
            wearer="w1",
            site=site,
            device="d",
            boot_id=b"b" * 8,
            seq=seq,
            t0_ns=base_ns + start * NS_PER_S // 100,
            dt_ns=NS_PER_S // 100,
            n=len(counts[start : start + size]),
            acc=counts[start : start + size, :3].tobytes(),
            acc_scale=ACC_SCALE,
            gyr=counts[start : start + size, 3:].tobytes(),
            gyr_scale=GYR_SCALE,
            clock=ClockKind.TRUE,
        )
        for seq, start in enumerate(range(0, len(counts), size))
    ]


def told(blocks: Iterable[Block], restart: bool = False) -> list[Result]:
    state, out = initial_state(Wearer(id="w1")), []
    for number, block in enumerate(blocks):
        state, found = step(state, block)
        out += found
        if restart and number % 7 == 0:
            state = load_state(dump_state(state))
    state, found = finish(state)
    return [*out, *found]


def several(lead: int, other: int, *, others_last: bool = False) -> Iterable[Block]:
    streams = [stream(pelvis(), Site.PELVIS, lead), *(stream(shank(site), site, other) for site in LEGS)]
    return heapq.merge(*streams, key=lambda one: (one.end_ns, (one.site is Site.PELVIS) != others_last))


@cache
def usual() -> list[Result]:
    return told(several(100, 100))


def walks(results: Iterable[Result]) -> list[Walk]:
    return [one for one in results if isinstance(one, Walk) and one.final]


def pattern(found: Walk | Day, name: str) -> Pattern:
    return next(one for one in found.compensations if one.pattern == name)


def test_every_walk_is_judged_and_the_day_sums_them_up() -> None:
    found, day = walks(usual()), [one for one in usual() if isinstance(one, Day)][-1]
    assert len(found) == 2
    for one in found:
        assert one.compensation_score is not None
        assert one.compensation_score > 0.5
        assert pattern(one, "asymmetric_gait").flagged
        assert pattern(one, "stiff_knee").side == "left"
        assert one.metrics["step_regularity_v"] is not None
        assert pattern(one, "decline_within_walk").reason is not None
    assert day.compensation_score is not None
    strides = day.metrics["strides"]
    assert strides is not None
    assert 0.75 < strides / sum(one.n_steps / 2 for one in found) < 1.0
    assert day.metrics["compensation_departure"] is not None


def test_a_growing_walk_is_judged_before_it_ends() -> None:
    first = next(one for one in usual() if isinstance(one, Walk))
    assert not first.final
    assert first.compensation_score is not None


@pytest.mark.parametrize(("lead", "other"), [(10, 100), (100, 37), (500, 100), (61, 400)])
@pytest.mark.parametrize("others_last", [False, True])
def test_neither_cutting_nor_the_order_of_sensors_changes_anything(lead: int, other: int, others_last: bool) -> None:
    assert told(several(lead, other, others_last=others_last)) == usual()


def test_a_restart_at_any_time_changes_nothing() -> None:
    assert told(several(100, 100), restart=True) == usual()


def test_a_site_that_falls_silent_holds_nothing_up_for_long() -> None:
    blocks = [one for one in several(100, 100) if one.site is Site.PELVIS or one.t0_ns < BASE_NS + 30 * NS_PER_S]
    state = initial_state(Wearer(id="w1"))
    last_ns = 0
    for block in blocks:
        state, found = step(state, block)
        last_ns = max([last_ns, *(one.t_ns for one in found if one.kind == "posture")])
        if block.site is Site.PELVIS:
            assert block.end_ns - last_ns < 11 * NS_PER_S
    assert len(state.held) == 0


def test_a_recording_is_judged_by_the_same_evidence_as_a_day() -> None:
    found = analyze({"pelvis": pelvis(), **{str(site): shank(site) for site in LEGS}})
    day = [one for one in usual() if isinstance(one, Day)][-1]
    assert found.compensation_score == pytest.approx(day.compensation_score, abs=0.02)
    one = analyze({"pelvis": pelvis()})
    assert {p["pattern"] for p in one.compensations if not p["assessable"]} >= {"stiff_knee", "trunk_lean"}
    assert one.compensation_score is not None


def test_a_new_day_begins_with_sums_of_its_own() -> None:
    midnight_ns = (BASE_NS // DAY_NS + 1) * DAY_NS
    found = told(stream(pelvis(), Site.PELVIS, 100, base_ns=midnight_ns - 63 * NS_PER_S))
    days = {one.date: one for one in found if isinstance(one, Day)}
    first, second = (days[date] for date in sorted(days))
    assert (first.final, second.final) == (True, False)
    assert [(first.metrics["strides"] or 0) > 30, (second.metrics["strides"] or 0) > 30] == [True, False]
    for one in (first, second):
        assert one.compensation_score is not None
        assert {change.metric for change in one.changes} >= {"walking_speed_mps", "compensation_departure"}
        assert all(change.reason is not None for change in one.changes)


def test_memory_stays_small() -> None:
    state, most = initial_state(Wearer(id="w1")), 0
    for block in several(100, 100):
        state, _ = step(state, block)
        if block.seq % 8 == 0:
            most = max(most, sum(map(len, dump_state(state))))
    assert most < 2_500_000
    alone, single = initial_state(Wearer(id="w1")), 0
    for block in stream(pelvis(), Site.PELVIS, 100):
        alone, _ = step(alone, block)
        single = max(single, sum(map(len, dump_state(alone))))
    assert single < 800_000
