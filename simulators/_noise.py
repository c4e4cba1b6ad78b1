"""Random smooth processes that are functions of time: the same key gives the same curve, wherever one looks first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from simulators._curves import FloatArray

_BLOCK = 256
_KEPT = 4

Band = tuple[float, float]


@dataclass(slots=True)
class Noise:
    """`channels` independent Gaussian curves of unit variance: a uniform B-spline with random coefficients.

    The knots lie `knot_s` apart, so power ends near 0.35/knot_s Hz; `band` in Hz narrows it to a band whose edges are
    soft. A quintic spline has smooth derivatives; where only values count, `degree` 3 is cheaper.
    """

    key: tuple[int, ...]
    knot_s: float
    channels: int
    band: Band | None = None
    degree: int = 5
    _blocks: dict[int, FloatArray] = field(default_factory=dict)

    def at(self, t: FloatArray, derivatives: int = 0) -> FloatArray:
        """At times t (n,), s: (channels, derivatives + 1, n)."""
        place = t / self.knot_s
        whole = np.floor(place).astype(np.int64)
        powers = np.vander(place - whole, self.degree + 1, increasing=True)
        first = int(whole[0])
        rows = self._coefficients(first, int(whole[-1]) + self.degree + 1)
        reach = np.lib.stride_tricks.sliding_window_view(rows, self.degree + 1, axis=0)[whole - first]
        out = np.empty((self.channels, derivatives + 1, len(t)))
        scale = _unit_scale(self.knot_s, self.band, self.degree)
        for order in range(derivatives + 1):
            weights = powers @ (_pieces(self.degree, order) * (scale / self.knot_s**order))
            out[:, order] = np.einsum("nck,nk->cn", reach, weights)
        return out

    def _coefficients(self, start: int, end: int) -> FloatArray:
        blocks = range(start // _BLOCK, (end - 1) // _BLOCK + 1)
        rows = np.concatenate([self._block(number) for number in blocks])
        return rows[start - blocks[0] * _BLOCK : end - blocks[0] * _BLOCK]

    def _block(self, number: int) -> FloatArray:
        found = self._blocks.get(number)
        if found is None:
            shape = _shape(self.knot_s, self.band)
            white = self._white(number)
            if len(shape) > 1:
                both = np.concatenate([self._white(number - 1)[-(len(shape) - 1) :], white])
                white = np.column_stack([np.convolve(both[:, one], shape, "valid") for one in range(self.channels)])
            while len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = found = white
        return found

    def _white(self, number: int) -> FloatArray:
        rng = np.random.default_rng([*self.key, number & 0xFFFF_FFFF])
        return rng.standard_normal((_BLOCK, self.channels))


@cache
def _pieces(degree: int, order: int) -> FloatArray:
    """(degree + 1, degree + 1): coefficients of the powers of u for each of the B-splines that reach a place."""
    u = (np.arange(degree + 1) + 0.5) / (degree + 1)
    places = u[:, None] + degree - np.arange(degree + 1)[None, :]
    return np.asarray(np.linalg.solve(np.vander(u, degree + 1, increasing=True), _spline(places, degree, order)))


def _spline(x: FloatArray, degree: int, order: int = 0) -> FloatArray:
    """The cardinal B-spline on 0 … degree + 1, or a derivative: Σ (−1)^j·C(d + 1, j)·(x − j)₊^d / d! (Schoenberg)."""
    power = degree - order
    terms = [(-1) ** j * math.comb(degree + 1, j) * np.maximum(x - j, 0.0) ** power for j in range(degree + 2)]
    return np.asarray(np.sum(terms, axis=0) / math.factorial(power))


@cache
def _shape(knot_s: float, band: Band | None) -> FloatArray:
    """A short filter over the coefficients that keeps a band, by sampling the response and a Hamming window."""
    if band is None:
        return np.ones(1)
    nyquist = 0.5 / knot_s
    low, high = band[0], min(band[1], 0.95 * nyquist)
    half = round(1.2 / (band[0] * knot_s))
    edges = [0.0, 0.5 * low, low, high, min(nyquist, 1.4 * high), nyquist]
    response = np.interp(np.linspace(0.0, nyquist, 513), edges, [0.0, 0.1, 1.0, 1.0, 0.3, 0.1])
    whole = np.roll(np.fft.irfft(response), half)[: 2 * half + 1]
    return np.asarray(whole * np.hamming(2 * half + 1))


@cache
def _unit_scale(knot_s: float, band: Band | None, degree: int) -> float:
    places = np.arange(degree + 1)[None, :] + (np.arange(8)[:, None] + 0.5) / 8
    curves = [np.convolve(_shape(knot_s, band), row) for row in _spline(places, degree)]
    return float(1 / np.sqrt(np.mean([np.sum(curve**2) for curve in curves])))
