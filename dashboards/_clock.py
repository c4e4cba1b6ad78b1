"""Times in words, on the wearer's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sagittal.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class Clock:
    """The present, on the wearer's clock."""

    now_ns: int
    zone: ZoneInfo

    def age_s(self, t_ns: int) -> float:
        """Seconds since an instant."""
        return (self.now_ns - t_ns) / NS_PER_S

    def words(self, t_ns: int) -> str:
        """A time of day; with its date where that is another day than today."""
        then, today = local_time(t_ns, self.zone), local_time(self.now_ns, self.zone).date()
        return f"{then:%H:%M}" if then.date() == today else f"{date_words(then)}, {then:%H:%M}"

    def today(self) -> date:
        """The local date."""
        return local_time(self.now_ns, self.zone).date()


def local_time(t_ns: int, zone: ZoneInfo) -> datetime:
    """An instant on a local clock."""
    return datetime.fromtimestamp(t_ns / NS_PER_S, zone)


def date_words(day: date) -> str:
    """A date as people write it: "Tue 24 Nov 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"
