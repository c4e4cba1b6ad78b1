"""The course of postures: still moments and moves in, spans of labels out; only the last excursion may change.

A still moment near upright and near standing height is a *base*; all between two bases is one excursion, told
provisionally while it lasts and decided at the return, or once it has been held for ten seconds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from analytics._evolve import evolve
from analytics._window import FloatArray
from analytics.posture import _happened, _rules
from analytics.posture._bias import Bias, up_at_rest
from analytics.posture._excursion import (
    GUESS,
    LABELS,
    LIKELY,
    SURE,
    UNSURE,
    at_base,
    finish,
    held,
    leans_back,
    low_again,
    resolved,
    settle,
)
from analytics.posture._geometry import lying_detail, right_of, worn_flat
from analytics.posture._limits import (
    COS_BEND,
    LOWER_M,
    LYING_DEG,
    LYING_DROP_M,
    LYING_ENDS_DEG,
    RISE_M,
    SITTING_TILT_DEG,
    THIGH_DEG,
    UPRIGHT_DEG,
)
from analytics.posture._moves import Move
from analytics.posture._records import TICK_NS, Away, Base, Course, Here, Trust, say, say_again
from analytics.posture._ticks import TICK_HZ
from analytics.posture._vectors import ZERO, Vector, angle
from sagittal.names import PostureLabel
from sagittal.units import NS_PER_S

_SAME_DEG = 8.0
_CLOSES_S = 15.0
_CLOSES_M = 0.3
_LOWER_STILL_M = 0.08
_SIGNIFICANT = 3.0
"""Standard errors that a rise must have before it changes what was said earlier."""
_SETTLED_NS = 10 * NS_PER_S
_SETTLED_LYING_NS = 15 * NS_PER_S
_MOVING_NS = NS_PER_S
_RESTLESS_NS = 4 * NS_PER_S
_ROSE_FROM_LYING_M = 0.25
_THIGH_LESS_DEG = 15.0
_LOW = (PostureLabel.SITTING, PostureLabel.SQUATTING)
_COS_LYING, _COS_LYING_ENDS = math.cos(math.radians(LYING_DEG)), math.cos(math.radians(LYING_ENDS_DEG))
_SIN_LYING_ENDS = math.sin(math.radians(LYING_ENDS_DEG))


def leave(course: Course, ns: int) -> Course:
    """A still moment has ended."""
    away = course.away
    if away is not None:
        return evolve(course, away=evolve(away, sure=away.over, moved_ns=ns))
    return course if course.base is Base.NONE else evolve(course, away=Away(left_ns=ns))


def watch(course: Course, up: FloatArray, rates: list[float], ns: int) -> Course:
    """Take consecutive ticks from `ns` on: up in the sensor frame, (3, n), and the length of the rate, rad/s."""
    away = course.away
    if away is None or course.reference is None:
        return course
    along: list[float] = np.dot(course.reference, up).tolist()
    lowest = min(along)
    fastest = max(away.fastest_radps, *rates)
    if lowest > COS_BEND:
        if away.steep_ns < 0 and fastest == away.fastest_radps:
            return course
        return evolve(course, away=evolve(away, fastest_radps=fastest, steep_ns=-1, deep_ticks=0, side_ticks=0))
    beyond = [place for place, one in enumerate(along) if one < COS_BEND]
    over = away.over
    if beyond:
        peak_deg = math.degrees(math.acos(max(lowest, -1.0)))
        over = over.join(ns + beyond[0] * TICK_NS, ns + beyond[-1] * TICK_NS, len(beyond), peak_deg)
    away = evolve(away, fastest_radps=fastest, over=over)
    if away.steep_ns >= 0 or lowest < _COS_LYING_ENDS:
        away, course = _steep(course, away, up, along, ns)
    return evolve(course, away=away)


def arrive(course: Course, here: Here, ns: int, move: Move | None) -> Course:
    """A still moment begins; `move` led to it, None where its path is not known."""
    if course.base is Base.NONE:
        return _first(course, here, ns)
    if course.away is None:
        return course
    away = course.away if move is None else _seen(course, course.away, move)
    known = move is not None and away.height_m is not None
    height = away.height_m + move.rise_m if known and move is not None and away.height_m is not None else None
    away = evolve(away, height_m=height, sd_m=math.hypot(away.sd_m, move.sd_m) if move is not None else 0.0)
    course = evolve(course, away=away)
    if course.reference is None:
        return _while_lying_first(course, away, here, ns)
    match course.base:
        case Base.SITTING:
            return _from_seat(course, away, here, ns, move)
        case Base.LYING:
            return _from_lying(course, away, here, ns)
        case _:
            return _from_upright(course, away, here, ns, move)


def corrected(course: Course, bias: Bias) -> Course:
    """Directions read at rest, with what is known of the sensor's offset by now."""
    if course.reference_acc is not None:
        course = evolve(course, reference=up_at_rest(bias, course.reference_acc))
    if course.pose_acc is not None:
        course = evolve(course, pose=up_at_rest(bias, course.pose_acc))
    return course


def _seen(course: Course, away: Away, move: Move) -> Away:
    """With the time beyond 20° as the path of the last move tells it."""
    over = away.sure.join(course.at(move.over_first), course.at(move.over_last), move.over_ticks, move.peak_deg)
    return evolve(away, over=over)


def comes_back(course: Course, up: Vector, seconds: float) -> bool:
    """Whether a still moment is back in the base's direction after one posture elsewhere, and soon."""
    away = course.away
    if away is None or away.fall is None or away.height_m is None or course.pose is None:
        return False
    straight = abs(away.height_m - away.fall.rise_m) < _LOWER_STILL_M and away.held_deg > _SAME_DEG
    return straight and seconds < _CLOSES_S and angle(up, course.pose) < _SAME_DEG


def mended(course: Course, fall: Move | None, turned_deg: float | None) -> Course:
    """The move that began the excursion was looked at again."""
    away = course.away
    if fall is None or away is None or away.fall is None:
        return course
    more_m = fall.rise_m - away.fall.rise_m
    height = None if away.height_m is None else away.height_m + more_m
    drop = None if away.drop_m is None else away.drop_m - more_m
    turned_deg = away.turned_deg if turned_deg is None else turned_deg
    return evolve(course, away=evolve(away, fall=fall, height_m=height, drop_m=drop, turned_deg=turned_deg))


def second(course: Course, up: Vector, ns: int, *, still: bool, turned_deg: float | None) -> Course:
    """A second is over at `ns`: settle what has been held, and say what can be said of what moves."""
    away = course.away
    if away is None:
        return _lying_on(course, up, ns) if course.base is Base.LYING else course
    if away.lying_ns < 0 and turned_deg is not None and away.fall is not None and away.turned_deg is None:
        away = evolve(away, turned_deg=turned_deg)
        course = low_again(evolve(course, away=away), away, ns)
        away = course.away or away
    if away.lying_ns >= 0:
        course = _lying_on(course, up, ns)
        settled = ns - away.lying_ns >= _SETTLED_LYING_NS and still
        return settle(course, Base.LYING, up, ns) if settled else course
    if away.label in _LOW and still and ns - away.held_ns >= _SETTLED_NS:
        course = low_again(course, away, ns)
        if course.away is not None and course.away.label is PostureLabel.SITTING:
            course = _happened.sat_down(course, course.away)
            return settle(course, Base.SITTING, up, ns)
        return course
    if away.label is None and still and away.held_deg > LYING_DEG and ns - away.held_ns > _MOVING_NS:
        course = say(course, max(away.over.first_ns, away.left_ns), PostureLabel.BENDING, LIKELY)
        return evolve(course, away=evolve(away, label=PostureLabel.BENDING))
    return course if still or away.label is not None else _moving(course, away, up, ns)


def with_thigh(course: Course, thigh_deg: float, ns: int) -> Course:
    """A still second with a thigh's inclination: what the trunk alone leaves open, it decides."""
    raised, down = thigh_deg > THIGH_DEG, thigh_deg < THIGH_DEG - _THIGH_LESS_DEG
    away = course.away
    if away is not None:
        if down and away.label in _LOW:
            label = PostureLabel.BENDING if away.over.ticks else PostureLabel.STANDING
            course = say_again(course, away.left_ns, away.label, label, LIKELY)
            return evolve(course, away=evolve(away, label=label, drop_m=None))
        if raised and away.label is PostureLabel.BENDING:
            course = say_again(course, away.left_ns, away.label, PostureLabel.SITTING, GUESS)
            return evolve(course, away=evolve(away, label=PostureLabel.SITTING, held_ns=max(away.held_ns, 0) or ns))
        return course
    if raised and course.base in (Base.UPRIGHT, Base.STANDING):
        course = say_again(course, course.base_ns, PostureLabel.STANDING, PostureLabel.SITTING, SURE)
        return evolve(course, base=Base.SITTING, seat_m=None)
    if down and course.base in (Base.UPRIGHT, Base.SITTING):
        course = say_again(course, course.base_ns, PostureLabel.SITTING, PostureLabel.STANDING, SURE)
        course = say_again(course, course.base_ns, PostureLabel.STANDING, PostureLabel.STANDING, SURE)
        return evolve(course, base=Base.STANDING, seat_m=None)
    return course


def turning_since(course: Course) -> int | None:
    """The tick from which turning after the fall is wanted."""
    away = course.away
    return away.fall.fall_end if away is not None and away.fall is not None and away.turned_deg is None else None


def walked(course: Course, ns: int, **upright: Any) -> Course:
    """The wearer walks, which may tell of upright: so they stand, and whatever excursion there was is over."""
    if course.base is not Base.STANDING or course.away is not None:
        course, upright = _stopped(evolve(course, **upright), ns), {}
    pose = upright.get("reference", course.reference)
    return evolve(course, base=Base.STANDING, base_ns=ns, away=None, seat_m=None, pose=pose, pose_acc=None, **upright)


def _stopped(course: Course, ns: int) -> Course:
    """What the wearer did before walking is over."""
    if course.away is not None and course.reference is not None and course.base in (Base.STANDING, Base.UPRIGHT):
        course = finish(course, course.away, None, ns)
    elif course.base is Base.SITTING:
        course = _happened.stood_up(course, course.away, None, ns)
    if course.base is Base.UPRIGHT:
        course = resolved(course)
    left_ns = course.away.left_ns if course.away is not None else ns
    return say(course, left_ns, PostureLabel.TRANSITION, GUESS) if course.base is not Base.STANDING else course


def lost(course: Course) -> Course:
    """Samples are missing: nobody knows what happened meanwhile."""
    if course.base is Base.STANDING or course.base is Base.SITTING:
        course = evolve(course, base=Base.UPRIGHT if course.reference is not None else Base.NONE)
    return evolve(course, away=Away(left_ns=course.base_ns, height_m=None) if course.base is not Base.NONE else None)


def _steep(course: Course, away: Away, up: FloatArray, along: list[float], ns: int) -> tuple[Away, Course]:
    """Ticks beyond 45°: whether the wearer lies, tick by tick."""
    side_axis = right_of(course)
    sides: list[float] = np.dot(side_axis or ZERO, up).tolist()
    aheads: list[float] = np.dot(course.forward or ZERO, up).tolist()
    for i, one in enumerate(along):
        now = ns + i * TICK_NS
        if one > _COS_LYING_ENDS:
            if away.lying_ns >= 0:
                course = say(course, now, PostureLabel.TRANSITION, GUESS)
                away = evolve(away, lain_ns=now)
            away = evolve(away, steep_ns=-1, lying_ns=-1, deep_ticks=0, side_ticks=0)
            continue
        deep, sideways = one < _COS_LYING, abs(sides[i]) > _SIN_LYING_ENDS
        away = evolve(
            away,
            steep_ns=now if away.steep_ns < 0 else away.steep_ns,
            deep_ticks=away.deep_ticks + 1 if deep else 0,
            side_ticks=away.side_ticks + 1 if sideways else 0,
            backwards=away.backwards or (deep and aheads[i] > _SIN_LYING_ENDS),
        )
        long = max(away.deep_ticks, away.side_ticks) >= TICK_HZ
        if away.lying_ns < 0 and long and _rules.lies(course, away, now):
            course = _lies_down(course, away)
            away = evolve(away, lying_ns=away.steep_ns, lain_ns=now, label=PostureLabel.LYING)
    return away, course


def _lies_down(course: Course, away: Away) -> Course:
    """Lying has begun."""
    course = say_again(course, away.left_ns, PostureLabel.SQUATTING, PostureLabel.SITTING, LIKELY)
    course = _happened.sat_down(course, away) if away.label in _LOW else course
    went_ns = max(away.left_ns, away.moved_ns)
    return say(say(course, went_ns, PostureLabel.TRANSITION, GUESS), away.steep_ns, PostureLabel.LYING, LIKELY)


def _lying_on(course: Course, up: Vector, ns: int) -> Course:
    """Lying goes on: on which side."""
    detail = lying_detail(course, up)
    if not course.spans or course.spans[-1].label is not PostureLabel.LYING or course.spans[-1].detail == detail:
        return course
    return say(course, max(ns - NS_PER_S, course.spans[-1].start_ns), PostureLabel.LYING, LIKELY, detail)


def _first(course: Course, here: Here, ns: int) -> Course:
    """The first still posture: upright where a flat sensor says so, else lying."""
    if course.reference is not None and course.trust.firm:
        return _again(course, here, ns)
    if worn_flat(here.up):
        found = evolve(course, reference=here.up, trust=Trust.FIRST, base=Base.UPRIGHT, base_ns=ns, pose=here.up)
        found = evolve(found, reference_acc=here.acc, pose_acc=here.acc)
        return say(found, ns, PostureLabel.STANDING, UNSURE, str(Base.UPRIGHT))
    found = evolve(course, base=Base.LYING, base_ns=ns, pose=here.up, pose_acc=here.acc)
    return say(found, ns, PostureLabel.LYING, UNSURE)


def _again(course: Course, here: Here, ns: int) -> Course:
    """The first still posture after samples were missing, with upright known from before."""
    away = Away(left_ns=ns, height_m=None)
    return _from_upright(evolve(course, base=Base.UPRIGHT, base_ns=ns, away=away), away, here, ns, None)


def _while_lying_first(course: Course, away: Away, here: Here, ns: int) -> Course:
    """Begun lying, nothing known of upright: a rise shows it."""
    rise = away.height_m
    if rise is not None and rise > max(_ROSE_FROM_LYING_M, _SIGNIFICANT * away.sd_m) and worn_flat(here.up):
        course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
        course = evolve(course, reference=here.up, reference_acc=here.acc, trust=Trust.RISE)
        return at_base(course, Base.UPRIGHT, here, ns, UNSURE)
    return at_base(course, Base.LYING, here, ns, UNSURE, since_ns=away.left_ns)


def _from_seat(course: Course, away: Away, here: Here, ns: int, move: Move | None) -> Course:
    """A still moment after leaving a seat: standing, lying, or still seated."""
    tilt = _tilt(course, here)
    if away.lying_ns >= 0 or tilt > LYING_DEG:
        return course
    height = away.height_m
    seat_m = course.seat_m
    needed = RISE_M if seat_m is None else max(LOWER_M, seat_m / 2)
    if height is not None and height > max(needed, _SIGNIFICANT * away.sd_m) and tilt < LYING_ENDS_DEG:
        course = _happened.stood_up(course, away, move, ns)
        course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
        return at_base(course, Base.STANDING, here, ns, SURE)
    if (height is None or seat_m is None) and course.trust.firm and tilt < SITTING_TILT_DEG:
        return at_base(course, Base.UPRIGHT, here, ns, GUESS)
    return at_base(course, Base.SITTING, here, ns, LIKELY if height is not None else GUESS, since_ns=_since(away, ns))


def _from_lying(course: Course, away: Away, here: Here, ns: int) -> Course:
    """A still moment after lying: lying still, sitting, or standing."""
    tilt = _tilt(course, here)
    if tilt > LYING_ENDS_DEG:
        return at_base(course, Base.LYING, here, ns, LIKELY, since_ns=away.left_ns)
    course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
    if away.height_m is None:
        return at_base(course, Base.UPRIGHT, here, ns, GUESS)
    if away.height_m > LYING_DROP_M and tilt < UPRIGHT_DEG:
        return at_base(course, Base.STANDING, here, ns, LIKELY)
    return at_base(course, Base.SITTING, here, ns, GUESS)


def _from_upright(course: Course, away: Away, here: Here, ns: int, move: Move | None) -> Course:
    """A still moment after leaving an upright base: back again, risen, or held elsewhere."""
    height = away.height_m
    tilt = _tilt(course, here)
    if away.lying_ns >= 0:
        return _lying_held(course, away, ns)
    course = _closed(course, away, here, ns, move)
    away = course.away or away
    height = away.height_m
    risen = height is not None and height > max(RISE_M, _SIGNIFICANT * away.sd_m)
    if risen and course.base is Base.UPRIGHT and tilt < LYING_ENDS_DEG:
        return _rose(course, away, here, ns, move)
    if tilt < UPRIGHT_DEG and (height is None or height > -LOWER_M):
        finished = finish(course, away, move, ns)
        if away.lain_ns >= 0 and away.held_ns < 0:
            finished = _from_bed(finished, away)
        base = finished.base
        if course.trust.firm and leans_back(course, here.up, tilt):
            base = Base.SITTING
        elif height is None and base is not Base.SITTING:
            base = Base.UPRIGHT
        return at_base(finished, base, here, ns, SURE if base is Base.STANDING else GUESS)
    return held(course, away, here, tilt, ns, move)


def _lying_held(course: Course, away: Away, ns: int) -> Course:
    """Lying still; near the height of where it began, that was a seat or a bed."""
    if away.held_ns >= 0:
        return course
    return evolve(_from_bed(course, away), away=evolve(away, held_ns=ns))


def _from_bed(course: Course, away: Away) -> Course:
    """Unless the fall was that of a body that stood, lying began from a seat or a bed's edge."""
    stood = away.height_m is not None and -away.height_m > LYING_DROP_M
    if course.base is not Base.UPRIGHT or stood:
        return course
    course = say_again(course, course.base_ns, PostureLabel.STANDING, PostureLabel.SITTING, GUESS)
    return evolve(course, base=Base.SITTING)


def _elsewhere(away: Away, move: Move | None) -> bool:
    """Whether there was another posture in between, and the last move led back from it."""
    if away.held_ns < 0:
        return away.over.peak_deg > LYING_ENDS_DEG
    if away.held_deg < _SAME_DEG:
        return False
    return away.drop_m is None or away.drop_m < LOWER_M or (move is not None and move.rise_m > away.drop_m / 2)


def _closed(course: Course, away: Away, here: Here, ns: int, move: Move | None) -> Course:
    """Back to the same direction soon after: back to the same height, and the misclosure spread over both moves.

    Without a still moment in between and far bent, a misclosure of any size is an error: a seat is left upright.
    """
    pose, height = course.pose, away.height_m
    if pose is None or height is None or (ns - away.left_ns) > _CLOSES_S * NS_PER_S:
        return course
    if away.held_ns >= 0 and abs(height) > _CLOSES_M:
        return course
    if angle(here.up, pose) > _SAME_DEG or not _elsewhere(away, move):
        return course
    drop = None if away.drop_m is None else away.drop_m + height / 2
    return evolve(course, away=evolve(away, height_m=0.0, drop_m=drop))


def _rose(course: Course, away: Away, here: Here, ns: int, move: Move | None) -> Course:
    """Higher than where it began: so that was a seat, and this is standing."""
    course = say_again(course, course.base_ns, PostureLabel.STANDING, PostureLabel.SITTING, LIKELY)
    course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
    course = _happened.stood_up(course, away, move, ns)
    if not course.trust.firm:
        course = evolve(course, reference=here.up, reference_acc=here.acc, trust=Trust.RISE)
    return at_base(course, Base.STANDING, here, ns, LIKELY)


def _tilt(course: Course, here: Here) -> float:
    """Degrees from upright, which must be known."""
    assert course.reference is not None
    return angle(here.up, course.reference)


def _since(away: Away, ns: int) -> int:
    """From when a seat goes on: from when it was left, unless something happened meanwhile."""
    return ns if away.lain_ns >= 0 else away.left_ns


def _moving(course: Course, away: Away, up: Vector, ns: int) -> Course:
    """Nothing still yet: transition at first, then what it was before, with little confidence."""
    near = course.pose is not None and angle(up, course.pose) < UPRIGHT_DEG
    if ns - away.left_ns >= _RESTLESS_NS and near:
        detail = str(course.base) if course.base is Base.UPRIGHT else None
        return say(course, away.left_ns, LABELS[course.base], UNSURE, detail)
    if ns - away.left_ns >= _RESTLESS_NS and away.over.ticks > 3 * TICK_HZ and course.base is not Base.LYING:
        label = PostureLabel.SITTING if course.base is Base.SITTING else PostureLabel.BENDING
        return say(course, max(away.over.first_ns, away.left_ns), label, UNSURE)
    if ns - away.left_ns >= _MOVING_NS:
        return say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
    return course
