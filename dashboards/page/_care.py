"""Nudges, diary, exercises and the first steps, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards._before import PAINS
from dashboards._clock import Clock
from dashboards._day import DayData
from dashboards._movements import counted_words
from dashboards._words import duration, word
from dashboards.content import Movement, movements
from sagittal.messages import DeviceHealth, DeviceState
from sagittal.names import PostureLabel
from sagittal.results import Event, Posture
from sagittal.settings import Nudges
from sagittal.units import NS_PER_S

_GUIDE_STEPS = 10
_FRESH_S = 15.0
_JUDGED_NS = 2 * 3600 * NS_PER_S
"""For so long after a nudge the page asks whether it was wrong."""
_NUMBERS = ("threshold_deg", "delay_s", "per_hour", "break_after_min")
_OUTCOMES = {"nudge_followed": "followed", "nudge_ignored": "ignored"}


@dataclass(frozen=True, slots=True)
class NudgeView:
    """The mode, the choices that hold, what was said today, and what became of it."""

    mode: str
    mode_words: str
    rules: str
    chosen: dict[str, str]
    summary: str
    last: str
    judge_ns: str
    wrong: bool
    snoozed: str


@dataclass(frozen=True, slots=True)
class DiaryView:
    """Today's entries."""

    entries: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """One movement, what the sensor can count of it, its sessions today, and since when one is going on."""

    name: str
    title: str
    how: str
    can_count: str
    source: str
    running: str
    done: str


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One of the first steps, and whether it is done."""

    text: str
    done: bool


def nudge_view(day: DayData, profile: Nudges, clock: Clock) -> NudgeView:
    """Nudges of a day in words."""
    chosen = _chosen(day, profile)
    nudges = [event for event in day.events if event.event in ("nudge", "break_due")]
    followed = sum(event.event == "nudge_followed" for event in day.events)
    last = nudges[-1] if nudges else None
    after = [event for event in day.events if last is not None and event.t_ns > last.t_ns]
    outcome = next((_OUTCOMES[event.event] for event in after if event.event in _OUTCOMES), "")
    wrong = any(event.event == "nudge_wrong" for event in after)
    until = [
        event.t_ns + int(60 * NS_PER_S * (event.values.get("minutes") or 0.0))
        for event in day.events
        if event.event == "snoozed"
    ]
    snoozed = max(until, default=0)
    words = word("nudge.last", time=clock.words(last.t_ns), text=last.text) if last else ""
    ask = last is not None and last.event == "nudge" and not wrong and clock.now_ns - last.t_ns < _JUDGED_NS
    return NudgeView(
        mode=chosen["mode"],
        mode_words=word(f"nudge.{chosen['mode']}"),
        rules=_rules(chosen) if chosen["mode"] == "train" else word("nudge.silent_breaks"),
        chosen=chosen,
        summary=word("nudge.summary", n=len(nudges), followed=followed) if nudges else word("nudge.none"),
        last=f"{words} ({word(f'nudge.{outcome}')})" if outcome else words,
        judge_ns=str(last.t_ns) if ask and last is not None else "",
        wrong=wrong,
        snoozed=word("nudge.snoozed", time=clock.words(snoozed)) if snoozed > clock.now_ns else "",
    )


def reminder_rows(day: DayData) -> list[tuple[str, str, str]]:
    """The reminders that hold, as (id, time of day, words), earliest first."""
    newest = {event.key: event for event in day.events if event.event == "reminder_set"}
    kept = [event for event in newest.values() if "removed" not in event.tags]
    rows = [(event.key, _clock_time((event.values.get("at_min") or 0.0) / 60), event.text) for event in kept]
    return sorted(rows, key=lambda row: row[1])


def diary_view(day: DayData, clock: Clock) -> DiaryView:
    """Entries of a day in words, the latest first."""
    entries = [(clock.words(event.t_ns), entry_words(event)) for event in reversed(day.diary)]
    return DiaryView(entries=entries)


def entry_words(event: Event) -> str:
    """A diary entry in words."""
    marks = [
        word("diary.mark", place=word(f"diary.{name}"), n=round(value))
        for name in PAINS
        if (value := event.values.get(name)) is not None
    ]
    return " · ".join(filter(None, [*marks, event.text, ", ".join(event.tags)]))


def exercise_views(day: DayData, clock: Clock) -> list[ExerciseView]:
    """The movements with today's sessions."""
    return [_movement(movement, day, clock) for movement in movements().values()]


def guide_steps(
    devices: Sequence[DeviceHealth], posture: Posture | None, calibrated: bool, day: DayData | None, clock: Clock
) -> list[GuideStep]:
    """The first steps of a new wearer; empty once all are done."""
    found = any(health.state is DeviceState.STREAMING for health in devices)
    fresh = posture is not None and clock.age_s(posture.t_ns) <= _FRESH_S
    worn = fresh and posture is not None and posture.posture is not PostureLabel.NOT_WORN
    walked = day is not None and any(walk.n_steps >= _GUIDE_STEPS for walk in day.walks)
    done = (found or worn, worn or calibrated or walked, calibrated, walked)
    if (calibrated and walked) or all(done):
        return []
    return [GuideStep(word(f"guide.step_{i}"), ready) for i, ready in enumerate(done, start=1)]


def _movement(movement: Movement, day: DayData, clock: Clock) -> ExerciseView:
    events = [event for event in day.events if event.event == "exercise" and movement.name in event.tags]
    sessions = [event for event in events if "stop" in event.tags]
    begun = max((event.t_ns for event in events if "start" in event.tags), default=0)
    ended = max((event.t_ns for event in sessions), default=0)
    seconds = sum(event.duration_s for event in sessions)
    done = word("exercise.done", n=len(sessions), duration=duration(seconds)) if sessions else ""
    what = word("exercise.can_count", what=word(f"exercise.counts_{movement.counts}")) if movement.counts else ""
    return ExerciseView(
        name=movement.name,
        title=movement.title,
        how=movement.how,
        can_count=what or word("exercise.can_not"),
        source=movement.source,
        running=word("exercise.running", time=clock.words(begun)) if begun > ended else "",
        done=", ".join(filter(None, (done, counted_words(movement, sessions)))),
    )


def _chosen(day: DayData, profile: Nudges) -> dict[str, str]:
    """What holds, from the newest event that tells it, else from the profile; as a form shows it."""
    newest = next((event for event in reversed(day.events) if event.event == "mode" and event.tags), None)
    if newest is None:
        numbers: dict[str, float | None] = {
            "threshold_deg": profile.threshold_deg,
            "delay_s": profile.delay_s,
            "per_hour": float(profile.per_hour),
            "break_after_min": profile.break_after_min,
        }
        times = {"quiet_start": profile.quiet_start or "", "quiet_end": profile.quiet_end or ""}
        mode: str = profile.mode
    else:
        numbers = {
            name: newest.values.get(name) for name in ("threshold_deg", "delay_s", "per_hour", "break_after_min")
        }
        hours = {name: newest.values.get(f"{name}_h") for name in ("quiet_start", "quiet_end")}
        times = {name: "" if hour is None else _clock_time(hour) for name, hour in hours.items()}
        mode = newest.tags[0]
    shown = {name: "" if value is None else f"{value:g}" for name, value in numbers.items()}
    return {"mode": "train" if mode == "train" else "track", **shown, **times}


def _rules(chosen: dict[str, str]) -> str:
    quiet = chosen["quiet_start"] and chosen["quiet_end"]
    pause = float(chosen["break_after_min"] or 0.0)
    return word(
        "nudge.rules",
        delay=duration(float(chosen["delay_s"] or 0.0)),
        n=chosen["per_hour"] or "0",
        quiet=word("nudge.rules_quiet", start=chosen["quiet_start"], end=chosen["quiet_end"]) if quiet else "",
        rest=word("nudge.rules_break", duration=duration(60 * pause)) if pause else "",
    )


def _clock_time(hours: float) -> str:
    minutes = round(60 * hours)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
