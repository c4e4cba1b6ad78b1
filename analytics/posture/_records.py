"""What the course of postures remembers: frozen, plain, small."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from analytics._evolve import evolve
from analytics.posture._moves import Move
from analytics.posture._vectors import Vector
from sagittal.names import PostureLabel


class Base(StrEnum):
    """The posture that excursions start from and return to."""

    NONE = "none"
    UPRIGHT = "standing or sitting"
    STANDING = "standing"
    SITTING = "sitting"
    LYING = "lying"


class Trust(StrEnum):
    """Where the upright reference comes from, worst first."""

    NONE = "none"
    FIRST = "first still posture"
    RISE = "rise"
    WALKING = "walking"
    POSE = "pose"

    @property
    def firm(self) -> bool:
        """Whether upright is known from more than a guess."""
        return self in (Trust.WALKING, Trust.POSE)


@dataclass(frozen=True)
class Span:
    """From `start_ns` on, until the next one: what the wearer does, and how sure (0-1)."""

    start_ns: int
    label: PostureLabel
    detail: str | None
    confidence: float


@dataclass(frozen=True)
class Here:
    """A still moment: its mean acceleration as the sensor reads it, m/s², and earth's up in the sensor frame."""

    acc: Vector
    up: Vector


@dataclass(frozen=True)
class Over:
    """Time spent beyond 20°: from when to when, in how many ticks, and the largest tilt, degrees; -1 for never."""

    first_ns: int = -1
    last_ns: int = -1
    ticks: int = 0
    peak_deg: float = 0.0

    def join(self, first_ns: int, last_ns: int, ticks: int, peak_deg: float) -> Over:
        """With a later stretch; `ticks` 0 leaves the times."""
        peak_deg = max(self.peak_deg, peak_deg)
        if not ticks:
            return evolve(self, peak_deg=peak_deg)
        return Over(first_ns if self.first_ns < 0 else self.first_ns, last_ns, self.ticks + ticks, peak_deg)


@dataclass(frozen=True)
class Away:
    """An excursion: everything since the base was left.

    Attributes
    ----------
    left_ns
        When the base was left.
    height_m, sd_m
        Height of the sensor over the base now; None where it was lost.
    fall
        The move that led to the first held posture.
    drop_m
        How far that lay below the base.
    held_ns, held_deg
        Since when a posture is held, and its tilt; -1 before.
    turned_deg
        Turning after the fall; None while its 1.2 s are not over.
    over, sure
        Time beyond 20° so far, and up to the last still moment as the paths told it.
    fastest_radps
        Largest rate.
    deep_ticks, side_ticks
        Ticks in a row beyond the limit of lying, and lying on a side.
    steep_ns
        When the tilt last passed 45° upwards; -1 where it is below.
    lying_ns, lain_ns
        Since when the wearer lies, and until when they lay; -1 for not.
    moved_ns, phase_ns
        When the last held posture was left, and when the one before the present one was, if it had a name; -1 before.
    label
        What has been said of it.
    """

    left_ns: int
    height_m: float | None = 0.0
    sd_m: float = 0.0
    fall: Move | None = None
    drop_m: float | None = None
    held_ns: int = -1
    held_deg: float = 0.0
    turned_deg: float | None = None
    over: Over = field(default_factory=Over)
    sure: Over = field(default_factory=Over)
    fastest_radps: float = 0.0
    deep_ticks: int = 0
    side_ticks: int = 0
    steep_ns: int = -1
    lying_ns: int = -1
    lain_ns: int = -1
    moved_ns: int = -1
    phase_ns: int = -1
    backwards: bool = False
    label: PostureLabel | None = None


@dataclass(frozen=True)
class Happening:
    """Something that happened: name of the event, when, how long in s, numbers with their units."""

    name: str
    start_ns: int
    duration_s: float
    values: dict[str, float | None]
    confidence: float


@dataclass(frozen=True)
class Course:
    """Where a wearer is in the course of postures.

    `reference` is upright in the sensor frame and `pose` the direction of the base's posture, both with what the
    sensor read then, where that was at rest; `forward` is at right angles to upright, where walking or bends have told;
    `seat_m` how deep the present seat is, where seen. `dirty_ns` is the earliest time of which something else is said
    than before; `happened` waits to be told.
    """

    origin_ns: int = 0
    reference: Vector | None = None
    forward: Vector | None = None
    trust: Trust = Trust.NONE
    base: Base = Base.NONE
    base_ns: int = 0
    reference_acc: Vector | None = None
    pose: Vector | None = None
    pose_acc: Vector | None = None
    seat_m: float | None = None
    away: Away | None = None
    spans: tuple[Span, ...] = ()
    dirty_ns: int | None = None
    happened: tuple[Happening, ...] = ()

    def at(self, tick: int) -> int:
        """UTC of a tick, ns."""
        return self.origin_ns + tick * TICK_NS


TICK_NS = 50_000_000


def say(course: Course, from_ns: int, label: PostureLabel, confidence: float, detail: str | None = None) -> Course:
    """Say what holds from a time on, in place of anything said of that time before."""
    kept = tuple(span for span in course.spans if span.start_ns < from_ns)
    if kept and (kept[-1].label, kept[-1].detail, kept[-1].confidence) == (label, detail, confidence):
        if len(kept) == len(course.spans):
            return course
        spans = kept
    else:
        spans = (*kept, Span(from_ns, label, detail, confidence))
    dirty = from_ns if course.dirty_ns is None else min(course.dirty_ns, from_ns)
    return evolve(course, spans=spans, dirty_ns=dirty)


def say_again(course: Course, from_ns: int, old: PostureLabel, new: PostureLabel, confidence: float) -> Course:
    """Call by another name what was said since a time."""
    spans = tuple(
        evolve(span, label=new, detail=None, confidence=confidence)
        if span.label is old and span.start_ns >= from_ns
        else span
        for span in course.spans
    )
    if spans == course.spans:
        return course
    dirty = from_ns if course.dirty_ns is None else min(course.dirty_ns, from_ns)
    return evolve(course, spans=spans, dirty_ns=dirty)
