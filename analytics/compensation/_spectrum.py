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
from analytics.compensation._strides import Channels, SingleArray, Strides

ComplexArray = NDArray[np.complex128]

CHANNELS = ("v", "ap", "ml", "yaw", "roll", "pitch", "norm")
"""Acceleration up, forward, left; rate about up, forward, left; size of the specific force."""

STEP_ODD = frozenset({"ml", "yaw", "roll"})
"""Channels that change sign from step to step: their in-phase harmonics are the odd ones."""

SIDE_PAIRS = ("v_ml", "v_yaw", "ap_ml")
"""Pairs of channels whose phase at the stride's first harmonic tells the side."""

_POINTS = 128
_HARMONICS = 20
_REGULAR = 12
_ANGLES = 8
_BLOCK = 4
_V, _AP, _ML, _YAW, _ROLL, _PITCH = range(6)
_PHASE = np.arange(_POINTS) / _POINTS
_PAIRS, _REPEATS = np.array([[_AP, _ML], [_ROLL, _PITCH]]), np.array([[1, 3], [0, 2]])
"""Accelerations, rates; harmonics of the step, of the stride alone."""
_ONE, _OTHER = np.array([_V, _V, _AP]), np.array([_ML, _YAW, _ML])
"""The channels of `SIDE_PAIRS`."""
_PAIR_WEIGHT = np.array([[1.0, -1.0], [-0.7, 0.7]])
"""The same way: what repeats with the step counts for accelerations, against it for rates."""
_EVEN = (np.arange(1, _HARMONICS + 1) % 2 == 0).astype(float)
_BY_STEP = np.column_stack([_EVEN, 1 - _EVEN])
"""(harmonics, 2) sums over even and over odd harmonics."""
_WITHIN = _BY_STEP * (np.arange(_HARMONICS) < _REGULAR)[:, None]
"""The same up to the highest harmonic that counts for regularity."""
_OWN = np.column_stack([_BY_STEP, _WITHIN.sum(axis=1)])


def _integral(times: int) -> FloatArray:
    """(2 harmonics, 64) real matrix from lines, real and imaginary by turns, to their curve integrated `times` over.

    For strides of one second; longer ones times their duration to the power of `times`.
    """
    order = np.arange(1, _ANGLES + 1)
    cycle = np.exp(2j * np.pi * np.outer(order, np.arange(64) / 64)) / (2j * np.pi * order[:, None]) ** times
    return np.asarray(np.sqrt(2) * np.stack((cycle.real, -cycle.imag), axis=1).reshape(2 * _ANGLES, 64))


_INTEGRAL = {times: _integral(times) for times in (1, 2)}

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
    *(f"side_{pair}_{part}" for pair in SIDE_PAIRS for part in ("re", "im")),
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
    duration, many = (end - start) / GRID_HZ, len(start)
    blocks = max(1, many // _BLOCK)
    first = [round(block * (many / blocks)) for block in range(blocks)]
    spread = (duration - duration.sum() / many) ** 2 * (many / (many - 1))
    per_stride = np.array((duration, spread, *squares)).T
    rows = _rows(lines, per_stride, certainty, _members(first, many))
    at = (start[first] + end[[row - 1 for row in (*first[1:], many)]]) / 2
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


def _lines(body: Channels, start: FloatArray, end: FloatArray) -> tuple[SingleArray, ComplexArray]:
    """(3, n, points) accelerations and (n, 7, harmonics) lines whose squared size is power."""
    place = start[:, None] + _PHASE * (end - start)[:, None]
    row = np.minimum(place.astype(np.intp), body.signals.shape[1] - 2)
    here, samples = body.signals.take(row, axis=1), body.signals.take(row + 1, axis=1)
    place -= row
    samples -= here
    samples *= place.astype(np.float32)
    samples += here
    lines = np.empty((len(start), len(samples), _HARMONICS), dtype=np.complex128)
    found = rfft(samples, axis=2)[..., 1 : _HARMONICS + 1].transpose(1, 0, 2)
    return samples[:3], np.multiply(found, math.sqrt(2) / _POINTS, out=lines)


def _heading(lines: ComplexArray) -> tuple[FloatArray | None, float]:
    """Forward in the horizontal axes: what repeats every step minus what repeats every stride.

    Acceleration along the walk and rotation about the side axis repeat with the step; sway, roll with the stride.
    Sign from vertical acceleration lagging the forward one by about 114° at the step's first harmonic.
    """
    power = _pair_powers(lines)
    trace = power[..., 0, 0] + power[..., 1, 1]
    weight = np.divide(_PAIR_WEIGHT, trace, out=np.zeros((2, 2)), where=trace > 0)
    (along, mixed), (_, across) = (weight[..., None, None] * power).sum(axis=(0, 1)).tolist()
    if not (along or mixed or across):
        return None, 0.0
    angle = 0.5 * math.atan2(2 * mixed, along - across)
    ahead = np.array((math.cos(angle), math.sin(angle)))
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
    c, s = heading.tolist()
    out = lines.copy()
    first, second = lines[:, 1:5:3], lines[:, 2:6:3]
    out[:, 1:5:3] = c * first + s * second
    out[:, 2:6:3] = c * second - s * first
    return out


def _turned_squares(samples: SingleArray, heading: FloatArray) -> list[FloatArray]:
    """Mean squares of (3, n, points) acceleration up, forward, left, mean removed: (n,) each."""
    c, s = heading.tolist()
    up, first, second = (samples - samples.sum(axis=2, keepdims=True) / _POINTS) * np.float32(_POINTS**-0.5)
    one, other, both = np.vecdot(first, first), np.vecdot(second, second), 2 * c * s * np.vecdot(first, second)
    return [np.vecdot(up, up), c * c * one + s * s * other + both, s * s * one + c * c * other - both]


def _members(first: list[int], many: int) -> FloatArray:
    """(blocks, n) one where a stride belongs to a block: their product with values of strides is the blocks' sums."""
    rows = np.arange(many)
    begin = np.array(first)[:, None]
    end = np.array([*first[1:], many])[:, None]
    return ((rows >= begin) & (rows < end)).astype(float)


def _rows(lines: ComplexArray, per_stride: FloatArray, certainty: float, members: FloatArray) -> FloatArray:
    """(blocks, len(SLOTS)) sums; `per_stride` holds duration, its squared spread, mean squares of acceleration."""
    many, shape = len(lines), (len(members), *lines.shape[1:])
    n = members.sum(axis=1, keepdims=True)
    power = lines.real**2 + lines.imag**2
    summed = (members @ lines.reshape(many, -1).view(np.float64)).view(np.complex128).reshape(shape)
    own = (members @ power.reshape(many, -1)).reshape(shape)
    locked = (summed.real**2 + summed.imag**2 - own) / (n[..., None] - 1)
    mean = summed / n[..., None]
    sums = members @ np.concatenate((per_stride, _harmonic_ratios(power), _products(lines)), axis=1)
    duration, products = sums[:, :1], sums[:, 8:]
    period = (duration / n)[..., None]
    angles, lift = _integrated(mean[:, _YAW : _PITCH + 1], period, 1), _integrated(mean[:, _V : _V + 1], period, 2)
    high, low = angles.max(axis=2), angles.min(axis=2)
    repeats, each = locked @ _WITHIN, own @ _OWN
    inphase = each[:, :3, 0].copy()
    inphase[:, _ML] = each[:, _ML, 1]
    return np.concatenate(
        [
            n,
            sums[:, :2],
            n * certainty,
            repeats[..., 0],
            repeats[..., 1],
            each[..., 2],
            sums[:, 5:8],
            inphase,
            each[:, :3, 0] + each[:, :3, 1],
            sums[:, 2:5],
            n * (high - low),
            n * high[:, 1:2],
            -n * low[:, 1:2],
            n * (lift.max(axis=2) - lift.min(axis=2)),
            locked[:, _V, 1:2],
            n * _wave(mean),
            (_products(summed) - products) / (n - 1),
        ],
        axis=1,
    )


def _harmonic_ratios(power: FloatArray) -> FloatArray:
    """(n, 3) even over odd amplitudes of acceleration up and forward, odd over even ones of the sideways one."""
    size = np.sqrt(power[:, :3]) @ _BY_STEP
    ratio = size[..., 0] / np.maximum(size[..., 1], 1e-9)
    ratio[:, _ML] = 1 / np.maximum(ratio[:, _ML], 1e-9)
    return np.asarray(ratio)


def _products(lines: ComplexArray) -> FloatArray:
    """(n, 6) cross products at the stride's first harmonic, real and imaginary by turns."""
    first = lines[..., 0]
    return (first.take(_ONE, axis=1) * np.conj(first.take(_OTHER, axis=1))).view(np.float64)


def _integrated(mean: ComplexArray, period: FloatArray, times: int) -> FloatArray:
    """Curves of mean strides integrated `times` over, their mean removed."""
    lines = np.ascontiguousarray(mean[..., :_ANGLES]).view(np.float64)
    return np.asarray(lines @ _INTEGRAL[times] * period**times)


def _wave(mean: ComplexArray) -> FloatArray:
    """Forward acceleration at harmonics 4 and 6 in their usual place in the step, m/s².

    The beat of the step is the mean direction of the second harmonics, vertical and forward, so that neither a
    sensor that tips with the soft tissue nor a weak axis decides alone.
    """
    usual = bands().phase_deg
    beat = _unit(_unit(mean[:, _V, 1]) + _unit(mean[:, _AP, 1]) * _turned(usual["v_ap_2"]))
    back = np.conj(beat)
    twice = back * back
    placed = (
        mean[:, _AP, 3] * twice * _turned(-usual["ap_4_beat"]),
        mean[:, _AP, 5] * (twice * back) * _turned(-usual["ap_6_beat"]),
    )
    return np.array(placed).real.T


def _unit(lines: ComplexArray) -> ComplexArray:
    return np.asarray(lines / np.maximum(np.abs(lines), 1e-9))


def _turned(degrees: float) -> complex:
    return cmath.rect(1.0, math.radians(degrees))
