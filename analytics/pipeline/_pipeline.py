"""The order of things: samples → grid → orientation → gait and posture → seconds → minutes and days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from analytics._evolve import evolve
from analytics._threads import one_thread
from analytics._window import GRID_HZ, FloatArray
from analytics.gait import (
    Bout,
    GaitResult,
    GaitState,
    Prepared,
    gait_finish,
    gait_go_on,
    gait_prepare,
    gait_step,
    new_state,
)
from analytics.nudges import Rules
from analytics.pipeline import _care, _compensation, _day, _extra, _grid, _orientation
from analytics.pipeline._grid import ROW_NS, Hop
from analytics.pipeline._orientation import Lot, Oriented
from analytics.pipeline._state import VERSION, State
from analytics.pipeline._sums import MINUTE_NS
from analytics.pipeline._walk import walk_of
from analytics.posture import (
    Method,
    Seen,
    Stay,
    Walking,
    close,
    observe,
    posture_break,
    posture_calibrate,
    posture_go_on,
    posture_goes_on,
    posture_mounting,
    posture_prepare,
    posture_step,
    posture_walks,
)
from analytics.posture import Prepared as PosturePrepared
from sagittal.blocks import Block, GapReason
from sagittal.messages import Command
from sagittal.names import PRIMARY_SITES
from sagittal.results import Angles, Event, GapMark, Posture, Result, Walk
from sagittal.settings import Wearer
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S, STANDARD_GRAVITY_MPS2

_Ready = tuple[Prepared, PosturePrepared]


class _Lots(NamedTuple):
    """The seconds of a lot as gait and posture want them."""

    gait: Sequence[Prepared]
    posture: Sequence[PosturePrepared]


_RESTART_NS = round(threshold("gap.restart_s") * NS_PER_S)
_HAPPENED = (Event, GapMark, Walk)
_MARK_NS = 60 * NS_PER_S
_MOST_TOGETHER = 60
"""Seconds that are filtered and prepared at once at most, so that memory stays small however long a block is."""


def initial_state(profile: Wearer) -> State:
    """The state before a wearer's first sample."""
    return State(profile, Rules.of(profile), gait=new_state(sensor_height_m=profile.sensor_height_m))


def step(state: State, block: Block) -> tuple[State, list[Result]]:
    """Take a block of samples; the state behind it, and what it led to.

    The first of the primary sites that sends leads; of other primary sites nothing is used. A sensor without gyroscope
    is marked as a gap: neither gait nor stillness can be told from accelerations alone as they are told here.
    """
    return steps(state, (block,))


def steps(state: State, blocks: Iterable[Block]) -> tuple[State, list[Result]]:
    """Take blocks in order: the same as `step` with each of them, and cheaper where one sensor's come together."""
    results: list[Result] = []
    waiting: list[Block] = []
    for block in blocks:
        if state.site is None and block.site in PRIMARY_SITES:
            state = evolve(state, site=block.site)
        leads = block.gyr is not None and block.site == state.site
        if waiting and (not leads or state.extra or len(waiting) == _MOST_TOGETHER):
            state, found = _lead(state, waiting)
            results += found
            waiting = []
        if leads:
            waiting.append(block)
        else:
            state, found = _beside(state, block)
            results += found
    state, found = _lead(state, waiting)
    return state, [*results, *found]


def _lead(state: State, blocks: Sequence[Block]) -> tuple[State, list[Result]]:
    """Blocks of the leading sensor."""
    if not blocks:
        return state, []
    gaps, end_ns = list(state.gaps), state.end_ns
    for block in blocks:
        gaps += _gap(block, end_ns)
        end_ns = max(end_ns, block.t0_ns + block.duration_ns)
    grid, hops = _grid.feed(state.grid, *_grid.samples_of(blocks))
    state = evolve(state, grid=grid, end_ns=end_ns, held=(*state.held, *hops), gaps=tuple(gaps))
    return _due(state, end_ns)


def _beside(state: State, block: Block) -> tuple[State, list[Result]]:
    """A block of another site, or one without gyroscope."""
    if block.gyr is None:
        return _without_gyroscope(state, block) if block.site == state.site else (state, [])
    if block.site not in PRIMARY_SITES:
        site = _extra.feed(state.extra.get(block.site, _extra.Extra()), block)
        state = evolve(state, extra={**state.extra, block.site: site})
    return _due(state, state.end_ns)


def finish(state: State) -> tuple[State, list[Result]]:
    """No more samples will come: close what is open."""
    grid, hops = _grid.finish(state.grid)
    extra = {site: _extra.finish(one) for site, one in state.extra.items()}
    state = evolve(state, grid=grid, extra=extra, held=(*state.held, *hops))
    state, results = _due(state, None)
    compensation, events = _compensation.ended(state.compensation, VERSION)
    state, found = _counted(evolve(state, compensation=compensation), [*events])
    results += found
    state, found = _closed(state)
    results += found
    for one in state.sums.close(state.rules.zone, VERSION):
        state, found = _day.told(state, one)
        results += found
    return state, results


def _due(state: State, newest_ns: int | None) -> tuple[State, list[Result]]:
    """The seconds for which no other site has to be waited for; all of them where nothing newer will come."""
    results: list[Result] = []
    while state.held:
        hops = _together(state, newest_ns)
        if not hops:
            return state, results
        with one_thread():
            state, found = _told(state, hops)
        results += found
    state, gaps = _gaps_before(state, None)
    return state, [*results, *gaps]


def _told(state: State, hops: Sequence[Hop]) -> tuple[State, list[Result]]:
    """The next held hops, filtered and made ready at once, told second by second, of rest and of walks many at once."""
    results: list[Result] = []
    orientation, lot = _orientation.follow(state.orientation, hops)
    state = evolve(state, orientation=orientation, held=state.held[len(hops) :])
    seconds, ready, at = list(lot), _ready(state, lot), 0
    if ready is None:
        return _told_alone(state, seconds[0], None)
    while at < len(hops):
        last = at + _goes_on(state, lot, ready, at)
        found, count = list[Result](), 0
        if last > at:
            state, found, count = _go_on(state, hops[at], ready.gait[at:last], ready.posture[at:last])
        if not count:
            state, found = _told_alone(state, seconds[at], (ready.gait[at], ready.posture[at]))
        results += found
        at += count or 1
    return state, results


def _told_alone(state: State, second: Oriented, ready: _Ready | None) -> tuple[State, list[Result]]:
    """A second, with what was missing before it and what follows from it."""
    state, gaps = _gaps_before(state, second.hop.start_ns) if state.gaps else (state, [])
    state, again, fresh = _second(state, second, ready)
    state, fresh = _counted(state, fresh)
    if state.extra:
        before_ns = _compensation.oldest_ns(state.compensation, state.gait, second.hop.segment_ns)
        state = evolve(state, extra=_extra.forget(state.extra, before_ns))
    return state, [*gaps, *again, *fresh]


def _goes_on(state: State, lot: Lot, ready: _Lots, at: int) -> int:
    """How many seconds of a lot from one on are nothing but rest, or a walk, with one sensor alone to say so.

    None where there is but one left: nothing is spared then.
    """
    alone = at + 1 == len(lot.hops)
    if alone or state.gaps or state.extra or state.compensation.bridged:
        return 0
    walking = [look.walking for look in ready.gait[at:]]
    last = at + posture_goes_on(state.posture, ready.posture[at:], lot.hops[at].start_ns, walking)
    for n in range(at, last):
        hop = lot.hops[n]
        if hop.last or lot.rescaled_mps2[n] is not None or np.count_nonzero(hop.valid) < GRID_HZ:
            return n - at
    return last - at


def _go_on(
    state: State, hop: Hop, looks: Sequence[Prepared], seconds: Sequence[PosturePrepared]
) -> tuple[State, list[Result], int]:
    """Seconds that go on as those before, from that hop on, up to where gait looks closely; how many they are."""
    gait, decided = gait_go_on(state.gait, looks)
    count = len(decided)
    if not count:
        return state, [], 0
    posture, seen = posture_go_on(
        state.posture,
        seconds[:count],
        hop.start_ns,
        cadence_spm=[look.cadence_spm for look in looks[:count]],
        decided_ns=[hop.segment_ns + row * ROW_NS for row in decided],
        version=VERSION,
    )
    state = evolve(state, gait=gait, posture=posture)
    results: list[Result] = []
    waiting: list[Seen] = []
    for one in seen:
        if one.settled and one.settled[-1].t_ns >= state.sums.minute_ns + MINUTE_NS:
            for some in (waiting, [one]):
                state, found = _all_seen(state, some)
                results += found
            waiting = []
        else:
            waiting.append(one)
    state, found = _all_seen(state, waiting)
    return state, [*results, *found], count


def _all_seen(state: State, seen: Sequence[Seen]) -> tuple[State, list[Result]]:
    """Seconds as posture has seen them, taken at once where nothing else is to be said between them."""
    rows: list[Result] = [result for one in seen for result in (*one.rows, one.angles) if result is not None]
    settled = [row for one in seen for row in one.settled]
    if len(rows) == 2 * len(seen) > 2 and not (settled and state.waiting):
        care, said = _care.attend(state.care, state.rules, rows)
        until_ns = settled[-1].t_ns + NS_PER_S if settled else state.settled_ns
        made = evolve(state, care=care, settled=(*state.settled, *settled), settled_ns=until_ns)
        made, results = _counted(made, said)
        if len(results) == len(rows):
            return made, results
    results = []
    for one in seen:
        state, again, fresh = _with_seen(state, one, [])
        state, fresh = _counted(state, fresh)
        results += again
        results += fresh
    return state, results


def _ready(state: State, lot: Lot) -> _Lots | None:
    """Seconds made ready for gait and posture, None for the rest of a segment, which is no whole one."""
    if lot.samples.shape[1] < GRID_HZ:
        return None
    gait = gait_prepare(state.gait, lot.hops[0].index, lot.samples)
    return _Lots(gait, posture_prepare(state.posture, lot.rows, lot.quat))


def _together(state: State, newest_ns: int | None) -> list[Hop]:
    """The next held hops that can be told now: whole seconds of one segment, or the rest of one alone."""
    found: list[Hop] = []
    for hop in state.held:
        if newest_ns is not None and state.extra and not _extra.ready(state.extra.values(), hop, newest_ns):
            break
        odd = hop.last or len(hop.rows) < GRID_HZ
        if found and (odd or hop.segment_ns != found[0].segment_ns or len(found) == _MOST_TOGETHER):
            break
        found.append(hop)
        if odd:
            break
    return found


def _gaps_before(state: State, t_ns: int | None) -> tuple[State, list[Result]]:
    """Marks of what is missing before a second that is told now."""
    due = [one for one in state.gaps if t_ns is None or one.t_ns <= t_ns]
    if not due:
        return state, []
    return _counted(evolve(state, gaps=state.gaps[len(due) :]), [*due])


def command(state: State, wish: Command) -> tuple[State, list[Result]]:
    """Carry out a wish: `calibrate` takes the next five still seconds, or three bends; what a wish leads to."""
    if wish.verb == "calibrate":
        method: Method = "bends" if wish.values.get("method") == "bends" else "stand"
        return evolve(state, posture=posture_calibrate(state.posture, method)), []
    care, said = _care.obey(state.care, state.profile, wish)
    return evolve(state, care=care, rules=_care.rules_of(care, state.profile)), list(said)


def _counted(state: State, results: list[Result]) -> tuple[State, list[Result]]:
    """New results with what follows from them for walks and days, and the minutes and days that are complete.

    Minutes and days take seconds once they change no more, and what happened in them along with them.
    """
    out: list[Result] = []
    for result in results:
        if not isinstance(result, Angles):
            state, told = _day.hear(state, result)
            out += told
        out.append(result)
    state, found = _settled(state, [one for one in out if isinstance(one, _HAPPENED)])
    out += found
    return state, out


def _settled(state: State, fresh: list[Event | GapMark | Walk]) -> tuple[State, list[Result]]:
    """Seconds that change no more into statistics and sums, in order of time, with what happened in them."""
    waiting = [*state.waiting, *fresh]
    if not (waiting or state.settled):
        return state, []
    out: list[Result] = []
    due: list[Posture | Event | GapMark | Walk | Stay] = [*state.settled]
    statistics = state.statistics
    for row in state.settled:
        state = _day.settle(state, row)
        statistics, events, ended = observe(statistics, row)
        out += events
        waiting += events
        due += ended
    if waiting:
        due += [one for one in waiting if _time(one) < state.settled_ns]
        waiting = [one for one in waiting if _time(one) >= state.settled_ns]
    if not due:
        return (evolve(state, waiting=tuple(waiting)) if fresh else state), []
    if len(due) > 1:
        due.sort(key=_time)
    sums, done = state.sums.add(due, state.rules.zone, VERSION)
    state = evolve(state, waiting=tuple(waiting), settled=(), statistics=statistics, sums=sums)
    for summed in done:
        state, told = _day.told(state, summed)
        out += told
    return state, out


def _closed(state: State) -> tuple[State, list[Result]]:
    """Open holds and stays end with the last second."""
    statistics, events, stays = close(state.statistics, VERSION)
    sums, _ = state.sums.add([*events, *stays], state.rules.zone, VERSION)
    return evolve(state, statistics=statistics, sums=sums), [*events]


def _time(result: Posture | Event | GapMark | Walk | Stay) -> int:
    return result.start_ns if isinstance(result, Walk) else result.t_ns


def _without_gyroscope(state: State, block: Block) -> tuple[State, list[Result]]:
    """Minute after minute a gap, counted from the first sample or from what was used last."""
    told_ns = state.end_ns if state.end_ns >= 0 else block.t0_ns
    results: list[Result] = []
    while block.t0_ns + block.duration_ns >= told_ns + _MARK_NS:
        mark = GapMark(t_ns=told_ns, end_ns=told_ns + _MARK_NS, site=block.site, reason=GapReason.NO_GYROSCOPE)
        told_ns = mark.end_ns
        state, found = _counted(state, [mark])
        results += found
    return evolve(state, end_ns=told_ns), results


def _gap(block: Block, end_ns: int) -> tuple[GapMark, ...]:
    """What is missing before a block, if it is more than may be bridged; `end_ns` is the last sample's, -1 for none."""
    missing_ns = block.t0_ns - end_ns if end_ns >= 0 else 0
    told = block.gap_before
    if missing_ns <= _RESTART_NS or (told is not None and told.reason is GapReason.START and end_ns < 0):
        return ()
    reason = GapReason.LOST if told is None or told.reason is GapReason.START else told.reason
    samples = None if told is None else told.samples
    return (GapMark(t_ns=end_ns, end_ns=block.t0_ns, site=block.site, reason=reason, samples=samples),)


def _second(state: State, second: Oriented, ready: _Ready | None) -> tuple[State, list[Result], list[Result]]:
    """A second of the grid, or the rest of a segment: seconds that are said again, and what is new."""
    again: list[Result] = []
    fresh: list[Result] = []
    if second.rescaled_mps2 is not None:
        state, fresh = _attended(state, [_rescaled(second.hop, second.rescaled_mps2)])
    if ready is not None:
        state, again, found = _whole_second(state, second, ready)
        fresh += found
    if second.hop.last:
        state, said, found = _last(state, second, rest=ready is None)
        state, found = _attended(state, found)
        again, fresh = [*again, *said], [*fresh, *found]
    return state, again, fresh


def _attended(state: State, results: list[Result]) -> tuple[State, list[Result]]:
    """With what is to be said about results put in between."""
    care, results = _care.attend(state.care, state.rules, results)
    return evolve(state, care=care), results


def _rescaled(hop: Hop, rest_mps2: float) -> Event:
    text = f"At rest the sensor reads {rest_mps2 / STANDARD_GRAVITY_MPS2:.2f} g; it is rescaled to 1 g."
    values: dict[str, float | None] = {"rest_mps2": round(rest_mps2, 3)}
    return Event(t_ns=hop.start_ns, event="sensor_rescaled", values=values, text=text, version=VERSION)


def _last(state: State, second: Oriented, *, rest: bool) -> tuple[State, list[Result], list[Result]]:
    """A segment ends: gait closes its bout, posture lets what it said stand; `rest`: its last rows fill no second."""
    hop = second.hop
    gait, said = gait_finish(state.gait, second.window if rest else None)
    state, results = _from_gait(state, gait, hop, second.samples if rest else None, said)
    state = evolve(state, gait=gait, orientation=_orientation.restart(state.orientation))
    posture, seen = posture_break(state.posture)
    state = evolve(state, posture=posture, settled=(*state.settled, *seen.settled))
    return evolve(state, settled_ns=hop.start_ns + 2 * NS_PER_S), [*seen.rows], results


def _whole_second(state: State, second: Oriented, ready: _Ready) -> tuple[State, list[Result], list[Result]]:
    hop = second.hop
    look, prepared = ready
    gait, said = gait_step(state.gait, look)
    state, results = _from_gait(state, gait, hop, second.samples, said)
    posture, seen = posture_step(
        state.posture,
        prepared,
        hop.start_ns,
        walking=look.walking,
        cadence_spm=look.cadence_spm,
        decided_ns=hop.segment_ns + gait.decided * ROW_NS,
        version=VERSION,
        others=_extra.windows(state.extra, hop.start_ns, GRID_HZ) if state.extra else {},
        lead=second.samples,
    )
    return _with_seen(state, seen, results, gait=gait, posture=posture)


def _with_seen(
    state: State, seen: Seen, results: list[Result], **changes: Any
) -> tuple[State, list[Result], list[Result]]:
    """What posture has seen in a second, behind other results of it: what is said again, and what is new."""
    again: list[Result] = [*seen.rows]
    results.append(again.pop())
    if seen.angles is not None:
        results.append(seen.angles)
    results += seen.events
    changes["care"], results = _care.attend(state.care, state.rules, results)
    if seen.settled:
        changes["settled"] = (*state.settled, *seen.settled)
        changes["settled_ns"] = seen.settled[-1].t_ns + NS_PER_S
    return evolve(state, **changes), again, results


def _from_gait(
    state: State, gait: GaitState, hop: Hop, fresh: FloatArray | None, said: Sequence[GaitResult]
) -> tuple[State, list[Result]]:
    """What follows from what the gait analysis said of (n, 9) fresh samples: walks, and what they tell of the back.

    `gait` is its state behind them, the one before is still in `state`.
    """
    compensation = _compensation.remember_bridged(state.compensation, hop)
    if compensation is not state.compensation:
        state = evolve(state, compensation=compensation)
    if not said:
        return state, []
    second = _compensation.Second(state.gait, hop, fresh, partial(_extra.windows, state.extra), gait.mounting)
    compensation, judged, events = _compensation.listen(compensation, second, said, VERSION)
    state = evolve(state, compensation=compensation)
    results: list[Result] = [*events]
    walks: list[Walking] = []
    for one in said:
        if isinstance(one, Bout):
            walk = walk_of(hop.segment_ns, one, judged[one.start_row], state.open_walk)
            state = evolve(state, open_walk=None if one.final else walk)
            results.append(walk)
            walks.append(Walking(walk.start_ns, walk.end_ns, round(walk.confidence, 3)))
        else:
            posture, moved = posture_mounting(
                state.posture, one.forward, hop.start_ns, slipped=one.slipped, version=VERSION
            )
            state = evolve(state, posture=posture)
            results += moved
    if walks:
        decided_ns = hop.segment_ns + gait.decided * ROW_NS
        state = evolve(state, posture=posture_walks(state.posture, walks, decided_ns))
    return state, results
