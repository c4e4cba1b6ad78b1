"""Contacts as rows of numbers: what a piece of analysis hands to the bouts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics._window import GRID_HZ, FloatArray
from analytics.gait._contacts import Steps, fine_times
from analytics.gait._signals import Signals

IntArray = NDArray[np.int64]

COLUMNS = (
    "row",  # grid row from the start of the segment, sub-sample
    "side",  # 0 left, 1 right
    "odds",  # log-odds that this is a step of walking
    "hump",  # step size, m/s²
    "tilt",  # degrees from upright walking
    "cue",  # agreement of the sway with the side
    "period",  # stride period from the rhythm, s
    "stride",  # duration of the stride that ends here, s; 0 where there is none
    "rise_a",  # vertical travel in the stride's first step, m
    "rise_b",  # … and in its second
    "turn",  # yaw over the stride, rad, positive to the left
    "pitch",  # range of pelvic tilt in the stride, degrees
    "roll",  # … obliquity
    "yaw",  # … rotation
    "coherence",  # phase lock of vertical slope and forward acceleration, −1 to 1
    "rhythm",  # height of the autocorrelation at the stride period
    "impact",  # highest vertical acceleration just after the contact, m/s²
)
ROW, SIDE, ODDS, HUMP, TILT, CUE, PERIOD, STRIDE = range(8)
RISE_A, RISE_B, TURN, PITCH, ROLL, YAW, COHERENCE, RHYTHM, IMPACT = range(8, len(COLUMNS))

COHERENCE_WEIGHT, COHERENCE_ZERO, COHERENCE_LEAST = 2.2, 0.3, 0.0
HUMP_WEIGHT, HUMP_ZERO_MPS2, HUMP_LIMIT = 0.5, 0.2, 2.0
SIDE_WEIGHT, SIDE_ZERO, SIDE_LIMIT = 0.8, 0.3, 1.5
RHYTHM_WEIGHT, RHYTHM_ZERO = 1.0, 0.3
PROMINENCE_WEIGHT, PROMINENCE_LIMIT = 0.8, 2.0
TILT_WEIGHT, TILT_FREE_DEG = 0.1, 18.0
IMPACT_S = 0.12
LONGEST_STRIDE_S = 3.0
POINTS = 32
"""At which a step's height and angles are read."""
_GRID = np.linspace(0.0, 1.0, POINTS)[:, None]


def log_odds(steps: Steps) -> FloatArray:
    """How much each contact speaks for walking.

    Phase-locked vertical and forward acceleration, sway that fits the side and a rhythm say yes at any size of step;
    size itself counts little and only up to a limit, so that soft, slow gait is found.
    """
    agree = np.clip(steps.side_cue * (2.0 * steps.side - 1.0), -SIDE_LIMIT, SIDE_LIMIT)
    size = np.clip(np.log2(np.maximum(steps.hump, 1e-3) / HUMP_ZERO_MPS2), -HUMP_LIMIT, HUMP_LIMIT)
    return np.asarray(
        COHERENCE_WEIGHT * (np.maximum(steps.coherence, COHERENCE_LEAST) - COHERENCE_ZERO)
        + HUMP_WEIGHT * size
        + SIDE_WEIGHT * (agree - SIDE_ZERO)
        + RHYTHM_WEIGHT * (steps.rhythm - RHYTHM_ZERO)
        + PROMINENCE_WEIGHT * np.clip(steps.prominence, -PROMINENCE_LIMIT, 0.0)
        - TILT_WEIGHT * np.maximum(0.0, steps.tilt_deg - TILT_FREE_DEG)
    )


def contact_table(signals: Signals, steps: Steps, start_row: int) -> FloatArray:
    """(n, columns) contacts of a stretch whose first row is `start_row`, in order of time."""
    time_s = fine_times(signals, steps.time_s)
    table = np.zeros((len(steps), len(COLUMNS)))
    table[:, ROW] = time_s * GRID_HZ
    table[:, SIDE] = steps.side
    table[:, ODDS] = log_odds(steps)
    table[:, HUMP] = steps.hump
    table[:, TILT] = steps.tilt_deg
    table[:, CUE] = steps.side_cue * (2.0 * steps.side - 1.0)
    table[:, PERIOD] = steps.period_s
    table[:, COHERENCE] = steps.coherence
    table[:, RHYTHM] = steps.rhythm
    table = _without_doubles(table)
    _describe_strides(signals, table)
    table[:, ROW] += start_row
    return table


def _without_doubles(table: FloatArray) -> FloatArray:
    """Two humps may share one sharp rise: contacts closer than 0.15 s count once."""
    if len(table) < 2:
        return table
    fresh = np.diff(table[:, ROW], prepend=-np.inf) > 0.15 * GRID_HZ
    return table[fresh]


def _describe_strides(signals: Signals, table: FloatArray) -> None:
    """Fill in what needs the samples of the stride that ends at each contact."""
    rows = np.minimum(np.maximum(np.rint(table[:, ROW]).astype(int), 0), len(signals.vertical) - 1)
    reach = np.minimum(rows + np.arange(int(IMPACT_S * GRID_HZ))[:, None], len(signals.vertical) - 1)
    table[:, IMPACT] = signals.vertical[reach].max(axis=0) if len(rows) else 0.0
    if len(table) < 3:
        return
    first, middle, last = rows[:-2], rows[1:-1], rows[2:]
    duration = (table[2:, ROW] - table[:-2, ROW]) / GRID_HZ
    side = table[:, SIDE]
    good = (side[2:] == side[:-2]) & (side[2:] != side[1:-1]) & (duration <= LONGEST_STRIDE_S)
    good &= (middle - first >= 10) & (last - middle >= 10)
    if not good.any():
        return
    place, first, middle, last = np.flatnonzero(good) + 2, first[good], middle[good], last[good]
    table[place, STRIDE] = duration[good]
    points = np.concatenate((first + _GRID * (middle - first), middle + _GRID * (last - middle)))
    at = np.rint(points).astype(int)
    height = _height(signals.vertical, at, first, last)
    table[place, RISE_A] = np.ptp(height[:POINTS], axis=0)
    table[place, RISE_B] = np.ptp(height[POINTS:], axis=0)
    share = (at - first) / (last - first)
    for column, rate in zip((PITCH, ROLL, YAW), signals.rates, strict=True):
        angle = (np.cumsum(rate) / GRID_HZ)[at]
        gain = angle[-1] - angle[0]
        table[place, column] = np.degrees(np.ptp(angle - share * gain, axis=0))
        if column == YAW:
            table[place, TURN] = gain


def _height(vertical: FloatArray, at: IntArray, first: IntArray, last: IntArray) -> FloatArray:
    """(points, strides) height of the pelvis at rows `at` of each stride, m.

    Acceleration less its mean over the stride, integrated, less the mean again, integrated: from two running sums.
    """
    speed = np.cumsum(vertical) / GRID_HZ
    path = np.cumsum(speed) / GRID_HZ
    tau, whole = (at - first) / GRID_HZ, (last - first) / GRID_HZ
    start = speed[first]
    mean = (speed[last] - start) / whole
    drift = (path[last] - path[first]) / whole - start - 0.5 * mean * whole
    return np.asarray(path[at] - path[first] - (start + drift) * tau - 0.5 * mean * tau**2)
