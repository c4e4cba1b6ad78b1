"""Sessions of a movement, with what the sensor saw meanwhile, and the wearer's own reminders: pure.

A session begins and ends when the wearer says so; one that is left open ends after two hours. What was counted is
everything that can be, whatever the movement: whoever shows it picks what fits. Results that come a little later than
the end (a walk is told when it is over) still count: the closing event is then told again, under the same name.

A reminder carries words that a person wrote, such as a clinician's own; nothing here is chosen from data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, tzinfo
from typing import Any

from sagittal.messages import Command
from sagittal.names import PostureLabel
from sagittal.results import Event, EventName, Posture, Result, Walk
from sagittal.units import NS_PER_S

VERSION = "sessions-1"
MAX_REMINDERS = 12
_LONGEST_NS = 2 * 3600 * NS_PER_S
_GRACE_NS = 15 * NS_PER_S
_LATE_NS = 600 * NS_PER_S
"""A reminder whose minute passed longer ago than this (not worn, switched off) is not said any more."""
_COUNTED = {"bend": "bends", "sit_to_stand": "sit_to_stands", "squat": "squats"}
_TIMED = {PostureLabel.STANDING: "standing_s", PostureLabel.WALKING: "walking_s"}

State = dict[str, Any]
"""Small and JSON-safe; an empty one begins."""


def counting(state: State) -> bool:
    """Whether a session runs or has just ended."""
    return bool(state.get("running") or state.get("closed"))


def follow(state: State, result: Result) -> tuple[State, list[Event]]:
    """Count what a result shows of the sessions that run or have just ended; events that end or correct one."""
    if not counting(state):
        return state, []
    next_state = dict(state)
    running = {name: _counted(session, result) for name, session in next_state.get("running", {}).items()}
    closed = [_counted(session, result) for session in next_state.get("closed", [])]
    now_ns = result.t_ns if isinstance(result, Posture) else 0
    events: list[Event] = []
    for name, session in list(running.items()):
        if now_ns - session["start_ns"] > _LONGEST_NS:
            running.pop(name)
            session["end_ns"] = session["start_ns"] + _LONGEST_NS
            events.append(_stopped(name, session, f"open-{session['start_ns']}", "left_open"))
    for session in [one for one in closed if now_ns >= one["end_ns"] + _GRACE_NS]:
        closed.remove(session)
        if _numbers(session) != session["told"]:
            events.append(_stopped(session["name"], session, session["key"]))
    next_state.update(running=running, closed=closed)
    return next_state, events


def session(state: Mapping[str, Any], command: Command) -> tuple[State, list[Event]]:
    """Begin or end a session as an `exercise` wish says; an event with the tags [name, "start" or "stop"]."""
    next_state = dict(state)
    name = str(command.values.get("name", ""))[:40]
    if not name:
        return next_state, []
    running = dict(next_state.get("running", {}))
    if command.values.get("start") is True:
        next_state["running"] = running | {name: {"start_ns": command.t_ns}}
        return next_state, [_event("exercise", command.t_ns, command.id, tags=[name, "start"])]
    found = running.pop(name, None)
    if found is None:
        return next_state, []
    ended = {**found, "name": name, "end_ns": max(command.t_ns, found["start_ns"]), "key": command.id}
    event = _stopped(name, ended, command.id)
    closed = [*next_state.get("closed", []), {**ended, "told": _numbers(ended)}][-8:]
    next_state.update(running=running, closed=closed)
    return next_state, [event]


def remind(state: Mapping[str, Any], command: Command) -> tuple[State, list[Event]]:
    """Set or take back a reminder as a `remind` wish says: {"at": "10:30", "text": …} or {"remove": key}."""
    next_state = dict(state)
    reminders = dict(next_state.get("reminders", {}))
    gone = command.values.get("remove")
    if gone is not None:
        old = reminders.pop(str(gone), None)
        next_state["reminders"] = reminders
        return next_state, [] if old is None else [_reminder(str(gone), old, command.t_ns, removed=True)]
    at, text = _minute(command.values.get("at")), str(command.values.get("text") or "").strip()[:200]
    if at is None or not text or len(reminders) >= MAX_REMINDERS:
        return next_state, []
    made = {"at_min": at, "text": text}
    next_state["reminders"] = reminders | {command.id: made}
    return next_state, [_reminder(command.id, made, command.t_ns)]


def due(state: State, row: Posture, zone: tzinfo) -> tuple[State, list[Event]]:
    """Say the reminders whose minute has come, once a day each, while the sensor is worn."""
    reminders = state.get("reminders", {})
    if not reminders or row.posture in (PostureLabel.NOT_WORN, PostureLabel.UNKNOWN):
        return state, []
    next_state = dict(state)
    local = datetime.fromtimestamp(row.t_ns // NS_PER_S, zone)
    minute, date = 60 * local.hour + local.minute, local.date().isoformat()
    said: dict[str, str] = dict(next_state.get("said", {}))
    events = []
    for key, one in reminders.items():
        late_ns = (60 * (minute - one["at_min"]) + local.second) * NS_PER_S
        if 0 <= late_ns < _LATE_NS and said.get(key) != date:
            said[key] = date
            events.append(_event("reminder", row.t_ns, key, text=one["text"]))
    next_state["said"] = {key: day for key, day in said.items() if key in reminders}
    return next_state, events


def standing(state: Mapping[str, Any], t_ns: int) -> list[Event]:
    """The reminders that hold, as events, so that whoever shows a day knows them."""
    return [_reminder(key, one, t_ns) for key, one in state.get("reminders", {}).items()]


def _counted(session: Mapping[str, Any], one: Result) -> State:
    counted = dict(session)
    start_ns, end_ns = session["start_ns"], session.get("end_ns", 2**62)
    counts: dict[str, float] = dict(counted.get("counts", {}))
    steps: dict[str, int] = dict(counted.get("steps", {}))
    match one:
        case Event() if one.event in _COUNTED and start_ns <= one.t_ns < end_ns:
            counts[_COUNTED[one.event]] = counts.get(_COUNTED[one.event], 0.0) + 1.0
        case Posture() if one.posture in _TIMED and start_ns <= one.t_ns < end_ns:
            counts[_TIMED[one.posture]] = counts.get(_TIMED[one.posture], 0.0) + 1.0
        case Walk() if one.end_ns >= start_ns and one.start_ns < end_ns:
            steps[str(one.start_ns)] = sum(start_ns <= contact.t_ns < end_ns for contact in one.initial_contacts)
    return counted | {"counts": counts, "steps": steps}


def _numbers(session: Mapping[str, Any]) -> dict[str, float]:
    steps = float(sum(session.get("steps", {}).values()))
    return dict(session.get("counts", {})) | ({"steps": steps} if steps else {})


def _stopped(name: str, session: Mapping[str, Any], key: str, *more: str) -> Event:
    lasted_s = (session["end_ns"] - session["start_ns"]) / NS_PER_S
    numbers: dict[str, float | None] = dict(_numbers(session))
    return _event("exercise", session["end_ns"], key, tags=[name, "stop", *more], duration_s=lasted_s, values=numbers)


def _reminder(key: str, one: Mapping[str, Any], t_ns: int, *, removed: bool = False) -> Event:
    values: dict[str, float | None] = {"at_min": float(one["at_min"])}
    return _event("reminder_set", t_ns, key, text=one["text"], values=values, tags=["removed"] if removed else [])


def _minute(text: Any) -> int | None:
    try:
        at = time.fromisoformat(str(text))
    except ValueError:
        return None
    return 60 * at.hour + at.minute


def _event(name: EventName, t_ns: int, key: str, **about: Any) -> Event:
    return Event(t_ns=t_ns, event=name, key=key, version=VERSION, **about)
