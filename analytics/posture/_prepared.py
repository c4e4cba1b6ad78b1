"""What of seconds of samples depends on nothing but the samples: worked out for many seconds at once.

A second's numbers are the same to the last bit however many are prepared together: products of matrices are taken
second by second (stacked), all else value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from analytics._window import FloatArray
from analytics.posture._limits import NOT_WORN_MEAN_RADPS, NOT_WORN_RADPS
from analytics.posture._rest import Rest
from analytics.posture._stills import SPAN, quiet
from analytics.posture._ticks import ACC, COLUMNS, GYR, KEPT, QUAT, RATE, TAIL, TICK_HZ, Tail, lengths, rotations, ticks
from analytics.posture._vectors import Matrix, Vector


class Prepared(NamedTuple):
    """One second, and the ticks before it.

    Attributes
    ----------
    acc
        (100, 3) acceleration as the sensor reads it, m/s².
    tail_rows, tail_quat
        What the next second's ticks begin with.
    buffer
        Up to 8 s of ticks that end with this second's, (n, 12).
    still, loosely
        Which of its ticks end a still moment, in the usual sense and in the looser one.
    slow
        Whether it turned so little as a sensor does that nobody wears.
    end_acc
        Mean acceleration of its last 0.3 s, m/s².
    turns
        (3, 60) which takes an earth vector into the sensor frame at each of the 20 ticks.
    spread_turn, end_turn
        Rotation sensor → earth: mean of four ticks spread evenly, in the middle of the last 0.3 s.
    mean_back
        Rotation earth → sensor, mean of all ticks.
    rest, place
        Its angles if it ends at rest, by its place among the seconds of its batch.
    """

    acc: FloatArray
    tail_rows: FloatArray
    tail_quat: FloatArray
    buffer: FloatArray
    still: list[bool]
    loosely: list[bool]
    slow: bool
    end_acc: Vector
    turns: FloatArray
    spread_turn: Matrix
    end_turn: Matrix
    mean_back: Matrix
    rest: Rest
    place: int

    @property
    def tail(self) -> Tail:
        """What the next second's ticks begin with."""
        return Tail(self.tail_rows, self.tail_quat)

    @property
    def rate(self) -> FloatArray:
        """(20,) length of the angular rate at its ticks, rad/s."""
        return self.buffer[-TICK_HZ:, RATE]

    def up(self, earth_up: Vector) -> FloatArray:
        """(20, 3) an earth vector in the sensor frame at its ticks."""
        return np.asarray(np.dot(earth_up, self.turns).reshape(TICK_HZ, 3))


def _weights() -> FloatArray:
    """(3, 20) over the ticks of a second: mean of every fifth, the middle of the last still moment, mean of all."""
    found = np.zeros((3, TICK_HZ))
    found[0, :: TICK_HZ // 4] = 0.25
    found[1, -(SPAN // 2)] = 1.0
    found[2] = 1.0 / TICK_HZ
    return found


_WEIGHTS = _weights()
_AT_END = np.full((1, SPAN), 1.0 / SPAN)


def prepare(tail: Tail | None, buffer: FloatArray, rows: FloatArray, quat: FloatArray) -> Sequence[Prepared]:
    """K seconds in a row, after the `tail` and `buffer` of those before.

    Parameters
    ----------
    rows
        (K, 100, 6) acc in m/s² as the sensor reads it and gyr in rad/s without its bias.
    quat
        (K, 100, 4) sensor → earth.
    """
    found, ends = ticks(tail, rows, quat)
    before = buffer[-(KEPT - TICK_HZ) :]
    every = np.concatenate((before, found.reshape(-1, COLUMNS)))
    last = range(len(before) + TICK_HZ, len(every) + 1, TICK_HZ)
    fastest = np.abs(found[:, :, GYR]).reshape(len(found), -1).max(axis=1)
    drift = np.abs(_WEIGHTS[2:] @ found[:, :, GYR]).max(axis=(1, 2))
    usual, loosely = _still(every, len(found))
    end_acc = (_AT_END @ found[:, -SPAN:, ACC])[:, 0]
    turns, (spread, end, mean) = _turns(found[:, :, QUAT])
    rest = Rest(end_acc, end, turns, [one[-1] for one in loosely])
    columns = (
        rows[:, :, ACC],
        rows[:, -TAIL:].copy(),
        ends.copy(),
        [every[max(0, end - KEPT) : end] for end in last],
        usual,
        loosely,
        ((fastest < NOT_WORN_RADPS) & (drift < NOT_WORN_MEAN_RADPS)).tolist(),
        map(tuple, end_acc.tolist()),
        turns,
        spread.tolist(),
        end.tolist(),
        mean.transpose(0, 2, 1).tolist(),
        repeat(rest, len(found)),
        range(len(found)),
    )
    return [Prepared(*one) for one in zip(*columns, strict=True)]


def _still(every: FloatArray, count: int) -> Iterator[list[list[bool]]]:
    """For every tick of the last so many seconds, whether it ends a still moment; before the first all was still."""
    recent = every[-(count * TICK_HZ + SPAN - 1) :]
    missing = count * TICK_HZ + SPAN - 1 - len(recent)
    if missing:
        recent = np.concatenate((np.repeat(recent[:1], missing, axis=0), recent))
    for found in quiet(recent[:, RATE], lengths(recent[:, ACC])):
        yield found.reshape(count, TICK_HZ).tolist()


def _turns(quat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(K, 3, 60) rotations of all ticks, of (K, 20, 4) quaternions, and (3, K, 3, 3) what `_WEIGHTS` makes of them."""
    turn = rotations(quat)
    count = len(turn)
    turns = turn.reshape(count, TICK_HZ, 3, 3).transpose(0, 2, 1, 3).reshape(count, 3, 3 * TICK_HZ)
    return turns, (_WEIGHTS @ turn).transpose(1, 0, 2).reshape(3, count, 3, 3)
