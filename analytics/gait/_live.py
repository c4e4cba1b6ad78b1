"""Walking now? A cheap look at the last seconds every second, until the accurate analysis has spoken."""

from __future__ import annotations

import numpy as np

from analytics._window import FloatArray
from analytics.gait._signals import SLOW_HZ

LIVE_S = 5
LEAST_SWING_MPS2 = 0.18
LEAST_RHYTHM = 0.35
SHORTEST_STEP_S = 0.33
LONGEST_STEP_S = 1.25


def look(vertical: FloatArray) -> tuple[bool, float | None]:
    """Whether `vertical` (25 Hz, the last five seconds) repeats as steps do, and the cadence in steps/min."""
    if len(vertical) < 3 * SLOW_HZ:
        return False, None
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
