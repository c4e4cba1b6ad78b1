"""The compensation patterns, one function each: score, side where knowable, evidence, limits, sensors."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from analytics.compensation._bands import Bands
from analytics.compensation._course import Course
from analytics.compensation._declines import Declines, loss_of, slopes_of
from analytics.compensation._departure import Departure, Replicas, logistic, with_error
from analytics.compensation._evidence import LEGS, GaitEvidence
from analytics.compensation._inputs import BendStatistics, WalkingPosture
from analytics.compensation._legs import leg_mean
from analytics.compensation._metrics import side_vote
from analytics.compensation._spectrum import SLOT
from sagittal.names import Side
from sagittal.results import Pattern

PELVIS = "Needs one sensor at the lower back, pelvis or waist."


def asymmetric_gait(gait: Replicas | None, reason: str | None, table: Bands) -> Pattern:
    """One step unlike the other: step regularity and step symmetry of acceleration and pelvic rotation."""
    limits = (
        f"{PELVIS} Says that steps differ, not why. The side is the leg with the shorter stance, named only where "
        "the stride's first harmonics agree; from the pelvis alone it is right for a stiff knee, unsure otherwise."
    )
    if gait is None:
        return _absent("asymmetric_gait", reason, limits)
    found = _departure(gait, table, "asymmetric_gait")
    vote = side_vote(gait.sums, table.phase_deg)
    names = table.weight["step_regularity"].keys() | table.weight["step_symmetry"].keys()
    metrics = gait.metrics
    shown = {name: metrics[name] for name in sorted(names)} | {"side_agreement": abs(vote)}
    side = None
    if found.size > table.line["side_departure_min"] and abs(vote) > table.line["side_agreement_min"]:
        side = Side.LEFT if vote > 0 else Side.RIGHT
    return _present("asymmetric_gait", found, table, shown, limits, side)


def short_step(gait: Replicas | None, reason: str | None, table: Bands) -> Pattern:
    """Limp or short step: forward wave out of form, timing that varies, little pelvic motion, soft steps."""
    limits = (
        f"{PELVIS} A symmetric compensation shows only here. Soft shoes, carpets or a loose strap soften steps too; "
        "a walking aid changes the forward wave."
    )
    if gait is None:
        return _absent("short_step", reason, limits)
    found = _departure(gait, table, "short_step")
    names = (
        "forward_wave",
        "stride_duration_cv_percent",
        "pelvic_obliquity_range_deg",
        "pelvic_rotation_range_deg",
        "rms_ap_mps2",
        "step_amplitude_v_mps2",
        "cadence_spm",
    )
    metrics = gait.metrics
    return _present("short_step", found, table, {name: metrics[name] for name in names}, limits)


def stiff_knee(evidence: GaitEvidence, table: Bands) -> tuple[Pattern, float]:
    """One shank that swings less than the other, and what that adds to the score.

    Mean of ln(left / right) of the shank's rate range and swing peak: needs neither mounting nor a shared clock.
    """
    limits = (
        "Needs both shanks (thighs add the knee-angle range, which wants clocks within 50 ms). Says that one knee "
        "moves less in swing, not why; a stiff ankle or hip can look alike. Two equally stiff knees stay unseen."
    )
    ratios: list[float] = []
    errors: list[float] = []
    for name in ("range", "peak"):
        left, right = (leg_mean(evidence.legs[side], name) for side in LEGS)
        if left is None or right is None:
            return _absent("stiff_knee", "needs sensors at both shanks, with three swings of each", limits), 0.0
        ratios.append(left[0] - right[0])
        errors.append(math.hypot(left[1], right[1]))
    spread = table.line["leg_spread"]
    ratio = sum(ratios) / len(ratios)
    found = Departure(abs(ratio) / spread, sum(errors) / len(errors) / spread)
    shown: dict[str, float] = {"shank_swing_left_over_right": math.exp(ratio)}
    for side in LEGS:
        for name, key in (("range", "shank_rate_range_{}_dps"), ("knee", "knee_range_{}_deg")):
            mean = leg_mean(evidence.legs[side], name)
            if mean is not None:
                shown[key.format(side)] = math.degrees(math.exp(mean[0]))
        stance = leg_mean(evidence.legs[side], "stance")
        if stance is not None:
            shown[f"stance_{side}_percent"] = 100 * stance[0]
    edge = table.line["stiff_knee_edge"]
    shorter = None
    if found.size > table.line["leg_side_min"]:
        shorter = Side.LEFT if ratio < 0 else Side.RIGHT
    extra = _beyond(found.size, edge)
    return _present("stiff_knee", found, table, shown, limits, shorter), extra


def trunk_lean(evidence: GaitEvidence, table: Bands) -> tuple[Pattern, float]:
    """Upper trunk swaying over the stance leg while the pelvis moves less (Reininga 2012), and what it adds."""
    limits = (
        "Needs a sensor at the upper trunk beside the pelvic one. Sees sway with every stride; a steady lean needs "
        "the wearer's own upright reference. Healthy .6, people with painful hips 1.1, with lean 1.7 (Reininga 2012)."
    )
    strides, lean, right, left = evidence.trunk.tolist()
    own = float(evidence.pelvis[:, SLOT["strides"]].sum())
    least = table.line["strides_min"]
    if strides < least or own < least:
        return _absent("trunk_lean", "needs upper trunk and pelvis together over some straight strides", limits), 0.0
    trunk_deg = math.degrees(lean / strides)
    pelvis_deg = math.degrees(float(evidence.pelvis[:, SLOT["range_roll"]].sum()) / own)
    ratio = trunk_deg / max(pelvis_deg, 0.5)
    spread = table.line["trunk_ratio_spread"]
    size = math.log(ratio / table.line["trunk_ratio_usual"]) / spread
    found = Departure(size, table.line["trunk_ratio_noise"] / math.sqrt(min(strides, own)) / spread)
    shown = {
        "trunk_lean_range_deg": trunk_deg,
        "trunk_lean_right_deg": math.degrees(right / strides),
        "trunk_lean_left_deg": math.degrees(left / strides),
        "pelvic_obliquity_range_deg": pelvis_deg,
        "trunk_over_pelvis": ratio,
    }
    extra = _beyond(size, table.line["trunk_lean_edge"])
    return _present("trunk_lean", found, table, shown, limits), extra


def pelvic_drop(gait: Replicas | None, reason: str | None, table: Bands) -> Pattern:
    """Pelvis dropping or hiking on one side: frontal rotation unlike from step to step."""
    limits = (
        f"{PELVIS} Drop and hike look alike; how far either side goes down from the stride's mean is in the evidence. "
        "Compare with the wearer's own baseline: range alone lies inside the healthy band in most people who hike."
    )
    if gait is None:
        return _absent("pelvic_drop_or_hike", reason, limits)
    found = _departure(gait, table, "pelvic_drop_or_hike")
    metrics = gait.metrics
    shown = {name: metrics[name] for name in ("step_symmetry_roll", "pelvic_obliquity_range_deg")}
    for side in ("right", "left"):
        shown[f"{side}_side_down_deg"] = math.degrees(float(gait.sums[SLOT[f"{side}_down"]]) / metrics["strides"])
    return _present("pelvic_drop_or_hike", found, table, shown, limits)


def guarded_back(bends: BendStatistics | None, table: Bands) -> Pattern:
    """Bends slower, and slower for their depth (Laird 2019: 59° of pelvis in 2.28 s against 48° in 3.18 s)."""
    limits = (
        "Needs bends seen by the posture part. One pelvic sensor does not see the lumbar curve; age and the task "
        "slow bends too. Compare with the wearer's own baseline."
    )
    least = table.line["bends_min"]
    if bends is None or bends.count < least:
        seen = 0 if bends is None else bends.count
        return _absent("guarded_back", f"needs {least:.0f} bends, {seen} seen", limits)
    pace = bends.peak_speed_dps / max(bends.depth_deg, 1.0)
    sizes = [
        math.log(table.line[f"bend_{name}_usual"] / max(value, 1e-3)) / table.line[f"bend_{name}_spread"]
        for name, value in (("pace", pace), ("speed", bends.peak_speed_dps))
    ]
    found = Departure(sum(sizes) / len(sizes), table.line["bend_pace_noise"] / math.sqrt(bends.count))
    shown = {
        "bends": float(bends.count),
        "bend_depth_deg": bends.depth_deg,
        "bend_peak_speed_dps": bends.peak_speed_dps,
        "bend_pace_per_s": pace,
    }
    return _present("guarded_back", found, table, shown, limits)


def forward_stoop(posture: WalkingPosture | None, table: Bands) -> Pattern:
    """Walking inclined forwards of the wearer's own upright."""
    limits = "Needs the wearer's own upright reference; it is the pelvis's inclination. Hills and loads bend it too."
    if posture is None:
        return _absent("forward_stoop_while_walking", "needs upright from a calibration pose, and walking", limits)
    spread = table.line["inclination_spread_deg"]
    found = Departure(posture.flexion_deg / spread, posture.error_deg / spread)
    return _present("forward_stoop_while_walking", found, table, {"flexion_deg": posture.flexion_deg}, limits)


def lateral_shift(posture: WalkingPosture | None, table: Bands) -> Pattern:
    """Walking inclined to one side of the wearer's own upright; the direction is in the evidence (right positive)."""
    limits = "Needs the wearer's own upright reference; a strap that slid sideways looks alike."
    if posture is None:
        return _absent("lateral_shift", "needs upright from a calibration pose, and walking", limits)
    spread = table.line["lateral_spread_deg"]
    found = Departure(abs(posture.lateral_deg) / spread, posture.error_deg / spread)
    return _present("lateral_shift", found, table, {"lateral_deg": posture.lateral_deg}, limits)


def decline(course: Course | None, declines: Declines | None, table: Bands) -> Pattern:
    """Slower, softer and less regular with every minute of a walk; over a day, how often, and eased by rest or not."""
    limits = (
        "Needs one walk of at least three minutes. Hills, crowds and haste change pace too: a pattern only where it "
        "returns on several walks. Pattern consistent with activity-limited walking, nothing more."
    )
    if declines is not None:
        return _declines(declines, table, limits)
    slopes = slopes_of(course, table) if course is not None else None
    if course is None or slopes is None:
        have = 0.0 if course is None else course.minutes
        reason = f"needs {table.line['decline_min']:.0f} min of one walk with straight strides, has {have:.1f}"
        return _absent("decline_within_walk", reason, limits)
    shown = {"walk_min": course.minutes} | {f"{name}_slope_per_min": slope for name, (slope, _) in slopes.items()}
    return _present("decline_within_walk", loss_of(slopes, course.minutes, table), table, shown, limits)


def _declines(counts: Declines, table: Bands, limits: str) -> Pattern:
    found = counts.usual
    if found is None:
        reason = f"needs two walks of {table.line['decline_min']:.0f} min, has {counts.walks}"
        return _absent("decline_within_walk", reason, limits)
    shown = {
        "long_walks": float(counts.walks),
        "declined_walks": float(counts.declined),
        "declines_before_a_rest": float(counts.rested),
        "declines_eased_by_rest": float(counts.relieved),
    }
    return _present("decline_within_walk", found, table, shown, limits)


def _departure(gait: Replicas, table: Bands, pattern: str) -> Departure:
    return with_error(gait, table, pattern, table.line["pattern_stride_noise"], table.line["score_repeat"])


def _present(
    name: str,
    found: Departure,
    table: Bands,
    shown: dict[str, float],
    limits: str,
    side: Side | None = None,
) -> Pattern:
    edge = table.line[f"{name}_edge"]
    return Pattern(
        pattern=name,
        side=side,
        score=logistic(table.line["pattern_steepness"] * (found.size / edge - 1)),
        flagged=found.size - found.error > edge,
        assessable=True,
        evidence={**shown, "departure": found.size, "departure_error": found.error},
        confidence=float(1 / (1 + found.error**2 / 0.25)),
        limits=limits,
    )


def _beyond(size: float, edge: float) -> float:
    """Smooth and monotone: nothing well inside the edge, the excess well beyond it."""
    return float(np.logaddexp(0.0, 2 * (size - edge))) / 2


@lru_cache(maxsize=64)
def _absent(name: str, reason: str | None, limits: str) -> Pattern:
    return Pattern(pattern=name, assessable=False, reason=reason or "not assessable", limits=limits)
