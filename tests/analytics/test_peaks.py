"""Peaks and kernels are those of scipy.signal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import find_peaks, firwin

from analytics._peaks import band_pass, peaks


@given(st.integers(0, 10_000), st.integers(3, 400), st.integers(1, 60), st.floats(-1, 1))
def test_peaks_are_those_of_scipy(seed: int, size: int, distance: int, height: float) -> None:
    values = np.random.default_rng(seed).normal(size=size)
    assert peaks(values, height, distance).tolist() == find_peaks(values, height=height, distance=distance)[0].tolist()


@pytest.mark.parametrize(("low", "high", "taps"), [(0.4, 1.5, 51), (1.2, 2.8, 51), (0.55, 1.4, 75)])
def test_kernels_are_those_of_scipy(low: float, high: float, taps: int) -> None:
    assert band_pass(taps, low, high, 25) == pytest.approx(firwin(taps, [low, high], pass_zero=False, fs=25), abs=1e-14)
