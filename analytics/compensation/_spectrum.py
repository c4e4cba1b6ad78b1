"""What a block of strides says, as sums: harmonics of exact strides, locked to the stride or not."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from analytics._window import GRID_HZ, FloatArray
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
_ORDER = np.arange(1, _ANGLES + 1)
_CYCLE = np.exp(2j * np.pi * np.outer(_ORDER, np.arange(64) / 64))
_EVEN, _ODD = slice(1, None, 2), slice(0, None, 2)
_PAIRS, _REPEATS = np.array([[_AP, _ML], [_ROLL, _PITCH]]), np.array([[1, 3], [0, 2]])
_PAIR_WEIGHT = np.array([1.0, -0.7])[:, None, None]
"""Accelerations, rates; harmonics of the step, of the stride alone."""

SLOTS: tuple[str, ...] = (
    "strides",
    "duration",
    "duration_spread",
    "axis_certainty",
    *(f"{kind}_{channel}" for kind in ("even", "odd", "total") for channel in CHANNELS),
    *(f"{kind}_{channel}" for kind in ("hr", "inphase20", "total20", "square") for channel in CHANNELS[:3]),
    *(f"range_{channel}" for channel in CHANNELS[3:6]),
    "right_down",
    "left_down",
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


def spectrum(body: Channels, strides: Strides, forward: FloatArray | None) -> StretchSpectrum | None:
    """Sums over blocks of four to seven good strides; None where too few strides are left for axes."""
    start, end = strides.start[strides.good], strides.end[strides.good]
    if len(start) < (2 if forward is not None else 4):
        return None
    samples, lines = _lines(body, start, end)
    heading, certainty = _heading(lines) if forward is None else (_known_heading(forward, body), 1.0)
    if heading is None:
        return None
    lines, squares = _turn(lines, heading), _turned_squares(samples, heading)
    duration = (end - start) / GRID_HZ
    first = np.unique(np.round(np.linspace(0, len(start), max(1, len(start) // _BLOCK) + 1)[:-1]).astype(np.intp))
    spread = (duration - duration.mean()) ** 2 * len(duration) / (len(duration) - 1)
    per_stride = np.column_stack([duration, spread, squares])
    rows = _rows(lines, per_stride, certainty, first)
    at = (start[first] + end[np.append(first[1:], len(end)) - 1]) / 2
    ahead = heading[0] * body.axes[1] + heading[1] * body.axes[2]
    return StretchSpectrum(rows, at, ahead)


@dataclass(frozen=True, slots=True)
class SideView:
    """The mean stride of a stretch in the frontal plane: how many strides, and the roll angle over one, rad."""

    strides: int
    roll: FloatArray


def side_view(body: Channels, strides: Strides) -> SideView | None:
    """The frontal movement of a body that may be inclined; None where too few strides are left for axes.

    A segment inclined forwards that turns about its own length shows roll in step with its yaw; leaning over the
    stance leg comes a quarter of a stride apart from turning. So what is in step with the yaw is taken out of the
    stride's first harmonic.
    """
    start, end = strides.start[strides.good], strides.end[strides.good]
    if len(start) < 4:
        return None
    _, lines = _lines(body, start, end)
    heading, _ = _heading(lines)
    if heading is None:
        return None
    mean = _turn(lines, heading).mean(axis=0)
    yaw, roll = mean[_YAW], mean[_ROLL].copy()
    roll[0] -= yaw[0] * float((roll[0] * np.conj(yaw[0])).real) / max(float(np.abs(yaw[0])) ** 2, 1e-12)
    period = np.array([[float((end - start).mean()) / GRID_HZ]])
    return SideView(len(start), _integrated(roll[None, :], period, 1)[0])


def _lines(body: Channels, start: FloatArray, end: FloatArray) -> tuple[FloatArray, ComplexArray]:
    """(3, n, points) accelerations and (n, 7, harmonics) lines whose squared size is power."""
    place = start[:, None] + np.arange(_POINTS) / _POINTS * (end - start)[:, None]
    row = np.minimum(place.astype(np.intp), body.signals.shape[1] - 2)
    here = body.signals[:, row]
    samples = here + (body.signals[:, row + 1] - here) * (place - row).astype(np.float32)
    lines = rfft(samples, axis=2)[..., 1 : _HARMONICS + 1].transpose(1, 0, 2).astype(np.complex128)
    return samples[:3].astype(float), lines * (math.sqrt(2) / _POINTS)


def _heading(lines: ComplexArray) -> tuple[FloatArray | None, float]:
    """Forward in the horizontal axes: what repeats every step minus what repeats every stride.

    Acceleration along the walk and rotation about the side axis repeat with the step; sway, roll with the stride.
    Sign from vertical acceleration lagging the forward one by about 114° at the step's first harmonic.
    """
    power = _pair_powers(lines)
    trace = np.trace(power, axis1=2, axis2=3)[..., None, None]
    share = np.where(trace > 0, power / np.where(trace > 0, trace, 1.0), 0.0)
    matrix = (_PAIR_WEIGHT * (share[:, 0] - share[:, 1])).sum(axis=0)
    if not matrix.any():
        return None, 0.0
    ahead = np.linalg.eigh(matrix)[1][:, -1]
    summed = lines[:, :3, 1].sum(axis=0)
    cross = summed[0] * np.conj(ahead[0] * summed[1] + ahead[1] * summed[2])
    lag = math.radians(bands().phase_deg["v_ap_2"])
    certainty = math.cos(cmath.phase(complex(cross)) - lag)
    return (ahead if certainty >= 0 else -ahead), abs(certainty)


def _pair_powers(lines: ComplexArray) -> FloatArray:
    """(2, 2, 2, 2) what repeats: for horizontal acceleration and rates, with every step and every stride alone."""
    n = len(lines)
    pairs = lines[:, _PAIRS[:, None, :, None], _REPEATS[None, :, None, :]]
    parts = np.ascontiguousarray(pairs.transpose(1, 2, 3, 0, 4)).view(np.float64)
    summed, own = parts.sum(axis=3), parts.reshape(2, 2, 2, -1)
    return np.asarray((summed @ summed.swapaxes(2, 3) - own @ own.swapaxes(2, 3)) / (n - 1))


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
    v, first, second = samples
    turned = np.stack((v, c * first + s * second, c * second - s * first))
    turned -= turned.mean(axis=2, keepdims=True)
    return np.asarray((turned * turned).mean(axis=2).T)


def _rows(lines: ComplexArray, per_stride: FloatArray, certainty: float, first: NDArray[np.intp]) -> FloatArray:
    """(blocks, len(SLOTS)) sums; `per_stride` holds duration, its squared spread, mean squares of acceleration."""
    n = np.diff(first, append=len(lines)).astype(float)[:, None]
    power = lines.real**2 + lines.imag**2
    summed, own = np.add.reduceat(lines, first, axis=0), np.add.reduceat(power, first, axis=0)
    locked = (summed.real**2 + summed.imag**2 - own) / (n[..., None] - 1)
    duration, spread, *squares = np.add.reduceat(per_stride, first, axis=0).T
    mean = summed / n[..., None]
    period = duration[:, None, None] / n[..., None]
    size = np.sqrt(power[:, :3])
    ratio = size[..., _EVEN].sum(axis=2) / np.maximum(size[..., _ODD].sum(axis=2), 1e-9)
    ratio[:, _ML] = 1 / np.maximum(ratio[:, _ML], 1e-9)
    angles = _integrated(mean[:, _YAW : _PITCH + 1], period, 1)
    inphase = own[:, :3, _EVEN].sum(axis=2)
    inphase[:, _ML] = own[:, _ML, _ODD].sum(axis=1)
    return np.column_stack(
        [
            n,
            duration,
            spread,
            n * certainty,
            locked[..., 1:_REGULAR:2].sum(axis=2),
            locked[..., 0:_REGULAR:2].sum(axis=2),
            own[..., :_REGULAR].sum(axis=2),
            np.add.reduceat(ratio, first, axis=0),
            inphase,
            own[:, :3].sum(axis=2),
            *squares,
            n * np.ptp(angles, axis=-1),
            n * np.column_stack([angles[:, 1].max(axis=-1), -angles[:, 1].min(axis=-1)]),
            n * np.ptp(_integrated(mean[:, _V : _V + 1], period, 2), axis=-1),
            locked[:, _V, 1],
            n * _wave(mean),
            _cross(lines, summed, first, n),
        ]
    )


def _cross(lines: ComplexArray, summed: ComplexArray, first: NDArray[np.intp], n: FloatArray) -> FloatArray:
    """Repeating cross powers at the stride's first harmonic (real, imaginary by turns), times the strides."""
    one, other = [_V, _V, _AP], [_ML, _YAW, _ML]
    products = lines[:, one, 0] * np.conj(lines[:, other, 0])
    own = np.add.reduceat(products, first, axis=0)
    cross = (summed[:, one, 0] * np.conj(summed[:, other, 0]) - own) / (n - 1)
    return np.asarray(np.ascontiguousarray(cross).view(np.float64))


def _integrated(mean: ComplexArray, period: FloatArray, times: int) -> FloatArray:
    """Curves of mean strides integrated `times` over, their mean removed."""
    lines = mean[..., :_ANGLES] / (2j * np.pi * _ORDER / period) ** times
    return np.asarray(np.sqrt(2) * (lines @ _CYCLE).real)


def _wave(mean: ComplexArray) -> FloatArray:
    """Forward acceleration at harmonics 4 and 6 in their usual place in the step, m/s².

    The beat of the step is the mean direction of the second harmonics, vertical and forward, so that neither a
    sensor that tips with the soft tissue nor a weak axis decides alone.
    """
    usual = bands().phase_deg
    beat = _unit(_unit(mean[:, _V, 1]) + _unit(mean[:, _AP, 1]) * _turned(usual["v_ap_2"]))
    placed = [mean[:, _AP, h - 1] * np.conj(beat) ** (h // 2) * _turned(-usual[f"ap_{h}_beat"]) for h in (4, 6)]
    return np.column_stack([part.real for part in placed])


def _unit(lines: ComplexArray) -> ComplexArray:
    return np.asarray(lines / np.maximum(np.abs(lines), 1e-9))


def _turned(degrees: float) -> complex:
    return complex(np.exp(1j * np.radians(degrees)))
