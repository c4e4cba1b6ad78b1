"""The median as NumPy has it, without its checks: a third of the time on the short arrays of walking."""

from __future__ import annotations

from analytics._window import FloatArray

_FEW = 512
"""So many numbers are sorted faster than parted."""


def median(values: FloatArray) -> float:
    """Median of one or more finite numbers, of whatever shape."""
    ordered = values.flatten()
    half = len(ordered) // 2
    if len(ordered) < _FEW:
        ordered.sort()
    else:
        ordered.partition(half)
        ordered[half - 1] = ordered[:half].max()
    return ordered.item(half) if len(ordered) % 2 else 0.5 * (ordered.item(half - 1) + ordered.item(half))
