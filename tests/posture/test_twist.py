"""Twist between two sensors: told for a while after walking, with its error, and why not otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from analytics._window import FloatArray, Window
from analytics.posture._twist import INCLINED, LOST, MOST_ERROR_DEG, NO_WALK, TOO_LONG, Turned, Twist, follow
from sagittal.names import Site
from simulators.acts import hold, walk
from tests.posture.simulated import LEAD, blocks, last_word, recording, through

ACTS = (hold("stand", 6), walk(25), hold("stand", 5), hold("reach_side", 8), hold("stand", 4), hold("bend", 5))
LATER = (*ACTS, hold("stand", 25), hold("reach_side", 6))
TWISTED_DEG = -12.0
"""Of the pose `reach_side`: the simulated body turns its trunk to the right."""


def second(turn_dps: float, up: tuple[float, float, float] = (0.0, 0.0, 1.0), valid: float = 1.0) -> Window:
    rates = np.radians(turn_dps) * np.tile(up, (100, 1))
    ups = np.tile(up, (100, 1))
    return Window(0, 9.81 * ups, rates, ups, np.arange(100) < 100 * valid)


def rows(window: Window) -> FloatArray:
    return np.concatenate((window.acc, window.gyr, window.up), axis=1)


def told(*turns: tuple[bool, float, float], tilt_deg: float = 3.0) -> Turned:
    """What is said after seconds of (walking, pelvis turning, trunk turning), degrees per second."""
    state: Twist | None = None
    said = Turned()
    for walking, pelvis, trunk in turns:
        worn = second(trunk, (1.0, 0.0, 0.0))
        state, said = follow(state, rows(second(pelvis)), worn, walking=walking, tilts_deg=(tilt_deg, 3.0))
    return said


@pytest.mark.parametrize("seed", [1, 3])
def test_a_simulated_body_reaching_to_the_side_twists_as_far_as_it_does(seed: int) -> None:
    found = recording(seed, LATER, (LEAD, Site.UPPER_TRUNK))
    by_s = {row.t_ns // 10**9: row for row in last_word(through(blocks(found)))}
    twisted = [by_s[s].lumbar_rotation_deg for s in range(39, 43)]
    straight = [by_s[s].lumbar_rotation_deg for s in range(33, 35)]
    assert None not in twisted + straight
    change = float(np.mean(np.array(twisted, dtype=float))) - float(np.mean(np.array(straight, dtype=float)))
    print(f"twist {change:.1f} deg of {TWISTED_DEG}, error told {by_s[40].lumbar_rotation_error_deg}")
    assert change == pytest.approx(TWISTED_DEG, abs=2.0)
    assert max(abs(float(one or 0.0)) for one in straight) < 4.0
    assert by_s[3].lumbar_rotation_reason == NO_WALK
    assert by_s[51].lumbar_rotation_reason == INCLINED
    assert by_s[80].lumbar_rotation_reason == TOO_LONG
    errors = [row.lumbar_rotation_error_deg for row in by_s.values() if row.lumbar_rotation_error_deg is not None]
    assert max(errors) <= MOST_ERROR_DEG
    assert all((row.lumbar_rotation_deg is None) == (row.lumbar_rotation_error_deg is None) for row in by_s.values())


def test_one_sensor_says_nothing_of_twist() -> None:
    every = last_word(through(blocks(recording(1, ACTS))))
    assert all(row.lumbar_rotation_deg is None and row.lumbar_rotation_reason is None for row in every)


def test_the_trunk_turning_left_is_positive_whatever_way_it_is_worn_and_turning_as_one_is_none() -> None:
    walked = [(True, 0.0, 0.0)] * 6
    assert told(*walked, (False, 0.0, 20.0), (False, 0.0, 0.0)).rotation_deg == pytest.approx(20.0, abs=0.3)
    assert told(*walked, (False, -20.0, 0.0), (False, 0.0, 0.0)).rotation_deg == pytest.approx(20.0, abs=0.3)
    assert told(*walked, (False, 40.0, 40.0), (False, 0.0, 0.0)).rotation_deg == pytest.approx(0.0, abs=0.3)


def test_the_error_grows_until_nothing_is_said_and_walking_sets_it_back() -> None:
    walked = [(True, 0.0, 0.0)] * 6
    errors = [told(*walked, *[(False, 0.0, 0.0)] * n).error_deg for n in range(0, 25, 4)]
    assert errors == sorted(errors, key=lambda one: float(one or 99))
    assert told(*walked, *[(False, 0.0, 0.0)] * 60).reason == TOO_LONG
    drifted = told(*walked, *[(False, 0.0, 0.3)] * 60, *walked)
    assert drifted.rotation_deg == pytest.approx(0.0, abs=0.5)


def test_turning_while_walking_does_not_tell_where_straight_ahead_is() -> None:
    assert told(*[(True, 45.0, 45.0)] * 10).reason == NO_WALK


def test_missing_samples_of_the_trunk_end_what_is_known() -> None:
    state: Twist | None = None
    for _ in range(6):
        state, _said = follow(state, rows(second(0.0)), second(0.0), walking=True, tilts_deg=(0.0, 0.0))
    torn, said = follow(state, rows(second(0.0)), second(0.0, valid=0.6), walking=False, tilts_deg=(0.0, 0.0))
    assert (said.reason, torn) == (LOST, Twist())
    gone, said = follow(state, rows(second(0.0)), None, walking=False, tilts_deg=(0.0, None))
    assert (said.reason, gone) == (LOST, None)
