"""Whatever a sensor sends: typed results with reasons, never an exception, a NaN or a silent zero."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.analysis import SensorRecording, analyze
from sagittal.names import PostureLabel, Site
from simulators import hold, record, walk

Samples = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
GRAVITY = 9.80665
WALK_S = (6.0, 36.0)


@cache
def worn() -> Samples:
    """Standing, half a minute of walking, standing, sitting."""
    made = record([hold("stand", 6), walk(30), hold("stand", 8), hold("sit", 16)], seed=8).sites[Site.LOWER_BACK]
    return made.time_s, made.acc, made.gyr


def found(time_s: NDArray[np.float64], acc: NDArray[np.float64], gyr: NDArray[np.float64]) -> dict[str, Any]:
    """The analysis as plain data, held to what every analysis must be."""
    plain = analyze({"lower_back": SensorRecording(time_s, acc, gyr)}, height_m=1.75).to_dict()
    json.dumps(plain, allow_nan=False)
    for bout in plain["walking_bouts"]:
        assert bout["cadence_spm"] > 0
        assert bout["start_s"] < bout["end_s"]
        told = {**bout["metrics"], **{name: bout[name] for name in ("stride_length_m", "walking_speed_mps")}}
        for name, value in told.items():
            assert value is not None or bout["not_assessable"][name], name
    if plain["compensation_score"] is None:
        assert plain["compensation_reason"]
    assert {span["posture"] for span in plain["posture"]} <= {str(label) for label in PostureLabel}
    return plain


def walked_s(plain: dict[str, Any]) -> float:
    return float(sum(bout["end_s"] - bout["start_s"] for bout in plain["walking_bouts"]))


def test_the_walk_is_found_as_it_is() -> None:
    assert walked_s(found(*worn())) == pytest.approx(30, abs=4)


@pytest.mark.parametrize("lost", [0.05, 0.1, 0.2])
def test_lost_packets_leave_the_walk(lost: float) -> None:
    time_s, acc, gyr = worn()
    rng = np.random.default_rng(1)
    kept = np.ones(len(time_s), dtype=bool)
    for start in np.flatnonzero(rng.random(len(time_s)) < lost / 8):
        kept[start : start + 8] = False
    plain = found(time_s[kept], acc[kept], gyr[kept])
    assert walked_s(plain) == pytest.approx(30, abs=5)
    assert plain["quality"]["lower_back"]["gaps_bridged"] > 0


def test_a_long_gap_splits_the_bout_and_is_told() -> None:
    time_s, acc, gyr = worn()
    kept = (time_s < 18) | (time_s > 22)
    plain = found(time_s[kept], acc[kept], gyr[kept])
    assert len(plain["walking_bouts"]) == 2
    assert plain["quality"]["lower_back"]["gaps_restarted"] == 1


def test_rows_without_numbers_are_gaps() -> None:
    time_s, acc, gyr = worn()
    holed = acc.copy()
    holed[1500:1700] = np.nan
    plain = found(time_s, holed, gyr)
    assert plain["quality"]["lower_back"]["rows_without_numbers"] == 200
    assert plain["walking_bouts"]


@pytest.mark.parametrize("rate_hz", [25.0, 52.0, 104.0, 400.0])
def test_any_rate_shows_the_same_walk(rate_hz: float) -> None:
    time_s, acc, gyr = worn()
    grid = np.arange(time_s[0], time_s[-1], 1.0 / rate_hz)
    resampled = [np.column_stack([np.interp(grid, time_s, column) for column in x.T]) for x in (acc, gyr)]
    assert walked_s(found(grid, *resampled)) == pytest.approx(30, abs=4)


@pytest.mark.parametrize("half", [(-1.0, -1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, -1.0, -1.0)])
def test_upside_down_or_in_front_gives_the_same_walk(half: tuple[float, float, float]) -> None:
    time_s, acc, gyr = worn()
    plain, other = found(time_s, acc, gyr), found(time_s, acc * half, gyr * half)
    (bout,), (turned,) = plain["walking_bouts"], other["walking_bouts"]
    sides = [one["side"] for one in bout["initial_contacts"]]
    assert [one["side"] for one in turned["initial_contacts"]] == sides
    assert turned["walking_speed_mps"] == pytest.approx(bout["walking_speed_mps"], rel=1e-3)
    assert other["compensation_score"] == pytest.approx(plain["compensation_score"], abs=5e-3)


def test_a_clipped_sensor_says_so() -> None:
    time_s, acc, gyr = worn()
    plain = found(time_s, acc, np.clip(gyr, -0.4, 0.4))
    assert plain["walking_bouts"]
    hard = np.clip(acc * 1.0, -16.0, 16.0)
    hard[2000:2010, 0] = 16.0
    assert found(time_s, hard, gyr)["quality"]["lower_back"]["clipped_rows"] >= 10


def test_a_stuck_sensor_says_so_and_does_not_walk() -> None:
    time_s, acc, gyr = worn()
    acc, gyr = acc.copy(), gyr.copy()
    acc[2000:], gyr[2000:] = acc[2000], gyr[2000]
    plain = found(time_s, acc, gyr)
    assert plain["quality"]["lower_back"]["stuck_s"] == pytest.approx((len(time_s) - 2000) / 100, abs=0.1)
    assert all(bout["end_s"] < 22 for bout in plain["walking_bouts"])


def test_a_sensor_on_a_table_does_not_walk_and_is_not_worn() -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    acc = np.tile((0.0, 0.0, GRAVITY), (n, 1)) + rng.normal(0, 0.01, (n, 3))
    plain = found(np.arange(n) / 100, acc, rng.normal(0, 0.001, (n, 3)))
    assert not plain["walking_bouts"]
    assert plain["posture"][-1]["posture"] == "not_worn"


def test_a_dropped_sensor_harms_nothing() -> None:
    time_s, acc, gyr = worn()
    acc, gyr = acc.copy(), gyr.copy()
    rng = np.random.default_rng(4)
    acc[4200:4260] = rng.normal(0, 0.1, (60, 3))
    acc[4260:4275] = rng.normal(0, 90.0, (15, 3))
    gyr[4200:4275] = rng.normal(0, 9.0, (75, 3))
    assert walked_s(found(time_s, acc, gyr)) == pytest.approx(30, abs=4)


@pytest.mark.parametrize("start_s", [0.0, 12.0, 44.0])
def test_ten_seconds_alone(start_s: float) -> None:
    time_s, acc, gyr = worn()
    kept = (time_s >= start_s) & (time_s < start_s + 10)
    plain = found(time_s[kept], acc[kept], gyr[kept])
    assert bool(plain["walking_bouts"]) == (start_s == 12.0)


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1.0, 2.5])
def test_next_to_nothing(seconds: float) -> None:
    time_s, acc, gyr = worn()
    kept = time_s < time_s[0] + seconds
    assert not found(time_s[kept], acc[kept], gyr[kept])["walking_bouts"]


@pytest.mark.parametrize("gain", [0.9, 1.12])
def test_a_sensor_that_does_not_read_1_g_is_rescaled_and_says_so(gain: float) -> None:
    time_s, acc, gyr = worn()
    plain, other = found(time_s, acc, gyr), found(time_s, acc * gain, gyr)
    (told,) = [one for one in other["events"] if one["event"] == "sensor_rescaled"]
    assert told["values"]["rest_mps2"] == pytest.approx(gain * GRAVITY, rel=0.02)
    assert other["quality"]["lower_back"]["rescaled"]
    assert not plain["quality"]["lower_back"]["rescaled"]
    assert not [one for one in plain["events"] if one["event"] == "sensor_rescaled"]
    before, after = plain["walking_bouts"][0], other["walking_bouts"][0]
    assert after["walking_speed_mps"] == pytest.approx(before["walking_speed_mps"], rel=0.03)


def test_a_slipped_sensor_is_noticed_by_the_walk_after() -> None:
    made = record([hold("stand", 5), walk(30), hold("stand", 8), walk(40), hold("stand", 5)], seed=5)
    one = made.sites[Site.LOWER_BACK]
    time_s, acc, gyr = one.time_s, one.acc.copy(), one.gyr.copy()
    c, s = math.cos(math.radians(15)), math.sin(math.radians(15))
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    acc[3900:], gyr[3900:] = acc[3900:] @ turn.T, gyr[3900:] @ turn.T
    events = [(item["event"], item["time_s"]) for item in found(time_s, acc, gyr)["events"]]
    moved = [at for name, at in events if name == "sensor_moved"]
    assert len(moved) == 1
    assert 43 < moved[0] < 88


SPOILED: dict[str, Callable[[NDArray[np.float64], int], None]] = {
    "zero": lambda x, at: x[at : at + 150].fill(0.0),
    "huge": lambda x, at: x[at : at + 20].fill(1e3),
    "noise": lambda x, at: np.copyto(x[at : at + 300], np.random.default_rng(at).normal(0, 8, x[at : at + 300].shape)),
    "missing": lambda x, at: x[at : at + 90].fill(np.nan),
}  # fmt: skip


@settings(max_examples=12, deadline=None)
@example([("zero", False, 0)])
@given(st.lists(st.tuples(st.sampled_from(sorted(SPOILED)), st.booleans(), st.integers(0, 5900)), max_size=5))
def test_no_spoiling_of_samples_is_more_than_bad_samples(spoils: list[tuple[str, bool, int]]) -> None:
    time_s, acc, gyr = worn()
    acc, gyr = acc.copy(), gyr.copy()
    for kind, turning, at in spoils:
        SPOILED[kind](gyr if turning else acc, at)
    found(time_s, acc, gyr)
