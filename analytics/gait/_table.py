"""Contacts as rows of numbers: what a piece of analysis hands to the bouts."""

from __future__ import annotations

import math

import numpy as np

from analytics._window import GRID_HZ, BoolArray, FloatArray, IntArray
from analytics.gait._contacts import Steps, fine_rows
from analytics.gait._signals import Signals

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
APART_S = 0.15
IMPACT_S = 0.12
LONGEST_STRIDE_S = 3.0
SHORTEST_STEP = 10
"""Rows of a step whose travel can be told."""
POINTS = 32
"""At which a step's height and angles are read."""
_GRID = np.linspace(0.0, 1.0, POINTS)[:, None]
_DEGREES = math.degrees(1.0) / GRID_HZ
_THREE = np.arange(3)[:, None]
_IMPACT = np.arange(int(IMPACT_S * GRID_HZ))[:, None]


def log_odds(steps: Steps) -> FloatArray:
    """How much each contact speaks for walking.

    Phase-locked vertical and forward acceleration, sway that fits the side and a rhythm say yes at any size of step;
    size itself counts little and only up to a limit, so that soft, slow gait is found.
    """
    agree = np.minimum(np.maximum(steps.agreement, -SIDE_LIMIT), SIDE_LIMIT)
    size = np.minimum(np.maximum(np.log2(steps.hump / HUMP_ZERO_MPS2), -HUMP_LIMIT), HUMP_LIMIT)
    return np.asarray(
        COHERENCE_WEIGHT * (np.maximum(steps.coherence, COHERENCE_LEAST) - COHERENCE_ZERO)
        + HUMP_WEIGHT * size
        + SIDE_WEIGHT * (agree - SIDE_ZERO)
        + RHYTHM_WEIGHT * (steps.rhythm - RHYTHM_ZERO)
        + PROMINENCE_WEIGHT * np.minimum(np.maximum(steps.prominence, -PROMINENCE_LIMIT), 0.0)
        - TILT_WEIGHT * np.maximum(0.0, steps.tilt_deg - TILT_FREE_DEG)
    )


def contact_table(signals: Signals, steps: Steps) -> FloatArray:
    """(n, columns) contacts in order of time, rows from the stretch's start; of their strides nothing yet.

    Two humps may share one sharp rise: contacts closer than `APART_S` count once. Every column lies in one piece, here
    and in all tables made of this one: a long walk is gone through column by column.
    """
    table = np.zeros((len(steps), len(COLUMNS)), order="F")
    row = fine_rows(signals, steps.row)
    table[:, ROW] = row
    table[:, SIDE] = steps.side
    table[:, ODDS] = log_odds(steps)
    table[:, HUMP] = steps.hump
    table[:, TILT] = steps.tilt_deg
    table[:, CUE] = steps.agreement
    table[:, PERIOD] = steps.period_s
    table[:, COHERENCE] = steps.coherence
    table[:, RHYTHM] = steps.rhythm
    apart = row[1:] - row[:-1] > APART_S * GRID_HZ
    return table if apart.all() else chosen(table, np.concatenate(([True], apart)))


def chosen(table: FloatArray, contacts: BoolArray) -> FloatArray:
    """Some contacts of a table."""
    return table.T.compress(contacts, axis=1).T


def with_strides(signals: Signals, table: FloatArray, first: int, last: int) -> FloatArray:
    """Contacts `first` to `last` of a stretch's table with what needs the samples of the stride that ends at each."""
    found = table[first:last].copy(order="F")
    if first == last:
        return found
    begin = max(first - 2, 0)
    row, side, n = table[begin:last, ROW], table[begin:last, SIDE], len(signals.vertical)
    rows = np.minimum(np.maximum(np.rint(row).astype(int), 0), n - 1)
    found[:, IMPACT] = signals.vertical.take(rows[first - begin :] + _IMPACT, mode="clip").max(axis=0)
    duration = (row[2:] - row[:-2]) / GRID_HZ
    step = rows[1:] - rows[:-1]
    good = (side[2:] == side[:-2]) & (side[2:] != side[1:-1]) & (duration <= LONGEST_STRIDE_S)
    good &= (step[:-1] >= SHORTEST_STEP) & (step[1:] >= SHORTEST_STEP)
    strides = np.flatnonzero(good)
    if len(strides):
        place = strides + (begin + 2 - first)
        found[place, STRIDE] = duration[strides]
        _describe(signals, found, place, rows[strides + _THREE])
    return found


def _describe(signals: Signals, found: FloatArray, place: IntArray, contacts: IntArray) -> None:
    """Fill in travel, turn and ranges of the strides at `place`, (3, strides) the rows of their three contacts each.

    The height of the pelvis is acceleration less its mean over the stride, integrated, less the mean again,
    integrated; angles are rates integrated, less the drift: all from running sums of rows.
    """
    begin, end = int(contacts[0, 0]), int(contacts[2, -1]) + 1
    contacts = contacts - begin
    first, last, steps = contacts[0], contacts[2], contacts[1:] - contacts[:-1]
    length = last - first
    sums = np.empty((4, end - begin))
    signals.rates[:, begin:end].cumsum(axis=1, out=sums[:3])
    speed = signals.vertical[begin:end].cumsum()
    speed.cumsum(out=sums[3])
    bow = 0.5 * (speed[last] - speed[first]) * length
    at = np.rint(contacts[:2, None] + _GRID * steps[:, None]).astype(int).reshape(2 * POINTS, 1, -1)
    share = (at - first) / length
    values = sums.take(at + np.arange(0, sums.size, end - begin)[:, None])
    gain = values[-1] - values[0]
    values -= share * gain
    values[:, 3:] += share * (1.0 - share) * bow
    steps_of = values.reshape(2, POINTS, 4, -1)
    high, low = steps_of.max(axis=1), steps_of.min(axis=1)
    found[place, RISE_A : RISE_B + 1] = (high[:, 3] - low[:, 3]).T / GRID_HZ**2
    found[place, PITCH : YAW + 1] = _DEGREES * (high[:, :3].max(axis=0) - low[:, :3].min(axis=0)).T
    found[place, TURN] = gain[2] / GRID_HZ
