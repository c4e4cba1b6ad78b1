"""Motion of a body at whatever instant a wearable measures it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sensor_bridge.wearable import Vector


class Sample(NamedTuple):
    """Specific force, m/s², and angular rate, rad/s, in the sensor's frame at a time in ns from any origin."""

    t_ns: int
    acc: Vector
    gyr: Vector


class Motion:
    """Samples at any rate as a course in time, interpolated between them; time 0 is the first one."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = iter(samples)
        self._early = self._late = next(self._samples, None)
        self._origin_ns = 0 if self._early is None else self._early.t_ns

    def at(self, t_ns: int) -> tuple[Vector, Vector] | None:
        """The motion at a time that never falls; None after the last sample."""
        wanted = self._origin_ns + t_ns
        while self._late is not None and self._late.t_ns < wanted:
            self._early, self._late = self._late, next(self._samples, None)
        early, late = self._early, self._late
        if early is None or late is None:
            return None
        span = late.t_ns - early.t_ns
        share = (wanted - early.t_ns) / span if span else 0.0
        return _between(early.acc, late.acc, share), _between(early.gyr, late.gyr, share)


def _between(a: Vector, b: Vector, share: float) -> Vector:
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))
