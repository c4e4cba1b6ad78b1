"""Posture as an operator on seconds: rows, angles and events out, and the rows that change no more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, get_args

import numpy as np

from analytics._evolve import evolve
from analytics._window import FloatArray, Window
from analytics.posture import _beside, _calibration, _course, _seconds, _stream, _twist
from analytics.posture._angles import (
    RATE_HZ,
    Inclination,
    Numbers,
    absent,
    axes_between,
    axes_of,
    inclination,
    inclinations,
)
from analytics.posture._beside import Beside
from analytics.posture._calibration import Calibration, Method, Word
from analytics.posture._limits import EXPIRES_GAP_S, NOT_WORN_S
from analytics.posture._prepared import Prepared, prepare
from analytics.posture._records import Base, Course, Happening, say
from analytics.posture._seconds import Second, Seconds, Walking
from analytics.posture._stream import StreamState
from analytics.posture._ticks import LAG, TICK_HZ
from analytics.posture._twist import Twist
from analytics.posture._vectors import Vector
from sagittal.names import PostureLabel, Site
from sagittal.results import Angles, Event, EventName, Posture
from sagittal.units import NS_PER_S

_AWAIT_WALK_NS = 10 * NS_PER_S
_LAG_NS = LAG * NS_PER_S // TICK_HZ
_DT_NS = NS_PER_S // RATE_HZ
_TRUNK = str(Site.UPPER_TRUNK)
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


class Seen(NamedTuple):
    """What a second led to.

    `rows` holds seconds that are said anew, oldest first, the newest last; `settled` those that change no more.
    """

    rows: list[Posture]
    angles: Angles | None
    events: list[Event]
    settled: list[Posture]


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
    words: list[Word] = []
    if not state.begun:
        state, words = _begun(state, start_ns)
    stream, resting = _stream.look(state.stream, second, walking=walking)
    calibration, course, more = _calibrated(state.calibration, stream, second, start_ns, walking=walking)
    motionless_s = state.motionless_s + 1 if stream.is_still and second.slow else 0
    worn: list[Word] = []
    if max(motionless_s, state.motionless_s) >= NOT_WORN_S:
        calibration, course, worn = _worn(state.motionless_s, motionless_s, calibration, course, start_ns)
    angles = _inclination(second, course, stream.earth_up, state.stream.bias.mps2 if resting else None)
    numbers, beside, twist = _numbers(angles, calibration), state.beside, state.twist
    if others:
        beside = _beside.learn(beside, second.acc, others) if walking else beside
        numbers, course = _beside_too(beside, stream, course, others, numbers)
    if lead is not None and (twist is not None or _TRUNK in others):
        twist, numbers = _with_twist(twist, lead, beside, others, numbers, walking=walking)
    decided_ns = max(decided_ns, state.seconds.decided_ns)
    standing_ns = _standing_ns(course, decided_ns, start_ns)
    told = Second(start_ns, numbers, walking, cadence_spm, version)
    seconds, said, settled = _seconds.take(state.seconds, told, decided_ns, course.spans, course.dirty_ns, standing_ns)
    spoken = [*worn, *words, *more]
    events = _events(spoken, course.happened, start_ns, version) if spoken or course.happened else []
    state = evolve(
        state,
        stream=_with_course(stream, course, seconds),
        seconds=seconds,
        calibration=calibration,
        beside=beside,
        twist=twist,
        motionless_s=motionless_s,
        end_ns=start_ns + NS_PER_S,
    )
    return state, Seen(said, _angles(angles, start_ns), events, settled)


def posture_goes_on(state: PostureState, seconds: Sequence[Prepared], start_ns: int, walking: Sequence[bool]) -> int:
    """How many of the seconds that follow from a time on `posture_go_on` may take: all at rest, or all of a walk."""
    calibration = state.calibration
    if not state.begun or calibration.method or state.twist is not None or state.motionless_s >= NOT_WORN_S:
        return 0
    count = _stream.goes_on(state.stream, seconds, walking)
    if count and walking[0]:
        return count if calibration.known else 0
    count = next((n for n, one in enumerate(seconds[:count]) if one.slow), count)
    aged = _calibration.outdated(calibration, state.stream.course, start_ns + count * NS_PER_S)
    return 0 if aged else count


def posture_go_on(
    state: PostureState,
    seconds: Sequence[Prepared],
    start_ns: int,
    *,
    cadence_spm: Sequence[float | None],
    decided_ns: Sequence[int],
    version: str,
) -> tuple[PostureState, list[Seen]]:
    """Take as many seconds as `posture_goes_on` says: the same as `posture_step` with one after the other.

    No other site is known; `cadence_spm` and `decided_ns` are each one's, without cadence nobody walks.
    """
    end_ns = start_ns + len(seconds) * NS_PER_S
    calibration, times = state.calibration, range(start_ns, end_ns, NS_PER_S)
    if cadence_spm[0] is None:
        stream, found = _stream.rest(state.stream, seconds), _at_rest(seconds, state.stream)
    else:
        stream, found = _walking_on(seconds, state.stream)
        calibration, _ = _calibration.confirmed(calibration, stream.course, times[-1])
    course = stream.course
    told = [
        Second(ns, _numbers(angles, calibration), spm is not None, spm, version)
        for ns, angles, spm in zip(times, found, cadence_spm, strict=True)
    ]
    decided_ns = [max(one, state.seconds.decided_ns) for one in decided_ns]
    standing_ns = [_standing_ns(course, decided, ns) for decided, ns in zip(decided_ns, times, strict=True)]
    kept, said = _seconds.take_all(state.seconds, told, decided_ns, course.spans, standing_ns)
    seen = [
        Seen(rows, _angles(angles, ns), [], settled)
        for (rows, settled), angles, ns in zip(said, found, times, strict=True)
    ]
    stream = _with_course(stream, course, kept)
    return evolve(state, stream=stream, seconds=kept, calibration=calibration, motionless_s=0, end_ns=end_ns), seen


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
    seconds, course = _seconds.last_word(state.seconds), state.stream.course
    said: list[Posture] = []
    settled: list[Posture] = []
    if seconds.pending:
        seconds, said, _ = _seconds.tell(seconds, course.spans, course.dirty_ns, None)
    stream = _with_course(state.stream, course, seconds)
    if last or state.begun:
        seconds, settled = _seconds.settle(seconds, state.end_ns + NS_PER_S)
        seconds = evolve(seconds, before=None)
    state = evolve(state, seconds=seconds, stream=stream, begun=False, twist=None)
    return state, Seen(said, None, [], settled)


def _begun(state: PostureState, start_ns: int) -> tuple[PostureState, list[Word]]:
    """The first second after a gap, or at all."""
    stream = _stream.begin(state.stream, start_ns)
    words: list[Word] = []
    calibration, course = state.calibration, stream.course
    if state.end_ns and start_ns - state.end_ns > EXPIRES_GAP_S * NS_PER_S:
        text = "There was a long silence: stand still or walk to calibrate."
        calibration, course, words = _calibration.expire(calibration, course, text, start_ns)
    stream = evolve(stream, course=course)
    return evolve(state, stream=stream, calibration=calibration, begun=True, motionless_s=0), words


def _calibrated(
    calibration: Calibration, stream: StreamState, second: Prepared, start_ns: int, *, walking: bool
) -> tuple[Calibration, Course, list[Word]]:
    """What was asked for goes on, what is known stays fresh or ages."""
    course = stream.course
    if not calibration.method:
        return _calibration.freshened(calibration, course, start_ns, walking=walking)
    up = second.up(stream.earth_up).T
    calibration, course, words = _calibration.go_on(calibration, course, up, start_ns, still=stream.is_still)
    calibration, course, more = _calibration.freshened(calibration, course, start_ns, walking=walking)
    return calibration, course, [*words, *more]


def _with_course(stream: StreamState, course: Course, seconds: Seconds) -> StreamState:
    """With a course of which all has been told, as far back as there are seconds that may change."""
    spans = _seconds.prune(course.spans, seconds.pending[0].t_ns if seconds.pending else 0)
    if spans is not course.spans or course.dirty_ns is not None or course.happened:
        course = evolve(course, spans=spans, dirty_ns=None, happened=())
    return stream if course is stream.course else evolve(stream, course=course)


def _worn(
    before_s: int, motionless_s: int, calibration: Calibration, course: Course, start_ns: int
) -> tuple[Calibration, Course, list[Word]]:
    """Nobody is as still as a table: seconds without any motion, before this one and with it."""
    if motionless_s == NOT_WORN_S and before_s < NOT_WORN_S:
        course = say(course, start_ns - (NOT_WORN_S // 2) * NS_PER_S, PostureLabel.NOT_WORN, 0.7)
        course = evolve(course, base=Base.NONE, away=None)
        return calibration, course, [Word("not_worn", "The sensor lies still: it is not worn.", 0.7, {})]
    if before_s >= NOT_WORN_S and not motionless_s:
        text = "The sensor was taken off: stand still or walk to calibrate."
        calibration, course, words = _calibration.expire(calibration, course, text, start_ns)
        return calibration, say(course, start_ns, PostureLabel.UNKNOWN, 0.0), [Word("worn", "", 0.7, {}), *words]
    return calibration, course, []


def _standing_ns(course: Course, decided_ns: int, now_ns: int) -> int:
    """Up to when nothing changes any more."""
    until = min(decided_ns - _AWAIT_WALK_NS, now_ns - 2 * NS_PER_S)
    if course.away is not None:
        until = min(until, course.away.left_ns - NS_PER_S)
    if course.base is Base.UPRIGHT:
        until = min(until, course.base_ns - NS_PER_S)
    return until


def _beside_too(
    beside: dict[str, Beside], stream: StreamState, course: Course, others: Mapping[str, Window], numbers: Numbers
) -> tuple[Numbers, Course]:
    """With what further sensors say of the second."""
    added = _beside.add(beside, course, others, numbers.get("flexion_deg"), numbers.get("lateral_deg"))
    if added.thigh_deg is not None and stream.is_still:
        course = _course.with_thigh(course, added.thigh_deg, course.at(stream.end))
    told = {"lumbar_flexion_deg": added.lumbar_flexion_deg, "lumbar_lateral_deg": added.lumbar_lateral_deg}
    return numbers | told, course


def _with_twist(
    state: Twist | None,
    lead: FloatArray,
    beside: dict[str, Beside],
    others: Mapping[str, Window],
    numbers: Numbers,
    *,
    walking: bool,
) -> tuple[Twist | None, Numbers]:
    """With how far the upper trunk is turned against the pelvis, or why that is not known."""
    flexion, lateral = numbers.get("flexion_deg"), numbers.get("lateral_deg")
    pelvis = None if flexion is None or lateral is None else math.hypot(flexion, lateral)
    tilts = (pelvis, _beside.trunk_tilt_deg(beside, others))
    trunk = others.get(_TRUNK)
    state, turned = _twist.follow(state, lead, trunk, walking=walking, tilts_deg=tilts)
    told = {
        "lumbar_rotation_deg": turned.rotation_deg,
        "lumbar_rotation_error_deg": turned.error_deg,
        "lumbar_rotation_reason": turned.reason,
    }
    return state, numbers | told


def _inclination(second: Prepared, course: Course, earth_up: Vector, offset: Vector | None) -> Inclination:
    """The angles of a second; `offset` is the sensor's by which `earth_up` was read off at rest, None in motion."""
    if course.reference is None or course.forward is None:
        return absent(course.reference)
    if offset is not None:
        return second.batch.rest.inclination(second.place, earth_up, offset, course.reference, course.forward)
    return inclination(second.up_10hz(earth_up), axes_of(course.reference, course.forward))


def _at_rest(seconds: Sequence[Prepared], stream: StreamState) -> Sequence[Inclination]:
    """The angles of seconds at rest."""
    course, first, count = stream.course, seconds[0], len(seconds)
    if course.reference is None or course.forward is None:
        return [absent(course.reference)] * count
    earth_up = _stream.earth_up_at_rest(stream, first)
    return first.batch.rest.inclinations(
        first.place, count, earth_up, stream.bias.mps2, course.reference, course.forward
    )


def _walking_on(seconds: Sequence[Prepared], stream: StreamState) -> tuple[StreamState, Sequence[Inclination]]:
    """Seconds of a walk, and their angles: upright is what the walk so far has told."""
    stream, ups, references = _stream.walk(stream, seconds)
    forward = stream.course.forward
    if forward is None:
        return stream, [absent(stream.course.reference)] * len(seconds)
    first = seconds[0]
    earth_up, pairs = np.array(ups)[:, None], first.batch.pairs[first.place : first.place + len(seconds)]
    axes = np.array([axes_between(reference, forward) for reference in references])
    return stream, inclinations((earth_up @ pairs).reshape(-1, 3, RATE_HZ), axes)


def _numbers(angles: Inclination, calibration: Calibration) -> Numbers:
    """What a row says of angles, with flexion in the wearer's own range: 0 upright, 100 the deepest calibrated bend."""
    if calibration.range_deg is None or angles.flexion_deg is None:
        return angles.numbers
    percent = round(100.0 * max(0.0, angles.numbers["flexion_deg"]) / calibration.range_deg, 1)
    return angles.numbers | {"slouch_percent": percent}


def _angles(angles: Inclination, start_ns: int) -> Angles:
    return Angles(
        t_ns=start_ns - _LAG_NS,
        dt_ns=_DT_NS,
        flexion_deg=angles.flexion_deg or [None] * RATE_HZ,
        lateral_deg=angles.lateral_deg or [None] * RATE_HZ,
    )


def _events(words: Sequence[Word], happened: Sequence[Happening], ns: int, version: str) -> list[Event]:
    """Words of this second, and what has happened."""
    told = [_told(one, version) for one in happened if one.name in _EVENTS]
    return [*(_spoken(word, ns, version) for word in words), *told]


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
