"""Minutes and days out of seconds that change no more, and of what happened in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TypeVar

from analytics._evolve import evolve
from analytics.pipeline import _day_metrics
from analytics.posture import Stay, in_bands, trunk_band
from sagittal.names import PostureLabel
from sagittal.results import Day, Event, Exposure, GapMark, Minute, Posture, Result, Walk
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

K = TypeVar("K")
MINUTE_NS = 60 * NS_PER_S
_NOT_WORN = (PostureLabel.UNKNOWN.value, PostureLabel.NOT_WORN.value)
_COUNTED = {
    "bend": "bends",
    "hold": "holds",
    "sit_to_stand": "sit_to_stands",
    "posture_shift": "posture_shifts",
}
_BENDS_A_MINUTE = threshold("posture.bends_per_minute")
_MOST_LATERAL_DEG = threshold("posture.lateral_acceptable_deg")


@dataclass(frozen=True)
class Sum:
    """Running sums over a minute or a day.

    `posture_s`, `gap_s`, `band_s`, `stay_s` are seconds by name, `counts` events by name, `steps` by bout; histograms:
    `flexion` and `sitting` seconds by whole degree, `depth` bends by degree, `speed` by degree per second, `rise`
    sit-to-stands by tenth of a second. `side_s` is time beyond the acceptable lateral inclination.
    """

    posture_s: dict[str, float] = field(default_factory=dict)
    gap_s: dict[str, float] = field(default_factory=dict)
    band_s: dict[str, float] = field(default_factory=dict)
    stay_s: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    flexion: dict[int, float] = field(default_factory=dict)
    sitting: dict[int, float] = field(default_factory=dict)
    depth: dict[int, float] = field(default_factory=dict)
    speed: dict[int, float] = field(default_factory=dict)
    rise: dict[int, float] = field(default_factory=dict)
    steps: dict[int, float] = field(default_factory=dict)
    lateral_sum: float = 0.0
    lateral_n: int = 0
    side_s: float = 0.0
    slouched_s: float = 0.0
    busy_minutes: int = 0

    def add(self, result: Result | Stay) -> Sum:
        """With one more result counted."""
        match result:
            case Stay():
                return evolve(self, stay_s=_more(self.stay_s, result.cell, result.seconds))
            case GapMark():
                seconds = (result.end_ns - result.t_ns) / NS_PER_S
                return evolve(self, gap_s=_more(self.gap_s, str(result.reason), seconds))
            case Event() if result.event in _COUNTED:
                return self._event(result)
            case Walk():
                return evolve(self, steps={**self.steps, result.start_ns: result.n_steps})
        return self

    def exposure(self) -> Exposure:
        """The sums as they are published."""
        worn = sum(seconds for label, seconds in self.posture_s.items() if label not in _NOT_WORN)
        mean = _day_metrics.mean(self.flexion)
        p5, p95 = _day_metrics.percentiles(self.flexion, 5, 95)
        return Exposure(
            posture_s=_sorted(self.posture_s),
            worn_s=float(worn),
            gap_s={reason: round(seconds, 3) for reason, seconds in _sorted(self.gap_s).items()},
            trunk_band_s=_sorted(self.band_s),
            exposure_s=_sorted(self.stay_s),
            flexion_mean_deg=None if mean is None else round(mean, 1),
            flexion_p5_deg=p5,
            flexion_p95_deg=p95,
            lateral_mean_deg=round(self.lateral_sum / self.lateral_n, 1) if self.lateral_n else None,
            slouched_s=self.slouched_s,
            bends=int(self.counts.get("bends", 0)),
            holds=int(self.counts.get("holds", 0)),
            sit_to_stands=int(self.counts.get("sit_to_stands", 0)),
            posture_shifts=int(self.counts.get("posture_shifts", 0)),
            steps=int(sum(self.steps.values())),
            walks=len(self.steps),
        )

    def _event(self, event: Event) -> Sum:
        made = evolve(self, counts=_more(self.counts, _COUNTED[event.event], 1))
        depth, speed = event.values.get("flexion_max_deg"), event.values.get("peak_speed_dps")
        if event.event == "bend" and depth is not None and speed is not None:
            return evolve(made, depth=_more(made.depth, round(depth), 1), speed=_more(made.speed, round(speed), 1))
        if event.event == "sit_to_stand" and event.duration_s > 0:
            return evolve(made, rise=_more(made.rise, round(10 * event.duration_s), 1))
        return made

    def rows(self, rows: Iterable[Row]) -> Sum:
        """With seconds of posture counted."""
        posture_s, band_s = dict(self.posture_s), dict(self.band_s)
        flexion, sitting = dict(self.flexion), dict(self.sitting)
        lateral_sum, lateral_n, side_s, slouched_s = self.lateral_sum, self.lateral_n, self.side_s, self.slouched_s
        for posture, slouched, flexion_deg, lateral_deg in rows:
            posture_s[posture] = posture_s.get(posture, 0.0) + 1.0
            slouched_s += slouched
            if flexion_deg is None or lateral_deg is None:
                continue
            degree, band = round(flexion_deg), trunk_band(flexion_deg)
            if posture == PostureLabel.SITTING:
                sitting[degree] = sitting.get(degree, 0.0) + 1.0
            flexion[degree] = flexion.get(degree, 0.0) + 1.0
            band_s[band] = band_s.get(band, 0.0) + 1.0
            lateral_sum += lateral_deg
            lateral_n += 1
            side_s += abs(lateral_deg) > _MOST_LATERAL_DEG
        return evolve(
            self,
            posture_s=posture_s,
            band_s=band_s,
            flexion=flexion,
            sitting=sitting,
            lateral_sum=lateral_sum,
            lateral_n=lateral_n,
            side_s=side_s,
            slouched_s=slouched_s,
        )


Row = tuple[str, bool, float | None, float | None]
"""Of a second: posture, whether slouched, flexion and lateral inclination, degrees, where they count in the bands."""


def _row(one: Posture) -> Row:
    counts = in_bands(one)
    return (
        one.posture.value,
        one.detail == "slouched",
        one.flexion_deg if counts else None,
        one.lateral_deg if counts else None,
    )


@dataclass(frozen=True)
class Sums:
    """The open minute and the open day; `rows` are the minute's seconds, counted once it is over."""

    minute_ns: int = -1
    minute: Sum = field(default_factory=Sum)
    date: str = ""
    day: Sum = field(default_factory=Sum)
    rows: tuple[Row, ...] = ()

    def add(self, results: Iterable[Result | Stay], zone: tzinfo, version: str) -> tuple[Sums, list[Result]]:
        """Count results in order of time; minutes and days that are over, and the day so far once a minute."""
        made, rows = self, self.rows
        done: list[Result] = []
        for result in results:
            t_ns = result.start_ns if isinstance(result, Walk) else result.t_ns
            if t_ns >= made.minute_ns + MINUTE_NS or made.minute_ns < 0:
                made, more = _next(evolve(made, rows=rows), t_ns, zone, version)
                rows = ()
                done += more
            if isinstance(result, Posture):
                rows = (*rows, _row(result))
            else:
                provisional = isinstance(result, Walk) and not result.final
                minute = made.minute if provisional else made.minute.add(result)
                made = evolve(made, minute=minute, day=made.day.add(result))
        return evolve(made, rows=rows), done

    def close(self, zone: tzinfo, version: str) -> list[Result]:
        """The open minute and the day so far."""
        if self.minute_ns < 0:
            return []
        made = _counted(self)
        minute = Minute(t_ns=made.minute_ns, exposure=made.minute.exposure(), version=version)
        return [minute, _day(made, zone, version, final=False)]


def _next(sums: Sums, t_ns: int, zone: tzinfo, version: str) -> tuple[Sums, list[Result]]:
    """A minute begins."""
    made = _counted(sums)
    if made.minute.counts.get("bends", 0) > _BENDS_A_MINUTE:
        made = evolve(made, day=evolve(made.day, busy_minutes=made.day.busy_minutes + 1))
    done = made.close(zone, version)
    minute_ns = t_ns // MINUTE_NS * MINUTE_NS
    date = date_of(minute_ns // NS_PER_S, zone)
    if date > made.date:
        if made.date:
            done[-1:] = [_day(made, zone, version, final=True)]
        made = evolve(made, date=date, day=Sum())
    return evolve(made, minute_ns=minute_ns, minute=Sum()), done


def _counted(sums: Sums) -> Sums:
    """With the minute's seconds in its sums and the day's."""
    if not sums.rows:
        return sums
    return evolve(sums, minute=sums.minute.rows(sums.rows), day=sums.day.rows(sums.rows), rows=())


def _day(sums: Sums, zone: tzinfo, version: str, *, final: bool) -> Day:
    t_ns, end_ns = _bounds_ns(sums.date, zone)
    day = sums.day
    up_h = sum(day.flexion.values()) / 3600.0
    metrics, reasons = _day_metrics.posture_metrics(
        _day_metrics.PostureDay(
            up_h=up_h,
            sitting_h=day.posture_s.get("sitting", 0.0) / 3600.0,
            flexion=day.flexion,
            sitting=day.sitting,
            stays_s=day.stay_s,
            depth=day.depth,
            speed=day.speed,
            rise=day.rise,
            counts=day.counts,
            side_s=day.side_s,
            busy_minutes=day.busy_minutes,
        )
    )
    return Day(
        date=sums.date,
        time_zone=str(zone),
        t_ns=t_ns,
        end_ns=end_ns,
        final=final,
        exposure=day.exposure(),
        metrics=metrics,
        not_assessable=reasons,
        version=version,
    )


@lru_cache(maxsize=64)
def _bounds_ns(date: str, zone: tzinfo) -> tuple[int, int]:
    """UTC at which a day begins and ends in a zone."""
    start = datetime.fromisoformat(date)
    edges = (one.replace(tzinfo=zone).astimezone(UTC) for one in (start, start + timedelta(days=1)))
    begin_ns, end_ns = (round(one.timestamp()) * NS_PER_S for one in edges)
    return begin_ns, end_ns


@lru_cache(maxsize=64)
def date_of(t_s: int, zone: tzinfo) -> str:
    """The date of a time in a zone, ISO 8601; asked for whole minutes, most answers are known already."""
    return datetime.fromtimestamp(t_s, zone).date().isoformat()


def _more(old: dict[K, float], key: K, amount: float) -> dict[K, float]:
    made = dict(old)
    made[key] = made.get(key, 0) + amount
    return made


def _sorted(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: float(seconds[name]) for name in sorted(seconds)}
