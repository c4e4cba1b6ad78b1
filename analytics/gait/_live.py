"""Walking now? A cheap look at the last seconds every second, until the accurate analysis has spoken."""

from __future__ import annotations

import math

import numpy as np

from analytics._window import FloatArray
from analytics.gait._signals import SLOW_HZ

LIVE_S = 5
LEAST_SWING_MPS2 = 0.2
MOST_SWAY_DEG = 16.0
"""The pelvis of a walker stays this near its mean; sitting down, bending and turning over do not."""
LEAST_RHYTHM = 0.35
SHORTEST_STEP_S = 0.33
LONGEST_STEP_S = 1.25


def look(slow: FloatArray) -> tuple[bool, float | None]:
    """Whether the last five seconds repeat as steps do, and the cadence in steps/min.

    `slow` is (n, 4) at 25 Hz: vertical acceleration in m/s² and up in the sensor frame.
    """
    if len(slow) < 3 * SLOW_HZ or _sways(slow[:, 1:]):
        return False, None
    vertical = slow[:, 0]
    smooth = np.convolve(vertical - vertical.mean(), (0.25, 0.5, 0.25), "same")
    energy = float(smooth @ smooth)
    if energy < LEAST_SWING_MPS2**2 * len(smooth):
        return False, None
    longest = int(LONGEST_STEP_S * SLOW_HZ)
    whole = np.correlate(np.concatenate((smooth, np.zeros(longest + 1))), smooth, "valid")
    curve = whole * (len(smooth) / (len(smooth) - np.arange(len(whole)))) / energy
    first = int(SHORTEST_STEP_S * SLOW_HZ)
    inner = curve[first:-1]
    peaks = np.flatnonzero((inner > curve[first - 1 : -2]) & (inner >= curve[first + 1 :])) + first
    highest = float(curve[peaks].max()) if len(peaks) else 0.0
    if highest < LEAST_RHYTHM:
        return False, None
    lag = int(peaks[np.argmax(curve[peaks] >= 0.8 * highest)])
    low, mid, high = curve[lag - 1 : lag + 2]
    shift = 0.5 * (low - high) / (low - 2.0 * mid + high)
    return True, 60.0 * SLOW_HZ / (lag + float(shift))


def _sways(up: FloatArray) -> bool:
    """Whether the sensor tilts by more than walking does."""
    mean = up.sum(axis=0)
    cosine = float((up @ mean).min()) / math.sqrt(float(mean @ mean))
    return cosine < math.cos(math.radians(MOST_SWAY_DEG))
