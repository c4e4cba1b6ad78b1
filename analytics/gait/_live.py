"""Walking now? A cheap look at the last seconds every second, until the accurate analysis has spoken."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from analytics._window import BoolArray, FloatArray
from analytics.gait._signals import SLOW_HZ

LIVE_S = 5
SHORTEST_S = 3
"""At the start of a segment fewer seconds must do."""
LEAST_SWING_MPS2 = 0.2
MOST_SWAY_DEG = 16.0
"""The pelvis of a walker stays this near its mean; sitting down, bending and turning over do not."""
LEAST_RHYTHM = 0.35
SHORTEST_STEP_S = 0.33
LONGEST_STEP_S = 1.25
_FIRST_LAG, _LAST_LAG = int(SHORTEST_STEP_S * SLOW_HZ), int(LONGEST_STEP_S * SLOW_HZ)
_BESIDE = np.array([[-1], [0], [1]])
_LEAST_COSINE = math.cos(math.radians(MOST_SWAY_DEG))


def look(slow: FloatArray, active: BoolArray) -> FloatArray:
    """(k,) cadence, steps/min, where the last five seconds of each of k seconds repeat as steps do, 0 elsewhere.

    `slow` is (4, n) at 25 Hz: vertical acceleration in m/s² and up in the sensor frame, the last k of its seconds
    those asked for; the ones that are not `active` are no steps. Each second's word rests on its own rows alone, to
    the last bit, however many are asked for at once.
    """
    cadence = np.zeros(len(active))
    before = slow.shape[1] // SLOW_HZ - len(active)
    for seconds in range(max(SHORTEST_S, min(before + 1, LIVE_S)), LIVE_S + 1):
        last = len(active) if seconds == LIVE_S else seconds - before
        first = max(0, seconds - before - 1)
        rows = first + np.flatnonzero(active[first:last])
        if len(rows):
            starts = SLOW_HZ * (before + 1 + rows - seconds)
            cadence[rows] = _cadences(slow.take(starts[:, None] + np.arange(SLOW_HZ * seconds), axis=1))
    return cadence


def _cadences(pieces: FloatArray) -> FloatArray:
    """(k,) cadence of (4, k, n) pieces, 0 where they tilt by more than walking does or show no rhythm."""
    n = pieces.shape[2]
    up, vertical = pieces[1:], pieces[0] - pieces[0].sum(axis=1, keepdims=True) / n
    smooth = 0.5 * vertical
    smooth[:, 1:] += 0.25 * vertical[:, :-1]
    smooth[:, :-1] += 0.25 * vertical[:, 1:]
    energy = (smooth * smooth).sum(axis=1)
    mean = up.sum(axis=2)
    cosine = (up * mean[:, :, None]).sum(axis=0).min(axis=1) / np.sqrt((mean * mean).sum(axis=0))
    may_walk = (energy >= LEAST_SWING_MPS2**2 * n) & (cosine >= _LEAST_COSINE)
    return _repeats(smooth, energy, may_walk) if may_walk.any() else np.zeros(len(may_walk))


def _repeats(smooth: FloatArray, energy: FloatArray, may_walk: BoolArray) -> FloatArray:
    """(k,) cadence from the first high peak of the autocorrelation of (k, n), 0 where none is high enough."""
    n = smooth.shape[1]
    late = np.zeros((len(smooth), n + _LAST_LAG + 1))
    late[:, :n] = smooth
    row, item = late.strides
    shifted: FloatArray = np.ndarray((len(late), _LAST_LAG + 2, n), late.dtype, late, 0, (row, item, item))
    curve = np.einsum("kln,kn->kl", shifted, smooth) * _share(n) / np.maximum(energy, 1e-12)[:, None]
    inner = curve[:, _FIRST_LAG:-1]
    peak = (inner > curve[:, _FIRST_LAG - 1 : -2]) & (inner >= curve[:, _FIRST_LAG + 1 :])
    height = np.where(peak, inner, 0.0)
    highest = height.max(axis=1)
    clear = may_walk & (highest >= LEAST_RHYTHM)
    lag = (height >= 0.8 * highest[:, None]).argmax(axis=1) + _FIRST_LAG
    low, mid, high = curve[np.arange(len(curve)), lag + _BESIDE]
    bend = np.where(clear, low - 2.0 * mid + high, -1.0)
    return np.where(clear, 60.0 * SLOW_HZ / (lag + 0.5 * (low - high) / bend), 0.0)


@cache
def _share(n: int) -> FloatArray:
    """What makes up for the fewer products at every lag."""
    return n / (n - np.arange(_LAST_LAG + 2))
