"""Initial contacts: candidate steps, the best sequence with sides, and the moment of each.

A step raises the trunk and slows it: the smoothed slope of (vertical − forward) has one hump per step, in shuffling
too. A dynamic programme over humps × {left, right} then chooses the sequence whose steps alternate, keep their time
and agree with the sway of the pelvis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._window import GRID_HZ, FloatArray
from analytics.gait._signals import PERIOD_HOP_S, SLOW_HZ, Signals, nearest, same, slope_kernel

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


@dataclass(frozen=True, slots=True)
class Steps:
    """Candidates or contacts of a stretch, in order of time (s from the stretch's start).

    `hump` is the step's size in m/s², `prominence` its binary logarithm over the neighbourhood's; `side_cue`
    positive speaks for the right foot, in units of the usual sway.
    `chain` numbers the unbroken sequences.
    """

    time_s: FloatArray
    side: FloatArray
    hump: FloatArray
    prominence: FloatArray
    side_cue: FloatArray
    coherence: FloatArray
    tilt_deg: FloatArray
    period_s: FloatArray
    rhythm: FloatArray
    chain: FloatArray

    def __len__(self) -> int:
        return len(self.time_s)


def candidates(signals: Signals) -> tuple[np.ndarray, FloatArray]:
    """Rows and heights of the humps, the higher of two that are closer than a step can be."""
    hump = signals.hump
    rows = np.flatnonzero((hump[1:-1] > hump[:-2]) & (hump[1:-1] >= hump[2:]) & (hump[1:-1] > FLOOR_MPS2)) + 1
    if not len(rows):
        return rows, np.zeros(0)
    apart = np.maximum(APART_S, 0.3 * nearest(signals.period_s, rows / GRID_HZ, PERIOD_HOP_S)) * GRID_HZ
    kept = np.ones(len(rows), dtype=bool)
    for place in np.argsort(-hump[rows], kind="stable"):
        if kept[place]:
            near = np.abs(rows - rows[place]) < apart[place]
            near[place] = False
            kept[near] = False
    return rows[kept], hump[rows[kept]]


def side_cue(signals: Signals, time_s: FloatArray, period_s: FloatArray) -> FloatArray:
    """How the pelvis sways about each step, over the usual size: positive for the right foot."""
    scale = np.clip(period_s / 1.15, 0.8, 1.6)
    before = _slow_at(signals.sway, time_s - 0.20 * scale)
    after = _slow_at(signals.sway, time_s + 0.25 * scale)
    cue = after - before
    return np.asarray(cue / max(0.03, float(np.median(np.abs(cue)))))


def find_steps(signals: Signals) -> Steps:
    """The best sequence of steps in a stretch, unrefined."""
    rows, height = candidates(signals)
    time_s = rows / GRID_HZ
    period, rhythm = (nearest(x, time_s, PERIOD_HOP_S) for x in (signals.period_s, signals.rhythm))
    tilt = _slow_at(signals.tilt_deg, time_s) if len(rows) else np.zeros(0)
    cue = side_cue(signals, time_s, period) if len(rows) else np.zeros(0)
    upright = tilt < 35.0
    time_s, height, period, rhythm, tilt, cue = (x[upright] for x in (time_s, height, period, rhythm, tilt, cue))
    prominence = _prominence(time_s, height)
    place, side, chain = _best_sequence(time_s, REWARD + HEIGHT_REWARD * prominence, cue, period)
    return Steps(
        time_s[place],
        side,
        height[place],
        prominence[place],
        cue[place],
        _slow_at(signals.coherence, time_s[place]),
        tilt[place],
        period[place],
        rhythm[place],
        chain,
    )


def _prominence(time_s: FloatArray, height: FloatArray) -> FloatArray:
    """Binary logarithm of a hump over the 70th percentile within four seconds."""
    if not len(time_s):
        return height
    edges = np.arange(0.0, time_s[-1] + 2.5, 2.5)
    usual = np.empty(len(edges))
    for n, centre in enumerate(edges):
        a, b = np.searchsorted(time_s, (centre - 4.0, centre + 4.0))
        part = np.sort(height[a:b])
        usual[n] = part[int(0.7 * (len(part) - 1))] if len(part) else FLOOR_MPS2
    local = np.interp(time_s, edges, usual)
    return np.asarray(np.log2(height / local))


def _best_sequence(
    time_s: FloatArray, reward: FloatArray, cue: FloatArray, period_s: FloatArray
) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Dynamic programme over candidates × sides; returns places, sides and chain numbers."""
    n = len(time_s)
    t, gain = time_s.tolist(), reward.tolist()
    lean = (SIDE_REWARD * np.clip(cue, -1.5, 1.5)).tolist()
    period = period_s.tolist()
    score = [[0.0, 0.0] for _ in range(n)]
    back = [[(-1, 0), (-1, 0)] for _ in range(n)]
    total, total_at = [0.0] * (n + 1), [(-1, 0)] * (n + 1)
    first = 0
    for i in range(n):
        span, half = max(1.4, 0.8 * period[i]), 0.5 * period[i]
        while t[i] - t[first] > span:
            first += 1
        anew = total[i] - NEW_START if first < i else total[i]
        best, come = [anew, anew], [(-2, 0), (-2, 0)]
        for j in range(first, i):
            step = math.log((t[i] - t[j]) / half) / LOOSE
            change = min(DEAREST, step * step)
            same_side = math.log((t[i] - t[j]) / period[i]) / LOOSE
            repeat = MISSED_STEP + min(DEAREST, same_side * same_side)
            row = score[j]
            for side in (LEFT, RIGHT):
                other, again = row[1 - side] - change, row[side] - repeat
                if other > best[side]:
                    best[side], come[side] = other, (j, 1 - side)
                if again > best[side]:
                    best[side], come[side] = again, (j, side)
        score[i] = [best[LEFT] + gain[i] - lean[i], best[RIGHT] + gain[i] + lean[i]]
        back[i] = come
        winner = LEFT if score[i][LEFT] >= score[i][RIGHT] else RIGHT
        total[i + 1], total_at[i + 1] = total[i], total_at[i]
        if score[i][winner] > total[i]:
            total[i + 1], total_at[i + 1] = score[i][winner], (i, winner)
    return _trace(back, total_at, n)


def _trace(
    back: list[list[tuple[int, int]]], total_at: list[tuple[int, int]], n: int
) -> tuple[np.ndarray, FloatArray, FloatArray]:
    places: list[int] = []
    sides: list[float] = []
    chains: list[int] = []
    chain = 0
    here = total_at[n]
    while here[0] >= 0:
        places.append(here[0])
        sides.append(float(here[1]))
        chains.append(chain)
        before = back[here[0]][here[1]]
        if before[0] == -2:
            chain += 1
            before = total_at[here[0]]
        here = before
    order = slice(None, None, -1)
    return (
        np.asarray(places[order], dtype=int),
        np.asarray(sides[order], dtype=float),
        np.asarray([chain - c for c in chains[order]], dtype=float),
    )


def fine_times(signals: Signals, time_s: FloatArray) -> FloatArray:
    """Sub-sample moment of each contact: where the sharp rise near the hump is steepest, less a constant lag."""
    if not len(time_s):
        return time_s
    sharp = same(signals.vertical - signals.ahead, slope_kernel(25)) / 2.0
    sharp = sharp + same(signals.vertical - 3.0 * signals.ahead, slope_kernel(40)) / 3.0
    reach = int(REACH_S * GRID_HZ)
    offsets = np.arange(-reach, reach + 1)
    centre = np.round(time_s * GRID_HZ).astype(int)
    rows = np.clip(centre[:, None] + offsets, 0, len(sharp) - 1)
    weighted = sharp[rows] * (1.0 - 0.4 * (offsets / reach) ** 2)
    best = np.argmax(weighted, axis=1)
    inner = np.clip(best, 1, 2 * reach - 1)
    row = np.arange(len(centre))
    low, mid, high = weighted[row, inner - 1], weighted[row, inner], weighted[row, inner + 1]
    bend = low - 2.0 * mid + high
    shift = np.where(bend < -1e-9, 0.5 * (low - high) / np.where(bend < -1e-9, bend, -1.0), 0.0)
    shift = np.where(best == inner, np.clip(shift, -0.5, 0.5), 0.0)
    return np.asarray((centre + offsets[best] + shift) / GRID_HZ - LAG_S)


def _slow_at(values: FloatArray, time_s: FloatArray) -> FloatArray:
    """A 25 Hz signal at the given times."""
    return np.interp(time_s, (np.arange(len(values)) + 0.5) / SLOW_HZ, values)
