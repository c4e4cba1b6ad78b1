"""Earth's up in the sensor frame, by VQF (Laidig & Seel 2023, Information Fusion 91:187), without magnetometer."""

from __future__ import annotations

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


def follow(state: OrientationState, hop: Hop) -> tuple[OrientationState, Window, FloatArray]:
    """Filter a hop; the window for the analyses, and (n, 4) quaternions sensor → earth, scalar first, z up."""
    acc, gyr = np.ascontiguousarray(hop.rows[:, :3]), np.ascontiguousarray(hop.rows[:, 3:])
    tracker = vqf.VQF(1.0 / GRID_HZ)
    if state.filter is not None:
        tracker.state = state.filter
    quat = tracker.updateBatch(gyr, acc)["quat6D"]
    bias, _ = tracker.getBiasEstimate()
    up = up_of(quat)
    state = _weigh(evolve(state, filter=tracker.state), acc, up)
    window = Window(hop.index, acc * state.scale, gyr - bias, up, hop.valid)
    return state, window, quat


def restart(state: OrientationState) -> OrientationState:
    """A new segment: orientation anew, the sensor's own scale stays."""
    return evolve(state, filter=None)


def up_of(quat: FloatArray) -> FloatArray:
    """Earth's up in the sensor frame: the third row of the rotation matrix."""
    w, x, y, z = quat.T
    up = np.empty((len(quat), 3))
    up[:, 0] = 2 * (x * z - w * y)
    up[:, 1] = 2 * (y * z + w * x)
    up[:, 2] = 1 - 2 * (x * x + y * y)
    return up


def _weigh(state: OrientationState, acc: FloatArray, up: FloatArray) -> OrientationState:
    if len(acc) < GRID_HZ:
        return state
    upward = float(np.einsum("ij,ij->i", acc, up).mean())
    seconds = min(state.rest_s + 1.0, _SCALE_MEMORY_S)
    rest = max(state.rest_mps2 + (upward - state.rest_mps2) / seconds, _LEAST_MPS2)
    off = abs(STANDARD_GRAVITY_MPS2 / rest - 1.0) > RESCALED_BEYOND
    rescaled = state.rescaled or (seconds >= _SCALE_LEAST_S and off)
    return evolve(state, rest_mps2=rest, rest_s=seconds, rescaled=rescaled)
