"""From the samples of a stretch to the signals that show steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.signal import firwin

from analytics import _mounting as mounting_of
from analytics._mounting import Mounting
from analytics._window import GRID_HZ, BoolArray, FloatArray, Window

GRAVITY = 9.80665
SLOW = 4
"""The slow signals keep every fourth row, averaged: 25 Hz."""
SLOW_HZ = GRID_HZ // SLOW
PERIOD_WINDOW_S = 8
PERIOD_HOP_S = 2
SHORTEST_STRIDE_S = 0.7
LONGEST_STRIDE_S = 3.0
USUAL_STRIDE_S = 1.2
STEP_BAND_HZ = (1.2, 2.8)
STRIDE_BAND_HZ = (0.45, 1.15)
LOCK_BANDS_HZ = ((1.2, 2.8), (0.7, 1.8))
"""Steps of quick and of slow gait: healthy walks lock in both, slow ones after a stroke in the second."""
SWAY_BAND_HZ = (0.4, 1.5)


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch split into vertical and horizontal, still in the sensor frame: no direction needed.

    `vertical` (n,) and `horizontal` (n, 3) are gravity-free acceleration in m/s² at 100 Hz; the slow ones are at
    25 Hz. `pairs` are the 2 s windows from which the mounting is learnt: (start row at 25 Hz, energy of the
    vertical step band), with what `gather` takes.
    """

    window: Window
    vertical: FloatArray
    horizontal: FloatArray
    slow_vertical: FloatArray
    slow_horizontal: FloatArray
    at_s: FloatArray
    vigour: FloatArray
    mean_up: FloatArray
    step: FloatArray
    stride: FloatArray
    product: FloatArray


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
    return np.asarray(firwin(taps, [low_hz, high_hz], pass_zero=False, fs=SLOW_HZ))


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
    """Split a stretch of at least 2 s into vertical and horizontal and describe its 2 s windows."""
    along = np.einsum("ij,ij->i", window.acc, window.up)
    vertical = along - GRAVITY
    horizontal = window.acc - along[:, None] * window.up
    slow_vertical, slow_horizontal, slow_up = slower(vertical), slower(horizontal), slower(window.up)
    both = np.column_stack((slow_vertical, slow_horizontal))
    step_band = same(both, band_kernel(*STEP_BAND_HZ, 51))
    stride_band = same(slow_horizontal, band_kernel(*STRIDE_BAND_HZ, 75))
    rise = np.gradient(step_band[:, 0])
    width, hop = 2 * SLOW_HZ, SLOW_HZ
    starts = np.arange(0, len(both) - width + 1, hop)
    rows = starts[:, None] + np.arange(width)
    ahead = step_band[rows, 1:]
    step = np.einsum("wni,wnj->wij", ahead, ahead)
    swing = stride_band[rows]
    stride = np.einsum("wni,wnj->wij", swing, swing)
    slope = rise[rows]
    size = np.sqrt((slope**2).sum(axis=1) * np.trace(step, axis1=1, axis2=2)) + 1e-9
    product = np.einsum("wn,wni->wi", slope, ahead) / size[:, None]
    return Level(
        window,
        vertical,
        horizontal,
        slow_vertical,
        slow_horizontal,
        (starts + width / 2) / SLOW_HZ,
        np.sqrt((step_band[rows, 0] ** 2).mean(axis=1)),
        slow_up[rows].mean(axis=1),
        step / (np.trace(step, axis1=1, axis2=2)[:, None, None] + 1e-9),
        stride / (np.trace(stride, axis1=1, axis2=2)[:, None, None] + 1e-9),
        product,
    )


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
    period, rhythm = rhythm_of(slow)
    lock = [_phase_lock(same(slow[:, :2], band_kernel(*band, 51))) for band in LOCK_BANDS_HZ]
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
        period,
        rhythm,
        np.mean(lock, axis=0),
    )


def _phase_lock(band: FloatArray) -> FloatArray:
    """Running correlation of the vertical slope with forward acceleration over 1.6 s."""
    rise, ahead = np.gradient(band[:, 0]), band[:, 1]
    box = np.ones(2 * int(0.8 * SLOW_HZ) + 1)
    size = np.sqrt(same(rise**2, box) * same(ahead**2, box))
    return np.asarray(same(rise * ahead, box) / (size + 1e-9))


def rhythm_of(slow: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Stride period (s) and height of the autocorrelation there for every 2 s of a stretch."""
    body = same(slow, band_kernel(0.5, 5.0, 51))
    width, hop = PERIOD_WINDOW_S * SLOW_HZ, PERIOD_HOP_S * SLOW_HZ
    n = len(body)
    count = max(1, -(-n // hop))
    padded = np.concatenate((np.zeros((width, 3)), body, np.zeros((width, 3))))
    centres = np.arange(count) * hop + hop // 2 + width
    pieces = padded[(centres - width // 2)[:, None] + np.arange(width)]
    spectrum = np.fft.rfft(pieces, 2 * width, axis=1)
    each = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : int(LONGEST_STRIDE_S * SLOW_HZ) + 2]
    lags = np.arange(each.shape[1])
    each = each / (1.0 - lags / width)[None, :, None]
    total = each.sum(axis=2) / (each[:, 0].sum(axis=1) + 1e-9)[:, None]
    sideways = each[:, :, 2]
    inner = total[:, 1:-1]
    peak = (inner > total[:, :-2]) & (inner >= total[:, 2:]) & (sideways[:, 1:-1] > 0)
    peak &= (lags[1:-1] >= SHORTEST_STRIDE_S * SLOW_HZ)[None, :]
    height = np.where(peak, inner, -1.0)
    best = height.max(axis=1)
    first = np.argmax(height >= 0.85 * best[:, None], axis=1)
    row = np.arange(count)
    clear = best > 0.1
    period = np.where(clear, (first + 1) / SLOW_HZ, USUAL_STRIDE_S)
    return period, np.where(clear, height[row, first], 0.0)
