"""Posture as an operator on seconds: rows, angles and events out, and the rows that change no more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import get_args

from analytics._evolve import evolve
from analytics._window import FloatArray, Window
from analytics.posture import _beside, _calibration, _course, _seconds, _stream, _twist
from analytics.posture._angles import RATE_HZ, Inclination, inclination
from analytics.posture._beside import Beside
from analytics.posture._calibration import Calibration, Method, Word
from analytics.posture._limits import EXPIRES_GAP_S, NOT_WORN_S
from analytics.posture._prepared import Prepared, prepare
from analytics.posture._records import Base, Course, Happening, say
from analytics.posture._seconds import Numbers, Second, Seconds, Walking
from analytics.posture._stream import StreamState
from analytics.posture._ticks import LAG, TICK_HZ
from analytics.posture._twist import Twist
from analytics.posture._vectors import Vector
from sagittal.names import PostureLabel, Site
from sagittal.results import Angles, Event, EventName, Posture
from sagittal.units import NS_PER_S

_AWAIT_WALK_NS = 10 * NS_PER_S
_LAG_NS = LAG * NS_PER_S // TICK_HZ
_EVENTS = frozenset(get_args(EventName))


@dataclass(frozen=True)
class PostureState:
    """Everything that posture remembers of a wearer."""

    stream: StreamState = field(default_factory=StreamState)
    seconds: Seconds = field(default_factory=Seconds)
    calibration: Calibration = field(default_factory=Calibration)
    beside: dict[str, Beside] = field(default_factory=dict)
    twist: Twist | None = None
    motionless_s: int = 0
    begun: bool = False
    end_ns: int = 0


@dataclass(frozen=True)
class Seen:
    """What a second led to.

    `rows` holds seconds that are said anew, oldest first, the newest last; `settled` those that change no more.
    """

    rows: list[Posture] = field(default_factory=list)
    angles: Angles | None = None
    events: list[Event] = field(default_factory=list)
    settled: list[Posture] = field(default_factory=list)


def posture_prepare(state: PostureState, rows: FloatArray, quat: FloatArray) -> Sequence[Prepared]:
    """What the next K seconds of one segment show by themselves, each the same to the last bit for every K.

    Until the last of them is taken the state may go on by `posture_walks`, `posture_mounting` and `posture_calibrate`,
    not by `posture_break`.

    Parameters
    ----------
    rows
        (K, 100, 6) acc in m/s² as the sensor reads it and gyr in rad/s without its bias.
    quat
        (K, 100, 4) sensor → earth, scalar first, z up.
    """
    stream = state.stream if state.begun else StreamState()
    return prepare(stream.tail, stream.buffer, rows, quat)


def posture_step(
    state: PostureState,
    second: Prepared,
    start_ns: int,
    *,
    walking: bool,
    cadence_spm: float | None,
    decided_ns: int,
    version: str,
    others: Mapping[str, Window] = MappingProxyType({}),
    lead: FloatArray | None = None,
) -> tuple[PostureState, Seen]:
    """Take a second.

    Parameters
    ----------
    second
        The next one of those that `posture_prepare` made from this state or one before it without a break since.
    start_ns
        UTC of the first row.
    walking, cadence_spm
        The quick look's word on this second.
    decided_ns
        Up to which the accurate gait analysis has spoken; its walks go to `posture_walks`.
    others
        Windows of further sites over the same second, by name.
    lead
        (100, 9) acc, gyr and up of the leading sensor; without it nothing is said of twist.
    """
    state, words = _begun(state, start_ns)
    stream, up = _stream.look(state.stream, second, walking=walking)
    calibration, course, more = _calibration.go_on(
        state.calibration, stream.course, up, start_ns, still=stream.is_still
    )
    words += more
    if walking:
        calibration, more = _calibration.confirmed(calibration, course, start_ns)
        words += more
    else:
        calibration, course, more = _calibration.aged(calibration, course, start_ns)
        words += more
    stream = stream if course is stream.course else evolve(stream, course=course)
    state = evolve(state, stream=stream, calibration=calibration, end_ns=start_ns + NS_PER_S)
    state, worn = _worn(state, start_ns, version, slow=second.slow)
    angles = inclination(state.stream.course, up)
    numbers = _numbers(calibration, angles)
    if others:
        state, numbers = _beside_too(state, second.acc, others, numbers, walking=walking)
    if lead is not None and (str(Site.UPPER_TRUNK) in others or state.twist is not None):
        state, numbers = _twisted(state, lead, others, numbers, walking=walking)
    told = Second(start_ns, numbers, walking, cadence_spm, version)
    seconds = _seconds.decide(_seconds.add(state.seconds, told), [], decided_ns)
    state, said, settled = _tell(evolve(state, seconds=seconds), start_ns)
    state, happened = _happened(state, version)
    events = [*worn, *(_spoken(word, start_ns, version) for word in words), *happened]
    return state, Seen(said, _angles(angles, start_ns), events, settled)


def posture_walks(state: PostureState, walks: list[Walking], decided_ns: int) -> PostureState:
    """Take walks as the gait analysis tells them; a later one with the same start replaces an earlier one."""
    return evolve(state, seconds=_seconds.decide(state.seconds, walks, decided_ns))


def posture_mounting(
    state: PostureState, forward: Vector, start_ns: int, *, slipped: bool, version: str
) -> tuple[PostureState, list[Event]]:
    """Take the walking direction in the sensor frame; `slipped` where the sensor sits otherwise than before."""
    stream, calibration = state.stream, state.calibration
    words: list[Word] = []
    if slipped:
        words.append(Word("sensor_moved", "The sensor has moved; the walking since then counts.", 0.0, {}))
        stream = _stream.slipped(stream)
        calibration = evolve(calibration, known=False, by_bends=False)
    if not calibration.by_bends:
        stream = evolve(stream, course=evolve(stream.course, forward=forward))
    calibration, more = _calibration.confirmed(calibration, stream.course, start_ns)
    words += more
    return evolve(state, stream=stream, calibration=calibration), [_spoken(one, start_ns, version) for one in words]


def posture_calibrate(state: PostureState, method: Method) -> PostureState:
    """A person asks for a calibration: five still seconds upright, or three bends forwards."""
    return evolve(state, calibration=_calibration.ask(state.calibration, method))


def posture_break(state: PostureState, *, last: bool = False) -> tuple[PostureState, Seen]:
    """The samples end here: what was said of them stands."""
    state = evolve(state, seconds=_seconds.last_word(state.seconds))
    state, said, settled = _tell(state, None) if state.seconds.pending else (state, [], [])
    if last or state.begun:
        seconds, more = _seconds.settle(state.seconds, state.end_ns + NS_PER_S)
        state, settled = evolve(state, seconds=evolve(seconds, before=None)), [*settled, *more]
    return evolve(state, begun=False, twist=None), Seen(rows=said, settled=settled)


def _begun(state: PostureState, start_ns: int) -> tuple[PostureState, list[Word]]:
    """The first second after a gap, or at all."""
    if state.begun:
        return state, []
    stream = _stream.begin(state.stream, start_ns)
    words: list[Word] = []
    calibration, course = state.calibration, stream.course
    if state.end_ns and start_ns - state.end_ns > EXPIRES_GAP_S * NS_PER_S:
        text = "There was a long silence: stand still or walk to calibrate."
        calibration, course, words = _calibration.expire(calibration, course, text, start_ns)
    stream = evolve(stream, course=course)
    return evolve(state, stream=stream, calibration=calibration, begun=True, motionless_s=0), words


def _worn(state: PostureState, start_ns: int, version: str, *, slow: bool) -> tuple[PostureState, list[Event]]:
    """Nobody is as still as a table."""
    before = state.motionless_s
    if not state.stream.is_still and not before:
        return state, []
    still = state.stream.is_still and slow
    if not still and not before:
        return state, []
    state = evolve(state, motionless_s=before + 1 if still else 0)
    course = state.stream.course
    if state.motionless_s == NOT_WORN_S:
        course = say(course, start_ns - (NOT_WORN_S // 2) * NS_PER_S, PostureLabel.NOT_WORN, 0.7)
        course = evolve(course, base=Base.NONE, away=None)
        state = evolve(state, stream=evolve(state.stream, course=course))
        return state, [_spoken(Word("not_worn", "The sensor lies still: it is not worn.", 0.7, {}), start_ns, version)]
    if before >= NOT_WORN_S and not still:
        calibration, course, words = _calibration.expire(
            state.calibration, course, "The sensor was taken off: stand still or walk to calibrate.", start_ns
        )
        course = say(course, start_ns, PostureLabel.UNKNOWN, 0.0)
        state = evolve(state, stream=evolve(state.stream, course=course), calibration=calibration)
        return state, [_spoken(word, start_ns, version) for word in (Word("worn", "", 0.7, {}), *words)]
    return state, []


def _tell(state: PostureState, now_ns: int | None) -> tuple[PostureState, list[Posture], list[Posture]]:
    """Say what is to be said of the seconds, and let go of those that stand."""
    stream = state.stream
    course = stream.course
    seconds, said = _seconds.tell(state.seconds, course.spans, course.dirty_ns)
    settled: list[Posture] = []
    if now_ns is not None:
        seconds, settled = _seconds.settle(seconds, _standing_ns(course, seconds, now_ns))
    spans = _seconds.prune(course.spans, seconds.pending[0].t_ns if seconds.pending else 0)
    if course.dirty_ns is not None or spans is not course.spans:
        stream = evolve(stream, course=evolve(course, dirty_ns=None, spans=spans))
    return evolve(state, stream=stream, seconds=seconds), said, settled


def _standing_ns(course: Course, seconds: Seconds, now_ns: int) -> int:
    """Up to when nothing changes any more."""
    until = min(seconds.decided_ns - _AWAIT_WALK_NS, now_ns - 2 * NS_PER_S)
    if course.away is not None:
        until = min(until, course.away.left_ns - NS_PER_S)
    if course.base is Base.UPRIGHT:
        until = min(until, course.base_ns - NS_PER_S)
    return until


def _beside_too(
    state: PostureState, lead: FloatArray, others: Mapping[str, Window], numbers: Numbers, *, walking: bool
) -> tuple[PostureState, Numbers]:
    """With what further sensors learn from walking and say of the second."""
    stream = state.stream
    beside = _beside.learn(state.beside, lead, others) if walking else state.beside
    added = _beside.add(beside, stream.course, others, numbers.flexion_deg, numbers.lateral_deg)
    if added.thigh_deg is not None and stream.is_still:
        end_ns = stream.course.at(stream.end)
        stream = evolve(stream, course=_course.with_thigh(stream.course, added.thigh_deg, end_ns))
    numbers = evolve(numbers, lumbar_flexion_deg=added.lumbar_flexion_deg, lumbar_lateral_deg=added.lumbar_lateral_deg)
    return evolve(state, beside=beside, stream=stream), numbers


def _twisted(
    state: PostureState,
    lead: FloatArray,
    others: Mapping[str, Window],
    numbers: Numbers,
    *,
    walking: bool,
) -> tuple[PostureState, Numbers]:
    """With how far the upper trunk is turned against the pelvis, or why that is not known."""
    flexion, lateral = numbers.flexion_deg, numbers.lateral_deg
    pelvis = None if flexion is None or lateral is None else math.hypot(flexion, lateral)
    trunk = others.get(str(Site.UPPER_TRUNK))
    tilts = (pelvis, _beside.trunk_tilt_deg(state.beside, others))
    twist, turned = _twist.follow(state.twist, lead, trunk, walking=walking, tilts_deg=tilts)
    numbers = evolve(
        numbers,
        lumbar_rotation_deg=turned.rotation_deg,
        lumbar_rotation_error_deg=turned.error_deg,
        lumbar_rotation_reason=turned.reason,
    )
    return evolve(state, twist=twist), numbers


def _numbers(calibration: Calibration, angles: Inclination) -> Numbers:
    flexion, lateral = angles.flexion_deg, angles.lateral_deg
    if flexion is None or lateral is None:
        return Numbers(angle_reason=angles.reason)
    mean = sum(flexion) / RATE_HZ
    return Numbers(
        flexion_deg=round(mean, 2),
        flexion_min_deg=min(flexion),
        flexion_max_deg=max(flexion),
        lateral_deg=round(sum(lateral) / RATE_HZ, 2),
        lateral_min_deg=min(lateral),
        lateral_max_deg=max(lateral),
        slouch_percent=_slouch(calibration, mean),
    )


def _slouch(calibration: Calibration, flexion_deg: float) -> float | None:
    """Flexion in the wearer's own range: 0 upright, 100 the deepest calibrated bend."""
    if calibration.range_deg is None:
        return None
    return round(100.0 * max(0.0, flexion_deg) / calibration.range_deg, 1)


def _angles(angles: Inclination, start_ns: int) -> Angles:
    absent: list[float | None] = [None] * RATE_HZ
    return Angles(
        t_ns=start_ns - _LAG_NS,
        dt_ns=NS_PER_S // RATE_HZ,
        flexion_deg=absent if angles.flexion_deg is None else [*angles.flexion_deg],
        lateral_deg=absent if angles.lateral_deg is None else [*angles.lateral_deg],
    )


def _happened(state: PostureState, version: str) -> tuple[PostureState, list[Event]]:
    course = state.stream.course
    if not course.happened:
        return state, []
    events = [_told(one, version) for one in course.happened if one.name in _EVENTS]
    return evolve(state, stream=evolve(state.stream, course=evolve(course, happened=()))), events


def _told(one: Happening, version: str) -> Event:
    return Event(
        t_ns=one.start_ns,
        event=one.name,  # type: ignore[arg-type]  # held to the names of events by the caller
        duration_s=round(one.duration_s, 2),
        values=one.values,
        confidence=one.confidence,
        version=version,
    )


def _spoken(word: Word, ns: int, version: str) -> Event:
    return Event(
        t_ns=ns,
        event=word.name,
        text=word.text,
        values=word.values,
        tags=list(word.tags),
        confidence=round(word.quality, 2),
        version=version,
    )
