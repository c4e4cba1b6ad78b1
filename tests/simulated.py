"""The demo's round for tests, by a body of middling manner on an exact clock: chunks of a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulators import Flaws, Mounting, Person, Sensor, Wearer
from simulators.scenarios import scenario
from simulators.stream import Chunk
from simulators.stream import chunks as _chunks

CADENCE_SPM = 111.0
SEED = 7


def sensor(rate_hz: float = 100.0, seed: int = SEED) -> Sensor:
    """A sensor at the lower back, askew and a little off."""
    person = Person(height_m=1.75, sex="male", speed_mps=Person(height_m=1.75).speed_at(CADENCE_SPM))
    flaws = Flaws(acc_bias=(0.02, -0.03, 0.02), gyr_bias=(0.004, -0.003, 0.002))
    mounting = Mounting.askew(np.random.default_rng(seed))
    return Sensor(Wearer(person, scenario("demo").plan(seed), seed), rate_hz=rate_hz, mounting=mounting, flaws=flaws)


ACC_SCALE, GYR_SCALE = sensor().acc_scale, sensor().gyr_scale


def chunks(start_ns: int, from_ns: int, rate_hz: float, seed: int = SEED) -> Iterator[Chunk]:
    """The demo from `from_ns` on, begun at `start_ns`, for ever."""
    return _chunks(sensor(rate_hz, seed), start_ns, from_ns, round(rate_hz / 10))
