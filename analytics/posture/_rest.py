"""Angles of seconds that end at rest: many in a row hang on the same few numbers, so they are worked out at once."""

from __future__ import annotations

import numpy as np

from analytics._window import FloatArray
from analytics.posture._angles import RATE_HZ, Inclination, axes_of, hundredths, numbers_of
from analytics.posture._ticks import lengths
from analytics.posture._vectors import Vector


class Rest:
    """The seconds of a batch as they are where the sensor is at rest at their end.

    What their angles hang on beside the samples — the sensor's offset, upright and forward — seldom changes in
    between: asked for one of them, all that follow each other are worked out. What is told is the same for every batch.
    """

    def __init__(self, acc: FloatArray, turn: FloatArray, pairs: FloatArray, resting: list[bool]) -> None:
        """Take K seconds.

        Parameters
        ----------
        acc
            (K, 3) mean acceleration of their last 0.3 s, m/s².
        turn
            (K, 3, 3) rotation sensor → earth in the middle of that.
        pairs
            (K, 3, 30) which takes an earth vector into the sensor frame at every two ticks.
        resting
            Which of them may end at rest.
        """
        self._acc, self._turn, self._pairs, self._resting = acc, turn, pairs, resting
        self._known: tuple[Vector, Vector, Vector] | None = None
        self._first = 0
        self._found: list[Inclination] = []

    def inclination(self, place: int, offset: Vector, reference: Vector, forward: Vector) -> Inclination:
        """The angles of one of the seconds by the sensor's offset in m/s² and upright and forward in its frame."""
        at, known = place - self._first, (offset, reference, forward)
        if known != self._known or not 0 <= at < len(self._found):
            self._known, self._first, at = known, place, 0
            self._found = self._told(place, offset, axes_of(reference, forward))
        return self._found[at]

    def _told(self, first: int, offset: Vector, axes: FloatArray) -> list[Inclination]:
        """The angles of all from `first` on that may be at rest without a break."""
        last = first + 1
        while last < len(self._resting) and self._resting[last]:
            last += 1
        up = (self._acc[first:last] - offset)[:, :, None]
        earth = self._turn[first:last] @ (up / lengths(up)[:, None])
        sensor = earth.transpose(0, 2, 1) @ self._pairs[first:last]
        return _inclinations(hundredths(axes @ sensor.reshape(-1, 3, RATE_HZ)))


def _inclinations(found: FloatArray) -> list[Inclination]:
    """Of (K, 2, 10) flexion and lateral inclination in whole hundredths of a degree."""
    numbers = np.empty((len(found), 6))
    numbers[:, 0::3] = np.rint(np.add.reduce(found, axis=2) / RATE_HZ)
    numbers[:, 1::3] = np.minimum.reduce(found, axis=2)
    numbers[:, 2::3] = np.maximum.reduce(found, axis=2)
    flexion, lateral = (found.transpose(1, 0, 2) / 100.0).tolist()
    rows = (numbers / 100.0).tolist()
    return [
        Inclination(ahead, aside, numbers_of(*row)) for ahead, aside, row in zip(flexion, lateral, rows, strict=True)
    ]
