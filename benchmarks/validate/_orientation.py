"""Inclination against an optical system, on a rigid body moved by hand (BROAD)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.validate._recordings import FloatArray, analysed
from benchmarks.validate._report import Row, Section

VQF = "0.71° VQF, mean of 9"


def section(data: Path) -> Section:
    """Root mean square inclination error while moving, mean of the trials."""
    trials = analysed(data, "broad", orientation=True)
    errors = [
        _inclination_rmse(one.ref, np.asarray(one.found["orientation"]["lower_back"]["quat_wxyz"])) for one in trials
    ]
    mean, whom = float(np.mean(errors)), f"–, {len(trials)}"
    return Section(
        "Orientation",
        rows=[
            Row("inclination, RMSE (`broad`), mean of trials", whom, mean, VQF, 0.71, "less", "°", 2),
            Row("… worst trial", whom, max(errors), unit="°", digits=2),
        ],
        notes=[
            "Inclination: 2·acos √(w² + z²) of the difference to the optical orientation, over the moving phase "
            "(Laidig 2021, Data 6:72). On 22 trials, run by us: VQF 0.60°, BasicVQF 0.99°, Madgwick (ahrs) 1.89°, "
            "imufusion 5.87°, Mahony (ahrs) 9.06°.",
        ],
    )  # fmt: skip


def _inclination_rmse(ref: dict[str, FloatArray], quat: FloatArray) -> float:
    truth = np.asarray(ref["quat_wxyz"], dtype=float)
    use = np.asarray(ref["moving"], dtype=bool) & np.isfinite(truth).all(axis=1)
    difference = _product(quat[use], truth[use] * np.array([1.0, -1.0, -1.0, -1.0]))
    upright = np.sqrt(difference[:, 0] ** 2 + difference[:, 3] ** 2)
    return float(np.degrees(np.sqrt(np.mean((2.0 * np.arccos(np.clip(upright, 0.0, 1.0))) ** 2))))


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    w, v = a[:, :1], a[:, 1:]
    p, u = b[:, :1], b[:, 1:]
    scalar = w * p - np.sum(v * u, axis=1, keepdims=True)
    return np.concatenate((scalar, w * u + p * v + np.cross(v, u)), axis=1)
