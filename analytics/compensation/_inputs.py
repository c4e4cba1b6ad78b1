"""What other rooms of the analytics know and compensation needs: posture while walking, and bends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median

from analytics.compensation._bands import Bands, bands

_ALIKE_S = 5.0
"""Inclination of neighbouring seconds is much alike: so many count as one."""


@dataclass(frozen=True, slots=True)
class WalkingPosture:
    """Inclination while walking straight, against the wearer's own upright reference.

    `flexion_deg` positive forwards, `lateral_deg` positive to the right; `error_deg` is the standard error of the
    two, the reference's included.
    """

    flexion_deg: float
    lateral_deg: float
    error_deg: float
    seconds: float


@dataclass(frozen=True, slots=True)
class BendStatistics:
    """Bends of a period: how many, their median depth in degrees and median peak speed in degrees per second."""

    count: int
    depth_deg: float
    peak_speed_dps: float


@dataclass(frozen=True, slots=True)
class Inclination:
    """Sums over seconds of walking of flexion and lateral inclination, degrees, against the wearer's own upright."""

    seconds: int = 0
    flexion: float = 0.0
    flexion_square: float = 0.0
    lateral: float = 0.0
    lateral_square: float = 0.0

    def add(self, flexion_deg: float, lateral_deg: float) -> Inclination:
        """With one more second."""
        return Inclination(
            self.seconds + 1,
            self.flexion + flexion_deg,
            self.flexion_square + flexion_deg**2,
            self.lateral + lateral_deg,
            self.lateral_square + lateral_deg**2,
        )

    def merge(self, later: Inclination) -> Inclination:
        """This walking and later walking."""
        return Inclination(*(getattr(self, one.name) + getattr(later, one.name) for one in fields(self)))

    def posture(self, table: Bands | None = None) -> WalkingPosture | None:
        """Mean inclination and its standard error; None for a few seconds only."""
        line = (table or bands()).line
        n = self.seconds
        if n < line["inclination_seconds_min"]:
            return None
        flexion, lateral = self.flexion / n, self.lateral / n
        spread = max(self.flexion_square / n - flexion**2, self.lateral_square / n - lateral**2, 0.0)
        error = math.hypot(math.sqrt(spread * _ALIKE_S / n), line["reference_error_deg"])
        return WalkingPosture(flexion, lateral, error, float(n))


def bend_statistics(bends: Sequence[tuple[float, float]]) -> BendStatistics | None:
    """Medians of bends, each depth in degrees and peak speed in degrees per second; None without any."""
    if not bends:
        return None
    depth, speed = (float(median(values)) for values in zip(*bends, strict=True))
    return BendStatistics(len(bends), depth, speed)
