"""Earth's up in the sensor frame, by VQF (Laidig & Seel 2023, Information Fusion 91:187), without magnetometer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Oriented:
    """A hop as the analyses take it.

    Attributes
    ----------
    samples
        (n, 9) acc so that rest reads 1 g, gyr without its bias, earth's up, in the sensor frame.
    rows
        (n, 6) acc as the sensor reads it and gyr without its bias.
    quat
        (n, 4) sensor → earth, scalar first, z up.
    rescaled_mps2
        What the sensor reads at rest, where accelerations are rescaled from this hop on.
    """

    hop: Hop
    samples: FloatArray
    rows: FloatArray
    quat: FloatArray
    rescaled_mps2: float | None = None

    @property
    def window(self) -> Window:
        """The samples by their names."""
        acc, gyr, up = self.samples[:, :3], self.samples[:, 3:6], self.samples[:, 6:]
        return Window(self.hop.index, acc, gyr, up, self.hop.valid)


def follow(state: OrientationState, hops: Sequence[Hop]) -> tuple[OrientationState, list[Oriented]]:
    """Filter whole seconds that follow each other in one segment, or the rest of one alone.

    The filter runs over all of them at once; the same comes out as from one by one.
    """
    count, n = len(hops), len(hops[0].rows)
    rows = np.stack([hop.rows for hop in hops])
    samples = np.empty((count, n, 9))
    quat = np.zeros((count, n, 4))
    if n:
        state, samples[:, :, 3:6], quat = _filtered(state, rows)
        samples[:, :, 6:] = up_of(quat)
        rows[:, :, 3:] = samples[:, :, 3:6]
    scales: list[float] = []
    new: list[float | None] = []
    for upward in _upward(rows, samples) if n == GRID_HZ else [None]:
        before = state.rescaled
        state = state if upward is None else _weigh(state, upward)
        scales.append(state.scale)
        new.append(state.rest_mps2 if state.rescaled and not before else None)
    np.multiply(rows[:, :, :3], np.array(scales)[:, None, None], out=samples[:, :, :3])
    return state, [Oriented(*one) for one in zip(hops, samples, rows, quat, new, strict=True)]


def _upward(rows: FloatArray, samples: FloatArray) -> list[float]:
    """The mean force upwards of every second."""
    x, y, z = (rows[:, :, axis] * samples[:, :, 6 + axis] for axis in range(3))
    means: list[float] = (x + y + z).mean(axis=1).tolist()
    return means


def _filtered(state: OrientationState, rows: FloatArray) -> tuple[OrientationState, FloatArray, FloatArray]:
    """The filter behind hops of (k, n, 6) rows; their rates without the bias known at each one's end; quaternions."""
    tracker = vqf.VQF(1.0 / GRID_HZ)
    if state.filter is not None:
        tracker.state = state.filter
    flat = rows.reshape(-1, 6)
    found = tracker.updateBatch(np.ascontiguousarray(flat[:, 3:]), np.ascontiguousarray(flat[:, :3]))
    bias = found["bias"].reshape(*rows.shape[:2], 3)[:, -1:]
    return evolve(state, filter=tracker.state), rows[:, :, 3:] - bias, found["quat6D"].reshape(*rows.shape[:2], 4)


def restart(state: OrientationState) -> OrientationState:
    """A new segment: orientation anew, the sensor's own scale stays."""
    return evolve(state, filter=None)


def up_of(quat: FloatArray) -> FloatArray:
    """Earth's up in the sensor frame, (..., 3): the third row of the rotation matrix of (..., 4)."""
    w, x, y, z = (quat[..., axis] for axis in range(4))
    up = np.empty((*quat.shape[:-1], 3))
    up[..., 0] = 2 * (x * z - w * y)
    up[..., 1] = 2 * (y * z + w * x)
    up[..., 2] = 1 - 2 * (x * x + y * y)
    return up


def _weigh(state: OrientationState, upward: float) -> OrientationState:
    seconds = min(state.rest_s + 1.0, _SCALE_MEMORY_S)
    rest = max(state.rest_mps2 + (upward - state.rest_mps2) / seconds, _LEAST_MPS2)
    off = abs(STANDARD_GRAVITY_MPS2 / rest - 1.0) > RESCALED_BEYOND
    rescaled = state.rescaled or (seconds >= _SCALE_LEAST_S and off)
    return evolve(state, rest_mps2=rest, rest_s=seconds, rescaled=rescaled)
