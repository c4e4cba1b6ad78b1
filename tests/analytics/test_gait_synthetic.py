"""Gait on synthetic walks whose truth is known: cadence, sides, mounting, gaps, hops and saved states."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics._window import FloatArray, Window
from analytics.gait import (
    Bout,
    GaitResult,
    GaitState,
    MountingKnown,
    Prepared,
    from_dict,
    gait_finish,
    gait_prepare,
    gait_step,
    new_state,
    to_dict,
)
from tests.analytics.synthetic_walk import Gait, any_mounting, turned_in_place, walk


def hop(window: Window, start: int, end: int) -> Window:
    rows = slice(start, end)
    return Window(window.index + start, window.acc[rows], window.gyr[rows], window.up[rows], window.valid[rows])


def step(state: GaitState, window: Window) -> tuple[GaitState, list[GaitResult]]:
    """One second."""
    return gait_step(state, ready(state, window))


def ready(state: GaitState, window: Window) -> Prepared:
    (second,) = gait_prepare(state, window.index, rows_of(window)[None])
    return second


def live(window: Window) -> list[Prepared]:
    """The live look at every whole second of a segment."""
    state, seen = new_state(), []
    for start in range(0, len(window) // 100 * 100, 100):
        seen.append(ready(state, hop(window, start, start + 100)))
        state, _ = gait_step(state, seen[-1])
    return seen


def rows_of(window: Window) -> FloatArray:
    return np.concatenate((window.acc, window.gyr, window.up), axis=1)


def told(window: Window, state: GaitState | None = None, *, saved: bool = False) -> tuple[GaitState, list[GaitResult]]:
    """Everything said about a segment; `saved` puts the state through CBOR after every hop."""
    state = state or new_state()
    results: list[GaitResult] = []
    whole = len(window) // 100 * 100
    for start in range(0, whole, 100):
        state, said = step(state, hop(window, start, start + 100))
        results += said
        if saved:
            state = from_dict(cbor2.loads(cbor2.dumps(plain(to_dict(state)))))
    state, said = gait_finish(state, hop(window, whole, len(window)))
    return state, results + said


def plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def bouts(results: list[GaitResult]) -> list[Bout]:
    return [one for one in results if isinstance(one, Bout) and one.final]


def joined(*parts: Window) -> Window:
    return Window(
        0,
        np.concatenate([part.acc for part in parts]),
        np.concatenate([part.gyr for part in parts]),
        np.concatenate([part.up for part in parts]),
        np.concatenate([part.valid for part in parts]),
    )


def standing(seconds: float, mounting: FloatArray | None = None, seed: int = 5) -> Window:
    rng = np.random.default_rng(seed)
    n = int(seconds * 100)
    up = np.tile((np.eye(3) if mounting is None else mounting)[:, 0], (n, 1))
    noise = rng.normal(0, 0.02, (n, 3))
    return Window(0, 9.80665 * up + noise, rng.normal(0, 0.005, (n, 3)), up, np.ones(n, dtype=bool))


@pytest.mark.parametrize("cadence_spm", [70.0, 95.0, 110.0, 130.0])
def test_cadence_of_a_walk_between_standing(cadence_spm: float) -> None:
    window = joined(standing(6), walk(Gait(cadence_spm=cadence_spm, seconds=30)), standing(8))
    found = bouts(told(window)[1])
    assert len(found) == 1
    assert found[0].cadence_spm == pytest.approx(cadence_spm, rel=0.03)
    assert found[0].start_row == pytest.approx(600, abs=130)
    assert found[0].end_row == pytest.approx(3600, abs=160)


def test_closing_steps_follow_their_bout_and_their_sides_go_on_alternating() -> None:
    (found,) = bouts(told(joined(standing(6), walk(Gait(seconds=20)), standing(8)))[1])
    rows = [*found.contacts.row, *found.closing_contacts.row]
    sides = [*found.contacts.right, *found.closing_contacts.right]
    assert found.closing_contacts.row[0] > found.end_row
    assert max(b - a for a, b in itertools.pairwise(rows)) < 1.5 * 60 / found.cadence_spm * 100
    assert all(a != b for a, b in itertools.pairwise(sides))
    assert found.n_steps == len(found.contacts) - 1


def test_standing_holds_no_walk_in_any_second() -> None:
    _, results = told(standing(40))
    assert not bouts(results)
    seen = live(standing(40))
    assert [one.index for one in seen] == list(range(0, 4000, 100))
    assert not any(one.walking for one in seen)


def test_a_walk_is_seen_live_within_three_seconds() -> None:
    window = joined(standing(10), walk(Gait(seconds=20)))
    seen = [one.index + 100 for one in live(window) if one.walking]
    assert 1000 < min(seen) <= 1300


def test_sides_alternate_and_a_mirror_swaps_them_alone() -> None:
    window, image = walk(Gait(seconds=20)), walk(Gait(seconds=20), mirror=True)
    (seen,), (mirrored,) = bouts(told(window)[1]), bouts(told(image)[1])
    assert all(a != b for a, b in itertools.pairwise(seen.contacts.right))
    assert mirrored.contacts.right == tuple(not right for right in seen.contacts.right)
    assert mirrored.contacts.row == pytest.approx(seen.contacts.row, abs=1e-6)
    assert mirrored.stride_length_m == pytest.approx(seen.stride_length_m)


@pytest.mark.parametrize("seed", range(6))
def test_any_mounting_tells_the_same_walk(seed: int) -> None:
    mounting = any_mounting(seed)
    straight, turned = told(walk(Gait(seconds=20))), told(walk(Gait(seconds=20), mounting=mounting))
    (one,), (other,) = bouts(straight[1]), bouts(turned[1])
    assert other.contacts.row == pytest.approx(one.contacts.row, abs=1e-4)
    assert other.contacts.right == one.contacts.right
    known = [result for result in turned[1] if isinstance(result, MountingKnown)][-1]
    assert np.degrees(math.acos(float(np.dot(known.forward, mounting[:, 1])))) < 5.0
    assert turned[0].mounting.right == pytest.approx(-mounting[:, 2], abs=0.1)


def test_a_state_restored_after_every_hop_says_the_same() -> None:
    window = joined(standing(5), walk(Gait(seconds=45)), standing(9), walk(Gait(seconds=12, seed=2)))
    once, often = told(window), told(window, saved=True)
    assert once[1] == often[1]
    assert plain(to_dict(once[0])) == plain(to_dict(often[0]))


def test_a_long_walk_is_one_bout_and_the_state_stays_small() -> None:
    window = joined(standing(4), walk(Gait(seconds=150)), standing(6))
    state, results = new_state(), []
    largest = 0
    for start in range(0, len(window), 100):
        state, said = step(state, hop(window, start, start + 100))
        results += said
        largest = max(largest, state.end - state.start)
    (only,) = bouts(results)
    assert only.n_steps == pytest.approx(150 * 110 / 60, abs=4)
    assert largest <= 7500
    provisional = [one for one in results if isinstance(one, Bout) and not one.final]
    assert provisional
    assert {one.start_row for one in provisional} == {only.start_row}


def test_a_summary_comes_soon_after_the_end() -> None:
    window = joined(standing(4), walk(Gait(seconds=15)), standing(12))
    state, when = new_state(), 0
    for start in range(0, len(window), 100):
        state, said = step(state, hop(window, start, start + 100))
        if bouts(said):
            when = start + 100
    assert 1900 < when <= 2500


def test_a_summary_comes_as_soon_where_the_body_does_not_hold_still_after_the_walk() -> None:
    after = standing(12)
    restless = replace(after, acc=after.acc + np.random.default_rng(2).normal(0, 0.15, (1200, 1)) * after.up)
    window = joined(standing(4), walk(Gait(seconds=15)), restless)
    state, late_rows = new_state(), []
    for start in range(0, len(window), 100):
        state, said = step(state, hop(window, start, start + 100))
        late_rows += [start + 100 - one.end_row for one in bouts(said)]
    assert len(late_rows) == 1
    assert late_rows[0] <= 500


def test_a_gap_splits_the_bout_and_the_mounting_lives_on() -> None:
    state, before = told(walk(Gait(seconds=15)))
    state, after = told(walk(Gait(seconds=15, seed=3)), state)
    assert len(bouts(before)) == len(bouts(after)) == 1
    assert state.mounting.windows > 10


def test_a_turn_is_found_and_left_out_of_the_straight_strides() -> None:
    straight = walk(Gait(seconds=30))
    window = turned_in_place(straight, 14.0, 2.5, math.pi)
    (only,) = bouts(told(window)[1])
    (turn,) = only.turns
    assert turn.angle_deg == pytest.approx(180, abs=20)
    assert turn.start_row == pytest.approx(1400, abs=60)


def test_a_slipped_sensor_is_noticed() -> None:
    state, _ = told(walk(Gait(seconds=20)))
    tilt = math.radians(20)
    slipped = np.array([[math.cos(tilt), -math.sin(tilt), 0], [math.sin(tilt), math.cos(tilt), 0], [0, 0, 1.0]])
    _, results = told(walk(Gait(seconds=20, seed=4), mounting=slipped), state)
    assert any(isinstance(one, MountingKnown) and one.slipped for one in results)


def test_short_bouts_say_why_symmetry_is_missing() -> None:
    window = joined(standing(5), walk(Gait(seconds=4)), standing(8))
    (only,) = bouts(told(window)[1])
    assert not only.steady
    assert only.cadence_spm == pytest.approx(110, rel=0.03)
    assert only.metrics["step_time_symmetry_index_percent"] is None
    assert "steady" in only.not_assessable["step_time_symmetry_index_percent"]


def test_taller_sensors_make_longer_strides() -> None:
    window = walk(Gait(seconds=20))
    low, high = (bouts(told(window, new_state(sensor_height_m=height))[1])[0] for height in (0.8, 1.1))
    assert low.stride_length_m is not None
    assert high.stride_length_m is not None
    assert high.stride_length_m > low.stride_length_m


def test_seconds_must_fit() -> None:
    window = walk(Gait(seconds=3))
    with pytest.raises(ValueError, match=r"\(k, 100, 9\)"):
        step(new_state(), hop(window, 0, 90))
    state, _ = step(new_state(), hop(window, 0, 100))
    with pytest.raises(ValueError, match="was due"):
        step(state, hop(window, 200, 300))


@given(cuts=st.sets(st.integers(1, 59)), bent=st.floats(0.0, 1.0), seed=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_seconds_prepared_together_are_those_prepared_alone(cuts: set[int], bent: float, seed: int) -> None:
    window = joined(standing(2), walk(Gait(seconds=26, seed=seed)), standing(6), walk(Gait(seconds=26, seed=seed + 5)))
    seconds = rows_of(window).reshape(60, 100, 9).copy()
    seconds[20:23, :, :3] *= bent
    alone, together = new_state(), new_state()
    said: list[list[GaitResult]] = [[], []]
    for second in seconds:
        (one,) = gait_prepare(alone, alone.end if alone.seconds else 300, second[None])
        alone, found = gait_step(alone, one)
        said[0] += found
    for first, last in itertools.pairwise([0, *sorted(cuts), 60]):
        for one in gait_prepare(together, 300 + 100 * first, seconds[first:last]):
            together, found = gait_step(together, one)
            said[1] += found
    assert said[0] == said[1]
    assert plain(to_dict(alone)) == plain(to_dict(together))


def test_rubbish_is_no_walk() -> None:
    rng = np.random.default_rng(8)
    n = 2000
    up = np.tile([0.0, 0.0, 1.0], (n, 1))
    stuck = Window(0, np.tile([0.0, 0.0, 9.80665], (n, 1)), np.zeros((n, 3)), up, np.ones(n, dtype=bool))
    shaken = replace(stuck, acc=stuck.acc + rng.normal(0, 3, (n, 3)), gyr=rng.normal(0, 2, (n, 3)))
    for window in (stuck, shaken):
        assert not bouts(told(window)[1])
