"""From the samples of a stretch to the signals that show steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from analytics import _mounting as mounting_of
from analytics._mounting import Mounting
from analytics._peaks import band_pass
from analytics._window import GRID_HZ, BoolArray, FloatArray, Window

IntArray = NDArray[np.int64]

GRAVITY = 9.80665
SLOW = 4
"""The slow signals keep every fourth row, averaged: 25 Hz."""
SLOW_HZ = GRID_HZ // SLOW
PERIOD_WINDOW_S = 8
PERIOD_HOP_S = 2
SHORTEST_STRIDE_S = 0.7
LONGEST_STRIDE_S = 3.0
USUAL_STRIDE_S = 1.2
RHYTHM_POINTS = 288
PERIOD_SHARE = 0.85
PACES = np.array([1.0, 1.4, 1.9])
"""How much slower than usual: the bands in which steps and strides are sought are lower by this."""
PACE_EDGES_S = np.array([1.4, 1.9])
STEP_BAND_HZ = (1.2, 2.8)
STRIDE_BAND_HZ = (0.45, 1.15)
LOCK_BANDS_HZ = ((1.2, 2.8), (0.7, 1.8), (0.55, 1.4))
"""Steps of quick, slow and very slow gait; the mean of the first two counts, beyond `SLOWEST_S` of the last two."""
SLOWEST_S = 1.9
SWAY_BAND_HZ = (0.4, 1.5)


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch split into vertical and horizontal, still in the sensor frame: no direction needed.

    `vertical` (n,) and `horizontal` (n, 3) are gravity-free acceleration in m/s² at 100 Hz; the slow ones are at
    25 Hz. `at_s` to `mean_up` describe windows of 2 s, every second, from which the mounting is learnt. `period_s`
    and `rhythm` are the stride period and how clear it is, every 2 s.
    """

    window: Window
    vertical: FloatArray
    horizontal: FloatArray
    slow_vertical: FloatArray
    slow_horizontal: FloatArray
    at_s: FloatArray
    vigour: FloatArray
    step: FloatArray
    stride: FloatArray
    product: FloatArray
    mean_up: FloatArray
    period_s: FloatArray
    rhythm: FloatArray


@dataclass(frozen=True, slots=True)
class Signals:
    """A stretch in body axes; without a known direction `forward_known` is False and steps rest on vertical alone."""

    vertical: FloatArray
    ahead: FloatArray
    left: FloatArray
    yaw: FloatArray
    roll: FloatArray
    pitch: FloatArray
    slow: FloatArray
    sway: FloatArray
    hump: FloatArray
    tilt_deg: FloatArray
    period_s: FloatArray
    rhythm: FloatArray
    coherence: FloatArray


@cache
def slope_kernel(sigma_ms: int) -> FloatArray:
    """First derivative of a Gaussian, unit absolute sum, ±4 σ: convolving gives the size of a rise."""
    t = np.arange(-4 * sigma_ms // 10, 4 * sigma_ms // 10 + 1) * 10.0
    kernel = -t * np.exp(-0.5 * (t / sigma_ms) ** 2)
    return np.asarray(kernel / np.abs(kernel).sum())


@cache
def band_kernel(low_hz: float, high_hz: float, taps: int) -> FloatArray:
    """Linear-phase band-pass at 25 Hz."""
    return band_pass(taps, low_hz, high_hz, SLOW_HZ)


def same(signal: FloatArray, kernel: FloatArray) -> FloatArray:
    """Zero-phase convolution along the rows, edges held."""
    half = len(kernel) // 2
    if signal.ndim == 1:
        padded = np.concatenate((np.full(half, signal[0]), signal, np.full(half, signal[-1])))
        return np.convolve(padded, kernel, "valid")
    return np.column_stack([same(column, kernel) for column in signal.T])


def slower(signal: FloatArray) -> FloatArray:
    """Mean of every four rows."""
    n = len(signal) // SLOW
    return np.asarray(signal[: n * SLOW].reshape(n, SLOW, *signal.shape[1:]).mean(axis=1))


def level(window: Window) -> Level:
    """Split a stretch of at least 2 s into vertical and horizontal, find its rhythm and describe its 2 s windows."""
    along = np.einsum("ij,ij->i", window.acc, window.up)
    vertical = along - GRAVITY
    horizontal = window.acc - along[:, None] * window.up
    slow = slower(np.concatenate((vertical[:, None], horizontal, window.gyr, window.up), axis=1))
    period, rhythm = rhythm_of(slow[:, :4], slow[:, 4:7])
    width, hop = 2 * SLOW_HZ, SLOW_HZ
    starts = np.arange(0, len(slow) - width + 1, hop)
    rows = starts[:, None] + np.arange(width)
    at_s = (starts + width / 2) / SLOW_HZ
    pace = PACES[np.searchsorted(PACE_EDGES_S, nearest(period, at_s, PERIOD_HOP_S))]
    pieces = _paced_windows(slow[:, :4], rows, pace)
    return Level(
        window, vertical, horizontal, slow[:, 0], slow[:, 1:4], at_s, *pieces, slow[:, 7:][rows].mean(axis=1), period,
        rhythm,
    )  # fmt: skip


def _paced_windows(
    slow: FloatArray, rows: IntArray, pace: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Vigour, step and stride covariance and slope product of every window, in bands that fit its pace."""
    vigour, product = np.zeros(len(rows)), np.zeros((len(rows), 3))
    step, stride = np.zeros((len(rows), 3, 3)), np.zeros((len(rows), 3, 3))
    for one in np.unique(pace):
        use = pace == one
        low, high = STEP_BAND_HZ
        stepping = same(slow, band_kernel(low / one, high / one, 51 if one == 1.0 else 75))
        low, high = STRIDE_BAND_HZ
        swaying = same(slow[:, 1:], band_kernel(low / one, high / one, 75 if one == 1.0 else 101))
        ahead, swing = stepping[rows[use], 1:], swaying[rows[use]]
        slope = np.gradient(stepping[:, 0])[rows[use]]
        both, sway = np.einsum("wni,wnj->wij", ahead, ahead), np.einsum("wni,wnj->wij", swing, swing)
        trace = np.trace(both, axis1=1, axis2=2)
        vigour[use] = np.sqrt((stepping[rows[use], 0] ** 2).mean(axis=1))
        step[use] = both / (trace[:, None, None] + 1e-9)
        stride[use] = sway / (np.trace(sway, axis1=1, axis2=2)[:, None, None] + 1e-9)
        product[use] = np.einsum("wn,wni->wi", slope, ahead) / (np.sqrt((slope**2).sum(axis=1) * trace) + 1e-9)[:, None]
    return vigour, step, stride, product


def nearest(values: FloatArray, time_s: FloatArray, hop_s: float) -> FloatArray:
    """Values known every `hop_s`, the nearest to each time."""
    return np.asarray(values[np.clip((time_s / hop_s).astype(int), 0, len(values) - 1)])


def local_mounting(found: Level, inside: FloatArray | None = None) -> Mounting:
    """The mounting as this stretch alone shows it.

    `inside` holds (start, end) in s of walking found; without it the liveliest windows are taken for walking.
    """
    if inside is None:
        lively = 0.5 * float(np.percentile(found.vigour, 80)) if len(found.vigour) else 0.0
        use: BoolArray = np.asarray(found.vigour > lively)
    else:
        at = found.at_s[:, None]
        use = np.asarray(((at - 0.7 >= inside[:, 0]) & (at + 0.7 <= inside[:, 1])).any(axis=1))
    gathered = mounting_of.gather(found.mean_up, found.step, found.stride, found.product, use)
    # Windows overlap by half: two of them count as one.
    return Mounting(0.5 * gathered.windows, 0.5 * gathered.up_sum, 0.5 * gathered.shape, 0.5 * gathered.phase)


def signals(found: Level, up: FloatArray, forward: FloatArray) -> Signals:
    """Body-axis signals, step humps, sway and rhythm of a stretch."""
    window = found.window
    left = np.cross(up, forward)
    ahead, side = found.horizontal @ forward, found.horizontal @ left
    slow = np.column_stack((found.slow_vertical, found.slow_horizontal @ forward, found.slow_horizontal @ left))
    quick, slowish, slowest = (_phase_lock(same(slow[:, :2], band_kernel(*band, 51))) for band in LOCK_BANDS_HZ)
    creeping = nearest(found.period_s, np.arange(len(slow)) / SLOW_HZ, PERIOD_HOP_S) > SLOWEST_S
    return Signals(
        found.vertical,
        ahead,
        side,
        np.einsum("ij,ij->i", window.gyr, window.up),
        window.gyr @ forward,
        window.gyr @ left,
        slow,
        same(slow[:, 2], band_kernel(*SWAY_BAND_HZ, 51)),
        same(found.vertical - ahead, slope_kernel(80)),
        np.degrees(np.arccos(np.clip(slower(window.up) @ up, -1.0, 1.0))),
        found.period_s,
        found.rhythm,
        0.5 * (slowish + np.where(creeping, slowest, quick)),
    )


def _phase_lock(band: FloatArray) -> FloatArray:
    """Running correlation of the vertical slope with forward acceleration over 1.6 s."""
    rise, ahead = np.gradient(band[:, 0]), band[:, 1]
    box = np.ones(2 * int(0.8 * SLOW_HZ) + 1)
    size = np.sqrt(same(rise**2, box) * same(ahead**2, box))
    return np.asarray(same(rise * ahead, box) / (size + 1e-9))


def rhythm_of(acceleration: FloatArray, rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Stride period (s) and height of the autocorrelation there for every 2 s of a stretch.

    Acceleration and rates count the same and no direction matters; the rates keep a step from passing for a stride.
    """
    body = same(np.concatenate((acceleration, rates), axis=1), band_kernel(0.4, 5.0, 51))
    width, hop = PERIOD_WINDOW_S * SLOW_HZ, PERIOD_HOP_S * SLOW_HZ
    count = max(1, -(-len(body) // hop))
    margin = np.zeros((width, body.shape[1]))
    centres = np.arange(count) * hop + hop // 2 + width
    pieces = np.concatenate((margin, body, margin))[(centres - width // 2)[:, None] + np.arange(width)]
    power = np.abs(np.fft.rfft(pieces, RHYTHM_POINTS, axis=1)) ** 2
    split = acceleration.shape[1]
    power = np.stack((power[:, :, :split].sum(axis=2), power[:, :, split:].sum(axis=2)), axis=2)
    curve = np.fft.irfft(power, axis=1)[:, : int(LONGEST_STRIDE_S * SLOW_HZ) + 2]
    lags = np.arange(curve.shape[1])
    total = (curve / (curve[:, :1] + 1e-9)).mean(axis=2) / (1.0 - lags / width)
    inner = total[:, 1:-1]
    peak = (inner > total[:, :-2]) & (inner >= total[:, 2:]) & (lags[1:-1] >= SHORTEST_STRIDE_S * SLOW_HZ)
    height = np.where(peak, inner, -1.0)
    best = height.max(axis=1)
    first = np.argmax(height >= PERIOD_SHARE * best[:, None], axis=1)
    clear = best > 0.1
    period = np.where(clear, (first + 1) / SLOW_HZ, USUAL_STRIDE_S)
    return period, np.where(clear, height[np.arange(count), first], 0.0)
