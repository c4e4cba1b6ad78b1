"""The wearer's own usual: valid days, changes told once, in the days of the live pipeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cbor2
import pytest

from analytics.pipeline import _usual
from analytics.pipeline._usual import DEPARTURE, FOLLOWED, UsualState
from sagittal.names import PostureLabel
from sagittal.results import Change, Day, Event, Exposure, Posture, Walk
from sagittal.units import NS_PER_S

FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int, worn_h: float = 12.0, *, final: bool = True) -> Day:
    start = FIRST + timedelta(days=number)
    t_ns = round(start.timestamp()) * NS_PER_S
    return Day(
        date=start.date().isoformat(),
        time_zone="UTC",
        t_ns=t_ns,
        end_ns=t_ns + 86_400 * NS_PER_S,
        final=final,
        exposure=Exposure(worn_s=3600 * worn_h),
        version="v",
    )


def walked(state: UsualState, speed_mps: float, strides: int = 200, *, final: bool = True) -> UsualState:
    walk = Walk(
        start_ns=0,
        end_ns=1,
        final=final,
        n_steps=2 * strides,
        n_strides=strides,
        steady=True,
        cadence_spm=100 * speed_mps,
        walking_speed_mps=speed_mps,
        stride_length_m=1.2,
        confidence=1.0,
        version="v",
    )
    return _usual.hear(state, walk)


def days(speeds: list[float | None], worn_h: float = 12.0) -> tuple[UsualState, list[dict[str, Change]], list[Event]]:
    """Days with one walk each; None is a day without walking."""
    state, changes, events = UsualState(), [], []
    for number, speed in enumerate(speeds):
        if speed is not None:
            state = walked(state, speed)
        state, found, told = _usual.closed(state, day(number, worn_h), 0.1, "v")
        changes.append({one.metric: one for one in found})
        events += told
    return state, changes, events


USUAL = [1.20, 1.22, 1.18, 1.21, 1.19, 1.2, 1.23, 1.19]


def test_a_lasting_loss_of_speed_is_told_once_and_on_the_third_day() -> None:
    _, changes, events = days([*USUAL, 0.9, 0.92, 0.91, 0.9, 0.9])
    assert [one["walking_speed_mps"].changed for one in changes[-5:]] == [False, False, True, True, True]
    told = [one for one in events if one.key == "walking_speed_mps"]
    assert len(told) == 1
    assert told[0].event == "baseline_change"
    assert told[0].t_ns == day(10).end_ns
    assert told[0].values["value"] == pytest.approx(0.91)
    assert "below" in told[0].text


def test_a_change_that_ends_and_comes_again_is_told_again() -> None:
    lost = [0.9] * 3
    events = days([*USUAL, *lost, *[1.2] * 12, *lost])[2]
    assert len([one for one in events if one.key == "walking_speed_mps"]) == 2


def test_a_change_within_what_can_be_detected_is_none() -> None:
    _, changes, events = days([*USUAL, 1.1, 1.1, 1.1])
    assert not any(one["walking_speed_mps"].changed for one in changes)
    assert not [one for one in events if one.key == "walking_speed_mps"]


@pytest.mark.parametrize(
    ("state", "worn_h", "reason"),
    [(walked(UsualState(), 0.5), 3.0, "worn 3.0 h"), (walked(UsualState(), 0.5, strides=20), 12.0, "20 strides")],
)
def test_a_day_that_is_not_valid_counts_for_nothing_and_says_why(state: UsualState, worn_h: float, reason: str) -> None:
    state = replace(days(list(USUAL))[0], sums=state.sums, strides=state.strides)
    after, changes, events = _usual.closed(state, day(20, worn_h), 0.1, "v")
    speed = next(one for one in changes if one.metric == "walking_speed_mps")
    assert speed.value == pytest.approx(0.5)
    assert not speed.changed
    assert speed.reason is not None
    assert reason in speed.reason
    assert speed.days == len(USUAL)
    assert not events
    assert after.baselines["walking_speed_mps"]["values"] == state.baselines["walking_speed_mps"]["values"]


def test_a_day_that_goes_on_is_compared_and_not_remembered() -> None:
    state = walked(days(list(USUAL))[0], 0.9)
    found = {one.metric: one for one in _usual.compared(state, day(8, final=False), 0.1)}
    assert set(found) == set(FOLLOWED)
    assert found["walking_speed_mps"].value == pytest.approx(0.9)
    assert found["walking_speed_mps"].baseline is not None
    assert len(state.baselines["walking_speed_mps"]["values"]) == len(USUAL)


def test_the_score_s_own_scale_is_followed_and_angles_only_with_a_pose() -> None:
    state = days(list(USUAL))[0]
    row = Posture(
        t_ns=0, posture=PostureLabel.STANDING, since_ns=0, confidence=1, flexion_deg=9.0, lateral_deg=1.0, version="v"
    )
    for posed in (True, False):
        heard = _usual.settle(walked(state, 1.2), row, posed=posed)
        found = {one.metric: one for one in _usual.compared(heard, day(8), 1.5)}
        assert found[DEPARTURE].value == 1.5
        assert found["flexion_deg"].value == (9.0 if posed else None)
        assert (found["flexion_deg"].reason == "upright is not known from a pose") is not posed


def test_provisional_walks_do_not_count() -> None:
    assert walked(UsualState(), 1.0, final=False) == UsualState()


def test_the_state_survives_and_stays_small() -> None:
    state = walked(days([*USUAL, *[1.2 + 0.01 * (n % 3) for n in range(100)]])[0], 1.1)
    saved = cbor2.dumps({"sums": state.sums, "strides": state.strides, "baselines": state.baselines, "changed": []})
    assert _usual.restored(cbor2.loads(saved)) == state
    assert len(saved) < 20_000
