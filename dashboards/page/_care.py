"""Nudges, diary, exercises and the first steps, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards._clock import Clock
from dashboards._day import DayData
from dashboards._words import duration, word
from dashboards.content import movements
from sagittal.messages import DeviceHealth, DeviceState
from sagittal.names import PostureLabel
from sagittal.results import Event, Posture
from sagittal.units import NS_PER_S

PAINS = ("pain_back", "pain_knee_left", "pain_knee_right")
_BEFORE_NS = 30 * 60 * NS_PER_S
_HIGH_PAIN = 5
_GUIDE_STEPS = 10
_FRESH_S = 15.0


@dataclass(frozen=True, slots=True)
class NudgeView:
    """The mode, what was said today, and what became of it."""

    mode: str
    mode_words: str
    summary: str
    last: str
    last_ns: str
    snoozed: str


@dataclass(frozen=True, slots=True)
class DiaryView:
    """Today's entries and what came before the high marks."""

    entries: list[tuple[str, str]]
    before: str


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """One movement, its sessions today, and whether one is going on."""

    name: str
    title: str
    how: str
    source: str
    running: bool
    done: str


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One of the first steps, and whether it is done."""

    text: str
    done: bool


def nudge_view(day: DayData, mode_default: str, clock: Clock) -> NudgeView:
    """Nudges of a day in words."""
    mode = next((event.tags[0] for event in reversed(day.events) if event.event == "mode" and event.tags), mode_default)
    nudges = [event for event in day.events if event.event in ("nudge", "break_due")]
    followed = sum(event.event == "nudge_followed" for event in day.events)
    last = nudges[-1] if nudges else None
    until = [
        event.t_ns + int(60 * NS_PER_S * (event.values.get("minutes") or 0.0))
        for event in day.events
        if event.event == "snoozed"
    ]
    snoozed = max(until, default=0)
    return NudgeView(
        mode=mode,
        mode_words=word(f"nudge.{mode}"),
        summary=word("nudge.summary", n=len(nudges), followed=followed) if nudges else word("nudge.none"),
        last=word("nudge.last", time=clock.words(last.t_ns), text=last.text) if last else "",
        last_ns=str(last.t_ns) if last else "",
        snoozed=word("nudge.snoozed", time=clock.words(snoozed)) if snoozed > clock.now_ns else "",
    )


def diary_view(day: DayData, clock: Clock) -> DiaryView:
    """Entries of a day in words, the latest first."""
    entries = [(clock.words(event.t_ns), entry_words(event)) for event in reversed(day.diary)]
    return DiaryView(entries=entries, before=before_words(day))


def entry_words(event: Event) -> str:
    """A diary entry in words."""
    marks = [
        word("diary.mark", place=word(f"diary.{name}"), n=round(value))
        for name in PAINS
        if (value := event.values.get(name)) is not None
    ]
    return " · ".join(filter(None, [*marks, event.text, ", ".join(event.tags)]))


def before_words(day: DayData) -> str:
    """What the half hours before high marks held, beside the person's other time: a description, never a cause."""
    high = [event for event in day.diary if any((event.values.get(name) or 0.0) >= _HIGH_PAIN for name in PAINS)]
    if not high:
        return ""
    spans = [(event.t_ns - _BEFORE_NS, event.t_ns) for event in high]
    inside, outside = _sitting_share(day, spans, inside=True), _sitting_share(day, spans, inside=False)
    if inside is None or outside is None:
        return word("diary.before_little", n=len(high))
    return word("diary.before", n=len(high), pain=_HIGH_PAIN, inside=round(100 * inside), outside=round(100 * outside))


def exercise_views(day: DayData) -> list[ExerciseView]:
    """The movements with today's sessions."""
    views = []
    for movement in movements().values():
        events = [event for event in day.events if event.event == "exercise" and movement.name in event.tags]
        running = bool(events) and "start" in events[-1].tags
        sessions = sum("stop" in event.tags for event in events)
        seconds = sum(event.duration_s for event in events)
        done = word("exercise.done", n=sessions, duration=duration(seconds)) if sessions else ""
        views.append(ExerciseView(movement.name, movement.title, movement.how, movement.source, running, done))
    return views


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


def _sitting_share(day: DayData, spans: Sequence[tuple[int, int]], *, inside: bool) -> float | None:
    sitting = worn = 0
    for segment in day.segments:
        if segment.posture in (PostureLabel.NOT_WORN, PostureLabel.UNKNOWN):
            continue
        covered = sum(max(0, min(segment.end_ns, end) - max(segment.start_ns, start)) for start, end in spans)
        span = covered if inside else segment.end_ns - segment.start_ns - covered
        worn += span
        sitting += span if segment.posture is PostureLabel.SITTING else 0
    return sitting / worn if worn >= 10 * 60 * NS_PER_S else None
