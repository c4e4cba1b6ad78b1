"""How many samples fit into a hole: the time between samples by the device's own clock, from long runs without loss."""

from __future__ import annotations

from collections import deque

from sagittal.units import NS_PER_S

LEAST_NS, MOST_NS, MARK_NS = 2 * NS_PER_S, 600 * NS_PER_S, 30 * NS_PER_S
"""A run must last so long before it tells a pace, is looked at for so long, and remembers its course so often."""
READING_TICKS = 1.25
FIRST_DOUBT = 0.01
WANDER = 2e-5
"""A sensor's oscillator wanders against the clock of its board, by temperature: some 20 ppm within minutes."""


class Pace:
    """The mean time between samples of one device, and how far it can be trusted."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()
        self._samples = 0
        self._known: tuple[float, float] | None = None

    def go(self, anchor_ns: int, samples: int, tick_ns: int) -> None:
        """So many samples lie between the last anchor and this one."""
        self._samples += samples
        if not self._marks or anchor_ns - self._marks[-1][0] >= MARK_NS:
            self._marks.append((anchor_ns, self._samples))
        while anchor_ns - self._marks[0][0] > MOST_NS:
            self._marks.popleft()
        begun, before = self._marks[0]
        span = anchor_ns - begun
        if span < LEAST_NS:
            return
        doubt = READING_TICKS * tick_ns / span
        if self._known is None or doubt <= self._known[1] or span >= MOST_NS / 2:
            self._known = (span / (self._samples - before), doubt)

    def broken(self, anchor_ns: int) -> None:
        """The run is over; another begins here."""
        self._marks = deque([(anchor_ns, self._samples)])

    def count(self, hole_ns: float, period_ns: float) -> tuple[int, bool]:
        """Samples missing between two that lie so far apart, and whether that is sure; `period_ns`: the usual pace."""
        period, doubt = self._known or (period_ns, FIRST_DOUBT)
        steps = hole_ns / period
        return max(0, round(steps) - 1), steps * (doubt + WANDER) < 0.5
