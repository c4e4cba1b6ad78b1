"""A day of posture in numbers: exposure of the trunk, bends, rises, shifts; each null with its reason where absent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Histogram = Mapping[int, float]
"""Weights by whole value."""

_LEAST_BENDS = 5
_LEAST_RISES = 3
_LEAST_H = 0.1


@dataclass(frozen=True)
class PostureDay:
    """The sums behind the numbers; `up_h` hours with the trunk up and its angles known."""

    up_h: float
    sitting_h: float
    flexion: Histogram
    sitting: Histogram
    stays_s: Mapping[str, float]
    depth: Histogram
    speed: Histogram
    rise: Histogram
    counts: Mapping[str, float]
    side_s: float
    busy_minutes: int


def posture_metrics(day: PostureDay) -> tuple[dict[str, float | None], dict[str, str]]:
    """Metrics with their units in their names, and why the absent ones are absent."""
    short = None if day.up_h >= _LEAST_H else "too little time with the trunk's angles known"
    few_bends = None if sum(day.depth.values()) >= _LEAST_BENDS else f"fewer than {_LEAST_BENDS} bends"
    few_rises = None if sum(day.rise.values()) >= _LEAST_RISES else f"fewer than {_LEAST_RISES} rises seen whole"
    little = None if day.sitting_h >= _LEAST_H and day.sitting else "too little sitting with the trunk's angles known"
    depth, range_deg = percentiles(day.depth, 50, 95)
    (speed,), (rise,) = percentiles(day.speed, 50), percentiles(day.rise, 50)
    found: dict[str, tuple[float | None, str | None]] = {
        **{f"trunk_over_{edge}_min": (_beyond(day.flexion, edge) / 60.0, short) for edge in (30, 60, 90)},
        "trunk_side_over_10_min": (day.side_s / 60.0, short),
        "flexion_iqr_deg": (_spread(day.flexion), short),
        "exposure_entropy_bits": (_entropy(day.stays_s), short),
        "bends_per_hour": (_rate(day.counts.get("bends", 0), day.up_h), short),
        "minutes_over_2_bends": (float(day.busy_minutes), short),
        "bend_depth_deg": (depth, few_bends),
        "bend_peak_speed_dps": (speed, few_bends),
        "bend_range_deg": (range_deg, few_bends),
        "sit_to_stand_duration_s": (_tenth(rise), few_rises),
        "posture_shifts_per_hour": (_rate(day.counts.get("posture_shifts", 0), day.up_h), short),
        "sitting_flexion_sd_deg": (_sd(day.sitting), little),
    }
    metrics = {name: None if reason or value is None else round(value, 3) for name, (value, reason) in found.items()}
    return metrics, {name: reason for name, (_, reason) in found.items() if reason}


def mean(histogram: Histogram) -> float | None:
    """The weighted mean; None of nothing."""
    total = sum(histogram.values())
    return sum(value * weight for value, weight in histogram.items()) / total if total else None


def percentiles(histogram: Histogram, *percents: float) -> list[float | None]:
    """The values at or below which so many percent of the weight lie; None of nothing."""
    total, ordered = sum(histogram.values()), sorted(histogram.items())
    return [_reached(ordered, total * percent / 100.0) for percent in percents]


def _reached(ordered: list[tuple[int, float]], left: float) -> float | None:
    for value, weight in ordered:
        left -= weight
        if left <= 0:
            return float(value)
    return None


def _sd(histogram: Histogram) -> float | None:
    middle, total = mean(histogram), sum(histogram.values())
    if middle is None:
        return None
    return math.sqrt(sum(weight * (value - middle) ** 2 for value, weight in histogram.items()) / total)


def _spread(histogram: Histogram) -> float | None:
    low, high = percentiles(histogram, 25, 75)
    return None if low is None or high is None else high - low


def _beyond(histogram: Histogram, edge: float) -> float:
    return sum(weight for value, weight in histogram.items() if value > edge)


def _entropy(seconds: Mapping[str, float]) -> float | None:
    total = sum(seconds.values())
    if not total:
        return None
    return -sum(one / total * math.log2(one / total) for one in seconds.values() if one > 0)


def _rate(count: float, hours: float) -> float | None:
    return count / hours if hours > 0 else None


def _tenth(value: float | None) -> float | None:
    return None if value is None else value / 10.0
