"""When to say something about posture, and what was done about it: pure, one second of posture at a time.

After what commercial posture trainers do well and are blamed for: a posture must be held (60 s by default), the
threshold is the person's own, nudges are few and fade as they are followed, none comes while walking or lying, in quiet
hours, while paused, or right after one was followed, and a wrong one loosens the threshold. In mode `track` nothing is
said.

There is no good evidence that such feedback lessens pain: a sham-controlled trial found no difference (ELF trial,
Ribeiro 2020, Occup Environ Med 77:462). The number of minutes before a break prompt is the wearer's own choice, since
the evidence gives no threshold (WHO guidelines on physical activity and sedentary behaviour, 2020).

A seated pelvis slumps by rolling back, a standing one by leaning forwards, so sitting counts both ways.

Times are those of the rows, so that live and replay agree. Whoever turns an event into a buzz must let old ones be: an
event more than ten seconds old belongs in the diary, not on the skin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from sagittal.messages import Command
from sagittal.names import PostureLabel
from sagittal.results import Event, EventName, Posture
from sagittal.settings import Nudges, Wearer
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

VERSION = "nudges-2"
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
_GAP_NS = 5 * NS_PER_S
_RELEASE_NS = 3 * NS_PER_S
_BREAK_ENDS_SITTING_NS = 60 * NS_PER_S
_HOUR_S = 3600.0
_USUAL_DEG = threshold("posture.flexion_acceptable_deg")
_NUDGED_IN = (PostureLabel.SITTING, PostureLabel.STANDING, PostureLabel.BENDING)
_UP = (PostureLabel.STANDING, PostureLabel.WALKING)
_HOW = {PostureLabel.SITTING: "Sitting slouched", PostureLabel.BENDING: "Bending"}
PAINS = ("pain_back", "pain_knee_left", "pain_knee_right")

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

    @staticmethod
    def of(wearer: Wearer, chosen: Mapping[str, Any] | None = None) -> Rules:
        """The rules of a wearer's profile, with what was chosen since on top."""
        return _rules(wearer.nudges, wearer.zone, tuple(sorted((chosen or {}).items())))


@lru_cache(maxsize=64)
def _rules(own: Nudges, zone: tzinfo, chosen: tuple[tuple[str, Any], ...]) -> Rules:
    rules = Nudges.model_validate(own.model_dump() | dict(chosen)) if chosen else own
    return Rules(
        mode=rules.mode,
        threshold_deg=rules.threshold_deg,
        delay_s=rules.delay_s,
        per_hour=rules.per_hour,
        quiet_start=time.fromisoformat(rules.quiet_start) if rules.quiet_start else None,
        quiet_end=time.fromisoformat(rules.quiet_end) if rules.quiet_end else None,
        break_after_s=None if rules.break_after_min is None else 60.0 * rules.break_after_min,
        zone=zone,
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


def obey(state: Mapping[str, Any], command: Command, wearer: Wearer, now_ns: int) -> tuple[State, list[Event]]:
    """Take a wish (snooze, mode, nudge, diary); the new state and the event that records it.

    `now_ns` is the time of the newest posture, or the wish's own where there is none; other verbs change nothing, and
    neither do values that make no sense.
    """
    next_state = dict(state)
    values = command.values
    match command.verb:
        case "snooze":
            minutes = _within(values.get("minutes", 60), 1.0, 1440.0)
            if minutes is None:
                return next_state, []
            next_state["snoozed_to_ns"] = now_ns + int(60 * minutes * NS_PER_S)
            return next_state, [_event("snoozed", command.t_ns, command.id, values={"minutes": minutes})]
        case "mode":
            return _choose(next_state, command, wearer)
        case "nudge":
            looser = min(float(next_state.get("looser_deg", 0.0)) + _LOOSER_DEG, _LOOSEST_DEG)
            next_state.update(looser_deg=looser, open=None, held_ns=None)
            about_s = _within(values.get("nudge_ns", 0), 0.0, 4e18) or 0.0
            about = {"looser_deg": looser, "nudge_s": float(int(about_s) // NS_PER_S)}
            return next_state, [_event("nudge_wrong", command.t_ns, command.id, values=about)]
        case "diary":
            return next_state, [_diary(command)]
    return next_state, []


def slouched(row: Posture, rules: Rules, looser_deg: float = 0.0) -> bool | None:
    """Whether a second lies beyond the wearer's threshold; None where the angle is absent or the posture not meant."""
    if row.posture not in _NUDGED_IN or row.flexion_deg is None:
        return None
    away = abs(row.flexion_deg) if row.posture is PostureLabel.SITTING else row.flexion_deg
    usual = _USUAL_DEG + looser_deg
    if rules.threshold_deg is not None:
        return away >= rules.threshold_deg + looser_deg
    if row.detail == "slouched":
        return looser_deg == 0.0 or away >= usual
    if row.slouch_percent is not None:
        return row.slouch_percent >= RANGE_PERCENT + _RANGE_PER_DEG * looser_deg
    return row.flexion_deg >= usual


def in_force(rules: Rules, t_ns: int, key: str) -> Event:
    """The rules as an event, so that whoever shows a day knows what held on it."""
    numbers = {
        "threshold_deg": rules.threshold_deg,
        "delay_s": rules.delay_s,
        "per_hour": float(rules.per_hour),
        "quiet_start_h": _hour(rules.quiet_start),
        "quiet_end_h": _hour(rules.quiet_end),
        "break_after_min": None if rules.break_after_s is None else rules.break_after_s / 60,
    }
    return _event("mode", t_ns, key, values=numbers, tags=[rules.mode])


def _second(state: State, row: Posture, rules: Rules, events: list[Event]) -> None:
    last_ns = state.get("t_ns")
    if last_ns is not None and row.t_ns <= last_ns:
        return
    if last_ns is None or row.t_ns - last_ns > _GAP_NS:
        state.update(held_ns=None, sitting_ns=None)
    state["t_ns"] = row.t_ns
    beyond = slouched(row, rules, float(state.get("looser_deg", 0.0)))
    _watch(state, row, beyond, events)
    _hold(state, row, beyond)
    _sit(state, row)
    if rules.mode != "train" or quiet(state, row.t_ns, rules) or state.get("open") is not None:
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
    if beyond is None or row.t_ns - state["upright_ns"] >= _RELEASE_NS:
        state["held_ns"] = None


def _sit(state: State, row: Posture) -> None:
    if row.posture is PostureLabel.SITTING:
        state["sitting_ns"] = state.get("sitting_ns") or row.t_ns
        state["off_seat_ns"] = None
        return
    state["off_seat_ns"] = state.get("off_seat_ns") or row.t_ns
    if row.t_ns - state["off_seat_ns"] >= _BREAK_ENDS_SITTING_NS:
        state["sitting_ns"] = None


def _nudge(state: State, row: Posture, rules: Rules, events: list[Event]) -> None:
    held_ns = state.get("held_ns")
    if held_ns is None or row.t_ns < int(state.get("rest_to_ns", 0)) or state.get("moved"):
        return
    held_s = (row.t_ns - held_ns) / NS_PER_S
    delay_s = max(rules.delay_s, min(_MAX_DELAY_S, rules.delay_s * _FADE ** int(state.get("followed", 0))))
    recent = _recent(state, row.t_ns)
    if held_s < delay_s or len(recent) >= rules.per_hour:
        return
    state.update(nudges_ns=[*recent, row.t_ns], held_ns=None, open={"what": "nudge", "t_ns": row.t_ns})
    values = {"flexion_deg": row.flexion_deg, "slouch_percent": row.slouch_percent, "held_s": held_s}
    text = f"{_HOW.get(row.posture, 'Leaning forwards')} for {spoken(held_s)}. Would another posture feel better?"
    events.append(_event("nudge", row.t_ns, "", values=values, text=text, tags=["posture"]))


def _prompt_break(state: State, row: Posture, rules: Rules, events: list[Event]) -> None:
    sitting_ns = state.get("sitting_ns")
    if rules.break_after_s is None or sitting_ns is None or state.get("open") is not None:
        return
    since_ns = max(sitting_ns, int(state.get("break_ns", 0)))
    recent = _recent(state, row.t_ns)
    if row.t_ns - since_ns < rules.break_after_s * NS_PER_S or len(recent) >= rules.per_hour:
        return
    sitting_s = (row.t_ns - sitting_ns) / NS_PER_S
    told = {"what": "break_due", "t_ns": row.t_ns}
    state.update(nudges_ns=[*recent, row.t_ns], break_ns=row.t_ns, open=told)
    text = f"Sitting for {spoken(sitting_s)}: you chose to be reminded of a break."
    events.append(_event("break_due", row.t_ns, "", values={"sitting_s": sitting_s}, text=text))


def quiet(state: Mapping[str, Any], t_ns: int, rules: Rules) -> bool:
    """Whether nothing may be said: paused, or in the wearer's quiet hours."""
    if t_ns < int(state.get("snoozed_to_ns", 0)):
        return True
    if rules.quiet_start is None or rules.quiet_end is None:
        return False
    now = datetime.fromtimestamp(t_ns // NS_PER_S, rules.zone).time()
    if rules.quiet_start <= rules.quiet_end:
        return rules.quiet_start <= now < rules.quiet_end
    return now >= rules.quiet_start or now < rules.quiet_end


def spoken(seconds: float) -> str:
    """A length of time as it is said."""
    return f"{round(seconds)} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"


def _choose(state: State, command: Command, wearer: Wearer) -> tuple[State, list[Event]]:
    """Take on what the wearer chose; the words `own` and `off` take a choice back."""
    known = set(Nudges.model_fields)
    wished = {name: None if value in ("own", "off") else value for name, value in command.values.items()}
    chosen = dict(state.get("chosen", {})) | {name: value for name, value in wished.items() if name in known}
    try:
        Nudges.model_validate(wearer.nudges.model_dump() | chosen)
    except ValidationError:
        return state, []
    state["chosen"] = chosen
    return state, [in_force(Rules.of(wearer, chosen), command.t_ns, command.id)]


def _diary(command: Command) -> Event:
    given = {name: _within(command.values.get(name), 0.0, 10.0) for name in PAINS}
    marks = {name: value for name, value in given.items() if value is not None}
    tags = command.values.get("tags")
    words = [str(tag)[:40] for tag in tags[:10]] if isinstance(tags, list) else []
    text = str(command.values.get("note") or "")[:500]
    return _event("diary", command.t_ns, command.id, values=marks, text=text, tags=words)


def _recent(state: State, t_ns: int) -> list[int]:
    return [one for one in state.get("nudges_ns", []) if t_ns - one < _HOUR_S * NS_PER_S]


def _within(value: Any, low: float, high: float) -> float | None:
    """A number within its range; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return float(value)


def _hour(at: time | None) -> float | None:
    return None if at is None else round(at.hour + at.minute / 60, 4)


def _event(name: EventName, t_ns: int, key: str, **about: Any) -> Event:
    return Event(t_ns=t_ns, event=name, key=key, version=VERSION, **about)
