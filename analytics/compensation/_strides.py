"""Exact strides without contacts or axes: a stride is what repeats, in six channels at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from analytics._middle import median
from analytics._mounting import cross, unit
from analytics._peaks import peaks
from analytics._window import GRID_HZ, BoolArray, FloatArray, Window

SingleArray = NDArray[np.float32]

GRAVITY = 9.80665
COARSE_HZ = 25
"""Rate of the search; its band ends at 5 Hz."""

_AXES = np.eye(3)
_PASS_HZ = (0.3, 5.0)
_PERIOD_S = (0.7, 3.0)
_WINDOW_S = 7.0
_PERIODICITY_MIN = 0.3
_PEAK_OF_BEST = 0.8
_ALIKE = 0.15
_MATCH_MIN = 0.4
_SPACING = (0.72, 1.38)
_TURN_RATE = np.radians(30.0)
_TURN_ANGLE = np.radians(20.0)
_AMPLITUDE_MIN = 0.7
_DURATION_OFF = 0.2
_VALID_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Strides:
    """Strides of one stretch, by rising start.

    Attributes
    ----------
    start, end
        (n,) rows in the window, fractional.
    good
        (n,) steady and straight: fit for symmetry and regularity.
    period_s
        Stride time of the template, s.
    """

    start: FloatArray
    end: FloatArray
    good: BoolArray
    period_s: float


@dataclass(frozen=True, slots=True)
class Channels:
    """Seven channels in a horizontal frame fixed to the sensor.

    Attributes
    ----------
    signals
        (7, n) gravity-free acceleration along up, first and second horizontal axis (m/s²), angular rate about the
        same axes (rad/s), and the size of the specific force (m/s²); single precision, as the samples waited.
    axes
        (3, 3) rows: up, first and second horizontal axis in the sensor frame (right-handed).
    """

    signals: SingleArray
    axes: FloatArray


def channels(window: Window) -> Channels:
    """Gravity-free acceleration and rate in a frame whose first axis is the stretch's mean up.

    The specific force is rescaled so that its mean along up is 1 g: over whole strides a walking body neither
    rises nor sinks, so a sensor's gain error cancels.
    """
    force, rates, earth = (np.ascontiguousarray(one.T) for one in (window.acc, window.gyr, window.up))
    up = unit(earth.sum(axis=1))
    first = unit(cross(up, _AXES[int(np.abs(up).argmin())]))
    axes = np.array((up, first, cross(up, first)))
    along = float(np.vdot(force, earth)) / len(window)
    signals = np.empty((7, len(window)), dtype=np.float32)
    signals[:3] = (GRAVITY / max(along, 1.0)) * axes @ force - GRAVITY * axes @ earth
    signals[3:6] = axes @ rates
    signals[6] = np.sqrt((force * force).sum(axis=0))
    return Channels(signals, axes)


def find_strides(window: Window, body: Channels) -> Strides | None:
    """The strides of a stretch of walking, or None where nothing repeats.

    Autocorrelation of six energy-normalised channels for the period (after Moe-Nilssen & Helbostad 2004, made
    mounting-free by summing over axes); then every stride is where the average stride matches best.
    """
    length = len(window)
    if length < 2.5 * _PERIOD_S[0] * GRID_HZ:
        return None
    coarse, yaw = _coarse(body, length)
    straight = np.abs(yaw) < _TURN_RATE
    found = _period(coarse.astype(np.float32), straight)
    if found is None:
        return None
    period, anchor = found
    peaks = _match(coarse, straight, period, anchor)
    if len(peaks) < 3:
        return None
    return _strides(window, body, peaks * (GRID_HZ / COARSE_HZ), period)


def _coarse(body: Channels, length: int) -> tuple[FloatArray, FloatArray]:
    """(6, m) channels at 25 Hz, each triple over its RMS, and the slow yaw rate."""
    step = 2 * GRID_HZ // COARSE_HZ
    size = step * next_fast_len(-(-(length + GRID_HZ) // step), real=True)
    band, slow = _gains(size)
    cut = rfft(body.signals[:6], size, axis=1)[:, : len(band)]
    kept = np.empty((7, len(band)), dtype=np.complex128)
    np.multiply(cut, band, out=kept[:6])
    np.multiply(cut[3], slow, out=kept[6])
    whole = irfft(kept, size * COARSE_HZ // GRID_HZ, axis=1)[:, : (length * COARSE_HZ) // GRID_HZ]
    for triple in (whole[:3], whole[3:6]):
        triple /= max(math.sqrt(float((triple * triple).sum()) / triple.size), 1e-9)
    return whole[:6], whole[6]


@lru_cache(maxsize=8)
def _gains(size: int) -> tuple[FloatArray, FloatArray]:
    """At every line of so long a transform, up to half the coarse rate: the pass band's gain, and the slow one's."""
    hz = np.arange(size * COARSE_HZ // GRID_HZ // 2 + 1) * GRID_HZ / size
    band = _ramp((hz - 0.5 * _PASS_HZ[0]) / (0.5 * _PASS_HZ[0])) * _ramp(2 * (_PASS_HZ[1] + 0.5 - hz))
    return band * (COARSE_HZ / GRID_HZ), _ramp(2 - 2 * hz) * (COARSE_HZ / GRID_HZ)


def _ramp(values: FloatArray) -> FloatArray:
    """Held between 0 and 1."""
    return np.minimum(np.maximum(values, 0.0), 1.0)


def _period(coarse: SingleArray, straight: BoolArray) -> tuple[float, int] | None:
    """Stride time in coarse rows and the first row of the most periodic stride."""
    width = min(int(_WINDOW_S * COARSE_HZ), coarse.shape[1])
    starts = np.arange(0, coarse.shape[1] - width + 1, max(width // 2, 1))
    rows = starts[:, None] + np.arange(width)
    pieces = coarse.take(rows, axis=1)
    lags = int(min(_PERIOD_S[1] * COARSE_HZ, 0.6 * width)) + 2
    size = next_fast_len(width + lags, real=True)
    spectrum = rfft(pieces, size, axis=2)
    power = spectrum.real**2 + spectrum.imag**2
    repeats = irfft(power.reshape(2, 3, *power.shape[1:]).sum(axis=1), size, axis=2)[..., :lags]
    raw = repeats / (width - np.arange(lags, dtype=np.float32))
    curve = (raw / np.maximum(raw[..., :1], 1e-9)).sum(axis=0) / 2
    energy = raw[..., 0].sum(axis=0)
    lag, height = _first_peaks(curve)
    mostly_straight = 2 * straight.take(rows).sum(axis=1) > width
    usable = (energy > 0.1 * energy.max()) & (height > _PERIODICITY_MIN) & mostly_straight
    if not usable.any():
        return None
    alike = (np.abs(lag[:, None] / np.maximum(lag, 1e-9) - 1) < _ALIKE) & usable[:, None] & usable
    chosen = alike[:, int(np.argmax(height @ alike))]
    period = median(lag[chosen])
    start = int(starts[np.argmax(np.where(chosen, height, -1.0))])
    return period, start + max((width - int(period)) // 2, 0)


def _first_peaks(curves: SingleArray) -> tuple[FloatArray, FloatArray]:
    """Lag and height of the first peak of every curve that is nearly as high as its highest; 0 where none rises."""
    shortest = int(_PERIOD_S[0] * COARSE_HZ)
    inner = curves[:, shortest:-1]
    heights = np.where((inner >= curves[:, shortest - 1 : -2]) & (inner > curves[:, shortest + 1 :]), inner, 0.0)
    best = heights.max(axis=1, keepdims=True)
    row = (heights >= _PEAK_OF_BEST * best).argmax(axis=1) + shortest
    left, height, right = curves[np.arange(len(curves)), row + np.array([[-1], [0], [1]])].astype(float)
    found = best[:, 0] > 0
    return np.where(found, row + _vertex(left, height, right), 0.0), np.where(found, height, 0.0)


def _vertex(left: FloatArray, top: FloatArray, right: FloatArray) -> FloatArray:
    """Place of a parabola's top between three neighbours, −0.5 to 0.5."""
    bow = np.minimum(left - 2 * top + right, -1e-12)
    return np.minimum(np.maximum(0.5 * (left - right) / bow, -0.5), 0.5)


def _match(coarse: FloatArray, straight: BoolArray, period: float, anchor: int) -> FloatArray:
    """Coarse rows, fractional, at which the average stride matches best."""
    width, length = round(period), coarse.shape[1]
    places = length - width + 1
    if places < 4:
        return np.empty(0)
    rows = np.ascontiguousarray(coarse.T)
    windows = _windows(rows, width)
    energy = running_sum(np.vecdot(rows, rows))
    norms = np.sqrt(np.maximum(energy[width:] - energy[:-width], 1e-9))
    open_road = straight[:places] & straight[width - 1 :]
    chosen = np.array([min(anchor, places - 1)])
    for _round in range(3):
        template = (1 / norms[chosen]) @ windows[chosen] / len(chosen)
        curve = np.vecdot(windows, template) / (norms * max(math.sqrt(float(template @ template)), 1e-9))
        tops = peaks(curve, _MATCH_MIN, max(1, int(0.6 * period)))
        straight_on = tops[open_road[tops]]
        if len(straight_on) < 2 or np.array_equal(straight_on, chosen):
            break
        chosen = straight_on
    if not len(tops):
        return np.empty(0)
    return np.asarray(tops + _vertex(curve[tops - 1], curve[tops], curve[tops + 1]), dtype=float)


def _windows(rows: FloatArray, width: int) -> FloatArray:
    """(n - width + 1, width channels) view of all windows of (n, channels) rows, each window's rows end to end."""
    shape = len(rows) - width + 1, width * rows.shape[1]
    return np.ndarray(shape, rows.dtype, rows, strides=(rows.strides[0], rows.itemsize))


def _strides(window: Window, body: Channels, marks: FloatArray, period: float) -> Strides:
    step = GRID_HZ / COARSE_HZ
    spacing = (marks[1:] - marks[:-1]) / (period * step)
    chained = (spacing > _SPACING[0]) & (spacing < _SPACING[1])
    start, end = marks[:-1][chained], marks[1:][chained]
    if not len(start):
        return Strides(start, end, np.zeros(0, dtype=bool), period / COARSE_HZ)
    first, last = np.floor(start).astype(int), np.minimum(np.ceil(end).astype(int), len(window))
    span = last - first
    duration = end - start
    sane = np.abs(duration / median(duration) - 1) < _DURATION_OFF
    if not window.valid.all():
        sane &= _sums(window.valid, first, last) / span >= _VALID_SHARE
    turned = np.abs(_sums(body.signals[3], first, last)) / GRID_HZ
    curved = turned > _TURN_ANGLE
    passage = sane & ~curved
    good = _without_ends(start, end, passage)
    if good.any():
        amplitude = np.sqrt(_sums((body.signals[:3] ** 2).sum(axis=0), first, last) / span)
        good &= amplitude > _AMPLITUDE_MIN * median(amplitude[good])
    return Strides(start, end, good, period / COARSE_HZ)


def running_sum(values: FloatArray | SingleArray | BoolArray) -> FloatArray:
    """(n + 1,) sums of all values before each place."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, dtype=float, out=sums[1:])
    return sums


def _sums(values: FloatArray | SingleArray | BoolArray, first: NDArray[np.intp], last: NDArray[np.intp]) -> FloatArray:
    running = running_sum(values)
    return running[last] - running[first]


def _without_ends(start: FloatArray, end: FloatArray, passage: BoolArray) -> BoolArray:
    """Drop first and last stride of every passage: people start and stop in them."""
    joined = np.abs(start[1:] - end[:-1]) < 1.0
    inner = passage.copy()
    inner[1:] &= passage[:-1] & joined
    inner[:-1] &= passage[1:] & joined
    inner[[0, -1]] = False
    return inner
