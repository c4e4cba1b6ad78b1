"""Peaks and band-pass kernels as `scipy.signal` has them, without the 50 MB of a worker that its import takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics._window import FloatArray


def peaks(values: FloatArray, height: float, distance: int) -> NDArray[np.intp]:
    """Rows of local maxima of at least `height`; of two closer than `distance` rows the higher stays.

    As `scipy.signal.find_peaks(values, height=…, distance=…)` but for plateaus, of which the first row counts.
    """
    inner = values[1:-1]
    rows = np.flatnonzero((inner > values[:-2]) & (inner >= values[2:]) & (inner >= height)) + 1
    order = np.argsort(values[rows], kind="stable")[::-1]
    return rows[spaced(rows.tolist(), order.tolist(), [distance] * len(rows))]


def spaced(rows: list[int], order: list[int], apart: Sequence[float]) -> list[int]:
    """Places in ascending `rows` that stay when each, in `order`, takes away those nearer to it than `apart`."""
    kept = [True] * len(rows)
    for place in order:
        if not kept[place]:
            continue
        here, reach = rows[place], apart[place]
        other = place - 1
        while other >= 0 and here - rows[other] < reach:
            kept[other] = False
            other -= 1
        other = place + 1
        while other < len(rows) and rows[other] - here < reach:
            kept[other] = False
            other += 1
    return [place for place, stays in enumerate(kept) if stays]


def band_pass(taps: int, low_hz: float, high_hz: float, rate_hz: float) -> FloatArray:
    """Linear-phase band-pass, windowed sinc with a Hamming window, gain 1 in its middle (Oppenheim & Schafer).

    As `scipy.signal.firwin(taps, [low, high], pass_zero=False, fs=rate)`.
    """
    at = np.arange(taps) - 0.5 * (taps - 1)
    low, high = 2.0 * low_hz / rate_hz, 2.0 * high_hz / rate_hz
    kernel = (high * np.sinc(high * at) - low * np.sinc(low * at)) * np.hamming(taps)
    return np.asarray(kernel / np.sum(kernel * np.cos(np.pi * at * 0.5 * (low + high))))
