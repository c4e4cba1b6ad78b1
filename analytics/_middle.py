"""The median as NumPy has it, without its checks: a third of the time on the short arrays of walking."""

from __future__ import annotations

import numpy as np

from analytics._window import FloatArray


def median(values: FloatArray) -> float:
    """Median of one or more finite numbers, of whatever shape."""
    flat = values.ravel()
    half = len(flat) // 2
    ordered = np.partition(flat, half)
    middle = float(ordered[half])
    return middle if len(flat) % 2 else 0.5 * (float(ordered[:half].max()) + middle)
