"""An act made ready: when it is, the moves into it, what stirs in it, and the gait where it is a walk."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sagittal.names import Site
from simulators._curves import Move
from simulators._noise import Noise
from simulators._ways import restlessness, target, way
from simulators.acts import POSES, Act
from simulators.behaviours import Behaviour, Traits, traits
from simulators.body import Person
from simulators.walking import Gait, Turning, make_gait, rough_noise


@dataclass(slots=True)
class Run:
    """One act from `start_s` to `end_s`; until `way_end_s` the body is on its way into the pose.

    `base` are the channels' values at the start.
    """

    key: tuple[int, ...]
    start_s: float
    end_s: float
    act: Act
    way_end_s: float
    base: dict[str, float]
    moves: list[Move]
    behaviours: tuple[Behaviour, ...]
    traits: Traits
    gait: Gait | None
    _rough: dict[Site, Noise] = field(default_factory=dict)

    def rough(self, site: Site) -> Noise:
        """What soft tissue adds at a site in this walk."""
        if site not in self._rough:
            self._rough[site] = rough_noise((*self.key, 3, list(Site).index(site)))
        return self._rough[site]

    def walked(self) -> tuple[float, float]:
        """From when to when the feet move."""
        assert self.gait is not None
        steps = self.gait.steps
        step_s = float(np.median(np.diff(steps.contacts)))
        first, last = float(steps.contacts[steps.first]), float(steps.contacts[steps.last])
        return max(self.way_end_s, first - 0.7 * step_s), min(self.end_s, last + 0.5 * step_s)


def make_run(
    key: tuple[int, ...],
    person: Person,
    own: tuple[Behaviour, ...],
    before: Act,
    act: Act,
    start_s: float,
    end_s: float,
) -> Run:
    """An act of a person with behaviours of its own, after another."""
    rng = np.random.default_rng([*key, 0])
    behaviours = own + act.behaviours
    does = traits(behaviours)
    does_before = traits(own + before.behaviours)
    moves, way_end_s = way(start_s, (before, does_before), (act, does), person, rng)
    way_end_s = min(way_end_s, end_s)
    gait = _gait(key, person, does, act, way_end_s, end_s)
    if gait is None:
        moves += restlessness(way_end_s, end_s, POSES[act.pose], rng)
    else:
        moves += _tiring(act, does, way_end_s, end_s)
    base = target(POSES[before.pose], person, does_before, before.depth)
    return Run(key, start_s, end_s, act, way_end_s, base, moves, behaviours, does, gait)


def _gait(key: tuple[int, ...], person: Person, does: Traits, act: Act, start_s: float, end_s: float) -> Gait | None:
    if act.speed is None or end_s - start_s < 3.0:
        return None
    turns = [Turning(one.at_s, float(np.radians(one.angle_deg))) for one in act.turns if one.at_s < end_s - start_s - 3]
    speed = person.speed_mps * act.speed
    if act.stairs:
        speed = 0.36 * speed
    return make_gait((*key, 1), person, does, start_s, end_s - start_s, speed, turns, act.stairs, act.tired_s)


def _tiring(act: Act, does: Traits, start_s: float, end_s: float) -> list[Move]:
    """Where walking declines, the trunk bends forward more and more; taken back at the end."""
    if not does.decline:
        return []
    lean = float(np.radians(10.0) * does.decline)
    reached = min(1.0, (act.tired_s + end_s - start_s) / 300.0) - min(1.0, act.tired_s / 300.0)
    shares = (("lumbar_flexion", 0.6), ("pelvis_flexion", 0.4))
    already = min(1.0, act.tired_s / 300.0)
    moves = [Move(name, start_s, 2.0, lean * share * already) for name, share in shares if already]
    moves += [Move(name, start_s, end_s - start_s - 2.0, lean * share * reached) for name, share in shares]
    return [*moves, *(Move(name, end_s - 2.0, 1.9, -lean * share * (reached + already)) for name, share in shares)]
