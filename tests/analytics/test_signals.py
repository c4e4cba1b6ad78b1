"""What a stretch of walking shows before its steps are known, beside the plain way to work it out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import firwin

from analytics._window import FloatArray
from analytics.gait._signals import (
    GRAVITY,
    LONGEST_STRIDE_S,
    SHORTEST_STRIDE_S,
    STEP_BAND_HZ,
    STRIDE_BAND_HZ,
    level,
    local_mounting,
)


def _stretch(seconds: float, noise: float, seed: int = 0) -> FloatArray:
    """(n, 9) a trunk that bobs twice and sways once in a stride of 1.1 s, with noise."""
    draw, t = np.random.default_rng(seed), np.arange(round(100 * seconds)) / 100.0
    step, stride = 2.0 * np.pi * t / 0.55, 2.0 * np.pi * t / 1.1
    acc = np.stack((GRAVITY + 2.0 * np.cos(step), np.sin(stride), 1.5 * np.sin(step)), axis=1)
    gyr = 0.3 * np.stack((np.sin(step), np.sin(stride), np.cos(stride)), axis=1)
    up = np.tile((1.0, 0.0, 0.0), (len(t), 1))
    return np.concatenate((acc, gyr, up), axis=1) + noise * draw.normal(size=(len(t), 9)) * ([1.0] * 6 + [0.0] * 3)


def _wandering(seconds: float, seed: int) -> FloatArray:
    """(n, 9) a trunk that goes no way for long, without a rhythm of its own."""
    draw, rows = np.random.default_rng(seed), round(100 * seconds)
    moving = np.cumsum(draw.normal(size=(rows, 6)), axis=0) * 0.05
    return np.concatenate((moving, np.tile((1.0, 0.0, 0.0), (rows, 1))), axis=1)


def _banded(rows: FloatArray, edges_hz: tuple[float, float], taps: int) -> FloatArray:
    kernel, half = firwin(taps, edges_hz, pass_zero=False, fs=25), taps // 2
    return np.stack([np.convolve(np.pad(row, half, mode="edge"), kernel, "valid") for row in rows])


def test_the_mounting_is_that_of_covariances_window_by_window() -> None:
    samples = _stretch(11.4, 0.1)
    slow = samples[:1140].reshape(-1, 4, 9).mean(axis=1).T
    vertical, horizontal = slow[:1] - GRAVITY, np.concatenate((np.zeros((1, slow.shape[1])), slow[1:3]))
    (up,), ahead = _banded(vertical, STEP_BAND_HZ, 51), _banded(horizontal, STEP_BAND_HZ, 51)
    swing, slope = _banded(horizontal, STRIDE_BAND_HZ, 75), np.gradient(up)
    pieces = [slice(25 * n, 25 * n + 50) for n in range(10)]
    vigour = np.array([np.sqrt(np.mean(up[piece] ** 2)) for piece in pieces])
    shape, phase = np.zeros((3, 3)), np.zeros(3)
    lively = [piece for piece, size in zip(pieces, vigour, strict=True) if size > 0.5 * np.percentile(vigour, 80)]
    for piece in lively:
        a, b, c = ahead[:, piece], swing[:, piece], slope[piece]
        shape += 0.5 * (a @ a.T / np.trace(a @ a.T) - b @ b.T / np.trace(b @ b.T))
        phase += 0.5 * (a @ c) / np.sqrt(np.sum(c * c) * np.trace(a @ a.T))

    found = local_mounting(level([samples[:100], samples[100:]]))

    assert found.windows == 0.5 * len(lively)
    assert found.up_sum == pytest.approx([found.windows, 0.0, 0.0])
    assert found.shape == pytest.approx(shape, abs=1e-6)
    assert found.phase == pytest.approx(phase, abs=1e-6)


def test_the_stride_of_a_steady_walk_is_found_all_along() -> None:
    found = level([_stretch(12.0, 0.1)])
    assert found.period_s == pytest.approx(1.1, abs=0.021)
    assert found.rhythm.min() > 0.5


@pytest.mark.parametrize("seconds", [2.0, 2.6, 6.7, 8.9])
def test_what_has_no_rhythm_is_looked_at_in_every_pace(seconds: float) -> None:
    for seed in range(80):
        found = level([_wandering(seconds, seed)])
        assert SHORTEST_STRIDE_S <= found.period_s.min() <= found.period_s.max() <= LONGEST_STRIDE_S
        assert np.isfinite(found.products).all()
        assert np.isfinite(found.locking).all()
