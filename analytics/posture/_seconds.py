"""Seconds that may still change: what was said of each, and the walking that the gait analysis finds in them later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from analytics._evolve import evolve
from analytics.posture._angles import Numbers
from analytics.posture._records import Span
from sagittal.names import PostureLabel
from sagittal.results import Posture
from sagittal.units import NS_PER_S

KEPT_S = 90
"""Seconds that may change at most."""
_SLOUCHED_DEG = 20.0
_PROVISIONAL = 0.7
_HALF_NS = NS_PER_S // 2
_LEAST_PACES = 2
_LONGER = 2.0
"""A posture counts this much more than the transitions beside it, so that a short one is not lost."""
_UNKNOWN = Span(0, PostureLabel.UNKNOWN, None, 0.0)


@dataclass(frozen=True)
class Walking:
    """A walk as the gait analysis tells it; `end_ns` grows until it is final."""

    start_ns: int
    end_ns: int
    confidence: float


@dataclass(frozen=True)
class Second:
    """One second: when, its angles, what the quick look at walking said, its row as last told, whose version."""

    t_ns: int
    numbers: Numbers
    walking: bool
    cadence_spm: float | None
    version: str
    row: Posture | None = None


@dataclass(frozen=True)
class Seconds:
    """The seconds that may change, oldest first; the one before them; walks that reach into them.

    Up to `decided_ns` the gait analysis has the last word on walking; before, the quick look has. Of what lies between
    `dirty_ns` and `clean_ns` something else is to be said than before, where `dirty_ns` is not None.
    """

    pending: tuple[Second, ...] = ()
    before: Posture | None = None
    walks: tuple[Walking, ...] = ()
    decided_ns: int = 0
    dirty_ns: int | None = None
    clean_ns: int = 0


Told = tuple[Seconds, list[Posture], list[Posture]]
"""Seconds as they are now, what is said anew of them, oldest first, and the rows that change no more."""


def take(
    seconds: Seconds, second: Second, decided_ns: int, spans: tuple[Span, ...], dirty_ns: int | None, standing_ns: int
) -> Told:
    """Take a new second, and how far the gait analysis has spoken by then; the rest as in `tell`."""
    flips = decided_ns > seconds.decided_ns and _flips(seconds, decided_ns)
    if flips or dirty_ns is not None or seconds.dirty_ns is not None:
        dirty = _dirty(seconds, seconds.decided_ns, decided_ns) if flips else {}
        pending = (*seconds.pending, second)
        return tell(evolve(seconds, pending=pending, decided_ns=decided_ns, **dirty), spans, dirty_ns, standing_ns)
    before = seconds.pending[-1].row if seconds.pending else seconds.before
    row = _row(_walking(seconds.walks, decided_ns, second), second, spans, before)
    pending = (*seconds.pending, evolve(second, row=row))
    settled = _settled(pending, standing_ns)
    last = settled[-1] if settled else seconds.before
    return evolve(seconds, pending=pending[len(settled) :], before=last, decided_ns=decided_ns), [row], settled


def take_all(
    seconds: Seconds,
    fresh: Sequence[Second],
    decided_ns: Sequence[int],
    spans: tuple[Span, ...],
    standing_ns: Sequence[int],
) -> tuple[Seconds, list[tuple[list[Posture], list[Posture]]]]:
    """Take new seconds through which the spans stay as they are: the same as `take` with one after the other."""
    told: list[tuple[list[Posture], list[Posture]]] = []
    walks = fresh[0].walking and decided_ns[-1] > seconds.decided_ns
    if walks or seconds.dirty_ns is not None or _flips(seconds, decided_ns[-1]):
        for second, until_ns, stands_ns in zip(fresh, decided_ns, standing_ns, strict=True):
            seconds, said, settled = take(seconds, second, until_ns, spans, None, stands_ns)
            told.append((said, settled))
        return seconds, told
    pending, first = [*seconds.pending], 0
    before = pending[-1].row if pending else seconds.before
    for second, until_ns, stands_ns in zip(fresh, decided_ns, standing_ns, strict=True):
        before = _row(_walking(seconds.walks, until_ns, second), second, spans, before)
        pending.append(evolve(second, row=before))
        settled = _settled(pending, stands_ns, first)
        first += len(settled)
        told.append(([before], settled))
    last = pending[first - 1].row if first else seconds.before
    return evolve(seconds, pending=tuple(pending[first:]), before=last, decided_ns=decided_ns[-1]), told


def decide(seconds: Seconds, walks: list[Walking], decided_ns: int) -> Seconds:
    """With walks that the gait analysis tells anew."""
    oldest = seconds.pending[0].t_ns if seconds.pending else decided_ns
    kept = {one.start_ns: one for one in seconds.walks if one.end_ns >= oldest}
    since, until = seconds.decided_ns, max(decided_ns, seconds.decided_ns)
    for walk in walks:
        old = kept.get(walk.start_ns)
        same = old is not None and old.confidence == walk.confidence
        ends = [walk.end_ns] if old is None else [old.end_ns, walk.end_ns]
        since = min(since, (min(ends) if same else walk.start_ns) - NS_PER_S)
        until = max(until, *ends)
        kept[walk.start_ns] = walk
    told = tuple(one for one in kept.values() if one.end_ns >= oldest)
    decided_ns = max(decided_ns, seconds.decided_ns)
    return evolve(seconds, walks=told, decided_ns=decided_ns, **_dirty(seconds, since, until))


def _dirty(seconds: Seconds, since_ns: int, until_ns: int) -> dict[str, int]:
    """What is to be looked at again, with what was already."""
    if seconds.dirty_ns is None:
        return {"dirty_ns": since_ns, "clean_ns": until_ns}
    return {"dirty_ns": min(since_ns, seconds.dirty_ns), "clean_ns": max(until_ns, seconds.clean_ns)}


def _flips(seconds: Seconds, decided_ns: int) -> bool:
    """Whether the quick look took a second for walking on which the gait analysis has the word by now."""
    for one in reversed(seconds.pending):
        end_ns = one.t_ns + NS_PER_S
        if end_ns <= seconds.decided_ns:
            return False
        if one.walking and end_ns <= decided_ns:
            return True
    return False


def tell(seconds: Seconds, spans: tuple[Span, ...], dirty_ns: int | None, standing_ns: int | None) -> Told:
    """Say anew what has changed, oldest first, the newest second always; take out seconds that change no more.

    From `dirty_ns` on the spans have changed; the seconds that end by `standing_ns` stand, for None none does.
    """
    pending = [*seconds.pending]
    clean_ns = seconds.clean_ns if dirty_ns is None else pending[-1].t_ns
    first = _first(pending, dirty_ns, seconds.dirty_ns)
    before = pending[first - 1].row if first > 0 else seconds.before
    told: list[Posture] = []
    same = True
    for place in range(first, len(pending)):
        second = pending[place]
        if not same or second.row is None or second.t_ns < clean_ns:
            row = _row(_walking(seconds.walks, seconds.decided_ns, second), second, spans, before)
            same = row is second.row
            if not same:
                pending[place] = evolve(second, row=row)
                told.append(row)
        before = pending[place].row
    settled = _settled(pending, standing_ns) if standing_ns is not None else []
    left, before = tuple(pending[len(settled) :]), settled[-1] if settled else seconds.before
    return evolve(seconds, pending=left, before=before, dirty_ns=None), told, settled


def _first(pending: list[Second], *dirty: int | None) -> int:
    """The first second that reaches beyond one of those times, or the newest."""
    first = len(pending) - 1
    for since in dirty:
        while since is not None and first > 0 and pending[first - 1].t_ns + NS_PER_S > since:
            first -= 1
    return first


def last_word(seconds: Seconds) -> Seconds:
    """No more samples will come: what the quick look took for walking stands where it lasted."""
    flags = [one.walking and one.t_ns + NS_PER_S > seconds.decided_ns for one in seconds.pending]
    pending = list(seconds.pending)
    for place, flag in enumerate(flags):
        first, last = place, place
        while flag and first > 0 and flags[first - 1]:
            first -= 1
        while flag and last + 1 < len(flags) and flags[last + 1]:
            last += 1
        if flag and last - first + 1 < _LEAST_PACES:
            pending[place] = evolve(pending[place], walking=False)
    if not any(flags):
        return seconds
    dirty = _dirty(seconds, pending[flags.index(True)].t_ns, pending[-1].t_ns + NS_PER_S)
    return evolve(seconds, pending=tuple(pending), **dirty)


def settle(seconds: Seconds, until_ns: int) -> tuple[Seconds, list[Posture]]:
    """Take out the seconds that end before a time: they change no more."""
    settled = _settled(seconds.pending, until_ns)
    if not settled:
        return seconds, []
    return evolve(seconds, pending=seconds.pending[len(settled) :], before=settled[-1]), settled


def _settled(pending: Sequence[Second], until_ns: int, first: int = 0) -> list[Posture]:
    """Rows of seconds from the first on, each told before: those that end by a time, and more than may be kept."""
    last = max(first, len(pending) - KEPT_S)
    while last < len(pending) and pending[last].t_ns + NS_PER_S <= until_ns:
        last += 1
    return [one.row for one in pending[first:last] if one.row is not None] if last > first else []


def _row(walking: Span | None, second: Second, spans: tuple[Span, ...], before: Posture | None) -> Posture:
    """The row of a second, the same object where it says nothing new."""
    numbers, old = second.numbers, second.row
    span = walking or _longest(spans, second.t_ns, second.t_ns + NS_PER_S)
    label, detail, since_ns, confidence = span.label, span.detail, second.t_ns, span.confidence
    if label is PostureLabel.SITTING and numbers.get("flexion_deg", 0.0) < -_SLOUCHED_DEG:
        detail = "slouched"
    if before is not None and before.posture is label and before.detail == detail:
        since_ns = before.since_ns if before.t_ns + NS_PER_S == since_ns else since_ns
    if (
        old is not None
        and old.posture is label
        and old.detail == detail
        and old.since_ns == since_ns
        and old.confidence == confidence
    ):
        return old
    return Posture(
        t_ns=second.t_ns,
        posture=label,
        detail=detail,
        since_ns=since_ns,
        confidence=confidence,
        cadence_spm=second.cadence_spm if label is PostureLabel.WALKING else None,
        version=second.version,
        **numbers,
    )


def _walking(walks: tuple[Walking, ...], decided_ns: int, second: Second) -> Span | None:
    """A second of a walk, by the gait analysis or, where it has not spoken yet, by the quick look."""
    middle_ns = second.t_ns + _HALF_NS
    for walk in walks:
        if walk.start_ns <= middle_ns <= walk.end_ns and walk.end_ns - walk.start_ns >= _HALF_NS:
            return _walking_span(walk.confidence)
    if second.walking and second.t_ns + NS_PER_S > decided_ns:
        return _walking_span(_PROVISIONAL)
    return None


@lru_cache(maxsize=16)
def _walking_span(confidence: float) -> Span:
    return Span(0, PostureLabel.WALKING, None, confidence)


def _longest(spans: tuple[Span, ...], start_ns: int, end_ns: int) -> Span:
    """The span that fills most of a stretch."""
    if spans and spans[-1].start_ns <= start_ns:
        return spans[-1]
    best, most, until = _UNKNOWN, 0.0, end_ns
    for span in reversed(spans):
        if span.start_ns < until:
            ns = until - max(span.start_ns, start_ns)
            weight = ns if span.label is PostureLabel.TRANSITION else _LONGER * ns
            if weight > most:
                best, most = span, weight
            until = span.start_ns
        if until <= start_ns:
            break
    return best


def prune(spans: tuple[Span, ...], oldest_ns: int) -> tuple[Span, ...]:
    """The spans that reach beyond a time."""
    keep = 0
    while keep + 1 < len(spans) and spans[keep + 1].start_ns <= oldest_ns:
        keep += 1
    return spans[keep:] if keep else spans
