"""The uniform window that every analysis after orientation works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

GRID_HZ = 100
"""Rate of the analysis grid, Hz: the rate of the reference recordings and of published lumbar gait work."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive rows of one sensor on the 100 Hz grid.

    Attributes
    ----------
    index
        Grid index of the first row, counted from the start of the segment; a segment ends at every gap
        too long to bridge.
    acc, gyr, up
        (n, 3) arrays in the sensor frame: specific force in m/s² scaled so that rest reads 1 g, angular
        rate in rad/s with the estimated bias removed, and earth's up as a unit vector.
    valid
        (n,) False where the row was bridged over a short gap, not measured.
    """

    index: int
    acc: FloatArray
    gyr: FloatArray
    up: FloatArray
    valid: BoolArray

    def __len__(self) -> int:
        return len(self.valid)
