"""Wearable sensors on a body: where and how they sit, and every way in which they are not perfect."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sagittal.errors import SettingsError
from sagittal.names import Site
from sagittal.units import STANDARD_GRAVITY_MPS2
from simulators._curves import FloatArray
from simulators._noise import Noise
from simulators.wearer import Wearer

Int16Array = npt.NDArray[np.int16]
Triple = tuple[float, float, float]

CHUNK = 1000
"""Samples that are made at once."""


@dataclass(frozen=True, slots=True)
class Mounting:
    """How a sensor is turned on its segment: `matrix` (3, 3) takes body axes (up, right, forward) to the sensor's."""

    matrix: FloatArray = field(default_factory=lambda: np.eye(3))

    @staticmethod
    def askew(rng: np.random.Generator) -> Mounting:
        """10 to 20° off nominal about an axis that is mostly the body's right, as a sacrum tilts what sits on it."""
        axis = np.array([0.25, 1.0, 0.25]) * rng.standard_normal(3)
        axis /= np.linalg.norm(axis)
        return Mounting(_about(axis, math.radians(rng.uniform(10, 20))))

    @staticmethod
    def rotated(degrees: tuple[float, float, float]) -> Mounting:
        """Turned about the body's up, right and forward axes, one after the other."""
        turns = [_about(axis, math.radians(angle)) for axis, angle in zip(np.eye(3), degrees, strict=True)]
        return Mounting(np.asarray(turns[0] @ turns[1] @ turns[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaws:
    """What a sensor does wrong; all zero is a perfect one.

    Noise densities are those of current consumer parts as read from quiet stretches of real recordings (1.0 mm/s²/√Hz
    and 0.0065 °/s/√Hz). Biases in m/s² and rad/s are per axis; `gyr_drift` is how far the rate's bias wanders within
    some ten minutes; scales are relative errors; `clock_ppm` makes the clock slow where positive; `jitter_s` shakes
    each sample's time; `drop` and `repeat` are shares of packets lost and sent twice.
    """

    acc_noise: float = 1.0e-3
    gyr_noise: float = math.radians(0.0065)
    acc_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyr_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyr_drift: float = 0.0
    acc_scale: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyr_scale: tuple[float, float, float] = (0.0, 0.0, 0.0)
    clock_ppm: float = 0.0
    jitter_s: float = 0.0
    drop: float = 0.0
    repeat: float = 0.0

    def __post_init__(self) -> None:
        if abs(self.clock_ppm) > 7000:
            raise SettingsError(f"a clock error of {self.clock_ppm} ppm can't be simulated: choose -7000 to 7000")
        if not (0 <= self.drop < 1 and 0 <= self.repeat < 1):
            raise SettingsError("shares of packets dropped or repeated must lie from 0 to below 1")


PERFECT = Flaws(acc_noise=0.0, gyr_noise=0.0)


def draw_flaws(rng: np.random.Generator) -> Flaws:
    """An ordinary consumer sensor: 30 mm/s² and 0.4 °/s off, 0.5 % wrong in scale, 30 ppm fast or slow."""

    def three(size: float) -> tuple[float, float, float]:
        a, b, c = (float(x) for x in size * rng.standard_normal(3))
        return (a, b, c)

    return Flaws(
        acc_bias=three(0.03),
        gyr_bias=three(math.radians(0.4)),
        gyr_drift=math.radians(0.05),
        acc_scale=three(0.004),
        gyr_scale=three(0.005),
        clock_ppm=float(30 * rng.standard_normal()),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """Samples k … of one sensor: true times, s, and int16 rows (n, 3); `number` is the first sample's number."""

    number: int
    time_s: FloatArray
    acc: Int16Array
    gyr: Int16Array


@dataclass(frozen=True, slots=True)
class Packet:
    """What arrives over the air: its number and its samples; lost ones never come, others come twice."""

    number: int
    reading: Reading


@dataclass(slots=True)
class Sensor:
    """One sensor on one site of a wearer.

    Rows are int16 counts of `acc_scale` m/s² and `gyr_scale` rad/s, clipped at the ranges. The same arguments give the
    same samples, whichever are asked for first.

    Raises
    ------
    SettingsError
        Where a rate or range can't be.
    """

    wearer: Wearer
    site: Site = Site.LOWER_BACK
    rate_hz: float = 100.0
    mounting: Mounting = field(default_factory=Mounting)
    flaws: Flaws = field(default_factory=Flaws)
    seed: int = 0
    acc_range_g: float = 16.0
    gyr_range_dps: float = 2000.0
    packet: int = 10
    battery_h: float = 30.0
    _drift: Noise = field(init=False)
    _last: tuple[int, Reading] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not 10 <= self.rate_hz <= 400:
            raise SettingsError(f"a rate of {self.rate_hz} Hz can't be simulated: choose 10 to 400")
        if self.acc_range_g <= 0 or self.gyr_range_dps <= 0 or self.battery_h <= 0:
            raise SettingsError("a sensor's ranges and its battery's hours must be above 0")
        self._drift = Noise((self.seed, 41), 150.0, 3)

    @property
    def acc_scale(self) -> float:
        """m/s² a count."""
        return self.acc_range_g * STANDARD_GRAVITY_MPS2 / 32768

    @property
    def gyr_scale(self) -> float:
        """rad/s a count."""
        return math.radians(self.gyr_range_dps) / 32768

    @property
    def step_s(self) -> float:
        """True time between samples."""
        return (1 + 1e-6 * self.flaws.clock_ppm) / self.rate_hz

    def battery_percent(self, time_s: float) -> float:
        """What is left after so long, linear from full to empty."""
        return max(0.0, 100.0 * (1 - time_s / 3600 / self.battery_h))

    def readings(self, from_s: float = 0.0) -> Iterator[Reading]:
        """Samples from the first at or after `from_s` on, for ever, in chunks."""
        number = max(0, math.ceil(from_s / self.step_s - 1e-9))
        chunk, skip = divmod(number, CHUNK)
        while True:
            made = self._chunk(chunk)
            yield made if skip == 0 else part(made, skip, CHUNK)
            chunk, skip = chunk + 1, 0

    def samples(self, from_s: float, to_s: float) -> Iterator[tuple[float, Triple, Triple]]:
        """One by one: time, s, specific force, m/s², and angular rate, rad/s."""
        for made in self.readings(from_s):
            acc, gyr = (made.acc * self.acc_scale).tolist(), (made.gyr * self.gyr_scale).tolist()
            for t, (ax, ay, az), (gx, gy, gz) in zip(made.time_s.tolist(), acc, gyr, strict=True):
                if t >= to_s:
                    return
                yield t, (ax, ay, az), (gx, gy, gz)

    def packets(self, from_s: float = 0.0) -> Iterator[Packet]:
        """The same as packets over the air, some lost, some twice."""
        for made in self.readings(from_s):
            yield from self.packets_of(made)

    def packets_of(self, made: Reading) -> Iterator[Packet]:
        """The packets of one reading that come through."""
        rng = np.random.default_rng([self.seed, 43, made.number])
        for start in range(0, len(made.time_s), self.packet):
            one = part(made, start, start + self.packet)
            if rng.random() >= self.flaws.drop:
                yield Packet(one.number // self.packet, one)
                if rng.random() < self.flaws.repeat:
                    yield Packet(one.number // self.packet, one)

    def _chunk(self, number: int) -> Reading:
        """The same as `chunk`, made once where it is asked for twice in a row."""
        if self._last is None or self._last[0] != number:
            self._last = (number, self.chunk(number))
        return self._last[1]

    def chunk(self, number: int) -> Reading:
        """Samples number · CHUNK and the following."""
        flaws = self.flaws
        rng = np.random.default_rng([self.seed, 42, number])
        first = number * CHUNK
        time_s = np.asarray((first + np.arange(CHUNK)) * self.step_s)
        if flaws.jitter_s:
            time_s = time_s + np.clip(
                flaws.jitter_s * rng.standard_normal(CHUNK), -0.4 * self.step_s, 0.4 * self.step_s
            )
            time_s = np.maximum(time_s, 0.0)
        felt = self.wearer.at(time_s, self.site)
        turn = self.mounting.matrix
        acc, gyr = turn @ felt[:3], turn @ felt[3:]
        wide = math.sqrt(self.rate_hz / 2)
        noise = rng.standard_normal((2, 3, CHUNK))
        acc = acc * (1 + np.array(flaws.acc_scale))[:, None] + np.array(flaws.acc_bias)[:, None]
        gyr = gyr * (1 + np.array(flaws.gyr_scale))[:, None] + np.array(flaws.gyr_bias)[:, None]
        if flaws.gyr_drift:
            start, end = self._drift.at(time_s[:: CHUNK - 1])[:, 0].T
            gyr += flaws.gyr_drift * np.linspace(start, end, CHUNK).T
        acc += flaws.acc_noise * wide * noise[0]
        gyr += flaws.gyr_noise * wide * noise[1]
        return Reading(first, time_s, _counts(acc, self.acc_scale), _counts(gyr, self.gyr_scale))


def _about(axis: FloatArray, angle: float) -> FloatArray:
    """Rotation about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)


def _counts(values: FloatArray, scale: float) -> Int16Array:
    return np.ascontiguousarray(np.clip(np.rint(values / scale), -32768, 32767).astype("<i2").T)


def part(made: Reading, start: int, end: int) -> Reading:
    """Some rows of a reading."""
    rows = slice(start, end)
    return Reading(made.number + start, made.time_s[rows], made.acc[rows], made.gyr[rows])
