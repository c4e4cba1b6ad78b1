"""Earth's up in the sensor frame, by VQF (Laidig & Seel 2023, Information Fusion 91:187), without magnetometer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import vqf

from analytics._evolve import evolve
from analytics._window import GRID_HZ, FloatArray, Window
from analytics.pipeline._grid import Hop
from sagittal.units import STANDARD_GRAVITY_MPS2

RESCALED_BEYOND = 0.03
"""A sensor that reads within 3 % of 1 g is left as it is: offsets change the reading by as much with posture."""
_SCALE_LEAST_S = 5.0
_LEAST_MPS2 = 1.0
"""A sensor that reads less at rest is broken or falls, and is not scaled up without end."""
_SCALE_MEMORY_S = 60.0


@dataclass(frozen=True)
class OrientationState:
    """The filter's own state, a plain dict; gravity as the sensor reads it, and the seconds behind that.

    Over a second the mean force upwards is gravity's, walking included, for a body that neither rises nor falls.
    """

    filter: dict[str, Any] | None = None
    rest_mps2: float = STANDARD_GRAVITY_MPS2
    rest_s: float = 0.0
    rescaled: bool = False

    @property
    def scale(self) -> float:
        """What accelerations are multiplied with so that rest reads 1 g; 1 for a sensor that never read otherwise."""
        return STANDARD_GRAVITY_MPS2 / self.rest_mps2 if self.rescaled else 1.0


class Oriented(NamedTuple):
    """A hop and its samples; what the sensor reads at rest, where accelerations are rescaled from here on."""

    hop: Hop
    samples: FloatArray
    rescaled_mps2: float | None = None

    @property
    def window(self) -> Window:
        """The samples by their names."""
        acc, gyr, up = self.samples[:, :3], self.samples[:, 3:6], self.samples[:, 6:]
        return Window(self.hop.index, acc, gyr, up, self.hop.valid)


@dataclass(frozen=True, slots=True)
class Lot:
    """Hops that were filtered together.

    Attributes
    ----------
    samples
        (k, n, 9) acc so that rest reads 1 g, gyr without its bias, earth's up, in the sensor frame.
    rows
        (k, n, 6) acc as the sensor reads it and gyr without its bias.
    quat
        (k, n, 4) sensor → earth, scalar first, z up.
    rescaled_mps2
        What the sensor reads at rest, where accelerations are rescaled from that hop on.
    """

    hops: Sequence[Hop]
    samples: FloatArray
    rows: FloatArray
    quat: FloatArray
    rescaled_mps2: Sequence[float | None]

    def __iter__(self) -> Iterator[Oriented]:
        """The hops one by one."""
        return map(Oriented, self.hops, self.samples, self.rescaled_mps2)


def follow(state: OrientationState, hops: Sequence[Hop]) -> tuple[OrientationState, Lot]:
    """Filter whole seconds that follow each other in one segment, or the rest of one alone.

    The filter runs over all of them at once; the same comes out as from one by one.
    """
    count, n = len(hops), len(hops[0].rows)
    if not n:
        return state, Lot(hops, np.empty((count, 0, 9)), np.empty((count, 0, 6)), np.empty((count, 0, 4)), [None])
    by_axis = np.empty((9, count * n))
    np.concatenate([hop.rows.T for hop in hops], axis=1, out=by_axis[:6])
    state, quat = _filtered(state, by_axis, count)
    if n == GRID_HZ:
        state, scales, rescaled = _weighed(state, _upward(by_axis, count))
    else:
        scales, rescaled = [state.scale], [None]
    samples = np.ascontiguousarray(by_axis.T).reshape(count, n, 9)
    rows = samples[:, :, :6]
    if state.rescaled:
        rows = rows.copy()
        samples[:, :, :3] *= np.array(scales)[:, None, None]
    return state, Lot(hops, samples, rows, quat.reshape(count, n, 4), rescaled)


def _filtered(state: OrientationState, by_axis: FloatArray, count: int) -> tuple[OrientationState, FloatArray]:
    """The filter behind so many hops, acc and gyr of (9, n), and their quaternions.

    Rates lose the bias that is known at their hop's end, and up is filled in.
    """
    tracker = vqf.VQF(1.0 / GRID_HZ)
    if state.filter is not None:
        tracker.state = state.filter
    found = tracker.updateBatch(np.ascontiguousarray(by_axis[3:6].T), np.ascontiguousarray(by_axis[:3].T))
    each = by_axis.shape[1] // count
    rates = by_axis[3:6].reshape(3, count, each)
    rates -= found["bias"][each - 1 :: each].T[:, :, None]
    _up(found["quat6D"], by_axis[6:])
    return evolve(state, filter=tracker.state), found["quat6D"]


def _up(quat: FloatArray, up: FloatArray) -> None:
    """Earth's up in the sensor frame into (3, n): the third row of the rotation matrix of (n, 4)."""
    parts = quat.T.copy()
    w, x_y, z = parts[0], parts[1:3], parts[3]
    with_z, with_w, squares = x_y * z, x_y * w, x_y * x_y
    np.subtract(with_z[0], with_w[1], out=up[0])
    np.add(with_z[1], with_w[0], out=up[1])
    np.add(squares[0], squares[1], out=up[2])
    up *= 2.0
    np.subtract(1.0, up[2], out=up[2])


def _upward(by_axis: FloatArray, count: int) -> list[float]:
    """The mean force upwards of every second."""
    upward = np.add.reduce(by_axis[:3] * by_axis[6:], axis=0).reshape(count, GRID_HZ)
    means: list[float] = (np.add.reduce(upward, axis=1) / GRID_HZ).tolist()
    return means


def restart(state: OrientationState) -> OrientationState:
    """A new segment: orientation anew, the sensor's own scale stays."""
    return evolve(state, filter=None)


def _weighed(
    state: OrientationState, upward: Sequence[float]
) -> tuple[OrientationState, list[float], list[float | None]]:
    """With the force upwards of seconds weighed; the scale of each, and what rest reads where it is rescaled from."""
    rest, seconds, rescaled = state.rest_mps2, state.rest_s, state.rescaled
    scales: list[float] = []
    new: list[float | None] = []
    for mean in upward:
        seconds = min(seconds + 1.0, _SCALE_MEMORY_S)
        rest = max(rest + (mean - rest) / seconds, _LEAST_MPS2)
        scale, before = STANDARD_GRAVITY_MPS2 / rest, rescaled
        rescaled = before or (seconds >= _SCALE_LEAST_S and abs(scale - 1.0) > RESCALED_BEYOND)
        scales.append(scale if rescaled else 1.0)
        new.append(rest if rescaled and not before else None)
    return evolve(state, rest_mps2=rest, rest_s=seconds, rescaled=rescaled), scales, new
