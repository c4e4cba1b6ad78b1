"""Angles of seconds that end at rest: many in a row hang on the same few numbers, so they are worked out at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics._window import FloatArray
from analytics.posture._angles import RATE_HZ, Inclination, axes_of, inclinations
from analytics.posture._vectors import Vector


class Rest:
    """The seconds of a batch as they are where the sensor is at rest at their end.

    What their angles hang on beside the samples — the sensor's offset, upright and forward — seldom changes in
    between: asked for one of them, all that follow each other are worked out. What is told is the same for every batch.
    """

    def __init__(self, acc: FloatArray, turn: FloatArray, pairs: FloatArray, steady: list[bool]) -> None:
        """Take K seconds.

        Parameters
        ----------
        acc
            (K, 3) mean acceleration of their last 0.3 s, m/s².
        turn
            (K, 3, 3) rotation sensor → earth in the middle of that.
        pairs
            (K, 3, 30) which takes an earth vector into the sensor frame at every two ticks.
        steady
            Which of them may be at rest throughout, so that they leave the offset as it is.
        """
        self._acc, self._turn, self._pairs, self._steady = acc, turn, pairs, steady
        self._known: tuple[Vector, Vector, Vector] | None = None
        self._first = 0
        self._found: list[Inclination] = []

    def inclination(
        self, place: int, earth_up: Vector, offset: Vector, reference: Vector, forward: Vector
    ) -> Inclination:
        """The angles of one of the seconds.

        By earth's up in the orientation filter's frame at its end, the sensor's offset in m/s² which that hangs on, and
        upright and forward in the sensor frame.
        """
        return self.inclinations(place, 1, earth_up, offset, reference, forward)[0]

    def inclinations(
        self, place: int, count: int, earth_up: Vector, offset: Vector, reference: Vector, forward: Vector
    ) -> Sequence[Inclination]:
        """The angles of so many seconds at rest from one on, throughout which all but the first are."""
        at, known = place - self._first, (offset, reference, forward)
        if known != self._known or not 0 <= at < len(self._found):
            self._known, self._first, at = known, place, 0
            self._found = self._told(place, earth_up, offset, axes_of(reference, forward))
        return self._found[at : at + count]

    def _told(self, first: int, earth_up: Vector, offset: Vector, axes: FloatArray) -> list[Inclination]:
        """The angles of all from `first` on that may go on at rest."""
        last = first + 1
        while last < len(self._steady) and self._steady[last]:
            last += 1
        alone = last == first + 1
        earth = np.array((earth_up,)) if alone else self._earth_up(first, last, offset)
        sensor = (earth[:, None] @ self._pairs[first:last]).reshape(-1, 3, RATE_HZ)
        return inclinations(sensor, axes)

    def _earth_up(self, first: int, last: int, offset: Vector) -> FloatArray:
        """(k, 3) earth's up at the end of seconds, the same to the last bit as second by second."""
        up = self._acc[first:last] - offset
        x, y, z = up.T
        up /= np.sqrt(x * x + y * y + z * z)[:, None]
        parts = self._turn[first:last] * up[:, None]
        return np.asarray(parts[:, :, 0] + parts[:, :, 1] + parts[:, :, 2])
