"""Strides with known symmetry for tests: harmonics of a healthy mean stride, with what one asks for changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._window import GRID_HZ, FloatArray, Window

GRAVITY = 9.80665

Lines = tuple[dict[int, tuple[float, float]], ...]

# Amplitude and phase by harmonic: acceleration up, forward, left (m/s²); rate about them (deg/s).
_ACC: Lines = (
    {1: (0.11, 40), 2: (2.46, 0), 3: (0.21, 90), 4: (1.06, 80), 5: (0.15, 10), 6: (0.72, 120)},
    {1: (0.16, 10), 2: (1.52, 114), 3: (0.13, 60), 4: (0.78, 125), 5: (0.12, 80), 6: (0.79, 120)},
    {1: (0.45, -130), 2: (0.16, 20), 3: (0.50, -120), 4: (0.16, 70), 5: (0.56, 30)},
)
_RATE: Lines = (
    {1: (23, -52), 2: (3, 20), 3: (10, 60), 5: (7, 100)},
    {1: (16, 0), 2: (2, 40), 3: (24, -50), 4: (2, 10), 5: (4, 90)},
    {1: (3, 30), 2: (12, -120), 3: (2, 10), 4: (6.5, -60)},
)

# Centre-of-mass acceleration (up h2, h4, h6, h8; forward h2, h4, h6; left h1, h3, h5) by cadence, from the mean ground
# reaction forces of adults at four imposed speeds (Bovi 2011, supplement), divided by mass.
_FORCES: dict[float, tuple[tuple[tuple[float, float], ...], ...]] = {
    88.0: (
        ((1.56, -38), (0.68, -62), (0.58, -98), (0.29, -134)),
        ((0.71, 16), (0.32, -44), (0.09, -116)),
        ((0.45, -127), (0.22, -174), (0.09, 143)),
    ),
    110.0: (
        ((2.43, -29), (0.58, -44), (0.60, -80), (0.48, -114)),
        ((0.96, 32), (0.56, -9), (0.22, -61)),
        ((0.55, -119), (0.27, -164), (0.13, 146)),
    ),
    123.0: (
        ((3.34, -32), (0.20, -52), (0.50, -73), (0.56, -96)),
        ((1.23, 39), (0.72, 5), (0.30, -39)),
        ((0.50, -117), (0.27, -169), (0.13, 135)),
    ),
    141.0: (
        ((4.24, -38), (0.73, 121), (0.36, -24), (0.66, -77)),
        ((1.68, 56), (1.16, 27), (0.50, -6)),
        ((0.47, -104), (0.27, 179), (0.10, 137)),
    ),
}
FORCE_CADENCES_SPM = tuple(_FORCES)


def published_forces(cadence_spm: float) -> Lines:
    """Acceleration of the lower back from published forces: forward 1.6, sideways 1.5 times the centre of mass's."""
    up, ahead, left = _FORCES[cadence_spm]
    return (
        {1: (0.1, 0), 3: (0.1, 50)} | {2 * k + 2: line for k, line in enumerate(up)},
        {1: (0.1, 0), 3: (0.08, 50)} | {2 * k + 2: (1.6 * a, phase) for k, (a, phase) in enumerate(ahead)},
        {2: (0.1, 0)} | {2 * k + 1: (1.5 * a, phase) for k, (a, phase) in enumerate(left)},
    )


@dataclass(frozen=True)
class Gait:
    """What a synthetic wearer does; `asymmetry` 0–1 mixes odd harmonics into the steps, as a stiff left knee does."""

    cadence_spm: float = 110.0
    seconds: float = 40.0
    asymmetry: float = 0.0
    irregularity: float = 0.25
    timing_cv: float = 0.015
    vigour: float = 1.0
    wave_delay_deg: float = 0.0
    seed: int = 1
    acc: Lines = _ACC


def walk(
    gait: Gait, *, mounting: FloatArray | None = None, mirror: bool = False, gain: float = 1.0, rate_hz: int = GRID_HZ
) -> Window:
    """A straight walk as a sensor would see it on the 100 Hz grid."""
    rng = np.random.default_rng(gait.seed)
    period = 120.0 / gait.cadence_spm
    n = int(gait.seconds * rate_hz)
    drift = np.cumsum(rng.normal(0, gait.timing_cv * np.sqrt(period / rate_hz), n))
    phase = np.arange(n) / rate_hz / period + drift / period
    body = np.column_stack([_curve(phase, channel, gait, place) for place, channel in enumerate((*gait.acc, *_RATE))])
    body += gait.irregularity * _rough(rng, n, rate_hz) * body.std(axis=0)
    body[:, 3:] = np.radians(body[:, 3:])
    body *= gait.vigour
    if mirror:
        body *= np.array([1, 1, -1, -1, -1, 1])
    if rate_hz != GRID_HZ:
        fine = np.arange(int(gait.seconds * GRID_HZ)) / GRID_HZ
        coarse = np.arange(n) / rate_hz
        body = np.column_stack([np.interp(fine, coarse, column) for column in body.T])
    return _mounted(body, np.eye(3) if mounting is None else mounting, gain)


def turned_in_place(window: Window, start_s: float, seconds: float, angle: float) -> Window:
    """The same walk with a turn about up added to its rates."""
    gyr = window.gyr.copy()
    rows = slice(int(start_s * GRID_HZ), int((start_s + seconds) * GRID_HZ))
    gyr[rows] += window.up[rows] * angle / seconds
    return Window(window.index, window.acc, gyr, window.up, window.valid)


def any_mounting(seed: int) -> FloatArray:
    """A random rotation of the sensor."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q if np.linalg.det(q) > 0 else -q)


def _curve(phase: FloatArray, channel: dict[int, tuple[float, float]], gait: Gait, place: int) -> FloatArray:
    lines = dict(channel)
    if place < 2 and gait.asymmetry:
        main = channel[2][0]
        lines[1] = (lines[1][0] + 0.35 * gait.asymmetry * main, (0.0, 83.0)[place])
        lines[3] = (lines[3][0] + 0.45 * gait.asymmetry * main, lines[3][1])
    if place == 4 and gait.asymmetry:
        lines[2] = (lines[2][0] + 14 * gait.asymmetry, lines[2][1])
    total = np.zeros_like(phase)
    for harmonic, (amplitude, degrees) in lines.items():
        late = gait.wave_delay_deg if place == 1 and harmonic >= 4 else 0.0
        total += amplitude * np.cos(2 * np.pi * harmonic * phase + np.radians(degrees + late))
    return total


def _rough(rng: np.random.Generator, n: int, rate_hz: int) -> FloatArray:
    """(n, 6) unlocked residual of unit size up to some 8 Hz."""
    width = max(2, rate_hz // 16)
    noise = rng.normal(size=(n + width - 1, 6))
    smooth = np.column_stack([np.convolve(column, np.ones(width) / width, "valid") for column in noise.T])
    return np.asarray(smooth / smooth.std(axis=0))


def _mounted(body: FloatArray, mounting: FloatArray, gain: float) -> Window:
    """Body axes (up, forward, left) into the frame of a sensor turned by `mounting`."""
    up = np.tile(mounting[:, 0], (len(body), 1))
    acc = body[:, :3] @ mounting.T + GRAVITY * up
    return Window(0, gain * acc, body[:, 3:] @ mounting.T, up, np.ones(len(body), dtype=bool))
