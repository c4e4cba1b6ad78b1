"""Filters through one Fourier transform, running sums and the median are what plain NumPy makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analytics._middle import median
from analytics._peaks import band_pass
from analytics._window import FloatArray
from analytics.gait import _filters

NUMBERS = st.floats(-1e6, 1e6)


def held(signal: FloatArray, half: int) -> FloatArray:
    return np.concatenate((np.full(half, signal[0]), signal, np.full(half, signal[-1])))


@pytest.mark.parametrize("rows", [50, 375, 950])
@pytest.mark.parametrize(("low", "high", "taps"), [(0.4, 5.0, 51), (1.2, 2.8, 75), (0.45, 1.15, 101)])
def test_a_band_is_the_convolution_with_edges_held(rows: int, low: float, high: float, taps: int) -> None:
    signals = np.random.default_rng(rows).normal(size=(3, rows)).cumsum(axis=1)
    spectrum = _filters.spectrum(signals, 50)
    found = spectrum.back(spectrum.lines * _filters.band(low, high, taps, 25, spectrum.size))
    kernel = band_pass(taps, low, high, 25)
    plain = [np.convolve(held(one, taps // 2), kernel, "valid") for one in signals]
    assert found == pytest.approx(np.array(plain), abs=1e-11)


@pytest.mark.parametrize("sigma_ms", [25, 40, 80])
def test_a_slope_is_positive_where_a_signal_rises_and_as_large_as_its_step(sigma_ms: int) -> None:
    spectrum = _filters.spectrum(np.repeat([0.0, 2.0], 200)[None], 32)
    (found,) = spectrum.back(spectrum.lines * _filters.slope(sigma_ms, spectrum.size))
    assert int(np.argmax(found)) in (199, 200)
    assert found.max() == pytest.approx(1.0, abs=0.1)
    assert found.min() == pytest.approx(0.0, abs=1e-12)


@given(arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 60)), elements=NUMBERS), st.integers(0, 20))
def test_running_sums_hold_the_edges(signals: FloatArray, half: int) -> None:
    plain = [np.convolve(held(one, half), np.ones(2 * half + 1), "valid") for one in signals]
    assert _filters.running(signals, half) == pytest.approx(np.array(plain), abs=1e-6)


@given(arrays(float, st.integers(1, 200), elements=NUMBERS))
def test_the_median_is_numpys_and_leaves_its_numbers_in_place(values: FloatArray) -> None:
    before = values.copy()
    assert median(values) == pytest.approx(float(np.median(values)), rel=1e-12, abs=1e-12)
    assert (values == before).all()


@pytest.mark.parametrize("size", [511, 512, 513, 2000, 2001])
def test_the_median_of_many_is_numpys(size: int) -> None:
    values = np.random.default_rng(size).normal(size=(size, 3))[:, 1]
    assert median(values) == np.median(values)
