"""The line under a cloud of arrivals: a device's clock against the host's, from the packets that were least delayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from sagittal.units import NS_PER_S

BLOCK_S, EARLY_BLOCK_S, EARLY_S = 2.0, 0.5, 10.0
BLOCK_PACKETS = 8
WINDOW_S, FINE_S, COARSE_S = 600.0, 60.0, 10.0
LOW_QUANTILE = 0.1
NOISE_S = 3e-3
"""Scatter of the least delay in a block: a few ms at connection intervals of 7.5 to 50 ms."""
SETTLED_S = 60.0
KNOWN_SD = 2e-4
STALE_S = 0.2
"""Minima this far above the lowest touch nothing: the link was held up."""


@dataclass(slots=True)
class Envelope:
    """Maps device time to host arrival time by a line below all delays, since a packet is never early.

    Every block of two seconds gives its least delay. The map is the line under those of the last ten minutes that is
    nearest to them on average, an edge of their lower convex hull (Zhang, Liu, Xia, "Clock synchronization algorithms
    for network measurements", INFOCOM 2002). During the first minute it is a least-squares line, lowered to the tenth
    percentile, whose slope is drawn towards `drift` (what is known of the device) as if known within `drift_sd`. The
    constant least delay of the link stays in the result.

    A block whose least delay lies `step_s` above the line is suspected of a step and kept out of the fit.
    """

    drift: float = 0.0
    drift_sd: float = 3e-3
    max_drift: float = 0.02
    step_s: float = 0.5
    _origin: tuple[int, int] | None = None
    _minima: list[tuple[float, float]] = field(default_factory=list)
    _suspects: list[tuple[float, float]] = field(default_factory=list)
    _block: tuple[float, float, float, int] | None = None
    _prior: float = field(init=False)
    _level: float = 0.0

    def __post_init__(self) -> None:
        self._prior = self.drift

    def at(self, device_ns: int) -> int:
        """Host time, ns, at which a packet of this device time would arrive with the least delay."""
        if self._origin is None:
            return device_ns
        x = (device_ns - self._origin[0]) / NS_PER_S
        return self._origin[1] + (device_ns - self._origin[0]) + round((self._level + self.drift * x) * NS_PER_S)

    def add(self, device_ns: int, arrival_ns: int) -> None:
        """Take the arrival of one packet."""
        if self._origin is None:
            self._origin = (device_ns, arrival_ns)
        x = (device_ns - self._origin[0]) / NS_PER_S
        y = (arrival_ns - self._origin[1]) / NS_PER_S - x
        block = self._block
        early = x < EARLY_S
        if (
            block is not None
            and x - block[0] >= (EARLY_BLOCK_S if early else BLOCK_S)
            and (early or block[3] >= BLOCK_PACKETS)
        ):
            self._close(block[1], block[2])
            block = None
        if block is None:
            self._block = (x, x, y, 1)
        elif y < block[2]:
            self._block = (block[0], x, y, block[3] + 1)
        else:
            self._block = (block[0], block[1], block[2], block[3] + 1)
        if not self._minima:
            self._level = min(self._level, y - self.drift * x)

    def step(self, patience_s: float) -> float | None:
        """The least height, s, of a step up that has lasted `patience_s`; None while there is none."""
        if len(self._suspects) < 3 or self._suspects[-1][0] - self._suspects[0][0] < patience_s:
            return None
        return min(y - self._level - self.drift * x for x, y in self._suspects)

    def accept_step(self, shift_s: float) -> None:
        """The step was real: device time was short by `shift_s`, of which the suspects already are part."""
        if shift_s:
            self._minima += [(x + shift_s, y - shift_s) for x, y in self._suspects]
        else:
            self._minima = self._suspects
        self._suspects = []
        self._block = None
        self._fit()

    def _close(self, x: float, y: float) -> None:
        if len(self._minima) >= 3 and y - self._level - self.drift * x > self.step_s:
            self._suspects.append((x, y))
            return
        self._suspects = []
        self._minima.append((x, y))
        self._fit()

    def _fit(self) -> None:
        last = self._minima[-1][0]
        if last - self._minima[0][0] >= SETTLED_S:
            settled = self._minima[-2][0] - self._minima[0][0] >= SETTLED_S
            self._thin(last)
            if last - self._minima[0][0] >= SETTLED_S:
                self._hull()
                return
            if settled:  # a long silence: what was before it is too old for a line, but has told the drift
                self._prior, self.drift_sd = self.drift, KNOWN_SD
        lowest = min(y - self.drift * x for x, y in self._minima)
        low = [one for one in self._minima if one[1] - self.drift * one[0] - lowest < STALE_S]
        mean_x = sum(x for x, _ in low) / len(low)
        mean_y = sum(y for _, y in low) / len(low)
        sxx = sum((x - mean_x) ** 2 for x, _ in low)
        sxy = sum((x - mean_x) * (y - mean_y) for x, y in low)
        ridge = (NOISE_S / self.drift_sd) ** 2
        self._lean((sxy + ridge * self._prior) / (sxx + ridge))
        rests = sorted(y - self.drift * x for x, y in low)
        self._level = rests[int(LOW_QUANTILE * (len(rests) - 1))]

    def _lean(self, drift: float) -> None:
        self.drift = max(-self.max_drift, min(self.max_drift, drift))

    def _thin(self, last: float) -> None:
        """Drop what is too old, and keep only the least of every ten seconds where the last minute is past."""
        kept: list[tuple[float, float]] = []
        for x, y in self._minima:
            if x < last - WINDOW_S:
                continue
            if kept and x < last - FINE_S and x // COARSE_S == kept[-1][0] // COARSE_S:
                if y - self.drift * x < kept[-1][1] - self.drift * kept[-1][0]:
                    kept[-1] = (x, y)
            else:
                kept.append((x, y))
        self._minima = kept

    def _hull(self) -> None:
        """The line under all minima that is nearest to them on average: the edge of their lower hull at their mean."""
        hull: list[tuple[float, float]] = []
        for x, y in self._minima:
            while len(hull) > 1 and _above(hull[-2], hull[-1], (x, y)):
                hull.pop()
            hull.append((x, y))
        mean_x = sum(x for x, _ in self._minima) / len(self._minima)
        left, right = next(edge for edge in pairwise(hull) if edge[1][0] >= mean_x)
        self._lean((right[1] - left[1]) / (right[0] - left[0]))
        self._level = min(y - self.drift * x for x, y in self._minima)


def _above(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether `b` lies on or above the line from `a` to `c`."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])
