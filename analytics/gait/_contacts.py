"""Initial contacts: candidate steps, the best sequence with sides, and the moment of each.

A step raises the trunk and slows it: the smoothed slope of (vertical − forward) has one hump per step, in shuffling
too. A dynamic programme over humps × {left, right} then chooses the sequence whose steps alternate, keep their time
and agree with the sway of the pelvis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._middle import median
from analytics._peaks import spaced
from analytics._window import GRID_HZ, FloatArray
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
    kept = spaced(rows.tolist(), np.argsort(-hump[rows], kind="stable").tolist(), apart.tolist())
    return rows[kept], hump[rows[kept]]


def side_cue(signals: Signals, time_s: FloatArray, period_s: FloatArray) -> FloatArray:
    """How the pelvis sways about each step, over the usual size: positive for the right foot."""
    scale = np.minimum(np.maximum(period_s / 1.15, 0.8), 1.6)
    before = _slow_at(signals.sway, time_s - 0.20 * scale)
    after = _slow_at(signals.sway, time_s + 0.25 * scale)
    cue = after - before
    return np.asarray(cue / max(0.03, median(np.abs(cue))))


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
    bounds = np.searchsorted(time_s, (edges - 4.0, edges + 4.0)).T.tolist()
    heights = height.tolist()
    parts = [sorted(heights[a:b]) for a, b in bounds]
    usual = [part[int(0.7 * (len(part) - 1))] if part else FLOOR_MPS2 for part in parts]
    local = np.interp(time_s, edges, usual)
    return np.asarray(np.log2(height / local))


def _best_sequence(
    time_s: FloatArray, reward: FloatArray, cue: FloatArray, period_s: FloatArray
) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Dynamic programme over candidates × sides; returns places, sides and chain numbers."""
    n = len(time_s)
    firsts = _reach(time_s.tolist(), period_s.tolist())
    changes, repeats = _costs(time_s, period_s, firsts)
    gain, lean = reward.tolist(), (SIDE_REWARD * np.minimum(np.maximum(cue, -1.5), 1.5)).tolist()
    lefts, rights = [0.0] * n, [0.0] * n
    back = [[(-1, 0), (-1, 0)] for _ in range(n)]
    total, total_at = [0.0] * (n + 1), [(-1, 0)] * (n + 1)
    pair = 0
    for i, first in enumerate(firsts):
        left = right = total[i] - NEW_START if first < i else total[i]
        from_left = from_right = (-2, 0)
        for j in range(first, i):
            change, repeat = changes[pair], repeats[pair]
            pair += 1
            on_left, on_right = lefts[j], rights[j]
            if on_right - change > left:
                left, from_left = on_right - change, (j, RIGHT)
            if on_left - repeat > left:
                left, from_left = on_left - repeat, (j, LEFT)
            if on_left - change > right:
                right, from_right = on_left - change, (j, LEFT)
            if on_right - repeat > right:
                right, from_right = on_right - repeat, (j, RIGHT)
        lefts[i], rights[i] = left + gain[i] - lean[i], right + gain[i] + lean[i]
        back[i] = [from_left, from_right]
        best, winner = (lefts[i], LEFT) if lefts[i] >= rights[i] else (rights[i], RIGHT)
        total[i + 1], total_at[i + 1] = (best, (i, winner)) if best > total[i] else (total[i], total_at[i])
    return _trace(back, total_at, n)


def _reach(time_s: list[float], period_s: list[float]) -> list[int]:
    """The first candidate from which a step or a stride may lead to each."""
    firsts, first = [], 0
    for now, period in zip(time_s, period_s, strict=True):
        while now - time_s[first] > max(1.4, 0.8 * period):
            first += 1
        firsts.append(first)
    return firsts


def _costs(time_s: FloatArray, period_s: FloatArray, firsts: list[int]) -> tuple[list[float], list[float]]:
    """What a step from each candidate in reach costs, pair by pair: to the other foot, and to the same one again."""
    n = len(time_s)
    first = np.array(firsts, dtype=int)
    counts = np.arange(n) - first
    later = np.repeat(np.arange(n), counts)
    earlier = np.arange(len(later)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    off = np.log((time_s[later] - time_s[earlier]) / period_s[later]) / LOOSE
    off_half = off + np.log(2.0) / LOOSE
    changes = np.minimum(DEAREST, off_half * off_half)
    return changes.tolist(), (MISSED_STEP + np.minimum(DEAREST, off * off)).tolist()


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
    reach = int(REACH_S * GRID_HZ)
    offsets = np.arange(-reach, reach + 1)
    centre = np.rint(time_s * GRID_HZ).astype(int)
    rows = np.minimum(np.maximum(centre[:, None] + offsets, 0), len(signals.sharp) - 1)
    weighted = signals.sharp[rows] * (1.0 - 0.4 * (offsets / reach) ** 2)
    best = np.argmax(weighted, axis=1)
    inner = np.minimum(np.maximum(best, 1), 2 * reach - 1)
    row = np.arange(len(centre))
    low, mid, high = weighted[row, inner - 1], weighted[row, inner], weighted[row, inner + 1]
    bend = low - 2.0 * mid + high
    shift = np.where(bend < -1e-9, 0.5 * (low - high) / np.where(bend < -1e-9, bend, -1.0), 0.0)
    shift = np.where(best == inner, np.minimum(np.maximum(shift, -0.5), 0.5), 0.0)
    return np.asarray((centre + offsets[best] + shift) / GRID_HZ - LAG_S)


def _slow_at(values: FloatArray, time_s: FloatArray) -> FloatArray:
    """A 25 Hz signal at the given times."""
    return np.interp(time_s, (np.arange(len(values)) + 0.5) / SLOW_HZ, values)
