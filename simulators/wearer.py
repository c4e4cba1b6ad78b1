"""A simulated wearer: a body that does one act after another; what its sites feel and what is true, at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sagittal.errors import SettingsError
from sagittal.names import PostureLabel, Side, Site
from simulators._curves import FloatArray
from simulators._frames import Frames, Stirring
from simulators._rigid import inclination
from simulators._runs import Run, make_run
from simulators.acts import POSES, Act
from simulators.behaviours import Behaviour
from simulators.body import Person

Plan = Callable[[int], Sequence[Act]]
"""The acts of the n-th period, n from 0; the acts of every period last equally long together."""
_LEGS = frozenset({Site.THIGH_LEFT, Site.THIGH_RIGHT, Site.SHANK_LEFT, Site.SHANK_RIGHT})
_KEPT = 6


@dataclass(frozen=True, slots=True)
class Truth:
    """Inclination of pelvis and upper trunk at n times, degrees: flexion forwards, lateral to the right positive."""

    pelvis_flexion_deg: FloatArray
    pelvis_lateral_deg: FloatArray
    trunk_flexion_deg: FloatArray
    trunk_lateral_deg: FloatArray


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment at n times.

    Attributes
    ----------
    flexion_deg, lateral_deg
        (n,) inclination: its top leaning forwards, and to the right, positive.
    quat
        (n, 4) scalar first, from its axes (up, right, forward) to the earth's; forward there is where the wearer faced
        when the act began.
    """

    flexion_deg: FloatArray
    lateral_deg: FloatArray
    quat: FloatArray


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one posture, s, with the behaviours active in it."""

    start_s: float
    end_s: float
    posture: PostureLabel
    detail: str | None
    behaviours: tuple[Behaviour, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """A foot on the ground: initial and final contact, s, its side, and the length of the step that led there, m."""

    t_s: float
    off_s: float
    side: Side
    step_length_m: float


@dataclass(slots=True)
class Wearer:
    """A person who follows a plan; times are s from the plan's beginning.

    Everything is a function of `seed` and time: ask in any order, in pieces of any size, and it is the same body.
    `behaviours` are the wearer's own in every act.

    Raises
    ------
    SettingsError
        Where the plan is empty.
    """

    person: Person
    plan: Plan
    seed: int
    behaviours: tuple[Behaviour, ...] = ()
    period_s: float = field(init=False, default=0.0)
    _acts: dict[int, tuple[Sequence[Act], FloatArray]] = field(init=False, default_factory=dict)
    _runs: dict[tuple[int, int], Run] = field(init=False, default_factory=dict)
    _stirring: Stirring = field(init=False)

    def __post_init__(self) -> None:
        self._stirring = Stirring(self.seed)
        acts = self.plan(0)
        if not acts:
            raise SettingsError("the scenario holds no act: give it at least one")
        self.period_s = float(sum(act.duration_s for act in acts))

    def at(self, t: FloatArray, site: Site) -> FloatArray:
        """(6, n): specific force, m/s², then angular rate, rad/s, at a site at rising times t (n,).

        In the axes (up, right, forward) of the site's segment.
        """
        out = np.empty((6, len(t)))
        for run, rows in self._split(t):
            out[:, rows] = self._frames(run, t[rows], legs=site in _LEGS).site(site)
            if run.gait is not None:
                out[:, rows] += run.gait.shaken(t[rows], site, run.rough(site))
        return out

    def truth(self, t: FloatArray) -> Truth:
        """What is true at rising times t (n,)."""
        out = np.empty((4, len(t)))
        for run, rows in self._split(t):
            frames = self._frames(run, t[rows], legs=False)
            out[:2, rows] = inclination(frames.pelvis.up)
            out[2:, rows] = inclination(frames.trunk().up)
        return Truth(*np.degrees(out))

    def segments(self, t: FloatArray, sites: Sequence[Site]) -> dict[str, Segment]:
        """Pelvis and upper trunk, and the thighs and shanks that carry a site, at rising times t (n,)."""
        legs = [site for site in sites if site in _LEGS]
        out = {
            str(name): Segment(np.empty(len(t)), np.empty(len(t)), np.empty((len(t), 4)))
            for name in ("pelvis", "upper_trunk", *legs)
        }
        for run, rows in self._split(t):
            frames = Frames(run, t[rows], self.person, self._stirring, legs=bool(legs), whole=True)
            found = {"pelvis": frames.pelvis, "upper_trunk": frames.trunk()}
            found |= {str(site): frames.leg(site) for site in legs}
            for name, frame in found.items():
                flexion, lateral = inclination(frame.up)
                out[name].flexion_deg[rows], out[name].lateral_deg[rows] = np.degrees(flexion), np.degrees(lateral)
                out[name].quat[rows] = frame.orientation()
        return out

    def spans(self, start_s: float, end_s: float) -> list[Span]:
        """What the wearer does between two times; on the way from one posture to the next it is a transition."""
        found: list[Span] = []
        for run in self._runs_between(start_s, end_s):
            here = POSES[run.act.pose]
            edges: list[tuple[float, float, PostureLabel, str | None]] = [
                (run.start_s, run.way_end_s, PostureLabel.TRANSITION, run.act.pose)
            ]
            if run.gait is None:
                edges.append((run.way_end_s, run.end_s, here.label, here.detail))
            else:
                first, last = run.walked()
                edges += [
                    (run.way_end_s, first, here.label, here.detail),
                    (first, last, PostureLabel.WALKING, run.act.detail),
                    (last, run.end_s, here.label, here.detail),
                ]
            found += [Span(*edge, run.behaviours) for edge in edges if edge[1] > edge[0]]
        return [one for one in found if one.end_s > start_s and one.start_s < end_s]

    def contacts(self, start_s: float, end_s: float) -> list[Contact]:
        """Every initial contact between two times."""
        found: list[Contact] = []
        for run in self._runs_between(start_s, end_s):
            if run.gait is not None:
                t, off, right, length = run.gait.contacts()
                found += [
                    Contact(float(a), float(b), Side.RIGHT if side else Side.LEFT, float(m))
                    for a, b, side, m in zip(t, off, right, length, strict=True)
                    if start_s <= a < end_s
                ]
        return found

    def _frames(self, run: Run, t: FloatArray, *, legs: bool) -> Frames:
        return Frames(run, t, self.person, self._stirring, legs=legs)

    def _split(self, t: FloatArray) -> Iterator[tuple[Run, slice]]:
        if len(t) == 0:
            return
        for run in self._runs_between(float(t[0]), float(t[-1]) + 1e-9):
            first, last = np.searchsorted(t, (run.start_s, run.end_s))
            if last > first:
                yield run, slice(int(first), int(last))

    def _runs_between(self, start_s: float, end_s: float) -> Iterator[Run]:
        for number in range(max(0, int(start_s // self.period_s)), int(end_s // self.period_s) + 1):
            acts, edges = self._period(number)
            first = max(0, int(np.searchsorted(edges, start_s, "right")) - 1)
            for place in range(first, len(acts)):
                if edges[place] >= end_s:
                    return
                yield self._run(number, place)

    def _period(self, number: int) -> tuple[Sequence[Act], FloatArray]:
        if number not in self._acts:
            acts = self.plan(number)
            lasting = float(sum(act.duration_s for act in acts))
            if abs(lasting - self.period_s) > 1e-6:
                raise SettingsError(f"period {number} of the plan lasts {lasting} s, the first one {self.period_s} s")
            while len(self._acts) >= _KEPT:
                del self._acts[next(iter(self._acts))]
            durations = [act.duration_s for act in acts]
            self._acts[number] = (acts, number * self.period_s + np.concatenate([[0.0], np.cumsum(durations)]))
        return self._acts[number]

    def _run(self, number: int, place: int) -> Run:
        if (number, place) not in self._runs:
            acts, edges = self._period(number)
            before = acts[place - 1] if place else self._period(number - 1)[0][-1] if number else acts[0]
            while len(self._runs) >= _KEPT:
                del self._runs[next(iter(self._runs))]
            key = (self.seed, 20, number, place)
            start_s, end_s = float(edges[place]), float(edges[place + 1])
            self._runs[number, place] = make_run(key, self.person, self.behaviours, before, acts[place], start_s, end_s)
        return self._runs[number, place]
