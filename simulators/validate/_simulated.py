"""A population of simulated walks, recorded like the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sagittal.names import Side, Site
from simulators.acts import there_and_back, walk
from simulators.behaviours import Behaviour, traits
from simulators.body import Person, draw_person, reseated
from simulators.recording import recorded
from simulators.sensors import Mounting, Sensor, draw_flaws
from simulators.validate._features import RATE_HZ, Walked
from simulators.wearer import Wearer

_LEG_S = 10.0
_TREADMILL = 1.06
"""Steps are quicker on a treadmill than overground at the same speed (Alton 1998); how much is our guess."""


def simulated_walk(
    person: Person,
    seed: int,
    seconds: float,
    site: Site = Site.LOWER_BACK,
    behaviours: Sequence[Behaviour] = (),
    *,
    straight_mps: float | None = None,
) -> Walked:
    """One recording of a walk there and back, or straight on at a speed, with a sensor a little askew."""
    rng = np.random.default_rng([seed, 31])
    if straight_mps is None:
        act = there_and_back(seconds, _LEG_S, side=float(rng.choice([-1.0, 1.0])))
    else:
        act = walk(seconds, straight_mps / person.speed_mps)
    wearer = Wearer(person, lambda _: [act], seed, tuple(behaviours))
    sensor = Sensor(wearer, site, RATE_HZ, Mounting.askew(rng), draw_flaws(rng), seed=seed)
    found = recorded(sensor, seconds)
    return Walked(found.acc, found.gyr)


def population(seed: int, people: int, sessions: int) -> list[tuple[str, Walked]]:
    """Walks of healthy people drawn at random, each in several sessions: whose, and the recording.

    Half of them are half a minute long with one turn, half of them a minute, as in the two real sets.
    """
    found = []
    for one in range(people):
        rng = np.random.default_rng([seed, 32, one])
        person = draw_person(rng)
        for _ in range(sessions):
            pace = float(np.exp(0.05 * rng.standard_normal()))
            there = replace(reseated(person, rng), speed_mps=person.speed_mps * pace)
            seconds = 28.0 if one % 2 else 60.0
            number = int(rng.integers(2**31))
            found.append((f"simulated/{seed}-{one}", simulated_walk(there, number, seconds)))
    return found


def impaired(seed: int, people: int) -> list[tuple[str, Walked]]:
    """Walks of people who limp, step short or are unsteady, each a little differently: beside those after a stroke."""
    found = []
    for one in range(people):
        rng = np.random.default_rng([seed, 33, one])
        person = draw_person(rng)
        side = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
        has = (
            Behaviour("limp", float(rng.uniform(0, 0.9)), side),
            Behaviour("stiff_knee", float(max(0.0, rng.uniform(-0.5, 0.9))), side),
            Behaviour("slow_unsteady", float(rng.uniform(0, 0.6))),
        )
        number = int(rng.integers(2**31))
        found.append((f"simulated/{seed}-{one}", simulated_walk(person, number, 60.0, behaviours=has)))
    return found


def on_treadmill(seed: int, people: int, *, stiff: bool, site: Site = Site.PELVIS) -> list[tuple[str, Walked]]:
    """Straight walks at 0.75 m/s, freely or with one stiff knee."""
    found = []
    for one in range(people):
        rng = np.random.default_rng([seed, 34, one])
        person = draw_person(rng)
        person = replace(person, manner=replace(person.manner, cadence=_TREADMILL * person.manner.cadence))
        side = Side.LEFT if site.endswith("left") or not site.endswith("right") else Side.RIGHT
        has = (Behaviour("stiff_knee", float(rng.uniform(0.5, 1.0)), side),) if stiff else ()
        number = int(rng.integers(2**31))
        walked = simulated_walk(person, number, 40.0, site, has, straight_mps=0.75 / traits(has).speed)
        found.append((f"simulated/{seed}-{one}", walked))
    return found
