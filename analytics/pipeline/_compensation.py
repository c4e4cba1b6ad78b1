"""Compensation as the walking goes on: evidence gathered bout by bout, judged whenever a bout is told, summed up.

Bouts come from the gait analysis, told while they grow and once more when they end. Their samples are taken from what
that analysis still holds, wait as float32 until a piece is long enough, become sums, and are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics._evolve import evolve
from analytics._mounting import Mounting
from analytics._window import GRID_HZ, FloatArray, Window
from analytics.compensation import (
    Assessment,
    Course,
    Declines,
    GaitEvidence,
    Inclination,
    WalkingPosture,
    analyse_stretch,
    assess,
    bend_statistics,
)
from analytics.gait import Bout, GaitResult, GaitState
from analytics.pipeline._grid import ROW_NS, Hop
from sagittal.names import PRIMARY_SITES, PostureLabel
from sagittal.results import Event, Posture, Result
from sagittal.units import NS_PER_S

PIECE_S = 20
"""Walking is analysed in pieces of at least this, so that few strides are lost at seams."""
MARGIN_S = 1.0
"""Taken before and after a bout: first and last strides are left out, so these may be the steps beside it."""
PAUSE_S = 30
"""Bouts with a shorter pause between them, standing, are one walk where decline is concerned."""
MOST_BENDS = 100
POSED = "pose"
"""Tag of the event `calibrated` where upright comes from a pose."""
_BRIDGED_S = 120
_SEATED = (PostureLabel.SITTING, PostureLabel.LYING)
_RESTS = (*_SEATED, PostureLabel.BENDING)

_NONE = np.zeros((0, 9), dtype=np.float32)
"""No samples; an empty piece of those that were would keep them all in memory."""

Bend = tuple[float, float]
"""Depth, degrees, and peak speed, degrees per second."""

Sites = Callable[[int, int], dict[str, Window]]
"""Windows of the other sites from a UTC on, over so many rows."""


@dataclass(frozen=True)
class OpenBout:
    """A bout that goes on: which one, the row up to which it was taken, samples that wait, and its sums.

    `offset_s` is when it began, counted from the start of its walk.
    """

    segment_ns: int
    start_row: float
    taken: int
    offset_s: float = 0.0
    waiting: NDArray[np.float32] = field(default_factory=lambda: _NONE)
    evidence: GaitEvidence = field(default_factory=GaitEvidence)
    course: Course = field(default_factory=Course)

    @property
    def first(self) -> int:
        """Row of the first sample that waits."""
        return self.taken - len(self.waiting)


@dataclass(frozen=True)
class Walking:
    """One walk, short pauses included: when it began, where its last bout ended, its course, rest since then."""

    start_ns: int
    end_ns: int
    course: Course = field(default_factory=Course)
    rested_s: float = 0.0


@dataclass(frozen=True)
class CompensationState:
    """Between two seconds: the open bout, rows bridged lately, the walk so far, and the sums of the day and of all.

    `posed` says that upright is known from a pose, so that the inclination of walking can be told against it;
    `longest` is the course of the day's longest walk.
    """

    bout: OpenBout | None = None
    bridged: tuple[tuple[int, int], ...] = ()
    inclination: Inclination = field(default_factory=Inclination)
    walking: Walking | None = None
    posed: bool = False
    declines: Declines = field(default_factory=Declines)
    longest: Course = field(default_factory=Course)
    day: GaitEvidence = field(default_factory=GaitEvidence)
    day_inclination: Inclination = field(default_factory=Inclination)
    bends: tuple[Bend, ...] = ()
    whole: GaitEvidence = field(default_factory=GaitEvidence)


@dataclass(frozen=True, slots=True)
class Second:
    """What the gait analysis spoke about: its state before, the samples that came, the other sites', the mounting now.

    `fresh` holds (n, 9) acc, gyr and up of the lower back.
    """

    gait: GaitState
    hop: Hop
    fresh: FloatArray | None
    sites: Sites
    mounting: Mounting

    def rows(self, first: int, last: int) -> tuple[int, list[FloatArray]]:
        """The first row that is still held, and (n, 9) samples from there on, second by second."""
        seconds = self.gait.seconds if self.fresh is None else (*self.gait.seconds, self.fresh)
        if not seconds:
            return last, []
        start = self.gait.start if self.gait.seconds else self.hop.index
        first = max(first, start)
        skip = (first - start) // GRID_HZ
        held = zip(range(start + skip * GRID_HZ, last, GRID_HZ), seconds[skip:], strict=False)
        return first, [samples[max(first - row, 0) : last - row] for row, samples in held]


def listen(
    state: CompensationState, second: Second, said: Sequence[GaitResult], version: str
) -> tuple[CompensationState, dict[float, Assessment], list[Event]]:
    """Take what the gait analysis said about a second; every bout's assessment by the bout's first row, and events."""
    judged: dict[float, Assessment] = {}
    events: list[Event] = []
    for bout in said:
        if isinstance(bout, Bout):
            state, told = _opened(state, second.hop.segment_ns, bout, version)
            state, judged[bout.start_row] = _take(state, second, bout)
            events += told
    return state, judged, events


def oldest_ns(state: CompensationState, gait: GaitState, segment_ns: int) -> int:
    """UTC before which no samples of other sites will be asked for."""
    first = gait.start if state.bout is None else min(gait.start, state.bout.first)
    return segment_ns + first * ROW_NS


def hear(state: CompensationState, result: Result, version: str) -> tuple[CompensationState, list[Event]]:
    """Take what the rest of the pipeline said: inclination while walking, bends; a walk that has ended."""
    if isinstance(result, Posture):
        return _posture(state, result, version)
    if isinstance(result, Event) and result.event in ("calibrated", "sensor_moved", "calibration_expired"):
        posed = result.event == "calibrated" and (state.posed or POSED in result.tags)
        return evolve(state, posed=posed), []
    if isinstance(result, Event) and result.event == "bend":
        depth, speed = result.values.get("flexion_max_deg"), result.values.get("peak_speed_dps")
        if depth is not None and speed is not None:
            state = evolve(state, bends=(*state.bends[1 - MOST_BENDS :], (depth, speed)))
    return state, []


def settle(state: CompensationState, row: Posture) -> CompensationState:
    """Take a second that changes no more: rest after a walk."""
    walk = state.walking
    if row.posture not in _RESTS:
        return state
    if walk is None:
        known = state.declines.pending is not None
        return evolve(state, declines=state.declines.add_rest(1.0)) if known else state
    return evolve(state, walking=evolve(walk, rested_s=walk.rested_s + 1.0)) if row.t_ns > walk.end_ns else state


def ended(state: CompensationState, version: str) -> tuple[CompensationState, list[Event]]:
    """Count the walk that went on as ended: whether it declined, and whether it answers for a decline before."""
    walk = state.walking
    if walk is None:
        return state, []
    counted = state.declines.add_walk(walk.course).add_rest(walk.rested_s)
    events = [_relief(walk, version)] if counted.relieved > state.declines.relieved else []
    longest = walk.course if walk.course.minutes >= state.longest.minutes else state.longest
    return evolve(state, declines=counted, walking=None, longest=longest), events


def new_day(state: CompensationState) -> CompensationState:
    """The sums of the day begin anew; what is open goes on."""
    declines = Declines(rested_s=state.declines.rested_s, pending=state.declines.pending)
    return evolve(
        state,
        day=GaitEvidence(),
        day_inclination=Inclination(),
        bends=(),
        declines=declines,
        longest=Course(),
    )


def assessed(state: CompensationState, evidence: GaitEvidence) -> Assessment:
    """Evidence of many bouts, with the day's inclination, bends and long walks."""
    return _assessed(evidence, state.longest, state.declines, state.day_inclination, state.bends)


@lru_cache(maxsize=32)
def _assessed(
    evidence: GaitEvidence, longest: Course, declines: Declines, inclination: Inclination, bends: tuple[Bend, ...]
) -> Assessment:
    """Evidence is what it is by identity, so a day without new walking is judged once."""
    several = declines if declines.walks > 1 else None
    statistics = bend_statistics(bends)
    return assess(evidence, course=longest, declines=several, posture=inclination.posture(), bends=statistics)


def restored(plain: Mapping[str, Any]) -> CompensationState:
    """The state from its saved values."""
    bout, walking = plain["bout"], plain["walking"]
    return CompensationState(
        bout=None if bout is None else OpenBout(**{**bout, **_sums(bout)}),
        bridged=tuple((int(start), int(end)) for start, end in plain["bridged"]),
        inclination=Inclination(**plain["inclination"]),
        walking=None if walking is None else Walking(**{**walking, "course": Course.from_dict(walking["course"])}),
        posed=bool(plain["posed"]),
        declines=Declines.from_dict(plain["declines"]),
        longest=Course.from_dict(plain["longest"]),
        day=GaitEvidence.from_dict(plain["day"]),
        day_inclination=Inclination(**plain["day_inclination"]),
        bends=tuple((float(depth), float(speed)) for depth, speed in plain["bends"]),
        whole=GaitEvidence.from_dict(plain["whole"]),
    )


def _sums(bout: Mapping[str, Any]) -> dict[str, Any]:
    return {"evidence": GaitEvidence.from_dict(bout["evidence"]), "course": Course.from_dict(bout["course"])}


def _opened(
    state: CompensationState, segment_ns: int, bout: Bout, version: str
) -> tuple[CompensationState, list[Event]]:
    """With the bout open: one that goes on, or a new one in the walk that goes on or in a new walk."""
    known = state.bout
    if known is not None and (known.segment_ns, known.start_row) == (segment_ns, bout.start_row):
        return state, []
    start_ns = segment_ns + round(bout.start_row * ROW_NS)
    walk = state.walking
    events: list[Event] = []
    if walk is None or start_ns - walk.end_ns > PAUSE_S * NS_PER_S:
        state, events = ended(state, version)
        walk = Walking(start_ns, start_ns)
    offset_s = (start_ns - walk.start_ns) / NS_PER_S
    return evolve(state, walking=walk, bout=OpenBout(segment_ns, bout.start_row, int(bout.start_row), offset_s)), events


def _take(state: CompensationState, second: Second, bout: Bout) -> tuple[CompensationState, Assessment]:
    """The rows of an open bout that became known, and its assessment so far."""
    assert state.bout is not None
    assert state.walking is not None
    last = bout.end_row + MARGIN_S * GRID_HZ * bout.final
    known, walk = _with_rows(state.bout, second, int(last) + 1), state.walking
    if bout.final or len(known.waiting) >= PIECE_S * GRID_HZ:
        known = _analysed(known, state.bridged, second)
    judged = _judged(known.evidence, walk.course, known.course, state.inclination.posture())
    if not bout.final:
        return evolve(state, bout=known), judged
    return evolve(
        state,
        bout=None,
        walking=Walking(
            walk.start_ns, known.segment_ns + round(bout.end_row * ROW_NS), walk.course.merge(known.course)
        ),
        inclination=Inclination(),
        day=state.day.merge(known.evidence),
        day_inclination=state.day_inclination.merge(state.inclination),
        whole=state.whole.merge(known.evidence),
    ), judged


@lru_cache(maxsize=8)
def _judged(evidence: GaitEvidence, before: Course, course: Course, posture: WalkingPosture | None) -> Assessment:
    """A bout in the walk that goes on; judged once while nothing new is known of it."""
    return assess(evidence, course=before.merge(course), posture=posture)


def _with_rows(bout: OpenBout, second: Second, last: int) -> OpenBout:
    first, samples = second.rows(bout.taken, last)
    waiting = bout.waiting if first == bout.taken else _NONE
    joined = np.concatenate((waiting, *samples), dtype=np.float32, casting="same_kind")
    return evolve(bout, taken=first + len(joined) - len(waiting), waiting=joined)


def _analysed(bout: OpenBout, bridged: tuple[tuple[int, int], ...], second: Second) -> OpenBout:
    """The samples that wait, turned into sums."""
    first, rows = bout.first, len(bout.waiting)
    valid = np.ones(rows, dtype=bool)
    for start, end in bridged:
        valid[max(start - first, 0) : max(end - first, 0)] = False
    samples = np.array(bout.waiting.T, dtype=float, order="C")
    lead = Window(first, samples[:3].T, samples[3:6].T, samples[6:].T, valid)
    windows = {**second.sites(bout.segment_ns + first * ROW_NS, rows), str(PRIMARY_SITES[0]): lead}
    since_s = bout.offset_s + (first - bout.start_row) / GRID_HZ
    found, course = analyse_stretch(windows, since_start_s=since_s, usual_forward=second.mounting.forward)
    return evolve(bout, waiting=_NONE, evidence=bout.evidence.merge(found), course=bout.course.merge(course))


def _posture(state: CompensationState, row: Posture, version: str) -> tuple[CompensationState, list[Event]]:
    told: list[Event] = []
    walk = state.walking
    if walk is not None and state.bout is None:
        paused = row.t_ns > walk.end_ns + PAUSE_S * NS_PER_S
        if paused or (row.posture in _SEATED and row.t_ns > walk.end_ns):
            state, told = ended(state, version)
    walking = state.posed and row.posture is PostureLabel.WALKING
    if walking and row.flexion_deg is not None and row.lateral_deg is not None:
        state = evolve(state, inclination=state.inclination.add(row.flexion_deg, row.lateral_deg))
    return state, told


def _relief(walk: Walking, version: str) -> Event:
    text = "After a rest, walking was back to most of what the walk before had lost."
    return Event(t_ns=walk.start_ns, event="relief", text=text, confidence=0.6, version=version)


def remember_bridged(state: CompensationState, hop: Hop) -> CompensationState:
    """Remember which rows of a second were bridged, not measured."""
    kept = state.bridged
    if kept and (hop.index == 0 or hop.index - kept[0][1] > _BRIDGED_S * GRID_HZ):
        kept = () if hop.index == 0 else tuple(one for one in kept if hop.index - one[1] <= _BRIDGED_S * GRID_HZ)
        state = evolve(state, bridged=kept)
    if np.count_nonzero(hop.valid) == len(hop.valid):
        return state
    edge = np.flatnonzero(np.diff(np.concatenate(([0], (~hop.valid).view(np.int8), [0]))))
    fresh = tuple((hop.index + int(a), hop.index + int(b)) for a, b in edge.reshape(-1, 2))
    return evolve(state, bridged=kept + fresh)
