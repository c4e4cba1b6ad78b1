"""Results as InfluxDB's line protocol, named mechanically after `sagittal/results.py`; docs/store.md says how.

Numbers are floats without exception, since a field that was once an integer refuses a float ever after.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

from sagittal.protocols import Reading, Row
from sagittal.results import Change, Day, Event, GapMark, Minute, Pattern, Posture, Walk, result_key
from sagittal.units import NS_PER_S

DETAIL, MINUTES, DAYS = "detail", "minutes", "days"
BUCKET_OF = {
    "posture": DETAIL,
    "device": DETAIL,
    "service": DETAIL,
    "minute": MINUTES,
    "walk": MINUTES,
    "walk_pattern": MINUTES,
    "event": MINUTES,
    "gap": MINUTES,
    "day": DAYS,
    "day_pattern": DAYS,
    "day_change": DAYS,
}
"""Which of the three buckets holds a measurement."""

MAX_TEXT = 4_000
_NS_PER_MS = NS_PER_S // 1000
_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": "_", "\r": "_", "\\": "/", "\0": "_", '"': "'"})
_POSTURE_NUMBERS = tuple(
    one.name for one in fields(Posture) if one.name.endswith(("_deg", "_percent", "_spm")) or one.name == "confidence"
)
_posture_numbers = attrgetter(*_POSTURE_NUMBERS)
_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.+-]")
_NAMED_BY = {Pattern: "pattern", Change: "metric"}


@dataclass(frozen=True, slots=True)
class Point:
    """One line: `series` and `t_ns` name it, `names` are its fields."""

    measurement: str
    series: str
    t_ns: int
    names: frozenset[str]
    line: str

    @property
    def bucket(self) -> str:
        """The bucket it belongs to."""
        return BUCKET_OF[self.measurement]


def points(row: Row, source: str) -> list[Point]:
    """A row's points, none for a walk that is not over: what a later word takes back could not be unsaid here."""
    result = row.result
    extra = ""
    more: Iterator[tuple[str, str]] = iter(())
    match result:
        case Posture():
            series = _posture_series(row.wearer, source)
            return [Point("posture", series, result.t_ns, frozenset(), posture_line(row.wearer, source, result))]
        case Walk(final=False):
            return []
        case Event():
            extra = f",event={_tag(result.event)}"
            more = _pairs("end_ns", result.t_ns + round(result.duration_s * NS_PER_S))
        case GapMark():
            extra = f",site={_tag(result.site)}"
        case Minute() if result.exposure.posture_s:
            more = _pairs("posture", max(result.exposure.posture_s.items(), key=lambda entry: (entry[1], entry[0]))[0])
    kind, t_ns, key = result_key(result)
    tags = f",wearer={_tag(row.wearer)},source={_tag(source)}"
    if isinstance(result, Event) and result.key:
        t_ns += zlib.crc32(key.encode()) % _NS_PER_MS  # Two of one name and moment stay two, within their millisecond.
    found = [_point(kind, tags + extra, chain(_flat(result), more), t_ns)]
    for one in _children(result):
        named_by = _NAMED_BY[type(one)]
        series = f"{tags},{named_by}={_tag(getattr(one, named_by))}"
        found.append(_point(f"{kind}_{'change' if isinstance(one, Change) else 'pattern'}", series, _flat(one), t_ns))
    return [point for point in found if point is not None]


def reading_point(reading: Reading, source: str) -> Point | None:
    """A reading of a device or of the service; None where it holds nothing."""
    tags = f",source={_tag(source)}"
    if reading.wearer is not None:
        tags = f",wearer={_tag(reading.wearer)}{tags}"
    if reading.site is not None:
        tags = f"{tags},site={_tag(reading.site)}"
    flat = (pair for name, value in reading.values.items() for pair in _pairs(name, value))
    return _point(reading.kind, tags, flat, reading.t_ns)


def posture_line(wearer: str, source: str, result: Posture) -> str:
    """The line that `_flat` would make of a second, five times as fast: there are 86,400 a day and wearer."""
    numbers = ",".join(
        [
            f"{name}={value}"
            for name, value in zip(_POSTURE_NUMBERS, _posture_numbers(result), strict=True)
            if value is not None
        ]
    )
    words = ""
    if result.detail:
        words = f",detail={_text(result.detail)}"
    if result.angle_reason:
        words += f",angle_reason={_text(result.angle_reason)}"
    if result.lumbar_rotation_reason:
        words += f",lumbar_rotation_reason={_text(result.lumbar_rotation_reason)}"
    return (
        f'{_posture_series(wearer, source)} posture="{result.posture}",since_ms={result.since_ns / _NS_PER_MS}'
        f",version={_word(result.version)},{numbers}{words} {result.t_ns}"
    )


@cache
def _posture_series(wearer: str, source: str) -> str:
    return f"posture,wearer={_tag(wearer)},source={_tag(source)}"


def _point(measurement: str, tags: str, flat: Iterator[tuple[str, str]], t_ns: int) -> Point | None:
    pairs = dict(flat)
    if not pairs:
        return None
    series = f"{measurement}{tags}"
    text = ",".join(f"{name}={value}" for name, value in pairs.items())
    return Point(measurement, series, t_ns, frozenset(pairs), f"{series} {text} {t_ns}")


def _children(result: object) -> list[Pattern | Change]:
    found: list[Pattern | Change] = []
    if isinstance(result, Walk | Day):
        found += result.compensations
    if isinstance(result, Day):
        found += result.changes
    return found


def _flat(result: Any) -> Iterator[tuple[str, str]]:
    """Fields of a dataclass as (name, text), what is a tag or the time left out."""
    for one in fields(result):
        if one.name in ("kind", "t_ns", "start_ns", "event", "site", "pattern", "metric", "compensations", "changes"):
            continue
        yield from _pairs(one.name, getattr(result, one.name))


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case None | "" | []:
            return
        case bool():
            yield _key(name), "1" if value else "0"
        case int() | float():
            if name.endswith("_ns"):
                name, value = f"{name[:-3]}_ms", value / _NS_PER_MS
            if math.isfinite(value):
                yield _key(name), repr(float(value))
        case str():
            yield _key(name), _text(str(value))
        case dict():
            for key, entry in value.items():
                yield from _pairs(f"{name}.{key}", entry)
        case list() if isinstance(value[0], str):
            yield _key(name), _text(", ".join(value))
        case list():
            yield _key(name), repr(float(len(value)))
        case _ if is_dataclass(value):
            yield from _flat(value)


@lru_cache(8192)
def _key(name: str) -> str:
    return str(name).translate(_KEY) or "_"


def _tag(value: str) -> str:
    return _NOT_IN_A_TAG.sub("_", value) or "_"


@lru_cache(256)
def _word(value: str) -> str:
    return _text(value)


def _text(value: str) -> str:
    return '"' + value[:MAX_TEXT].replace("\\", "\\\\").replace('"', '\\"') + '"'
