"""Days as they are told: with the day's compensation and its changes against the wearer's own usual."""

from __future__ import annotations

from dataclasses import replace

from analytics._evolve import evolve
from analytics.compensation import Assessment
from analytics.pipeline import _compensation, _usual
from analytics.pipeline._state import VERSION, State
from analytics.pipeline._usual import DEPARTURE
from sagittal.results import Change, Day, Posture, Result, Walk


def hear(state: State, result: Result) -> tuple[State, list[Result]]:
    """Take a result into the sums of walk and day."""
    compensation, told = _compensation.hear(state.compensation, result, VERSION)
    usual = _usual.hear(state.usual, result) if isinstance(result, Walk) else state.usual
    if compensation is state.compensation and usual is state.usual:
        return state, []
    return evolve(state, compensation=compensation, usual=usual), [*told]


def settle(state: State, row: Posture) -> State:
    """Take a second that changes no more."""
    compensation = _compensation.settle(state.compensation, row)
    usual = _usual.settle(state.usual, row, posed=compensation.posed)
    if compensation is state.compensation and usual is state.usual:
        return state
    return evolve(state, compensation=compensation, usual=usual)


def told(state: State, result: Result) -> tuple[State, list[Result]]:
    """A minute as it is; a day with what is known of its walking, and a finished one remembered."""
    if not isinstance(result, Day):
        return state, [result]
    judged = _compensation.assessed(state.compensation, state.compensation.day)
    if not result.final:
        return state, [_with(result, judged, _usual.compared(state.usual, result, judged.departure))]
    usual, changes, events = _usual.closed(state.usual, result, judged.departure, VERSION)
    state = evolve(state, usual=usual, compensation=_compensation.new_day(state.compensation))
    return state, [_with(result, judged, changes), *events]


def assessed(state: State) -> Assessment:
    """The assessment of all walking since the first sample; long walks, bends and inclination are the last day's."""
    return _compensation.assessed(state.compensation, state.compensation.whole)


def _with(day: Day, judged: Assessment, changes: tuple[Change, ...]) -> Day:
    own: dict[str, float | None] = dict(judged.metrics)
    if judged.departure is not None:
        own |= {DEPARTURE: judged.departure, f"{DEPARTURE}_error": judged.departure_error}
    return replace(
        day,
        metrics={**own, **day.metrics},
        not_assessable={**judged.not_assessable, **day.not_assessable},
        compensations=list(judged.patterns),
        compensation_score=judged.score,
        compensation_reason=judged.reason if judged.score is None else None,
        changes=list(changes),
    )
