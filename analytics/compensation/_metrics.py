"""Symmetry, regularity and movement of the pelvis from pooled sums: the numbers people read, and their links."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._spectrum import CHANNELS, SIDE_PAIRS, SLOT, STEP_ODD

_EDGE = 0.995
_ODD_INSIDE = np.array([channel in STEP_ODD for channel in CHANNELS])

METRICS = (
    *(
        f"{kind}_{channel}"
        for kind in ("step_regularity", "stride_regularity", "step_symmetry")
        for channel in CHANNELS
    ),
    *(
        name.format(channel)
        for channel in CHANNELS[:3]
        for name in ("harmonic_ratio_{}", "improved_harmonic_ratio_{}_percent", "rms_{}_mps2", "rms_ratio_{}")
    ),
    *(f"pelvic_{name}_range_deg" for name in ("rotation", "obliquity", "tilt")),
    "vertical_displacement_m",
    "step_amplitude_v_mps2",
    "forward_wave",
    "stride_duration_s",
    "cadence_spm",
    "stride_duration_cv_percent",
    "strides",
)
"""Names of the metrics, units in them; `strides` counts."""


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
    return dict(zip(METRICS, metric_table(sums).T, strict=True))


def metric_table(sums: FloatArray) -> FloatArray:
    """The same as (k, metrics), in the order of `METRICS`."""

    def get(first: str, count: int = 1) -> FloatArray:
        return sums[:, SLOT[first] : SLOT[first] + count]

    every = len(CHANNELS)
    n, duration = get("strides"), get("duration") / get("strides")
    even, odd, total = get("even_v", every), get("odd_v", every), np.maximum(get("total_v", every), 1e-12)
    inside, outside = np.where(_ODD_INSIDE, odd, even), np.where(_ODD_INSIDE, even, odd)
    squares, total20 = get("square_v", 3), np.maximum(get("total20_v", 3), 1e-12)
    share = squares / np.maximum(squares.sum(axis=1, keepdims=True), 1e-12)
    of_axis = (get("hr_v", 3) / n, 100 * get("inphase20_v", 3) / total20, np.sqrt(squares / n), np.sqrt(share))
    locked = np.maximum(get("even_ap") + get("odd_ap"), 1e-9)
    return np.concatenate(
        (
            np.minimum(np.maximum((inside - outside) / total, -1.0), 1.0),
            np.minimum(np.maximum((inside + outside) / total, -1.0), 1.0),
            _share(inside, outside),
            np.stack(of_axis, axis=2).reshape(len(sums), -1),
            np.degrees(get("range_yaw", 3) / n),
            get("lift") / n,
            np.sqrt(np.maximum(get("step_v"), 0.0) / n),
            (get("wave_4") + get("wave_6")) / np.sqrt(n * locked),
            duration,
            120.0 / duration,
            100 * np.sqrt(get("duration_spread") / n) / duration,
            n,
        ),
        axis=1,
    )


def side_vote(sums: FloatArray, usual: dict[str, float]) -> float:
    """−1 to 1: positive where the stride's first harmonics lie as with a stiff left leg, negative for a right one."""
    first = SLOT["side_v_ml_re"]
    parts = sums[first : first + 6].tolist()
    votes = [
        math.cos(math.atan2(imaginary, real) - math.radians(usual[f"stiff_left_{pair}"]))
        for pair, real, imaginary in zip(SIDE_PAIRS, parts[::2], parts[1::2], strict=True)
    ]
    return sum(votes) / len(votes)


LINKS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "atanh": lambda value: np.arctanh(np.minimum(np.maximum(value, -_EDGE), _EDGE)),
    "logit": lambda value: 2 * np.arctanh(np.minimum(np.maximum(2 * value - 1, -_EDGE), _EDGE)),
    "log": lambda value: np.log(np.maximum(value, 1e-6)),
    "log1p": lambda value: np.log(np.maximum(value, 0.0) + 0.5),
    "identity": lambda value: value,
}
"""What makes a metric's spread even: the scale on which its band is written."""


def _share(inside: FloatArray, outside: FloatArray) -> FloatArray:
    inside, outside = np.maximum(inside, 0.0), np.maximum(outside, 0.0)
    both = inside + outside
    return np.where(both > 0, inside / np.where(both > 0, both, 1.0), 0.5)
