"""A bout's numbers from its contacts."""

from __future__ import annotations

import math

import numpy as np

from analytics._middle import median
from analytics._window import GRID_HZ, BoolArray, FloatArray, IntArray
from analytics.gait._results import Bout, Contacts, Turn
from analytics.gait._runs import Walk
from analytics.gait._table import (
    CUE,
    IMPACT,
    ODDS,
    PITCH,
    RISE_A,
    RISE_B,
    ROLL,
    ROW,
    SIDE,
    STRIDE,
    TURN,
    YAW,
    chosen,
)
from analytics.gait._turns import straight

ADULT_HEIGHT_M = 1.69
SENSOR_TO_HEIGHT = 0.55
"""Height of the fifth lumbar vertebra over body height (Winter 2009, proportions of the standing body)."""
PENDULUM = 4.587 / 4.0
"""Correction of the inverted pendulum (Zijlstra 2003, as calibrated by Mobilise-D)."""
TURN_RATE_DPS = 50.0
HESITATION = 1.3
"""Strides that take longer than this times the median are shortened in proportion: the pendulum holds for flow only."""
PAUSED = 1.8
"""Strides longer than this times the median hold a pause or a missed step and tell nothing of the rhythm."""
USUAL_STEPS = (0.5, 1.5)
"""Steps within these multiples of the usual one count for the cadence: both of a limp's, none with a pause in it."""
SHORTEST_STRIDE_S, LONGEST_STRIDE_S = 0.2, 3.0
SHORTEST_LENGTH_M = 0.15
STEADY_STRIDES = 6
STEADY_CV_PERCENT = 12.0
VAULT = 1.4
FEW_STRIDES = "fewer than {0} straight strides"


def contact_results(table: FloatArray) -> Contacts:
    """The contacts as results; where the sway contradicts the side the confidence falls."""
    sure = _sure(table[:, ODDS] + 0.5 * table[:, CUE])
    return Contacts(tuple(table[:, ROW].tolist()), tuple((table[:, SIDE] > 0).tolist()), tuple(sure.tolist()))


def summarise(walk: Walk, turns: FloatArray, sensor_height_m: float, final: bool) -> Bout:
    """One bout from its contacts, its turns (rows, degrees) and the height of the sensor above the floor."""
    table = walk.table
    row, stride = table[:, ROW], table[:, STRIDE]
    valid = (stride > SHORTEST_STRIDE_S) & (stride <= LONGEST_STRIDE_S)
    valid[:2] = False  # These strides began before the bout.
    whole = stride[valid]
    usual = median(whole) if len(whole) else 0.0
    ahead = valid & (stride < PAUSED * usual) & straight(row, stride, table[:, TURN], turns)
    reasons: dict[str, str] = {}
    step = (row[1:] - row[:-1]) / GRID_HZ
    usual_step = median(step)
    length, speed = _lengths(table, valid, sensor_height_m, reasons)
    cv = _cv(stride[ahead])
    steady_reason = _steady(stride[ahead], cv)
    metrics = _metrics(table, ahead, usual_step, steady_reason, reasons)
    if cv is None:
        reasons["stride_duration_cv_percent"] = FEW_STRIDES.format(3)
    return Bout(
        start_row=float(row[0]),
        end_row=float(row[-1]),
        final=final,
        n_steps=len(step),
        n_strides=len(whole),
        steady=steady_reason is None,
        steady_reason=steady_reason,
        cadence_spm=_cadence(step, max(usual_step, 0.5 * usual)),
        stride_duration_s=_mean(whole) if len(whole) else None,
        stride_duration_cv_percent=cv,
        stride_length_m=length,
        walking_speed_mps=speed,
        confidence=_mean(_sure(table[:, ODDS])),
        metrics=metrics,
        not_assessable=reasons,
        contacts=contact_results(table),
        closing_contacts=contact_results(walk.closing) if len(walk.closing) else Contacts(),
        turns=tuple(Turn(float(a), float(b), float(angle)) for a, b, angle in turns),
    )


def _sure(odds: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.minimum(np.maximum(odds, -4.0), 4.0))))


def _mean(values: FloatArray) -> float:
    return float(values.sum()) / len(values)


def _cadence(step_s: FloatArray, usual_s: float) -> float:
    """60 over the mean step, s; steps that hold a pause or a missed contact are left out.

    Steps, not strides: a missed contact costs two strides or three but only one step, and short bouts have few.
    """
    kept = step_s[(step_s > USUAL_STEPS[0] * usual_s) & (step_s < USUAL_STEPS[1] * usual_s)]
    return 60.0 / (_mean(kept) if len(kept) else usual_s)


def _stride_lengths(rows: FloatArray, sensor_height_m: float, usual_stride_s: float) -> FloatArray:
    """Length of the stride that ends at each contact, m: two inverted pendulums, shorter in turns and hesitation."""
    stride, rise = rows[:, STRIDE], rows[:, RISE_A : RISE_B + 1]
    steps = 2.0 * np.sqrt(np.maximum(0.0, 2.0 * sensor_height_m * rise - rise**2))
    rate = np.degrees(np.abs(rows[:, TURN])) / stride
    shorter = np.maximum(0.6, 1.0 / (1.0 + (rate / TURN_RATE_DPS) ** 2))
    shorter *= np.minimum(1.0, HESITATION * usual_stride_s / stride)
    return np.asarray(PENDULUM * (steps[:, 0] + steps[:, 1]) * shorter)


def _lengths(
    table: FloatArray, valid: BoolArray, sensor_height_m: float, reasons: dict[str, str]
) -> tuple[float | None, float | None]:
    rows = chosen(table, valid)
    if not len(rows):
        return _no_length("no complete stride", reasons)
    left, right = _rise_by_leg(rows)
    vault = left / max(right, 1e-4)
    if len(rows) >= STEADY_STRIDES and max(vault, 1.0 / max(vault, 1e-4)) > VAULT:
        return _no_length("the pelvis rises unequally on the two legs, so the pendulum model does not hold", reasons)
    stride = table[:, STRIDE]
    length = _stride_lengths(rows, sensor_height_m, median(stride[stride > 0]))
    kept = length >= SHORTEST_LENGTH_M
    if not kept.any():
        return _no_length(f"no stride of {SHORTEST_LENGTH_M} m or more", reasons)
    return _mean(length[kept]), _mean((length / rows[:, STRIDE])[kept])


def _no_length(reason: str, reasons: dict[str, str]) -> tuple[None, None]:
    reasons.update(dict.fromkeys(("stride_length_m", "walking_speed_mps"), reason))
    return None, None


def _cv(values: FloatArray) -> float | None:
    """Coefficient of variation, percent; None for fewer than three values."""
    if len(values) < 3:
        return None
    mean = _mean(values)
    off = values - mean
    return 100.0 * math.sqrt(float(off @ off) / (len(values) - 1)) / mean


def _steady(stride: FloatArray, cv: float | None) -> str | None:
    if len(stride) < STEADY_STRIDES:
        return f"bout not steady: {FEW_STRIDES.format(STEADY_STRIDES)}"
    if cv is not None and cv > STEADY_CV_PERCENT:
        return f"bout not steady: stride times vary by {cv:.0f} %"
    return None


def _metrics(
    table: FloatArray, use: BoolArray, step_s: float, unsteady: str | None, reasons: dict[str, str]
) -> dict[str, float | None]:
    """Per-stride metrics of the straight strides; ranges always, timing symmetry only in steady walking."""
    found: dict[str, float | None] = dict.fromkeys(
        (
            "step_duration_s", "pelvic_tilt_range_deg", "pelvic_obliquity_range_deg", "pelvic_rotation_range_deg",
            "vertical_displacement_m", "vertical_displacement_asymmetry_percent", "impact_asymmetry_percent",
            "step_time_symmetry_index_percent", "phase_coordination_index_percent",
        )
    )  # fmt: skip
    found["step_duration_s"] = step_s
    rows = chosen(table, use)
    if len(rows) < 3:
        reasons.update({name: FEW_STRIDES.format(3) for name, value in found.items() if value is None})
        return found
    found["pelvic_tilt_range_deg"] = median(rows[:, PITCH])
    found["pelvic_obliquity_range_deg"] = median(rows[:, ROLL])
    found["pelvic_rotation_range_deg"] = median(rows[:, YAW])
    found["vertical_displacement_m"] = median(rows[:, RISE_A : RISE_B + 1])
    if unsteady:
        reasons.update({name: unsteady for name, value in found.items() if value is None})
        return found
    right = rows[:, SIDE] > 0
    found["vertical_displacement_asymmetry_percent"] = _asymmetry(*_rise_by_leg(rows))
    if right.any() and not right.all():
        found["impact_asymmetry_percent"] = _asymmetry(median(rows[~right, IMPACT]), median(rows[right, IMPACT]))
    else:
        reasons["impact_asymmetry_percent"] = "contacts of one side only"
    _timing(table[:, ROW], np.flatnonzero(use), right, found, reasons)
    return found


def _rise_by_leg(table: FloatArray) -> tuple[float, float]:
    """Median vertical travel while standing on the left and on the right leg, m."""
    right = table[:, SIDE] > 0
    left_rise = np.where(right, table[:, RISE_B], table[:, RISE_A])
    right_rise = np.where(right, table[:, RISE_A], table[:, RISE_B])
    return median(left_rise), median(right_rise)


def _asymmetry(left: float, right: float) -> float:
    """Robinson's symmetry index, percent, positive where the left is larger."""
    mean = 0.5 * (float(left) + float(right))
    return 0.0 if mean <= 0 else 100.0 * (float(left) - float(right)) / mean


def _timing(
    row: FloatArray, place: IntArray, right: BoolArray, found: dict[str, float | None], reasons: dict[str, str]
) -> None:
    """Symmetry of step times and phase coordination (Plotnik 2007)."""
    middle = row[place - 1]
    second, first = (row[place] - middle) / GRID_HZ, (middle - row[place - 2]) / GRID_HZ
    left_step, right_step = median(np.where(right, first, second)), median(np.where(right, second, first))
    found["step_time_symmetry_index_percent"] = _asymmetry(left_step, right_step)
    reference = ~right if left_step > right_step else right
    phase = 360.0 * (first / (first + second))[reference]
    spread = _cv(phase)
    if spread is None:
        reasons["phase_coordination_index_percent"] = FEW_STRIDES.format(3)
        return
    found["phase_coordination_index_percent"] = spread + 100.0 * _mean(np.abs(phase - 180.0)) / 180.0
