"""What a block of strides says, as sums: harmonics of exact strides, locked to the stride or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics._window import GRID_HZ, FloatArray, Window
from analytics.compensation._bands import bands
from analytics.compensation._strides import Channels, Strides

ComplexArray = NDArray[np.complex128]

CHANNELS = ("v", "ap", "ml", "yaw", "roll", "pitch", "norm")
"""Acceleration up, forward, left; rate about up, forward, left; size of the specific force."""

STEP_ODD = frozenset({"ml", "yaw", "roll"})
"""Channels that change sign from step to step: their in-phase harmonics are the odd ones."""

_POINTS = 128
_HARMONICS = 20
_REGULAR = 12
_ANGLES = 8
_BLOCK = 4
_V, _AP, _ML, _YAW, _ROLL, _PITCH = range(6)
_EVEN, _ODD = slice(1, None, 2), slice(0, None, 2)

SLOTS: tuple[str, ...] = (
    "strides",
    "duration",
    "duration_spread",
    "axis_certainty",
    *(f"{kind}_{channel}" for kind in ("even", "odd", "total") for channel in CHANNELS),
    *(f"{kind}_{channel}" for kind in ("hr", "inphase20", "total20", "square") for channel in CHANNELS[:3]),
    *(f"range_{channel}" for channel in CHANNELS[3:6]),
    "lift",
    "step_v",
    "wave_4",
    "wave_6",
    *(f"side_{pair}_{part}" for pair in ("v_ml", "v_yaw", "ap_ml") for part in ("re", "im")),
)
"""Names of the sums of one block; every one adds up over blocks, weighted by strides."""

SLOT = {name: place for place, name in enumerate(SLOTS)}


@dataclass(frozen=True, slots=True)
class StretchSpectrum:
    """Blocks of one stretch.

    Attributes
    ----------
    rows
        (blocks, len(SLOTS)) sums.
    at
        (blocks,) row in the window at which each block's middle lies.
    forward
        Unit vector of the walking direction in the sensor frame.
    """

    rows: FloatArray
    at: FloatArray
    forward: FloatArray


def spectrum(window: Window, body: Channels, strides: Strides, forward: FloatArray | None) -> StretchSpectrum | None:
    """Sums over blocks of four to seven good strides; None where too few strides are left for axes."""
    start, end = strides.start[strides.good], strides.end[strides.good]
    if len(start) < (2 if forward is not None else 4):
        return None
    samples, lines = _lines(window, body, start, end)
    heading, certainty = _heading(lines) if forward is None else (_known_heading(forward, body), 1.0)
    if heading is None:
        return None
    lines, squares = _turn(lines, heading), _turned_squares(samples, heading)
    duration = (end - start) / GRID_HZ
    parts = np.array_split(np.arange(len(start)), max(1, len(start) // _BLOCK))
    spread = (duration - duration.mean()) ** 2 * len(duration) / (len(duration) - 1)
    timing = np.column_stack([duration, spread])
    rows = np.stack([_row(lines[part], timing[part], squares[part], certainty) for part in parts])
    at = np.array([(start[part[0]] + end[part[-1]]) / 2 for part in parts])
    ahead = heading[0] * body.axes[1] + heading[1] * body.axes[2]
    return StretchSpectrum(rows, at, ahead)


def _lines(window: Window, body: Channels, start: FloatArray, end: FloatArray) -> tuple[FloatArray, ComplexArray]:
    """(n, points, 3) accelerations and (n, 7, harmonics) lines whose squared size is power."""
    place = start[:, None] + np.arange(_POINTS) / _POINTS * (end - start)[:, None]
    row = np.minimum(place.astype(np.intp), len(window) - 2)
    share = (place - row)[..., None]
    size = np.sqrt(np.einsum("ij,ij->i", window.acc, window.acc))
    signals = np.column_stack([body.acc, body.gyr, size])
    samples = signals[row] * (1 - share) + signals[row + 1] * share
    lines = np.fft.rfft(samples, axis=1)[:, 1 : _HARMONICS + 1] * (np.sqrt(2) / _POINTS)
    return samples[..., :3], np.moveaxis(lines, 1, 2)


def _pair_power(lines: ComplexArray) -> FloatArray:
    """Power that repeats from stride to stride, times the strides, unbiased by their number (n ≥ 2)."""
    summed = lines.sum(axis=0)
    own = np.sum(lines.real**2 + lines.imag**2, axis=0)
    return np.asarray((summed.real**2 + summed.imag**2 - own) / (len(lines) - 1))


def _heading(lines: ComplexArray) -> tuple[FloatArray | None, float]:
    """Forward in the horizontal axes: what repeats every step minus what repeats every stride.

    Acceleration along the walk and rotation about the side axis repeat with the step; sway, roll with the stride.
    Sign from vertical acceleration lagging the forward one by about 114° at the step's first harmonic.
    """
    matrix = np.zeros((2, 2))
    for channel, sign, weight in ((1, 1.0, 1.0), (4, -1.0, 0.7)):
        for harmonics, part in (((1, 3), sign), ((0, 2), -sign)):
            power = _pair_matrix(lines[:, channel : channel + 2][:, :, harmonics])
            trace = float(np.trace(power))
            if trace > 0:
                matrix += weight * part * power / trace
    if not matrix.any():
        return None, 0.0
    ahead = np.linalg.eigh(matrix)[1][:, -1]
    summed = lines[:, :3, 1].sum(axis=0)
    cross = summed[0] * np.conj(ahead[0] * summed[1] + ahead[1] * summed[2])
    lag = np.radians(bands().phase_deg["v_ap_2"])
    certainty = float(np.cos(np.angle(cross) - lag))
    return (ahead if certainty >= 0 else -ahead), abs(certainty)


def _pair_matrix(lines: ComplexArray) -> FloatArray:
    summed = lines.sum(axis=0)
    all_pairs = np.einsum("ih,jh->ij", summed, summed.conj()) - np.einsum("nih,njh->ij", lines, lines.conj())
    return np.asarray(all_pairs.real / (len(lines) - 1))


def _known_heading(forward: FloatArray, body: Channels) -> FloatArray | None:
    flat = body.axes[1:] @ forward
    size = float(np.linalg.norm(flat))
    return flat / size if size > 0.2 else None


def _turn(lines: ComplexArray, heading: FloatArray) -> ComplexArray:
    """Horizontal pairs to (forward, left)."""
    out = lines.copy()
    c, s = heading
    for first in (1, 4):
        out[:, first] = c * lines[:, first] + s * lines[:, first + 1]
        out[:, first + 1] = c * lines[:, first + 1] - s * lines[:, first]
    return out


def _turned_squares(samples: FloatArray, heading: FloatArray) -> FloatArray:
    """(n, 3) mean squares of acceleration up, forward, left, mean removed."""
    c, s = heading
    v, first, second = np.moveaxis(samples, 2, 0)
    return np.stack([v.var(axis=1), (c * first + s * second).var(axis=1), (c * second - s * first).var(axis=1)], 1)


def _row(lines: ComplexArray, timing: FloatArray, squares: FloatArray, certainty: float) -> FloatArray:
    n = len(lines)
    duration, spread = timing.sum(axis=0)
    mean = lines.mean(axis=0)
    locked = _pair_power(lines)
    power = lines.real**2 + lines.imag**2
    total = power.sum(axis=0)
    size = np.sqrt(power[:, :3])
    inner, outer = size[..., _EVEN].sum(axis=2), size[..., _ODD].sum(axis=2)
    inner[:, _ML], outer[:, _ML] = outer[:, _ML].copy(), inner[:, _ML].copy()
    inphase = total[:3, _EVEN].sum(axis=1)
    inphase[_ML] = total[_ML, _ODD].sum()
    period = duration / n
    side = np.array([_cross(lines, a, b) for a, b in ((_V, _ML), (_V, _YAW), (_AP, _ML))])
    return np.concatenate(
        [
            [n, duration, spread, n * certainty],
            locked[:, 1:_REGULAR:2].sum(axis=1),
            locked[:, 0:_REGULAR:2].sum(axis=1),
            total[:, :_REGULAR].sum(axis=1),
            (inner / np.maximum(outer, 1e-9)).sum(axis=0),
            inphase,
            total[:3].sum(axis=1),
            squares.sum(axis=0),
            n * _ranges(mean[_YAW : _PITCH + 1], period, 1),
            n * _ranges(mean[_V : _V + 1], period, 2),
            [locked[_V, 1]],
            n * _wave(mean),
            np.column_stack([side.real, side.imag]).ravel(),
        ]
    )


def _cross(lines: ComplexArray, a: int, b: int) -> complex:
    """Repeating cross power of two channels at the stride's first harmonic, times the strides."""
    first, second = lines[:, a, 0], np.conj(lines[:, b, 0])
    return complex((first.sum() * second.sum() - (first * second).sum()) / (len(lines) - 1))


def _ranges(mean: ComplexArray, period: float, times: int) -> FloatArray:
    """Peak-to-peak of a mean stride integrated `times` over."""
    order = np.arange(1, _ANGLES + 1)
    integrated = mean[:, :_ANGLES] / (2j * np.pi * order / period) ** times
    phase = np.exp(2j * np.pi * np.outer(order, np.arange(64) / 64))
    curve = np.sqrt(2) * (integrated @ phase).real
    return np.asarray(np.ptp(curve, axis=1))


def _wave(mean: ComplexArray) -> FloatArray:
    """Forward acceleration at harmonics 4 and 6 in their usual place in the step, m/s².

    The beat of the step is the mean direction of the second harmonics, vertical and forward, so that neither a
    sensor that tips with the soft tissue nor a weak axis decides alone.
    """
    usual = bands().phase_deg
    beat = _unit(mean[_V, 1]) + _unit(mean[_AP, 1]) * np.exp(1j * np.radians(usual["v_ap_2"]))
    beat = _unit(beat)
    return np.array(
        [
            (mean[_AP, h - 1] * np.conj(beat) ** (h // 2) * np.exp(-1j * np.radians(usual[f"ap_{h}_beat"]))).real
            for h in (4, 6)
        ]
    )


def _unit(line: complex) -> complex:
    return line / max(abs(line), 1e-9)
