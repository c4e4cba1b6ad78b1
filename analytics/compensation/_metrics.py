"""Symmetry, regularity and movement of the pelvis from pooled sums: the numbers people read, and their links."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._spectrum import CHANNELS, SLOT, STEP_ODD

_EDGE = 0.995
_ODD_INSIDE = np.array([channel in STEP_ODD for channel in CHANNELS])


def pelvis_metrics(sums: FloatArray) -> dict[str, float]:
    """Metrics of the pooled strides, units in the names; empty for no strides.

    Regularities are normalised autocovariances at half a stride and one stride of time-normalised strides (after
    Moe-Nilssen & Helbostad 2004), unbiased by the number of strides; the harmonic ratio is even over odd amplitudes
    of single strides (ML: odd over even; Menz 2003, Bellanca 2013), the improved one the in-phase share of power
    (Pasciuto 2017). Step symmetry is the share of the repeating power that is in phase with the steps.
    """
    if sums[SLOT["strides"]] < 2:
        return {}
    return {name: float(values[0]) for name, values in metric_rows(sums[None]).items()}


def metric_rows(sums: FloatArray) -> dict[str, FloatArray]:
    """The same for every row of (k, slots) sums, each of two strides or more: metric to (k,) values."""

    def get(name: str) -> FloatArray:
        return sums[:, SLOT[name]]

    n = get("strides")
    out: dict[str, FloatArray] = {}
    first, every = SLOT[f"even_{CHANNELS[0]}"], len(CHANNELS)
    even, odd, total = (sums[:, first + every * kind : first + every * (kind + 1)] for kind in range(3))
    inside, outside = np.where(_ODD_INSIDE, odd, even), np.where(_ODD_INSIDE, even, odd)
    total = np.maximum(total, 1e-12)
    for kind, values in (
        ("step_regularity", np.minimum(np.maximum((inside - outside) / total, -1.0), 1.0)),
        ("stride_regularity", np.minimum(np.maximum((inside + outside) / total, -1.0), 1.0)),
        ("step_symmetry", _share(inside, outside)),
    ):
        out.update({f"{kind}_{channel}": values[:, place] for place, channel in enumerate(CHANNELS)})
    squares = np.maximum(get("square_v") + get("square_ap") + get("square_ml"), 1e-12)
    for channel in CHANNELS[:3]:
        out[f"harmonic_ratio_{channel}"] = get(f"hr_{channel}") / n
        inphase, total = get(f"inphase20_{channel}"), np.maximum(get(f"total20_{channel}"), 1e-12)
        out[f"improved_harmonic_ratio_{channel}_percent"] = 100 * inphase / total
        out[f"rms_{channel}_mps2"] = np.sqrt(get(f"square_{channel}") / n)
        out[f"rms_ratio_{channel}"] = np.sqrt(get(f"square_{channel}") / squares)
    for channel, name in zip(CHANNELS[3:6], ("rotation", "obliquity", "tilt"), strict=True):
        out[f"pelvic_{name}_range_deg"] = np.degrees(get(f"range_{channel}") / n)
    out["vertical_displacement_m"] = get("lift") / n
    out["step_amplitude_v_mps2"] = np.sqrt(np.maximum(get("step_v"), 0.0) / n)
    locked = np.maximum(get("even_ap") + get("odd_ap"), 1e-9)
    out["forward_wave"] = (get("wave_4") + get("wave_6")) / np.sqrt(n * locked)
    duration = get("duration") / n
    out["stride_duration_s"] = duration
    out["cadence_spm"] = 120.0 / duration
    out["stride_duration_cv_percent"] = 100 * np.sqrt(get("duration_spread") / n) / duration
    out["strides"] = n
    return out


def side_vote(sums: FloatArray, usual: dict[str, float]) -> float:
    """−1 to 1: positive where the stride's first harmonics lie as with a stiff left leg, negative for a right one."""

    def angle(pair: str) -> float:
        return float(np.arctan2(sums[SLOT[f"side_{pair}_im"]], sums[SLOT[f"side_{pair}_re"]]))

    votes = [np.cos(angle(pair) - np.radians(usual[f"stiff_left_{pair}"])) for pair in ("v_ml", "v_yaw", "ap_ml")]
    return float(np.mean(votes))


LINKS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "atanh": lambda value: np.arctanh(np.clip(value, -_EDGE, _EDGE)),
    "logit": lambda value: 2 * np.arctanh(np.clip(2 * value - 1, -_EDGE, _EDGE)),
    "log": lambda value: np.log(np.maximum(value, 1e-6)),
    "log1p": lambda value: np.log(np.maximum(value, 0.0) + 0.5),
    "identity": lambda value: value,
}
"""What makes a metric's spread even: the scale on which its band is written."""


def _share(inside: FloatArray, outside: FloatArray) -> FloatArray:
    inside, outside = np.maximum(inside, 0.0), np.maximum(outside, 0.0)
    both = inside + outside
    return np.where(both > 0, inside / np.where(both > 0, both, 1.0), 0.5)
