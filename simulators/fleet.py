"""Many wearers at once: drawn from one seed, each with a body, a plan and sensors of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sagittal.errors import SettingsError
from sagittal.names import Site
from simulators.behaviours import Behaviour
from simulators.body import draw_person
from simulators.scenarios import HOUR_S, Scenario, scenario
from simulators.sensors import Mounting, Sensor, draw_flaws
from simulators.wearer import Wearer

MAX_WEARERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to simulate: a scenario's name, a seed, and what is the same for all wearers.

    Raises
    ------
    SettingsError
        Where no body can do it.
    """

    scenario: str = "office"
    seed: int = 1
    sites: Sequence[Site] = (Site.LOWER_BACK,)
    rate_hz: float = 100.0
    behaviours: Sequence[Behaviour] = ()
    height_m: float | None = None
    speed_mps: float | None = None

    def __post_init__(self) -> None:
        scenario(self.scenario)
        if self.seed < 0:
            raise SettingsError(f"seed {self.seed} is below 0: choose any whole number from 0 on")


@dataclass(frozen=True, slots=True)
class Member:
    """One wearer of a fleet: pseudonym, body, sensors by site, and where in the scenario a live run begins, s."""

    name: str
    scenario: Scenario
    wearer: Wearer
    sensors: dict[Site, Sensor]
    begin_s: float

    def prepare(self) -> None:
        """Make the plan and the first samples of a live run now, so that it begins in time."""
        for sensor in self.sensors.values():
            next(sensor.readings(self.begin_s))

    def worn(self, periods: int) -> list[tuple[float, float]]:
        """When a sensor is worn in the first periods, s."""
        on, off = self.scenario.worn_s
        length = self.scenario.period_s
        return [(number * length + on, number * length + off) for number in range(periods)]


def member(wish: Wish, number: int, name: str | None = None) -> Member:
    """The `number`-th wearer of a wish, from 0; the same wish and number give the same wearer."""
    rng = np.random.default_rng([wish.seed, 71, number])
    chosen = scenario(wish.scenario)
    person = draw_person(rng, wish.height_m)
    if wish.speed_mps is not None:
        person = replace(person, speed_mps=wish.speed_mps)
    seed = int(rng.integers(2**31))
    wearer = Wearer(person, chosen.plan(seed), seed, tuple(wish.behaviours))
    sensors = {}
    for site in wish.sites:
        own = np.random.default_rng([wish.seed, 72, number, list(Site).index(site)])
        sensors[site] = Sensor(
            wearer, site, wish.rate_hz, Mounting.askew(own), draw_flaws(own), seed=int(own.integers(2**31))
        )
    spread = float(rng.uniform(0, min(HOUR_S, chosen.period_s))) if number else 0.0
    return Member(name or f"sim-{number + 1:04d}", chosen, wearer, sensors, chosen.begin_s + spread)


def check_size(wearers: int) -> int:
    """The number of wearers, if one machine may have so many.

    Raises
    ------
    SettingsError
        Where there are none, or too many.
    """
    if not 1 <= wearers <= MAX_WEARERS:
        raise SettingsError(f"{wearers} wearers can't be simulated: choose 1 to {MAX_WEARERS}")
    return wearers


def fleet(wish: Wish, wearers: int) -> list[Member]:
    """So many wearers.

    Raises
    ------
    SettingsError
        Where there are none, or too many for one machine.
    """
    return [member(wish, number) for number in range(check_size(wearers))]
