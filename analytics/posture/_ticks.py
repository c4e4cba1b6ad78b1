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
    """(120, 20) columns of a Hann window of 0.21 s, half power at 3.4 Hz, half amplitude at 5 Hz, around every tick."""
    weights = np.hanning(2 * _HALF + 3)[1:-1]
    matrix = np.zeros((GRID_HZ + TAIL, TICK_HZ))
    for tick in range(TICK_HZ):
        first = tick * STEP + STEP // 2
        matrix[first : first + 2 * _HALF + 1, tick] = weights / weights.sum()
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
_TURN = np.ascontiguousarray(ROTATION.T)


class Tail(NamedTuple):
    """The last rows of the second before."""

    rows: Array
    quat: Array


class Ticks(NamedTuple):
    """The ticks of K seconds in a row; they lie `LAG` ticks behind the samples.

    Attributes
    ----------
    rows
        (K, 20, 12) acc, gyr, quaternion, shake and the length of gyr.
    low, sizes, quat
        The same by channel: (K, 6, 20) acc and gyr, (K, 2, 20) their lengths, (K, 4, 20) quaternions.
    """

    rows: FloatArray
    low: FloatArray
    sizes: FloatArray
    quat: FloatArray


def ticks(tail: Tail | None, rows: FloatArray, quat: FloatArray) -> Ticks:
    """The ticks of K seconds in a row.

    Parameters
    ----------
    tail
        What came before the first of them; None where nothing did.
    rows
        (K, 100, 6) acc in m/s² as the sensor reads it and gyr in rad/s without its bias.
    quat
        (K, 100, 4) sensor → earth.
    """
    count = len(rows)
    padded = _after(rows.transpose(0, 2, 1), TAIL, rows[0, :1].T if tail is None else tail.rows.T)
    now = quat[:, STEP // 2 :: STEP].transpose(0, 2, 1)
    turned = _after(now, LAG, now[0, :, :1] if tail is None else tail.quat.T)[:, :, :TICK_HZ]
    low = padded @ _LOW_PASS
    sizes = lengths(low.reshape(count, 2, 3, TICK_HZ))
    found = np.empty((count, TICK_HZ, COLUMNS))
    found[:, :, :6] = low.transpose(0, 2, 1)
    found[:, :, QUAT] = turned.transpose(0, 2, 1)
    found[:, :, SHAKE] = _shake(padded[:, ACC, _HALF:-_HALF], sizes[:, 0])
    found[:, :, RATE] = sizes[:, 1]
    return Ticks(found, low, sizes, turned)


def _after(values: FloatArray, count: int, before: FloatArray) -> FloatArray:
    """(K, m, n) values of seconds in a row, each after the last so many of the one before it."""
    found = np.empty((*values.shape[:2], count + values.shape[2]))
    found[:, :, count:] = values
    if len(values) > 1:
        found[1:, :, :count] = values[:-1, :, -count:]
    found[0, :, :count] = before
    return found


def _shake(acc: FloatArray, slow: FloatArray) -> FloatArray:
    """The largest difference of the length of (K, 3, 100) acceleration from its slow part around every tick.

    In lively seconds; none in others.
    """
    found = np.zeros(slow.shape)
    lively = np.maximum.reduce(slow, axis=1) - np.minimum.reduce(slow, axis=1) > _LIVELY_MPS2
    if np.count_nonzero(lively):
        fast = lengths(acc[lively]).reshape(-1, TICK_HZ, STEP)
        off = np.abs(fast - slow[lively, :, None])
        most = off[:, :, 0]
        for place in range(1, STEP):
            most = np.maximum(most, off[:, :, place])
        found[lively] = most
    return found


def lengths(vectors: FloatArray) -> FloatArray:
    """The (..., n) lengths of (..., 3, n) vectors."""
    squares = vectors * vectors
    return np.asarray(np.sqrt(squares[..., 0, :] + squares[..., 1, :] + squares[..., 2, :]))


def products(quat: FloatArray) -> FloatArray:
    """(..., 16, n) products of the parts of (..., 4, n) quaternions, each with each."""
    found = quat[..., :, None, :] * quat[..., None, :, :]
    return found.reshape(*quat.shape[:-2], 16, quat.shape[-1])


def rotations(quat: FloatArray) -> FloatArray:
    """(..., 9, n) rotation matrices sensor → earth, row by row, of (..., 4, n) unit quaternions."""
    return np.asarray(_TURN @ products(quat))
