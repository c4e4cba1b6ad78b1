"""The median as NumPy has it, without its checks: a third of the time on the short arrays of walking."""

from __future__ import annotations

from analytics._window import FloatArray


def median(values: FloatArray) -> float:
    """Median of one or more finite numbers, of whatever shape."""
    ordered = values.flatten()
    half = len(ordered) // 2
    ordered.partition(half)
    middle = float(ordered[half])
    return middle if len(ordered) % 2 else 0.5 * (float(ordered[:half].max()) + middle)
