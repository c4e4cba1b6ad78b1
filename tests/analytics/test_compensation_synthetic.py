"""Synthetic strides: what is put in must come out, however the sensor sits."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics._window import GRID_HZ, Window
from analytics.compensation import (
    Assessment,
    BendStatistics,
    Course,
    Declines,
    GaitEvidence,
    WalkingPosture,
    analyse_stretch,
    assess,
    bands,
    relief,
)
from sagittal.results import Pattern
from tests.analytics.synthetic_walk import (
    FORCE_CADENCES_SPM,
    Gait,
    any_mounting,
    published_forces,
    turned_in_place,
    walk,
)

NORMAL = Gait()


def judge(window: Window, site: str = "lower_back") -> Assessment:
    return assess(analyse_stretch({site: window})[0])


def pattern(assessment: Assessment, name: str) -> Pattern:
    return next(p for p in assessment.patterns if p.pattern == name)


def departure(window: Window) -> float:
    found = judge(window).departure
    assert found is not None
    return found


def test_a_normal_walk_is_scored_and_not_flagged() -> None:
    found = judge(walk(NORMAL))
    assert found.score is not None
    assert 0 < found.score < 0.4
    assert not found.flagged
    assert found.metrics["cadence_spm"] == pytest.approx(110, rel=0.01)
    assert not any(p.flagged for p in found.patterns)


def test_a_stiff_step_is_flagged_as_asymmetric_with_its_side() -> None:
    found = judge(walk(Gait(asymmetry=1.0)))
    asymmetric = pattern(found, "asymmetric_gait")
    assert found.flagged
    assert asymmetric.flagged
    assert asymmetric.evidence["step_symmetry_norm"] is not None
    assert asymmetric.evidence["step_symmetry_norm"] < 0.9


def test_mirroring_mirrors_the_side_and_changes_no_score() -> None:
    gait = Gait(asymmetry=1.0)
    plain, mirrored = judge(walk(gait)), judge(walk(gait, mirror=True))
    assert plain.score == pytest.approx(mirrored.score, abs=1e-9)
    sides = {pattern(a, "asymmetric_gait").side for a in (plain, mirrored)}
    assert sides == {"left", "right"}
    for name in plain.metrics:
        assert plain.metrics[name] == pytest.approx(mirrored.metrics[name], rel=1e-6)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_mounting_changes_nothing(seed: int) -> None:
    gait = Gait(asymmetry=0.5, seconds=30)
    assert departure(walk(gait, mounting=any_mounting(seed))) == pytest.approx(departure(walk(gait)), abs=0.03)


def test_a_gain_error_changes_nothing() -> None:
    assert departure(walk(NORMAL, gain=1.12)) == pytest.approx(departure(walk(NORMAL)), abs=0.03)


@pytest.mark.parametrize("rate_hz", [50, 200])
def test_a_resampled_sensor_is_judged_alike(rate_hz: int) -> None:
    reference = departure(walk(NORMAL))
    assert departure(walk(NORMAL, rate_hz=rate_hz)) == pytest.approx(reference, abs=0.2)


def test_severity_raises_the_score_steadily() -> None:
    scores = [judge(walk(Gait(asymmetry=a))).score for a in (0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    known = [s for s in scores if s is not None]
    assert len(known) == len(scores)
    assert all(b > a for a, b in itertools.pairwise(known))


def test_a_wave_out_of_time_raises_the_limp_only() -> None:
    found = judge(walk(Gait(wave_delay_deg=120, timing_cv=0.03)))
    usual = judge(walk(Gait(timing_cv=0.03)))
    limp, before = (pattern(a, "short_step").score for a in (found, usual))
    assert limp is not None
    assert before is not None
    assert limp > before + 0.1
    steady, steady_before = (pattern(a, "asymmetric_gait").score for a in (found, usual))
    assert steady == pytest.approx(steady_before, abs=0.05)


@pytest.mark.parametrize("cadence_spm", [65, 80, 95, 110, 125, 135])
def test_the_same_body_at_any_speed_is_not_flagged(cadence_spm: float) -> None:
    vigour = (cadence_spm / 110) ** 2
    found = judge(walk(Gait(cadence_spm=cadence_spm, vigour=vigour, seconds=60)))
    assert found.score is not None
    assert not found.flagged
    assert not any(p.flagged for p in found.patterns)


@pytest.mark.parametrize("irregularity", [0.1, 0.25, 0.4])
def test_published_forces_over_speed_raise_nothing(irregularity: float) -> None:
    found = [
        judge(walk(Gait(cadence_spm=c, acc=published_forces(c), irregularity=irregularity, seconds=60)))
        for c in FORCE_CADENCES_SPM
    ]
    sizes = [a.departure for a in found if a.departure is not None]
    assert len(sizes) == len(FORCE_CADENCES_SPM)
    assert not any(a.flagged for a in found)
    assert max(sizes) < 0.4
    assert sizes[0] - sizes[-1] < 0.1, "the slowest scores no higher than the quickest"


@pytest.mark.parametrize("seconds", [1, 2.5, 4])
def test_few_strides_are_not_assessable_and_say_why(seconds: float) -> None:
    found = judge(walk(replace(NORMAL, seconds=seconds)))
    assert found.score is None
    assert found.reason
    assert not found.flagged
    for p in found.patterns:
        assert not p.assessable
        assert p.reason
        assert p.score is None


@pytest.mark.parametrize("cadence_spm", [60, 85, 110])
def test_twenty_seconds_are_enough(cadence_spm: float) -> None:
    assert judge(walk(Gait(cadence_spm=cadence_spm, seconds=20))).score is not None


def test_a_turn_is_left_out() -> None:
    straight = walk(Gait(seconds=60))
    turned = turned_in_place(straight, 25, 2.0, np.pi)
    a, b = (analyse_stretch({"pelvis": w})[0] for w in (straight, turned))
    assert b.strides < a.strides
    assert departure(turned) == pytest.approx(departure(straight), abs=0.15)


def test_standing_still_has_no_strides() -> None:
    still = walk(Gait(vigour=0.0, seconds=20))
    rng = np.random.default_rng(0)
    noisy = Window(0, still.acc + rng.normal(0, 0.02, still.acc.shape), still.gyr, still.up, still.valid)
    found = judge(noisy)
    assert found.score is None
    assert found.reason


@pytest.mark.parametrize("what", ["stuck", "constant", "nan", "nan rate", "clipped", "empty"])
def test_rubbish_is_answered_with_a_reason(what: str) -> None:
    window = walk(Gait(seconds=12))
    acc, gyr = window.acc.copy(), window.gyr.copy()
    match what:
        case "stuck":
            acc[:], gyr[:] = acc[0], gyr[0]
        case "constant":
            acc[:], gyr[:] = 0.0, 0.0
        case "nan":
            acc[300:320] = np.nan
        case "nan rate":
            gyr[300, 1] = np.nan
        case "clipped":
            np.clip(acc, -1, 1, out=acc)
        case _:
            window = Window(0, acc[:0], gyr[:0], window.up[:0], window.valid[:0])
            acc, gyr = acc[:0], gyr[:0]
    found = judge(Window(0, acc, gyr, window.up, window.valid))
    assert found.score is None or np.isfinite(found.score)
    if what != "clipped":
        assert found.score is None
        assert found.reason


def test_no_sensor_at_all() -> None:
    found = assess(GaitEvidence())
    assert found.score is None
    assert found.reason is not None
    assert "no walking" in found.reason


def stretch_parts(count: int) -> list[GaitEvidence]:
    return [analyse_stretch({"lower_back": walk(Gait(seed=k, seconds=25))})[0] for k in range(count)]


def test_merging_is_associative_and_equals_the_whole() -> None:
    a, b, c = stretch_parts(3)
    left, right = a.merge(b).merge(c), a.merge(b.merge(c))
    assert left.blocks == right.blocks == a.blocks + b.blocks + c.blocks
    np.testing.assert_allclose(left.pelvis, right.pelvis, rtol=1e-12)
    assert left.strides == a.strides + b.strides + c.strides
    empty = GaitEvidence()
    np.testing.assert_array_equal(empty.merge(a).pelvis, a.pelvis)
    np.testing.assert_array_equal(a.merge(empty).pelvis, a.pelvis)


def test_a_piece_without_strides_leaves_evidence_and_course_as_they_are() -> None:
    known, course = analyse_stretch({"lower_back": walk(NORMAL)})
    still = walk(NORMAL)
    nothing = analyse_stretch({"lower_back": replace(still, acc=still.up * 9.81, gyr=0.0 * still.gyr)})
    assert known.merge(nothing[0]) is known
    assert course.merge(nothing[1]) is course
    elsewhere = replace(nothing[0], sites=("shank_left",))
    assert known.merge(elsewhere).sites == ("lower_back", "shank_left")
    assert known.merge(replace(nothing[0], seen=3)).seen == known.seen + 3


def test_evidence_and_course_come_back_from_plain_values() -> None:
    evidence, course = analyse_stretch({"lower_back": walk(Gait(seconds=70))}, since_start_s=12.5)
    plain = json.loads(json.dumps(evidence.to_dict(), default=lambda a: a.tolist()))
    again = GaitEvidence.from_dict(plain)
    np.testing.assert_array_equal(again.pelvis, evidence.pelvis)
    assert assess(again) == assess(evidence)
    plain_course = json.loads(json.dumps(course.to_dict(), default=lambda a: a.tolist()))
    back = Course.from_dict(plain_course)
    np.testing.assert_array_equal(back.moments, course.moments)
    assert back.span_s == course.span_s
    assert Course.from_dict(json.loads(json.dumps(Course().to_dict(), default=lambda a: a.tolist()))).minutes == 0


def test_evidence_of_another_version_starts_anew() -> None:
    state = stretch_parts(1)[0].to_dict() | {"pelvis": np.zeros((8, 3))}
    assert GaitEvidence.from_dict(state).strides == 0


def test_evidence_stays_small() -> None:
    evidence = GaitEvidence()
    part = stretch_parts(1)[0]
    for _ in range(100):
        evidence = evidence.merge(part)
    assert evidence.pelvis.nbytes < 5000
    assert evidence.strides == 100 * part.strides


def shank_walk(left: float, right: float, *, lag_rows: int = 0, seed: int = 3) -> dict[str, Window]:
    """Shank windows with the given swing sizes, mounted anyhow."""
    rng = np.random.default_rng(seed)
    n = 30 * GRID_HZ
    out = {}
    for side, size, shift in (("left", left, 0.0), ("right", right, 0.5)):
        phase = (np.arange(n) + lag_rows * (side == "left")) / (1.15 * GRID_HZ) + shift
        swing = size * (4.8 * np.exp(-0.5 * ((phase % 1 - 0.6) / 0.07) ** 2) - 0.8)
        dip = -2.0 * size * np.exp(-0.5 * ((phase % 1 - 0.4) / 0.03) ** 2)
        axis = any_mounting(seed + (side == "left"))[:, 0]
        gyr = np.outer(swing + dip, axis) + rng.normal(0, 0.05, (n, 3))
        up = np.tile([0.0, 0.0, 1.0], (n, 1))
        out[f"shank_{side}"] = Window(0, 9.80665 * up, gyr, up, np.ones(n, dtype=bool))
    return out


@pytest.mark.parametrize("lag_rows", [0, 35])
def test_a_stiff_knee_is_found_from_two_shanks_whatever_their_clocks(lag_rows: int) -> None:
    found = assess(analyse_stretch(shank_walk(0.65, 1.0, lag_rows=lag_rows))[0])
    stiff = pattern(found, "stiff_knee")
    assert stiff.flagged
    assert stiff.side == "left"
    mirrored = pattern(assess(analyse_stretch(shank_walk(1.0, 0.65))[0]), "stiff_knee")
    assert mirrored.side == "right"
    assert found.score is None
    assert found.reason is not None


def test_even_legs_are_not_flagged() -> None:
    stiff = pattern(assess(analyse_stretch(shank_walk(1.0, 0.97))[0]), "stiff_knee")
    assert stiff.assessable
    assert not stiff.flagged
    assert stiff.side is None


def test_a_swaying_trunk_over_a_quiet_pelvis_is_a_lean() -> None:
    pelvis = walk(Gait(seconds=40))
    sway = replace(pelvis, gyr=pelvis.gyr * 2.5)
    lean = pattern(assess(analyse_stretch({"pelvis": pelvis, "upper_trunk": sway})[0]), "trunk_lean")
    assert lean.flagged
    still = replace(pelvis, gyr=pelvis.gyr * 0.6)
    quiet = pattern(assess(analyse_stretch({"pelvis": pelvis, "upper_trunk": still})[0]), "trunk_lean")
    assert quiet.assessable
    assert not quiet.flagged


@pytest.mark.parametrize("factor", [1.0, 1.4, 1.6, 1.8, 2.0, 2.5])
def test_a_lean_that_lifts_the_score_carries_its_flag_itself(factor: float) -> None:
    pelvis = walk(NORMAL)
    found = assess(analyse_stretch({"pelvis": pelvis, "upper_trunk": replace(pelvis, gyr=factor * pelvis.gyr)})[0])
    assert {p.pattern for p in found.patterns if p.flagged} == ({"trunk_lean"} if found.flagged else set())


def test_turning_about_an_inclined_trunk_is_no_lean() -> None:
    """A trunk that stoops by 30° rolls in step with its yaw."""
    upright = walk(NORMAL)
    yaw = upright.gyr[:, :1]
    stooped = replace(upright, gyr=yaw * np.array([1.0, np.tan(np.radians(30)), 0.0]))
    strides, lean, *_ = analyse_stretch({"upper_trunk": stooped})[0].trunk
    turned_deg = judge(upright).metrics["pelvic_rotation_range_deg"]
    assert np.degrees(lean / strides) < 0.4 * np.tan(np.radians(30)) * turned_deg


def test_how_far_each_side_goes_down_is_mirrored() -> None:
    gait = Gait(asymmetry=1.0, seconds=60)
    plain, other = (pattern(judge(walk(gait, mirror=m)), "pelvic_drop_or_hike").evidence for m in (False, True))
    assert plain["left_side_down_deg"] == pytest.approx(other["right_side_down_deg"], rel=1e-6)
    assert plain["left_side_down_deg"] != pytest.approx(plain["right_side_down_deg"], rel=0.02)


@pytest.mark.parametrize(("flexion", "flagged"), [(0.0, False), (8.0, False), (18.0, True), (-18.0, False)])
def test_a_stoop_is_flagged_beyond_the_detectable_change(flexion: float, flagged: bool) -> None:
    found = assess(GaitEvidence(), posture=WalkingPosture(flexion, 0.0, 2.0, 60))
    assert pattern(found, "forward_stoop_while_walking").flagged is flagged


@pytest.mark.parametrize("lateral", [-15.0, 15.0])
def test_a_shift_is_flagged_to_either_side(lateral: float) -> None:
    shift = pattern(assess(GaitEvidence(), posture=WalkingPosture(0.0, lateral, 2.0, 60)), "lateral_shift")
    assert shift.flagged
    assert shift.evidence["lateral_deg"] == lateral


def test_slow_bends_are_guarded_and_quick_ones_not() -> None:
    slow = assess(GaitEvidence(), bends=BendStatistics(20, 50.0, 20.0))
    quick = assess(GaitEvidence(), bends=BendStatistics(20, 60.0, 55.0))
    few = assess(GaitEvidence(), bends=BendStatistics(2, 50.0, 20.0))
    assert pattern(slow, "guarded_back").flagged
    assert not pattern(quick, "guarded_back").flagged
    assert not pattern(few, "guarded_back").assessable


def course_over(cadences: list[float], vigours: list[float]) -> Course:
    whole = Course()
    for minute, (cadence, vigour) in enumerate(zip(cadences, vigours, strict=True)):
        window = walk(Gait(cadence_spm=cadence, vigour=vigour, seconds=60, seed=minute))
        whole = whole.merge(analyse_stretch({"lower_back": window}, since_start_s=60.0 * minute)[1])
    return whole


def test_a_walk_that_fades_declines_and_recovers_after_rest() -> None:
    fading = course_over([112, 108, 104, 98], [1.0, 0.9, 0.78, 0.65])
    even = course_over([110, 110, 110, 110], [1.0, 1.0, 1.0, 1.0])
    found, plain = (pattern(assess(GaitEvidence(), course=c), "decline_within_walk") for c in (fading, even))
    assert found.flagged
    assert plain.assessable
    assert not plain.flagged
    back = relief(fading, course_over([112], [1.0]))
    assert back is not None
    assert back.size > 1.0
    assert relief(course_over([110], [1.0]), even) is None


def test_declines_of_a_day_are_counted_with_what_rest_gave_back() -> None:
    fading = course_over([112, 108, 104, 98], [1.0, 0.9, 0.78, 0.65])
    even = course_over([110, 110, 110, 110], [1.0, 1.0, 1.0, 1.0])
    eased = Declines().add_walk(fading).add_rest(300).add_walk(fading).add_rest(300).add_walk(even)
    assert (eased.walks, eased.declined, eased.rested, eased.relieved) == (3, 2, 2, 2)
    assert Declines().add_walk(fading).add_rest(10).add_walk(even).rested == 0
    assert Declines().add_walk(even).add_rest(300).add_walk(even).declined == 0
    again = Declines.from_dict(json.loads(json.dumps(eased.add_walk(fading).to_dict(), default=lambda a: a.tolist())))
    assert again.add_rest(90).add_walk(even).relieved == 3
    found = pattern(assess(GaitEvidence(), declines=eased), "decline_within_walk")
    assert found.flagged
    assert found.evidence["declines_eased_by_rest"] == 2.0
    quiet = Declines().add_walk(even).add_walk(even)
    assert not pattern(assess(GaitEvidence(), declines=quiet), "decline_within_walk").flagged
    once = pattern(assess(GaitEvidence(), declines=Declines().add_walk(fading)), "decline_within_walk")
    assert not once.assessable


def test_a_short_walk_has_no_decline() -> None:
    short = pattern(assess(GaitEvidence(), course=course_over([110], [1.0])), "decline_within_walk")
    assert not short.assessable
    assert short.reason is not None
    assert "3 min" in short.reason


def test_every_band_names_its_source_and_is_used() -> None:
    table = bands()
    used = {name for group in table.weight.values() for name in group}
    for name, band in table.metric.items():
        assert band.source
        assert band.spread > 0
        assert name in used
    assert all(table.source.values())


def test_no_result_holds_anything_that_is_not_a_number() -> None:
    found = judge(walk(Gait(asymmetry=0.4)))
    for p in found.patterns:
        for f in fields(p):
            value = getattr(p, f.name)
            assert not (isinstance(value, float) and not np.isfinite(value))
        assert all(v is None or type(v) is float for v in p.evidence.values())
    assert all(type(v) is float and np.isfinite(v) for v in found.metrics.values())
