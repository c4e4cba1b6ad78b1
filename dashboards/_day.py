"""One day of a wearer, read from the store: the band, the sums, the walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashboards._clock import local_time
from dashboards.drawings import Segment
from sagittal.names import PostureLabel
from sagittal.protocols import Reader
from sagittal.results import Day, Event, Exposure, Minute, Posture, Walk
from sagittal.units import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
_LABELS = frozenset(str(label) for label in PostureLabel)
_TAIL_NS = 3 * MINUTE_NS
_SITTING_BREAK_NS = MINUTE_NS


@dataclass(frozen=True, slots=True)
class DayData:
    """Everything that a page shows of one day; sums in seconds."""

    date: date
    zone: ZoneInfo
    start_ns: int
    end_ns: int
    segments: list[Segment]
    posture_s: dict[str, float]
    gap_s: dict[str, float]
    worn_s: float
    slouched_s: float
    steps: int
    bends: int
    sit_to_stands: int
    longest_sit_s: float
    walks: list[Walk]
    events: list[Event]
    day: Day | None = None
    diary: list[Event] = field(default_factory=list)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """UTC ns of a local day's midnights; 23 or 25 hours apart where the clocks change."""
    return _midnight_ns(day, zone), _midnight_ns(day + timedelta(days=1), zone)


def local_date(t_ns: int, zone: ZoneInfo) -> date:
    """The local date of an instant."""
    return local_time(t_ns, zone).date()


def read_day(reader: Reader, wearer: str, day: date, zone: ZoneInfo) -> DayData:
    """Read one local day; minutes first, and single seconds where the last minutes are not summed yet."""
    start, end = day_bounds(day, zone)
    minutes = [row for row in reader.results(wearer, "minute", start, end) if isinstance(row, Minute)]
    summed_to = minutes[-1].t_ns + MINUTE_NS if minutes else start
    tail = _tail(reader, wearer, summed_to, end)
    walks = [row for row in reader.results(wearer, "walk", start, end) if isinstance(row, Walk)]
    events = [row for row in reader.results(wearer, "event", start, end) if isinstance(row, Event)]
    days = [row for row in reader.results(wearer, "day", start, end) if isinstance(row, Day)]
    segments = _merge([_minute_segment(minute) for minute in minutes] + [_second_segment(row) for row in tail])
    sums = [minute.exposure for minute in minutes]
    return DayData(
        date=day,
        zone=zone,
        start_ns=start,
        end_ns=end,
        segments=segments,
        posture_s=_add([row.posture_s for row in sums] + [{str(row.posture): 1.0} for row in tail]),
        gap_s=_add([row.gap_s for row in sums]),
        worn_s=sum(row.worn_s for row in sums) + sum(row.posture is not PostureLabel.NOT_WORN for row in tail),
        slouched_s=sum(row.slouched_s for row in sums),
        steps=sum(walk.n_steps for walk in walks),
        bends=sum(event.event == "bend" for event in events),
        sit_to_stands=sum(event.event == "sit_to_stand" for event in events),
        longest_sit_s=_longest(segments, PostureLabel.SITTING),
        walks=walks,
        events=events,
        day=days[-1] if days else None,
        diary=[event for event in events if event.event == "diary"],
    )


def read_days(reader: Reader, wearer: str, first: date, last: date, zone: ZoneInfo) -> dict[str, Day]:
    """The stored days from the first to the last, by date."""
    start, _ = day_bounds(first, zone)
    _, end = day_bounds(last, zone)
    return {row.date: row for row in reader.results(wearer, "day", start, end) if isinstance(row, Day)}


def _tail(reader: Reader, wearer: str, from_ns: int, end_ns: int) -> list[Posture]:
    latest = reader.latest(wearer, "posture")
    if not isinstance(latest, Posture) or not from_ns <= latest.t_ns < end_ns:
        return []
    rows = reader.results(wearer, "posture", max(from_ns, latest.t_ns - _TAIL_NS), end_ns)
    return [row for row in rows if isinstance(row, Posture)]


def _minute_segment(minute: Minute) -> Segment:
    return Segment(minute.t_ns, minute.t_ns + MINUTE_NS, dominant(minute.exposure))


def dominant(exposure: Exposure) -> PostureLabel:
    """The posture that took most of a minute; unknown where less than ten seconds of it were seen."""
    known = {label: seconds for label, seconds in exposure.posture_s.items() if label in _LABELS}
    if not known or sum(known.values()) < 10.0:
        return PostureLabel.UNKNOWN
    return PostureLabel(max(known, key=lambda label: known[label]))


def _second_segment(row: Posture) -> Segment:
    return Segment(row.t_ns, row.t_ns + NS_PER_S, row.posture)


def _merge(segments: Sequence[Segment]) -> list[Segment]:
    merged: list[Segment] = []
    for segment in segments:
        last = merged[-1] if merged else None
        if last is not None and last.posture is segment.posture and segment.start_ns <= last.end_ns + NS_PER_S:
            merged[-1] = Segment(last.start_ns, segment.end_ns, last.posture)
        else:
            merged.append(segment)
    return merged


def _longest(segments: Sequence[Segment], posture: PostureLabel) -> float:
    best = run_start = run_end = 0
    for segment in segments:
        if segment.posture is not posture:
            continue
        if segment.start_ns - run_end > _SITTING_BREAK_NS:
            run_start = segment.start_ns
        run_end = segment.end_ns
        best = max(best, run_end - run_start)
    return best / NS_PER_S


def _add(tables: Sequence[dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for table in tables:
        for key, value in table.items():
            total[key] = total.get(key, 0.0) + value
    return total


def _midnight_ns(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * NS_PER_S
