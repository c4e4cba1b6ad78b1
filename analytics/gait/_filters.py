"""Zero-phase filters with held edges, many over the same rows through one Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from analytics._peaks import band_pass
from analytics._window import FloatArray

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Rows of signals, (c, n), as lines of a Fourier transform, their edge values held for `margin` rows."""

    lines: ComplexArray
    n: int
    margin: int
    size: int

    def back(self, lines: Sequence[ComplexArray] | ComplexArray) -> FloatArray:
        """(k, n) signals from k rows of filtered lines."""
        whole = irfft(np.asarray(lines), self.size, axis=-1)
        return np.asarray(whole[..., self.margin : self.margin + self.n])


def spectrum(signals: FloatArray, margin: int) -> Spectrum:
    """The spectrum of (c, n) signals for kernels that reach at most `margin` rows to either side."""
    n = signals.shape[1]
    size = _size(n + 2 * margin)
    held = np.empty((len(signals), size))
    held[:, margin : margin + n] = signals
    held[:, :margin] = signals[:, :1]
    held[:, margin + n : n + 2 * margin] = signals[:, -1:]
    held[:, n + 2 * margin :] = 0.0
    return Spectrum(rfft(held, axis=1), n, margin, size)


@lru_cache(maxsize=256)
def _size(least: int) -> int:
    """Rows of a transform: one of eight an octave, so that stretches of many lengths share the responses at hand."""
    step = 1 << max(0, least.bit_length() - 4)
    return int(next_fast_len(-(-least // step) * step, real=True))


@lru_cache(maxsize=128)
def band(low_hz: float, high_hz: float, taps: int, rate_hz: int, size: int) -> ComplexArray:
    """Response of a linear-phase band-pass."""
    return _response(band_pass(taps, low_hz, high_hz, rate_hz), size)


def slope(sigma_ms: int, size: int) -> ComplexArray:
    """Response of the first derivative of a Gaussian at 100 Hz, unit absolute sum, ±4 σ: the size of a rise."""
    t = np.arange(-4 * sigma_ms // 10, 4 * sigma_ms // 10 + 1) * 10.0
    kernel = -t * np.exp(-0.5 * (t / sigma_ms) ** 2)
    return _response(kernel / np.abs(kernel).sum(), size)


@lru_cache(maxsize=32)
def difference(size: int) -> ComplexArray:
    """Response of the slope per row, half of the row after less the row before."""
    return np.asarray(1j * np.sin(2.0 * np.pi / size * np.arange(size // 2 + 1)))


def _response(kernel: FloatArray, size: int) -> ComplexArray:
    half = len(kernel) // 2
    centred = np.zeros(size)
    centred[: half + 1] = kernel[half:]
    centred[size - half :] = kernel[:half]
    return np.asarray(rfft(centred))


def running(signals: FloatArray, half: int) -> FloatArray:
    """Sums over the rows up to `half` before and after each of (…, n), edges held."""
    n = signals.shape[-1]
    sums = np.zeros((*signals.shape[:-1], n + 2 * half + 1))
    held = sums[..., 1:]
    held[..., half : half + n] = signals
    held[..., :half] = signals[..., :1]
    held[..., half + n :] = signals[..., -1:]
    np.cumsum(held, axis=-1, out=held)
    return np.asarray(sums[..., 2 * half + 1 :] - sums[..., :n])
