"""Minutes and days out of seconds that change no more, and of what happened in them."""

from __future__ import annotations

from collections.abc import Mapping
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
_NOT_WORN = (PostureLabel.UNKNOWN, PostureLabel.NOT_WORN)
_COUNTED = {
    "bend": "bends",
    "hold": "holds",
    "sit_to_stand": "sit_to_stands",
    "posture_shift": "posture_shifts",
}
_BENDS_A_MINUTE = threshold("posture.bends_per_minute")


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
            case Posture():
                return self._posture(result)
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
        worn = sum(seconds for label, seconds in self.posture_s.items() if label not in {str(x) for x in _NOT_WORN})
        mean = _day_metrics.mean(self.flexion)
        return Exposure(
            posture_s=_sorted(self.posture_s),
            worn_s=float(worn),
            gap_s={reason: round(seconds, 3) for reason, seconds in _sorted(self.gap_s).items()},
            trunk_band_s=_sorted(self.band_s),
            exposure_s=_sorted(self.stay_s),
            flexion_mean_deg=None if mean is None else round(mean, 1),
            flexion_p5_deg=_day_metrics.percentile(self.flexion, 5),
            flexion_p95_deg=_day_metrics.percentile(self.flexion, 95),
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

    def _posture(self, row: Posture) -> Sum:
        made = evolve(self, posture_s=_more(self.posture_s, row.posture.value, 1.0))
        if row.detail == "slouched":
            made = evolve(made, slouched_s=made.slouched_s + 1.0)
        if not in_bands(row) or row.flexion_deg is None or row.lateral_deg is None:
            return made
        degree = round(row.flexion_deg)
        if row.posture is PostureLabel.SITTING:
            made = evolve(made, sitting=_more(made.sitting, degree, 1.0))
        return evolve(
            made,
            band_s=_more(made.band_s, trunk_band(row.flexion_deg), 1.0),
            flexion=_more(made.flexion, degree, 1.0),
            lateral_sum=made.lateral_sum + row.lateral_deg,
            lateral_n=made.lateral_n + 1,
            side_s=made.side_s + float(abs(row.lateral_deg) > threshold("posture.lateral_acceptable_deg")),
        )


@dataclass(frozen=True)
class Sums:
    """The open minute and the open day."""

    minute_ns: int = -1
    minute: Sum = field(default_factory=Sum)
    date: str = ""
    day: Sum = field(default_factory=Sum)

    def add(self, result: Result | Stay, zone: tzinfo, version: str) -> tuple[Sums, list[Result]]:
        """Count a result; minutes and days that are over, and the day so far once a minute."""
        t_ns = result.start_ns if isinstance(result, Walk) else result.t_ns
        minute_ns = t_ns // MINUTE_NS * MINUTE_NS
        done: list[Result] = []
        made = self
        if minute_ns > made.minute_ns:
            if made.minute.counts.get("bends", 0) > _BENDS_A_MINUTE:
                made = evolve(made, day=evolve(made.day, busy_minutes=made.day.busy_minutes + 1))
            date = _date(minute_ns // NS_PER_S, zone)
            done += made.close(zone, version)
            made = evolve(made, minute_ns=minute_ns, minute=Sum())
            if date > made.date:
                if made.date:
                    done[-1:] = [_day(made, zone, version, final=True)]
                made = evolve(made, date=date, day=Sum())
        provisional = isinstance(result, Walk) and not result.final
        minute = made.minute if provisional else made.minute.add(result)
        return evolve(made, minute=minute, day=made.day.add(result)), done

    def close(self, zone: tzinfo, version: str) -> list[Result]:
        """The open minute and the day so far."""
        if self.minute_ns < 0:
            return []
        minute = Minute(t_ns=self.minute_ns, exposure=self.minute.exposure(), version=version)
        return [minute, _day(self, zone, version, final=False)]


def _day(sums: Sums, zone: tzinfo, version: str, *, final: bool) -> Day:
    start = datetime.fromisoformat(sums.date).replace(tzinfo=zone)
    end = (datetime.fromisoformat(sums.date) + timedelta(days=1)).replace(tzinfo=zone)
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
        t_ns=round(start.astimezone(UTC).timestamp()) * NS_PER_S,
        end_ns=round(end.astimezone(UTC).timestamp()) * NS_PER_S,
        final=final,
        exposure=day.exposure(),
        metrics=metrics,
        not_assessable=reasons,
        version=version,
    )


@lru_cache(maxsize=16)
def _date(t_s: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(t_s, zone).date().isoformat()


def _more(old: dict[K, float], key: K, amount: float) -> dict[K, float]:
    made = dict(old)
    made[key] = made.get(key, 0) + amount
    return made


def _sorted(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: float(seconds[name]) for name in sorted(seconds)}
