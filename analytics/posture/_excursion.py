"""One excursion: what is held in it, what it was when it is over, and the base that it ends in."""

from __future__ import annotations

import math

from analytics._evolve import evolve
from analytics.posture import _happened, _rules
from analytics.posture._geometry import lying_detail
from analytics.posture._limits import BEND_DEG, LYING_DEG, SITTING_TILT_DEG
from analytics.posture._moves import Move
from analytics.posture._records import TICK_NS, Away, Base, Course, Here, say, say_again
from analytics.posture._vectors import Vector, dot, unit
from sagittal.names import PostureLabel
from sagittal.units import NS_PER_S

SURE, LIKELY, GUESS, UNSURE = 0.9, 0.8, 0.5, 0.4
"""How sure a posture is: seen whole; seen; inferred; carried on."""
_LOWER_STILL_M = 0.08
LABELS = {
    Base.NONE: PostureLabel.UNKNOWN,
    Base.UPRIGHT: PostureLabel.STANDING,
    Base.STANDING: PostureLabel.STANDING,
    Base.SITTING: PostureLabel.SITTING,
    Base.LYING: PostureLabel.LYING,
}


def leans_back(course: Course, up: Vector, tilt: float) -> bool:
    return (
        course.forward is not None
        and tilt > SITTING_TILT_DEG
        and dot(up, course.forward) > math.sin(math.radians(SITTING_TILT_DEG))
    )


def held(course: Course, away: Away, here: Here, tilt: float, ns: int, move: Move | None) -> Course:
    """A posture is held away from the base."""
    height = away.height_m
    drop = None if height is None else -height
    lower = drop is not None and away.drop_m is not None and drop > away.drop_m + _LOWER_STILL_M
    if away.held_ns < 0 or lower:
        phase_ns = away.moved_ns if away.label is not None else away.phase_ns
        away = evolve(away, fall=move, drop_m=drop, held_ns=ns, held_deg=tilt, turned_deg=None, phase_ns=phase_ns)
    elif drop is None:
        away = evolve(away, held_deg=tilt)
    course = evolve(course, away=away)
    if tilt > LYING_DEG:
        return course
    if is_low(away):
        return low_again(course, away, ns)
    if course.trust.firm and leans_back(course, here.up, tilt):
        course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
        return at_base(course, Base.SITTING, here, ns, GUESS)
    if tilt > BEND_DEG:
        course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
        course = say(
            course,
            max(away.over.first_ns, away.left_ns),
            PostureLabel.BENDING,
            LIKELY if drop is not None else UNSURE,
        )
        return evolve(course, away=evolve(away, label=PostureLabel.BENDING))
    return course


def is_low(away: Away, rise: Move | None = None) -> bool:
    if away.fall is None or away.drop_m is None:
        return False
    return away.drop_m >= _rules.depth_needed(away.fall, rise, away.held_deg, bottom=True)


def low_again(course: Course, away: Away, ns: int) -> Course:
    """Sitting or squatting, as far as the excursion tells so far."""
    if not is_low(away) or away.fall is None or away.drop_m is None:
        return course
    begun_ns = max(course.at(away.fall.fall_end), away.left_ns, away.lain_ns + TICK_NS)
    odds = _rules.seated_odds(
        drop_m=away.drop_m,
        held_s=max(0.7, (ns - begun_ns) / NS_PER_S),
        after_deg=away.turned_deg,
        before_deg=None,
        impact=away.fall.impact,
    )
    label = PostureLabel.SITTING if odds >= 0 or away.lain_ns >= 0 else PostureLabel.SQUATTING
    course = resolved(course)
    course = say(course, max(away.left_ns, away.lain_ns, away.phase_ns), PostureLabel.TRANSITION, GUESS)
    course = say(course, begun_ns, label, _rules.confidence(odds))
    return evolve(course, away=evolve(away, label=label))


def resolved(course: Course) -> Course:
    """What was upright is known to have been standing."""
    if course.base is not Base.UPRIGHT:
        return course
    course = say_again(course, course.base_ns, PostureLabel.STANDING, PostureLabel.STANDING, LIKELY)
    return evolve(course, base=Base.STANDING)


def finish(course: Course, away: Away, rise: Move | None, ns: int) -> Course:
    """Decide an excursion at the return to an upright base; what it was stands in the spans and what happened."""
    if away.lain_ns >= 0:
        return say(course, ns, PostureLabel.TRANSITION, GUESS)
    low = finish_low(course, away, rise, ns)
    if low is not None:
        return low
    if _rules.is_bend(away):
        course = _happened.bent(course, away)
        course = say(course, away.left_ns, PostureLabel.TRANSITION, GUESS)
        course = say(course, max(away.over.first_ns, away.left_ns), PostureLabel.BENDING, LIKELY)
        return say(course, away.over.last_ns + TICK_NS, PostureLabel.TRANSITION, GUESS)
    kept = tuple(span for span in course.spans if span.start_ns < away.left_ns)
    if kept == course.spans or not kept:
        return course
    dirty = away.left_ns if course.dirty_ns is None else min(course.dirty_ns, away.left_ns)
    return evolve(course, spans=kept, dirty_ns=dirty)


def finish_low(course: Course, away: Away, rise: Move | None, ns: int) -> Course | None:
    """The excursion as sitting or squatting, if it was low."""
    held = away.held_ns >= 0
    fall = away.fall if held else rise
    if fall is None:
        return None
    drop = away.drop_m if held else rise.rise_m / 2 - rise.bottom_m if rise is not None else None
    tilt = away.held_deg if held else fall.peak_deg
    if drop is None or drop < _rules.depth_needed(fall, rise, tilt, bottom=held):
        return None
    begun_ns = max(course.at(fall.fall_end), away.left_ns)
    ended_ns = course.at(rise.rise_start) if rise is not None else ns
    odds = _rules.seated_odds(
        drop_m=drop,
        held_s=(ended_ns - begun_ns) / NS_PER_S,
        after_deg=away.turned_deg if held else None,
        before_deg=None if rise is None else rise.turned_deg,
        impact=fall.impact,
    )
    label = PostureLabel.SITTING if odds >= 0 else PostureLabel.SQUATTING
    course = resolved(course)
    course = say(course, max(away.left_ns, away.phase_ns), PostureLabel.TRANSITION, GUESS)
    course = say(course, begun_ns, label, _rules.confidence(odds))
    course = say(course, max(ended_ns, begun_ns + TICK_NS), PostureLabel.TRANSITION, GUESS)
    return _happened.was_low(course, evolve(away, fall=fall, drop_m=drop), label, ended_ns, ns)


def at_base(course: Course, base: Base, here: Here, ns: int, confidence: float, since_ns: int | None = None) -> Course:
    """Arrived: a base from now on."""
    detail = str(base) if base is Base.UPRIGHT else None
    if base is Base.LYING:
        detail = lying_detail(course, here.up)
    course = say(course, ns if since_ns is None else since_ns, LABELS[base], confidence, detail)
    same = course.base is base and (since_ns is not None or base is Base.UPRIGHT)
    return evolve(
        course,
        base=base,
        base_ns=course.base_ns if same else ns,
        pose=here.up,
        pose_acc=here.acc,
        away=None,
        seat_m=course.seat_m if base is Base.SITTING and course.base is Base.SITTING else None,
    )


def settle(course: Course, base: Base, up: Vector, ns: int) -> Course:
    """A posture has been held so long that it is a base of its own."""
    away = course.away
    seat = away.drop_m if away is not None and base is Base.SITTING else None
    return evolve(course, base=base, base_ns=ns, pose=unit(up), pose_acc=None, away=None, seat_m=seat)
