"""Beside the measuring: nudges, diary, sessions and reminders of one wearer, on the same samples' time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics import nudges, sessions
from analytics.nudges import Rules
from analytics.pipeline._sums import date_of
from sagittal.messages import Command
from sagittal.results import Event, Posture, Result
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S

_MINUTE_S = 60
_MINUTE_NS = _MINUTE_S * NS_PER_S
_MOVED = {"sensor_moved": True, "calibrated": False}

Care = dict[str, Any]
"""What is remembered; small and JSON-safe, an empty one begins."""


def rules_of(care: Care, profile: Wearer) -> Rules:
    """What the wearer has chosen; only a wish changes it."""
    return Rules.of(profile, care.get("nudges", {}).get("chosen"))


def attend(care: Care, rules: Rules, results: Sequence[Result]) -> tuple[Care, list[Result]]:
    """Take what the samples led to, in its order; the same again, with what is to be said about it put in between."""
    nudging, running = care.get("nudges", {}), care.get("sessions", {})
    day = care.get("day", "")
    counting = sessions.counting(running)
    out: list[Result] = []
    for one in results:
        out.append(one)
        if counting:
            running, events = sessions.follow(running, one)
            out += events
        if isinstance(one, Posture):
            today = date_of(one.t_ns // _MINUTE_NS * _MINUTE_S, rules.zone)
            if today > day:
                day = today
                out += _carried(nudging, running, rules, one.t_ns)
            nudging, events = nudges.step(nudging, (one,), rules)
            out += events
            if running.get("reminders") and not nudges.quiet(nudging, one.t_ns, rules):
                running, events = sessions.due(running, one, rules.zone)
                out += events
        elif isinstance(one, Event) and one.event in _MOVED:
            nudging = {**nudging, "moved": _MOVED[one.event]}
    return {"nudges": nudging, "sessions": running, "day": day}, out


def obey(care: Care, profile: Wearer, wish: Command) -> tuple[Care, list[Event]]:
    """Take a wish; the event that records it, none where it makes no sense."""
    nudging, running = care.get("nudges", {}), care.get("sessions", {})
    match wish.verb:
        case "exercise":
            running, events = sessions.session(running, wish)
        case "remind":
            running, events = sessions.remind(running, wish)
        case _:
            now_ns = int(nudging.get("t_ns") or wish.t_ns)
            nudging, events = nudges.obey(nudging, wish, profile, now_ns)
    return {**care, "nudges": nudging, "sessions": running}, events


def _carried(nudging: Care, running: Care, rules: Rules, t_ns: int) -> list[Result]:
    """What was chosen on an earlier day and still holds, told once a day."""
    chosen = [nudges.in_force(rules, t_ns, "carried")] if nudging.get("chosen") else []
    return [*chosen, *sessions.standing(running, t_ns)]
