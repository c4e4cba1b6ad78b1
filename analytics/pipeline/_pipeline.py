"""The order of things: samples → grid → orientation → gait and posture → seconds → minutes and days."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from analytics._window import GRID_HZ, Window
from analytics.gait import Bout, GaitResult, GaitState, MountingKnown, Now, gait_finish, gait_step, new_state
from analytics.pipeline import _care, _compensation, _day, _extra, _grid, _orientation, _posture
from analytics.pipeline._grid import ROW_NS, Hop
from analytics.pipeline._posture import Second
from analytics.pipeline._state import VERSION, State
from analytics.pipeline._walk import walk_of
from sagittal.blocks import Block, GapReason
from sagittal.messages import Command
from sagittal.names import PRIMARY_SITES, PostureLabel
from sagittal.results import Angles, Event, EventName, GapMark, Posture, Result
from sagittal.settings import Wearer
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

POSE_S = 5
_RESTART_NS = round(threshold("gap.restart_s") * NS_PER_S)


def initial_state(profile: Wearer) -> State:
    """The state before a wearer's first sample."""
    return State(profile=profile, gait=new_state(sensor_height_m=profile.sensor_height_m))


def step(state: State, block: Block) -> tuple[State, list[Result]]:
    """Take a block of samples; the state behind it, and what it led to.

    The first of the primary sites that sends leads; of other primary sites nothing is used.
    """
    if state.site is None and block.site in PRIMARY_SITES:
        state = replace(state, site=block.site)
    if block.site not in PRIMARY_SITES:
        site = _extra.feed(state.extra.get(block.site, _extra.Extra()), block)
        state = replace(state, extra={**state.extra, block.site: site})
    elif block.site == state.site:
        grid, hops = _grid.feed(state.grid, *_grid.samples_of(block))
        state = replace(
            state,
            grid=grid,
            end_ns=max(state.end_ns, block.t0_ns + block.duration_ns),
            held=(*state.held, *hops),
            gaps=(*state.gaps, *_gap(state, block)),
        )
    return _due(state, state.end_ns)


def finish(state: State) -> tuple[State, list[Result]]:
    """No more samples will come: close what is open."""
    grid, hops = _grid.finish(state.grid)
    extra = {site: _extra.finish(one) for site, one in state.extra.items()}
    state = replace(state, grid=grid, extra=extra, held=(*state.held, *hops))
    state, results = _due(state, None)
    compensation, events = _compensation.ended(state.compensation, VERSION)
    state, found = _counted(replace(state, compensation=compensation), [*events])
    results += found
    for one in state.sums.close(state.profile.zone, VERSION):
        state, found = _day.told(state, one)
        results += found
    return state, results


def _due(state: State, newest_ns: int | None) -> tuple[State, list[Result]]:
    """The seconds for which no other site has to be waited for; all of them where nothing newer will come."""
    results: list[Result] = []
    while state.held:
        hop = state.held[0]
        if newest_ns is not None and not _extra.ready(state.extra.values(), hop, newest_ns):
            return state, results
        state, gaps = _gaps_before(state, hop.start_ns)
        state, found = _second(replace(state, held=state.held[1:]), hop)
        care, found = _care.attend(state.care, state.profile, found)
        state, found = _counted(replace(state, care=care), found)
        before_ns = _compensation.oldest_ns(state.compensation, state.gait, hop.segment_ns)
        state = replace(state, extra=_extra.forget(state.extra, before_ns))
        results += [*gaps, *found]
    state, gaps = _gaps_before(state, None)
    return state, [*results, *gaps]


def _gaps_before(state: State, t_ns: int | None) -> tuple[State, list[Result]]:
    """Marks of what is missing before a second that is told now."""
    due = [one for one in state.gaps if t_ns is None or one.t_ns <= t_ns]
    if not due:
        return state, []
    return _counted(replace(state, gaps=state.gaps[len(due) :]), [*due])


def command(state: State, wish: Command) -> tuple[State, list[Result]]:
    """Carry out a wish: `calibrate` takes the next five still seconds as upright; what a wish leads to."""
    if wish.verb == "calibrate":
        return replace(state, calibrating_s=4 * POSE_S, pose=(0.0, 0.0, 0.0), pose_s=0), []
    care, said = _care.obey(state.care, state.profile, wish)
    return replace(state, care=care), list(said)


def _counted(state: State, results: list[Result]) -> tuple[State, list[Result]]:
    """Results with the minutes and days that they complete, and what follows from them for walks and days."""
    out: list[Result] = []
    for result in results:
        if not isinstance(result, Angles):
            sums, done = state.sums.add(result, state.profile.zone, VERSION)
            state = replace(state, sums=sums)
            for one in done:
                state, told = _day.told(state, one)
                out += told
            state, told = _day.hear(state, result)
            out += told
        out.append(result)
    return state, out


def _gap(state: State, block: Block) -> tuple[GapMark, ...]:
    """What is missing before a block, if it is more than may be bridged."""
    missing_ns = block.t0_ns - state.end_ns if state.end_ns >= 0 else 0
    told = block.gap_before
    if missing_ns <= _RESTART_NS or (told is not None and told.reason is GapReason.START and state.end_ns < 0):
        return ()
    reason = GapReason.LOST if told is None or told.reason is GapReason.START else told.reason
    samples = None if told is None else told.samples
    return (GapMark(t_ns=state.end_ns, end_ns=block.t0_ns, site=block.site, reason=reason, samples=samples),)


def _second(state: State, hop: Hop) -> tuple[State, list[Result]]:
    results: list[Result] = []
    window: Window | None = None
    if len(hop.rows):
        orientation, window, _ = _orientation.follow(state.orientation, hop)
        state = replace(state, orientation=orientation)
    if window is not None and len(window) == GRID_HZ:
        before = state.gait
        gait, said = gait_step(before, window)
        state, results = _whole_second(replace(state, gait=gait), hop, window, said, before)
        window = None
    if hop.last:
        before = state.gait
        gait, said = gait_finish(before, window)
        state = replace(state, gait=gait, orientation=_orientation.restart(state.orientation))
        state, found = _from_gait(state, _heard(state, before, hop, window), said)
        results += found
    return state, results


def _heard(state: State, gait: GaitState, hop: Hop, window: Window | None) -> _compensation.Second:
    """What the gait analysis spoke about: its samples before, those that came, and the other sites'."""
    return _compensation.Second(gait, hop, window, partial(_extra.windows, state.extra), state.gait.mounting)


def _whole_second(
    state: State, hop: Hop, window: Window, said: list[GaitResult], before: GaitState
) -> tuple[State, list[Result]]:
    state, results = _from_gait(state, _heard(state, before, hop, window), said)
    now = next((one for one in said if isinstance(one, Now)), None)
    state, found = _calibrate(state, hop, window)
    results += found
    walking = now is not None and now.walking
    posture, second = _posture.look(state.posture, window, hop.start_ns, walking=walking)
    state = replace(state, posture=posture)
    row = _row(hop, second, now.cadence_spm if now is not None else None)
    results += [row, _angles(hop, second)]
    state, found = _bend(state, row)
    return state, [*results, *found]


def _row(hop: Hop, second: Second, cadence_spm: float | None) -> Posture:
    flexion, lateral = second.flexion_deg, second.lateral_deg
    return Posture(
        t_ns=hop.start_ns,
        posture=second.label,
        detail=second.detail,
        since_ns=second.since_ns,
        confidence=second.confidence,
        flexion_deg=None if flexion is None else round(float(np.mean(flexion)), 2),
        flexion_min_deg=None if flexion is None else min(flexion),
        flexion_max_deg=None if flexion is None else max(flexion),
        lateral_deg=None if lateral is None else round(float(np.mean(lateral)), 2),
        lateral_min_deg=None if lateral is None else min(lateral),
        lateral_max_deg=None if lateral is None else max(lateral),
        angle_reason=second.reason,
        cadence_spm=cadence_spm if second.label is PostureLabel.WALKING else None,
        version=VERSION,
    )


def _angles(hop: Hop, second: Second) -> Angles:
    absent: list[float | None] = [None] * (GRID_HZ // _posture.ANGLE_HOP)
    return Angles(
        t_ns=hop.start_ns,
        dt_ns=_posture.ANGLE_HOP * ROW_NS,
        flexion_deg=absent if second.flexion_deg is None else list(second.flexion_deg),
        lateral_deg=absent if second.lateral_deg is None else list(second.lateral_deg),
    )


def _bend(state: State, row: Posture) -> tuple[State, list[Result]]:
    """A bend begins and ends where the seconds pass 20° (EN 1005-4)."""
    deep = row.flexion_deg is not None and row.flexion_deg > threshold("posture.bend_min_deg")
    deep = deep and row.posture in (PostureLabel.BENDING, PostureLabel.TRANSITION, PostureLabel.STANDING)
    if deep and row.flexion_max_deg is not None:
        began_ns = row.t_ns if state.bend_ns < 0 else state.bend_ns
        return replace(state, bend_ns=began_ns, bend_deg=max(state.bend_deg, row.flexion_max_deg)), []
    if state.bend_ns < 0:
        return state, []
    event = Event(
        t_ns=state.bend_ns,
        event="bend",
        duration_s=(row.t_ns - state.bend_ns) / NS_PER_S,
        values={"flexion_max_deg": state.bend_deg},
        confidence=0.7,
        version=VERSION,
    )
    return replace(state, bend_ns=-1, bend_deg=0.0), [event]


def _calibrate(state: State, hop: Hop, window: Window) -> tuple[State, list[Result]]:
    """Still seconds in a row as the upright reference, while one was asked for."""
    if state.calibrating_s <= 0:
        return state, []
    still = float(np.sqrt((window.gyr**2).sum(axis=1)).max()) < _posture.STILL_RADPS
    up = window.up.mean(axis=0)
    pose = np.array(state.pose) + up if still else np.zeros(3)
    state = replace(
        state,
        calibrating_s=state.calibrating_s - 1,
        pose=(float(pose[0]), float(pose[1]), float(pose[2])),
        pose_s=state.pose_s + 1 if still else 0,
    )
    if state.pose_s >= POSE_S:
        text = "Upright is known from the pose."
        if state.posture.forward is None:
            text += " Forward will be known after some walking."
        posture = _posture.with_upright(state.posture, pose)
        event = replace(_event(hop, "calibrated", text), tags=[_compensation.POSED])
        return replace(state, calibrating_s=0, posture=posture), [event]
    if state.calibrating_s == 0:
        return state, [_event(hop, "calibration_failed", "The pose was not still for five seconds: try again.")]
    return state, []


def _from_gait(state: State, second: _compensation.Second, said: list[GaitResult]) -> tuple[State, list[Result]]:
    compensation, judged, events = _compensation.listen(state.compensation, second, said, VERSION)
    state, hop = replace(state, compensation=compensation), second.hop
    results: list[Result] = [*events]
    for one in said:
        if isinstance(one, Bout):
            results.append(walk_of(hop.segment_ns, one, judged[one.start_row]))
        elif isinstance(one, MountingKnown):
            first = state.posture.forward is None
            state = replace(state, posture=_posture.with_mounting(state.posture, one.up, one.forward))
            if one.slipped:
                results.append(_event(hop, "sensor_moved", "The sensor has moved; the walking since then counts."))
            elif first:
                event = _event(hop, "calibrated", "Upright and forward are known from walking.")
                results.append(replace(event, confidence=round(one.quality, 2)))
    return state, results


def _event(hop: Hop, name: EventName, text: str) -> Event:
    return Event(t_ns=hop.start_ns, event=name, text=text, version=VERSION)
