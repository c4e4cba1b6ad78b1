"""From evidence to patterns and one score."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from analytics.compensation._bands import Bands, bands
from analytics.compensation._course import Course
from analytics.compensation._declines import Declines
from analytics.compensation._departure import Departure, logistic, replicas, with_error
from analytics.compensation._evidence import LEGS, GaitEvidence
from analytics.compensation._inputs import BendStatistics, WalkingPosture
from analytics.compensation._legs import leg_mean
from analytics.compensation._patterns import (
    asymmetric_gait,
    decline,
    forward_stoop,
    guarded_back,
    lateral_shift,
    pelvic_drop,
    short_step,
    stiff_knee,
    trunk_lean,
)
from sagittal.results import Pattern

VERSION = "compensation-2"

_GAIT = 4
"""The first patterns are those that the score is made of; any of them may carry its flag."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Patterns and the score of one walk, recording or day.

    Attributes
    ----------
    patterns
        Every pattern, assessable or not.
    score
        0–1, one half at the edge of healthy gait; None with `reason`.
    flagged
        Whether the score lies beyond that edge by more than its uncertainty, or a gait pattern does.
    departure, departure_error
        The score's own scale: spreads between healthy people, and its standard error.
    metrics
        Every metric of gait quality, units in the names.
    not_assessable
        Metric or group to the reason why it is absent.
    """

    patterns: tuple[Pattern, ...]
    score: float | None
    flagged: bool
    reason: str | None
    departure: float | None
    departure_error: float | None
    confidence: float
    metrics: dict[str, float] = field(default_factory=dict)
    not_assessable: dict[str, str] = field(default_factory=dict)
    version: str = VERSION


def assess(
    evidence: GaitEvidence,
    *,
    course: Course | None = None,
    declines: Declines | None = None,
    posture: WalkingPosture | None = None,
    bends: BendStatistics | None = None,
    table: Bands | None = None,
) -> Assessment:
    """Judge evidence against the bands.

    `course` belongs to one walk, `declines` to a day or longer and goes before it; `posture` and `bends` come from
    the posture part, over the same time.

    The score is a logistic of the departure D from healthy gait: the mean over five kinds of evidence from the
    pelvis (form of the forward wave, step regularity, step symmetry, timing variability, pelvic motion), every one
    in spreads between healthy people at the same cadence; legs and upper trunk, where worn, can only add to it.
    """
    table = table or bands()
    line = table.line
    reason = _too_little(evidence, line["strides_min"])
    gait = None if reason else replicas(evidence.pelvis, table)
    metrics = gait.metrics if gait else None
    stiff, stiff_size = stiff_knee(evidence, table)
    lean, lean_size = trunk_lean(evidence, table)
    whole = with_error(gait, table, "score", line["score_stride_noise"], line["score_repeat"]) if gait else None
    patterns = [
        asymmetric_gait(gait, reason, table),
        stiff,
        short_step(gait, reason, table),
        lean,
        pelvic_drop(gait, reason, table),
        guarded_back(bends, table),
        forward_stoop(posture, table),
        lateral_shift(posture, table),
        decline(course, declines, table),
    ]
    score, flagged = None, False
    if whole is not None:
        whole = Departure(whole.size + line["leg_weight"] * stiff_size + line["trunk_weight"] * lean_size, whole.error)
        score = logistic(line["score_steepness"] * (whole.size - line["score_edge"]))
        flagged = whole.size - whole.error > line["score_edge"]
        if flagged and not any(p.flagged for p in patterns[:_GAIT]):
            patterns = _flag_leading(patterns)
    flagged = flagged or any(p.flagged for p in patterns[: _GAIT + 1])
    return Assessment(
        patterns=tuple(patterns),
        score=score,
        flagged=flagged,
        reason=reason,
        departure=whole.size if whole else None,
        departure_error=whole.error if whole else None,
        confidence=_confidence(whole),
        metrics={**(metrics or {}), **_leg_metrics(evidence)},
        not_assessable=_absent(evidence, metrics, reason, line),
    )


def _too_little(evidence: GaitEvidence, least: float) -> str | None:
    if not evidence.sites:
        return "no walking seen yet"
    if not {"lower_back", "pelvis", "waist"} & set(evidence.sites):
        return "needs a sensor at the lower back, pelvis or waist"
    if evidence.seen == 0:
        return "no strides found: not walking, or too short"
    if evidence.strides < least:
        return f"too few straight, steady strides: {evidence.strides} of {evidence.seen}, needs {least:.0f}"
    return None


def _flag_leading(patterns: list[Pattern]) -> list[Pattern]:
    """Where the score is beyond its edge but no single pattern is, the one furthest out carries the flag."""
    known = [p for p in patterns[:_GAIT] if p.score is not None]
    lead = max(known, key=lambda p: p.score or 0.0)
    return [_flagged(p) if p is lead else p for p in patterns]


def _flagged(pattern: Pattern) -> Pattern:
    return replace(pattern, flagged=True)


def _confidence(whole: Departure | None) -> float:
    return 0.0 if whole is None else float(1 / (1 + whole.error**2 / 0.25))


def _leg_metrics(evidence: GaitEvidence) -> dict[str, float]:
    out: dict[str, float] = {}
    for side in LEGS:
        if not evidence.legs[side].any():
            continue
        for name, key, scale in (
            ("stance", f"stance_{side}_percent", 100.0),
            ("knee", f"knee_range_{side}_deg", 0.0),
            ("range", f"shank_rate_range_{side}_dps", 0.0),
            ("thigh", f"thigh_rate_range_{side}_dps", 0.0),
        ):
            found = leg_mean(evidence.legs[side], name)
            if found is not None:
                out[key] = found[0] * scale if scale else math.degrees(math.exp(found[0]))
        if f"stance_{side}_percent" in out:
            out[f"swing_{side}_percent"] = 100.0 - out[f"stance_{side}_percent"]
    return out


def _absent(
    evidence: GaitEvidence, gait: dict[str, float] | None, reason: str | None, line: dict[str, float]
) -> dict[str, str]:
    out: dict[str, str] = {}
    if gait is None:
        out["compensation_score"] = reason or "not assessable"
    elif gait["strides"] < line["variability_strides_min"]:
        out["stride_duration_cv_percent"] = (
            f"uncertain: {gait['strides']:.0f} strides, needs {line['variability_strides_min']:.0f}"
        )
    for side in LEGS:
        if leg_mean(evidence.legs[side], "stance") is None:
            out[f"stance_{side}_percent"] = f"needs a sensor at the {side} shank and three swings of it"
        if leg_mean(evidence.legs[side], "knee") is None:
            out[f"knee_range_{side}_deg"] = f"needs sensors at the {side} thigh and shank"
    return out
