"""Angles of seconds that end at rest: many in a row hang on the same few numbers, so they are worked out at once."""

from __future__ import annotations

import numpy as np

from analytics._window import FloatArray
from analytics.posture._angles import HUNDREDTHS, NAMES, RATE_HZ, Inclination, pairs
from analytics.posture._ticks import lengths
from analytics.posture._vectors import Vector


class Rest:
    """The seconds of a batch as they are where the sensor is at rest at their end.

    What their angles hang on beside the samples — the sensor's offset, upright and forward — seldom changes in
    between: asked for one of them, all that follow each other are worked out. What is told is the same for every batch.
    """

    def __init__(self, acc: FloatArray, turn: FloatArray, turns: FloatArray, resting: list[bool]) -> None:
        """Take K seconds.

        Parameters
        ----------
        acc
            (K, 3) mean acceleration of their last 0.3 s, m/s².
        turn
            (K, 3, 3) rotation sensor → earth in the middle of that.
        turns
            (K, 3, 60) which takes an earth vector into the sensor frame at each of the 20 ticks.
        resting
            Which of them may end at rest.
        """
        self._acc, self._turn, self._turns, self._resting = acc, turn, turns, resting
        self._known: tuple[Vector, Vector, Vector] | None = None
        self._first = 0
        self._found: list[Inclination] = []

    def inclination(self, place: int, offset: Vector, reference: Vector, forward: Vector) -> Inclination:
        """The angles of one of the seconds by the sensor's offset in m/s² and upright and forward in its frame."""
        at, known = place - self._first, (offset, reference, forward)
        if known != self._known or not 0 <= at < len(self._found):
            self._known, self._first, at = known, place, 0
            self._found = self._told(place, offset, pairs(reference, forward))
        return self._found[at]

    def _told(self, first: int, offset: Vector, axes: FloatArray) -> list[Inclination]:
        """The angles of all from `first` on that may be at rest without a break."""
        last = first + 1
        while last < len(self._resting) and self._resting[last]:
            last += 1
        up = self._acc[first:last] - offset
        earth = self._turn[first:last] @ (up / lengths(up)[:, None])[:, :, None]
        sensor = earth.transpose(0, 2, 1) @ self._turns[first:last]
        body = np.ascontiguousarray((sensor.reshape(-1, RATE_HZ, 6) @ axes).transpose(2, 0, 1))
        radians = np.stack((np.arctan2(body[2], body[0]), np.arcsin(np.minimum(np.maximum(body[1], -1.0), 1.0))))
        return _inclinations(np.rint(HUNDREDTHS * radians) + 0.0)


def _inclinations(hundredths: FloatArray) -> list[Inclination]:
    """Of (2, K, 10) flexion and lateral inclination in whole hundredths of a degree."""
    flexion, lateral = (hundredths / 100.0).tolist()
    means = np.rint(hundredths.sum(axis=2) / RATE_HZ)
    found = np.stack((means, hundredths.min(axis=2), hundredths.max(axis=2))) / 100.0
    numbers = found.transpose(2, 1, 0).reshape(-1, 6).tolist()
    return [
        Inclination(ahead, aside, dict(zip(NAMES, row, strict=True)))
        for ahead, aside, row in zip(flexion, lateral, numbers, strict=True)
    ]
