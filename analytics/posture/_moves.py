"""What one move between two still moments says: how far down, which lean, what turning at the bottom, what impact."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._window import FloatArray
from analytics.posture._limits import COS_BEND
from analytics.posture._path import Path, falls_until, rises_from, turned
from analytics.posture._ticks import ACC, RATE, SHAKE, TICK_HZ
from analytics.posture._vectors import Vector, dot, length, of, plus
from sagittal.units import STANDARD_GRAVITY_MPS2

BESIDE = round(1.2 * TICK_HZ)
"""Ticks at the bottom, after the fall and before the rise, in which a trunk turns on a seat and not on the feet."""
_LEAN, _HALF_LEAN = math.sin(math.radians(10.0)), math.sin(math.radians(5.0))
IMPACT_MPS2 = 3.0
IMPACT_SHAKE_MPS2 = 1.5
"""Legs brake at 2.5 m/s² at most and smoothly; a seat does not."""
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


def describe(path: Path, start: int, reference: Vector | None, before: list[float]) -> Move:
    """The move along a path that begins at tick `start`.

    Parameters
    ----------
    reference
        Upright in the sensor frame; None for the direction that the move begins in.
    before
        Rates of the 1.2 s before it, rad/s.
    """
    first, last = of(path.up[:, 0]), of(path.up[:, -1])
    reference = reference or first
    first, last = (plus(one, reference, -dot(one, reference)) for one in (first, last))
    seen = np.dot((reference, first, last), path.up)
    upright, to_first, to_last = seen.min(axis=1).tolist()
    count, rates = len(path.height), path.ticks[:, RATE].tolist()
    bottom = int(path.height.argmin())
    fall_end = falls_until(path.velocity[: bottom + 1]) if bottom else 0
    rise_start = bottom + rises_from(path.velocity[bottom:]) if bottom < count - 1 else count - 1
    bottom_m = float(path.height[bottom])
    near_bottom = rates[fall_end:rise_start] if bottom_m < -_FALLS_M else [*before, *rates[:rise_start]]
    over = (seen[0] < COS_BEND).nonzero()[0].tolist() if upright < COS_BEND else []
    return Move(
        start=start,
        end=start + count - 1,
        rise_m=path.rise_m,
        bottom_m=bottom_m,
        sd_m=path.sd_m,
        fall_end=start + fall_end,
        rise_start=start + rise_start,
        peak_deg=math.degrees(math.acos(max(-1.0, min(1.0, upright)))),
        lean_first=_against(last, to_last),
        lean_last=_against(first, to_first),
        out_and_back=_steepest(seen[0], upright) > max(length(first), length(last)) + _LEAN,
        turned_deg=turned(near_bottom[-BESIDE:]),
        impact=_impact(path.ticks[max(0, fall_end - TICK_HZ // 3) : fall_end + TICK_HZ // 3]),
        fastest_radps=max(rates),
        over_first=start + over[0] if over else -1,
        over_last=start + over[-1] if over else -1,
        over_ticks=len(over),
    )


def _against(towards: Vector, least: float) -> bool:
    """Whether it leans by 10° against a direction on its way, along which it lies so far at least."""
    size = length(towards)
    return size >= _HALF_LEAN and least / size < -_LEAN


def _steepest(along: FloatArray, least: float) -> float:
    """The largest sine of its tilt, by how far up lies along the reference."""
    nearest = least if least >= 0.0 else float(np.abs(along).min())
    return math.sqrt(max(0.0, 1.0 - nearest * nearest))


def _impact(ticks: FloatArray) -> bool:
    """Whether the acceleration peaks somewhere, and not smoothly."""
    shakes = ticks[:, SHAKE].tolist()
    return max(shakes) > IMPACT_SHAKE_MPS2 and any(
        shake > IMPACT_SHAKE_MPS2 and length((x, y, z)) + shake - STANDARD_GRAVITY_MPS2 > IMPACT_MPS2
        for (x, y, z), shake in zip(ticks[:, ACC].tolist(), shakes, strict=True)
    )
