"""From the samples of a stretch to the signals that show steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from analytics import _mounting as mounting_of
from analytics._mounting import Mounting
from analytics._window import GRID_HZ, BoolArray, FloatArray
from analytics.gait import _filters
from analytics.gait._filters import ComplexArray, Spectrum

_Number = TypeVar("_Number", np.float64, np.float32)

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


_MARGIN, _SLOW_MARGIN = 32, 50
"""The longest kernels reach so many rows to either side, at 100 and at 25 Hz."""
_VERTICAL, _HORIZONTAL, _RATES, _UP = 0, slice(1, 4), slice(4, 7), slice(7, 10)


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch split into vertical and horizontal, still in the sensor frame: no direction needed.

    `samples` (9, n) are acc, gyr and up; `vertical` (n,) and `horizontal` (3, n) gravity-free acceleration in m/s² at
    100 Hz. `slow` (10, m) holds vertical, horizontal, gyr and up at 25 Hz, `lines` the spectrum of all but up.
    `at_s` to `mean_up` describe windows of 2 s, every second, from which the mounting is learnt. `period_s`
    and `rhythm` are the stride period and how clear it is, every 2 s.
    """

    samples: FloatArray
    vertical: FloatArray
    horizontal: FloatArray
    slow: FloatArray
    lines: Spectrum
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
    """A stretch in body axes; at 100 Hz `vertical`, `ahead` (m/s²) and `rates` (3, n): pitch, roll, yaw (rad/s).

    There too `hump` has one hump per step and `sharp` rises where a foot lands. At 25 Hz `sway`, `yaw` (the rate about
    the vertical), `tilt_deg` and `coherence`; `period_s` and `rhythm` as in `Level`.
    """

    vertical: FloatArray
    ahead: FloatArray
    rates: FloatArray
    hump: FloatArray
    sharp: FloatArray
    sway: FloatArray
    yaw: FloatArray
    tilt_deg: FloatArray
    period_s: FloatArray
    rhythm: FloatArray
    coherence: FloatArray


def slower(signals: FloatArray) -> FloatArray:
    """Mean of every four rows of (c, n)."""
    n = signals.shape[1] // SLOW * SLOW
    return np.asarray(
        0.25 * (signals[:, 0:n:SLOW] + signals[:, 1:n:SLOW] + signals[:, 2:n:SLOW] + signals[:, 3:n:SLOW])
    )


def level(samples: FloatArray) -> Level:
    """Split (9, n) samples of at least 2 s into vertical and horizontal; their rhythm and their 2 s windows."""
    acc, gyr, up = samples[:3], samples[3:6], samples[6:]
    along = acc[0] * up[0] + acc[1] * up[1] + acc[2] * up[2]
    vertical, horizontal = along - GRAVITY, acc - along * up
    slow = np.concatenate([slower(one) for one in (vertical[None], horizontal, gyr, up)])
    lines = _filters.spectrum(slow[:7], _SLOW_MARGIN)
    period, rhythm = rhythm_of(lines)
    width, hop = 2 * SLOW_HZ, SLOW_HZ
    starts = np.arange(0, slow.shape[1] - width + 1, hop)
    at_s = (starts + width / 2) / SLOW_HZ
    pace = PACES[np.searchsorted(PACE_EDGES_S, nearest(period, at_s, PERIOD_HOP_S))]
    pieces = _paced_windows(lines, width, hop, pace)
    mean_up = _windows(slow[_UP], width, hop).mean(axis=2).T
    return Level(samples, vertical, horizontal, slow, lines, at_s, *pieces, mean_up, period, rhythm)


def _windows(signals: NDArray[_Number], width: int, hop: int) -> NDArray[_Number]:
    """(c, windows, width) pieces of (c, n)."""
    return sliding_window_view(signals, width, axis=1)[:, ::hop]


def _paced_windows(
    lines: Spectrum, width: int, hop: int, pace: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Vigour, step and stride covariance and slope product of every window, in bands that fit its pace."""
    vigour, product = np.zeros(len(pace)), np.zeros((len(pace), 3))
    step, stride = np.zeros((len(pace), 3, 3)), np.zeros((len(pace), 3, 3))
    for one in set(pace.tolist()):
        use = pace == one
        stepping = _band(lines, STEP_BAND_HZ, 51 if one == 1.0 else 75, one)
        swaying = _band(lines, STRIDE_BAND_HZ, 75 if one == 1.0 else 101, one)
        both = lines.back(np.concatenate((lines.lines[:4] * stepping, lines.lines[_HORIZONTAL] * swaying)))
        rows = np.concatenate((both, np.gradient(both[:1], axis=1)))
        pieces = _windows(rows, width, hop)[:, use].transpose(1, 0, 2)
        up, ahead, swing, slope = pieces[:, 0], pieces[:, 1:4], pieces[:, 4:7], pieces[:, 7]
        both, sway = ahead @ ahead.transpose(0, 2, 1), swing @ swing.transpose(0, 2, 1)
        trace = np.trace(both, axis1=1, axis2=2)
        vigour[use] = np.sqrt((up * up).mean(axis=1))
        step[use] = both / (trace[:, None, None] + 1e-9)
        stride[use] = sway / (np.trace(sway, axis1=1, axis2=2)[:, None, None] + 1e-9)
        size = np.sqrt((slope * slope).sum(axis=1) * trace) + 1e-9
        product[use] = (ahead @ slope[:, :, None])[:, :, 0] / size[:, None]
    return vigour, step, stride, product


def _band(lines: Spectrum, edges_hz: tuple[float, float], taps: int, pace: float = 1.0) -> ComplexArray:
    low, high = edges_hz
    return _filters.band(low / pace, high / pace, taps, SLOW_HZ, lines.size)


def nearest(values: FloatArray, time_s: FloatArray, hop_s: float) -> FloatArray:
    """Values known every `hop_s`, the nearest to each time."""
    return np.asarray(values[np.minimum((time_s / hop_s).astype(int), len(values) - 1)])


def local_mounting(found: Level, inside: FloatArray | None = None) -> Mounting:
    """The mounting as this stretch alone shows it.

    `inside` holds (start, end) in s of walking found; without it the liveliest windows are taken for walking.
    """
    if inside is None:
        lively = 0.5 * _percentile(found.vigour, 0.8) if len(found.vigour) else 0.0
        use: BoolArray = np.asarray(found.vigour > lively)
    else:
        at = found.at_s[:, None]
        use = np.asarray(((at - 0.7 >= inside[:, 0]) & (at + 0.7 <= inside[:, 1])).any(axis=1))
    gathered = mounting_of.gather(found.mean_up, found.step, found.stride, found.product, use)
    # Windows overlap by half: two of them count as one.
    return Mounting(0.5 * gathered.windows, 0.5 * gathered.up_sum, 0.5 * gathered.shape, 0.5 * gathered.phase)


def _percentile(values: FloatArray, share: float) -> float:
    ordered, place = np.sort(values), share * (len(values) - 1)
    return float(np.interp(place, np.arange(len(values)), ordered))


def signals(found: Level, up: FloatArray, forward: FloatArray) -> Signals:
    """Body-axis signals, step humps, sway and rhythm of a stretch."""
    left = mounting_of.cross(up, forward)
    gyr, earth = found.samples[3:6], found.samples[6:]
    ahead = forward @ found.horizontal
    rates = np.stack((left @ gyr, forward @ gyr, (gyr * earth).sum(axis=0)))
    quick = _filters.spectrum(np.stack((found.vertical - ahead, ahead)), _MARGIN)
    rise, ahead_lines = quick.lines
    soft, firm, hard = (_filters.slope(sigma_ms, quick.size) for sigma_ms in (80, 40, 25))
    hump, sharp = quick.back((rise * soft, rise * (0.5 * hard + firm / 3.0) - ahead_lines * (2.0 / 3.0 * firm)))
    sway, coherence = _locked(found, forward, left)
    cosine = up @ found.slow[_UP]
    tilt_deg = np.degrees(np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0)))
    yaw = slower(rates[2:])[0]
    return Signals(
        found.vertical, ahead, rates, hump, sharp, sway, yaw, tilt_deg, found.period_s, found.rhythm, coherence
    )


def _locked(found: Level, forward: FloatArray, left: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sideways sway, and how firmly the vertical slope is locked to forward acceleration, −1 to 1, at 25 Hz."""
    lines = found.lines
    creeping = nearest(found.period_s, np.arange(lines.n) / SLOW_HZ, PERIOD_HOP_S) > SLOWEST_S
    wanted = [one for one, use in enumerate((not creeping.all(), True, creeping.any())) if use]
    both = np.stack((lines.lines[_VERTICAL], forward @ lines.lines[_HORIZONTAL]))
    bands = [both * _band(lines, LOCK_BANDS_HZ[one], 51) for one in wanted]
    side = (left @ lines.lines[_HORIZONTAL]) * _band(lines, SWAY_BAND_HZ, 51)
    rows = lines.back(np.concatenate((*bands, side[None])))
    rise, ahead = np.gradient(rows[:-1:2], axis=1), rows[1:-1:2]
    sums = _filters.running(np.concatenate((rise * rise, ahead * ahead, rise * ahead)), int(0.8 * SLOW_HZ))
    risen, gone, together = np.split(sums, 3)
    lock = dict(zip(wanted, together / (np.sqrt(np.maximum(risen * gone, 0.0)) + 1e-9), strict=True))
    outer = np.where(creeping, lock.get(2, 0.0), lock.get(0, 0.0))
    return rows[-1], 0.5 * (lock[1] + outer)


def rhythm_of(lines: Spectrum) -> tuple[FloatArray, FloatArray]:
    """Stride period (s) and height of the autocorrelation there for every 2 s of a stretch.

    Acceleration and rates count the same and no direction matters; the rates keep a step from passing for a stride.
    Single precision does for a place in the autocorrelation, and is twice as fast.
    """
    body = lines.back(lines.lines * _band(lines, (0.4, 5.0), 51))
    width, hop = PERIOD_WINDOW_S * SLOW_HZ, PERIOD_HOP_S * SLOW_HZ
    count = -(-lines.n // hop)
    padded = np.zeros((len(body), lines.n + 2 * width), dtype=np.float32)
    padded[:, width : width + lines.n] = body
    first = width + hop // 2 - width // 2
    wave = rfft(_windows(padded[:, first:], width, hop)[:, :count], RHYTHM_POINTS, axis=2)
    power = wave.real**2 + wave.imag**2
    power = np.stack((power[: _RATES.start].sum(axis=0), power[_RATES].sum(axis=0)))
    curve = irfft(power, axis=2)[:, :, : int(LONGEST_STRIDE_S * SLOW_HZ) + 2].astype(float)
    lags = np.arange(curve.shape[2])
    accelerations, rates = curve / (curve[:, :, :1] + 1e-9)
    total = 0.5 * (accelerations + rates) / (1.0 - lags / width)
    inner = total[:, 1:-1]
    peak = (inner > total[:, :-2]) & (inner >= total[:, 2:]) & (lags[1:-1] >= SHORTEST_STRIDE_S * SLOW_HZ)
    height = np.where(peak, inner, -1.0)
    best = height.max(axis=1)
    first_high = np.argmax(height >= PERIOD_SHARE * best[:, None], axis=1)
    clear = best > 0.1
    period = np.where(clear, (first_high + 1) / SLOW_HZ, USUAL_STRIDE_S)
    return period, np.where(clear, height[np.arange(count), first_high], 0.0)
