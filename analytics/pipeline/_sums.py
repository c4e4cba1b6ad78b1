"""Minutes and days out of seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from sagittal.names import PostureLabel
from sagittal.results import Day, Event, Exposure, GapMark, Minute, Posture, Result, Walk
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
_BINS = np.arange(-90.0, 181.0, 1.0)
_NOT_WORN = (PostureLabel.UNKNOWN, PostureLabel.NOT_WORN)


@dataclass(frozen=True, slots=True)
class Sum:
    """Running sums over a minute or a day; the flexion as a histogram of whole degrees."""

    posture_s: Counter[str] = field(default_factory=Counter)
    gap_s: Counter[str] = field(default_factory=Counter)
    band_s: Counter[str] = field(default_factory=Counter)
    flexion: Counter[int] = field(default_factory=Counter)
    lateral_sum: float = 0.0
    lateral_n: int = 0
    slouched_s: float = 0.0
    bends: int = 0
    steps: Counter[int] = field(default_factory=Counter)

    def add(self, result: Result) -> Sum:
        """With one more result counted."""
        match result:
            case Posture():
                return self._posture(result)
            case GapMark():
                seconds = (result.end_ns - result.t_ns) / NS_PER_S
                return replace(self, gap_s=self.gap_s + Counter({str(result.reason): seconds}))
            case Event(event="bend"):
                return replace(self, bends=self.bends + 1)
            case Walk():
                steps = Counter(self.steps)
                steps[result.start_ns] = result.n_steps
                return replace(self, steps=steps)
        return self

    def exposure(self) -> Exposure:
        """The sums as they are published."""
        angles = np.repeat(
            np.array(sorted(self.flexion), dtype=float), [self.flexion[one] for one in sorted(self.flexion)]
        )
        some = len(angles) > 0
        worn = sum(seconds for label, seconds in self.posture_s.items() if label not in {str(x) for x in _NOT_WORN})
        return Exposure(
            posture_s={label: float(seconds) for label, seconds in sorted(self.posture_s.items())},
            worn_s=float(worn),
            gap_s={reason: round(float(seconds), 3) for reason, seconds in sorted(self.gap_s.items())},
            trunk_band_s={band: float(seconds) for band, seconds in sorted(self.band_s.items())},
            flexion_mean_deg=round(float(angles.mean()), 1) if some else None,
            flexion_p5_deg=float(np.percentile(angles, 5)) if some else None,
            flexion_p95_deg=float(np.percentile(angles, 95)) if some else None,
            lateral_mean_deg=round(self.lateral_sum / self.lateral_n, 1) if self.lateral_n else None,
            slouched_s=self.slouched_s,
            bends=self.bends,
            steps=sum(self.steps.values()),
            walks=len(self.steps),
        )

    def _posture(self, row: Posture) -> Sum:
        made = replace(self, posture_s=self.posture_s + Counter({str(row.posture): 1}))
        if row.detail == "slouched":
            made = replace(made, slouched_s=made.slouched_s + 1.0)
        if row.flexion_deg is None or row.lateral_deg is None:
            return made
        return replace(
            made,
            band_s=made.band_s + Counter({_band(row.flexion_deg): 1}),
            flexion=made.flexion + Counter({round(row.flexion_deg): 1}),
            lateral_sum=made.lateral_sum + row.lateral_deg,
            lateral_n=made.lateral_n + 1,
        )


@dataclass(frozen=True, slots=True)
class Sums:
    """The open minute and the open day."""

    minute_ns: int = -1
    minute: Sum = field(default_factory=Sum)
    date: str = ""
    day: Sum = field(default_factory=Sum)

    def add(self, result: Result, zone: tzinfo, version: str) -> tuple[Sums, list[Result]]:
        """Count a result; minutes and days that are over, and the day so far once a minute."""
        t_ns = result.start_ns if isinstance(result, Walk) else result.t_ns
        minute_ns, date = t_ns // MINUTE_NS * MINUTE_NS, _date(t_ns, zone)
        done: list[Result] = []
        made = self
        if minute_ns > made.minute_ns:
            done += made.close(zone, version)
            made = replace(made, minute_ns=minute_ns, minute=Sum())
        if date > made.date:
            if made.date:
                done[-1:] = [_day(made, zone, version, final=True)]
            made = replace(made, date=date, day=Sum())
        provisional = isinstance(result, Walk) and not result.final
        minute = made.minute if provisional else made.minute.add(result)
        return replace(made, minute=minute, day=made.day.add(result)), done

    def close(self, zone: tzinfo, version: str) -> list[Result]:
        """The open minute and the day so far."""
        if self.minute_ns < 0:
            return []
        minute = Minute(t_ns=self.minute_ns, exposure=self.minute.exposure(), version=version)
        return [minute, _day(self, zone, version, final=False)]


def _day(sums: Sums, zone: tzinfo, version: str, *, final: bool) -> Day:
    start = datetime.fromisoformat(sums.date).replace(tzinfo=zone)
    end = (datetime.fromisoformat(sums.date) + timedelta(days=1)).replace(tzinfo=zone)
    return Day(
        date=sums.date,
        time_zone=str(zone),
        t_ns=round(start.astimezone(UTC).timestamp()) * NS_PER_S,
        end_ns=round(end.astimezone(UTC).timestamp()) * NS_PER_S,
        final=final,
        exposure=sums.day.exposure(),
        version=version,
    )


def _date(t_ns: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(t_ns // NS_PER_S, zone).date().isoformat()


def _band(flexion_deg: float) -> str:
    """Trunk bands of RULA (McAtamney & Corlett 1993) as counted from the pelvis."""
    small, large = threshold("posture.flexion_acceptable_deg"), threshold("posture.flexion_not_acceptable_deg")
    if flexion_deg < 0:
        return "backwards"
    return (
        f"0-{small:.0f}"
        if flexion_deg <= small
        else f"{small:.0f}-{large:.0f}"
        if flexion_deg <= large
        else f"{large:.0f}-"
    )
