"""What stands beside the measuring: sessions counted, reminders said, choices carried over midnight."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from analytics.pipeline._care import Care, attend, obey, rules_of
from sagittal.messages import Command
from sagittal.names import PostureLabel
from sagittal.results import Event, InitialContact, Posture, Result, Walk
from sagittal.settings import Nudges, Wearer
from sagittal.units import NS_PER_S
from tests.nudges.test_nudges import T0, UPRIGHT, seconds, wish

QUIET = Wearer(id="w1", time_zone="Europe/Berlin")
DAY_S = 86_400


def said(care: Care, results: Sequence[Result], profile: Wearer = QUIET) -> tuple[Care, list[Event]]:
    """The state after some results, and the events that they led to."""
    care, out = attend(json.loads(json.dumps(care)), rules_of(care, profile), results)
    return care, [one for one in out if isinstance(one, Event) and one not in results]


def moment(name: Any, at_s: float) -> Event:
    return Event(t_ns=int((T0 + at_s) * NS_PER_S), event=name, version="t")


def a_walk(start_s: int, steps: int) -> Walk:
    contacts = [
        InitialContact(t_ns=(T0 + start_s) * NS_PER_S + i * NS_PER_S // 2, side=None, confidence=0.9)
        for i in range(steps)
    ]
    return Walk(
        start_ns=(T0 + start_s) * NS_PER_S,
        end_ns=(T0 + start_s) * NS_PER_S + steps * NS_PER_S // 2,
        final=True,
        n_steps=steps,
        n_strides=steps // 2,
        steady=True,
        cadence_spm=120.0,
        initial_contacts=contacts,
        confidence=0.9,
        version="t",
    )


def do(care: Care, verb: str, at_s: int, **values: Any) -> tuple[Care, list[Event]]:
    return obey(care, QUIET, wish(verb, at_s, **values))


def test_a_session_counts_what_the_sensor_sees_meanwhile() -> None:
    care, begun = do({}, "exercise", 10, name="sit_to_stand", start=True)
    assert begun[0].tags == ["sit_to_stand", "start"]
    care, events = said(care, [moment("sit_to_stand", 5), moment("sit_to_stand", 15), moment("bend", 20)])
    assert events == []
    care, _events = said(care, [*seconds(20, 12, UPRIGHT, PostureLabel.STANDING)])
    care, ended = do(care, "exercise", 70, name="sit_to_stand", start=False)
    assert ended[0].tags == ["sit_to_stand", "stop"]
    assert ended[0].duration_s == 60.0
    assert ended[0].values == {"sit_to_stands": 1.0, "bends": 1.0, "standing_s": 12.0}
    assert do(care, "exercise", 80, name="sit_to_stand", start=False)[1] == [], "what does not run can't end"


def test_what_is_told_late_corrects_the_session_under_its_own_name() -> None:
    care, _ = do({}, "exercise", 0, name="walk", start=True)
    care, [first] = do(care, "exercise", 30, name="walk", start=False)
    assert first.values == {}
    care, events = said(care, [a_walk(10, 60), *seconds(31, 10, UPRIGHT)])
    assert events == []
    care, [second] = said(care, list(seconds(44, 3, UPRIGHT)))
    assert (second.t_ns, second.key, second.event) == (first.t_ns, first.key, first.event)
    assert second.values == {"steps": 40.0}, "those after the end do not count"
    assert said(care, list(seconds(60, 30, UPRIGHT)))[1] == []


def test_a_session_left_open_ends_by_itself() -> None:
    care, _ = do({}, "exercise", 0, name="walk", start=True)
    _care, [ended] = said(care, list(seconds(7205, 1, UPRIGHT)))
    assert ended.tags == ["walk", "stop", "left_open"]
    assert ended.duration_s == 7200.0


def test_a_reminder_carries_a_persons_words_once_a_day() -> None:
    words = "Dr C: ten slow pelvic tilts"
    care, [kept] = do({}, "remind", 0, at="09:10", text=words)
    assert (kept.event, kept.text, kept.values) == ("reminder_set", words, {"at_min": 550.0})
    care, events = said(care, list(seconds(0, 1200, UPRIGHT)))
    assert [event.event for event in events] == ["reminder_set", "reminder"]
    assert (events[1].text, events[1].t_ns) == (words, (T0 + 600) * NS_PER_S)
    care, events = said(care, list(seconds(DAY_S, 900, UPRIGHT)))
    assert [event.event for event in events] == ["reminder_set", "reminder"], "what holds is told anew each day"
    care, [gone] = do(care, "remind", DAY_S + 900, remove=kept.key)
    assert gone.tags == ["removed"]
    assert said(care, list(seconds(2 * DAY_S, 900, UPRIGHT)))[1] == []


@pytest.mark.parametrize(
    "values", [{"at": "25:00", "text": "x"}, {"at": "09:00", "text": " "}, {"text": "x"}, {"remove": "nobody"}]
)
def test_a_reminder_that_makes_no_sense_is_left(values: dict[str, Any]) -> None:
    assert do({}, "remind", 0, **values)[1] == []


def test_nobody_is_reminded_while_not_worn_or_in_quiet_hours() -> None:
    care, _ = do({}, "remind", 0, at="09:10", text="x")
    unworn = list(seconds(0, 2000, None, PostureLabel.NOT_WORN))
    assert "reminder" not in [event.event for event in said(care, unworn)[1]]
    quiet = QUIET.model_copy(update={"nudges": Nudges(quiet_start="09:00", quiet_end="10:00")})
    assert "reminder" not in [event.event for event in said(care, list(seconds(0, 2000, UPRIGHT)), quiet)[1]]


def test_a_choice_is_told_anew_each_day() -> None:
    care, _ = do({}, "mode", 0, mode="train", delay_s=30)
    care, events = said(care, list(seconds(0, 5, UPRIGHT)))
    assert [(event.event, event.tags) for event in events] == [("mode", ["train"])]
    assert said(care, list(seconds(5, 5, UPRIGHT)))[1] == []
    assert [event.event for event in said(care, list(seconds(DAY_S, 5, UPRIGHT)))[1]] == ["mode"]


def test_a_sensor_that_moved_is_silent_until_it_knows_upright_again() -> None:
    care, _ = do({}, "mode", 0, mode="train", delay_s=10, threshold_deg=20)
    care, events = said(care, [moment("sensor_moved", 1), *seconds(2, 100, 40.0)])
    assert [event.event for event in events] == ["mode"]
    _care, events = said(care, [moment("calibrated", 102), *seconds(103, 20, 40.0)])
    assert [event.event for event in events] == ["nudge"]


def test_however_the_results_are_cut_the_same_is_said() -> None:
    care, _ = do({}, "mode", 0, mode="train", delay_s=10, threshold_deg=20, break_after_min=5)
    care, _ = do(care, "exercise", 100, name="walk", start=True)
    rows: list[Result] = [*seconds(0, 100, 40.0), *seconds(100, 200, UPRIGHT), *seconds(300, 400, -35.0)]
    rows.insert(150, moment("bend", 149))
    whole = said(care, rows)
    cut: list[Event] = []
    for i in range(0, len(rows), 7):
        care, events = said(care, rows[i : i + 7])
        cut += events
    assert (care, cut) == whole
    assert {"nudge", "nudge_followed", "break_due"} <= {event.event for event in cut}


def test_rubbish_from_the_broker_never_breaks_it() -> None:
    odd: list[Any] = [None, -1, 1e300, "x" * 5000, [], {}, True, [None], {"a": 1}]
    names = ("minutes", "mode", "nudge_ns", "pain_back", "tags", "note", "name", "start", "at", "text", "remove")
    care: Care = {}
    for verb in ("snooze", "mode", "nudge", "diary", "exercise", "remind", "calibrate"):
        for at, value in enumerate(odd):
            fields = {"id": f"{verb}{at:08d}", "t_ns": T0 * NS_PER_S, "wearer": "w1", "verb": verb}
            command = Command.model_validate(fields | {"values": dict.fromkeys(names, value)})
            care, _events = obey(care, QUIET, command)
            care, _ = said(care, list(seconds(at, 1, UPRIGHT)))
    assert len(json.dumps(care)) < 5000
    assert isinstance(seconds(0, 1, UPRIGHT)[0], Posture)
