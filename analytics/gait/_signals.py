"""From the samples of a stretch to the signals that show steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import rfft

from analytics import _mounting as mounting_of
from analytics._mounting import Mounting
from analytics._window import GRID_HZ, FloatArray
from analytics.gait import _filters
from analytics.gait._filters import ComplexArray, Spectrum

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
PACES = (1.0, 1.4, 1.9)
"""How much slower than usual: the bands in which steps and strides are sought are lower by this."""
PACE_EDGES_S = (1.4, 1.9)
STEP_BAND_HZ = (1.2, 2.8)
STRIDE_BAND_HZ = (0.45, 1.15)
LOCK_BANDS_HZ = (STEP_BAND_HZ, (0.7, 1.8), (0.55, 1.4))
"""Steps of quick, slow and very slow gait; the mean of the first two counts, beyond `SLOWEST_S` of the last two."""
SLOWEST_S = 1.9
SWAY_BAND_HZ = (0.4, 1.5)
RHYTHM_BAND_HZ = (0.4, 5.0)
INNER_S = 0.7
"""Walking so long to either side of its middle makes a window of 2 s one of walking."""

_MARGIN, _SLOW_MARGIN = 32, 50
"""The longest kernels reach so many rows to either side, at 100 and at 25 Hz."""
_VERTICAL, _HORIZONTAL, _RATES, _UP, _YAW = 0, slice(1, 4), slice(4, 7), slice(7, 10), 10
"""Rows of a stretch; those up to the rates are filtered."""
_FILTERED = 7
_SWING, _SLOPE, _BANDED = slice(4, 7), 7, 8
"""Rows of a stretch in a pair of bands: as above, but horizontal in the second band, and the vertical's slope."""
_BANDS_HZ = (
    *(
        ((*(edge / pace for edge in STEP_BAND_HZ), step), (*(edge / pace for edge in STRIDE_BAND_HZ), stride))
        for pace, step, stride in zip(PACES, (51, 75, 75), (75, 101, 101), strict=True)
    ),
    *(((*edges, 51), (*SWAY_BAND_HZ, 51)) for edges in LOCK_BANDS_HZ[1:]),
)
"""Pairs of bands and their taps, one for every pace, then for every slower lock."""
_USUAL, _LOCK, _SLOWEST_LOCK = 0, 3, 4
_WIDTH, _HOP = PERIOD_WINDOW_S * SLOW_HZ, PERIOD_HOP_S * SLOW_HZ
_LAGS = np.arange(math.ceil(SHORTEST_STRIDE_S * SLOW_HZ) - 1, int(LONGEST_STRIDE_S * SLOW_HZ) + 2)
"""Where a stride may be, and one to either side."""
_KINDS = np.repeat(np.eye(2, dtype=np.float32), (4, 3), axis=1)
"""Adds up the four rows of acceleration, and the three of rates."""
_PARTS = np.array([1.0, *[2.0] * (RHYTHM_POINTS // 2 - 1), 1.0], dtype=np.float32) / RHYTHM_POINTS
"""What every line of a spectrum counts in the energy of the window."""
_COSINES = (
    _PARTS[:, None]
    * np.cos(2.0 * np.pi / RHYTHM_POINTS * np.arange(len(_PARTS))[:, None] * _LAGS)
    / (1.0 - _LAGS / _WIDTH)
).astype(np.float32)
"""From the power of every line to the autocorrelation at `_LAGS`, as if no lag had fewer products."""
_ALIKE = np.repeat(np.eye(4), (1, 3, 3, 1), axis=0) @ np.repeat(np.eye(4), (1, 3, 3, 1), axis=1)
"""Which of the rows in a pair of bands are parts of one vector."""


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch split into vertical and horizontal, still in the sensor frame: no direction needed.

    `vertical` (n,) and `horizontal` (3, n) gravity-free acceleration in m/s², `gyr` (3, n) and the rate about the
    vertical, `turning` (n,), in rad/s at 100 Hz; `up` (3, m) and `yaw` (m,), which is `turning`, at 25 Hz. `locking`
    (k, 8, m) holds the bands of `LOCK_BANDS_HZ`, of which the third may be missing. `vigour` (w,), `mean_up` (3, w) and
    `products` (w, 8, 8), of the rows in a pair of bands with each of their vectors at length 1, tell of windows of 2 s,
    every second.
    `period_s` and `rhythm` are the stride period and how clear it is, every 2 s.
    """

    vertical: FloatArray
    horizontal: FloatArray
    gyr: FloatArray
    turning: FloatArray
    up: FloatArray
    yaw: FloatArray
    locking: FloatArray
    vigour: FloatArray
    mean_up: FloatArray
    products: FloatArray
    period_s: FloatArray
    rhythm: FloatArray


@dataclass(frozen=True, slots=True)
class Signals:
    """A stretch in body axes; at 100 Hz `vertical` (m/s²) and `rates` (3, n): pitch, roll, yaw (rad/s).

    There too `hump` has one hump per step and `sharp` rises where a foot lands. At 25 Hz `sway`, `yaw`,
    `tilt_deg` and `coherence`; `yaw`, `period_s` and `rhythm` as in `Level`.
    """

    vertical: FloatArray
    rates: FloatArray
    hump: FloatArray
    sharp: FloatArray
    sway: FloatArray
    yaw: FloatArray
    tilt_deg: FloatArray
    period_s: FloatArray
    rhythm: FloatArray
    coherence: FloatArray


def slower(rows: FloatArray) -> FloatArray:
    """Mean of every four of (c, n), the same to the last bit wherever they lie."""
    n = rows.shape[1] // SLOW * SLOW
    pairs = rows[:, 0:n:2] + rows[:, 1:n:2]
    return np.asarray(0.25 * (pairs[:, 0::2] + pairs[:, 1::2]))


def level(seconds: Sequence[FloatArray]) -> Level:
    """Split (n, 9) acc, gyr and up of at least 2 s into vertical and horizontal; their rhythm and their 2 s windows."""
    rows = _split(seconds)
    slow = slower(rows)
    lines = _filters.spectrum(slow[:_FILTERED], _SLOW_MARGIN)
    body, locking = _back(lines, (_USUAL, _LOCK), _FILTERED)
    period, rhythm = rhythm_of(body)
    products = _products(locking[_USUAL])
    if period.max() > PACE_EDGES_S[0]:
        products, locking = _slower_paces(lines, period, products, locking)
    return Level(
        rows[_VERTICAL],
        rows[_HORIZONTAL],
        rows[_RATES],
        rows[_YAW],
        slow[_UP],
        slow[_YAW],
        locking,
        *_even_windows(products, slow[_UP]),
        period,
        rhythm,
    )


def _split(seconds: Sequence[FloatArray]) -> FloatArray:
    """(11, n) rows of a stretch."""
    rows = np.empty((11, sum(map(len, seconds))))
    np.concatenate(seconds, out=rows[1:10].T)
    vertical, horizontal, up = rows[_VERTICAL], rows[_HORIZONTAL], rows[_UP]
    np.einsum("kan,an->kn", rows[1:7].reshape(2, 3, -1), up, out=rows[_VERTICAL::_YAW])
    horizontal -= vertical * up
    vertical -= GRAVITY
    return rows


def _back(lines: Spectrum, pairs: Sequence[int], body: int = 0) -> tuple[FloatArray, FloatArray]:
    """(body, m) rows in the rhythm's band, and (k, 8, m) in pairs of bands."""
    rows = np.empty((body + _BANDED * len(pairs), lines.lines.shape[1]), dtype=complex)
    if body:
        np.multiply(lines.lines, _filters.band(*RHYTHM_BAND_HZ, 51, SLOW_HZ, lines.size), out=rows[:body])
    for place, pair in enumerate(pairs):
        _put(rows[body + _BANDED * place : body + _BANDED * (place + 1)], lines, pair)
    back = lines.back(rows)
    banded, last = back[body:].reshape(len(pairs), _BANDED, -1), lines.n - 1
    # The slope at either end, rows 0 and n − 1, is that of the outer two rows.
    banded[:, _SLOPE, ::last] = banded[:, _VERTICAL, 1 :: last - 1] - banded[:, _VERTICAL, : last : last - 1]
    return back[:body], banded


def _put(rows: ComplexArray, lines: Spectrum, pair: int) -> None:
    """Write the lines of a stretch in a pair of bands."""
    first, second, slope = _responses(pair, lines.size)
    np.multiply(lines.lines[: _HORIZONTAL.stop], first, out=rows[: _HORIZONTAL.stop])
    np.multiply(lines.lines[_HORIZONTAL], second, out=rows[_SWING])
    np.multiply(rows[_VERTICAL], slope, out=rows[_SLOPE])


@lru_cache(maxsize=64)
def _responses(pair: int, size: int) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    first, second = (_filters.band(low, high, taps, SLOW_HZ, size) for low, high, taps in _BANDS_HZ[pair])
    return first, second, _filters.difference(size)


def _products(banded: FloatArray) -> FloatArray:
    """(w, 8, 8) sums of products of (8, m) rows over windows of 2 s, every second."""
    seconds = banded.shape[1] // SLOW_HZ
    pieces = banded[:, : seconds * SLOW_HZ].reshape(_BANDED, seconds, SLOW_HZ)
    sums = pieces.transpose(1, 0, 2) @ pieces.transpose(1, 2, 0)
    return np.asarray(sums[:-1] + sums[1:])


def _slower_paces(
    lines: Spectrum, period_s: FloatArray, products: FloatArray, locking: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The products of windows, and the bands of the lock, where the rhythm is slower than usual."""
    pace = np.searchsorted(PACE_EDGES_S, nearest(period_s, np.arange(1.0, len(products) + 1.0), PERIOD_HOP_S))
    paces, locks = sorted(set(pace.tolist()) - {_USUAL}), (_SLOWEST_LOCK,) * bool(period_s.max() > SLOWEST_S)
    if not (paces or locks):
        return products, locking
    _, banded = _back(lines, (*paces, *locks))
    for one, rows in zip(paces, banded, strict=False):
        products = np.where((pace == one)[:, None, None], _products(rows), products)
    return products, np.concatenate((locking, banded[len(paces) :])) if locks else locking


def _even_windows(products: FloatArray, up: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Vigour and mean up of every window, and its products with every vector in it at length 1."""
    sums = up[:, : (len(products) + 1) * SLOW_HZ].reshape(3, -1, SLOW_HZ).sum(axis=2)
    energy = products.reshape(len(products), -1)[:, :: _BANDED + 1]
    vigour = np.sqrt(energy[:, _VERTICAL] * (0.5 / SLOW_HZ))
    scale = 1.0 / np.sqrt(energy @ _ALIKE + 1e-9)
    products *= scale[:, :, None]
    products *= scale[:, None, :]
    return vigour, (sums[:, :-1] + sums[:, 1:]) * (0.5 / SLOW_HZ), products


def nearest(values: FloatArray, time_s: FloatArray, hop_s: float) -> FloatArray:
    """Values known every `hop_s`, the nearest to each time."""
    return np.asarray(values[np.minimum((time_s / hop_s).astype(int), len(values) - 1)])


def local_mounting(found: Level, inside: FloatArray | None = None) -> Mounting:
    """The mounting as this stretch alone shows it.

    `inside` holds (start, end) in s of walking found; without it the liveliest windows are taken for walking.
    """
    # Windows overlap by half: two of them count as one.
    weight = np.zeros(len(found.vigour))
    if inside is None:
        weight[found.vigour > 0.5 * _percentile(found.vigour, 0.8)] = 0.5
    else:
        for start, end in inside.tolist():
            weight[max(0, math.ceil(start + INNER_S - 1.0)) : max(0, math.floor(end - INNER_S - 1.0) + 1)] = 0.5
    windows = float(weight.sum())
    if windows == 0.0:
        return mounting_of.no_mounting()
    sums = (weight @ found.products.reshape(len(weight), -1)).reshape(_BANDED, _BANDED)
    shape = sums[_HORIZONTAL, _HORIZONTAL] - sums[_SWING, _SWING]
    return Mounting(windows, found.mean_up @ weight, shape, sums[_HORIZONTAL, _SLOPE])


def _percentile(values: FloatArray, share: float) -> float:
    ordered = sorted(values.tolist())
    place = share * (len(ordered) - 1)
    low = int(place)
    return float(ordered[low] + (place - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]))


def signals(found: Level, up: FloatArray, forward: FloatArray) -> Signals:
    """Body-axis signals, step humps, sway and rhythm of a stretch."""
    left = mounting_of.cross(up, forward)
    rates, pair = np.empty((3, len(found.turning))), np.empty((2, len(found.turning)))
    np.matmul(np.array((left, forward)), found.gyr, out=rates[:2])
    rates[2] = found.turning
    np.matmul(forward, found.horizontal, out=pair[1])
    np.subtract(found.vertical, pair[1], out=pair[0])
    quick = _filters.spectrum(pair, _MARGIN)
    (rise, ahead), (soft, sharp_rise, sharp_ahead) = quick.lines, _humps(quick.size)
    wanted = np.empty_like(quick.lines)
    np.multiply(rise, soft, out=wanted[0])
    np.multiply(rise, sharp_rise, out=wanted[1])
    wanted[1] -= ahead * sharp_ahead
    hump, sharp = quick.back(wanted)
    tilt_deg = np.degrees(np.arccos(np.minimum(np.maximum(up @ found.up, -1.0), 1.0)))
    return Signals(
        found.vertical,
        rates,
        hump,
        sharp,
        left @ found.locking[1, _SWING],
        found.yaw,
        tilt_deg,
        found.period_s,
        found.rhythm,
        _locked(found, forward),
    )


@lru_cache(maxsize=16)
def _humps(size: int) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    """Responses: of the hump and of the sharp rise to vertical minus ahead, and what of ahead the latter loses."""
    soft, firm, hard = (_filters.slope(sigma_ms, size) for sigma_ms in (80, 40, 25))
    return soft, 0.5 * hard + firm / 3.0, 2.0 / 3.0 * firm


def _locked(found: Level, forward: FloatArray) -> FloatArray:
    """How firmly the vertical slope is locked to forward acceleration, −1 to 1, at 25 Hz."""
    rise, ahead = found.locking[:, _SLOPE], forward @ found.locking[:, _HORIZONTAL]
    products = np.empty((3, *rise.shape))
    np.multiply(rise, rise, out=products[0])
    np.multiply(ahead, ahead, out=products[1])
    np.multiply(rise, ahead, out=products[2])
    risen, gone, together = _filters.running(products, int(0.8 * SLOW_HZ))
    lock = together / (np.sqrt(np.maximum(risen * gone, 0.0)) + 1e-9)
    outer = lock[0]
    if len(lock) > 2:
        creeping = nearest(found.period_s, np.arange(rise.shape[1]) / SLOW_HZ, PERIOD_HOP_S) > SLOWEST_S
        outer = np.where(creeping, lock[2], outer)
    return np.asarray(0.5 * (lock[1] + outer))


def rhythm_of(body: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Stride period (s) and height of the autocorrelation there for every 2 s of (7, m) rows in the rhythm's band.

    Acceleration and rates count the same and no direction matters; the rates keep a step from passing for a stride.
    Single precision does for a place in the autocorrelation, and is twice as fast.
    """
    count, before = -(-body.shape[1] // _HOP), (_WIDTH - _HOP) // 2
    held = np.zeros((len(body), (count - 1) * _HOP + _WIDTH), dtype=np.float32)
    held[:, before : before + body.shape[1]] = body
    windows = np.zeros((len(body), count, RHYTHM_POINTS), dtype=np.float32)
    row, item = held.strides
    windows[:, :, :_WIDTH] = np.ndarray((len(body), count, _WIDTH), held.dtype, held, 0, (row, _HOP * item, item))
    parts = rfft(windows, axis=2).view(np.float32)
    np.multiply(parts, parts, out=parts)
    squares = (_KINDS @ parts.reshape(len(body), -1)).reshape(2 * count, -1)
    power = squares[:, 0::2] + squares[:, 1::2]
    power *= (0.5 / (power @ _PARTS + 1e-9))[:, None]
    total = ((power[:count] + power[count:]) @ _COSINES).astype(float)
    rises = total[:, 1:] > total[:, :-1]
    height = np.where(rises[:, :-1] > rises[:, 1:], total[:, 1:-1], -1.0)
    best = height.max(axis=1)
    first_high = (height >= PERIOD_SHARE * best[:, None]).argmax(axis=1)
    clear = best > 0.1
    period = np.where(clear, (first_high + _LAGS[1]) / SLOW_HZ, USUAL_STRIDE_S)
    return period, np.where(clear, height[np.arange(count), first_high], 0.0)
