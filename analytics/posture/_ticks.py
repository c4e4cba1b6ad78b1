"""A second of samples as twenty ticks: acceleration and rate low-passed alike, orientation at the same instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

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
_TAIL = 2 * _HALF
_LIVELY_MPS2 = 0.5
"""A second in which the slow part of the acceleration changes less holds no impact."""
LAG = _HALF // STEP
"""Ticks by which the filtered signals come later than the samples."""
KEPT = 8 * TICK_HZ
"""Ticks that are remembered: moves up to 8 s."""
ACC, GYR, QUAT, SHAKE = slice(0, 3), slice(3, 6), slice(6, 10), 10
COLUMNS = 11


def _filter() -> FloatArray:
    """(20, 120) rows of a Hann window of 0.21 s, half power at 3.4 Hz, half amplitude at 5 Hz, around every tick."""
    weights = np.hanning(2 * _HALF + 3)[1:-1]
    matrix = np.zeros((TICK_HZ, GRID_HZ + _TAIL))
    for tick in range(TICK_HZ):
        first = tick * STEP + STEP // 2
        matrix[tick, first : first + 2 * _HALF + 1] = weights / weights.sum()
    return matrix


_LOW_PASS = _filter()


def _to_body() -> FloatArray:
    """(16, 9) which turns products of quaternion parts (row by row) into the rotation matrix, sensor → earth."""
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
    return table


_PRODUCTS = _to_body()
_FROM_EARTH = _PRODUCTS.transpose(0, 2, 1).reshape(48, 3)
"""Times an earth vector: the products' weights for that vector in the sensor frame."""
_TO_EARTH = _PRODUCTS.reshape(48, 3)


@dataclass(frozen=True)
class Tail:
    """The last rows of the second before."""

    rows: Array
    quat: Array


def ticks(tail: Tail | None, rows: FloatArray, quat: FloatArray) -> tuple[Tail, FloatArray]:
    """The ticks of a second, (20, 11): acc, gyr, quaternion, shake; they lie `LAG` ticks behind the samples.

    Parameters
    ----------
    rows
        (100, 6) acc in m/s² as the sensor reads it and gyr in rad/s without its bias.
    quat
        (100, 4) sensor → earth.
    """
    if tail is None:
        tail = Tail(np.repeat(rows[:1], _TAIL, axis=0), np.repeat(quat[STEP // 2 : STEP // 2 + 1], LAG, axis=0))
    padded = np.concatenate((tail.rows, rows))
    found = np.empty((TICK_HZ, COLUMNS))
    smooth = _LOW_PASS @ padded
    found[:, :6] = smooth
    now = quat[STEP // 2 :: STEP]
    found[:LAG, QUAT] = tail.quat
    found[LAG:, QUAT] = now[:-LAG]
    slow = np.sqrt(np.einsum("ij,ij->i", smooth[:, :3], smooth[:, :3]))
    found[:, SHAKE] = 0.0
    if float(slow.max() - slow.min()) > _LIVELY_MPS2:
        acc = padded[_HALF:-_HALF, :3]
        length = np.sqrt(np.einsum("ij,ij->i", acc, acc))
        found[:, SHAKE] = np.abs(length.reshape(TICK_HZ, STEP) - slow[:, None]).max(axis=1)
    return Tail(rows[-_TAIL:], now[-LAG:]), found


def in_sensor(quat: FloatArray, vector: FloatArray) -> FloatArray:
    """(n, 3) one earth vector in the sensor frame, at every quaternion."""
    products = (quat[:, :, None] * quat[:, None, :]).reshape(-1, 16)
    return np.asarray(products @ (_FROM_EARTH @ vector).reshape(16, 3))


def one_in_earth(quat: FloatArray, vector: FloatArray) -> tuple[float, float, float]:
    """One sensor vector in the earth frame, at one quaternion."""
    w, a, b, c = quat.tolist()
    x, y, z = vector.tolist()
    p, q, r = 2 * (b * z - c * y), 2 * (c * x - a * z), 2 * (a * y - b * x)
    return (x + w * p + b * r - c * q, y + w * q + c * p - a * r, z + w * r + a * q - b * p)


def in_earth(quat: FloatArray, vectors: FloatArray) -> FloatArray:
    """(n, 3) sensor vectors, one for every quaternion, in the earth frame."""
    products = (quat[:, :, None] * quat[:, None, :]).reshape(-1, 16)
    matrices = (products @ _PRODUCTS.reshape(16, 9)).reshape(-1, 3, 3)
    return np.asarray(np.einsum("nij,nj->ni", matrices, vectors))
