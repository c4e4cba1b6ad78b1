"""The streaming operator: second by second a cheap look, and the accurate analysis of whole stretches.

Stretches are analysed when walking has stopped or `STRETCH_S` have gathered, always with `CONTEXT_S` before them, so
that results depend on the samples alone, never on how they arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics import _mounting as mounting_of
from analytics._evolve import evolve
from analytics._mounting import Mounting, angle_deg, no_mounting, unit
from analytics._window import GRID_HZ, FloatArray, Window
from analytics.gait._contacts import find_steps
from analytics.gait._prepare import Prepared
from analytics.gait._results import Bout, GaitResult, MountingKnown
from analytics.gait._runs import BEGINNING, BREAK_S, Run, Walk, feed, no_run, walk_of, walking_of
from analytics.gait._signals import Level, Signals, level, local_mounting, signals
from analytics.gait._state import GaitState
from analytics.gait._summary import ADULT_HEIGHT_M, SENSOR_TO_HEIGHT, summarise
from analytics.gait._table import ODDS, ROW, contact_table, with_strides
from analytics.gait._turns import find_turns

STRETCH_S = 30
LONG_S = 60
"""The same in a walk that was told already: its speed is known, and the live look goes on telling its cadence."""
BUSY_S = 10
"""The same where there is movement that the quick look does not take for walking: short, slow bouts hide in it."""
CONTEXT_S = 8
DELAY_S = 1.5
"""Contacts are final this long before the end of what is known."""
UNSEEN_S = 0.3
"""A step shows only when this much of what follows it is known."""
STOOD = (2, 3, 4)
"""Hops of standing still after which it is worth a look whether a bout has ended."""
STOPPED_S = 1.8
"""Without a step for longer than any in that walk, walking has stopped."""
STOPPED, LOOK_AGAIN = 2, (3, 5)
"""Hops after walking was last seen at which the stretch is analysed, and at which again while a run is open. After one
hop the pause that ends a bout can't have passed yet."""
UNDECIDED_S = 3
"""While nothing moves only so much stays undecided: a step may have begun in it."""
MANY = 1000
"""Hops beyond this are not counted."""
SHORTEST_S = 2.0
REFINE_DEG = 6.0
LONGEST = (LONG_S + CONTEXT_S) * GRID_HZ
_NO_TURNS = np.zeros((0, 3))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One analysis: its signals and contacts, in rows from its start, and the walking that tells of the mounting."""

    signal: Signals
    table: FloatArray
    mounting: Mounting


def gait_step(state: GaitState, second: Prepared) -> tuple[GaitState, list[GaitResult]]:
    """Take the next second.

    Parameters
    ----------
    state
        From `new_state`, `gait_step` or `gait_finish`.
    second
        From `gait_prepare`; it follows those before, the first of a segment may start at any row.

    Returns
    -------
    The new state and what there is to say: bouts, with their contacts, and the mounting when decided.

    Raises
    ------
    ValueError
        When the second does not follow.
    """
    if state.seconds and second.index != state.end:
        raise ValueError(f"this second starts at row {second.index}, row {state.end} was due: finish the segment first")
    end = second.index + GRID_HZ
    state = _taken(state, second, end)
    if not _due(state.run, state.walked, state.active, state.quiet, end - state.decided):
        return state, []
    state, found = _analyse(state, end - int(DELAY_S * GRID_HZ))
    start, seconds = _needed(state.start, state.decided, state.seconds, end)
    return evolve(state, start=start, seconds=seconds), found


def gait_go_on(state: GaitState, seconds: Sequence[Prepared]) -> tuple[GaitState, list[int]]:
    """Take seconds up to the first at which a stretch is analysed: those with which `gait_step` says nothing.

    Returns the state behind them and, for each that was taken, up to which row all is decided then.
    """
    if state.seconds and seconds[0].index != state.end:
        return state, []
    start, decided = (state.start, state.decided) if state.seconds else (seconds[0].index, seconds[0].index)
    walked, active, quiet = state.walked, state.active, state.quiet
    known: list[int] = []
    calm_end = 0
    for one in seconds:
        end = one.index + GRID_HZ
        after = _paused(walked, one.goes_on), active or one.active, _paused(quiet, one.active)
        if not (after[1] or len(state.run.table)):
            decided, calm_end = max(decided, end - UNDECIDED_S * GRID_HZ), end
        elif _due(state.run, *after, end - decided):
            break
        walked, active, quiet = after
        known.append(decided)
    kept = (*state.seconds, *(one.samples for one in seconds[: len(known)]))
    if calm_end:
        start, kept = _needed(start, decided, kept, calm_end)
    return (
        evolve(state, start=start, seconds=kept, decided=decided, walked=walked, active=active, quiet=quiet),
        known,
    )


def _paused(hops: int, goes_on: bool) -> int:
    """Hops since something was last seen, one more unless it goes on."""
    return 0 if goes_on else min(hops + 1, MANY)


def gait_finish(state: GaitState, rest: Window | None = None) -> tuple[GaitState, list[GaitResult]]:
    """End the segment: `rest` holds its last rows, fewer than a hop. The mounting lives on in the new state."""
    if rest is not None and len(rest):
        if not state.seconds:
            state = evolve(state, start=rest.index, decided=rest.index)
        last = np.concatenate((rest.acc, rest.gyr, rest.up), axis=1)
        state = evolve(state, seconds=(*state.seconds, last))
    results: list[GaitResult] = []
    if state.seconds:
        state, results = _analyse(state, state.end, last=True)
    return GaitState(mounting=state.mounting, sensor_height_m=state.sensor_height_m), results


def _taken(state: GaitState, second: Prepared, end: int) -> GaitState:
    """The state with one second more; while nothing moves and no run is open, nothing is left to decide."""
    start, decided = (state.start, state.decided) if state.seconds else (second.index, second.index)
    seconds = (*state.seconds, second.samples)
    active = second.active or state.active
    if not (active or len(state.run.table)):
        decided = max(decided, end - UNDECIDED_S * GRID_HZ)
        start, seconds = _needed(start, decided, seconds, end)
    return evolve(
        state,
        start=start,
        seconds=seconds,
        decided=decided,
        walked=_paused(state.walked, second.goes_on),
        active=active,
        quiet=_paused(state.quiet, second.active),
    )


def _due(run: Run, walked: int, active: bool, quiet: int, undecided: int) -> bool:
    """Whether a stretch is to be analysed now; so many rows are undecided."""
    running = bool(len(run.table))
    if not (active or running):
        return False
    if walked == STOPPED or (running and walked in LOOK_AGAIN) or quiet in STOOD:
        return True
    longest = BUSY_S
    if walked == 0:
        longest = LONG_S if run.told else STRETCH_S
    return undecided >= longest * GRID_HZ


def _needed(start: int, decided: int, seconds: tuple[FloatArray, ...], end: int) -> tuple[int, tuple[FloatArray, ...]]:
    """Where the buffer begins, and the buffer, without the seconds that no analysis needs any more."""
    over = (max(decided - CONTEXT_S * GRID_HZ, end - LONGEST) - start) // GRID_HZ
    return (start + over * GRID_HZ, seconds[over:]) if over > 0 else (start, seconds)


def _analyse(state: GaitState, until: int, *, last: bool = False) -> tuple[GaitState, list[GaitResult]]:
    """Decide the contacts up to row `until` and tell what became known."""
    if until <= state.decided or state.end - state.start < SHORTEST_S * GRID_HZ:
        if not last:
            return state, []
        walk = walk_of(state.run)
        return evolve(state, run=no_run()), [_bout(state, walk, state.turns, final=True)] if walk else []
    stretch = _look_closely(state)
    run, walks = feed(state.run, _decided(stretch, state, until))
    turns = _turns(stretch, state, until) if walks or len(run.table) else _NO_TURNS
    walk = walk_of(run)
    if last or _idle(run, walk, stretch.table, state.start, state.end):
        walks += [walk] if walk else []
        run, walk = no_run(), None
    results: list[GaitResult] = [_bout(state, one, turns, final=True) for one in walks]
    if walk is not None and run.length >= BEGINNING:
        run = replace(run, told=True)
        results.append(_bout(state, walk, turns, final=False))
    mounting = mounting_of.merge(state.mounting, stretch.mounting)
    if mounting is not state.mounting:
        results += _mounting_results(state.mounting, mounting, until)
    turns = _one_each(turns, float(run.table[0, ROW])) if len(run.table) else _NO_TURNS
    return evolve(state, run=run, turns=turns, decided=until, active=False, mounting=mounting), results


def _idle(run: Run, walk: Walk | None, table: FloatArray, start: int, end: int) -> bool:
    """Whether the open run has ended: no likely step for so long, those counted that are not decided yet.

    Once steps have stopped, the pause counts from the bout's own end, before its closing steps.
    """
    if not len(run.table):
        return True
    likely = table[table[:, ODDS] > 0.0, ROW]
    newest = max(run.last_row, start + float(likely[-1]) if len(likely) else 0.0)
    if walk is not None and end - newest > STOPPED_S * GRID_HZ:
        return bool(end - walk.table[-1, ROW] > BREAK_S * GRID_HZ)
    return end - UNSEEN_S * GRID_HZ - newest > BREAK_S * GRID_HZ


def _look_closely(state: GaitState) -> _Stretch:
    """Contacts of everything buffered, along the best direction known."""
    found = level(state.seconds)
    axes = _axes(_together(state.mounting, local_mounting(found)))
    signal, table = _in_axes(found, axes)
    spans = walking_of(table) / GRID_HZ
    own = local_mounting(found, spans) if len(spans) else no_mounting()
    if own.known:
        better = _axes(_together(state.mounting, own))
        if angle_deg(better[1], axes[1]) > REFINE_DEG:
            signal, table = _in_axes(found, better)
            spans = walking_of(table) / GRID_HZ
    if not len(spans):
        return _Stretch(signal, table, no_mounting())
    fresh = spans.clip(min=(state.decided - state.start) / GRID_HZ - 1.0)
    return _Stretch(signal, table, local_mounting(found, fresh))


def _in_axes(found: Level, axes: tuple[FloatArray, FloatArray]) -> tuple[Signals, FloatArray]:
    signal = signals(found, *axes)
    return signal, contact_table(signal, find_steps(signal))


def _decided(stretch: _Stretch, state: GaitState, until: int) -> FloatArray:
    """The contacts of a stretch that are decided now, in rows of the segment; none where no run can come of them."""
    bounds = np.array((state.decided, until)) - state.start
    first, last = stretch.table[:, ROW].searchsorted(bounds).tolist()
    if not len(state.run.table) and not (stretch.table[first:last, ODDS] > 0.0).any():
        return state.run.table
    new = with_strides(stretch.signal, stretch.table, first, last)
    new[:, ROW] += state.start
    return new


def _turns(stretch: _Stretch, state: GaitState, until: int) -> FloatArray:
    """The turns since the open run began, with those of a stretch that have ended since the last decision."""
    found = find_turns(stretch.signal.yaw, (state.decided - state.start) / GRID_HZ)
    if not len(found):
        return state.turns
    found[:, :2] *= GRID_HZ
    found[:, :2] += state.start
    ended = found[:, 1]
    return np.concatenate((state.turns, found[(ended > state.decided) & (ended <= until)]))


def _together(known: Mounting, local: Mounting) -> Mounting:
    """What earlier walking and this stretch say together; a slipped sensor is believed at once."""
    both = mounting_of.merge(known, local)
    return both if both.known else mounting_of.merge(known, _upright(local))


def _upright(local: Mounting) -> Mounting:
    return replace(local, windows=1.0, up_sum=np.array([1.0, 0.0, 0.0]))


def _axes(guess: Mounting) -> tuple[FloatArray, FloatArray]:
    """Up and forward."""
    up = unit(guess.up_sum)
    return up, mounting_of.forward_axis(up, guess.shape, guess.phase)


def _one_each(turns: FloatArray, since: float) -> FloatArray:
    """Turns that end after a row, each once though two stretches saw it."""
    if not len(turns):
        return turns
    kept: list[list[float]] = []
    for turn in turns[turns[:, 0].argsort(kind="stable")].tolist():
        if turn[1] >= since and not (kept and turn[0] < kept[-1][1]):
            kept.append(turn)
    return np.array(kept).reshape(-1, 3)


def _bout(state: GaitState, walk: Walk, turns: FloatArray, *, final: bool) -> Bout:
    turns = _one_each(turns, float(walk.table[0, ROW]))
    inside = turns[turns[:, 0] < walk.table[-1, ROW]]
    height = state.sensor_height_m or SENSOR_TO_HEIGHT * ADULT_HEIGHT_M
    return summarise(walk, inside, height, final)


def _mounting_results(before: Mounting, mounting: Mounting, row: int) -> list[GaitResult]:
    """What there is to say where a look has told of the mounting."""
    up, forward = _axes(mounting)
    return [
        MountingKnown(
            row,
            (float(up[0]), float(up[1]), float(up[2])),
            (float(forward[0]), float(forward[1]), float(forward[2])),
            mounting.quality,
            mounting.slips > before.slips,
        )
    ]
