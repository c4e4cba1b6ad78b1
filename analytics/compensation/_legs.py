"""Thigh and shank: swing of each leg from its own gyroscopes, without mounting and without a shared clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from analytics._peaks import peaks
from analytics._window import GRID_HZ, FloatArray, Window
from analytics.compensation._bands import bands

LEG_SLOTS = (
    *(f"{name}_{what}" for name in ("range", "peak", "thigh", "knee", "stance") for what in ("n", "sum", "square")),
)
"""Sums over strides of: log shank rate range, log shank swing peak, log thigh rate range (rad/s), log knee-angle
range (rad) and stance share of the stride."""

_CUT_HZ = 10.0
_PERIOD_S = (0.7, 2.6)
_SYNC_S = 0.4


def leg_sums(shank: Window | None, thigh: Window | None) -> FloatArray:
    """Sums over the strides of one leg; zero where a sensor is absent or nothing swings.

    The sagittal axis is the first principal axis of the angular rate; swing is the larger peak (Aminian 2002,
    Salarian 2004): stance ends near the minimum before it and begins near the one after; a constant takes up the rest.
    """
    sums = np.zeros(len(LEG_SLOTS))
    if shank is None:
        return sums
    rate = _sagittal(shank.gyr)
    swings = _swings(rate)
    if len(swings) < 4:
        return sums
    bounds = list(itertools.pairwise(swings))
    kept = [(a, b) for a, b in bounds if _usable(a, b, shank)]
    if len(kept) < 3:
        return sums
    values: dict[str, list[float]] = {"range": [], "peak": [], "thigh": [], "knee": [], "stance": []}
    for a, b in kept:
        part = rate[a:b]
        values["range"].append(float(np.log(max(np.ptp(part), 1e-3))))
        values["peak"].append(float(np.log(max(rate[a], 1e-3))))
        values["stance"].append(_stance(rate, a, b))
    if thigh is not None:
        _add_thigh(values, kept, rate, thigh)
    for place, name in enumerate(values):
        found = np.array(values[name])
        sums[3 * place : 3 * place + 3] = len(found), found.sum(), (found**2).sum()
    return sums


def leg_mean(sums: FloatArray, name: str) -> tuple[float, float, int] | None:
    """Mean, standard error and count of one quantity; None for fewer than three strides."""
    place = LEG_SLOTS.index(f"{name}_n")
    n, total, squares = sums[place : place + 3].tolist()
    if n < 3:
        return None
    mean = total / n
    return mean, math.sqrt(max(squares / n - mean**2, 0.0) / (n - 1)), round(n)


def _low(values: FloatArray) -> FloatArray:
    size = next_fast_len(len(values) + GRID_HZ, real=True)
    spectrum = rfft(values, size, axis=0)
    hz = np.arange(len(spectrum)) * GRID_HZ / size
    gain = np.clip((_CUT_HZ + 2 - hz) / 2, 0, 1)
    spectrum *= gain[:, None] if values.ndim == 2 else gain
    return np.asarray(irfft(spectrum, size, axis=0)[: len(values)])


def _sagittal(gyr: FloatArray) -> FloatArray:
    """Rate about the first principal axis, swing forward positive."""
    smooth = _low(gyr)
    axis = np.linalg.eigh(smooth.T @ smooth)[1][:, -1]
    rate = smooth @ axis
    high, low = np.quantile(rate, (0.99, 0.01))
    return np.asarray(rate if high >= -low else -rate)


def _swings(rate: FloatArray) -> list[int]:
    tall = float(np.quantile(rate, 0.98))
    if tall < 0.5:
        return []
    return [int(row) for row in peaks(rate, 0.5 * tall, int(0.6 * GRID_HZ))]


def _usable(a: int, b: int, window: Window) -> bool:
    return _PERIOD_S[0] <= (b - a) / GRID_HZ <= _PERIOD_S[1] and float(window.valid[a:b].mean()) > 0.8


def _stance(rate: FloatArray, a: int, b: int) -> float:
    """Share of a stride, swing peak to swing peak, in which the foot stands."""
    part = rate[a:b]
    return 1.0 - (_trough(part) + _trough(part[::-1])) / (b - a) + bands().line["stance_offset"]


def _trough(swing: FloatArray) -> int:
    """Rows from a swing's peak to the first minimum below zero."""
    below = int(np.argmax(swing < 0))
    return below + int(np.argmax(np.diff(swing[below:], append=np.inf) > 0))


def _add_thigh(values: dict[str, list[float]], kept: list[tuple[int, int]], shank: FloatArray, thigh: Window) -> None:
    rate = _sagittal(thigh.gyr)
    length = min(len(rate), len(shank))
    rate, shank = rate[:length], shank[:length]
    slow = float(np.dot(_slow(rate), _slow(shank)))
    rate = rate if slow >= 0 else -rate
    difference = np.r_[0.0, np.cumsum(rate - shank)] / GRID_HZ
    for a, b in kept:
        if b > length:
            continue
        values["thigh"].append(float(np.log(max(np.ptp(rate[a:b]), 1e-3))))
        knee = difference[a : b + 1]
        knee = knee - np.linspace(knee[0], knee[-1], len(knee))
        values["knee"].append(float(np.log(max(np.ptp(knee), 1e-3))))


def _slow(rate: FloatArray) -> FloatArray:
    width = GRID_HZ // 4
    running = np.r_[0.0, np.cumsum(rate)]
    return np.asarray(running[width:] - running[:-width])


def leg_windows(windows: Mapping[str, Window], side: str) -> tuple[Window | None, Window | None]:
    """Shank and thigh of one side."""
    return windows.get(f"shank_{side}"), windows.get(f"thigh_{side}")
