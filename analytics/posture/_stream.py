"""Second by second: ticks, still moments, moves between them, and the course of postures they lead to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics._evolve import evolve
from analytics._window import FloatArray
from analytics.posture import _course
from analytics.posture._bias import Bias, at_rest, back_again, between_rests, up_at_rest
from analytics.posture._moves import BESIDE, Move, describe
from analytics.posture._path import Path, Stretch, Sums, path_of, sums_of, turned
from analytics.posture._prepared import Prepared
from analytics.posture._records import Base, Course, Here, Trust
from analytics.posture._stills import RESTLESS, SPAN
from analytics.posture._ticks import ACC, COLUMNS, LAG, RATE, TICK_HZ, TICK_S, Array, Tail
from analytics.posture._vectors import UP, ZERO, Vector, plus, scaled, to_earth, to_sensor, unit
from sagittal.units import STANDARD_GRAVITY_MPS2

_SHORT_STILL = round(0.8 * TICK_HZ)
_FALSE_STILL_MPS = 0.12
_FOLLOW = 1.0 - math.exp(-1.0 / 3.0)
"""Share of a second in which the orientation filter follows a lasting offset (VQF: 3 s)."""
_UNSURE_M = 0.1
"""Spread of a height, for want of knowing the sensor's offset, at which a height tells nothing."""
_PACES = 3
"""Seconds in a row that must look like walking before the course of postures believes it."""
_ENOUGH_WALKING_S = 8.0
_WALKING_MEMORY_S = 600.0


@dataclass(frozen=True)
class Still:
    """A still moment: its first tick, the last one so far, and the acceleration at its start and its end, m/s²."""

    first: int
    last: int
    start_acc: Vector
    end_acc: Vector


@dataclass(frozen=True)
class Fall:
    """The move that began the excursion, kept so that it can be looked at again when the offset is better known.

    `rates` are those of the move and of the time after it, rad/s.
    """

    before: Still
    after: Still
    ticks: Array
    rates: Array


@dataclass(frozen=True)
class Walked:
    """Upright as walking shows it: sums of up over seconds, of this walk and of all."""

    total: Vector = ZERO
    seconds: float = 0.0
    here: Vector = ZERO
    here_s: float = 0.0


@dataclass(frozen=True)
class StreamState:
    """Everything between two seconds.

    `buffer` holds the last 8 s of ticks, from tick `first` on; `still` the open still moment or the last one, `prior`
    the one before; `undo` is the course before the last one began, `fall` the move that began the excursion; `paces`
    counts seconds of walking in a row. `earth_up` is earth's up in the frame in which the orientation filter works,
    which a sensor's offset tilts.
    """

    tail: Tail | None = None
    buffer: Array = field(default_factory=lambda: np.zeros((0, COLUMNS)))
    first: int = -LAG
    still: Still | None = None
    prior: Still | None = None
    is_still: bool = False
    loose: bool = False
    since_still: int = 0
    paces: int = 0
    undo: Course | None = None
    fall: Fall | None = None
    earth_up: Vector = UP
    bias: Bias = field(default_factory=Bias)
    walked: Walked = field(default_factory=Walked)
    course: Course = field(default_factory=Course)

    @property
    def end(self) -> int:
        """The tick after the last buffered one."""
        return self.first + len(self.buffer)

    def part(self, first: int, last: int) -> FloatArray:
        """Buffered ticks from `first` to `last`, both included."""
        return self.buffer[max(0, first - self.first) : last + 1 - self.first]


def look(state: StreamState, second: Prepared, *, walking: bool) -> tuple[StreamState, bool]:
    """Take a second; the state, and whether up was read off at rest at its end."""
    still = second.loosely if state.loose else second.still
    start, resting = state.end, still[-1]
    earth_up = _earth_up(state, second, still=resting)
    taken = {
        **_buffered(second, start + TICK_HZ),
        "paces": state.paces + 1 if walking else 0,
        "earth_up": earth_up,
    }
    if (not state.is_still) in still:
        state = _changing(evolve(state, **taken), second, still)
    elif state.course.away is not None:
        state = _pass(evolve(state, **taken), second, 0, TICK_HZ, second.end_acc)
    else:
        state = evolve(state, **taken, **_gone_on(state, start + TICK_HZ - 1, TICK_HZ, second.end_acc))
    return _over(state, second), resting


def goes_on(state: StreamState, seconds: Sequence[Prepared], walking: Sequence[bool]) -> int:
    """How many of the seconds that follow go on with a still moment, or with a walk, and nothing else happens."""
    course, fall = state.course, state.fall
    if course.away is not None or (fall is not None and not _seen_enough(fall)):
        return 0
    if state.is_still:
        if state.still is None or course.base is Base.LYING:
            return 0
        still = ((one.loosely if state.loose else one.still) for one in seconds)
        return _before((walks or False in ticks for walks, ticks in zip(walking, still, strict=True)), len(seconds))
    if state.paces < _PACES or course.base is not Base.STANDING or course.reference is None:
        return 0
    stands = (
        not walks or True in one.still or True in one.loosely for walks, one in zip(walking, seconds, strict=True)
    )
    return _before(stands, len(seconds))


def _before(ends: Iterable[bool], most: int) -> int:
    """How many come before the first that is true."""
    return next((n for n, one in enumerate(ends) if one), most)


def rest(state: StreamState, seconds: Sequence[Prepared]) -> StreamState:
    """Take seconds that go on with a still moment: the same as `look` with one after the other."""
    last, end = seconds[-1], state.end + TICK_HZ * len(seconds)
    return evolve(
        state,
        **_buffered(last, end),
        paces=0,
        earth_up=earth_up_at_rest(state, last),
        **_gone_on(state, end - 1, TICK_HZ, last.end_acc),
    )


def walk(state: StreamState, seconds: Sequence[Prepared]) -> tuple[StreamState, list[Vector], list[Vector]]:
    """Take seconds that go on with a walk: the same as `look` with one after the other.

    With earth's up in the filter's frame at the end of each, and upright as the walk has told it by then.
    """
    course, walked, earth_up, last = state.course, state.walked, state.earth_up, seconds[-1]
    assert course.reference is not None
    ups: list[Vector] = []
    references: list[Vector] = []
    for paces, second in enumerate(seconds, state.paces + 1):
        earth_up = _followed(earth_up, state.bias, second)
        walked = _trod(walked, to_sensor(second.mean_turn, earth_up), begins=paces == _PACES)
        ups.append(earth_up)
        references.append(unit(walked.total) if _tells(walked, course) else course.reference)
    end = state.end + TICK_HZ * len(seconds)
    state = evolve(
        state,
        **_buffered(last, end),
        paces=state.paces + len(seconds),
        earth_up=earth_up,
        walked=walked,
        course=_walking(course, walked, course.at(end)),
        **_gone_on(state, end - 1, TICK_HZ * len(seconds), ZERO),
    )
    return state, ups, references


def _buffered(second: Prepared, end: int) -> dict[str, Any]:
    """What is kept of the samples behind a second that ends before that tick."""
    buffer = second.buffer
    return {"tail": second.tail, "buffer": buffer, "first": end - len(buffer)}


def _changing(state: StreamState, second: Prepared, still: list[bool]) -> StreamState:
    """A second in which still moments begin or end."""
    start, done = state.end - TICK_HZ, 0
    for at, now in enumerate(still):
        if now is state.is_still:
            continue
        if at > done:
            acc = _mean_acc(state, start + at - SPAN, start + at - 1) if state.is_still else ZERO
            state = _pass(state, second, done, at, acc)
        state = _begin(state, start + at) if now else _end(state, start + at)
        done = at
    return _pass(state, second, done, TICK_HZ, second.end_acc)


def _over(state: StreamState, second: Prepared) -> StreamState:
    """A second is over."""
    walked, course, fall = state.walked, state.course, state.fall
    if state.paces >= _PACES:
        walked = _trod(walked, to_sensor(second.mean_turn, state.earth_up), begins=state.paces == _PACES)
        course = _walking(course, walked, course.at(state.end))
    if fall is not None:
        fall = _watched(state, fall)
    if course.away is not None or course.base is Base.LYING:
        turning, up = _turning(state, course), to_sensor(second.mean_turn, state.earth_up)
        course = _course.second(course, up, course.at(state.end), still=state.is_still, turned_deg=turning)
    if course is state.course and fall is state.fall and walked is state.walked:
        return state
    return evolve(state, walked=walked, course=course, fall=fall)


def slipped(state: StreamState) -> StreamState:
    """The sensor sits otherwise than before: only the last walk tells of upright, if it was long enough."""
    old, course = state.walked, state.course
    walked = Walked(old.here, old.here_s, old.here, old.here_s)
    known = old.here_s >= _ENOUGH_WALKING_S
    trust = Trust.WALKING if known else Trust.FIRST if course.trust.firm else course.trust
    reference = unit(old.here) if known else course.reference
    return evolve(
        state, walked=walked, course=evolve(course, trust=trust, reference=reference, reference_acc=None, forward=None)
    )


def begin(state: StreamState, origin_ns: int) -> StreamState:
    """A new segment begins: what was held before it is not known to go on."""
    course = _course.lost(state.course)
    if course.reference is None or course.base is not Base.NONE:
        course = evolve(course, away=None, base=Base.NONE)
    return StreamState(bias=state.bias, walked=state.walked, course=evolve(course, origin_ns=origin_ns))


def _pass(state: StreamState, second: Prepared, first: int, last: int, acc: Vector) -> StreamState:
    """Ticks of the second between two events; `acc` is the mean acceleration of the last `SPAN` of them."""
    course, start = state.course, state.end - TICK_HZ
    if course.away is not None:
        up, rates = (
            second.up(state.earth_up)[:, first:last],
            state.part(start + first, start + last - 1)[:, RATE],
        )
        course = _course.watch(course, up, rates.tolist(), course.at(start + first))
    return evolve(state, course=course, **_gone_on(state, start + last - 1, last - first, acc))


def _gone_on(state: StreamState, tick: int, count: int, acc: Vector) -> dict[str, Any]:
    """What changes as so many ticks, up to that one, are as still as those before, or as restless."""
    if state.is_still and state.still is not None:
        return {"still": evolve(state.still, last=tick, end_acc=acc)}
    since = state.since_still + count
    return {"since_still": since, "loose": since > RESTLESS}


def _end(state: StreamState, tick: int) -> StreamState:
    """A still moment has ended before this tick."""
    course = _course.leave(state.course, state.course.at(tick - 1))
    return evolve(state, is_still=False, since_still=0, loose=False, course=course)


def _begin(state: StreamState, tick: int) -> StreamState:
    """A still moment is known at this tick, `SPAN` ticks after its start: the move before it is complete."""
    first = tick - SPAN + 1
    acc = _mean_acc(state, first, tick)
    now, before, undo = Still(first, tick, acc, acc), state.still, state.course
    time_s = undo.at(first) * 1e-9
    bias = at_rest(state.bias, acc, time_s)
    stretch, path = _between(state, before, now), None
    if stretch is not None:
        sums = sums_of(stretch, bias)
        whole = _without_pause(state, bias, now, sums)
        if whole is not None:
            before, undo = state.prior, state.undo or undo
            stretch, sums = whole
        bias = between_rests(bias, sums.up_s, sums.surplus_mps, time_s)
        path = path_of(stretch, bias)
        closed = _closing(state.fall, _course.corrected(undo, bias), bias, path, now)
        if closed is not None:
            bias, path = closed, path_of(stretch, closed)
    undo = _course.corrected(undo, bias)
    course = _course.mended(undo, *_fall_again(state.fall, undo, bias))
    move = None if path is None or before is None else _move(state, path, before, undo.reference)
    arrived = _course.arrive(course, Here(acc, up_at_rest(bias, acc)), course.at(first), move)
    fall = state.fall
    if move is not None and before is not None and arrived.away is not None and arrived.away.fall is move:
        fall = Fall(
            before,
            now,
            state.part(before.last, now.first).copy(),
            state.part(before.last, state.end - 1)[:, RATE].copy(),
        )
    return evolve(
        state,
        still=now,
        prior=before,
        is_still=True,
        since_still=0,
        bias=bias,
        undo=course,
        course=arrived,
        fall=fall,
    )


def _fall_again(fall: Fall | None, course: Course, bias: Bias) -> tuple[Move | None, float | None]:
    """The move that began the excursion and the turning after it, with what is known of the offset by now."""
    path = _fall_path(fall, course, bias)
    if fall is None or path is None:
        return None, None
    move = describe(path, fall.before.last, course.reference, [])
    after = fall.rates[move.fall_end - move.start :][:BESIDE].tolist()
    return move, turned(after) if len(after) == BESIDE else None


def _fall_path(fall: Fall | None, course: Course, bias: Bias) -> Path | None:
    away = course.away
    if away is None or away.fall is None or fall is None or fall.before.last != away.fall.start:
        return None
    return path_of(Stretch(fall.ticks, fall.before.end_acc, fall.after.start_acc), bias)


def _closing(fall: Fall | None, course: Course, bias: Bias, path: Path, now: Still) -> Bias | None:
    """The offset with the excursion closed: back in the same direction soon, so at the same height.

    Only where the offset is so little known that the heights don't tell.
    """
    up = up_at_rest(bias, now.start_acc)
    if fall is None or not _course.comes_back(course, up, (now.first - fall.before.last) * TICK_S):
        return None
    out = _fall_path(fall, course, bias)
    if out is None or math.hypot(out.offset_sd_m, path.offset_sd_m) < _UNSURE_M:
        return None
    by_offset = plus(out.by_offset, path.by_offset)
    return back_again(bias, by_offset, out.rise_m + path.rise_m, course.at(now.first) * 1e-9)


def _watched(state: StreamState, fall: Fall) -> Fall:
    """The move that began the excursion, with the rates of the time since."""
    if _seen_enough(fall):
        return fall
    more = state.part(fall.before.last + len(fall.rates), state.end - 1)[:, RATE]
    return evolve(fall, rates=np.concatenate((fall.rates, more)))


def _seen_enough(fall: Fall) -> bool:
    """Whether the time since is known for as long as it may be asked for."""
    return len(fall.rates) >= len(fall.ticks) + 2 * BESIDE


def _between(state: StreamState, before: Still | None, now: Still) -> Stretch | None:
    """The ticks between two still moments, where all of it is buffered."""
    if before is None or before.last < state.first or now.first <= before.last:
        return None
    return Stretch(state.part(before.last, now.first), before.end_acc, now.start_acc)


def _without_pause(state: StreamState, bias: Bias, now: Still, last: Sums) -> tuple[Stretch, Sums] | None:
    """One slow move in which the last still moment was a short pause, if so the velocities close better."""
    short, prior = state.still, state.prior
    if short is None or prior is None or state.undo is None or short.last - short.first >= _SHORT_STILL:
        return None
    before, whole = _between(state, prior, short), _between(state, prior, now)
    if before is None or whole is None:
        return None
    worst = max(abs(one.residual_mps(bias)) for one in (sums_of(before, bias), last))
    if worst <= _FALSE_STILL_MPS:
        return None
    sums = sums_of(whole, bias)
    return (whole, sums) if abs(sums.residual_mps(bias)) < worst / 2 else None


def _move(state: StreamState, path: Path, before: Still, reference: Vector | None) -> Move:
    rates = state.part(before.last - BESIDE, before.last - 1)[:, RATE].tolist()
    return describe(path, before.last, reference, rates)


def _turning(state: StreamState, course: Course) -> float | None:
    """Turning in the 1.2 s after a fall, once they are over."""
    since = _course.turning_since(course)
    if since is None or state.end < since + BESIDE or since < state.first:
        return None
    return turned(state.part(since, since + BESIDE - 1)[:, RATE].tolist())


def _earth_up(state: StreamState, second: Prepared, *, still: bool) -> Vector:
    """Earth's up in the filter's frame: read off at rest, followed in between as the filter follows the offset."""
    if still:
        return earth_up_at_rest(state, second)
    return _followed(state.earth_up, state.bias, second)


def _followed(earth_up: Vector, bias: Bias, second: Prepared) -> Vector:
    """Earth's up in the filter's frame at the end of a second in motion, from that before it."""
    x, y, z = to_earth(second.spread_turn, bias.mps2)
    goal = unit((-x, -y, STANDARD_GRAVITY_MPS2 - z))
    return unit(plus(scaled(earth_up, 1.0 - _FOLLOW), goal, _FOLLOW))


def earth_up_at_rest(state: StreamState, second: Prepared) -> Vector:
    """Earth's up in the filter's frame as the sensor reads it at the end of a second at rest."""
    return to_earth(second.end_turn, up_at_rest(state.bias, second.end_acc))


def _trod(old: Walked, up: Vector, *, begins: bool) -> Walked:
    """With a second of walking: upright is its mean direction."""
    keep = 1.0 if old.seconds < _WALKING_MEMORY_S else _WALKING_MEMORY_S / (old.seconds + 1.0)
    here, here_s = (up, 1.0) if begins else (plus(old.here, up), old.here_s + 1.0)
    return Walked(plus(up, old.total, keep), old.seconds * keep + 1.0, here, here_s)


def _tells(walked: Walked, course: Course) -> bool:
    """Whether walking tells of upright: long enough, and no pose does."""
    return walked.seconds >= _ENOUGH_WALKING_S and course.trust is not Trust.POSE


def _walking(course: Course, walked: Walked, ns: int) -> Course:
    """The course with walking up to a time."""
    known = _tells(walked, course)
    if not known and course.reference is not None:
        return _course.walked(course, ns)
    trust = Trust.WALKING if known else Trust.RISE
    return _course.walked(course, ns, reference=unit(walked.total), reference_acc=None, trust=trust)


def _mean_acc(state: StreamState, first: int, last: int) -> Vector:
    """Mean acceleration of buffered ticks, m/s²."""
    x, y, z = zip(*state.part(first, last)[:, ACC].tolist(), strict=True)
    return (sum(x) / len(x), sum(y) / len(y), sum(z) / len(z))
