"""A population of simulated walks, recorded like the real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sagittal.names import Site
from simulators.acts import there_and_back
from simulators.body import Person, draw_person, reseated
from simulators.recording import recorded
from simulators.sensors import Mounting, Sensor, draw_flaws
from simulators.validate._features import RATE_HZ, Walked
from simulators.wearer import Wearer

_LEG_S = 10.0


def simulated_walk(person: Person, seed: int, seconds: float, site: Site = Site.LOWER_BACK) -> Walked:
    """One recording of a walk there and back with a sensor a little askew."""
    rng = np.random.default_rng([seed, 31])
    wearer = Wearer(person, lambda _: [there_and_back(seconds, _LEG_S, side=float(rng.choice([-1.0, 1.0])))], seed)
    sensor = Sensor(wearer, site, RATE_HZ, Mounting.askew(rng), draw_flaws(rng), seed=seed)
    found = recorded(sensor, seconds)
    return Walked(found.acc, found.gyr)


def population(seed: int, people: int, sessions: int) -> list[tuple[str, Walked]]:
    """Walks of people drawn at random, each in several sessions: whose, and the recording.

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
