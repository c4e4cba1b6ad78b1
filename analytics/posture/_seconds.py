"""Seconds that may still change: what was said of each, and the walking that the gait analysis finds in them later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from analytics.posture._records import Span
from sagittal.names import PostureLabel
from sagittal.results import Posture
from sagittal.units import NS_PER_S

KEPT_S = 90
"""Seconds that may change at most."""
_SLOUCHED_DEG = 20.0
_PROVISIONAL = 0.7
_LONGER = 2.0
"""A posture counts this much more than the transitions beside it, so that a short one is not lost."""
_UNKNOWN = Span(0, PostureLabel.UNKNOWN, None, 0.0)


@dataclass(frozen=True, slots=True)
class Walking:
    """A walk as the gait analysis tells it; `end_ns` grows until it is final."""

    start_ns: int
    end_ns: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Second:
    """One second: its row as last told, and what the quick look at walking said."""

    row: Posture
    walking: bool
    cadence_spm: float | None


@dataclass(frozen=True, slots=True)
class Seconds:
    """The seconds that may change, oldest first; the one before them; walks that reach into them.

    Up to `decided_ns` the gait analysis has the last word on walking; before, the quick look has.
    """

    pending: tuple[Second, ...] = ()
    before: Posture | None = None
    walks: tuple[Walking, ...] = ()
    decided_ns: int = 0
    dirty_ns: int | None = None


def add(seconds: Seconds, row: Posture, *, walking: bool, cadence_spm: float | None) -> Seconds:
    """With a new second, of which nothing is said yet."""
    return replace(seconds, pending=(*seconds.pending, Second(row, walking, cadence_spm)))


def decide(seconds: Seconds, walks: list[Walking], decided_ns: int) -> Seconds:
    """With what the gait analysis has said."""
    if not walks and decided_ns <= seconds.decided_ns:
        return seconds
    kept = {one.start_ns: one for one in seconds.walks} | {one.start_ns: one for one in walks}
    oldest = seconds.pending[0].row.t_ns if seconds.pending else decided_ns
    dirty = min([seconds.decided_ns - NS_PER_S, *(one.start_ns - NS_PER_S for one in walks)])
    return replace(
        seconds,
        walks=tuple(one for one in kept.values() if one.end_ns >= oldest),
        decided_ns=max(decided_ns, seconds.decided_ns),
        dirty_ns=dirty if seconds.dirty_ns is None else min(dirty, seconds.dirty_ns),
    )


def tell(seconds: Seconds, spans: tuple[Span, ...], dirty_ns: int | None) -> tuple[Seconds, list[Posture]]:
    """Say anew what has changed, oldest first; the newest second always."""
    first = len(seconds.pending) - 1
    for since in (dirty_ns, seconds.dirty_ns):
        while since is not None and first > 0 and seconds.pending[first].row.t_ns + NS_PER_S > since:
            first -= 1
    told: list[Posture] = []
    pending = list(seconds.pending)
    before = pending[first - 1].row if first > 0 else seconds.before
    for place in range(max(first, 0), len(pending)):
        row = _row(seconds, pending[place], spans, before)
        if row != pending[place].row or place == len(pending) - 1:
            pending[place] = replace(pending[place], row=row)
            told.append(row)
        before = row
    return replace(seconds, pending=tuple(pending), dirty_ns=None), told


def settle(seconds: Seconds, until_ns: int) -> tuple[Seconds, list[Posture]]:
    """Take out the seconds that end before a time: they change no more."""
    count = max(0, len(seconds.pending) - KEPT_S)
    while count < len(seconds.pending) and seconds.pending[count].row.t_ns + NS_PER_S <= until_ns:
        count += 1
    if not count:
        return seconds, []
    rows = [one.row for one in seconds.pending[:count]]
    return replace(seconds, pending=seconds.pending[count:], before=rows[-1]), rows


def _row(seconds: Seconds, second: Second, spans: tuple[Span, ...], before: Posture | None) -> Posture:
    row = second.row
    span = _walking(seconds, second) or _longest(spans, row.t_ns, row.t_ns + NS_PER_S)
    detail = span.detail
    if span.label is PostureLabel.SITTING and row.flexion_deg is not None and row.flexion_deg < -_SLOUCHED_DEG:
        detail = "slouched"
    goes_on = (
        before is not None
        and (before.posture, before.detail) == (span.label, detail)
        and before.t_ns + NS_PER_S == row.t_ns
    )
    walking = span.label is PostureLabel.WALKING
    return replace(
        row,
        posture=span.label,
        detail=detail,
        confidence=span.confidence,
        since_ns=before.since_ns if before is not None and goes_on else row.t_ns,
        cadence_spm=second.cadence_spm if walking else None,
    )


def _walking(seconds: Seconds, second: Second) -> Span | None:
    start_ns = second.row.t_ns
    end_ns = start_ns + NS_PER_S
    for walk in seconds.walks:
        if min(walk.end_ns, end_ns) - max(walk.start_ns, start_ns) >= NS_PER_S // 2:
            return Span(start_ns, PostureLabel.WALKING, None, walk.confidence)
    if second.walking and end_ns > seconds.decided_ns:
        return Span(start_ns, PostureLabel.WALKING, None, _PROVISIONAL)
    return None


def _longest(spans: tuple[Span, ...], start_ns: int, end_ns: int) -> Span:
    """The span that fills most of a stretch."""
    best, most = _UNKNOWN, 0.0
    for span, ns in _overlaps(spans, start_ns, end_ns):
        weight = ns if span.label is PostureLabel.TRANSITION else _LONGER * ns
        if weight > most:
            best, most = span, weight
    return best


def _overlaps(spans: tuple[Span, ...], start_ns: int, end_ns: int) -> Iterator[tuple[Span, int]]:
    until = end_ns
    for span in reversed(spans):
        if span.start_ns < until:
            yield span, until - max(span.start_ns, start_ns)
            until = span.start_ns
        if until <= start_ns:
            return


def prune(spans: tuple[Span, ...], oldest_ns: int) -> tuple[Span, ...]:
    """The spans that reach beyond a time."""
    keep = 0
    while keep + 1 < len(spans) and spans[keep + 1].start_ns <= oldest_ns:
        keep += 1
    return spans[keep:] if keep else spans
