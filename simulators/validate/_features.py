"""What tells one walk from another: features of straight, steady stretches at the lower back, fixed in advance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, find_peaks, sosfiltfilt

from sagittal.units import STANDARD_GRAVITY_MPS2

FloatArray = npt.NDArray[np.float64]

RATE_HZ = 100.0
MIN_STRETCH_S = 3.2
MAX_STRETCH_S = 20.0
_STRAIGHT_RAD_S = 0.35
_ACTIVE_MPS2 = 0.4
_HARMONICS = 20
_STRIDE_S = (0.75, 2.4)

ACCELERATION = (
    "rms_V",
    "rms_AP",
    "rms_ML",
    "rms5_10_V",
    "rms5_10_AP",
    "rms5_10_ML",
    "rms10_20_V",
    "rms10_20_AP",
    "rms10_20_ML",
    "step_V",
    "step_AP",
    "stride_V",
    "stride_AP",
    "HR_V",
    "HR_AP",
    "HR_ML",
    "cadence",
    "cvT",
)
"""The features that the comparison of accelerations uses."""
GYROSCOPE = ("g_yaw", "g_roll", "g_pitch", "g5_yaw", "g5_roll", "g5_pitch")
"""Those that the gyroscope adds."""
UNITS = {
    **{f"{kind}_{axis}": "m/s²" for kind in ("rms", "rms5_10", "rms10_20") for axis in ("V", "AP", "ML")},
    **dict.fromkeys(GYROSCOPE, "°/s"),
    "cadence": "steps/min",
    "cvT": "%",
}


@dataclass(frozen=True, slots=True)
class Walked:
    """A lower-back recording on an even 100 Hz grid: (n, 3) specific force, m/s², and rate, rad/s, x roughly up."""

    acc: FloatArray
    gyr: FloatArray


def features(recording: Walked) -> dict[str, float] | None:
    """Medians over the recording's straight stretches of walking; None where there is no such stretch.

    V up, AP forward, ML left; RMS above 0.25 Hz, m/s² and °/s; regularity after Moe-Nilssen & Helbostad 2004 (unbiased
    autocorrelation at a step's and a stride's lag); harmonic ratios of 20 harmonics a stride after Menz 2003; stride
    time CV in %.
    """
    rows = [row for stretch in stretches(recording) if (row := _of_stretch(stretch)) is not None]
    if not rows:
        return None
    return {name: float(np.median([row[name] for row in rows])) for name in rows[0]}


def stretches(recording: Walked) -> Iterator[Walked]:
    """Stretches of walking without a turn, in body axes (up, forward, left), gravity taken off."""
    up = _unit(recording.acc.mean(axis=0))
    width = int(RATE_HZ)
    turning = np.abs(_smooth(recording.gyr @ up, 2 * width))
    force = np.linalg.norm(recording.acc, axis=1) - STANDARD_GRAVITY_MPS2
    moving = np.sqrt(_smooth(force**2, width))
    good = (turning < _STRAIGHT_RAD_S) & (moving > max(_ACTIVE_MPS2, 0.5 * float(np.median(moving))))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]])))
    longest = int(MAX_STRETCH_S * RATE_HZ)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        for begin in range(start, end, longest):
            stop = min(end, begin + longest)
            if stop - begin >= MIN_STRETCH_S * RATE_HZ:
                yield _in_body_axes(recording.acc[begin:stop], recording.gyr[begin:stop])


def _in_body_axes(acc: FloatArray, gyr: FloatArray) -> Walked:
    """Up from the mean; forward from the step band less the stride band, its sense from the phase to V."""
    up = _unit(acc.mean(axis=0))
    level = acc - np.outer(acc @ up, up)
    step, stride = _band(level, 1.3, 2.6), _band(level, 0.5, 1.15)
    contrast = _share(step) - _share(stride)
    contrast = contrast - 10 * np.outer(up, up)
    forward = _unit(np.linalg.eigh(contrast)[1][:, -1])
    vertical = _band((acc @ up)[:, None], 1.3, 2.6)[:, 0]
    quarter = np.gradient(vertical)
    if float(np.dot(quarter, step @ forward)) > 0:
        forward = -forward
    axes = np.column_stack([up, forward, np.cross(up, forward)])
    body = acc @ axes
    body[:, 0] -= STANDARD_GRAVITY_MPS2
    return Walked(body, gyr @ axes)


def _of_stretch(stretch: Walked) -> dict[str, float] | None:
    acc, gyr = _highpass(stretch.acc), np.degrees(_highpass(stretch.gyr))
    lag = _stride_lag(acc)
    if lag is None:
        return None
    found: dict[str, float] = {"cadence": 120.0 * RATE_HZ / lag}
    for place, axis in enumerate(("V", "AP", "ML")):
        one = acc[:, place]
        found[f"rms_{axis}"] = float(one.std())
        found[f"rms5_10_{axis}"] = band_rms(one, 5, 10)
        found[f"rms10_20_{axis}"] = band_rms(one, 10, 20)
        curve = _autocorrelation(one, lag + lag // 4)
        found[f"stride_{axis}"] = _near(curve, lag)
        found[f"step_{axis}"] = _near(curve if axis != "ML" else -curve, lag // 2)
        found[f"HR_{axis}"] = _harmonic_ratio(one, lag, odd=axis == "ML")
    for place, axis in enumerate(("yaw", "roll", "pitch")):
        found[f"g_{axis}"] = float(gyr[:, place].std())
        found[f"g5_{axis}"] = band_rms(gyr[:, place], 5, 45)
    times = _stride_times(acc, lag)
    found["cvT"] = float(100 * times.std() / times.mean()) if len(times) >= 3 else float("nan")
    return found if np.isfinite(found["cvT"]) else None


def _stride_lag(acc: FloatArray) -> int | None:
    low, high = (int(edge * RATE_HZ) for edge in _STRIDE_S)
    high = min(high, len(acc) // 2)
    smooth = _band(acc, 0.5, 10.0)
    total = np.sum([_autocorrelation(smooth[:, place], high) for place in range(3)], axis=0)
    peaks = find_peaks(total)[0]
    peaks = peaks[(peaks >= low) & (peaks < high)]
    if len(peaks) == 0 or float(total[peaks].max()) < 0.3:
        return None
    good = peaks[total[peaks] >= 0.8 * total[peaks].max()]
    return int(good[0])


def _stride_times(acc: FloatArray, lag: int) -> FloatArray:
    """From every second peak of the step rhythm."""
    step_hz = 2 * RATE_HZ / lag
    rhythm = _band(acc[:, :2], 0.5 * step_hz, 1.6 * step_hz)
    peaks = find_peaks(rhythm[:, 0], distance=max(1, int(0.3 * lag)))[0].astype(float)
    whole = peaks.astype(int)
    inner = (whole > 0) & (whole < len(rhythm) - 1)
    peaks, whole = peaks[inner], whole[inner]
    before, here, after = (rhythm[whole + shift, 0] for shift in (-1, 0, 1))
    peaks += 0.5 * (before - after) / (before - 2 * here + after)
    times = (peaks[2:] - peaks[:-2]) / RATE_HZ
    return np.asarray(times[np.abs(times - lag / RATE_HZ) < 0.25 * lag / RATE_HZ])


def _harmonic_ratio(one: FloatArray, lag: int, *, odd: bool) -> float:
    """Mean over strides of the sum of even over odd harmonics (inverted across), the first 20."""
    count = len(one) // lag
    strides = one[: count * lag].reshape(count, lag)
    size = np.abs(np.fft.rfft(strides, axis=1))[:, 1 : _HARMONICS + 1]
    even, uneven = size[:, 1::2].sum(axis=1), size[:, ::2].sum(axis=1)
    return float(np.mean(uneven / even if odd else even / uneven))


def _autocorrelation(one: FloatArray, longest: int) -> FloatArray:
    """Unbiased, from lag 0 to `longest`."""
    n = len(one)
    spectrum = np.fft.rfft(one - one.mean(), 2 * n)
    curve = np.fft.irfft(np.abs(spectrum) ** 2)[: longest + 1] / (n - np.arange(longest + 1))
    return np.asarray(curve / curve[0])


def _near(curve: FloatArray, lag: int) -> float:
    reach = max(2, round(0.12 * lag))
    return float(curve[max(1, lag - reach) : lag + reach + 1].max())


def band_rms(one: FloatArray, low: float, high: float) -> float:
    """Root mean square of a channel (n,) within a band, Hz."""
    n = len(one)
    power = 2 * np.abs(np.fft.rfft(one - one.mean())) ** 2 / n**2
    freq = np.fft.rfftfreq(n, 1 / RATE_HZ)
    return float(np.sqrt(power[(freq >= low) & (freq < high)].sum()))


def _share(rows: FloatArray) -> FloatArray:
    cov = np.cov(rows.T)
    return np.asarray(cov / np.trace(cov))


@cache
def _band_filter(low: float, high: float) -> FloatArray:
    return np.asarray(butter(2, (low, min(high, 0.47 * RATE_HZ)), "bandpass", fs=RATE_HZ, output="sos"))


def _band(rows: FloatArray, low: float, high: float) -> FloatArray:
    return np.asarray(sosfiltfilt(_band_filter(round(low, 2), round(high, 2)), rows, axis=0))


def _highpass(rows: FloatArray) -> FloatArray:
    return np.asarray(sosfiltfilt(butter(2, 0.25, "highpass", fs=RATE_HZ, output="sos"), rows, axis=0))


def _smooth(one: FloatArray, width: int) -> FloatArray:
    return np.convolve(one, np.ones(width) / width, "same")


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector))
