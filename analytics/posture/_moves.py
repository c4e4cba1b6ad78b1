"""What one move between two still moments says: how far down, which lean, what turning at the bottom, what impact."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._window import FloatArray
from analytics.posture._limits import COS_BEND
from analytics.posture._path import IMPACT_MPS2, IMPACT_SHAKE_MPS2, Path, falls_until, rises_from, turned
from analytics.posture._ticks import TICK_HZ, lengths
from sagittal.units import STANDARD_GRAVITY_MPS2

BESIDE = round(1.2 * TICK_HZ)
"""Ticks at the bottom, after the fall and before the rise, in which a trunk turns on a seat and not on the feet."""
_LEAN_DEG = 10.0
_FALLS_M = 0.06
"""Two standard errors of a height: a move that sinks less only rises."""


@dataclass(frozen=True)
class Move:
    """A move in numbers; ticks are counted from the start of the segment.

    Attributes
    ----------
    start, end
        Its first and last tick, both still.
    rise_m, bottom_m, sd_m
        Height at its end and at its lowest over its start, and their standard error.
    fall_end, rise_start
        Ticks at which the fall is over and the rise begins.
    peak_deg
        Largest tilt from the reference.
    lean_first, lean_last
        Whether it began, or ended, with a lean of 10° the other way than the tilt at its end, or at its start.
    out_and_back
        Whether it leaned by 10° more than at either end.
    turned_deg
        Turning in the 1.2 s before the rise begins.
    impact
        Whether something stopped the fall harder than legs do.
    over_first, over_last, over_ticks
        First and last tick, and number of ticks, beyond 20°; -1 where there is none.
    """

    start: int
    end: int
    rise_m: float
    bottom_m: float
    sd_m: float
    fall_end: int
    rise_start: int
    peak_deg: float
    lean_first: bool
    lean_last: bool
    out_and_back: bool
    turned_deg: float
    impact: bool
    fastest_radps: float
    over_first: int
    over_last: int
    over_ticks: int


def describe(path: Path, start: int, reference: FloatArray, before: FloatArray) -> Move:
    """The move along a path that begins at tick `start`; `before` are the rates of the 1.2 s before it, rad/s."""
    along = path.up @ reference
    sideways = path.up - along[:, None] * reference
    bottom = int(path.height.argmin())
    fall_end = falls_until(path.velocity[: bottom + 1]) if bottom else 0
    rise_start = bottom + rises_from(path.velocity[bottom:]) if bottom < len(along) - 1 else len(along) - 1
    last, first = sideways[-1], sideways[0]
    falls = float(path.height[bottom]) < -_FALLS_M
    rate = path.rate[fall_end:rise_start] if falls else np.concatenate((before, path.rate[:rise_start]))
    tilt = lengths(sideways)
    over = (along < COS_BEND).nonzero()[0].tolist()
    near = slice(max(0, fall_end - TICK_HZ // 3), fall_end + TICK_HZ // 3)
    return Move(
        start=start,
        end=start + len(along) - 1,
        rise_m=path.rise_m,
        bottom_m=float(path.height[bottom]),
        sd_m=path.sd_m,
        fall_end=start + fall_end,
        rise_start=start + rise_start,
        peak_deg=math.degrees(math.acos(max(-1.0, min(1.0, float(along.min()))))),
        lean_first=_against(sideways, last),
        lean_last=_against(sideways, first),
        out_and_back=bool(tilt.max() > max(tilt[0], tilt[-1]) + math.sin(math.radians(_LEAN_DEG))),
        turned_deg=turned(rate[-BESIDE:]),
        impact=_impact(path, near),
        fastest_radps=float(path.rate.max()),
        over_first=start + over[0] if over else -1,
        over_last=start + over[-1] if over else -1,
        over_ticks=len(over),
    )


def _against(sideways: FloatArray, towards: FloatArray) -> bool:
    """Whether it leans by 10° against a direction on its way."""
    length = math.sqrt(float(towards @ towards))
    if length < math.sin(math.radians(_LEAN_DEG) / 2):
        return False
    return float((sideways @ towards).min()) / length < -math.sin(math.radians(_LEAN_DEG))


def _impact(path: Path, near: slice) -> bool:
    peak = path.force[near] + path.shake[near] - STANDARD_GRAVITY_MPS2
    hard = (peak > IMPACT_MPS2) & (path.shake[near] > IMPACT_SHAKE_MPS2)
    return bool(hard.any())
