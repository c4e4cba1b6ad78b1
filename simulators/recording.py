"""A recording of a simulated wearer in arrays, with its truth: for tests and for whoever develops against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sagittal.names import Site
from simulators._curves import FloatArray
from simulators.acts import Act
from simulators.behaviours import Behaviour
from simulators.body import Person, draw_person
from simulators.sensors import PERFECT, Flaws, Mounting, Sensor, draw_flaws
from simulators.wearer import Contact, Span, Truth, Wearer


@dataclass(frozen=True, slots=True)
class Recorded:
    """One site's samples: s, (n, 3) specific force, m/s², and angular rate, rad/s, in the sensor's axes."""

    time_s: FloatArray
    acc: FloatArray
    gyr: FloatArray
    mounting: Mounting


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples of every site and what is true: `truth` at the primary site's times."""

    wearer: Wearer
    sites: dict[Site, Recorded]
    truth: Truth
    spans: list[Span] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)


def record(
    acts: Sequence[Act],
    *,
    seed: int = 1,
    person: Person | None = None,
    behaviours: Sequence[Behaviour] = (),
    sites: Sequence[Site] = (Site.LOWER_BACK,),
    rate_hz: float = 100.0,
    perfect: bool = False,
    mountings: dict[Site, Mounting] | None = None,
    flaws: Flaws | None = None,
) -> Recording:
    """Acts done once by a person (drawn from the seed where none is given), recorded by a sensor at every site.

    Sensors sit 10 to 20° askew and have ordinary flaws unless `mountings`, `flaws` or `perfect` say otherwise. Sided
    behaviours, the seed and everything else are as in `Wearer`.

    >>> found = record([hold("stand", 5), walk(30), hold("sit", 20)], seed=3)
    >>> found.sites[Site.LOWER_BACK].acc.shape
    (5500, 3)
    """
    rng = np.random.default_rng([seed, 51])
    wearer = Wearer(person or draw_person(rng), lambda _: acts, seed, tuple(behaviours))
    out: dict[Site, Recorded] = {}
    for place, site in enumerate(sites):
        mounting = (mountings or {}).get(site) or (Mounting() if perfect else Mounting.askew(rng))
        wrong = flaws or (PERFECT if perfect else draw_flaws(rng))
        sensor = Sensor(wearer, site, rate_hz, mounting, wrong, seed=seed * 100 + place)
        out[site] = recorded(sensor, wearer.period_s)
    first = next(iter(out.values())).time_s
    return Recording(
        wearer, out, wearer.truth(first), wearer.spans(0, wearer.period_s), wearer.contacts(0, wearer.period_s)
    )


def recorded(sensor: Sensor, seconds: float) -> Recorded:
    """The first seconds of one sensor."""
    count = int(seconds / sensor.step_s - 1e-9)
    made = []
    for one in sensor.readings():
        made.append(one)
        if one.number + len(one.time_s) >= count:
            break
    time_s = np.concatenate([one.time_s for one in made])[:count]
    acc = np.concatenate([one.acc for one in made])[:count] * sensor.acc_scale
    gyr = np.concatenate([one.gyr for one in made])[:count] * sensor.gyr_scale
    return Recorded(time_s, acc, gyr, sensor.mounting)
