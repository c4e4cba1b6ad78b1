"""Twist between two sensors: turning of the upper trunk against the pelvis about the vertical, in short windows.

Without a compass each heading drifts for itself, so the turn between them is known only for a while. Over whole
strides of straight walking trunk and pelvis face the same way: there the turn is set to zero, and from there on the
difference of the two rates is added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._evolve import evolve
from analytics._window import GRID_HZ, FloatArray, Window

WALKED_S = 5
"""Seconds of straight walking whose mean is straight ahead: some nine steps."""
_MEMORY_S = 10
_STRAIGHT_DEG = 20.0
"""A second in which the pelvis turns by more is a turn, where the trunk leads."""
_UPRIGHT_DEG = 30.0
"""Inclined further, turning about the vertical mixes twist with bending sideways: beyond, cos < .87."""
_ZERO_DEG = 2.0
"""Scatter of the mean over `WALKED_S` of walking."""
DRIFT_DPS = 0.17
"""Root mean square drift between two sensors that had no rest: 14 recordings of stiff_knee and free_movement."""
MOST_ERROR_DEG = 5.0
"""Half of what counts as a change of a lumbar angle (PMC5034504: 10°)."""
_LEAST_VALID = 0.9

NO_WALK = "no straight walking seen yet: it shows where straight ahead is"
TOO_LONG = "too long since straight walking: without a compass the two headings drift apart"
NO_UPRIGHT = "the inclination of pelvis and trunk is not known yet: it shows in walking"
INCLINED = "pelvis or trunk inclined by more than 30 degrees: turning about the vertical is no twist there"
LOST = "samples of the upper trunk are missing: the turn since is not known"


@dataclass(frozen=True)
class Twist:
    """What is remembered from second to second; degrees, positive to the left.

    Attributes
    ----------
    turned_deg
        Turn of the trunk against the pelvis since both have been seen without a break.
    walk_deg, walked_s
        Its mean in the present walk, and the seconds behind that.
    ahead_deg, since_s
        The turn that is straight ahead, and how many seconds ago walking last said so; -1 for never.
    """

    turned_deg: float = 0.0
    walk_deg: float = 0.0
    walked_s: int = 0
    ahead_deg: float = 0.0
    since_s: int = -1


@dataclass(frozen=True)
class Turned:
    """Twist of a second: mean and standard error in degrees, or the reason why it is absent."""

    rotation_deg: float | None = None
    error_deg: float | None = None
    reason: str | None = None


def follow(
    state: Twist | None,
    lead: FloatArray,
    trunk: Window | None,
    *,
    walking: bool,
    tilts_deg: tuple[float | None, float | None],
) -> tuple[Twist | None, Turned]:
    """Take a second.

    Parameters
    ----------
    state
        None before the trunk's first samples, and after its last.
    lead
        (100, 9) acceleration, rate in rad/s without its bias and up in the frame of the sensor at the pelvis.
    trunk
        The same second of the upper trunk; None where too little of it was measured.
    walking
        Whether the quick look sees walking.
    tilts_deg
        Of pelvis and trunk against upright walking; None where not known.

    Returns
    -------
    The state after it, and the mean twist of the second: positive where the trunk is turned to the left.
    """
    if trunk is None:
        return None, Turned(reason=LOST)
    if float(trunk.valid.mean()) < _LEAST_VALID:
        return Twist(), Turned(reason=LOST)
    state = state or Twist()
    own = _about_vertical(lead[:, 3:6], lead[:, 6:])
    turn = np.cumsum(_about_vertical(trunk.gyr, trunk.up) - own)
    mean = state.turned_deg + float(turn.mean())
    straight = walking and abs(float(own.sum())) < _STRAIGHT_DEG
    state = _zeroed(evolve(state, turned_deg=state.turned_deg + float(turn[-1])), mean, walking, straight)
    return state, _told(state, mean, tilts_deg)


def _zeroed(state: Twist, mean_deg: float, walking: bool, straight: bool) -> Twist:
    """With what walking says of straight ahead."""
    since = state.since_s if state.since_s < 0 else min(state.since_s + 1, 86_400)
    if not straight:
        return evolve(state, since_s=since, walked_s=state.walked_s if walking else 0)
    walked = min(state.walked_s + 1, _MEMORY_S)
    walk = mean_deg if walked == 1 else state.walk_deg + (mean_deg - state.walk_deg) / walked
    if walked < WALKED_S:
        return evolve(state, since_s=since, walked_s=walked, walk_deg=walk)
    return evolve(state, since_s=0, walked_s=walked, walk_deg=walk, ahead_deg=walk)


def _told(state: Twist, mean_deg: float, tilts_deg: tuple[float | None, float | None]) -> Turned:
    if state.since_s < 0:
        return Turned(reason=NO_WALK)
    error = math.hypot(_ZERO_DEG, DRIFT_DPS * state.since_s)
    if error > MOST_ERROR_DEG:
        return Turned(reason=TOO_LONG)
    pelvis, trunk = tilts_deg
    if pelvis is None or trunk is None:
        return Turned(reason=NO_UPRIGHT)
    if max(pelvis, trunk) > _UPRIGHT_DEG:
        return Turned(reason=INCLINED)
    return Turned(round(mean_deg - state.ahead_deg, 2), round(error, 2))


def _about_vertical(rate: FloatArray, up: FloatArray) -> FloatArray:
    """Degrees turned about the vertical in each row."""
    return np.asarray(np.degrees(np.einsum("ij,ij->i", rate, up)) / GRID_HZ)
