"""What the gait analysis needs of every second and can tell from the samples alone, for many seconds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._window import GRID_HZ, FloatArray
from analytics.gait import _live
from analytics.gait._signals import GRAVITY, slower
from analytics.gait._state import SAMPLES, GaitState

STILL_MPS2 = 0.06
"""A second whose vertical acceleration varies less holds no step: above the noise of wearables, below a shuffle."""
LEAST_SWING = 0.3
"""A second that swings by less than this share of the five seconds it ends no longer goes on walking."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A second ready for `gait_step`.

    Attributes
    ----------
    index
        Grid row of its first sample.
    samples
        (100, 9) acc, gyr and up in the sensor frame.
    active
        Whether it moves enough to hold a step.
    walking, cadence_spm
        The live look at the five seconds that end with it.
    goes_on
        Whether that walking still goes on in this second.
    """

    index: int
    samples: FloatArray
    active: bool
    walking: bool
    cadence_spm: float | None
    goes_on: bool


def gait_prepare(state: GaitState, index: int, seconds: FloatArray) -> Sequence[Prepared]:
    """Make the seconds that follow a state ready for it.

    Parameters
    ----------
    state
        From `new_state`, `gait_step` or `gait_finish`; the seconds must be given to `gait_step` from this state on,
        in order, with no `gait_finish` between them.
    index
        Grid row of the first sample.
    seconds
        (k, 100, 9) acc in m/s², gyr in rad/s and up as a unit vector, in the sensor frame.

    Returns
    -------
    The k seconds, the same to the last bit however many are prepared at once.

    Raises
    ------
    ValueError
        When the seconds do not have that shape.
    """
    if seconds.ndim != 3 or seconds.shape[1:] != (GRID_HZ, SAMPLES):
        raise ValueError(f"seconds of the gait analysis are (k, {GRID_HZ}, {SAMPLES}), these are {seconds.shape}")
    before = state.seconds[1 - _live.LIVE_S :]
    rows = _vertical_and_up(np.concatenate((*before, *seconds)) if before else seconds.reshape(-1, SAMPLES))
    power = _power(rows[0].reshape(-1, GRID_HZ))
    fresh = power[len(before) :]
    active = fresh > STILL_MPS2**2
    if not active.any():
        return [Prepared(index + GRID_HZ * n, one, False, False, None, False) for n, one in enumerate(seconds)]
    cadence = _live.look(slower(rows), active).tolist()
    swings = (fresh >= LEAST_SWING**2 * _over_live(power, len(seconds))).tolist()
    return [
        Prepared(index + GRID_HZ * n, seconds[n], moves, spm > 0.0, spm if spm > 0.0 else None, spm > 0.0 and swing)
        for n, (moves, spm, swing) in enumerate(zip(active.tolist(), cadence, swings, strict=True))
    ]


def _power(vertical: FloatArray) -> FloatArray:
    """(k,) variance of (k, 100) seconds."""
    mean = vertical.sum(axis=1) / GRID_HZ
    return np.asarray((vertical * vertical).sum(axis=1) / GRID_HZ - mean * mean)


def _over_live(power: FloatArray, count: int) -> FloatArray:
    """Mean of the live look's five seconds that end with each of the last `count`; what is not known counts 0."""
    known = np.zeros(count + _live.LIVE_S - 1)
    known[-len(power) :] = power
    total = np.zeros(count)
    for first in range(_live.LIVE_S):
        total += known[first : first + count]
    return total / _live.LIVE_S


def _vertical_and_up(samples: FloatArray) -> FloatArray:
    """(4, n) vertical acceleration without gravity and up, of (n, 9) samples."""
    acc, up = samples[:, :3], samples[:, 6:]
    rows = np.empty((4, len(samples)))
    rows[1:] = up.T
    rows[0] = acc[:, 0] * rows[1] + acc[:, 1] * rows[2] + acc[:, 2] * rows[3] - GRAVITY
    return rows
