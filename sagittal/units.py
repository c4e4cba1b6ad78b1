"""Constants and conversions; SI inside, degrees only where people read."""

from __future__ import annotations

import math

STANDARD_GRAVITY_MPS2 = 9.80665
"""Standard acceleration of gravity (CGPM 1901; ISO 80000-3)."""

NS_PER_S = 1_000_000_000


def seconds(t_ns: int) -> float:
    """Nanoseconds as seconds."""
    return t_ns / NS_PER_S


def nanoseconds(t_s: float) -> int:
    """Seconds as whole nanoseconds, rounded to nearest."""
    return round(t_s * NS_PER_S)


def degrees(angle_rad: float | None) -> float | None:
    """Radians as degrees; an absent value stays absent."""
    return None if angle_rad is None else math.degrees(angle_rad)
