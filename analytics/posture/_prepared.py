"""What of seconds of samples depends on nothing but the samples: worked out for many seconds at once.

A second's numbers are the same to the last bit however many are prepared together: products of matrices are taken
second by second (stacked), all else value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from analytics._window import BoolArray, FloatArray
from analytics.posture._angles import RATE_HZ
from analytics.posture._limits import NOT_WORN_MEAN_RADPS, NOT_WORN_RADPS
from analytics.posture._rest import Rest
from analytics.posture._stills import SPAN, quiet
from analytics.posture._ticks import (
    ACC,
    COLUMNS,
    GYR,
    KEPT,
    LAG,
    RATE,
    STEP,
    TAIL,
    TICK_HZ,
    Tail,
    rotations,
    ticks,
)
from analytics.posture._vectors import Turn, Vector, length


class Batch(NamedTuple):
    """Seconds that were prepared together.

    Attributes
    ----------
    rows, quat
        As they were given to `prepare`.
    ticks, before
        (n, 12) ticks that end with theirs, and how many of those come before.
    turns, pairs
        (K, 3, 60) and (K, 3, 30) which take an earth vector into the sensor frame at each of a second's 20 ticks, at
        every two.
    rest
        The angles of those that end at rest.
    """

    rows: FloatArray
    quat: FloatArray
    ticks: FloatArray
    before: int
    turns: FloatArray
    pairs: FloatArray
    rest: Rest


class Prepared(NamedTuple):
    """One second, and the ticks before it.

    Attributes
    ----------
    batch, place
        The seconds it was prepared with, and its place among them.
    still, loosely
        Which of its ticks end a still moment, in the usual sense and in the looser one.
    slow
        Whether it turned so little as a sensor does that nobody wears.
    end_acc
        Mean acceleration of its last 0.3 s, m/s².
    spread_turn, end_turn, mean_turn
        Rotation sensor → earth: mean of four ticks spread evenly, in the middle of the last 0.3 s, mean of all ticks.
    """

    batch: Batch
    place: int
    still: list[bool]
    loosely: list[bool]
    slow: bool
    end_acc: Vector
    spread_turn: Turn
    end_turn: Turn
    mean_turn: Turn

    @property
    def acc(self) -> FloatArray:
        """(100, 3) acceleration as the sensor reads it, m/s²."""
        return self.batch.rows[self.place, :, ACC]

    @property
    def tail(self) -> Tail:
        """What the next second's ticks begin with."""
        rows, quat = self.batch.rows[self.place], self.batch.quat[self.place]
        return Tail(rows[-TAIL:].copy(), quat[STEP // 2 :: STEP][-LAG:].copy())

    @property
    def buffer(self) -> FloatArray:
        """Up to 8 s of ticks that end with this second's, (n, 12)."""
        end = self.batch.before + (self.place + 1) * TICK_HZ
        return self.batch.ticks[max(0, end - KEPT) : end]

    def up(self, earth_up: Vector) -> FloatArray:
        """(3, 20) an earth vector in the sensor frame at its ticks."""
        return np.asarray(np.dot(earth_up, self.batch.turns[self.place]).reshape(3, TICK_HZ))

    def up_10hz(self, earth_up: Vector) -> FloatArray:
        """(3, 10) an earth vector in the sensor frame, means of two ticks each."""
        return np.asarray(np.dot(earth_up, self.batch.pairs[self.place]).reshape(3, RATE_HZ))


def _weights() -> FloatArray:
    """(20, 3) over the ticks of a second: mean of every fifth, the middle of the last still moment, mean of all."""
    found = np.zeros((TICK_HZ, 3))
    found[:: TICK_HZ // 4, 0] = 0.25
    found[-(SPAN // 2), 1] = 1.0
    found[:, 2] = 1.0 / TICK_HZ
    return found


_WEIGHTS = _weights()
_PAIRS = np.repeat(np.eye(RATE_HZ), 2, axis=0) / 2.0
_MEAN = _WEIGHTS[:, 2].copy()
_AT_END = np.full(SPAN, 1.0 / SPAN)


def prepare(tail: Tail | None, buffer: FloatArray, rows: FloatArray, quat: FloatArray) -> Sequence[Prepared]:
    """K seconds in a row, after the `tail` and `buffer` of those before.

    Parameters
    ----------
    rows
        (K, 100, 6) acc in m/s² as the sensor reads it and gyr in rad/s without its bias.
    quat
        (K, 100, 4) sensor → earth.
    """
    count = len(rows)
    found = ticks(tail, rows, quat)
    before = buffer[-(KEPT - TICK_HZ) :]
    every = np.concatenate((before, found.rows.reshape(-1, COLUMNS)))
    usual, loosely = _still(before[1 - SPAN :], found.sizes).tolist()
    end_acc = found.low[:, ACC, -SPAN:] @ _AT_END
    turns = rotations(found.quat)
    means = turns @ _WEIGHTS
    pairs = (turns @ _PAIRS).reshape(count, 3, 3 * RATE_HZ)
    rest = Rest(end_acc, means[:, :, 1].reshape(count, 3, 3), pairs, [False not in one for one in loosely])
    batch = Batch(rows, quat, every, len(before), turns.reshape(count, 3, 3 * TICK_HZ), pairs, rest)
    columns = (
        repeat(batch, count),
        range(count),
        usual,
        loosely,
        _motionless(found.low[:, GYR], found.sizes[:, 1]),
        map(tuple, end_acc.tolist()),
        *means.transpose(2, 0, 1).tolist(),
    )
    return [Prepared(*one) for one in zip(*columns, strict=True)]


def _still(before: FloatArray, sizes: FloatArray) -> BoolArray:
    """(2, K, 20): whether a tick ends a still moment, as usual or loosely; before the first all was as still as it.

    Parameters
    ----------
    before
        The last five ticks, (5, 12), or none.
    sizes
        (K, 2, 20) lengths of acceleration and rate.
    """
    count = len(sizes)
    every = np.empty((2, SPAN - 1 + count * TICK_HZ))
    every[:, SPAN - 1 :] = sizes.transpose(1, 0, 2).reshape(2, -1)
    if len(before):
        every[0, : SPAN - 1] = [length((x, y, z)) for x, y, z in before[:, ACC].tolist()]
        every[1, : SPAN - 1] = before[:, RATE]
    else:
        every[:, : SPAN - 1] = sizes[0, :, :1]
    return quiet(*every).reshape(2, count, TICK_HZ)


def _motionless(gyr: FloatArray, rate: FloatArray) -> list[bool]:
    """Which seconds turn as little as a sensor that nobody wears, by the (K, 3, 20) rates and their (K, 20) lengths."""
    if not np.count_nonzero(np.maximum.reduce(rate, axis=1) < 2.0 * NOT_WORN_RADPS):
        return [False] * len(rate)
    fastest, drift = np.abs(gyr).max(axis=(1, 2)), np.abs(gyr @ _MEAN).max(axis=1)
    slow: list[bool] = ((fastest < NOT_WORN_RADPS) & (drift < NOT_WORN_MEAN_RADPS)).tolist()
    return slow
