"""One result of every kind, and streams of them."""

from __future__ import annotations

import time

from sagittal.blocks import GapReason
from sagittal.names import PostureLabel, Side, Site
from sagittal.protocols import Row
from sagittal.results import Change, Day, Event, Exposure, GapMark, Minute, Pattern, Posture, Result, Turn, Walk
from sagittal.units import NS_PER_S

NOW_S = int(time.time()) // 86_400 * 86_400
"""Midnight: near enough for the ninety days of seconds."""


def posture(second: int, flexion_deg: float | None = 12.5) -> Posture:
    return Posture(
        t_ns=(NOW_S + second) * NS_PER_S,
        posture=PostureLabel.SITTING,
        detail='sl"ou\\ched',
        since_ns=NOW_S * NS_PER_S,
        confidence=0.9,
        flexion_deg=flexion_deg,
        flexion_min_deg=flexion_deg,
        flexion_max_deg=flexion_deg,
        angle_reason=None if flexion_deg is not None else "gap",
        version="1",
    )


def pattern(score: float | None = 0.7) -> Pattern:
    return Pattern(
        pattern="asymmetric_gait",
        side=Side.LEFT,
        score=score,
        flagged=score is not None,
        assessable=score is not None,
        reason=None if score is not None else "too few strides",
        evidence={"step_regularity_v": 0.5, "harmonic_ratio_v": None},
        confidence=0.8,
    )


def walk(start_s: int, *, final: bool = True, speed: float | None = 1.1) -> Walk:
    return Walk(
        start_ns=(NOW_S + start_s) * NS_PER_S,
        end_ns=(NOW_S + start_s + 60) * NS_PER_S,
        final=final,
        n_steps=100,
        n_strides=50,
        steady=True,
        cadence_spm=104.0,
        walking_speed_mps=speed,
        metrics={"step_duration_s": 0.55},
        not_assessable={} if speed else {"walking_speed_mps": "no complete stride"},
        turns=[Turn(start_ns=0, end_ns=1, angle_deg=90.0)],
        compensations=[pattern()],
        compensation_score=0.6,
        confidence=0.8,
        version="1",
    )


def day(bends: int = 3, *, mean: float | None = 10.0) -> Day:
    return Day(
        date="2026-11-20",
        time_zone="UTC",
        t_ns=NOW_S * NS_PER_S,
        end_ns=(NOW_S + 86_400) * NS_PER_S,
        final=False,
        exposure=Exposure(posture_s={"sitting": 60.0}, worn_s=60.0, flexion_mean_deg=mean, bends=bends),
        metrics={"walking_speed_mps": mean},
        compensations=[pattern()],
        changes=[
            Change(
                metric="walking_speed_mps",
                value=1.0,
                baseline=1.2,
                spread=0.05,
                detectable_change=0.18,
                days=20,
                changed=True,
            )
        ],
        version="1",
    )


def every_kind() -> list[Result]:
    """Nine results of which eight can be seen in an InfluxDB: a walk that goes on can't."""
    t_ns = NOW_S * NS_PER_S
    return [
        posture(1),
        posture(2, None),
        walk(10, final=False),
        walk(10),
        Event(t_ns=t_ns + 5, event="bend", key="a", values={"depth_deg": 45.0}, tags=["x", "y"], version="1"),
        Event(t_ns=t_ns + 5, event="bend", key="b", text="line one\nline two", version="1"),
        Event(t_ns=t_ns + 5, event="hold", version="1"),
        GapMark(t_ns=t_ns + 7, end_ns=t_ns + 9, site=Site.LOWER_BACK, reason=GapReason.LOST),
        Minute(
            t_ns=t_ns, exposure=Exposure(posture_s={"sitting": 2.0}, exposure_s={"20-60deg|5-60s": 6.0}), version="1"
        ),
        day(),
    ]


def rows(results: list[Result], wearer: str = "anna", first: int = 1) -> list[Row]:
    return [
        Row(number, wearer, str(one.site) if isinstance(one, GapMark) else None, one)
        for number, one in enumerate(results, first)
    ]
