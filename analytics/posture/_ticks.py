"""Seconds of samples as twenty ticks each: acceleration and rate low-passed alike, orientation at the same instants."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic_core import core_schema

from analytics._window import GRID_HZ, FloatArray


class _AsItIs:
    """Tells pydantic to take a value as it is."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.any_schema()


Array = Annotated[FloatArray, _AsItIs]
"""An array in a saved state."""

TICK_HZ = 20
TICK_S = 1.0 / TICK_HZ
STEP = GRID_HZ // TICK_HZ
_HALF = 10
TAIL = 2 * _HALF
_LIVELY_MPS2 = 0.5
"""A second in which the slow part of the acceleration changes less holds no impact."""
LAG = _HALF // STEP
"""Ticks by which the filtered signals come later than the samples."""
KEPT = 8 * TICK_HZ
"""Ticks that are remembered: moves up to 8 s."""
ACC, GYR, QUAT, SHAKE, RATE = slice(0, 3), slice(3, 6), slice(6, 10), 10, 11
COLUMNS = 12


def _filter() -> FloatArray:
    """(20, 120) rows of a Hann window of 0.21 s, half power at 3.4 Hz, half amplitude at 5 Hz, around every tick."""
    weights = np.hanning(2 * _HALF + 3)[1:-1]
    matrix = np.zeros((TICK_HZ, GRID_HZ + TAIL))
    for tick in range(TICK_HZ):
        first = tick * STEP + STEP // 2
        matrix[tick, first : first + 2 * _HALF + 1] = weights / weights.sum()
    return matrix


_LOW_PASS = _filter()


def _rotation() -> FloatArray:
    table = np.zeros((16, 3, 3))
    w, x, y, z = range(4)

    def put(row: int, column: int, a: int, b: int, factor: float) -> None:
        table[4 * a + b, row, column] += factor

    for a, signs in ((w, (1, 1, 1)), (x, (1, -1, -1)), (y, (-1, 1, -1)), (z, (-1, -1, 1))):
        for axis in range(3):
            put(axis, axis, a, a, signs[axis])
    for row, column, a, b, factor in (
        (0, 1, x, y, 2.0),
        (0, 1, w, z, -2.0),
        (0, 2, x, z, 2.0),
        (0, 2, w, y, 2.0),
        (1, 0, x, y, 2.0),
        (1, 0, w, z, 2.0),
        (1, 2, y, z, 2.0),
        (1, 2, w, x, -2.0),
        (2, 0, x, z, 2.0),
        (2, 0, w, y, -2.0),
        (2, 1, y, z, 2.0),
        (2, 1, w, x, 2.0),
    ):
        put(row, column, a, b, factor)
    return table.reshape(16, 9)


ROTATION = _rotation()
"""(16, 9) which turns products of quaternion parts (row by row) into the rotation matrix, sensor → earth."""


class Tail(NamedTuple):
    """The last rows of the second before."""

    rows: Array
    quat: Array


def ticks(tail: Tail | None, rows: FloatArray, quat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The ticks of K seconds in a row, (K, 20, 12), and the quaternions that the next one's begin with, (K, 2, 4).

    A tick is acc, gyr, quaternion, shake and the length of gyr; it lies `LAG` ticks behind the samples.

    Parameters
    ----------
    tail
        What came before the first of them; None where nothing did.
    rows
        (K, 100, 6) acc in m/s² as the sensor reads it and gyr in rad/s without its bias.
    quat
        (K, 100, 4) sensor → earth.
    """
    if tail is None:
        tail = Tail(np.repeat(rows[0, :1], TAIL, axis=0), np.repeat(quat[0, STEP // 2 : STEP // 2 + 1], LAG, axis=0))
    padded = np.concatenate((np.concatenate((tail.rows[None], rows[:-1, -TAIL:])), rows), axis=1)
    now = quat[:, STEP // 2 :: STEP]
    ends = now[:, -LAG:]
    found = np.empty((len(rows), TICK_HZ, COLUMNS))
    found[:, :, :6] = _LOW_PASS @ padded
    found[:, :LAG, QUAT] = np.concatenate((tail.quat[None], ends[:-1]))
    found[:, LAG:, QUAT] = now[:, :-LAG]
    slow = lengths(found[:, :, ACC])
    found[:, :, SHAKE] = _shake(padded[:, _HALF:-_HALF, ACC], slow)
    found[:, :, RATE] = lengths(found[:, :, GYR])
    return found, ends


def _shake(acc: FloatArray, slow: FloatArray) -> FloatArray:
    """The largest difference of the acceleration's length from its slow part at every tick, in lively seconds."""
    found = np.zeros(slow.shape)
    lively = slow.max(axis=1) - slow.min(axis=1) > _LIVELY_MPS2
    if lively.any():
        fast = lengths(acc[lively]).reshape(-1, TICK_HZ, STEP) - slow[lively, :, None]
        found[lively] = np.abs(fast).max(axis=2)
    return found


def lengths(vectors: FloatArray) -> FloatArray:
    """The lengths of (..., 3) vectors."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def rotations(quat: FloatArray) -> FloatArray:
    """(..., n, 9) rotation matrices sensor → earth, row by row, of (..., n, 4) unit quaternions."""
    products = quat[..., :, None] * quat[..., None, :]
    return np.asarray(products.reshape(*quat.shape[:-1], 16) @ ROTATION)
