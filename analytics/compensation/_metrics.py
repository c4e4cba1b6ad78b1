"""Symmetry, regularity and movement of the pelvis from pooled sums: the numbers people read, and their links."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._spectrum import CHANNELS, SLOT, STEP_ODD

_EDGE = 0.995


def pelvis_metrics(sums: FloatArray) -> dict[str, float]:
    """Metrics of the pooled strides, units in the names; empty for no strides.

    Regularities are normalised autocovariances at half a stride and one stride of time-normalised strides (after
    Moe-Nilssen & Helbostad 2004), unbiased by the number of strides; the harmonic ratio is even over odd amplitudes
    of single strides (ML: odd over even; Menz 2003, Bellanca 2013), the improved one the in-phase share of power
    (Pasciuto 2017). Step symmetry is the share of the repeating power that is in phase with the steps.
    """
    get = _Reader(sums)
    n = get("strides")
    if n < 2:
        return {}
    out: dict[str, float] = {}
    for channel in CHANNELS:
        even, odd, total = (get(f"{kind}_{channel}") for kind in ("even", "odd", "total"))
        inside, outside = (odd, even) if channel in STEP_ODD else (even, odd)
        total = max(total, 1e-12)
        out[f"step_regularity_{channel}"] = _within((inside - outside) / total)
        out[f"stride_regularity_{channel}"] = _within((inside + outside) / total)
        out[f"step_symmetry_{channel}"] = _share(inside, outside)
    squares = sum(get(f"square_{channel}") for channel in CHANNELS[:3])
    for channel in CHANNELS[:3]:
        out[f"harmonic_ratio_{channel}"] = get(f"hr_{channel}") / n
        out[f"improved_harmonic_ratio_{channel}_percent"] = (
            100 * get(f"inphase20_{channel}") / max(get(f"total20_{channel}"), 1e-12)
        )
        out[f"rms_{channel}_mps2"] = float(np.sqrt(get(f"square_{channel}") / n))
        out[f"rms_ratio_{channel}"] = float(np.sqrt(get(f"square_{channel}") / max(squares, 1e-12)))
    for channel, name in zip(CHANNELS[3:6], ("rotation", "obliquity", "tilt"), strict=True):
        out[f"pelvic_{name}_range_deg"] = float(np.degrees(get(f"range_{channel}") / n))
    out["vertical_displacement_m"] = get("lift") / n
    out["step_amplitude_v_mps2"] = float(np.sqrt(max(get("step_v"), 0.0) / n))
    locked = max(get("even_ap") + get("odd_ap"), 1e-9)
    out["forward_wave"] = (get("wave_4") + get("wave_6")) / float(np.sqrt(n * locked))
    duration = get("duration") / n
    out["stride_duration_s"] = duration
    out["cadence_spm"] = 120.0 / duration
    out["stride_duration_cv_percent"] = 100 * float(np.sqrt(get("duration_spread") / n)) / duration
    out["strides"] = n
    return out


def side_vote(sums: FloatArray, usual: dict[str, float]) -> float:
    """−1 to 1: positive where the stride's first harmonics lie as with a stiff left leg, negative for a right one."""
    get = _Reader(sums)
    votes = [
        np.cos(np.arctan2(get(f"side_{pair}_im"), get(f"side_{pair}_re")) - np.radians(usual[f"stiff_left_{pair}"]))
        for pair in ("v_ml", "v_yaw", "ap_ml")
    ]
    return float(np.mean(votes))


LINKS: dict[str, Callable[[float], float]] = {
    "atanh": lambda value: float(np.arctanh(np.clip(value, -_EDGE, _EDGE))),
    "logit": lambda value: float(2 * np.arctanh(np.clip(2 * value - 1, -_EDGE, _EDGE))),
    "log": lambda value: float(np.log(max(value, 1e-6))),
    "log1p": lambda value: float(np.log(max(value, 0.0) + 0.5)),
    "identity": float,
}
"""What makes a metric's spread even: the scale on which its band is written."""


class _Reader:
    def __init__(self, sums: FloatArray) -> None:
        self._sums = sums

    def __call__(self, name: str) -> float:
        return float(self._sums[SLOT[name]])


def _within(value: float) -> float:
    return float(np.clip(value, -1.0, 1.0))


def _share(inside: float, outside: float) -> float:
    inside, outside = max(inside, 0.0), max(outside, 0.0)
    return inside / (inside + outside) if inside + outside > 0 else 0.5
