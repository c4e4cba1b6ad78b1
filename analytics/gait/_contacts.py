"""Initial contacts: candidate steps, the best sequence with sides, and the moment of each.

A step raises the trunk and slows it: the smoothed slope of (vertical − forward) has one hump per step, in shuffling
too. A dynamic programme over humps × {left, right} then chooses the sequence whose steps alternate, keep their time
and agree with the sway of the pelvis.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log, sqrt

import numpy as np

from analytics._middle import median
from analytics._peaks import spaced
from analytics._window import GRID_HZ, FloatArray, IntArray
from analytics.gait._signals import PERIOD_HOP_S, SLOW_HZ, Signals, nearest

LEFT, RIGHT = 0, 1
FLOOR_MPS2 = 0.08
"""Humps below this are no candidates: a fifth of a slow shuffle's."""
APART_S = 0.25
REWARD = 1.8
HEIGHT_REWARD = 0.3
SIDE_REWARD = 0.6
MISSED_STEP = 2.0
LOOSE = 0.5
DEAREST = 6.0
NEW_START = 3.0
LAG_S = 0.012
"""The estimator's delay, one constant for everybody: between the medians against hand-checked heel strikes and against
in-shoe contacts."""
REACH_S = 0.12
MOST_TILT_DEG = 35.0
USUAL_SHARE, USUAL_S, USUAL_HOP_S = 0.7, 4.0, 2.5
"""The usual hump is the one above this share of those within so many seconds, asked for every few seconds."""
_REACH = int(REACH_S * GRID_HZ)
_OFFSETS = np.arange(-_REACH, _REACH + 1)
_NEARNESS = 1.0 - 0.4 * (_OFFSETS / _REACH) ** 2
_BESIDE = np.array([[-1], [0], [1]])
_SWAY_S = np.array([[-0.20], [0.25]])
"""When the sway is read for the side, before and after a step at the usual stride period."""
_HALF_STRIDE, _FAR = log(2.0) / LOOSE, sqrt(DEAREST)
_ANEW, _NONE = -1, -2


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a stretch, in order of their humps' rows from the stretch's start.

    `hump` is the step's size in m/s², `prominence` its binary logarithm over the neighbourhood's; `agreement` is
    positive where the sway fits the side, in units of the usual sway.
    """

    row: IntArray
    side: FloatArray
    hump: FloatArray
    prominence: FloatArray
    agreement: FloatArray
    coherence: FloatArray
    tilt_deg: FloatArray
    period_s: FloatArray
    rhythm: FloatArray

    def __len__(self) -> int:
        return len(self.row)


def candidates(signals: Signals) -> tuple[IntArray, FloatArray, FloatArray]:
    """Rows and heights of the humps and the stride periods there, the higher of two that are closer than a step."""
    hump = signals.hump
    rises = hump[1:] > hump[:-1]
    rows = np.flatnonzero(rises[:-1] > rises[1:]) + 1
    height = hump[rows]
    high = height > FLOOR_MPS2
    rows, height = rows[high], height[high]
    period = nearest(signals.period_s, rows / GRID_HZ, PERIOD_HOP_S)
    apart = np.maximum(APART_S, 0.3 * period) * GRID_HZ
    kept = np.array(spaced(rows.tolist(), (-height).argsort(kind="stable").tolist(), apart.tolist()), dtype=int)
    return rows[kept], height[kept], period[kept]


def side_cue(signals: Signals, time_s: FloatArray, period_s: FloatArray) -> FloatArray:
    """How the pelvis sways about each step, over the usual size: positive for the right foot."""
    if not len(time_s):
        return time_s
    scale = np.minimum(np.maximum(period_s / 1.15, 0.8), 1.6)
    before, after = _slow_at(signals.sway, time_s + _SWAY_S * scale)
    cue = after - before
    return np.asarray(cue / max(0.03, median(np.abs(cue))))


def find_steps(signals: Signals) -> Steps:
    """The best sequence of steps in a stretch, unrefined."""
    row, height, period = candidates(signals)
    time_s = row / GRID_HZ
    tilt = _slow_at(signals.tilt_deg, time_s)
    cue = side_cue(signals, time_s, period)
    upright = tilt < MOST_TILT_DEG
    if not upright.all():
        row, time_s = row[upright], time_s[upright]
        height, period, tilt, cue = (x[upright] for x in (height, period, tilt, cue))
    prominence = _prominence(time_s, height)
    place, side = _best_sequence(time_s, REWARD + HEIGHT_REWARD * prominence, cue, period)
    time_s = time_s[place]
    return Steps(
        row[place],
        side,
        height[place],
        prominence[place],
        cue[place] * (2.0 * side - 1.0),
        _slow_at(signals.coherence, time_s),
        tilt[place],
        period[place],
        nearest(signals.rhythm, time_s, PERIOD_HOP_S),
    )


def _prominence(time_s: FloatArray, height: FloatArray) -> FloatArray:
    """Binary logarithm of a hump over the usual one about it."""
    times, heights = time_s.tolist(), height.tolist()
    if not times:
        return height
    edges = [USUAL_HOP_S * n for n in range(ceil(times[-1] / USUAL_HOP_S + 1.0))]
    usual = []
    for edge in edges:
        part = sorted(heights[bisect_left(times, edge - USUAL_S) : bisect_left(times, edge + USUAL_S)])
        usual.append(part[int(USUAL_SHARE * (len(part) - 1))] if part else FLOOR_MPS2)
    return np.asarray(np.log2(height / np.interp(time_s, edges, usual)))


def _best_sequence(
    time_s: FloatArray, reward: FloatArray, cue: FloatArray, period_s: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Dynamic programme over candidates × sides; returns places and sides.

    Candidate i on a side is `2 * i + side` here.
    """
    times, periods, gains = time_s.tolist(), period_s.tolist(), reward.tolist()
    leans = (SIDE_REWARD * np.minimum(np.maximum(cue, -1.5), 1.5)).tolist()
    lefts: list[float] = []
    rights: list[float] = []
    before: list[int] = []
    total, last = [0.0], [_NONE]
    first = 0
    for place, (now, period) in enumerate(zip(times, periods, strict=True)):
        reach = max(1.4, 0.8 * period)
        while now - times[first] > reach:
            first += 1
        left = right = total[place] - NEW_START if first < place else total[place]
        from_left = from_right = _ANEW
        for one in range(first, place):
            off = log((now - times[one]) / period) / LOOSE
            half = off + _HALF_STRIDE
            change = half * half if -_FAR < half < _FAR else DEAREST
            repeat = MISSED_STEP + (off * off if -_FAR < off < _FAR else DEAREST)
            on_left, on_right = lefts[one], rights[one]
            if on_right - change > left:
                left, from_left = on_right - change, 2 * one + RIGHT
            if on_left - repeat > left:
                left, from_left = on_left - repeat, 2 * one + LEFT
            if on_left - change > right:
                right, from_right = on_left - change, 2 * one + LEFT
            if on_right - repeat > right:
                right, from_right = on_right - repeat, 2 * one + RIGHT
        left, right = left + gains[place] - leans[place], right + gains[place] + leans[place]
        lefts.append(left)
        rights.append(right)
        before += (from_left, from_right)
        best, winner = (left, 2 * place + LEFT) if left >= right else (right, 2 * place + RIGHT)
        better = best > total[place]
        total.append(best if better else total[place])
        last.append(winner if better else last[place])
    return _trace(before, last)


def _trace(before: list[int], last: list[int]) -> tuple[IntArray, FloatArray]:
    """From the end of the best sequence back to its beginning: places and sides in order."""
    steps: list[int] = []
    here = last[-1]
    while here != _NONE:
        steps.append(here)
        earlier = before[here]
        here = last[here // 2] if earlier == _ANEW else earlier
    found = np.array(steps[::-1], dtype=int)
    return found // 2, (found % 2).astype(float)


def fine_rows(signals: Signals, row: IntArray) -> FloatArray:
    """Sub-sample row of each contact: where the sharp rise near the hump is steepest, less a constant lag."""
    weighted = signals.sharp.take(row[:, None] + _OFFSETS, mode="clip") * _NEARNESS
    best = weighted.argmax(axis=1)
    inner = np.minimum(np.maximum(best, 1), 2 * _REACH - 1)
    starts = np.arange(0, weighted.size, len(_OFFSETS))
    low, mid, high = weighted.take(starts + inner + _BESIDE)
    bend = low - 2.0 * mid + high
    curved = (bend < -1e-9) & (best == inner)
    shift = np.divide(0.5 * (low - high), bend, out=np.zeros(len(row)), where=curved)
    return np.asarray(row + best + shift - (_REACH + LAG_S * GRID_HZ))


def _slow_at(values: FloatArray, time_s: FloatArray) -> FloatArray:
    """A 25 Hz signal at the given times."""
    return np.interp(time_s, _slow_s(len(values)), values)


@lru_cache(maxsize=16)
def _slow_s(n: int) -> FloatArray:
    return (np.arange(n) + 0.5) / SLOW_HZ
