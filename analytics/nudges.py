"""When to say something about posture, and what was done about it: pure, one second of posture at a time.

After what commercial posture trainers do well and are blamed for: a posture must be held (60 s by default), the
threshold is the person's own, nudges are few and fade as they are followed, none comes while walking or lying, in quiet
hours, while paused, or right after one was followed, and a wrong one loosens the threshold. In mode `track` nothing is
said.

There is no good evidence that such feedback lessens pain: a sham-controlled trial found no difference (ELF trial,
Ribeiro 2020, Occup Environ Med 77:462). The number of minutes before a break prompt is the wearer's own choice, since
the evidence gives no threshold (WHO guidelines on physical activity and sedentary behaviour, 2020).

Times are those of the rows, so that live and replay agree. Whoever turns an event into a buzz must let old ones be: an
event more than ten seconds old belongs in the diary, not on the skin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from sagittal.messages import Command
from sagittal.names import PostureLabel
from sagittal.results import Event, EventName, Posture
from sagittal.settings import Wearer
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

VERSION = "nudges-1"
FOLLOW_S = 60.0
"""Within this time a nudge counts as followed."""
RANGE_PERCENT = 40.0
"""Share of the person's own bending range that counts as slouched where no angle was chosen; a default, not a limit."""
_LOOSER_DEG = 2.0
_LOOSEST_DEG = 15.0
_RANGE_PER_DEG = 2.0
_FADE = 1.25
_MAX_DELAY_S = 600.0
_REST_AFTER_FOLLOWED_S = 300.0
_GAP_S = 5.0
_RELEASE_S = 3.0
_BREAK_ENDS_SITTING_S = 60.0
_HOUR_S = 3600.0
_NUDGED_IN = (PostureLabel.SITTING, PostureLabel.STANDING, PostureLabel.BENDING)
_UP = (PostureLabel.STANDING, PostureLabel.WALKING)

State = dict[str, Any]
"""Small and JSON-safe; an empty one begins."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a wearer has chosen; seconds and degrees."""

    mode: str = "track"
    threshold_deg: float | None = None
    delay_s: float = 60.0
    per_hour: int = 4
    quiet_start: time | None = None
    quiet_end: time | None = None
    break_after_s: float | None = None
    zone: tzinfo = UTC

    @classmethod
    def of(cls, wearer: Wearer) -> Rules:
        """The rules of a wearer's profile."""
        chosen = wearer.nudges
        return cls(
            mode=chosen.mode,
            threshold_deg=chosen.threshold_deg,
            delay_s=chosen.delay_s,
            per_hour=chosen.per_hour,
            quiet_start=time.fromisoformat(chosen.quiet_start) if chosen.quiet_start else None,
            quiet_end=time.fromisoformat(chosen.quiet_end) if chosen.quiet_end else None,
            break_after_s=None if chosen.break_after_min is None else 60.0 * chosen.break_after_min,
            zone=wearer.zone,
        )


def step(state: Mapping[str, Any], rows: Iterable[Posture], rules: Rules) -> tuple[State, list[Event]]:
    """Take seconds of posture in order; the new state and what is to be said.

    Events are `nudge` (values: flexion_deg, threshold_deg or threshold_percent, held_s), `break_due` (sitting_s), and
    for either `nudge_followed` or `nudge_ignored` (values: after_s; tags name which).
    """
    next_state = dict(state)
    events: list[Event] = []
    for row in rows:
        _second(next_state, row, rules, events)
    return next_state, events


def obey(state: Mapping[str, Any], command: Command, rules: Rules, now_ns: int) -> tuple[State, list[Event]]:
    """Take a wish (snooze, mode, nudge, diary, exercise); the new state and the event that records it.

    `now_ns` is the time of the newest posture, or the wish's own where there is none; other verbs change nothing.
    """
    next_state = dict(state)
    values, t_ns = command.values, command.t_ns
    match command.verb:
        case "snooze":
            minutes = float(values.get("minutes", 60))
            next_state["snoozed_to_ns"] = now_ns + int(60 * minutes * NS_PER_S)
            return next_state, [_event("snoozed", t_ns, command.id, values={"minutes": minutes})]
        case "mode":
            mode = str(values.get("mode", rules.mode))
            next_state["mode"] = mode
            return next_state, [_event("mode", t_ns, command.id, tags=[mode])]
        case "nudge":
            looser = min(float(next_state.get("looser_deg", 0.0)) + _LOOSER_DEG, _LOOSEST_DEG)
            next_state["looser_deg"] = looser
            about = {"looser_deg": looser, "nudge_s": int(values.get("nudge_ns", 0)) // NS_PER_S}
            return next_state, [_event("nudge_wrong", t_ns, command.id, values=about)]
        case "diary":
            return next_state, [_diary(command)]
        case "exercise":
            return next_state, _exercise(next_state, command)
    return next_state, []


def slouched(row: Posture, rules: Rules, looser_deg: float = 0.0) -> bool | None:
    """Whether a second lies beyond the wearer's threshold; None where the angle is absent or the posture not meant."""
    if row.posture not in _NUDGED_IN or row.flexion_deg is None:
        return None
    if rules.threshold_deg is not None:
        return row.flexion_deg >= rules.threshold_deg + looser_deg
    if row.slouch_percent is not None:
        return row.slouch_percent >= RANGE_PERCENT + _RANGE_PER_DEG * looser_deg
    return row.flexion_deg >= threshold("posture.flexion_acceptable_deg") + looser_deg


def _second(state: State, row: Posture, rules: Rules, events: list[Event]) -> None:
    last_ns = state.get("t_ns")
    if last_ns is not None and row.t_ns <= last_ns:
        return
    if last_ns is None or row.t_ns - last_ns > _GAP_S * NS_PER_S:
        state.update(held_ns=None, sitting_ns=None)
    state["t_ns"] = row.t_ns
    beyond = slouched(row, rules, float(state.get("looser_deg", 0.0)))
    _watch(state, row, beyond, events)
    _hold(state, row, beyond)
    _sit(state, row)
    if state.get("mode", rules.mode) != "train" or _quiet(state, row.t_ns, rules) or state.get("open") is not None:
        return
    _nudge(state, row, rules, events)
    _prompt_break(state, row, rules, events)


def _watch(state: State, row: Posture, beyond: bool | None, events: list[Event]) -> None:
    told = state.get("open")
    if told is None:
        return
    after_s = (row.t_ns - told["t_ns"]) / NS_PER_S
    done = row.posture in _UP if told["what"] == "break_due" else beyond is False or row.posture in _UP[1:]
    if done and after_s <= FOLLOW_S:
        state["followed"] = int(state.get("followed", 0)) + 1
        state["rest_to_ns"] = row.t_ns + int(_REST_AFTER_FOLLOWED_S * NS_PER_S)
    elif after_s > FOLLOW_S:
        state["followed"] = max(0, int(state.get("followed", 0)) - 1)
        done = False
    else:
        return
    name: EventName = "nudge_followed" if done else "nudge_ignored"
    events.append(_event(name, row.t_ns, told["what"], values={"after_s": after_s}, tags=[told["what"]]))
    state["open"] = None


def _hold(state: State, row: Posture, beyond: bool | None) -> None:
    if beyond:
        state["held_ns"] = state.get("held_ns") or row.t_ns
        state["upright_ns"] = None
        return
    state["upright_ns"] = state.get("upright_ns") or row.t_ns
    if beyond is None or row.t_ns - state["upright_ns"] >= _RELEASE_S * NS_PER_S:
        state["held_ns"] = None


def _sit(state: State, row: Posture) -> None:
    if row.posture is PostureLabel.SITTING:
        state["sitting_ns"] = state.get("sitting_ns") or row.t_ns
        state["off_seat_ns"] = None
        return
    state["off_seat_ns"] = state.get("off_seat_ns") or row.t_ns
    if row.t_ns - state["off_seat_ns"] >= _BREAK_ENDS_SITTING_S * NS_PER_S:
        state["sitting_ns"] = None


def _nudge(state: State, row: Posture, rules: Rules, events: list[Event]) -> None:
    held_ns = state.get("held_ns")
    if held_ns is None or row.t_ns < int(state.get("rest_to_ns", 0)):
        return
    held_s = (row.t_ns - held_ns) / NS_PER_S
    delay_s = min(_MAX_DELAY_S, rules.delay_s * _FADE ** int(state.get("followed", 0)))
    recent = [t_ns for t_ns in state.get("nudges_ns", []) if row.t_ns - t_ns < _HOUR_S * NS_PER_S]
    if held_s < delay_s or len(recent) >= rules.per_hour:
        return
    state.update(nudges_ns=[*recent, row.t_ns], held_ns=None, open={"what": "nudge", "t_ns": row.t_ns})
    values = {"flexion_deg": row.flexion_deg, "slouch_percent": row.slouch_percent, "held_s": held_s}
    text = f"Leaning forwards for {_spoken(held_s)}. Would another posture feel better?"
    events.append(_event("nudge", row.t_ns, "", values=values, text=text, tags=["posture"]))


def _prompt_break(state: State, row: Posture, rules: Rules, events: list[Event]) -> None:
    sitting_ns = state.get("sitting_ns")
    if rules.break_after_s is None or sitting_ns is None or state.get("open") is not None:
        return
    since_ns = max(sitting_ns, int(state.get("break_ns", 0)))
    if row.t_ns - since_ns < rules.break_after_s * NS_PER_S:
        return
    sitting_s = (row.t_ns - sitting_ns) / NS_PER_S
    state.update(break_ns=row.t_ns, open={"what": "break_due", "t_ns": row.t_ns})
    text = f"Sitting for {_spoken(sitting_s)}: the time that you chose for a break."
    events.append(_event("break_due", row.t_ns, "", values={"sitting_s": sitting_s}, text=text))


def _quiet(state: State, t_ns: int, rules: Rules) -> bool:
    if t_ns < int(state.get("snoozed_to_ns", 0)):
        return True
    if rules.quiet_start is None or rules.quiet_end is None:
        return False
    now = datetime.fromtimestamp(t_ns / NS_PER_S, rules.zone).time()
    if rules.quiet_start <= rules.quiet_end:
        return rules.quiet_start <= now < rules.quiet_end
    return now >= rules.quiet_start or now < rules.quiet_end


def _diary(command: Command) -> Event:
    values = {
        name: float(command.values[name])
        for name in ("pain_back", "pain_knee_left", "pain_knee_right")
        if command.values.get(name) is not None
    }
    tags = [str(tag) for tag in command.values.get("tags", [])]
    text = str(command.values.get("note", ""))
    return _event("diary", command.t_ns, command.id, values=values, text=text, tags=tags)


def _exercise(state: State, command: Command) -> list[Event]:
    name = str(command.values.get("name", ""))
    running = dict(state.get("exercises", {}))
    if command.values.get("start"):
        state["exercises"] = running | {name: command.t_ns}
        return [_event("exercise", command.t_ns, command.id, tags=[name, "start"])]
    began_ns = running.pop(name, None)
    state["exercises"] = running
    lasted_s = 0.0 if began_ns is None else max(0.0, (command.t_ns - began_ns) / NS_PER_S)
    return [_event("exercise", command.t_ns, command.id, tags=[name, "stop"], duration_s=lasted_s)]


def _event(name: EventName, t_ns: int, key: str, **about: Any) -> Event:
    return Event(t_ns=t_ns, event=name, key=key, version=VERSION, **about)


def _spoken(seconds: float) -> str:
    return f"{round(seconds)} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
