"""Upright and forward on request and by themselves: a standing pose, three bends, walking; their age and their end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics._evolve import evolve
from analytics._window import FloatArray
from analytics.posture._limits import EXPIRES_S, UPRIGHT_DEG
from analytics.posture._records import Base, Course, Trust
from analytics.posture._ticks import lengths
from analytics.posture._vectors import ZERO, Vector, angle, length, of, plus, unit

POSE_S = 5
_POSE_WAIT_S = 20
_BENDS_WAIT_S = 60
_BENDS = 3
_BEND_DEG = 30.0
_BACK_DEG = 15.0
_LEAST_QUALITY = 0.7

Method = Literal["", "stand", "bends"]


@dataclass(frozen=True)
class Calibration:
    """What was asked for and how far it is; what is known of upright, since when.

    `sums` adds up directions; `done` counts still seconds or bends; `deepest` holds the peak of every bend so far.
    `range_deg` is the wearer's own deepest calibrated bend; `by_bends` whether forward comes from bends.
    """

    method: Method = ""
    left_s: int = 0
    done: int = 0
    sums: Vector = ZERO
    length: float = 0.0
    deepest: tuple[float, ...] = ()
    peak_deg: float = 0.0
    range_deg: float | None = None
    by_bends: bool = False
    known: bool = False
    confirmed_ns: int = 0


@dataclass(frozen=True)
class Word:
    """What a calibration has to say: name of the event, text, quality 0-1, values."""

    name: Literal["calibrated", "calibration_failed", "calibration_expired", "sensor_moved", "worn", "not_worn"]
    text: str
    quality: float
    values: dict[str, float | None]
    tags: tuple[str, ...] = ()


def ask(calibration: Calibration, method: Method) -> Calibration:
    """Begin what a person asked for; anything begun before is dropped."""
    wait = _POSE_WAIT_S if method == "stand" else _BENDS_WAIT_S
    fresh = evolve(calibration, method=method, left_s=wait, done=0, sums=ZERO, length=0.0)
    return evolve(fresh, deepest=(), peak_deg=0.0)


def freshened(
    calibration: Calibration, course: Course, ns: int, *, walking: bool
) -> tuple[Calibration, Course, list[Word]]:
    """Take a second: what is known is kept fresh by walking, or ages."""
    if not walking:
        return aged(calibration, course, ns)
    calibration, words = confirmed(calibration, course, ns)
    return calibration, course, words


def go_on(
    calibration: Calibration, course: Course, up: FloatArray, ns: int, *, still: bool
) -> tuple[Calibration, Course, list[Word]]:
    """Take a second, (20, 3) up in the sensor frame."""
    if not calibration.method:
        return calibration, course, []
    calibration = evolve(calibration, left_s=calibration.left_s - 1)
    if calibration.method == "stand":
        calibration, course, words = _pose(calibration, course, up, ns, still)
    else:
        calibration, course, words = _bend(calibration, course, up, ns)
    if calibration.method and calibration.left_s <= 0:
        missing = (
            "The pose was not still for five seconds" if calibration.method == "stand" else "Three bends were not seen"
        )
        words = [*words, Word("calibration_failed", f"{missing}: try again.", 0.0, {})]
        calibration = evolve(calibration, method="")
    return calibration, course, words


def confirmed(calibration: Calibration, course: Course, ns: int) -> tuple[Calibration, list[Word]]:
    """Walking upright keeps upright fresh; the first time that makes it and forward known is told."""
    if course.trust is not Trust.WALKING:
        return calibration, []
    first = not calibration.known and course.forward is not None
    calibration = evolve(calibration, confirmed_ns=ns, known=calibration.known or first)
    text = "Upright and forward are known from walking."
    return calibration, [Word("calibrated", text, 0.8, {"age_s": 0.0})] if first else []


def aged(calibration: Calibration, course: Course, ns: int) -> tuple[Calibration, Course, list[Word]]:
    """Whether what is known has grown too old."""
    if not outdated(calibration, course, ns):
        return calibration, course, []
    return expire(calibration, course, "Upright was last confirmed a day ago: stand still or walk to calibrate.", ns)


def outdated(calibration: Calibration, course: Course, ns: int) -> bool:
    """Whether upright is known from more than a guess, and was last confirmed too long before a time."""
    return (ns - calibration.confirmed_ns) * 1e-9 >= EXPIRES_S and course.trust.firm


def expire(calibration: Calibration, course: Course, text: str, ns: int) -> tuple[Calibration, Course, list[Word]]:
    """What is known of the mounting holds no longer: it serves as a first guess, and angles are not told."""
    if not course.trust.firm:
        return calibration, course, []
    age_s = (ns - calibration.confirmed_ns) * 1e-9
    course = evolve(course, trust=Trust.FIRST, forward=None, reference_acc=None)
    calibration = evolve(calibration, known=False, by_bends=False)
    return calibration, course, [Word("calibration_expired", text, 0.0, {"age_s": round(age_s, 1)})]


def _pose(
    calibration: Calibration, course: Course, up: FloatArray, ns: int, still: bool
) -> tuple[Calibration, Course, list[Word]]:
    if not still:
        return evolve(calibration, done=0, sums=ZERO), course, []
    total = plus(calibration.sums, of(up.sum(axis=0)))
    calibration = evolve(calibration, done=calibration.done + 1, sums=total)
    if calibration.done < POSE_S:
        return calibration, course, []
    quality = length(total) / (POSE_S * len(up))
    moved = None if course.reference is None else angle(unit(total), course.reference)
    text = "Upright is known from the pose."
    if course.forward is None:
        text += " Forward will be known after some walking, or three bends."
    values = {"quality": round(quality, 3), "changed_deg": None if moved is None else round(moved, 1)}
    course = evolve(course, reference=unit(total), reference_acc=None, trust=Trust.POSE)
    course = evolve(course, base=Base.STANDING if course.base is Base.UPRIGHT else course.base)
    calibration = evolve(calibration, method="", known=True, confirmed_ns=ns)
    return calibration, course, [Word("calibrated", text, quality, values, ("pose",))]


def _bend(calibration: Calibration, course: Course, up: FloatArray, ns: int) -> tuple[Calibration, Course, list[Word]]:
    if course.reference is None:
        return calibration, course, []
    reference = np.array(course.reference)
    along = up @ reference
    sideways = up - along[:, None] * reference
    deep = along < math.cos(math.radians(UPRIGHT_DEG))
    gone = sideways[deep]
    total = plus(calibration.sums, of(gone.sum(axis=0)), -1.0)
    way = calibration.length + float(lengths(gone.T).sum())
    tilt = math.degrees(math.acos(max(-1.0, min(1.0, float(along.min())))))
    back = float(along[-1]) > math.cos(math.radians(_BACK_DEG))
    peak = max(calibration.peak_deg, tilt)
    deepest = calibration.deepest
    if back:
        deepest = (*deepest, peak) if peak > _BEND_DEG else deepest
        peak = 0.0
    calibration = evolve(calibration, sums=total, length=way, peak_deg=peak, deepest=deepest)
    if len(deepest) < _BENDS:
        return calibration, course, []
    return _bent(calibration, course, ns)


def _bent(calibration: Calibration, course: Course, ns: int) -> tuple[Calibration, Course, list[Word]]:
    quality = length(calibration.sums) / calibration.length
    if quality < _LEAST_QUALITY:
        word = Word(
            "calibration_failed", "The bends went in different directions: try again, straight ahead.", quality, {}
        )
        return evolve(calibration, method=""), course, [word]
    range_deg = float(np.median(calibration.deepest))
    course = evolve(course, forward=unit(calibration.sums), trust=course.trust if course.trust.firm else Trust.POSE)
    calibration = evolve(
        calibration, method="", range_deg=round(range_deg, 1), by_bends=True, known=True, confirmed_ns=ns
    )
    values: dict[str, float | None] = {"quality": round(quality, 3), "range_deg": round(range_deg, 1)}
    return (
        calibration,
        course,
        [Word("calibrated", "Forward and your own range are known from bends.", quality, values)],
    )
