"""What other rooms of the analytics know and compensation needs: posture while walking, and bends."""

from __future__ import annotations

from dataclasses import dataclass


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
