"""Turns: where the heading of the pelvis changes by more than a bend in the path (after El-Gohary 2014)."""

from __future__ import annotations

import itertools
import math

import numpy as np

from analytics._window import BoolArray, FloatArray
from analytics.gait._signals import LONGEST_STRIDE_S, SLOW_HZ

TURN_DPS = 15.0
"""Peak yaw rate of a turn (El-Gohary 2014)."""
EDGE_DPS = 5.0
"""Its edges (El-Gohary 2014)."""
LEAST_TURN_DEG = 45.0
LONGEST_TURN_S = 10.0
SMOOTH_S = 0.66
_HALF = int(SMOOTH_S * SLOW_HZ)
_WINDOW_DEG = np.degrees(np.hanning(2 * _HALF + 3)[1:-1] / np.hanning(2 * _HALF + 3).sum())


def find_turns(yaw: FloatArray, since_s: float = 0.0) -> FloatArray:
    """(k, 3) turns in a yaw rate (rad/s, 25 Hz): start and end in s, angle in degrees, positive to the left.

    Movement that is over by `since_s` is passed by: its turns were found before.
    """
    if len(yaw) < SLOW_HZ:
        return np.zeros((0, 3))
    held = np.empty(len(yaw) + 2 * _HALF)
    held[:_HALF], held[_HALF:-_HALF], held[-_HALF:] = yaw[0], yaw, yaw[-1]
    smooth = np.correlate(held, _WINDOW_DEG, "valid")
    size = np.abs(smooth)
    if size.max() <= TURN_DPS:
        return np.zeros((0, 3))
    moving = np.zeros(len(yaw) + 2, dtype=bool)
    np.greater(size, EDGE_DPS, out=moving[1:-1])
    edges = np.flatnonzero(moving[1:] != moving[:-1])
    swept = np.add.reduceat(np.append(size, 0.0), edges)[::2]
    wide = (swept >= LEAST_TURN_DEG * SLOW_HZ) & (edges[1::2] > since_s * SLOW_HZ)
    found = []
    for first, last in edges.reshape(-1, 2)[wide].tolist():
        part = smooth[first:last]
        for a, b in _one_way(part):
            angle = float(part[a:b].sum()) / SLOW_HZ
            seconds = (b - a) / SLOW_HZ
            if np.abs(part[a:b]).max() > TURN_DPS and abs(angle) > LEAST_TURN_DEG and seconds < LONGEST_TURN_S:
                found.append(((first + a) / SLOW_HZ, (first + b) / SLOW_HZ, angle))
    return np.asarray(found).reshape(-1, 3)


def _one_way(part: FloatArray) -> list[tuple[int, int]]:
    """Pieces of one sign."""
    left = part > 0.0
    cuts = np.flatnonzero(left[1:] != left[:-1]) + 1
    return list(itertools.pairwise((0, *cuts.tolist(), len(part))))


def straight(rows: FloatArray, stride_s: FloatArray, turn_rad: FloatArray, turns: FloatArray) -> BoolArray:
    """Which strides (by the ascending row at which they end) walk straight on: outside turns, heading kept."""
    free = np.abs(turn_rad) < math.radians(20.0)
    if not len(turns):
        return free
    begun = rows - 100.0 * stride_s
    ends = turns[:, 1]
    firsts = rows.searchsorted(turns[:, 0])
    lasts = rows.searchsorted(ends + 100.0 * LONGEST_STRIDE_S, side="right")
    for first, last, end in zip(firsts.tolist(), lasts.tolist(), ends.tolist(), strict=True):
        free[first:last] &= begun[first:last] > end
    return free
