"""The parts of posture on plain numbers: offset, path, rules, holds, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.posture._bias import Bias, at_rest, up_at_rest
from analytics.posture._calibration import Calibration, aged, ask, go_on
from analytics.posture._moves import Move
from analytics.posture._path import Stretch, path_of
from analytics.posture._records import Base, Course, Trust
from analytics.posture._rules import depth_needed, seated_odds
from analytics.posture._statistics import Statistics, acceptable_s, close, observe, trunk_band
from analytics.posture._ticks import COLUMNS, QUAT, TICK_S
from analytics.posture._vectors import inverse, of, times
from sagittal.names import PostureLabel
from sagittal.results import Event, Posture
from sagittal.units import NS_PER_S, STANDARD_GRAVITY_MPS2

DIRECTIONS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0, 0.8], [0, -0.6, 0.8]])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
def test_an_offset_is_found_from_still_moments_in_different_postures(offset: list[float]) -> None:
    bias = Bias()
    for turn in range(3):
        for i, up in enumerate(DIRECTIONS):
            bias = at_rest(bias, of(STANDARD_GRAVITY_MPS2 * up + np.array(offset)), 10.0 * turn + i)
    assert bias.mps2 == pytest.approx(offset, abs=0.1)
    found = up_at_rest(bias, of(STANDARD_GRAVITY_MPS2 * DIRECTIONS[3] + np.array(offset)))
    assert math.degrees(math.acos(min(1.0, float(np.dot(found, DIRECTIONS[3]))))) < 1.0


def test_one_posture_alone_tells_only_what_lies_along_it() -> None:
    bias = at_rest(Bias(), (STANDARD_GRAVITY_MPS2 + 0.5, 0.0, 0.0), 0.0)
    assert bias.mps2 == pytest.approx([0.5, 0.0, 0.0], abs=0.01)
    assert bias.spread[0][0] < 0.01
    assert bias.spread[1][1] == pytest.approx(1.0)


@pytest.mark.parametrize("drop_m", [0.0, 0.2, 0.45])
@pytest.mark.parametrize("seconds", [1.5, 3.0, 6.0])
@pytest.mark.parametrize("drift_mps2", [0.0, 0.1])
def test_a_fall_between_two_rests_is_measured(drop_m: float, seconds: float, drift_mps2: float) -> None:
    n = round(seconds / TICK_S) + 1
    share = np.linspace(0.0, 1.0, n)
    slow = 60 * share - 180 * share**2 + 120 * share**3
    ticks = np.zeros((n, COLUMNS))
    ticks[:, 0] = STANDARD_GRAVITY_MPS2 - drop_m * slow / seconds**2 + drift_mps2
    ticks[:, QUAT] = np.array([math.sqrt(0.5), 0.0, -math.sqrt(0.5), 0.0])
    up = (1.0, 0.0, 0.0)
    path = path_of(Stretch(ticks, up, up), Bias())
    assert path.rise_m == pytest.approx(-drop_m, abs=0.01)
    assert path.residual_mps == pytest.approx(drift_mps2 * seconds, abs=0.01)
    assert path.sd_m >= 0.03 + abs(path.residual_mps) * seconds / 8 - 0.01


@given(st.lists(st.floats(-10, 10), min_size=9, max_size=9))
def test_an_inverse_undoes_a_symmetric_matrix(values: list[float]) -> None:
    array = np.array(values).reshape(3, 3)
    a, b, c = (of(row) for row in array @ array.T + np.eye(3))
    found = np.array(inverse((a, b, c))) @ np.array((a, b, c))
    assert found == pytest.approx(np.eye(3), abs=1e-6)
    assert times((a, b, c), (1.0, 2.0, 3.0)) == pytest.approx(np.array((a, b, c)) @ (1.0, 2.0, 3.0))


def move(**changed: float) -> Move:
    usual = {"start": 0, "end": 40, "rise_m": -0.4, "bottom_m": -0.4, "sd_m": 0.03, "fall_end": 30, "rise_start": 40}
    leans = {"lean_first": False, "lean_last": False, "out_and_back": False, "impact": False}
    rest = {"peak_deg": 30.0, "turned_deg": 0.0, "fastest_radps": 1.0, "over_first": -1, "over_last": -1}
    return Move(**{**usual, **leans, **rest, "over_ticks": 0, **changed})  # type: ignore[arg-type]


def test_more_tilt_needs_more_depth_and_a_lean_less() -> None:
    needs = [depth_needed(move(), None, tilt, bottom=True) for tilt in (0.0, 30.0, 60.0, 90.0)]
    assert needs == sorted(needs)
    assert needs[0] == pytest.approx(0.12)
    assert depth_needed(move(lean_first=True), None, 60.0, bottom=True) == pytest.approx(0.12)
    assert depth_needed(move(), None, 0.0, bottom=False) == pytest.approx(0.2)
    assert depth_needed(move(sd_m=0.06), None, 60.0, bottom=True) > needs[2]


def test_turning_on_the_spot_is_a_seat_and_none_a_squat() -> None:
    def odds(after: float | None, before: float | None, held_s: float = 4.0) -> float:
        return seated_odds(drop_m=0.4, held_s=held_s, after_deg=after, before_deg=before, impact=False)

    assert odds(19, 20) > 2
    assert odds(4, 2) < -1
    assert odds(19, None) > odds(8, None) > odds(2, None)
    assert odds(None, None) == pytest.approx(np.log(5)), "nothing seen: as common as seats are"
    assert odds(4, 2, held_s=60.0) > 0
    assert odds(19, 20, held_s=0.3) < odds(19, 20)


@pytest.mark.parametrize(
    ("flexion", "limit"), [(-10, None), (20, None), (20.1, 239.55), (40, 150), (60, 60), (60.1, 0), (90, 0)]
)
def test_holding_times_follow_the_standard(flexion: float, limit: float | None) -> None:
    found = acceptable_s(flexion)
    assert found == (None if limit is None else pytest.approx(limit))


@pytest.mark.parametrize(
    ("flexion", "band"),
    [(-5.1, "backwards"), (-5, "0-20"), (0, "0-20"), (20, "0-20"), (20.1, "20-60"), (60, "20-60"), (60.1, "60-")],
)
def test_bands_at_their_edges(flexion: float, band: str) -> None:
    assert trunk_band(flexion) == band


def rows(angles: Sequence[float | None], label: PostureLabel = PostureLabel.STANDING) -> list[Posture]:
    return [
        Posture(
            t_ns=i * NS_PER_S,
            posture=label,
            since_ns=0,
            confidence=1.0,
            flexion_deg=angle,
            lateral_deg=None if angle is None else 0.0,
            version="t",
        )
        for i, angle in enumerate(angles)
    ]


def told(every: list[Posture]) -> tuple[list[Event], dict[str, float]]:
    state, events = Statistics(), []
    stays: dict[str, float] = {}
    for row in every:
        state, found, ended = observe(state, row)
        events += found
        stays |= {one.cell: stays.get(one.cell, 0.0) + one.seconds for one in ended}
    _, found, ended = close(state, "t")
    stays |= {one.cell: stays.get(one.cell, 0.0) + one.seconds for one in ended}
    return [*events, *found], stays


def test_a_hold_lasts_four_seconds_within_five_degrees_beyond_twenty() -> None:
    assert not told(rows([30, 31, 32]))[0]
    (hold,) = told(rows([0, 0, 30, 33, 28, 31, 0, 0]))[0]
    assert (hold.event, hold.t_ns, hold.duration_s) == ("hold", 2 * NS_PER_S, 4.0)
    assert hold.values["flexion_deg"] == pytest.approx(30.5)
    assert not told(rows([15] * 10))[0]
    (long,) = told(rows([50] * 120))[0]
    assert long.values["beyond_s"] == pytest.approx(120 - 105)


def test_a_shift_is_a_change_that_lasts() -> None:
    assert not told(rows([0] * 10 + [8, 8] + [0] * 10, PostureLabel.SITTING))[0]
    (shift,) = told(rows([0] * 10 + [8] * 6, PostureLabel.SITTING))[0]
    assert (shift.event, shift.values["change_deg"], shift.values["after_s"]) == ("posture_shift", 8, 10)


def test_every_second_stands_in_one_cell_of_the_matrix() -> None:
    _, stays = told(rows([0] * 7 + [30] * 3 + [70] * 2 + [0] * 65))
    assert stays == {"0-20deg|5-60s": 7, "20-60deg|0-5s": 3, "60-deg|0-5s": 2, "0-20deg|60-600s": 65}


UPRIGHT = Course(reference=(1.0, 0.0, 0.0), trust=Trust.FIRST, base=Base.UPRIGHT)


def tilted(flexion_deg: float, lateral_deg: float = 0.0) -> np.ndarray:
    flexion, lateral = math.radians(flexion_deg), math.radians(lateral_deg)
    up = np.array([math.cos(flexion), -math.sin(lateral), -math.sin(flexion)])
    return np.tile(up / np.linalg.norm(up), (20, 1))


def test_five_still_seconds_make_a_pose() -> None:
    calibration, course = ask(Calibration(), "stand"), UPRIGHT
    words = []
    for second, still in enumerate([True, True, False, *[True] * 5]):
        calibration, course, said = go_on(calibration, course, tilted(6.0), second * NS_PER_S, still=still)
        words += said
    assert [word.name for word in words] == ["calibrated"]
    assert words[0].values["changed_deg"] == pytest.approx(6.0, abs=0.1)
    assert course.trust is Trust.POSE
    assert calibration.method == ""


def test_a_restless_pose_fails_and_says_so() -> None:
    calibration, course, words = ask(Calibration(), "stand"), UPRIGHT, []
    for second in range(30):
        calibration, course, said = go_on(calibration, course, tilted(0), second * NS_PER_S, still=second % 3 > 0)
        words += said
    assert [word.name for word in words] == ["calibration_failed"]
    assert course == UPRIGHT


@pytest.mark.parametrize("aside", [0.0, 12.0])
def test_three_bends_tell_forward_and_the_own_range(aside: float) -> None:
    calibration, course, words = ask(Calibration(), "bends"), UPRIGHT, []
    for peak in (60.0, 80.0, 70.0):
        for angle in (0.0, 40.0, peak, 40.0, 0.0):
            lean = aside * angle / 80.0
            calibration, course, said = go_on(calibration, course, tilted(angle, lean), NS_PER_S, still=False)
            words += said
    assert [word.name for word in words] == ["calibrated"]
    assert calibration.range_deg == pytest.approx(70.0, abs=1.5)
    assert course.forward is not None
    assert course.forward[2] > 0.95


def test_bends_every_which_way_are_refused() -> None:
    calibration, course, words = ask(Calibration(), "bends"), UPRIGHT, []
    for flexion, lateral in ((60.0, 0.0), (-60.0, 0.0), (45.0, 60.0)):
        for share in (0.0, 1.0, 0.0):
            up = tilted(share * flexion, share * lateral)
            calibration, course, said = go_on(calibration, course, up, NS_PER_S, still=False)
            words += said
    assert [word.name for word in words] == ["calibration_failed"]
    assert course.forward is None


def test_a_calibration_expires() -> None:
    course = Course(reference=(1.0, 0.0, 0.0), forward=(0.0, 0.0, 1.0), trust=Trust.POSE, base=Base.STANDING)
    calibration = Calibration(known=True, confirmed_ns=0)
    hour = 3600 * NS_PER_S
    assert aged(calibration, course, 23 * hour)[2] == []
    _, old, words = aged(calibration, course, 25 * hour)
    assert [word.name for word in words] == ["calibration_expired"]
    assert old.forward is None
    assert not old.trust.firm
