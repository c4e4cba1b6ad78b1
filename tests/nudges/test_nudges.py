"""Nudges: held, few, fading, and silent where silence was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.nudges import Rules, State, obey, step
from sagittal.messages import Command
from sagittal.names import PostureLabel
from sagittal.results import Event, Posture
from sagittal.settings import Nudges, Wearer
from sagittal.units import NS_PER_S

BERLIN = ZoneInfo("Europe/Berlin")
WEARER = Wearer(id="w1", time_zone="Europe/Berlin", nudges=Nudges(mode="train", threshold_deg=20.0))
T0 = int(datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
TRAIN = Rules(mode="train", threshold_deg=20.0, zone=ZoneInfo("Europe/Berlin"))
SLOUCH, UPRIGHT = 30.0, 5.0


def seconds(
    start_s: int, n: int, flexion: float | None, label: PostureLabel = PostureLabel.SITTING, **changes: Any
) -> list[Posture]:
    return [
        Posture(
            t_ns=(T0 + start_s + i) * NS_PER_S,
            posture=label,
            since_ns=T0 * NS_PER_S,
            confidence=0.9,
            flexion_deg=flexion,
            version="t",
            **changes,
        )
        for i in range(n)
    ]


def names(events: list[Event]) -> list[str]:
    return [event.event for event in events]


def wish(verb: str, at_s: int = 0, **values: Any) -> Command:
    fields = {"id": f"{verb}-{at_s:08d}", "t_ns": (T0 + at_s) * NS_PER_S, "wearer": "w1", "verb": verb}
    return Command.model_validate(fields | {"values": values})


def test_a_held_slouch_is_nudged_once_after_the_delay() -> None:
    _state, events = step({}, seconds(0, 100, SLOUCH), TRAIN)
    assert names(events) == ["nudge"]
    assert events[0].t_ns == (T0 + 60) * NS_PER_S
    assert events[0].values["held_s"] == 60.0


def test_tracking_is_silent() -> None:
    assert step({}, seconds(0, 4000, SLOUCH), replace(TRAIN, mode="track", break_after_s=600.0))[1] == []


def test_following_is_recorded_and_what_comes_next_fades() -> None:
    rows = seconds(0, 70, SLOUCH) + seconds(70, 30, UPRIGHT) + seconds(100, 900, SLOUCH)
    _state, events = step({}, rows, TRAIN)
    assert names(events)[:3] == ["nudge", "nudge_followed", "nudge"]
    assert events[1].values["after_s"] == 10.0
    assert events[2].t_ns >= events[1].t_ns + 300 * NS_PER_S
    assert (events[2].values["held_s"] or 0.0) > 60.0


def test_ignoring_is_recorded_after_a_minute() -> None:
    _state, events = step({}, seconds(0, 125, SLOUCH), TRAIN)
    assert names(events)[:2] == ["nudge", "nudge_ignored"]
    assert events[1].t_ns == events[0].t_ns + 61 * NS_PER_S


def test_at_most_so_many_an_hour() -> None:
    _state, events = step({}, seconds(0, 3600, SLOUCH), replace(TRAIN, per_hour=3))
    assert names(events).count("nudge") == 3
    assert names(step({}, seconds(0, 3600, SLOUCH), replace(TRAIN, per_hour=0))[1]) == []


@pytest.mark.parametrize(
    "label", [PostureLabel.WALKING, PostureLabel.LYING, PostureLabel.NOT_WORN, PostureLabel.UNKNOWN]
)
def test_never_while_walking_lying_or_unseen(label: PostureLabel) -> None:
    assert step({}, seconds(0, 600, 80.0, label), TRAIN)[1] == []


def test_without_an_angle_there_is_no_nudge() -> None:
    assert step({}, seconds(0, 600, None), TRAIN)[1] == []


def test_a_moment_upright_begins_again_and_a_blink_does_not() -> None:
    blink = seconds(0, 50, SLOUCH) + seconds(50, 2, UPRIGHT) + seconds(52, 20, SLOUCH)
    assert names(step({}, blink, TRAIN)[1]) == ["nudge"]
    moment = seconds(0, 50, SLOUCH) + seconds(50, 5, UPRIGHT) + seconds(55, 55, SLOUCH)
    assert names(step({}, moment, TRAIN)[1]) == []


def test_a_gap_is_not_held_time() -> None:
    assert names(step({}, seconds(0, 40, SLOUCH) + seconds(100, 40, SLOUCH), TRAIN)[1]) == []


def test_quiet_hours_and_a_pause_are_silent() -> None:
    quiet = replace(TRAIN, quiet_start=time(22), quiet_end=time(9, 30))
    _state, events = step({}, seconds(0, 3600, SLOUCH), quiet)
    assert events[0].t_ns >= (T0 + 1800) * NS_PER_S
    state, said = obey({}, wish("snooze", minutes=10), WEARER, T0 * NS_PER_S)
    assert names(said) == ["snoozed"]
    _state, events = step(state, seconds(0, 700, SLOUCH), TRAIN)
    assert events[0].t_ns == (T0 + 600) * NS_PER_S


def test_a_wrong_nudge_loosens_the_threshold_within_limits() -> None:
    state: State = {}
    for i in range(20):
        state, said = obey(state, wish("nudge", i, wrong=True, nudge_ns=T0), WEARER, T0)
        assert names(said) == ["nudge_wrong"]
    assert step(state, seconds(0, 600, 34.0), TRAIN)[1] == []
    assert names(step(state, seconds(0, 100, 36.0), TRAIN)[1]) == ["nudge"]


def test_the_persons_own_range_decides_where_no_angle_was_chosen() -> None:
    own = replace(TRAIN, threshold_deg=None)
    assert step({}, seconds(0, 300, 25.0, slouch_percent=30.0), own)[1] == []
    assert names(step({}, seconds(0, 100, 15.0, slouch_percent=45.0), own)[1]) == ["nudge"]
    assert names(step({}, seconds(0, 100, 25.0), own)[1]) == ["nudge"]


def test_a_break_is_prompted_after_the_chosen_time_and_standing_up_follows_it() -> None:
    rules = replace(TRAIN, break_after_s=1800.0)
    rows = seconds(0, 1000, UPRIGHT) + seconds(1000, 30, UPRIGHT, PostureLabel.STANDING) + seconds(1030, 790, UPRIGHT)
    rows += seconds(1820, 60, UPRIGHT, PostureLabel.STANDING)
    _state, events = step({}, rows, rules)
    assert names(events) == ["break_due", "nudge_followed"]
    assert events[0].t_ns == (T0 + 1800) * NS_PER_S
    assert step({}, seconds(0, 3600, UPRIGHT), TRAIN)[1] == []


def test_the_wearer_can_choose_within_what_is_kind() -> None:
    state, said = obey({}, wish("mode", mode="track"), WEARER, T0)
    assert said[0].tags == ["track"]
    assert step(state, seconds(0, 600, SLOUCH), Rules.of(WEARER, state["chosen"]))[1] == []
    more = wish("mode", 1, mode="train", threshold_deg="own", delay_s=300.0, quiet_start="22:30", quiet_end="07:00")
    state, said = obey(state, more, WEARER, T0)
    rules = Rules.of(WEARER, state["chosen"])
    assert (rules.mode, rules.threshold_deg, rules.delay_s, rules.quiet_start) == ("train", None, 300.0, time(22, 30))
    assert said[0].values["quiet_start_h"] == 22.5
    state, said = obey(state, wish("mode", 2, quiet_start="off"), WEARER, T0)
    assert Rules.of(WEARER, state["chosen"]).quiet_start is None
    before = state
    for values in ({"delay_s": 1.0}, {"per_hour": 1000}, {"mode": "shout"}, {"quiet_start": "25 o'clock"}):
        state, said = obey(state, wish("mode", 3, **values), WEARER, T0)
        assert (state, said) == (before, [])


@pytest.mark.parametrize("values", [{"minutes": "soon"}, {"minutes": -1}, {"minutes": 1e9}, {"minutes": None}])
def test_a_wish_that_makes_no_sense_changes_nothing(values: dict[str, Any]) -> None:
    assert obey({}, wish("snooze", **values), WEARER, T0) == ({}, [])


def test_a_diary_entry_becomes_an_event_and_rubbish_in_it_is_left_out() -> None:
    command = wish("diary", pain_back=4, note="after the garden", tags=["medication"])
    _state, [entry] = obey({}, command, WEARER, T0)
    said = (entry.event, entry.values, entry.text, entry.tags)
    assert said == ("diary", {"pain_back": 4.0}, "after the garden", ["medication"])
    spoilt = wish("diary", 1, pain_back="bad", pain_knee_left=11, note=None, tags="medication")
    _state, [entry] = obey({}, spoilt, WEARER, T0)
    assert (entry.values, entry.text, entry.tags) == ({}, "", [])


def test_a_slumped_seat_counts_as_its_pelvis_rolls_back() -> None:
    assert names(step({}, seconds(0, 100, -32.0), TRAIN)[1]) == ["nudge"]
    assert step({}, seconds(0, 100, -32.0, PostureLabel.STANDING), TRAIN)[1] == []
    own = replace(TRAIN, threshold_deg=None)
    assert names(step({}, seconds(0, 100, -18.0, detail="slouched"), own)[1]) == ["nudge"]
    state, _said = obey({}, wish("nudge", wrong=True, nudge_ns=T0), WEARER, T0)
    assert step(state, seconds(0, 300, -18.0, detail="slouched"), own)[1] == []


def test_breaks_and_nudges_together_stay_within_the_hour() -> None:
    rules = replace(TRAIN, per_hour=2, break_after_s=300.0)
    said = names(step({}, seconds(0, 3600, SLOUCH), rules)[1])
    assert said.count("nudge") + said.count("break_due") == 2


def test_the_rules_come_from_the_profile() -> None:
    wearer = Wearer(
        id="w1", time_zone="Europe/Berlin", nudges=Nudges(mode="train", quiet_start="22:00", quiet_end="07:00")
    )
    assert Rules.of(wearer).quiet_start == time(22)
    assert Rules.of(wearer).mode == "train"


flexions = st.lists(st.tuples(st.integers(1, 90), st.sampled_from([SLOUCH, UPRIGHT]), st.booleans()), max_size=30)


@given(flexions, st.integers(1, 200))
def test_how_the_rows_are_cut_and_repeated_changes_nothing(parts: list[tuple[int, float, bool]], size: int) -> None:
    rows: list[Posture] = []
    at = 0
    for n, flexion, sitting in parts:
        rows += seconds(at, n, flexion, PostureLabel.SITTING if sitting else PostureLabel.WALKING)
        at += n
    whole_state, whole = step({}, rows, TRAIN)
    state: State = {}
    events: list[Event] = []
    for i in range(0, len(rows), size):
        state, some = step(json.loads(json.dumps(state)), rows[max(0, i - 3) : i + size], TRAIN)
        events += some
    assert (state, events) == (whole_state, whole)
    assert names(whole).count("nudge") <= 4 * (1 + at // 3600)
