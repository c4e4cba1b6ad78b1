"""Simulated wearers' weeks as results: what a worker would have stored, made directly and the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sagittal.blocks import GapReason
from sagittal.names import PostureLabel, Side, Site
from sagittal.protocols import Reading, Row
from sagittal.results import Change, Day, Event, EventName, Exposure, GapMark, Minute, Pattern, Posture, Result, Walk
from sagittal.units import NS_PER_S

DAY_S = 86_400
MINUTE_S = 60
VERSION = "1.0.0"
PATTERNS = (
    "asymmetric_gait",
    "stiff_knee",
    "short_step",
    "trunk_lean",
    "pelvic_drop_or_hike",
    "guarded_back",
    "forward_stoop_while_walking",
    "lateral_shift",
    "decline_within_walk",
)
USUAL = {"walking_speed_mps": 1.15, "cadence_spm": 106.0, "stride_length_m": 1.3, "compensation_departure": 0.3}
DETECTABLE = {"walking_speed_mps": 0.18, "cadence_spm": 12.2, "stride_length_m": 0.212, "compensation_departure": 0.33}
_WALKING, _SITTING, _STANDING = str(PostureLabel.WALKING), str(PostureLabel.SITTING), str(PostureLabel.STANDING)


@dataclass
class Person:
    """A wearer: how many days are simulated, and whether walking gets worse in the last week."""

    name: str
    days: int
    worse: bool = False
    seconds_h: float = 0.0
    every_s: int = 5 * MINUTE_S
    silent_for_s: float = 0.0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.name)


def clinic(now_s: int, count: int = 20, days: int = 7) -> list[Person]:
    """So many wearers, one minute told in five; the first has a whole month and some hours of seconds.

    A third get worse, one is silent.
    """
    people = [Person(f"w{number:03d}", days, worse=number % 3 == 0) for number in range(count)]
    people[0] = Person("anna", 30, worse=True, seconds_h=3.0, every_s=MINUTE_S)
    people[-1].silent_for_s = 7_200.0
    assert now_s > 0
    return people


def results(person: Person, now_s: int) -> Iterator[Result]:
    """Everything of one wearer up to now, day by day."""
    end_s = now_s - round(person.silent_for_s)
    midnight = now_s // DAY_S * DAY_S
    for back in range(person.days - 1, -1, -1):
        yield from _day(person, midnight - back * DAY_S, min(end_s, midnight - (back - 1) * DAY_S), back)
    yield from _seconds(person, end_s)


def rows(person: Person, now_s: int) -> Iterator[Row]:
    """The same as rows of an outbox."""
    for number, result in enumerate(results(person, now_s), 1):
        yield Row(number, person.name, str(result.site) if isinstance(result, GapMark) else None, result)


def readings(people: list[Person], now_s: int, hours: float = 6.0, every_s: int = 60) -> Iterator[Reading]:
    """What the worker says of wearables and of itself over the last hours."""
    for number, person in enumerate(people):
        for t_s in range(now_s - round(hours * 3600), now_s, every_s):
            silent = t_s > now_s - person.silent_for_s
            battery = max(5.0, 95.0 - number * 4 - (t_s - now_s + hours * 3600) / 1200)
            yield Reading(
                "device",
                t_s * NS_PER_S,
                {
                    "battery_percent": battery,
                    "rssi_dbm": -60.0 - number % 20 + person.random.uniform(-3, 3),
                    "rate_hz": 0.0 if silent else 100.0,
                    "samples_lost": float(number % 5),
                    "reconnects": float(number % 3),
                    "spooled_blocks": 40.0 if silent else 2.0,
                    "behind_s": person.silent_for_s - (now_s - t_s) if silent else 1.5 + number % 4 / 4,
                    "newest_ms": (t_s - 1.5) * 1000 if not silent else (now_s - person.silent_for_s) * 1000,
                    "heard_s": 1.0,
                    "state": "offline" if silent else "streaming",
                    "reason": "link_lost" if silent else None,
                    "device": f"imu-{number:03d}",
                    "driver": "sagittal_imu",
                    "bridge": "ward",
                },
                person.name,
                "lower_back",
            )
    for step, t_s in enumerate(range(now_s - round(hours * 3600), now_s, every_s)):
        values: dict[str, float | str | None] = {
            "behind_s": 2.0 + step % 7 / 3,
            "outbox_waiting": float(step * 37 % 400),
            "spooled_blocks": float(step * 13 % 90),
            "blocks": 20.0 * step * every_s,
            "malformed": float(step // 120),
            "repeats": float(step // 30),
            "overflowed": 0.0,
            "pipeline_failures": 0.0,
            "sink_refused": float(step // 200),
            "devices": float(len(people)),
            "devices_streaming": float(len(people) - 1),
            "sink.influx": "unavailable" if 100 < step < 110 else "fed",
        }
        yield Reading("service", t_s * NS_PER_S, values)


_GAPS = (2, 12, 22)
"""Which stays of a day are gaps instead: every day has some, at whatever hour the tests run."""


def _day(person: Person, start_s: int, end_s: int, back: int) -> Iterator[Result]:
    rng, total = person.random, _Total()
    up_s, asleep_s = start_s + round((6.5 + rng.random()) * 3600), start_s + round((22 + rng.random()) * 3600)
    bad = (1.0 - back / 14 if back < 14 else 0.0) if person.worse else 0.0
    t_s, stays = up_s, 0
    while t_s < min(asleep_s, end_s):
        length_s, stays = MINUTE_S * rng.randint(4, 40), stays + 1
        label = rng.choices((_SITTING, _STANDING, _WALKING), (6, 3, 2))[0]
        if stays in _GAPS:
            stop_s = min(t_s + length_s, end_s)
            reason = rng.choice((GapReason.STALL, GapReason.RECONNECT, GapReason.LOST))
            yield GapMark(t_ns=t_s * NS_PER_S, end_ns=stop_s * NS_PER_S, site=Site.LOWER_BACK, reason=reason, samples=9)
        else:
            yield from _stay(person, label, t_s, min(t_s + length_s, end_s, asleep_s), bad, total)
        t_s += length_s
    if rng.random() < 0.8 and start_s + 19 * 3600 < end_s:
        pain = {"pain_back": float(round(2 + 4 * bad + rng.random())), "pain_knee_left": float(round(rng.random() * 3))}
        yield _event(
            "diary", start_s + 19 * 3600, values=pain, text="After dinner.", tags=["evening"], key="diary-0001"
        )
    if total.worn_s:
        yield _sum_of(person, start_s, end_s, back, bad, total)


@dataclass
class _Total:
    worn_s: float = 0.0
    steps: int = 0
    walks: int = 0
    bends: int = 0
    posture_s: dict[str, float] = field(default_factory=dict)
    patterns: list[Pattern] = field(default_factory=list)


def _stay(person: Person, label: str, start_s: int, end_s: int, bad: float, total: _Total) -> Iterator[Result]:
    rng = person.random
    lean = {_SITTING: 14.0, _STANDING: 4.0, _WALKING: 7.0}[label] + 6 * bad + rng.gauss(0, 4)
    for t_s in range(start_s // MINUTE_S * MINUTE_S, end_s - MINUTE_S + 1, person.every_s):
        bends = rng.choices((0, 1, 2), (90, 8, 2))[0]
        flexion = lean + rng.gauss(0, 2)
        beyond = 6.0 * bends + (20.0 if flexion > 18 else 0.0)
        exposure = Exposure(
            posture_s={label: 54.0, str(PostureLabel.TRANSITION): 4.0, str(PostureLabel.BENDING): 2.0 * bends},
            worn_s=58.0 + 2.0 * bends,
            trunk_band_s={"backwards": 2.0, "0-20": 56.0 - beyond, "20-60": beyond, "60-": float(bends)},
            exposure_s={"0-20deg|5-60s": 40.0, "20-60deg|0-5s": beyond / 2, "20-60deg|5-60s": beyond / 2},
            flexion_mean_deg=flexion,
            flexion_p5_deg=flexion - 4 - rng.random() * 4,
            flexion_p95_deg=flexion + 5 + rng.random() * 4 + 25 * bends,
            lateral_mean_deg=rng.gauss(1 + 3 * bad, 1.5),
            bends=bends,
            steps=104 if label == _WALKING else 0,
            sit_to_stands=rng.random() < 0.03,
            posture_shifts=rng.random() < 0.2,
        )
        times = person.every_s // MINUTE_S
        total.worn_s += times * exposure.worn_s
        total.bends += times * bends
        total.steps += times * exposure.steps
        for name, seconds in exposure.posture_s.items():
            total.posture_s[name] = total.posture_s.get(name, 0.0) + times * seconds
        yield Minute(t_ns=t_s * NS_PER_S, exposure=exposure, version=VERSION)
    yield from _happenings(person, label, start_s, end_s, bad, total)


def _happenings(person: Person, label: str, start_s: int, end_s: int, bad: float, total: _Total) -> Iterator[Result]:
    rng = person.random
    if label == _WALKING and end_s - start_s >= 120:
        walk = _walk(person, start_s, end_s, bad)
        total.walks += 1
        total.patterns = walk.compensations
        yield walk
        if bad > 0.4 and rng.random() < 0.2:
            yield _event("relief", end_s, text="After sitting, the next walk had back what the last one lost.")
    elif label == _SITTING and rng.random() < 0.3:
        yield _event("nudge", start_s + 60, text="Leaning forwards for 60 seconds. Would another posture feel better?")
        name: EventName = "nudge_followed" if rng.random() < 0.6 else "nudge_ignored"
        yield _event(name, start_s + 90, values={"after_s": 30.0}, tags=["nudge"])
    if rng.random() < 0.15:
        lasted = rng.uniform(5, 200)
        held = {"flexion_deg": 35.0, "acceptable_s": 172.5, "beyond_s": max(0.0, lasted - 172.5)}
        yield _event("hold", start_s + 30, duration_s=lasted, values=held)
    if rng.random() < 0.01:
        yield _event("calibrated", start_s, text="Standing upright for five seconds.")


def _walk(person: Person, start_s: int, end_s: int, bad: float) -> Walk:
    rng = person.random
    steady = rng.random() < 0.8
    regularity = 0.88 - 0.35 * bad + rng.gauss(0, 0.03)
    departure = 0.25 + 1.2 * bad + rng.gauss(0, 0.1)
    metrics: dict[str, float | None] = {
        "step_duration_s": 0.56 + 0.05 * bad,
        "step_regularity_v": regularity,
        "stride_regularity_v": min(0.98, regularity + 0.05),
        "step_time_symmetry_index_percent": 12 * bad + rng.gauss(0, 2) if steady else None,
        "vertical_displacement_asymmetry_percent": 9 * bad + rng.gauss(0, 3) if steady else None,
        "impact_asymmetry_percent": 15 * bad + rng.gauss(0, 5) if steady else None,
        "pelvic_obliquity_range_deg": 8 + rng.gauss(0, 0.6),
        "pelvic_rotation_range_deg": 9 - 2 * bad + rng.gauss(0, 0.6),
        "pelvic_tilt_range_deg": 4 + rng.gauss(0, 0.3),
    }
    return Walk(
        start_ns=start_s * NS_PER_S,
        end_ns=end_s * NS_PER_S,
        final=True,
        n_steps=round((end_s - start_s) * 1.7),
        n_strides=round((end_s - start_s) * 0.85),
        steady=steady,
        steady_reason=None if steady else "bout not steady: stride times vary by 15 %",
        cadence_spm=106 - 8 * bad + rng.gauss(0, 2),
        stride_duration_s=1.12 + 0.1 * bad,
        stride_duration_cv_percent=1.6 + 2 * bad + rng.random(),
        stride_length_m=1.3 - 0.25 * bad + rng.gauss(0, 0.03),
        walking_speed_mps=1.15 - 0.3 * bad + rng.gauss(0, 0.04),
        metrics=metrics,
        not_assessable={name: "bout not steady" for name, value in metrics.items() if value is None},
        compensations=[_pattern(name, departure, bad) for name in PATTERNS],
        compensation_score=min(0.97, 0.15 + 0.6 * bad + rng.gauss(0, 0.02)),
        confidence=0.85,
        version=VERSION,
    )


def _pattern(name: str, departure: float, bad: float) -> Pattern:
    limits = "Needs walking; names no cause."
    if name in ("stiff_knee", "trunk_lean"):
        reason = "needs sensors on both shanks" if name == "stiff_knee" else "needs a sensor at the upper trunk"
        return Pattern(pattern=name, assessable=False, reason=reason, limits=limits)
    if name == "decline_within_walk":
        shown: dict[str, float | None] = {
            "long_walks": 4.0, "declined_walks": round(3 * bad), "declines_before_a_rest": round(2 * bad),
            "declines_eased_by_rest": round(1.5 * bad),
        }  # fmt: skip
    else:
        shown = {"step_regularity_v": 0.8, "step_symmetry_v": 0.9, "forward_wave": 0.7}
    own = departure if name in ("asymmetric_gait", "short_step") else 0.2
    return Pattern(
        pattern=name,
        side=Side.LEFT if own > 1.1 and name == "asymmetric_gait" else None,
        score=min(0.97, max(0.03, own * 0.5)),
        flagged=own - 0.2 > 1.0,
        assessable=True,
        evidence={**shown, "departure": own, "departure_error": 0.2},
        confidence=0.8,
        limits=limits,
    )


def _sum_of(person: Person, start_s: int, end_s: int, back: int, bad: float, total: _Total) -> Day:
    return Day(
        date=datetime.fromtimestamp(start_s, UTC).date().isoformat(),
        time_zone="UTC",
        t_ns=start_s * NS_PER_S,
        end_ns=(start_s + DAY_S) * NS_PER_S,
        final=back > 0,
        exposure=Exposure(
            posture_s=total.posture_s, worn_s=total.worn_s, steps=total.steps, walks=total.walks, bends=total.bends,
            flexion_mean_deg=11.0 + 6 * bad, flexion_p5_deg=3.0, flexion_p95_deg=28.0, lateral_mean_deg=1.0,
        ),
        metrics={"walking_speed_mps": 1.15 - 0.3 * bad},
        compensations=[_pattern(name, 0.25 + 1.2 * bad, bad) for name in PATTERNS],
        compensation_score=0.15 + 0.6 * bad,
        changes=[_change(person, name, usual, back, bad) for name, usual in USUAL.items()],
        version=VERSION,
    )  # fmt: skip


def _change(person: Person, name: str, usual: float, back: int, bad: float) -> Change:
    days = max(0, 30 - back)
    change = DETECTABLE[name]
    away = 1.6 * change * bad * (1 if name == "compensation_departure" else -1)
    known = days >= 8
    return Change(
        metric=name,
        value=usual + away + person.random.gauss(0, change / 8),
        baseline=usual if known else None,
        spread=change / 6 if known else None,
        detectable_change=change,
        days=days,
        changed=known and abs(away) > change,
        reason=None if known else f"baseline not ready: {days} of 8 valid days",
    )


def _event(name: EventName, t_s: int, **about: object) -> Event:
    return Event(t_ns=t_s * NS_PER_S, event=name, version=VERSION, **about)  # type: ignore[arg-type]  # its own fields


def _seconds(person: Person, end_s: int) -> Iterator[Posture]:
    labels = (PostureLabel.SITTING, PostureLabel.WALKING, PostureLabel.STANDING, PostureLabel.BENDING)
    for t_s in range(end_s - round(person.seconds_h * 3600), end_s):
        label = labels[t_s // 400 % 4]
        lean = (
            8.0
            + 12 * (label is PostureLabel.SITTING)
            + 40 * (label is PostureLabel.BENDING)
            + person.random.gauss(0, 1)
        )
        yield Posture(
            t_ns=t_s * NS_PER_S, posture=label, since_ns=t_s // 400 * 400 * NS_PER_S, confidence=0.9, flexion_deg=lean,
            flexion_min_deg=lean - 2, flexion_max_deg=lean + 2, lateral_deg=person.random.gauss(1, 1), version=VERSION,
        )  # fmt: skip
