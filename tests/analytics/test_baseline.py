"""The own baseline: silent on noise and on single days, heard on lasting and on slow change."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.baseline import DETECTABLE, MEMORY_DAYS, SLOW, MetricBaseline
from sagittal.results import Change

START = dt.date(2030, 1, 1)


def days(values: list[float | None], metric: str = "cadence_spm") -> tuple[MetricBaseline, list[Change]]:
    baseline = MetricBaseline(metric)
    dates = [(START + dt.timedelta(k)).isoformat() for k in range(len(values))]
    return baseline, [baseline.add_day(date, value) for date, value in zip(dates, values, strict=True)]


def noise(count: int, centre: float = 110.0, spread: float = 2.0, seed: int = 0) -> list[float]:
    return list(np.random.default_rng(seed).normal(centre, spread, count))


def test_before_enough_valid_days_nothing_is_said_and_why() -> None:
    _, found = days([*noise(7)])
    assert all(not c.changed and c.baseline is None for c in found)
    assert found[-1].reason is not None
    assert "7 of 8" in found[-1].reason


def test_a_lasting_change_is_flagged_on_the_third_day_only() -> None:
    _, found = days([*noise(14), 90.0, 90.0, 90.0])
    assert [c.changed for c in found[-3:]] == [False, False, True]
    assert found[-1].reason is None


@pytest.mark.parametrize("recent", [[90.0, 90.0, 110.0], [90.0, 110.0, 90.0], [90.0, 130.0, 90.0]])
def test_two_days_or_two_directions_are_no_change(recent: list[float]) -> None:
    _, found = days([*noise(14), *recent])
    assert not found[-1].changed


def test_a_change_within_the_detectable_one_is_no_change() -> None:
    limit = DETECTABLE["cadence_spm"].value
    quiet = noise(14, spread=0.2)
    _, inside = days([*quiet, *[110 - 0.9 * limit] * 3])
    _, outside = days([*quiet, *[110 - 1.2 * limit] * 3])
    assert not inside[-1].changed
    assert outside[-1].changed


def test_a_restless_wearer_gets_a_wide_band() -> None:
    _, found = days([*noise(20, spread=8.0), 95.0, 95.0, 95.0])
    assert not found[-1].changed


def test_days_without_a_value_change_nothing() -> None:
    values: list[float | None] = [*noise(12)]
    plain, _ = days(values)
    holes, found = days([v for value in values for v in (value, None)])
    assert [v for _, v in plain.values] == [v for _, v in holes.values]
    assert found[-1].reason == "no valid value on this day"
    assert (plain.rise, plain.fall) == (holes.rise, holes.fall)


def test_a_day_is_counted_once() -> None:
    baseline, _ = days([*noise(10)])
    before = baseline.to_dict()
    again = baseline.add_day(before["values"][-1][0], 60.0)
    assert baseline.to_dict() == before
    assert again.reason is not None
    assert not again.changed


def test_a_slow_drift_is_heard_before_any_single_day_is_beyond() -> None:
    drift = [110 - 0.35 * k + e for k, e in enumerate(noise(40, 0.0, 1.5, seed=4))]
    _, found = days([*noise(12, spread=1.5), *drift])
    slow = [c for c in found if c.changed]
    assert slow
    assert slow[0].reason == SLOW


def test_noise_alone_seldom_drifts_and_never_changes() -> None:
    drifted = 0
    for seed in range(40):
        baseline, found = days([*noise(40, seed=seed)])
        drifted += baseline.drifting
        assert not any(c.changed and c.reason != SLOW for c in found)
    assert drifted <= 2


def test_a_metric_that_never_varies_and_has_no_known_error_is_not_flagged() -> None:
    _, found = days([5.0] * 20, metric="something_new")
    assert not found[-1].changed


@given(st.lists(st.floats(50, 200), min_size=8, max_size=30), st.floats(-100, 100))
def test_shifting_all_days_shifts_the_baseline_alone(values: list[float], offset: float) -> None:
    _, plain = days([*values], metric="any_metric")
    _, moved = days([v + offset for v in values], metric="any_metric")
    if plain[-1].baseline is not None:
        assert moved[-1].baseline == pytest.approx(plain[-1].baseline + offset, abs=1e-6)
        assert moved[-1].spread == pytest.approx(plain[-1].spread, abs=1e-6)


@given(st.lists(st.floats(50, 200), min_size=1, max_size=80))
def test_it_comes_back_from_plain_values_and_stays_small(values: list[float]) -> None:
    baseline, _ = days([*values])
    again = MetricBaseline.from_dict(json.loads(json.dumps(baseline.to_dict())))
    assert again == baseline
    assert again.judge() == baseline.judge()
    assert len(again.values) <= MEMORY_DAYS


def test_restarting_forgets() -> None:
    baseline, _ = days([*noise(20)])
    baseline.restart()
    assert baseline == MetricBaseline("cadence_spm")
